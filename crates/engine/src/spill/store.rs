//! A file of chunks: some rows of some columns each, as Arrow IPC, compressed.
use super::{Budget, Share};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::{IpcWriteOptions, StreamEncoder};
use arrow_schema::{ArrowError, Field, Schema};
use arrow_select::concat::concat;
use base::{Failure, Tile};
use rustix::fs::fstatvfs;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Where rows are in a store.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    at: u64,
    length: usize,
    /// How many rows it has.
    pub rows: usize,
}

/// A file that is written to at its end and read anywhere. It has no name and is gone with this.
#[derive(Debug)]
pub struct Store {
    budget: Arc<Budget>,
    /// Bytes of a chunk before it is compressed.
    chunk: usize,
    file: Option<File>,
    end: u64,
    pieces: Vec<u8>,
}

impl Store {
    /// For what does not fit into a share; opens no file before there is something to write.
    pub fn new(share: &Share) -> Store {
        Store::of(share.budget(), share.chunk())
    }

    /// In chunks of so many bytes before they are compressed.
    pub fn of(budget: &Arc<Budget>, chunk: usize) -> Store {
        Store { budget: budget.clone(), chunk, file: None, end: 0, pieces: Vec::new() }
    }

    /// Bytes of a chunk before it is compressed.
    pub fn chunk(&self) -> usize {
        self.chunk
    }

    /// Writes columns of equal length in chunks of about [`Share::chunk`] bytes.
    ///
    /// # Errors
    /// If the disk is full, or nothing may be written there.
    pub fn write(&mut self, columns: &[ArrayRef]) -> Result<Vec<Chunk>, Failure> {
        let rows = columns.first().map_or(0, |c| c.len());
        let bytes: usize = columns.iter().map(width).sum();
        let step = (rows * self.chunk).checked_div(bytes).unwrap_or(rows).max(1);
        // A last chunk of a few rows is none.
        let step = rows.div_ceil((rows / step).max(1)).max(1);
        let chunk = |start| {
            let length = step.min(rows - start);
            self.write_chunk(columns.iter().map(|c| c.slice(start, length)).collect(), length)
        };
        (0..rows).step_by(step).map(chunk).collect()
    }

    fn write_chunk(&mut self, columns: Vec<ArrayRef>, rows: usize) -> Result<Chunk, Failure> {
        self.pieces.clear();
        for piece in encode(columns, rows).map_err(internal)? {
            self.pieces.extend_from_slice(&piece);
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => self.budget.folder().file()?,
        };
        let file = self.file.insert(file);
        let (at, length) = (self.end, self.pieces.len());
        let written = file.write_all_at(&self.pieces, at);
        written.map_err(|e| failure(&self.budget, &e, length, file))?;
        self.end += length as u64;
        self.budget.wrote(length as u64);
        Ok(Chunk { at, length, rows })
    }

    /// The columns of a chunk.
    ///
    /// # Errors
    /// If the disk does not give back what was written.
    pub fn read(&self, chunk: Chunk) -> Result<Vec<ArrayRef>, Failure> {
        let lost = |cause: &dyn std::fmt::Display| {
            let folder = self.budget.folder().path().display();
            Failure::data(format!("{folder}: spilled state cannot be read back: {cause}"))
        };
        let file = self.file.as_ref().ok_or_else(|| lost(&"nothing was written"))?;
        let mut bytes = vec![0; chunk.length];
        file.read_exact_at(&mut bytes, chunk.at).map_err(|e| lost(&e))?;
        let mut bytes = Buffer::from(bytes);
        let batch = StreamDecoder::new().decode(&mut bytes).map_err(|e| lost(&e))?;
        let batch = batch.ok_or_else(|| lost(&"a chunk is not whole"))?;
        Ok(batch.columns().to_vec())
    }
}

fn encode(columns: Vec<ArrayRef>, rows: usize) -> Result<Vec<Buffer>, ArrowError> {
    let field = |(i, c): (usize, &ArrayRef)| Field::new(i.to_string(), c.data_type().clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), columns, &options)?;
    let options =
        IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let mut encoder = StreamEncoder::try_new_with_options(&schema, options)?;
    let mut pieces = encoder.encode(&batch)?;
    pieces.extend(encoder.finish()?);
    Ok(pieces)
}

