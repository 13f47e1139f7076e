//! What an image file will hold, and of which column.
use super::header::Kind;
use crate::rows::{bad_option, flag};
use crate::{FormatError, FormatErrorKind, OptionValue, Options, WriteRequest};
use base::{DType, Field, Schema, Value};
use std::path::Path;

/// The most rows or columns of a JPEG (ISO/IEC 10918-1, B.2.2).
const MOST_JPEG: u64 = u16::MAX as u64;
/// The most rows or columns of others; a PNG says them in 31 bits.
const MOST: u64 = i32::MAX as u64;

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) kind: Kind,
    /// Rows.
    pub(super) height: usize,
    /// Pixels in a row.
    pub(super) width: usize,
    /// Values of a pixel: 1 to 4.
    pub(super) bands: usize,
    /// 8 or 16.
    pub(super) bits: u32,
    /// Whether values out of range become the nearest in range.
    pub(super) clip: bool,
    /// How hard a PNG is compressed, 0 to 9.
    pub(super) level: Option<u8>,
    /// What a JPEG keeps, 1 to 100.
    pub(super) quality: u8,
    /// The position of the variable in the schema.
    pub(super) column: usize,
}

impl Layout {
    /// Checks columns, dimensions and options.
    pub(super) fn new(request: &WriteRequest) -> Result<Layout, FormatError> {
        let kind = kind(&request.path)?;
        let schema = &request.schema;
        let [height, width, bands] = sizes(schema)?;
        let column = variable(schema)?;
        let most = if kind == Kind::Jpeg { MOST_JPEG } else { MOST };
        if height.max(width) > most || bands > 4 {
            let name = kind.name();
            return Err(unsupported(
                format!("a {name} file cannot have {height} × {width} pixels of {bands} values"),
                "rows and columns lie along the first two dimensions; a third one has 1 to 4 bands",
            ));
        }
        if height == 0 || width == 0 || bands == 0 {
            return Err(unsupported("an image has one pixel at least".to_string(), ""));
        }
        fits(kind, bands)?;
        let options = &request.options;
        let bits = integer(options, "bits", 8..=16)?.unwrap_or(8) as u32;
        if bits != 8 && (bits != 16 || kind == Kind::Jpeg) {
            let some = if kind == Kind::Jpeg { "8 for JPEG" } else { "8 or 16" };
            return Err(bad_option("bits", format!("`bits` is {some}, not {bits}")));
        }
        let only = |name: &str, of: Kind| match options.get(name).filter(|_| kind != of) {
            None => Ok(()),
            Some(_) => Err(bad_option(name, format!("`{name}` is an option of {}", of.name()))),
        };
        only("level", Kind::Png)?;
        only("quality", Kind::Jpeg)?;
        Ok(Layout {
            kind,
            height: height as usize,
            width: width as usize,
            bands: bands as usize,
            bits,
            clip: flag(options, "clip")?.unwrap_or(false),
            level: integer(options, "level", 0..=9)?.map(|level| level as u8),
            quality: integer(options, "quality", 1..=100)?.unwrap_or(90) as u8,
            column,
        })
    }

    /// The largest value.
    pub(super) fn most(&self) -> i64 {
        (1 << self.bits) - 1
    }

    /// Bytes of a value.
    pub(super) fn sample_bytes(&self) -> usize {
        self.bits as usize / 8
    }

    /// Bytes of a row.
    pub(super) fn row_bytes(&self) -> usize {
        self.width * self.bands * self.sample_bytes()
    }

    /// Bytes of all rows.
    pub(super) fn bytes(&self) -> u64 {
        (self.row_bytes() as u64).saturating_mul(self.height as u64)
    }
}

fn unsupported(message: String, help: &str) -> FormatError {
    let help = (!help.is_empty()).then(|| help.to_string());
    FormatError { kind: FormatErrorKind::Unsupported(None), message, help }
}

