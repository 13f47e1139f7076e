//! Writing: a directory of parts, one per tile, by all workers of all processes.
use super::dictionary;
use crate::durable::Durable;
use crate::own;
use crate::rows::{
    arrow_schema, bad_option, metadata, point_bytes, row_batch, row_schema, text, texts,
};
use crate::stage::{Stage, cannot_write, cannot_write_because, not_as_written};
use crate::summed::{Summed, sum_of};
use crate::{Arrangement, FormatError, Piece, Sink, TileWriter, WriteRequest, Written};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use base::{DType, Failure, Schema, Tile};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use rustix::fs::OFlags;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most rows of a row group.
const GROUP_ROWS: usize = 1 << 20;
/// The most rows of a page: 128 KiB of numbers, a block of Zstandard.
const PAGE_ROWS: usize = 1 << 14;
/// The fewest digits of the number of a part.
const DIGITS: usize = 5;
/// The empty file that says that a folder is whole.
const SUCCESS: &str = "_SUCCESS";
/// The bytes of the part of a tile without rows, which has none.
const NONE: u64 = u64::MAX;
/// Rows that are encoded at a time.
const BATCH_ROWS: usize = 1 << 12;

/// Whether outputs have files of this name: a part, or the mark of a folder that is whole.
pub(crate) fn is_part_name(name: &str) -> bool {
    let number = name.strip_prefix("part-").and_then(|name| name.strip_suffix(".parquet"));
    let digits = |n: &str| n.len() >= DIGITS && n.bytes().all(|b| b.is_ascii_digit());
    name == SUCCESS || number.is_some_and(digits)
}

/// An output directory.
pub(super) struct ParquetSink {
    stage: Stage,
    parts: Parts,
    /// What is staged, by whatever process and run.
    pieces: Arc<Mutex<BTreeMap<u64, Piece>>>,
    /// Rows of the largest tile, if known.
    rows: Option<u64>,
    row_bytes: u64,
    codec: String,
}

/// How parts are written.
#[derive(Clone)]
struct Parts {
    directory: PathBuf,
    /// The name that errors give.
    target: PathBuf,
    schema: SchemaRef,
    properties: WriterProperties,
    /// Digits of part numbers, the same for all.
    digits: usize,
    /// Whether tiles without rows are parts too.
    empty: bool,
}

impl ParquetSink {
    /// Checks the columns and the options.
    pub(super) fn new(request: WriteRequest) -> Result<ParquetSink, FormatError> {
        let rows = row_schema(&request)?;
        let codec = text(&request.options, "compression")?.unwrap_or("zstd").to_string();
        let stage =
            Stage::of_parts(&request.path, &request.run_id, request.replace).by(&request.maker);
        let tiles = request.tiling.as_ref().map_or(0, |t| t.count());
        let parts = Parts {
            directory: stage.staged().to_path_buf(),
            target: request.path.clone(),
            schema: arrow_schema(&rows, &request.attributes),
            properties: properties(&request, &rows, compression(&codec)?)?,
            digits: tiles.saturating_sub(1).to_string().len().max(DIGITS),
            empty: request.empty_tiles,
        };
        let largest = |t: &base::Tiling| t.largest().iter().map(|n| *n as u64).product();
        let rows_known = request.tiling.as_ref().map(largest);
        let (pieces, row_bytes) = (Arc::default(), point_bytes(&rows));
        Ok(ParquetSink { stage, parts, pieces, rows: rows_known, row_bytes, codec })
    }
}

fn compression(name: &str) -> Result<Compression, FormatError> {
    Ok(match name {
        "zstd" => match ZstdLevel::try_new(3) {
            Ok(level) => Compression::ZSTD(level),
            Err(e) => return Err(bad_option("compression", e.to_string())),
        },
        "snappy" => Compression::SNAPPY,
        "lz4" => Compression::LZ4_RAW,
        "none" => Compression::UNCOMPRESSED,
        _ => {
            let mut error = bad_option("compression", format!("there is no compression `{name}`"));
            error.help = base::did_you_mean(name, ["zstd", "snappy", "lz4", "none"]);
            return Err(error);
        }
    })
}

