//! One Arrow file: its footer, and columns of its batches.
use crate::rows::{choose, file_attributes, guarded, map_file};
use crate::{FormatError, FormatErrorKind};
use arrow_array::ArrayRef;
use arrow_buffer::Buffer;
use arrow_ipc::reader::{RecordBatchDecoder, read_dictionary, read_footer_length};
use arrow_ipc::{Block, Message, MessageHeader, MetadataVersion};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use base::{Attributes, Field};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A mapped file whose footer and dictionaries have been read.
pub(super) struct ArrowFile {
    pub(super) path: PathBuf,
    bytes: Buffer,
    schema: SchemaRef,
    version: MetadataVersion,
    blocks: Vec<Block>,
    dictionaries: HashMap<i64, ArrayRef>,
    /// The rows of each batch.
    pub(super) rows: Vec<u64>,
    /// For each column of the input its place in the file.
    pub(super) places: Vec<usize>,
    /// The columns as this file has them.
    pub(super) fields: Vec<Field>,
}

impl ArrowFile {
    /// Reads the footer, the headers of all batches, and the dictionaries.
    pub(super) fn open(path: &Path, wanted: Option<&[String]>) -> Result<ArrowFile, FormatError> {
        let bytes = map_file(path).map_err(|e| {
            let message = format!("cannot read {}: {e}", path.display());
            FormatError::new(FormatErrorKind::Missing, message)
        })?;
        let mut file = guarded(|| ArrowFile::parse(path, Buffer::from(bytes))).map_err(|e| {
            let message = format!("{} is not a whole Arrow file: {e}", path.display());
            FormatError::new(FormatErrorKind::Corrupt, message)
        })?;
        let chosen = choose(&file.schema, wanted).map_err(|mut e| {
            e.message = format!("{}: {}", path.display(), e.message);
            e
        })?;
        (file.places, file.fields) = chosen.into_iter().unzip();
        for i in 0..file.fields.len() {
            let may_be = file.may_be_null(file.places[i]);
            file.fields[i].nullable &= may_be;
        }
        Ok(file)
    }

    fn parse(path: &Path, bytes: Buffer) -> Result<ArrowFile, ArrowError> {
        let wrong = |text: &str| ArrowError::ParseError(text.to_string());
        let trailer = bytes.len().checked_sub(10).ok_or_else(|| wrong("it is too short"))?;
        if !bytes.starts_with(b"ARROW1") {
            return Err(wrong("it does not begin with ARROW1 (a stream, or Feather version 1?)"));
        }
        let mut tail = [0; 10];
        tail.copy_from_slice(&bytes[trailer..]);
        let start = trailer.checked_sub(read_footer_length(tail)?);
        let start = start.ok_or_else(|| wrong("its footer is cut off"))?;
        let footer = arrow_ipc::root_as_footer(&bytes[start..trailer])
            .map_err(|e| wrong(&format!("its footer is damaged ({e})")))?;
        let schema = footer.schema().ok_or_else(|| wrong("it has no schema"))?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(wrong("its bytes are in the order of other machines"));
        }
        let mut file = ArrowFile {
            path: path.to_path_buf(),
            schema: arrow_ipc::convert::try_fb_to_schema(schema)?.into(),
            version: footer.version(),
            blocks: footer.recordBatches().iter().flatten().copied().collect(),
            dictionaries: HashMap::new(),
            rows: Vec::new(),
            places: Vec::new(),
            fields: Vec::new(),
            bytes: bytes.clone(),
        };
        for block in footer.dictionaries().iter().flatten() {
            file.read_dictionary(block)?;
        }
        for block in &file.blocks {
            let (header, _) = block_parts(&file.bytes, block)?;
            file.rows.push(batch_rows(record_batch(&header)?, block)?);
        }
        Ok(file)
    }

    fn read_dictionary(&mut self, block: &Block) -> Result<(), ArrowError> {
        let (header, body) = block_parts(&self.bytes, block)?;
        let message = message(&header)?;
        let batch = message.header_as_dictionary_batch();
        let batch =
            batch.ok_or_else(|| ArrowError::ParseError("a dictionary is missing".into()))?;
        let version = message.version();
        read_dictionary(&body, batch, &self.schema, &mut self.dictionaries, &version)
    }

    /// Brings the columns into this order; leaves out those that it does not name.
    pub(super) fn reorder(&mut self, order: &[usize]) {
        self.places = order.iter().map(|i| self.places[*i]).collect();
        self.fields = order.iter().map(|i| self.fields[*i].clone()).collect();
    }

    /// The columns (positions in the input) of a batch; they lie in the mapped file.
    ///
    /// # Errors
    /// A sentence, if the batch is damaged.
    pub(super) fn batch(&self, number: usize, columns: &[usize]) -> Result<Vec<ArrayRef>, String> {
        let places: Vec<usize> = columns.iter().map(|c| self.places[*c]).collect();
        guarded(|| {
            let (header, body) = block_parts(&self.bytes, &self.blocks[number])?;
            let batch = RecordBatchDecoder::try_new(
                &body,
                record_batch(&header)?,
                self.schema.clone(),
                &self.dictionaries,
                &self.version,
            )?
            .with_projection(Some(&places))
            .read_record_batch()?;
            Ok::<_, ArrowError>(batch.columns().to_vec())
        })
    }

    /// What the file says of itself.
    pub(super) fn attributes(&self) -> Attributes {
        file_attributes(self.schema.metadata())
    }

    /// Whether any batch says that values of the column are missing.
    fn may_be_null(&self, place: usize) -> bool {
        let before = self.schema.fields().iter().take(place);
        let Some(node) = before.map(|f| nodes(f.data_type())).sum::<Option<usize>>() else {
            return true;
        };
        if matches!(self.schema.field(place).data_type(), DataType::Dictionary(..)) {
            return true;
        }
        self.blocks.iter().any(|block| {
            let count = block_parts(&self.bytes, block).and_then(|(header, _)| {
                let nodes = record_batch(&header)?.nodes();
                Ok(nodes.filter(|n| n.len() > node).map(|n| n.get(node).null_count()))
            });
            !matches!(count, Ok(Some(0)))
        })
    }
}

