//! What is in an Arrow file: its footer, the headers of its batches, its dictionaries.
use super::bounds::{lengths, most_rows};
use arrow_array::ArrayRef;
use arrow_buffer::Buffer;
use arrow_ipc::reader::{read_dictionary, read_footer_length};
use arrow_ipc::{Block, Footer, Message, MessageHeader, MetadataVersion};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A mapped file whose footer and dictionaries have been read.
pub(super) struct Content {
    pub(super) bytes: Buffer,
    pub(super) schema: SchemaRef,
    pub(super) version: MetadataVersion,
    pub(super) blocks: Vec<Block>,
    pub(super) dictionaries: HashMap<i64, ArrayRef>,
    /// The rows of each batch.
    pub(super) rows: Vec<u64>,
}

impl Content {
    /// Reads the footer, the headers of all batches, and the dictionaries.
    ///
    /// # Errors
    /// If any of them is damaged.
    pub(super) fn parse(bytes: Buffer) -> Result<Content, ArrowError> {
        let (start, end) = footer_range(&bytes)?;
        let footer = arrow_ipc::root_as_footer(&bytes[start..end])
            .map_err(|e| wrong(&format!("its footer is damaged ({e})")))?;
        let schema = footer.schema().ok_or_else(|| wrong("it has no schema"))?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(wrong("its bytes are in the order of other machines"));
        }
        let mut content = Content {
            schema: arrow_ipc::convert::try_fb_to_schema(schema)?.into(),
            version: footer.version(),
            blocks: footer.recordBatches().iter().flatten().copied().collect(),
            dictionaries: HashMap::new(),
            rows: Vec::new(),
            bytes: bytes.slice_with_length(0, start),
        };
        content.check_blocks(&footer)?;
        for block in footer.dictionaries().iter().flatten() {
            content.read_dictionary(block)?;
        }
        for block in &content.blocks {
            let (header, _) = block_parts(&content.bytes, block)?;
            content.rows.push(batch_rows(record_batch(&header)?, &content.schema, block)?);
        }
        Ok(content)
    }

    /// Refuses a footer that names a batch twice, or leaves out one that stands in the file.
    fn check_blocks(&self, footer: &Footer) -> Result<(), ArrowError> {
        let dictionaries = footer.dictionaries();
        let all = self.blocks.iter().chain(dictionaries.iter().flatten());
        let mut known = HashSet::new();
        if !all.into_iter().all(|block| known.insert(block.offset())) {
            return Err(wrong("its footer names a batch twice"));
        }
        let schema = |at: &usize| {
            message_at(&self.bytes, *at).is_some_and(|(_, kind)| kind == MessageHeader::Schema)
        };
        let Some(mut at) = FIRST.into_iter().find(schema) else { return Ok(()) };
        while let Some((next, kind)) = message_at(&self.bytes, at) {
            if kind == MessageHeader::RecordBatch && !known.contains(&(at as i64)) {
                return Err(wrong("its footer leaves out a batch that stands in the file"));
            }
            at = next;
        }
        Ok(())
    }

    fn read_dictionary(&mut self, block: &Block) -> Result<(), ArrowError> {
        let (header, body) = block_parts(&self.bytes, block)?;
        let message = message(&header)?;
        let batch = message.header_as_dictionary_batch();
        let batch = batch.ok_or_else(|| wrong("a dictionary is missing"))?;
        if let Some(values) = batch.data() {
            // Which column it is of is not known here, and so no bound but that of its bytes.
            lengths(values, &Arc::new(Schema::empty()), &body)?;
        }
        let version = message.version();
        read_dictionary(&body, batch, &self.schema, &mut self.dictionaries, &version)
    }

    /// Whether any batch says that values of the column are missing.
    pub(super) fn may_be_null(&self, place: usize) -> bool {
        let before = self.schema.fields().iter().take(place);
        let Some(node) = before.map(|f| nodes(f.data_type())).sum::<Option<usize>>() else {
            return true;
        };
        if matches!(self.schema.field(place).data_type(), DataType::Dictionary(..) | DataType::Null)
        {
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

/// Where writers put the schema, which is the first message; all others follow each other behind it.
const FIRST: [usize; 2] = [8, 64];

fn wrong(text: &str) -> ArrowError {
    ArrowError::ParseError(text.to_string())
}

/// Where the footer begins and ends.
fn footer_range(bytes: &Buffer) -> Result<(usize, usize), ArrowError> {
    let trailer = bytes.len().checked_sub(10).ok_or_else(|| wrong("it is too short"))?;
    if !bytes.starts_with(b"ARROW1") {
        return Err(wrong("it does not begin with ARROW1 (a stream, or Feather version 1?)"));
    }
    let mut tail = [0; 10];
    tail.copy_from_slice(&bytes[trailer..]);
    let start = trailer.checked_sub(read_footer_length(tail)?);
    Ok((start.ok_or_else(|| wrong("its footer is cut off"))?, trailer))
}

/// Where the message at a place ends, and what it is; `None` if none is there that can be read.
fn message_at(bytes: &Buffer, at: usize) -> Option<(usize, MessageHeader)> {
    let rest = bytes.get(at..)?;
    let (prefix, length) = match rest.strip_prefix(&[0xFF; 4]) {
        Some(marked) => (8, marked.first_chunk::<4>()?),
        None => (4, rest.first_chunk::<4>()?),
    };
    let length = usize::try_from(i32::from_le_bytes(*length)).ok().filter(|n| *n > 0)?;
    let header = rest.get(..length.checked_add(prefix)?)?;
    let message = message(header).ok()?;
    let body = usize::try_from(message.bodyLength()).ok()?;
    let end = at.checked_add(header.len())?.checked_add(body)?;
    (end <= bytes.len()).then(|| (end, message.header_type()))
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

/// The rows of a batch, if its body can hold them.
fn batch_rows(
    batch: arrow_ipc::RecordBatch,
    schema: &SchemaRef,
    block: &Block,
) -> Result<u64, ArrowError> {
    let most = most_rows(batch, schema, block.bodyLength());
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

pub(super) fn record_batch(header: &[u8]) -> Result<arrow_ipc::RecordBatch<'_>, ArrowError> {
    let message = message(header)?;
    match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        _ => None,
    }
    .ok_or_else(|| ArrowError::ParseError("a batch is missing".to_string()))
}
