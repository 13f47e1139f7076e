//! What an image file says of its pixels, and which of the three kinds it is.
use super::samples::Sample;
use super::{jpeg, png, tiff};
use crate::rows::guarded;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 18;

/// What the pixels of a file are.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// What kind of file it is.
    pub(super) kind: Kind,
    /// Pixels in a row.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
    /// Values of a pixel: 1 to 4.
    pub(super) bands: usize,
    /// How a value is stored once it is decoded.
    pub(super) sample: Sample,
    /// Whether rows can be decoded one after the other.
    pub(super) by_rows: bool,
    /// What the file holds that is not read, each a clause.
    pub(super) left_out: Vec<String>,
}

impl Header {
    /// Bytes of a row once it is decoded.
    pub(super) fn row_bytes(&self) -> usize {
        self.width as usize * self.bands * self.sample.width()
    }

    /// Bytes of all rows.
    pub(super) fn bytes(&self) -> u64 {
        u64::from(self.height).saturating_mul(self.row_bytes() as u64)
    }

    /// What the bands are.
    pub(super) fn colour(&self) -> &'static str {
        match self.bands {
            1 => "grey",
            2 => "grey, alpha",
            3 => "RGB",
            _ => "RGB, alpha",
        }
    }
}

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Portable Network Graphics (ISO/IEC 15948).
    Png,
    /// JPEG (ISO/IEC 10918-1).
    Jpeg,
    /// TIFF 6.0, BigTIFF.
    Tiff,
}

impl Kind {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Png => "PNG",
            Kind::Jpeg => "JPEG",
            Kind::Tiff => "TIFF",
        }
    }

    /// The most bytes that one byte of a file can become.
    fn most_per_byte(self) -> u64 {
        match self {
            // 1032 by deflate; each bit of them three bytes of a palette.
            Kind::Png => 1032 * 24,
            // A block of 64 pixels takes a bit at least.
            Kind::Jpeg => 8 * 64 * 3,
            // A white line of fax takes a bit, however long it is.
            Kind::Tiff => u64::MAX,
        }
    }

    /// By the first bytes of a file.
    fn of(bytes: &[u8]) -> Option<Kind> {
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => Some(Kind::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Kind::Jpeg),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Kind::Tiff),
            _ => None,
        }
    }
}

/// Why a header cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    /// The file is damaged, or is of another format.
    Damaged(String),
    /// It is whole, but no column can hold its pixels.
    Refused(String),
}

/// Reads the header of a file.
pub(super) fn read(file: &Arc<File>) -> Result<Header, BadHeader> {
    let mut first = Vec::new();
    Place::start(file).take(8).read_to_end(&mut first).map_err(|e| damaged(&e))?;
    let Some(kind) = Kind::of(&first) else {
        return Err(BadHeader::Damaged("it is no PNG, JPEG or TIFF file".to_string()));
    };
    let read = || match kind {
        Kind::Png => Ok::<_, String>(png::header(file)),
        Kind::Jpeg => Ok(jpeg::header(file)),
        Kind::Tiff => Ok(tiff::header(file)),
    };
    let header = guarded(read).unwrap_or_else(|panic| Err(BadHeader::Damaged(panic)))?;
    if header.width == 0 || header.height == 0 {
        return Err(BadHeader::Damaged("it has no pixels".to_string()));
    }
    let length = file.metadata().map_err(|e| damaged(&e))?.len();
    if !header.by_rows && header.bytes() > length.saturating_mul(kind.most_per_byte()) {
        let (height, width) = (header.height, header.width);
        let why = format!("{length} bytes are too few for its {height} × {width} pixels");
        return Err(BadHeader::Damaged(why));
    }
    Ok(header)
}

/// What is said of a file that ends too early.
pub(super) const CUT: &str = "it is cut off";

/// What is wrong with a file that cannot be read on.
pub(super) fn damaged(error: &io::Error) -> BadHeader {
    BadHeader::Damaged(match error.kind() {
        ErrorKind::UnexpectedEof => CUT.to_string(),
        _ => error.to_string(),
    })
}

/// A place in a file that moves as it is read; many may move in one file.
pub(super) struct Place {
    file: Arc<File>,
    at: u64,
}

impl Place {
    /// The beginning of a file.
    pub(super) fn start(file: &Arc<File>) -> Place {
        Place { file: Arc::clone(file), at: 0 }
    }

    /// The same, read in blocks.
    pub(super) fn buffered(file: &Arc<File>) -> BufReader<Place> {
        BufReader::with_capacity(BLOCK, Place::start(file))
    }
}

impl Read for Place {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Place {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.file.metadata()?.len(), by),
            SeekFrom::Current(by) => (self.at, by),
        };
        let outside = || io::Error::new(ErrorKind::InvalidInput, "a place before the file");
        self.at = base.checked_add_signed(by).ok_or_else(outside)?;
        Ok(self.at)
    }
}
