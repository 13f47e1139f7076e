//! Writing: one file, a batch per tile, by one worker.
use super::blank::blanked;
use super::growing::{ALIGNMENT, Begun, Growing, VERSION, head};
use crate::ended::Ended;
use crate::rows::{arrow_schema, bad_option, point_bytes, row_batch, row_schema, text};
use crate::stage::{Stage, cannot_write, cannot_write_because};
use crate::{Arrangement, FormatError, Piece, Sink, TileWriter, WriteRequest, Written};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::IpcWriteOptions;
use arrow_schema::SchemaRef;
use base::{Failure, Tile};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An output file.
pub(super) struct ArrowSink {
    stage: Stage,
    ended: Ended,
    schema: SchemaRef,
    options: IpcWriteOptions,
    /// Bytes of the rows of the largest tile, if known.
    largest: Option<u64>,
    codec: String,
}

impl ArrowSink {
    /// Checks the columns and the options.
    pub(super) fn new(request: WriteRequest) -> Result<ArrowSink, FormatError> {
        let rows = row_schema(&request)?;
        let codec = text(&request.options, "compression")?.unwrap_or("none").to_string();
        let points = |t: &base::Tiling| t.largest().iter().map(|n| *n as u64).product::<u64>();
        let largest = request.tiling.as_ref().map(|t| points(t).saturating_mul(point_bytes(&rows)));
        Ok(ArrowSink {
            stage: Stage::new(&request.path, &request.run_id, request.replace).by(&request.maker),
            ended: Ended::default(),
            schema: arrow_schema(&rows, &request.attributes),
            options: options(&codec)?,
            largest,
            codec,
        })
    }
}

fn options(codec: &str) -> Result<IpcWriteOptions, FormatError> {
    let compression = match codec {
        "none" => None,
        "lz4" => Some(CompressionType::LZ4_FRAME),
        "zstd" => Some(CompressionType::ZSTD),
        _ => {
            let mut error = bad_option("compression", format!("there is no compression `{codec}`"));
            error.help = base::did_you_mean(codec, ["none", "lz4", "zstd"]);
            return Err(error);
        }
    };
    let options = IpcWriteOptions::try_new(ALIGNMENT, false, VERSION);
    let options = options.and_then(|options| options.try_with_compression(compression));
    options.map_err(|e| bad_option("compression", e.to_string()))
}

impl Sink for ArrowSink {
    fn arrangement(&self) -> Arrangement {
        Arrangement::InOrder
    }

    fn create(&self) -> Result<(), Failure> {
        self.stage.create_file().map(drop)
    }

    fn resumable(&self) -> bool {
        true
    }

    fn spoiled(&self, written: &BTreeMap<u64, Piece>) -> Vec<u64> {
        match head(self.stage.staged()) {
            Ok(head) => self.stage.spoiled(&head, written),
            Err(_) => written.keys().copied().collect(),
        }
    }

    fn resume(&self, written: &BTreeMap<u64, Piece>) -> Result<bool, Failure> {
        let Some((_, Piece { bytes: length, .. })) = written.last_key_value() else {
            return Ok(false);
        };
        let fits = || {
            let begun = Begun::read(self.stage.staged());
            begun.is_ok_and(|begun| begun.schema.fields() == self.schema.fields())
        };
        Ok(self.stage.cut(*length)? && fits())
    }

    fn durable(&self, _tiles: &[u64]) -> Result<(), Failure> {
        self.stage.sync()
    }

    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        let (path, file) = (self.stage.target().to_path_buf(), self.stage.append()?);
        let (schema, options) = (self.schema.clone(), self.options.clone());
        let file = Growing::open(file, self.stage.staged(), schema, options)
            .map_err(|e| cannot_write_because(&path, &e))?;
        let (schema, ended) = (self.schema.clone(), self.ended.clone());
        Ok(Box::new(ArrowWriter { file, ended, path, schema }))
    }

    fn commit(&self) -> Result<Written, Failure> {
        let bytes = self.ended.check(&self.stage)?;
        self.stage.publish()?;
        Ok(Written { path: self.path().to_path_buf(), files: 1, bytes })
    }

    fn staged(&self) -> Option<&Path> {
        Some(self.stage.staged())
    }

    fn abandon(&self) {
        self.stage.abandon();
    }

    fn path(&self) -> &Path {
        self.stage.target()
    }

    /// The expanded rows, and their encoded form.
    fn memory(&self, tile_bytes: u64) -> u64 {
        self.largest.unwrap_or(tile_bytes).saturating_mul(2).saturating_add(1 << 20)
    }

    fn describe(&self) -> String {
        format!("arrow {}: a batch per tile, compression {}", self.path().display(), self.codec)
    }
}

struct ArrowWriter {
    file: Growing,
    ended: Ended,
    /// The name that errors give.
    path: PathBuf,
    schema: SchemaRef,
}

impl TileWriter for ArrowWriter {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        if tile.points() == 0 {
            return Ok(());
        }
        let batch = blanked(row_batch(tile, &self.schema)?);
        batch
            .and_then(|batch| self.file.write(&batch))
            .map_err(|e| cannot_write_because(&self.path, &e))
    }

    fn sum(&mut self) {
        self.file.appended().sum();
    }

    fn piece(&mut self) -> Option<Piece> {
        Some(self.file.appended().piece())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.file.finish().map_err(|e| cannot_write_because(&self.path, &e))?;
        self.ended.note(self.file.appended()).map_err(|e| cannot_write(&self.path, &e))
    }
}
