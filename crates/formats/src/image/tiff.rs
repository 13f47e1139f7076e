//! TIFF: its header, how many images it has, and the pixels of the first.
use super::header::{BadHeader, Header, Kind, Place};
use super::png::turned;
use super::samples::Sample;
use super::whole::MOST;
use crate::input::Input;
use ::image::codecs::tiff::TiffDecoder;
use ::image::error::UnsupportedErrorKind;
use ::image::{ColorType, ImageDecoder, ImageError, Limits};
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Reads the first directory.
pub(super) fn header(input: &Input) -> Result<Header, BadHeader> {
    let mut decoder = TiffDecoder::new(Place::buffered(input)).map_err(bad)?;
    let (bands, sample) = match decoder.color_type() {
        ColorType::L8 => (1, Sample::Byte),
        ColorType::La8 => (2, Sample::Byte),
        ColorType::Rgb8 => (3, Sample::Byte),
        ColorType::Rgba8 => (4, Sample::Byte),
        ColorType::L16 => (1, Sample::NativeWord),
        ColorType::La16 => (2, Sample::NativeWord),
        ColorType::Rgb16 => (3, Sample::NativeWord),
        ColorType::Rgba16 => (4, Sample::NativeWord),
        ColorType::Rgb32F => (3, Sample::Float),
        ColorType::Rgba32F => (4, Sample::Float),
        other => return Err(BadHeader::Refused(format!("its pixels are {other:?}"))),
    };
    let (width, height) = decoder.dimensions();
    let mut left_out = Vec::new();
    if more(input).unwrap_or(false) {
        left_out.push("holds several images, of which the first is read".to_string());
    }
    left_out.extend(turned(decoder.orientation().ok()));
    Ok(Header { kind: Kind::Tiff, width, height, bands, sample, by_rows: false, left_out })
}

fn bad(error: ImageError) -> BadHeader {
    match error {
        ImageError::Unsupported(e) => {
            let what = match e.kind() {
                UnsupportedErrorKind::GenericFeature(what) => format!(" ({what})"),
                _ => String::new(),
            };
            BadHeader::Refused(format!(
                "its pixels are of a kind that is not read{what}; of TIFF grey of 8 or 16 bits is, \
                 and colour of 8 or 16 bits or 32-bit floats"
            ))
        }
        e => BadHeader::Damaged(e.to_string()),
    }
}

/// Whether a second directory follows the first (TIFF 6.0, section 2; BigTIFF).
fn more(input: &Input) -> io::Result<bool> {
    let mut reader = Place::buffered(input);
    let mut start = [0; 4];
    reader.read_exact(&mut start)?;
    let little = start[0] == b'I';
    let big = start[2..] == [43, 0] || start[2..] == [0, 43];
    if big {
        reader.seek(SeekFrom::Start(8))?;
    }
    let (entry, count) = if big { (20, 8) } else { (12, 2) };
    let place = if big { 8 } else { 4 };
    let directory = number(&mut reader, place, little)?;
    reader.seek(SeekFrom::Start(directory))?;
    let entries = number(&mut reader, count, little)?;
    let next = directory.saturating_add(count as u64).saturating_add(entries.saturating_mul(entry));
    reader.seek(SeekFrom::Start(next))?;
    Ok(number(&mut reader, place, little)? != 0)
}

/// A number of so many bytes, at most 8.
fn number(reader: &mut BufReader<Place>, bytes: usize, little: bool) -> io::Result<u64> {
    let mut buffer = [0; 8];
    let part = if little { &mut buffer[..bytes] } else { &mut buffer[8 - bytes..] };
    reader.read_exact(part)?;
    Ok(if little { u64::from_le_bytes(buffer) } else { u64::from_be_bytes(buffer) })
}

/// Decodes the first image of a file into a buffer of its size.
pub(super) fn whole(input: &Input, into: &mut [u8]) -> Result<(), String> {
    let mut decoder = TiffDecoder::new(Place::buffered(input)).map_err(|e| e.to_string())?;
    if decoder.total_bytes() != into.len() as u64 {
        return Err("it has another size than before".to_string());
    }
    let mut limits = Limits::no_limits();
    // The image as it is stored, and as it comes out of its strips.
    limits.max_alloc = Some(4 * MOST);
    decoder.set_limits(limits).map_err(|e| e.to_string())?;
    decoder.read_image(into).map_err(|e| e.to_string())
}
