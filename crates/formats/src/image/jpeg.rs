//! JPEG: its header, whether it is whole, and its pixels.
use super::header::{BadHeader, CUT, Header, Kind, Place, damaged};
use super::png::turned;
use super::samples::Sample;
use super::whole::MOST;
use crate::input::Input;
use ::image::ImageDecoder;
use ::image::codecs::jpeg::JpegDecoder;
use ::image::metadata::Orientation;
use std::io::{self, BufRead, Cursor, Read};

/// The marker before entropy-coded data (ISO/IEC 10918-1, table B.1).
const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;
/// Where Exif stands.
const APP1: u8 = 0xe1;

/// Reads segments down to the one that tells of the pixels.
pub(super) fn header(input: &Input) -> Result<Header, BadHeader> {
    let mut reader = Place::buffered(input);
    let mut exif = None;
    let mut start = [0; 2];
    reader.read_exact(&mut start).map_err(|e| damaged(&e))?;
    loop {
        let (marker, body) = segment(&mut reader).map_err(|e| damaged(&e))?;
        match marker {
            APP1 if body.starts_with(b"Exif\0\0") => exif = Some(body),
            // Start of frame, but for the tables of Huffman and arithmetic codes among them.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                let turned = exif
                    .and_then(|e| Orientation::from_exif_chunk(&e[6..]))
                    .and_then(|o| turned(Some(o)));
                return frame(marker, &body, turned);
            }
            START_OF_SCAN | END_OF_IMAGE => {
                return Err(BadHeader::Damaged("it does not say how large it is".to_string()));
            }
            _ => {}
        }
    }
}

/// What a start of frame says.
fn frame(marker: u8, body: &[u8], turned: Option<String>) -> Result<Header, BadHeader> {
    let [bits, h1, h0, w1, w0, components, ..] = *body else {
        return Err(BadHeader::Damaged("its header is too short".to_string()));
    };
    let refused = |what: &str| Err(BadHeader::Refused(what.to_string()));
    if !(0xc0..=0xc2).contains(&marker) {
        return refused(
            "it is lossless, hierarchical or arithmetically coded; baseline and \
                        progressive JPEG is read",
        );
    }
    if bits != 8 {
        return refused(&format!("its values have {bits} bits; JPEG of 8 bits is read"));
    }
    let bands = match components {
        1 => 1,
        3 | 4 => 3,
        n => return refused(&format!("it has {n} components; 1, 3 or 4 are read")),
    };
    Ok(Header {
        kind: Kind::Jpeg,
        width: u32::from(u16::from_be_bytes([w1, w0])),
        height: u32::from(u16::from_be_bytes([h1, h0])),
        bands,
        sample: Sample::Byte,
        by_rows: false,
        left_out: turned.into_iter().collect(),
    })
}

/// The next marker, and what stands behind it.
fn segment(reader: &mut impl BufRead) -> io::Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    if byte != [0xff] {
        return Err(io::Error::other("a segment does not begin with a marker"));
    }
    // Any number of fill bytes.
    while byte == [0xff] {
        reader.read_exact(&mut byte)?;
    }
    let marker = byte[0];
    if marker == END_OF_IMAGE || (0xd0..=0xd8).contains(&marker) || marker == 1 {
        return Ok((marker, Vec::new()));
    }
    let mut length = [0; 2];
    reader.read_exact(&mut length)?;
    let length = u16::from_be_bytes(length).checked_sub(2);
    let length = length.ok_or_else(|| io::Error::other("a segment is too short"))?;
    let mut body = vec![0; usize::from(length)];
    reader.read_exact(&mut body)?;
    Ok((marker, body))
}

/// Decodes a whole file into a buffer of its size.
pub(super) fn whole(input: &Input, into: &mut [u8]) -> Result<(), String> {
    let mut bytes = Vec::new();
    Place::start(input).take(MOST).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    // The decoder makes up what is missing.
    if !ends(&bytes).unwrap_or(false) {
        return Err(CUT.to_string());
    }
    let decoder = JpegDecoder::new(Cursor::new(&bytes)).map_err(|e| e.to_string())?;
    if decoder.total_bytes() != into.len() as u64 {
        return Err("it has another size than before".to_string());
    }
    decoder.read_image(into).map_err(|e| e.to_string())
}

/// Whether there is an end of the image behind a scan.
fn ends(bytes: &[u8]) -> io::Result<bool> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut scanned = false;
    loop {
        let (marker, _) = segment(&mut rest)?;
        match marker {
            END_OF_IMAGE => return Ok(scanned),
            START_OF_SCAN => {
                scanned = true;
                rest = behind_scan(rest);
            }
            _ => {}
        }
    }
}

/// What follows entropy-coded data: from the first marker on that is neither a stuffed byte nor a
/// restart.
fn behind_scan(mut bytes: &[u8]) -> &[u8] {
    while let Some(at) = bytes.iter().position(|b| *b == 0xff) {
        match bytes.get(at + 1) {
            None => break,
            Some(0 | 0xd0..=0xd7) => bytes = &bytes[at + 2..],
            Some(_) => return &bytes[at..],
        }
    }
    &[]
}
