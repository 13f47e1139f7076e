//! Classic NetCDF: CDF-1, CDF-2 and CDF-5. Nothing is taken from behind the end of the file.
//! Source: "NetCDF Classic Format Specification", NetCDF User's Guide, appendix B.
use super::header::{NamedAttributes, Raw, RawDim, RawVariable, interpret};
use super::stored::{Place, Stored, bytes};
use crate::input::Input;
use std::io::{BufReader, Read};
use std::sync::Arc;

/// A classic file.
#[derive(Debug)]
pub(super) struct Classic {
    pub(super) attributes: NamedAttributes,
    pub(super) variables: Vec<RawVariable>,
}

const DIMENSIONS: u32 = 10;
const VARIABLES: u32 = 11;
const ATTRIBUTES: u32 = 12;

impl Classic {
    /// Reads the header, and checks that the file is as long as it says.
    pub(super) fn open(input: &Input) -> Result<Classic, String> {
        let len = input.len();
        let from = BufReader::new(input.reading(0));
        let mut from = Header { from, version: 1, left: len };
        from.file().ok_or("its header is cut off or damaged")?.finish(len)
    }
}

/// All that the header says.
struct Said {
    records: u64,
    attributes: NamedAttributes,
    variables: Vec<Variable>,
}

struct Variable {
    name: String,
    dims: Vec<RawDim>,
    attributes: NamedAttributes,
    raw: Raw,
    begin: u64,
}

impl Variable {
    fn in_records(&self) -> bool {
        self.dims.first().is_some_and(|d| d.unlimited)
    }

    /// Bytes of the variable, or of one record.
    fn bytes(&self) -> Option<u64> {
        let rest = if self.in_records() { &self.dims[1..] } else { &self.dims[..] };
        bytes(&rest.iter().map(|d| d.size).collect::<Vec<_>>(), self.raw.width())
    }
}

impl Said {
    fn finish(self, len: u64) -> Result<Classic, String> {
        let damaged = "its header is damaged: it is larger than any file";
        let count = self.variables.iter().filter(|v| v.in_records()).count();
        // A single variable in records is not padded.
        let padded = |n: u64| if count == 1 { n } else { n.div_ceil(4).saturating_mul(4) };
        let (mut stride, mut least) = (0u64, 0u64);
        for variable in self.variables.iter().filter(|v| v.in_records()) {
            stride = stride.checked_add(padded(variable.bytes().ok_or(damaged)?)).ok_or(damaged)?;
        }
        let before = self.records.saturating_sub(1).checked_mul(stride).ok_or(damaged)?;
        for variable in &self.variables {
            let bytes = variable.bytes().ok_or(damaged)?;
            let end = match variable.in_records() {
                true if self.records == 0 => continue,
                true => before.checked_add(bytes).ok_or(damaged)?,
                false => bytes,
            };
            least = least.max(variable.begin.checked_add(end).ok_or(damaged)?);
        }
        if least > len {
            return Err(format!("it is cut off: {len} bytes of at least {least}"));
        }
        let finished = |variable: Variable| {
            let width = variable.raw.width();
            let records = variable.in_records();
            let begin = variable.begin;
            let place =
                if records { Place::Records { begin, stride } } else { Place::Piece(begin) };
            let stored = Stored {
                sizes: variable.dims.iter().map(|d| d.size).collect(),
                width,
                swap: cfg!(target_endian = "little") && width > 1,
                far: false,
                fill: Vec::new(),
                beyond: Vec::new(),
                place,
            };
            RawVariable {
                name: variable.name,
                raw: variable.raw,
                kind: None,
                dims: variable.dims,
                attributes: variable.attributes,
                chunks: None,
                filled: true,
                stored: Arc::new(stored),
            }
        };
        let variables = self.variables.into_iter().map(finished).collect();
        Ok(Classic { attributes: self.attributes, variables })
    }
}

struct Header<R> {
    from: R,
    version: u8,
    /// Bytes of the file that have not been read: nothing can be longer.
    left: u64,
}

impl<R: Read> Header<R> {
    fn file(&mut self) -> Option<Said> {
        let magic = self.bytes(4)?;
        self.version = *magic.get(3).filter(|v| [1, 2, 5].contains(*v))?;
        let records = self.count()?;
        // A file being streamed does not know its records.
        let streaming = if self.version == 5 { u64::MAX } else { u64::from(u32::MAX) };
        let records = if records == streaming { 0 } else { records };
        let dims = self.list(DIMENSIONS, |h| {
            let name = h.name()?;
            let size = h.count()?;
            let unlimited = size == 0;
            Some(RawDim { name, size: if unlimited { records } else { size }, unlimited })
        })?;
        let attributes = self.attributes()?;
        let variables = self.list(VARIABLES, |h| h.variable(&dims))?;
        Some(Said { records, attributes, variables })
    }

    fn variable(&mut self, dims: &[RawDim]) -> Option<Variable> {
        let name = self.name()?;
        let rank = self.count()?;
        let mut own = Vec::new();
        for i in 0..rank {
            let id = self.count()?;
            let dim = dims.get(usize::try_from(id).ok()?)?.clone();
            // Only the first dimension may be the one in records.
            if dim.unlimited && i > 0 {
                return None;
            }
            own.push(dim);
        }
        let attributes = self.attributes()?;
        let raw = self.raw()?;
        self.count()?;
        let begin = if self.version == 1 { u64::from(self.word()?) } else { self.double_word()? };
        Some(Variable { name, dims: own, attributes, raw, begin })
    }

    fn attributes(&mut self) -> Option<NamedAttributes> {
        self.list(ATTRIBUTES, |h| {
            let name = h.name()?;
            let raw = h.raw()?;
            let count = h.count()?;
            let bytes = h.padded(count.checked_mul(raw.width() as u64)?)?;
            Some((name, interpret(raw, &bytes, true)))
        })
    }

    /// A list with its tag; an absent one has the tag 0 and no entries.
    fn list<T>(
        &mut self,
        tag: u32,
        mut entry: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let found = self.word()?;
        let count = self.count()?;
        if found != tag && (found != 0 || count != 0) {
            return None;
        }
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(entry(self)?);
        }
        Some(list)
    }

    fn name(&mut self) -> Option<String> {
        let len = self.count()?;
        let bytes = self.padded(len)?;
        Some(String::from_utf8_lossy(&bytes).into_owned()).filter(|n| !n.is_empty())
    }

    fn raw(&mut self) -> Option<Raw> {
        Some(match self.word()? {
            1 => Raw::I8,
            2 => Raw::Char,
            3 => Raw::I16,
            4 => Raw::I32,
            5 => Raw::F32,
            6 => Raw::F64,
            7 => Raw::U8,
            8 => Raw::U16,
            9 => Raw::U32,
            10 => Raw::I64,
            11 => Raw::U64,
            _ => return None,
        })
    }

    /// So many bytes, and the padding behind them, which is passed over.
    fn padded(&mut self, len: u64) -> Option<Vec<u8>> {
        let mut bytes = self.bytes(len.checked_next_multiple_of(4)?)?;
        bytes.truncate(len as usize);
        Some(bytes)
    }

    fn bytes(&mut self, len: u64) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(len)?;
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        self.from.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    fn count(&mut self) -> Option<u64> {
        if self.version == 5 { self.double_word() } else { self.word().map(u64::from) }
    }

    fn word(&mut self) -> Option<u32> {
        let bytes = self.bytes(4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }

    fn double_word(&mut self) -> Option<u64> {
        let bytes = self.bytes(8)?;
        Some(u64::from_be_bytes(bytes.try_into().ok()?))
    }
}
