//! Tiles as bytes between processes: a header of words, then Arrow IPC streams.
//!
//! Columns that have the same length travel as one record batch; their values are neither copied
//! to encode nor, as far as alignment allows, to decode.
use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamEncoder;
use arrow_schema::{ArrowError, Field, Schema};
use base::{Column, DimMask, Failure, Tile};
use std::sync::Arc;

/// The pieces of an encoded tile, to be written one after the other.
///
/// # Errors
/// If Arrow cannot encode a column.
pub fn encode(tile: &Tile) -> Result<Vec<Buffer>, Failure> {
    let arrays: Vec<ArrayRef> = (tile.columns.iter().map(|c| c.array.clone()))
        .chain(tile.index.clone().map(|i| Arc::new(i) as ArrayRef))
        .collect();
    let groups = group(&arrays);
    let mut words = vec![tile.number, tile.shape.len() as u64];
    words.extend(&tile.origin);
    words.extend(tile.shape.iter().map(|n| *n as u64));
    words.extend([tile.columns.len() as u64, tile.index.is_some() as u64]);
    words.extend(tile.columns.iter().map(|c| u64::from(c.mask.0)));
    words.push(groups.len() as u64);
    let mut bodies = Vec::new();
    for members in &groups {
        let pieces = stream(&arrays, members).map_err(internal)?;
        let bytes: usize = pieces.iter().map(Buffer::len).sum();
        words.extend([members.len() as u64, bytes as u64]);
        words.extend(members.iter().map(|m| *m as u64));
        bodies.extend(pieces);
        bodies.push(Buffer::from(&[0u8; 8][..bytes.next_multiple_of(8) - bytes]));
    }
    let head: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let size = Buffer::from(&(head.len() as u64).to_le_bytes());
    Ok([size, Buffer::from(head)].into_iter().chain(bodies).collect())
}

/// A tile from the bytes that [`encode`] made; its arrays share them.
///
/// # Errors
/// If the bytes are something else.
pub fn decode(bytes: &Buffer) -> Result<Tile, Failure> {
    let head = Words { bytes, at: 0 }.next()?;
    let mut words = Words { bytes, at: 8 };
    let number = words.next()?;
    let dims = words.next()?;
    let origin = (0..dims).map(|_| words.next()).collect::<Result<Vec<_>, _>>()?;
    let shape = (0..dims).map(|_| words.size()).collect::<Result<Vec<_>, _>>()?;
    let (columns, has_index) = (words.size()?, words.next()? == 1);
    let masks = (0..columns).map(|_| words.next()).collect::<Result<Vec<_>, _>>()?;
    let mut arrays: Vec<Option<ArrayRef>> = vec![None; columns + usize::from(has_index)];
    let mut at = 8 + head as usize;
    for _ in 0..words.next()? {
        let (count, length) = (words.size()?, words.size()?);
        if at + length > bytes.len() {
            return Err(foreign());
        }
        let batch = batch(bytes.slice_with_length(at, length))?;
        at += length.next_multiple_of(8);
        for i in 0..count {
            let member = words.size()?;
            let array = batch.columns().get(i).cloned();
            *arrays.get_mut(member).ok_or_else(foreign)? = array;
        }
    }
    let index = if has_index { arrays.pop().flatten() } else { None };
    let index = index.and_then(|a| a.as_any().downcast_ref::<Int64Array>().cloned());
    let column = |(array, mask): (Option<ArrayRef>, u64)| {
        Some(Column { mask: DimMask(mask as u32), array: array? })
    };
    let columns: Option<Vec<Column>> = arrays.into_iter().zip(masks).map(column).collect();
    Ok(Tile { number, origin, shape, columns: columns.ok_or_else(foreign)?, index })
}

/// Positions of arrays of equal length.
fn group(arrays: &[ArrayRef]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, array) in arrays.iter().enumerate() {
        match groups.iter_mut().find(|g| arrays[g[0]].len() == array.len()) {
            Some(group) => group.push(i),
            None => groups.push(vec![i]),
        }
    }
    groups
}

