//! One Parquet file of an input: its metadata, and rows of some of its row groups.
use super::inputs::missing;
use super::pages::Pages;
use super::prune::{self, FileTest};
use crate::input::Input;
use crate::rows::{FileColumns, guarded, in_file};
use crate::{FormatError, FormatErrorKind, RowTest};
use arrow_array::ArrayRef;
use arrow_schema::Metadata;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use std::ops::Range;
use std::path::Path;
use tasks::store::Hold;

/// Bytes at the end of an object that are fetched when it is opened: those of most footers.
const TAIL: u64 = 256 << 10;

/// A mapped file whose metadata have been read, once, for all workers.
pub(super) struct Part {
    input: Input,
    metadata: ArrowReaderMetadata,
    /// The columns; their places are among the file's root columns.
    pub(super) columns: FileColumns,
}

/// Some rows of one row group.
pub(super) struct Piece {
    /// The row group's place in the file.
    pub(super) group: usize,
    /// Rows to leave out before.
    pub(super) skip: usize,
    /// Rows to read.
    pub(super) take: usize,
}

impl Part {
    /// Reads the metadata and finds the columns.
    pub(super) fn open(path: &Path, wanted: Option<&[String]>) -> Result<Part, FormatError> {
        let input = Input::mapped(path).map_err(|e| missing(path, &e.to_string()))?;
        let tail = input.len().saturating_sub(TAIL)..input.len();
        let _tail = input.hold(&[tail]).map_err(|e| missing(path, &e))?;
        let options = ArrowReaderOptions::new().with_offset_index_policy(PageIndexPolicy::Optional);
        let metadata = guarded(|| ArrowReaderMetadata::load(&input, options.clone()))
            // What a writer says beside in Arrow's words may be of a type that only it knows.
            .or_else(|reason| {
                let plain = options.with_skip_arrow_metadata(true);
                guarded(|| ArrowReaderMetadata::load(&input, plain)).map_err(|_| reason)
            })
            .and_then(check_groups)
            .and_then(|metadata| input.whole().map(|()| metadata).map_err(String::from))
            .map_err(|reason| corrupt(path, &reason))?;
        let mut columns = FileColumns::choose(path, metadata.schema(), wanted)?;
        for (field, root) in columns.fields.iter_mut().zip(&columns.places) {
            check_values(&metadata, *root).map_err(|reason| corrupt(path, &reason))?;
            check_codec(&metadata, *root, &field.name).map_err(|e| in_file(e, path))?;
            field.nullable = field.nullable && may_be_null(&metadata, *root);
        }
        Ok(Part { input, metadata, columns })
    }

    /// The file's name.
    pub(super) fn path(&self) -> &Path {
        &self.columns.path
    }

    /// The rows of each row group.
    pub(super) fn group_rows(&self) -> impl Iterator<Item = u64> {
        self.metadata.metadata().row_groups().iter().map(|g| g.num_rows() as u64)
    }

    /// What the file says of itself.
    pub(super) fn file_metadata(&self) -> &Metadata {
        self.metadata.schema().metadata()
    }

    /// How the first column is compressed, for `explain`.
    pub(super) fn compression(&self) -> Option<String> {
        let first = self.metadata.metadata().row_groups().first()?.columns().first()?;
        Some(codec_name(first.compression()))
    }

    /// For each of these row groups the rows that may pass tests, counted from its first.
    ///
    /// # Errors
    /// A sentence, if the statistics are damaged.
    pub(super) fn survivors(
        &self,
        groups: &[usize],
        tests: &[RowTest],
    ) -> Result<Vec<Vec<Range<u64>>>, String> {
        let test = |test: &'_ RowTest| {
            let root = self.columns.places[test.column];
            let leaf = leaf(&self.metadata, root)?;
            let field = self.metadata.schema().field(root);
            Some((leaf, field, self.columns.fields[test.column].dtype))
        };
        let known = tests.iter().filter_map(|t| Some((test(t)?, &t.ask)));
        let tests: Vec<FileTest> =
            known.map(|((leaf, field, dtype), ask)| FileTest { leaf, field, dtype, ask }).collect();
        guarded(|| prune::survivors(self.metadata.metadata(), &self.input, groups, &tests))
    }

    /// The columns (positions in the input) of the pieces, one array or several per column.
    ///
    /// # Errors
    /// A sentence, if the file cannot be read or is damaged.
    pub(super) fn read(
        &self,
        pieces: &[Piece],
        columns: &[usize],
    ) -> Result<Vec<Vec<ArrayRef>>, String> {
        let _held = self.input.hold(&self.spans(pieces, columns))?;
        let read = guarded(|| {
            let read = self.decode(pieces, columns)?;
            self.release(pieces, columns);
            Ok::<_, ParquetError>(read)
        });
        self.input.whole()?;
        read
    }

    /// Asks for what [`Part::read`] of these will need, and does not wait.
    pub(super) fn ask(&self, pieces: &[Piece], columns: &[usize]) -> Option<Hold> {
        self.input.ask(&self.spans(pieces, columns))
    }

    /// Whether the file lies elsewhere.
    pub(super) fn is_remote(&self) -> bool {
        self.input.is_remote()
    }

    /// The bytes of the pages that have the pieces.
    fn spans(&self, pieces: &[Piece], columns: &[usize]) -> Vec<Range<u64>> {
        if !self.is_remote() {
            return Vec::new();
        }
        let spans =
            |piece| self.leaves(columns).flat_map(move |leaf| self.pages(piece, leaf).spans);
        pieces.iter().flat_map(spans).collect()
    }

    fn leaves(&self, columns: &[usize]) -> impl Iterator<Item = usize> {
        columns.iter().filter_map(|c| leaf(&self.metadata, self.columns.places[*c]))
    }

    fn pages(&self, piece: &Piece, leaf: usize) -> Pages {
        Pages::of(self.metadata.metadata(), piece, leaf)
    }

    /// Lets go of the mapped bytes of the pieces: where in a chunk they lie is known about, and
    /// what stands before them was looked at on the way.
    fn release(&self, pieces: &[Piece], columns: &[usize]) {
        for piece in pieces {
            for leaf in self.leaves(columns) {
                self.input.release(self.pages(piece, leaf).read(self.is_remote()));
            }
        }
    }

    fn decode(
        &self,
        pieces: &[Piece],
        columns: &[usize],
    ) -> Result<Vec<Vec<ArrayRef>>, ParquetError> {
        let rows: usize = pieces.iter().map(|p| p.take).sum();
        let mut roots: Vec<usize> = columns.iter().map(|c| self.columns.places[*c]).collect();
        roots.sort_unstable();
        roots.dedup();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.input.clone(),
            self.metadata.clone(),
        )
        .with_projection(ProjectionMask::roots(
            self.metadata.parquet_schema(),
            roots.iter().copied(),
        ))
        .with_row_groups(pieces.iter().map(|p| p.group).collect())
        .with_row_selection(self.selection(pieces))
        .with_batch_size(rows)
        .build()?;
        let mut out = vec![Vec::new(); columns.len()];
        let mut found = 0;
        for batch in reader {
            let batch = batch?;
            found += batch.num_rows();
            for (arrays, column) in out.iter_mut().zip(columns) {
                let place = roots.partition_point(|r| *r < self.columns.places[*column]);
                arrays.push(batch.column(place).clone());
            }
        }
        if found != rows {
            let message = format!("{rows} rows were expected, {found} found");
            return Err(ParquetError::General(message));
        }
        Ok(out)
    }

    fn selection(&self, pieces: &[Piece]) -> RowSelection {
        let groups = self.metadata.metadata().row_groups();
        let selectors = pieces.iter().flat_map(|p| {
            let rest = groups[p.group].num_rows() as usize - p.skip - p.take;
            [RowSelector::skip(p.skip), RowSelector::select(p.take), RowSelector::skip(rest)]
        });
        selectors.filter(|s| s.row_count > 0).collect::<Vec<_>>().into()
    }
}