/// Pieces of columns, one after the other.
///
/// # Errors
/// If Arrow cannot put them together.
pub fn joined(mut pieces: Vec<Vec<ArrayRef>>) -> Result<Vec<ArrayRef>, Failure> {
    if pieces.len() < 2 {
        return Ok(pieces.pop().unwrap_or_default());
    }
    let column = |i: usize| {
        let arrays: Vec<_> = pieces.iter().map(|piece| &*piece[i]).collect();
        concat(&arrays).map_err(internal)
    };
    (0..pieces[0].len()).map(column).collect()
}

/// Bytes of a tile's values, not of what they are a part of.
pub fn size(tile: &Tile) -> u64 {
    tile.columns.iter().map(|c| width(&c.array) as u64).sum()
}

/// Bytes of the values of a column, not of what it is a slice of.
pub fn width(column: &ArrayRef) -> usize {
    let data = column.to_data();
    data.get_slice_memory_size().unwrap_or_else(|_| column.get_buffer_memory_size())
}

fn failure(budget: &Budget, error: &io::Error, bytes: usize, file: &File) -> Failure {
    let (path, written) = (budget.folder().path().display(), budget.written());
    let free = fstatvfs(file).map_or(String::new(), |s| {
        format!(" and has {} free", s.f_bavail.saturating_mul(s.f_frsize))
    });
    Failure::output(match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => format!(
            "{path}: the disk is full: it has no room for {bytes} bytes of state beside the \
             {written} that this process has spilled{free}; name another folder with --spill, or \
             give the run more memory with --memory"
        ),
        _ => format!("{path}: state that outgrows its memory cannot be written: {error}"),
    })
}

fn internal(error: ArrowError) -> Failure {
    Failure::internal(format!("rows cannot go to files, or come back: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Folder;
    use super::*;
    use arrow_array::{
        BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray, StructArray,
    };

    fn store() -> Store {
        Store::new(&Budget::new(1 << 40, Folder::new(std::env::temp_dir())).share())
    }

    #[test]
    fn columns_come_back() {
        let ints: ArrayRef = Arc::new(Int64Array::from_iter(
            (0..300_000).map(|i| if i % 7 == 0 { None } else { Some(i) }),
        ));
        let floats: ArrayRef =
            Arc::new(Float64Array::from_iter_values((0..300_000).map(|i| (i as f64).sqrt())));
        let texts: ArrayRef =
            Arc::new(StringArray::from_iter_values((0..300_000).map(|i| format!("text {i}"))));
        let bools: ArrayRef =
            Arc::new(BooleanArray::from_iter((0..300_000).map(|i| Some(i % 3 == 0))));
        let bytes: ArrayRef = Arc::new(BinaryArray::from_iter(
            (0..300_000).map(|i: u32| (!i.is_multiple_of(5)).then(|| i.to_le_bytes())),
        ));
        let pair: ArrayRef = Arc::new(StructArray::from(vec![
            (Arc::new(Field::new("a", ints.data_type().clone(), true)), ints.clone()),
            (Arc::new(Field::new("b", floats.data_type().clone(), true)), floats.clone()),
        ]));
        // Slices, too: only what they show is written.
        let columns: Vec<ArrayRef> =
            [ints, floats, texts, bools, bytes, pair].iter().map(|c| c.slice(5, 250_001)).collect();
        let mut store = store();
        let mut chunks = store.write(&columns).unwrap();
        assert!(chunks.len() > 10 && chunks.len() < 30, "{}", chunks.len());
        chunks.extend(store.write(&columns).unwrap());
        assert_eq!(chunks.iter().map(|c| c.rows).sum::<usize>(), 500_002);
        let read: Vec<Vec<ArrayRef>> = chunks.iter().map(|c| store.read(*c).unwrap()).collect();
        for (i, column) in columns.iter().enumerate() {
            let arrays: Vec<&dyn Array> = read.iter().map(|c| &*c[i]).collect();
            assert_eq!(&concat(&arrays).unwrap(), &concat(&[column, column]).unwrap());
        }
        assert!(store.budget.written() > 1 << 20);
    }

    #[test]
    fn nothing_makes_no_file() {
        let mut store = store();
        let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
        assert!(store.write(&[none]).unwrap().is_empty());
        assert!(store.file.is_none());
    }
}