fn properties(
    request: &WriteRequest,
    rows: &Schema,
    compression: Compression,
) -> Result<WriterProperties, FormatError> {
    let pair = |(k, v)| KeyValue::new(k, Some(v));
    let pairs: Vec<_> = metadata(&request.attributes).into_iter().map(pair).collect();
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(BATCH_ROWS)
        .set_created_by(format!("tidemill {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata((!pairs.is_empty()).then_some(pairs));
    for name in texts(&request.options, "bloom")?.unwrap_or_default() {
        let Some(column) = rows.position(&name) else {
            let mut error = bad_option("bloom", format!("no column `{name}` is written"));
            error.help = base::did_you_mean(&name, rows.names());
            return Err(error);
        };
        if rows.fields[column].dtype == DType::Bool {
            let message = format!("column `{name}` is a bool, for which there is no bloom filter");
            return Err(bad_option("bloom", message));
        }
        properties = properties.set_column_bloom_filter_enabled(path(&name), true);
    }
    Ok(properties.build())
}

/// The path of a root column.
fn path(name: &str) -> ColumnPath {
    ColumnPath::new(vec![name.to_string()])
}

impl Parts {
    /// Writes one part.
    fn write(&self, folder: &File, tile: &Tile, sum: bool) -> Result<Summed, Failure> {
        let batch = row_batch(tile, &self.schema)?;
        let mut writer = self.open(folder, tile.number, self.properties_for(&batch), sum)?;
        writer.write(&batch).map_err(|e| cannot_write_because(&self.target, &e))?;
        self.end(writer)
    }

    /// Without dictionaries that would be built only to be given up.
    fn properties_for(&self, batch: &RecordBatch) -> WriterProperties {
        let mut properties = self.properties.clone().into_builder();
        for (field, array) in self.schema.fields().iter().zip(batch.columns()) {
            let pays = dictionary::pays(array);
            properties = properties.set_column_dictionary_enabled(path(field.name()), pays);
        }
        properties.build()
    }

    fn open(
        &self,
        folder: &File,
        number: u64,
        properties: WriterProperties,
        sum: bool,
    ) -> Result<ArrowWriter<Summed>, Failure> {
        let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let file = own::file_in(folder, &self.name(number), new);
        let mut file = Summed::new(0, file.map_err(|e| cannot_write(&self.target, &e))?);
        if sum {
            file.sum();
        }
        ArrowWriter::try_new(file, self.schema.clone(), Some(properties))
            .map_err(|e| cannot_write_because(&self.target, &e))
    }

    /// The staged directory, open: parts go there, whatever gets its name meanwhile.
    fn folder(&self) -> Result<File, Failure> {
        own::folder(&self.directory).map_err(|e| cannot_write(&self.target, &e))
    }

    fn name(&self, number: u64) -> PathBuf {
        PathBuf::from(format!("part-{number:0w$}.parquet", w = self.digits))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(self.name(number))
    }

    /// The number of the part of this name.
    fn number(&self, path: &Path) -> Option<u64> {
        let name = path.file_name()?.to_str()?;
        let number = name.strip_prefix("part-")?.strip_suffix(".parquet")?.parse().ok()?;
        (self.path(number) == path).then_some(number)
    }

    fn end(&self, writer: ArrowWriter<Summed>) -> Result<Summed, Failure> {
        writer.into_inner().map_err(|e| cannot_write_because(&self.target, &e))
    }

    /// What a part is known by as it lies there; with a checksum if `sum`. `None` if it is not there.
    fn look(&self, number: u64, sum: bool) -> io::Result<Option<Piece>> {
        let open = own::open(&self.path(number), OpenOptions::new().read(true));
        let mut file = match open {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            open => open?,
        };
        let (bytes, mut tail) = (file.metadata()?.len(), [0; 8]);
        if let Some(at) = bytes.checked_sub(8) {
            file.read_exact_at(&mut tail, at)?;
        }
        let sum = if sum { sum_of(&mut file, bytes)? } else { 0 };
        Ok(Some(Piece { bytes, sum, tail: u64::from_le_bytes(tail) }))
    }

    /// Which parts are there.
    fn there(&self) -> io::Result<BTreeSet<u64>> {
        let entries = fs::read_dir(&self.directory)?;
        let number = |entry: io::Result<fs::DirEntry>| entry.map(|e| self.number(&e.path()));
        entries.map(number).filter_map(Result::transpose).collect()
    }
}

/// Whether a part is as it was when it was written, as far as that is known.
fn same(there: &Piece, written: &Piece) -> bool {
    let same = |a: u64, b: u64| a == 0 || b == 0 || a == b;
    let Piece { bytes, sum, tail } = *there;
    bytes == written.bytes && same(sum, written.sum) && same(tail, written.tail)
}

impl ParquetSink {
    fn known(&self) -> MutexGuard<'_, BTreeMap<u64, Piece>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that just those parts are there that were written; how many, and their bytes.
    fn check(&self, known: &BTreeMap<u64, Piece>) -> Result<(u64, u64), Failure> {
        let failed = |e: io::Error| cannot_write(self.path(), &e);
        let other = |n: u64| not_as_written(&self.stage, &self.parts.path(n));
        let there = self.parts.there().map_err(failed)?;
        let extra = there.into_iter().find(|n| !known.contains_key(n));
        let bad = known.iter().map(|(n, written)| {
            let path = self.parts.path(*n);
            let found = self.parts.look(*n, false).map_err(|e| cannot_write(&path, &e))?;
            Ok((!found.is_some_and(|found| same(&found, written))).then_some(*n))
        });
        match extra.or(bad.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().next()) {
            Some(part) => Err(other(part)),
            None => Ok((known.len() as u64, known.values().map(|piece| piece.bytes).sum())),
        }
    }
}

impl Sink for ParquetSink {
    fn arrangement(&self) -> Arrangement {
        Arrangement::Anywhere
    }

    fn create(&self) -> Result<(), Failure> {
        self.known().clear();
        self.stage.create_directory()
    }

    fn resumable(&self) -> bool {
        true
    }

    fn spoiled(&self, written: &BTreeMap<u64, Piece>) -> Vec<u64> {
        let bad = |(tile, piece): &(&u64, &Piece)| match self.parts.look(**tile, true) {
            Ok(None) => piece.bytes != NONE,
            Ok(Some(found)) => !same(&found, piece),
            Err(_) => true,
        };
        let all: Vec<(&u64, &Piece)> = written.iter().collect();
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
        std::thread::scope(|scope| {
            let share = all.len().div_ceil(threads).max(1);
            let look = |some: &[(&u64, &Piece)]| {
                some.iter().filter(|part| bad(part)).map(|(tile, _)| **tile).collect::<Vec<_>>()
            };
            let looks: Vec<_> =
                all.chunks(share).map(|some| (some, scope.spawn(move || look(some)))).collect();
            // Whoever cannot say is taken to be no good.
            let tiles = |some: &[(&u64, &Piece)]| some.iter().map(|(t, _)| **t).collect();
            looks.into_iter().flat_map(|(s, l)| l.join().unwrap_or_else(|_| tiles(s))).collect()
        })
    }

    /// Parts that are not known to be whole are removed. A folder that holds anything else is not
    /// gone on with.
    fn resume(&self, written: &BTreeMap<u64, Piece>) -> Result<bool, Failure> {
        if !self.stage.is_there() {
            return Ok(false);
        }
        self.expect(written.clone());
        let failed = |e: io::Error| cannot_write(self.path(), &e);
        let mut partial = Vec::new();
        for entry in fs::read_dir(self.stage.staged()).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if !entry.file_name().to_str().is_some_and(is_part_name) {
                return Ok(false);
            }
            if !self.parts.number(&path).is_some_and(|n| written.contains_key(&n)) {
                partial.push(path);
            }
        }
        partial.iter().try_for_each(fs::remove_file).map_err(failed)?;
        Ok(true)
    }

    fn pieces(&self) -> BTreeMap<u64, Piece> {
        self.known().clone()
    }

    fn expect(&self, pieces: BTreeMap<u64, Piece>) {
        self.known().extend(pieces.into_iter().filter(|(_, piece)| piece.bytes != NONE));
    }

    fn durable(&self, tiles: &[u64]) -> Result<(), Failure> {
        let failed = |e: io::Error| cannot_write(self.path(), &e);
        for tile in tiles {
            match File::open(self.parts.path(*tile)) {
                Ok(file) => file.sync_all().map_err(failed)?,
                // A tile without rows may have no part.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(failed(e)),
            }
        }
        File::open(self.stage.staged()).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    fn staged(&self) -> Option<&Path> {
        Some(self.stage.staged())
    }

    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        Ok(Box::new(Writer {
            folder: self.parts.folder()?,
            parts: self.parts.clone(),
            pieces: self.pieces.clone(),
            durable: Durable::default(),
            sum: false,
            last: None,
        }))
    }

    fn commit(&self) -> Result<Written, Failure> {
        let failed = |e: io::Error| cannot_write(self.path(), &e);
        let mut known = self.pieces();
        if known.is_empty() {
            let none =
                self.parts.open(&self.parts.folder()?, 0, self.parts.properties.clone(), false)?;
            let mut none = self.parts.end(none)?;
            none.sync_all().map_err(failed)?;
            known.insert(0, none.piece());
        }
        let (files, bytes) = self.check(&known)?;
        let success = File::create(self.stage.staged().join(SUCCESS)).map_err(failed)?;
        success.sync_all().map_err(failed)?;
        self.stage.publish()?;
        Ok(Written { path: self.path().to_path_buf(), files, bytes })
    }

    fn abandon(&self) {
        self.stage.abandon();
    }

    fn path(&self) -> &Path {
        self.stage.target()
    }

    /// The expanded rows, and their encoded pages before and after compression.
    fn memory(&self, tile_bytes: u64) -> u64 {
        let rows = self.rows.map_or(tile_bytes, |n| n.saturating_mul(self.row_bytes));
        rows.saturating_mul(2).saturating_add(1 << 20)
    }

    fn describe(&self) -> String {
        format!("parquet {}/: a part per tile, {}", self.path().display(), self.codec)
    }
}

/// The writer of one worker.
struct Writer {
    folder: File,
    parts: Parts,
    pieces: Arc<Mutex<BTreeMap<u64, Piece>>>,
    durable: Durable,
    /// Whether checksums are wanted.
    sum: bool,
    last: Option<Piece>,
}

impl TileWriter for Writer {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        self.last = None;
        if tile.points() == 0 && !self.parts.empty {
            return Ok(());
        }
        let mut file = self.parts.write(&self.folder, tile, self.sum)?;
        let piece = file.piece();
        self.last = Some(piece);
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).insert(tile.number, piece);
        self.durable.push(file.into_file()).map_err(|e| cannot_write(&self.parts.target, &e))
    }

    fn sum(&mut self) {
        self.sum = true;
    }

    fn piece(&mut self) -> Option<Piece> {
        self.last
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.durable.finish().map_err(|e| cannot_write(&self.parts.target, &e))
    }
}
