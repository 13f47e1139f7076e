//! Where in a column chunk the pages of some rows lie; and an input as what `parquet` reads from.
use super::part::Piece;
use crate::input::{Input, Reading};
use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, Length};
use std::ops::Range;

impl Length for Input {
    fn len(&self) -> u64 {
        Input::len(self)
    }
}

impl ChunkReader for Input {
    type T = Reading;

    fn get_read(&self, start: u64) -> Result<Reading> {
        Ok(self.reading(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.saturating_add(length as u64);
        self.bytes(start..end).map_err(|e| {
            ParquetError::EOF(format!("{length} bytes at {start} cannot be read: {e}"))
        })
    }
}

/// Where the rows of a piece lie in one column chunk.
pub(super) struct Pages {
    chunk: Range<u64>,
    /// What is read for them.
    pub(super) spans: Vec<Range<u64>>,
    /// About where they end.
    end: u64,
    /// Whether no row of the chunk comes behind.
    last: bool,
}

impl Pages {
    /// By the index of pages if there is one, else as if all rows were of one length.
    pub(super) fn of(metadata: &ParquetMetaData, piece: &Piece, leaf: usize) -> Pages {
        let group = metadata.row_group(piece.group);
        let (start, len) = group.column(leaf).byte_range();
        let chunk = start..start.saturating_add(len);
        let rows = group.num_rows().max(1) as u128;
        let (first, end) = (piece.skip, piece.skip + piece.take);
        let last = end as u128 >= rows;
        let about = |row: usize| start.saturating_add((len as u128 * row as u128 / rows) as u64);
        let index = metadata.page_index().and_then(|all| all.offset_index(piece.group, leaf));
        let places = index.map(|index| index.page_locations()).filter(|places| !places.is_empty());
        let Some(places) = places else {
            // Pages are found one by one, from the first on.
            let spans = std::iter::once(chunk.clone()).collect();
            return Pages { chunk, spans, end: about(end), last };
        };
        let page = |row: usize| {
            places.partition_point(|p| p.first_row_index <= row as i64).saturating_sub(1)
        };
        let at = |page: usize| places.get(page).map_or(chunk.end, |p| p.offset.max(0) as u64);
        let pages = page(first)..page(end.saturating_sub(1)) + 1;
        // The dictionary stands before the pages.
        let spans = vec![chunk.start..at(0), at(pages.start)..at(pages.end)];
        let end = if last { chunk.end } else { at(page(end)) };
        Pages { chunk, spans, end, last }
    }

    /// What need not stay when they have been read. Of an object the dictionary stays until the
    /// last rows have been read, and so does all where other rows are looked for in it.
    pub(super) fn read(&self, remote: bool) -> Range<u64> {
        match (remote, &self.spans[..]) {
            (false, _) => self.chunk.start..self.end,
            (true, _) if self.last => self.chunk.clone(),
            (true, [_, pages]) => pages.start..self.end.max(pages.start),
            (true, _) => self.chunk.start..self.chunk.start,
        }
    }
}
