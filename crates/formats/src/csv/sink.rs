//! Writing: one file, by one worker; any worker makes the text.
use super::dialect::Dialect;
use super::print::{header, lines};
use crate::ended::Ended;
use crate::rows::{row_batch, row_schema};
use crate::stage::{Stage, cannot_write};
use crate::summed::Appended;
use crate::{Arrangement, FormatError, Piece, Sink, TileWriter, WriteRequest, Written};
use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryArray};
use arrow_schema::DataType;
use base::{Column, DimMask, Failure, Schema, Tile};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// An output file.
pub(super) struct CsvSink {
    stage: Stage,
    ended: Ended,
    dialect: Dialect,
    schema: Arc<Schema>,
    /// Rows of the largest tile, if known.
    rows: Option<u64>,
}

impl CsvSink {
    /// Checks the columns and the options.
    pub(super) fn new(request: WriteRequest) -> Result<CsvSink, FormatError> {
        let points = |t: &base::Tiling| t.largest().iter().map(|n| *n as u64).product();
        Ok(CsvSink {
            stage: Stage::new(&request.path, &request.run_id, request.replace).by(&request.maker),
            ended: Ended::default(),
            dialect: Dialect::new(&request.options, &request.path)?,
            schema: Arc::new(row_schema(&request)?),
            rows: request.tiling.as_ref().map(points),
        })
    }
}

impl Sink for CsvSink {
    fn arrangement(&self) -> Arrangement {
        Arrangement::InOrder
    }

    fn create(&self) -> Result<(), Failure> {
        let mut file = self.stage.create_file()?;
        if self.dialect.header {
            let line = header(self.schema.names(), self.dialect.delimiter);
            file.write_all(&line).map_err(|e| cannot_write(self.path(), &e))?;
        }
        Ok(())
    }

    fn resumable(&self) -> bool {
        true
    }

    fn spoiled(&self, written: &BTreeMap<u64, Piece>) -> Vec<u64> {
        let header = match self.dialect.header {
            true => header(self.schema.names(), self.dialect.delimiter),
            false => Vec::new(),
        };
        self.stage.spoiled(&header, written)
    }

    fn resume(&self, written: &BTreeMap<u64, Piece>) -> Result<bool, Failure> {
        written.last_key_value().map_or(Ok(false), |(_, piece)| self.stage.cut(piece.bytes))
    }

    fn durable(&self, _tiles: &[u64]) -> Result<(), Failure> {
        self.stage.sync()
    }

    /// Turns the rows into text: one column, of the bytes of all lines.
    fn prepare(&self, tile: Tile) -> Result<Tile, Failure> {
        let text = lines(&row_batch(&tile, &self.schema.arrow())?, self.dialect.delimiter)?;
        if i32::try_from(text.len()).is_err() {
            let what = "the text of one tile exceeds 2 GiB; use smaller tiles";
            return Err(Failure::output(format!("cannot write {}: {what}", self.path().display())));
        }
        let array = Arc::new(BinaryArray::from_vec(vec![&text]));
        let columns = vec![Column { mask: DimMask::SCALAR, array }];
        Ok(Tile { columns, index: None, ..tile })
    }

    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        Ok(Box::new(CsvWriter {
            file: self.stage.append()?,
            ended: self.ended.clone(),
            stage: self.stage.clone(),
            schema: self.schema.clone(),
            delimiter: self.dialect.delimiter,
        }))
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

    /// The expanded rows, and their text, at up to 24 bytes a value.
    fn memory(&self, tile_bytes: u64) -> u64 {
        let row = self.schema.fields.len() as u64 * 48;
        self.rows.map_or(tile_bytes.saturating_mul(6), |n| n.saturating_mul(row))
    }

    fn describe(&self) -> String {
        format!("csv {}: a line per row", self.path().display())
    }
}

struct CsvWriter {
    file: Appended,
    ended: Ended,
    stage: Stage,
    schema: Arc<Schema>,
    delimiter: u8,
}

impl TileWriter for CsvWriter {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        let written = match &tile.columns[..] {
            // What `prepare` has made; columns to be written never hold bytes.
            [text] if *text.array.data_type() == DataType::Binary => {
                let text = text.array.as_binary::<i32>();
                text.iter().flatten().try_for_each(|bytes| self.file.write_all(bytes))
            }
            _ => {
                let batch = row_batch(tile, &self.schema.arrow())?;
                self.file.write_all(&lines(&batch, self.delimiter)?)
            }
        };
        written.map_err(|e| cannot_write(self.stage.target(), &e))
    }

    fn sum(&mut self) {
        self.file.sum();
    }

    fn piece(&mut self) -> Option<Piece> {
        Some(self.file.piece())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.ended
            .note(&mut self.file)
            .and_then(|()| self.file.sync_all())
            .map_err(|e| cannot_write(self.stage.target(), &e))
    }
}
