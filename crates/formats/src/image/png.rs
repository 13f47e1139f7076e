//! PNG: its header, and a reader of its rows.
use super::header::{BadHeader, CUT, Header, Kind, Place};
use super::rows::RowReader;
use super::samples::Sample;
use crate::input::{Held, Input};
use ::image::metadata::Orientation;
use ::png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Reader, Transformations};
use std::io::{BufReader, ErrorKind};

/// What a decoder may take beside the image: a row or two, and what stands before the first one.
const MOST_BESIDE: usize = 1 << 28;

/// An open file, and its bytes if they lie elsewhere.
struct Rows {
    reader: Reader<BufReader<Place>>,
    _held: Held,
}

fn open(input: &Input) -> Result<Reader<BufReader<Place>>, DecodingError> {
    let limits = Limits { bytes: MOST_BESIDE };
    let mut decoder = Decoder::new_with_limits(Place::buffered(input), limits);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.read_info()
}

/// What is wrong with a file.
fn words(error: DecodingError) -> String {
    match error {
        DecodingError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => CUT.to_string(),
        e => e.to_string(),
    }
}

/// Reads what stands before the first row.
pub(super) fn header(input: &Input) -> Result<Header, BadHeader> {
    let reader = open(input).map_err(|e| match e {
        DecodingError::LimitsExceeded => {
            BadHeader::Refused("a row of it would take too much memory".to_string())
        }
        e => BadHeader::Damaged(words(e)),
    })?;
    let info = reader.info();
    let (colour, depth) = reader.output_color_type();
    let bands = match colour {
        ColorType::Grayscale => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb | ColorType::Indexed => 3,
        ColorType::Rgba => 4,
    };
    let mut left_out = Vec::new();
    if let Some(frames) = info.animation_control().map(|a| a.num_frames).filter(|n| *n > 1) {
        left_out.push(format!("is an animation of {frames} images, of which one is read"));
    }
    let exif = info.exif_metadata.as_deref().and_then(Orientation::from_exif_chunk);
    left_out.extend(turned(exif));
    Ok(Header {
        kind: Kind::Png,
        width: info.width,
        height: info.height,
        bands,
        sample: if depth == BitDepth::Sixteen { Sample::Word } else { Sample::Byte },
        by_rows: !info.interlaced,
        left_out,
    })
}

/// What is said of an orientation that is not applied.
pub(super) fn turned(orientation: Option<Orientation>) -> Option<String> {
    let number = orientation.filter(|o| *o != Orientation::NoTransforms)?.to_exif();
    Some(format!("asks to be turned (EXIF orientation {number}), and is read as it is stored"))
}

/// Decodes the rows of a file one after the other.
pub(super) fn rows(input: &Input) -> Result<Box<dyn RowReader>, String> {
    let _held = input.hold(std::slice::from_ref(&(0..input.len())))?;
    Ok(Box::new(Rows { reader: open(input).map_err(words)?, _held }))
}

impl RowReader for Rows {
    fn row(&mut self, row: &mut [u8]) -> Result<(), String> {
        match self.reader.read_row(row) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err("it has fewer rows than it says".to_string()),
            Err(e) => Err(words(e)),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        self.reader.finish().map_err(words)
    }
}

/// Decodes a whole file into a buffer of its size.
pub(super) fn whole(input: &Input, into: &mut [u8]) -> Result<(), String> {
    let mut reader = open(input).map_err(words)?;
    if reader.output_buffer_size() != Some(into.len()) {
        return Err("it has another size than before".to_string());
    }
    reader.next_frame(into).map_err(words)?;
    reader.finish().map_err(words)
}