/// Refuses row counts that cannot be.
fn check_groups(metadata: ArrowReaderMetadata) -> Result<ArrowReaderMetadata, String> {
    let mut rows = 0i64;
    for group in metadata.metadata().row_groups() {
        let sum = rows.checked_add(group.num_rows()).filter(|_| group.num_rows() >= 0);
        rows = sum.ok_or("the row counts of its row groups make no sense")?;
    }
    match metadata.metadata().file_metadata().num_rows() {
        total if total == rows => Ok(metadata),
        total => Err(format!("it says that it has {total} rows, but its row groups have {rows}")),
    }
}

/// Refuses a column whose chunks have not a value, or a null, for each row.
fn check_values(metadata: &ArrowReaderMetadata, root: usize) -> Result<(), String> {
    let Some(leaf) = leaf(metadata, root) else { return Ok(()) };
    let chunk = |g: &RowGroupMetaData| g.columns().get(leaf).map(|c| c.num_values());
    match metadata.metadata().row_groups().iter().all(|g| chunk(g) == Some(g.num_rows())) {
        true => Ok(()),
        false => Err("a column of a row group has not as many values as rows".to_string()),
    }
}

/// Refuses compression that this build has no code for.
fn check_codec(
    metadata: &ArrowReaderMetadata,
    root: usize,
    column: &str,
) -> Result<(), FormatError> {
    let Some(leaf) = leaf(metadata, root) else { return Ok(()) };
    let groups = metadata.metadata().row_groups().iter();
    let mut codecs = groups.filter_map(|g| Some(g.columns().get(leaf)?.compression()));
    let foreign = |c: &Compression| matches!(c, Compression::BROTLI(_) | Compression::LZO);
    let Some(codec) = codecs.find(foreign) else { return Ok(()) };
    let codec = codec_name(codec);
    let kind = FormatErrorKind::Unsupported(Some(column.to_string()));
    let message = format!("column `{column}` is compressed with {codec}, which cannot be read");
    let help = Some("there are: zstd, snappy, lz4, gzip, none".to_string());
    Err(FormatError { kind, message, help })
}

/// Without the level.
fn codec_name(codec: Compression) -> String {
    let name = codec.to_string().to_lowercase();
    name.split('(').next().unwrap_or_default().to_string()
}

/// The only leaf under a root column.
fn leaf(metadata: &ArrowReaderMetadata, root: usize) -> Option<usize> {
    let schema = metadata.parquet_schema();
    let mut leaves = (0..schema.num_columns()).filter(|l| schema.get_column_root_idx(*l) == root);
    let first = leaves.next();
    first.filter(|_| leaves.next().is_none())
}

/// Whether a row group's statistics say, or do not say otherwise, that values are missing.
fn may_be_null(metadata: &ArrowReaderMetadata, root: usize) -> bool {
    let Some(leaf) = leaf(metadata, root) else { return true };
    metadata.metadata().row_groups().iter().any(|group| {
        let statistics = group.columns().get(leaf).and_then(|c| c.statistics());
        group.num_rows() > 0 && statistics.and_then(|s| s.null_count_opt()) != Some(0)
    })
}

pub(super) fn corrupt(path: &Path, reason: &str) -> FormatError {
    let message = format!("{} is not a whole Parquet file: {reason}", path.display());
    FormatError::new(FormatErrorKind::Corrupt, message)
}