/// How many nodes of a batch a column takes; `None` for types that are laid out otherwise.
fn nodes(data: &DataType) -> Option<usize> {
    match data {
        DataType::List(f) | DataType::LargeList(f) | DataType::FixedSizeList(f, _) => {
            Some(1 + nodes(f.data_type())?)
        }
        DataType::Struct(fields) => {
            Some(1 + fields.iter().map(|f| nodes(f.data_type())).sum::<Option<usize>>()?)
        }
        nested if nested.is_nested() => None,
        _ => Some(1),
    }
}

/// The rows of a batch, if its body can hold them: a bit for each, compressed or not.
fn batch_rows(batch: arrow_ipc::RecordBatch, block: &Block) -> Result<u64, ArrowError> {
    // Zstandard says in 4 bytes at best that 128 KiB are all the same.
    let ratio = if batch.compression().is_some() { 1 << 15 } else { 1 };
    let most = block.bodyLength().saturating_mul(8).saturating_mul(ratio);
    let rows = batch.length();
    let agree = batch.nodes().iter().flatten().next().is_none_or(|n| n.length() == rows);
    u64::try_from(rows).ok().filter(|_| agree && rows <= most).ok_or_else(|| {
        ArrowError::ParseError(format!("a batch says that it has {rows} rows, but it has not"))
    })
}

/// The header and the body of a block, if they lie in the file.
pub(super) fn block_parts(bytes: &Buffer, block: &Block) -> Result<(Buffer, Buffer), ArrowError> {
    let wrong = || ArrowError::ParseError("a batch does not lie in the file".to_string());
    let offset = usize::try_from(block.offset()).map_err(|_| wrong())?;
    let header = usize::try_from(block.metaDataLength()).map_err(|_| wrong())?;
    let body = usize::try_from(block.bodyLength()).map_err(|_| wrong())?;
    let middle = offset.checked_add(header).ok_or_else(wrong)?;
    let end = middle.checked_add(body).ok_or_else(wrong)?;
    if end > bytes.len() || header < 8 {
        return Err(wrong());
    }
    Ok((bytes.slice_with_length(offset, header), bytes.slice_with_length(middle, body)))
}

/// The message in a header, after its length, which newer files mark with four bytes 0xFF.
pub(super) fn message(header: &[u8]) -> Result<Message<'_>, ArrowError> {
    let start = if header.starts_with(&[0xFF; 4]) { 8 } else { 4 };
    arrow_ipc::root_as_message(&header[start..])
        .map_err(|e| ArrowError::ParseError(format!("the header of a batch is damaged ({e})")))
}

fn record_batch(header: &[u8]) -> Result<arrow_ipc::RecordBatch<'_>, ArrowError> {
    let message = message(header)?;
    match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        _ => None,
    }
    .ok_or_else(|| ArrowError::ParseError("a batch is missing".to_string()))
}