fn stream(arrays: &[ArrayRef], members: &[usize]) -> Result<Vec<Buffer>, ArrowError> {
    let field = |i: &usize| Field::new(i.to_string(), arrays[*i].data_type().clone(), true);
    let schema = Arc::new(Schema::new(members.iter().map(field).collect::<Vec<_>>()));
    let columns = members.iter().map(|i| arrays[*i].clone()).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(arrays[members[0]].len()));
    let batch = RecordBatch::try_new_with_options(schema.clone(), columns, &options)?;
    StreamEncoder::try_new(&schema)?.encode(&batch)
}

fn batch(mut bytes: Buffer) -> Result<RecordBatch, Failure> {
    let mut decoder = StreamDecoder::new();
    if let Some(batch) = decoder.decode(&mut bytes).map_err(internal)? {
        return Ok(batch);
    }
    // A batch without values has no body, and the decoder asks for more; the end will do.
    let mut end = Buffer::from(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    decoder.decode(&mut end).map_err(internal)?.ok_or_else(foreign)
}

/// Reads little-endian words.
struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Result<u64, Failure> {
        let word = self.bytes.get(self.at..self.at + 8).ok_or_else(foreign)?;
        self.at += 8;
        Ok(u64::from_le_bytes(word.try_into().map_err(|_| foreign())?))
    }

    fn size(&mut self) -> Result<usize, Failure> {
        Ok(self.next()? as usize)
    }
}

fn internal(error: ArrowError) -> Failure {
    Failure::internal(format!("a tile cannot travel between processes: {error}"))
}

fn foreign() -> Failure {
    Failure::internal("a message from another process is not a tile")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{BinaryArray, BooleanArray, Float64Array, StringArray};

    fn round(tile: &Tile) -> Tile {
        let pieces = encode(tile).unwrap();
        let bytes: Vec<u8> = pieces.iter().flat_map(|b| b.iter().copied()).collect();
        assert_eq!(bytes.len() % 8, 0);
        decode(&Buffer::from(bytes)).unwrap()
    }

    fn same(a: &Tile, b: &Tile) {
        assert_eq!((a.number, &a.origin, &a.shape), (b.number, &b.origin, &b.shape));
        assert_eq!(a.index, b.index);
        assert_eq!(a.columns.len(), b.columns.len());
        for (x, y) in a.columns.iter().zip(&b.columns) {
            assert_eq!(x.mask, y.mask);
            assert_eq!(&x.array, &y.array);
        }
    }

    #[test]
    fn a_box_with_columns_of_different_lengths() {
        let lat: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None]));
        let scalar: ArrayRef = Arc::new(StringArray::from(vec!["one"]));
        let full: ArrayRef = Arc::new(BooleanArray::from(vec![true; 6]).slice(1, 5));
        let full = arrow_select::concat::concat(&[&full, &full.slice(0, 1)]).unwrap();
        let column = |mask, array: &ArrayRef| Column { mask: DimMask(mask), array: array.clone() };
        let tile = Tile {
            number: 9,
            origin: vec![4, 0],
            shape: vec![2, 3],
            columns: vec![column(1, &lat), column(0, &scalar), column(3, &full), column(1, &lat)],
            index: None,
        };
        same(&round(&tile), &tile);
    }

    #[test]
    fn rows_with_indices_slices_and_states() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "bc", "", "d"]));
        let state: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"xy", b""]));
        let tile = Tile {
            number: 0,
            origin: vec![0],
            shape: vec![2],
            columns: vec![text.slice(1, 2).into(), state.into()],
            index: Some(Int64Array::from(vec![5, 8])),
        };
        same(&round(&tile), &tile);
    }

    #[test]
    fn no_columns_and_no_rows() {
        let bare = Tile { number: 1, origin: vec![], shape: vec![], columns: vec![], index: None };
        same(&round(&bare), &bare);
        let empty: ArrayRef = Arc::new(Float64Array::from(Vec::<f64>::new()));
        let rows = Tile { shape: vec![0], origin: vec![0], columns: vec![empty.into()], ..bare };
        same(&round(&rows), &rows);
    }

    #[test]
    fn foreign_bytes_are_refused() {
        assert!(decode(&Buffer::from(vec![0u8; 4])).is_err());
        assert!(decode(&Buffer::from(vec![255u8; 64])).is_err());
    }
}
