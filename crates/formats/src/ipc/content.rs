//! What is in an Arrow file: its footer, the headers of its batches, its dictionaries.
use super::bounds::{buffers_of, lengths, most_rows};
use crate::input::{Held, Input};
use arrow_array::ArrayRef;
use arrow_buffer::Buffer;
use arrow_ipc::reader::{read_dictionary, read_footer_length};
use arrow_ipc::{Block, Footer, Message, MessageHeader, MetadataVersion};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// A mapped file whose footer and dictionaries have been read.
pub(super) struct Content {
    pub(super) input: Input,
    /// Where the footer begins.
    end: usize,
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
    pub(super) fn parse(input: &Input) -> Result<Content, ArrowError> {
        let (len, input) = (input.len(), input.clone());
        let _ends = held(&input, &[0..HEAD, len.saturating_sub(TAIL)..len])?;
        let (start, end) = footer_range(input.map())?;
        let footer = input.bytes(start as u64..end as u64).map_err(ArrowError::IpcError)?;
        let footer = arrow_ipc::root_as_footer(&footer)
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
            input,
            end: start,
        };
        let _headers = held(&content.input, &content.told(&footer))?;
        content.check_blocks(&footer)?;
        for block in footer.dictionaries().iter().flatten() {
            content.read_dictionary(block)?;
        }
        for block in &content.blocks {
            let header = content.header(block)?;
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
            self.message_at(*at).is_some_and(|(_, kind)| kind == MessageHeader::Schema)
        };
        let Some(mut at) = FIRST.into_iter().find(schema) else { return Ok(()) };
        while let Some((next, kind)) = self.message_at(at) {
            if kind == MessageHeader::RecordBatch && !known.contains(&(at as i64)) {
                return Err(wrong("its footer leaves out a batch that stands in the file"));
            }
            at = next;
        }
        Ok(())
    }

    /// Where the headers of all batches lie, and the dictionaries whole.
    fn told(&self, footer: &Footer) -> Vec<Range<u64>> {
        let place = |block: &Block, body: i64| {
            let start = u64::try_from(block.offset()).unwrap_or(0);
            let len = i64::from(block.metaDataLength()).saturating_add(body);
            start..start.saturating_add(u64::try_from(len).unwrap_or(0))
        };
        let headers = self.blocks.iter().map(|block| place(block, 0));
        let whole = footer.dictionaries();
        headers.chain(whole.iter().flatten().map(|b| place(b, b.bodyLength()))).collect()
    }

    /// The header of a block.
    ///
    /// # Errors
    /// If it does not lie in the file, or cannot be fetched.
    pub(super) fn header(&self, block: &Block) -> Result<Buffer, ArrowError> {
        let (header, _) = lies(block, self.end)?;
        self.input.bytes(header).map(Buffer::from).map_err(ArrowError::IpcError)
    }

    /// The body of a block; of a file that lies elsewhere only some columns, unless it is
    /// compressed.
    ///
    /// # Errors
    /// As [`Content::header`].
    pub(super) fn body(
        &self,
        block: &Block,
        batch: arrow_ipc::RecordBatch,
        columns: &[usize],
    ) -> Result<Buffer, ArrowError> {
        let (_, body) = lies(block, self.end)?;
        let parts = self.parts(&body, batch, columns);
        self.input.parts(body, &parts).map(Buffer::from).map_err(ArrowError::IpcError)
    }

    /// Where the values of some columns of a batch lie.
    pub(super) fn parts(
        &self,
        body: &Range<u64>,
        batch: arrow_ipc::RecordBatch,
        columns: &[usize],
    ) -> Vec<Range<u64>> {
        let all = || vec![body.clone()];
        let (Some(buffers), None) = (batch.buffers(), batch.compression()) else { return all() };
        let places = columns.iter().map(|column| buffers_of(&self.schema, *column));
        let Some(places) = places.collect::<Option<Vec<_>>>() else { return all() };
        let place = |at: usize| {
            let buffer = buffers.iter().nth(at)?;
            let start = body.start.saturating_add(u64::try_from(buffer.offset()).ok()?);
            let end = start.saturating_add(u64::try_from(buffer.length()).ok()?);
            Some(start..end.min(body.end))
        };
        places.into_iter().flatten().filter_map(place).collect()
    }

    /// Where the message at a place ends, and what it is; `None` if none is there that can be read.
    fn message_at(&self, at: usize) -> Option<(usize, MessageHeader)> {
        let bytes = |count: usize| {
            let end = at.checked_add(count)?.min(self.end);
            self.input.bytes(at.min(end) as u64..end as u64).ok()
        };
        let start = bytes(8)?;
        let (prefix, length) = match start.strip_prefix(&[0xFF; 4]) {
            Some(marked) => (8, marked.first_chunk::<4>()?),
            None => (4, start.first_chunk::<4>()?),
        };
        let length = usize::try_from(i32::from_le_bytes(*length)).ok().filter(|n| *n > 0)?;
        let header = bytes(length.checked_add(prefix)?)?;
        if header.len() < length + prefix {
            return None;
        }
        let message = message(&header).ok()?;
        let body = usize::try_from(message.bodyLength()).ok()?;
        let end = at.checked_add(header.len())?.checked_add(body)?;
        (end <= self.end).then(|| (end, message.header_type()))
    }

    fn read_dictionary(&mut self, block: &Block) -> Result<(), ArrowError> {
        let header = self.header(block)?;
        let (_, body) = lies(block, self.end)?;
        let body = self.input.bytes(body).map(Buffer::from).map_err(ArrowError::IpcError)?;
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
            let count = self.header(block).and_then(|header| {
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

/// Bytes of an object that are fetched when it is opened: its first letters, and most footers.
const HEAD: u64 = 1 << 10;
const TAIL: u64 = 64 << 10;

fn held(input: &Input, ranges: &[Range<u64>]) -> Result<Held, ArrowError> {
    input.hold(ranges).map_err(ArrowError::IpcError)
}

/// Where the footer begins and ends.
fn footer_range(bytes: &[u8]) -> Result<(usize, usize), ArrowError> {
    let trailer = bytes.len().checked_sub(10).ok_or_else(|| wrong("it is too short"))?;
    if !bytes.starts_with(b"ARROW1") {
        return Err(wrong("it does not begin with ARROW1 (a stream, or Feather version 1?)"));
    }
    let mut tail = [0; 10];
    tail.copy_from_slice(&bytes[trailer..]);
    let start = trailer.checked_sub(read_footer_length(tail)?);
    Ok((start.ok_or_else(|| wrong("its footer is cut off"))?, trailer))
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

/// Where the header and the body of a block lie, if that is before `end`.
fn lies(block: &Block, end: usize) -> Result<(Range<u64>, Range<u64>), ArrowError> {
    let wrong = || ArrowError::ParseError("a batch does not lie in the file".to_string());
    let offset = u64::try_from(block.offset()).map_err(|_| wrong())?;
    let header = u64::try_from(block.metaDataLength()).map_err(|_| wrong())?;
    let body = u64::try_from(block.bodyLength()).map_err(|_| wrong())?;
    let middle = offset.checked_add(header).ok_or_else(wrong)?;
    let last = middle.checked_add(body).ok_or_else(wrong)?;
    if last > end as u64 || header < 8 {
        return Err(wrong());
    }
    Ok((offset..middle, middle..last))
}

/// The header and the body of a block of a local file, if they lie in it.
pub(super) fn block_parts(bytes: &Buffer, block: &Block) -> Result<(Buffer, Buffer), ArrowError> {
    let (header, body) = lies(block, bytes.len())?;
    let part = |range: Range<u64>| {
        bytes.slice_with_length(range.start as usize, (range.end - range.start) as usize)
    };
    Ok((part(header), part(body)))
}

/// Where the body of a block lies.
pub(super) fn body_range(block: &Block) -> Range<u64> {
    lies(block, usize::MAX).map_or(0..0, |(_, body)| body)
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