/// The kind that a file's name tells.
fn kind(path: &Path) -> Result<Kind, FormatError> {
    let ending = path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
    match ending.as_deref() {
        Some("png") => Ok(Kind::Png),
        Some("jpg" | "jpeg") => Ok(Kind::Jpeg),
        Some("tif" | "tiff") => Ok(Kind::Tiff),
        _ => Err(unsupported(
            format!("the name `{}` does not tell which kind of image it is", path.display()),
            "let it end with .png, .jpg or .tif",
        )),
    }
}

/// Which bands the kinds can hold.
fn fits(kind: Kind, bands: u64) -> Result<(), FormatError> {
    let some = match (kind, bands) {
        (Kind::Jpeg, 2 | 4) => "1 (grey) or 3 (RGB)",
        (Kind::Tiff, 2) => "1 (grey), 3 (RGB) or 4 (RGB, alpha)",
        _ => return Ok(()),
    };
    let message = format!("a {} file cannot have {bands} bands", kind.name());
    Err(unsupported(message, &format!("it has {some}; PNG has 1 to 4")))
}

/// The one column that is no coordinate.
fn variable(schema: &Schema) -> Result<usize, FormatError> {
    let all = (0..schema.fields.len()).filter(|i| schema.coordinate(*i).is_none());
    let all: Vec<usize> = all.collect();
    let [one] = all[..] else {
        let names: Vec<&str> = all.iter().map(|i| &*schema.fields[*i].name).collect();
        let message = match names[..] {
            [] => "there is no variable to write".to_string(),
            _ => format!("an image has one variable, not {}: {}", names.len(), names.join(", ")),
        };
        return Err(unsupported(message, "name the one to write: `variables: [v]`"));
    };
    whole_numbers(&schema.fields[one]).map(|()| one)
}

fn whole_numbers(field: &Field) -> Result<(), FormatError> {
    let name = &field.name;
    let help = match field.dtype {
        DType::Int32 | DType::Int64 => return Ok(()),
        DType::Float32 | DType::Float64 => {
            format!("say how: `map: {{ {name}: int32(round({name})) }}`")
        }
        DType::Bool => format!("make it a number: `map: {{ {name}: where({name}, 255, 0) }}`"),
        _ => "write it to a table".to_string(),
    };
    Err(FormatError {
        kind: FormatErrorKind::Unsupported(Some(name.to_string())),
        message: format!("an image holds whole numbers, and `{name}` is {}", field.dtype.name()),
        help: Some(help),
    })
}

/// Rows, columns and bands.
fn sizes(schema: &Schema) -> Result<[u64; 3], FormatError> {
    let domain = &schema.domain;
    let names: Vec<&str> = domain.dims.iter().map(|d| &*d.name).collect();
    let help = "rows lie along the first dimension, columns along the second, bands along a third";
    if !domain.is_box() || !(2..=3).contains(&names.len()) {
        let what = match names[..] {
            ["row"] => "rows of a table are no image".to_string(),
            _ => format!("an image has two or three dimensions, not {}", names.join(", ")),
        };
        return Err(unsupported(what, help));
    }
    // Names that say otherwise than their order.
    let place = |name: &str| ["y", "x", "band"].iter().position(|known| *known == name);
    if names.iter().enumerate().any(|(i, name)| place(name).is_some_and(|place| place != i)) {
        let message = format!("the dimensions stand in the order {}", names.join(", "));
        return Err(unsupported(message, help));
    }
    let sizes = domain.sizes();
    Ok([sizes[0], sizes[1], sizes.get(2).copied().unwrap_or(1)])
}

fn integer(
    options: &Options,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, FormatError> {
    let wrong = || {
        let (least, most) = (range.start(), range.end());
        bad_option(name, format!("`{name}` is a whole number from {least} to {most}"))
    };
    match options.get(name) {
        None => Ok(None),
        Some(OptionValue::One(value @ Value::Int(_))) => {
            value.as_i64().filter(|n| range.contains(n)).map(Some).ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}
