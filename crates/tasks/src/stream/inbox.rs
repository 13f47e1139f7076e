//! Messages of an Arrow IPC stream as they come, in pieces.
//!
//! A body is read into memory of its own, which the arrays of its batch then share.
//! (Apache Arrow Columnar Format, "Encapsulated message format".)
use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Message, MessageHeader, convert, root_as_message};
use arrow_schema::SchemaRef;
use bytes::BufMut;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::net::unix::pipe::Receiver;

/// What stands before the length of a message.
const CONTINUES: u32 = u32::MAX;
/// No description of a message is longer.
const LONGEST: usize = 256 << 20;
/// Memory for a body is asked for by so much, as its bytes come.
const STEP: usize = 1 << 30;

/// Of what is no stream so many bytes are shown.
const SHOWN: usize = 60;

/// Which part of a message is read.
enum Part {
    /// The four bytes before the length, or the length, as old writers have it.
    Mark,
    /// The length of the description.
    Length,
    /// The description.
    Head,
    /// What it describes.
    Body(Vec<u8>),
    /// Nothing more: the stream has ended.
    End,
}

/// A stream as far as it has come.
pub struct Inbox {
    part: Part,
    /// Bytes of the part, and how many it has.
    bytes: Vec<u8>,
    wanted: usize,
    schema: Option<SchemaRef>,
    dictionaries: HashMap<i64, ArrayRef>,
}

/// What has come.
pub enum Came {
    /// The columns.
    Schema(SchemaRef),
    /// A batch.
    Batch(RecordBatch),
    /// Nothing whole.
    Part,
    /// The pipe was closed.
    Closed,
    /// Nothing is there now.
    Nothing,
}

impl Inbox {
    /// Nothing has come.
    pub fn new() -> Inbox {
        Inbox {
            part: Part::Mark,
            bytes: Vec::new(),
            wanted: 4,
            schema: None,
            dictionaries: HashMap::new(),
        }
    }

    /// Whether it stands between two messages.
    pub fn is_between(&self) -> bool {
        matches!(self.part, Part::Mark | Part::End) && self.bytes.is_empty()
    }

    /// Reads what is there of the current part.
    ///
    /// # Errors
    /// If it is no such stream: what it is instead, with "wrote" before it.
    pub fn read(&mut self, pipe: &Receiver) -> Result<Came, String> {
        let missing = (self.wanted - self.bytes.len()).min(STEP);
        self.bytes.try_reserve_exact(missing).map_err(|_| too_long(self.wanted))?;
        match pipe.try_read_buf(&mut (&mut self.bytes).limit(missing)) {
            Ok(0) => return Ok(Came::Closed),
            Ok(_) if matches!(self.part, Part::End) => {
                return Err("more behind the end of its stream".to_owned());
            }
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Came::Nothing),
            Err(e) => return Err(format!("what cannot be read: {e}")),
        }
        if self.bytes.len() < self.wanted {
            return Ok(Came::Part);
        }
        if matches!(self.part, Part::Mark) && !begins(&self.bytes) {
            // The more of it is shown, the better.
            let _ = pipe.try_read_buf(&mut (&mut self.bytes).limit(SHOWN));
            return Err(foreign(&self.bytes));
        }
        self.whole()
    }

    /// A part is whole.
    fn whole(&mut self) -> Result<Came, String> {
        let bytes = std::mem::take(&mut self.bytes);
        match std::mem::replace(&mut self.part, Part::Mark) {
            Part::Mark if word(&bytes) == CONTINUES => {
                self.next(Part::Length, 4);
                Ok(Came::Part)
            }
            Part::Mark | Part::Length => self.length(&bytes),
            Part::Head => {
                let body = message(&bytes)?.bodyLength();
                let length = usize::try_from(body).map_err(|_| broken("a length below 0"))?;
                match length {
                    0 => self.message(&bytes, Vec::new()),
                    _ => {
                        self.next(Part::Body(bytes), length);
                        Ok(Came::Part)
                    }
                }
            }
            Part::Body(head) => self.message(&head, bytes),
            Part::End => Ok(Came::Part),
        }
    }

    fn next(&mut self, part: Part, wanted: usize) {
        (self.part, self.wanted) = (part, wanted);
    }

    /// The length of a description has come.
    fn length(&mut self, bytes: &[u8]) -> Result<Came, String> {
        match word(bytes) as usize {
            0 => self.next(Part::End, 1),
            length if length <= LONGEST => self.next(Part::Head, length),
            _ => return Err(foreign(bytes)),
        }
        Ok(Came::Part)
    }

    /// A message is whole. What is damaged in ways that the decoder does not foresee is an error,
    /// too.
    fn message(&mut self, head: &[u8], body: Vec<u8>) -> Result<Came, String> {
        self.next(Part::Mark, 4);
        let decode = AssertUnwindSafe(|| self.decode(head, Buffer::from_vec(body)));
        catch_unwind(decode).unwrap_or_else(|_| Err(broken("a damaged message")))
    }

    fn decode(&mut self, head: &[u8], body: Buffer) -> Result<Came, String> {
        let message = message(head)?;
        let version = message.version();
        match (message.header_type(), &self.schema) {
            (MessageHeader::Schema, None) => {
                let schema = message.header_as_schema().ok_or_else(|| broken("no schema"))?;
                let schema = Arc::new(convert::try_fb_to_schema(schema).map_err(broken)?);
                self.schema = Some(schema.clone());
                Ok(Came::Schema(schema))
            }
            (MessageHeader::DictionaryBatch, Some(schema)) => {
                let batch =
                    message.header_as_dictionary_batch().ok_or_else(|| broken("no dictionary"))?;
                read_dictionary(&body, batch, schema, &mut self.dictionaries, &version)
                    .map_err(broken)?;
                Ok(Came::Part)
            }
            (MessageHeader::RecordBatch, Some(schema)) => {
                let batch = message.header_as_record_batch().ok_or_else(|| broken("no batch"))?;
                let (schema, known) = (schema.clone(), &self.dictionaries);
                let batch = read_record_batch(&body, batch, schema, known, None, &version);
                batch.map(Came::Batch).map_err(broken)
            }
            (MessageHeader::Schema, Some(_)) => Err(broken("a second schema")),
            (_, None) => Err(broken("a batch before the schema")),
            (kind, _) => Err(broken(format!("a message of kind {kind:?}"))),
        }
    }
}

fn message(head: &[u8]) -> Result<Message<'_>, String> {
    root_as_message(head).map_err(|_| foreign(head))
}

/// Whether a message may begin like this.
fn begins(bytes: &[u8]) -> bool {
    matches!(word(bytes), CONTINUES) || word(bytes) as usize <= LONGEST
}

fn word(bytes: &[u8]) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[..4]);
    u32::from_le_bytes(four)
}

/// What is no stream at all: a text that was printed, most likely.
fn foreign(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(SHOWN).collect();
    format!(
        "what is no Arrow stream, `{}`: nothing else may go to its standard output",
        text.escape_debug()
    )
}

fn broken(why: impl std::fmt::Display) -> String {
    format!("a stream that cannot be read: {why}")
}

fn too_long(bytes: usize) -> String {
    broken(format!("a message of {bytes} bytes, for which there is no memory"))
}
