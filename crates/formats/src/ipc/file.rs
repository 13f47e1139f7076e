//! One Arrow file of an input: columns of its batches, each decoded once.
use super::bounds::{buffers_of, lengths};
use super::content::{Content, body_range, record_batch};
use crate::input::Input;
use crate::rows::{FileColumns, file_attributes, guarded};
use crate::{FormatError, FormatErrorKind};
use arrow_array::ArrayRef;
use arrow_ipc::reader::RecordBatchDecoder;
use arrow_schema::ArrowError;
use base::Attributes;
use std::collections::BTreeSet;
use std::path::Path;
use tasks::store::Hold;

/// A file whose footer and dictionaries have been read, and which of its columns are read.
pub(super) struct ArrowFile {
    content: Content,
    pub(super) columns: FileColumns,
}

impl ArrowFile {
    /// Reads the footer, the headers of all batches, and the dictionaries.
    pub(super) fn open(path: &Path, wanted: Option<&[String]>) -> Result<ArrowFile, FormatError> {
        let input = Input::mapped(path).map_err(|e| {
            let message = format!("cannot read {}: {e}", path.display());
            FormatError::new(FormatErrorKind::Missing, message)
        })?;
        let content = guarded(|| Content::parse(&input));
        let content = input.whole().map_err(String::from).and(content).map_err(|e| {
            let message = format!("{} is not a whole Arrow file: {e}", path.display());
            FormatError::new(FormatErrorKind::Corrupt, message)
        })?;
        let mut columns = FileColumns::choose(path, &content.schema, wanted)?;
        for (field, place) in columns.fields.iter_mut().zip(&columns.places) {
            field.nullable &= content.may_be_null(*place);
        }
        Ok(ArrowFile { content, columns })
    }

    /// The rows of each batch.
    pub(super) fn rows(&self) -> &[u64] {
        &self.content.rows
    }

    /// The columns (positions in the input) of a batch; they lie in the mapped file if they are
    /// not compressed.
    ///
    /// # Errors
    /// A sentence, if the batch is damaged.
    pub(super) fn batch(&self, number: usize, columns: &[usize]) -> Result<Vec<ArrayRef>, String> {
        let places: Vec<usize> = columns.iter().map(|c| self.columns.places[*c]).collect();
        let content = &self.content;
        let read = guarded(|| {
            let block = &content.blocks[number];
            let header = content.header(block)?;
            let batch = record_batch(&header)?;
            let body = content.body(block, batch, &places)?;
            lengths(batch, &content.schema, &body)?;
            let batch = RecordBatchDecoder::try_new(
                &body,
                batch,
                content.schema.clone(),
                &content.dictionaries,
                &content.version,
            )?
            .with_projection(Some(&places))
            .read_record_batch()?;
            Ok::<_, ArrowError>(batch.columns().to_vec())
        });
        self.whole()?;
        read
    }

    /// Whether the file lies elsewhere.
    pub(super) fn is_remote(&self) -> bool {
        self.content.input.is_remote()
    }

    /// Asks for what [`ArrowFile::batch`] will need, and does not wait.
    pub(super) fn ask(&self, number: usize, columns: &[usize]) -> Option<Hold> {
        let places: Vec<usize> = columns.iter().map(|c| self.columns.places[*c]).collect();
        let block = self.content.blocks.get(number)?;
        // What is wrong with it is told when it is read.
        let header = self.content.header(block).ok()?;
        let body = body_range(block);
        let parts = self.content.parts(&body, record_batch(&header).ok()?, &places);
        self.content.input.ask(&parts)
    }

    /// Lets go of a batch of a file that lies elsewhere, all of which has been read.
    pub(super) fn release(&self, number: usize) {
        if let (true, Some(block)) = (self.is_remote(), self.content.blocks.get(number)) {
            self.content.input.release(body_range(block));
        }
    }

    /// Whether all bytes read so far were those of the file.
    ///
    /// # Errors
    /// A sentence, if they were not.
    pub(super) fn whole(&self) -> Result<(), String> {
        Ok(self.content.input.whole()?)
    }

    /// Bytes of memory that the columns of the largest batch take once they are decompressed.
    pub(super) fn memory(&self) -> u64 {
        let rows = self.content.rows.iter().enumerate();
        let longest = rows.max_by_key(|(_, rows)| **rows).map(|(i, _)| i);
        let blocks = self.content.blocks.iter().enumerate();
        let largest = blocks.max_by_key(|(_, b)| b.bodyLength()).map(|(i, _)| i);
        let bytes = |batch: &usize| self.batch_memory(*batch).unwrap_or(0);
        let most = [longest, largest].into_iter().flatten().collect::<BTreeSet<_>>();
        most.iter().map(bytes).max().unwrap_or(0)
    }

    fn batch_memory(&self, number: usize) -> Result<u64, ArrowError> {
        let content = &self.content;
        let block = &content.blocks[number];
        let header = content.header(block)?;
        let batch = record_batch(&header)?;
        if batch.compression().is_none() {
            return Ok(0);
        }
        let body = content.body(block, batch, &self.columns.places)?;
        let lengths = lengths(batch, &content.schema, &body)?;
        let of = |place: &usize| {
            let range = buffers_of(&content.schema, *place).unwrap_or(0..lengths.len());
            lengths.get(range).unwrap_or_default().iter().sum::<u64>()
        };
        Ok(self.columns.places.iter().map(of).sum())
    }

    /// What the file says of itself.
    pub(super) fn attributes(&self) -> Attributes {
        file_attributes(self.content.schema.metadata())
    }
}
