//! An Arrow file that grows by a batch at a time: a stream of messages, and a footer in the end. It
//! can be gone on with behind any batch: what the footer says of it is asked from the file.
use super::content::{block_parts, message};
use crate::rows::{guarded, map_file};
use crate::summed::Appended;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::{IpcSchemaEncoder, try_fb_to_schema};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamEncoder};
use arrow_ipc::{Block, FooterBuilder, MessageHeader, MetadataVersion};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Messages begin at multiples of this.
pub(super) const ALIGNMENT: usize = 64;

/// How all versions of this format are written here.
pub(super) const VERSION: MetadataVersion = MetadataVersion::V5;

/// Bytes before a message: a mark, and its length.
const PREFIX: usize = 8;

/// What a file says of itself that has no footer yet.
pub(super) struct Begun {
    /// The columns, and what is said of them and of the file.
    pub(super) schema: Schema,
    blocks: Vec<Block>,
}

impl Begun {
    /// Of a file that ends behind a batch, or behind its schema.
    ///
    /// # Errors
    /// A sentence, if it does not.
    pub(super) fn read(path: &Path) -> Result<Begun, String> {
        let bytes = map_file(path).map_err(|e| e.to_string())?;
        guarded(|| Begun::parse(&Buffer::from(bytes)))
    }

    fn parse(bytes: &Buffer) -> Result<Begun, ArrowError> {
        let wrong = |text: &str| ArrowError::ParseError(text.to_string());
        if !bytes.starts_with(b"ARROW1") {
            return Err(wrong("it does not begin with ARROW1"));
        }
        let first = block_at(bytes, ALIGNMENT)?;
        let (header, _) = block_parts(bytes, &first)?;
        let schema = message(&header)?.header_as_schema();
        let schema = try_fb_to_schema(schema.ok_or_else(|| wrong("it has no schema"))?)?;
        let (mut blocks, mut at) = (Vec::new(), end(&first));
        while at < bytes.len() {
            let block = block_at(bytes, at)?;
            let (header, _) = block_parts(bytes, &block)?;
            if message(&header)?.header_type() != MessageHeader::RecordBatch {
                return Err(wrong("something else stands between its batches"));
            }
            at = end(&block);
            blocks.push(block);
        }
        Ok(Begun { schema, blocks })
    }
}

/// The message that begins at a place of the file.
fn block_at(bytes: &Buffer, at: usize) -> Result<Block, ArrowError> {
    let wrong = || ArrowError::ParseError("a message is cut off".to_string());
    let rest = bytes.get(at..).ok_or_else(wrong)?;
    let header = header_length(rest).ok_or_else(wrong)?;
    let body = message(rest.get(..header).ok_or_else(wrong)?)?.bodyLength();
    let header = i32::try_from(header).map_err(|_| wrong())?;
    Ok(Block::new(at as i64, header, body))
}

fn end(block: &Block) -> usize {
    (block.offset() + i64::from(block.metaDataLength()) + block.bodyLength()) as usize
}

/// The length of the header that a message begins with.
fn header_length(message: &[u8]) -> Option<usize> {
    let (mark, rest) = message.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*rest.first_chunk::<4>()?);
    (*mark == [0xFF; 4]).then_some(PREFIX + length as usize)
}

/// The bytes of a file up to its first batch: the schema.
///
/// # Errors
/// A sentence, if it has none.
pub(super) fn head(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = map_file(path).map_err(|e| e.to_string())?;
    guarded(|| {
        let bytes = Buffer::from(bytes);
        let head = bytes.get(..end(&block_at(&bytes, ALIGNMENT)?));
        let wrong = || ArrowError::ParseError("its schema is cut off".to_string());
        Ok::<_, ArrowError>(head.ok_or_else(wrong)?.to_vec())
    })
}

/// The writer of such a file.
pub(super) struct Growing {
    file: BufWriter<Appended>,
    encoder: StreamEncoder,
    schema: SchemaRef,
    blocks: Vec<Block>,
}

impl Growing {
    /// Begins a file, or goes on with it where it ends. `path` is its name.
    ///
    /// # Errors
    /// If it cannot be written, or what is there does not end behind a batch.
    pub(super) fn open(
        mut file: Appended,
        path: &Path,
        schema: SchemaRef,
        options: IpcWriteOptions,
    ) -> Result<Growing, ArrowError> {
        let (schema, blocks) = match file.length() {
            0 => {
                let head = FileWriter::try_new_with_options(Vec::new(), &schema, options.clone())?;
                file.write_all(head.get_ref())?;
                (schema, Vec::new())
            }
            _ => {
                let begun = Begun::read(path).map_err(ArrowError::ParseError)?;
                (begun.schema.into(), begun.blocks)
            }
        };
        let mut encoder = StreamEncoder::try_new_with_options(&schema, options)?;
        // The schema comes with the first batch, and is in the file.
        encoder.encode(&RecordBatch::new_empty(schema.clone()))?;
        Ok(Growing { file: BufWriter::new(file), encoder, schema, blocks })
    }

    /// Adds a batch, and hands it to the system.
    ///
    /// # Errors
    /// If it cannot be encoded or written.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let (offset, pieces) = (self.length(), self.encoder.encode(batch)?);
        let all: usize = pieces.iter().map(Buffer::len).sum();
        let wrong = || ArrowError::IpcError("a batch has no header".to_string());
        let header = pieces.first().and_then(|piece| header_length(piece)).ok_or_else(wrong)?;
        pieces.iter().try_for_each(|piece| self.file.write_all(piece))?;
        self.file.flush()?;
        self.blocks.push(Block::new(offset as i64, header as i32, (all - header) as i64));
        Ok(())
    }

    /// The file, of which all that was written is handed to the system.
    pub(super) fn appended(&mut self) -> &mut Appended {
        self.file.get_mut()
    }

    /// Bytes so far.
    pub(super) fn length(&self) -> u64 {
        self.file.get_ref().length()
    }

    /// Ends the file and makes it durable.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn finish(&mut self) -> Result<(), ArrowError> {
        // The mark of a message of no length ends the stream.
        let mut tail = vec![0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];
        // A builder with nothing in it.
        let mut builder = IpcSchemaEncoder::new().schema_to_fb(&Schema::empty());
        builder.reset();
        let dictionaries = builder.create_vector::<Block>(&[]);
        let batches = builder.create_vector(&self.blocks);
        let schema = IpcSchemaEncoder::new().schema_to_fb_offset(&mut builder, &self.schema);
        let mut footer = FooterBuilder::new(&mut builder);
        footer.add_version(VERSION);
        footer.add_schema(schema);
        footer.add_dictionaries(dictionaries);
        footer.add_recordBatches(batches);
        let root = footer.finish();
        builder.finish(root, None);
        let footer = builder.finished_data();
        tail.extend_from_slice(footer);
        tail.extend((footer.len() as i32).to_le_bytes());
        tail.extend(b"ARROW1");
        self.file.write_all(&tail)?;
        self.file.flush()?;
        Ok(self.file.get_ref().sync_all()?)
    }
}
