//! An opened image as a source of tiles.
use super::header::{self, BadHeader, Header};
use super::rows::{Band, KEPT, Rows};
use super::whole::{MOST, Whole};
use super::{pixels, png};
use crate::input::Input;
use crate::{FilePlace, FormatError, FormatErrorKind, NotRead, OpenRequest, TileSource, Unread};
use arrow_array::{ArrayRef, Int64Array};
use base::{
    Attribute, Attributes, Code, Column, DType, DimMask, Domain, Failure, Field, Region, Schema,
    Tiling, Warning,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tasks::store::is_remote;

/// The names of the dimensions.
const DIMS: [&str; 3] = ["y", "x", "band"];
/// The variable.
const VALUES: &str = "v";

/// An open file.
pub(super) struct ImageSource {
    path: PathBuf,
    input: Input,
    header: Header,
    schema: Schema,
    /// For each column the dimension of which it is the coordinate; `None` for the pixels.
    columns: Vec<Option<usize>>,
    decoding: Decoding,
}

/// How pixels are decoded.
enum Decoding {
    Rows(Rows),
    Whole(Whole),
}

impl ImageSource {
    /// Opens one file and reads its header.
    pub(super) fn open(request: &OpenRequest) -> Result<ImageSource, FormatError> {
        let [path] = &request.paths[..] else {
            let (first, n) = (request.paths[0].display(), request.paths.len());
            let mut error = FormatError::new(
                FormatErrorKind::Unsupported(None),
                format!("{n} images are named ({first} is the first), and one is read at a time"),
            );
            error.help = Some("read each in a step of its own".to_string());
            return Err(error);
        };
        let error = |kind, e: &str| FormatError::new(kind, format!("{}: {e}", path.display()));
        let missing = |e: std::io::Error| error(FormatErrorKind::Missing, &plain(&e));
        let absolute = match is_remote(path) {
            true => path.clone(),
            false => std::path::absolute(path).map_err(missing)?,
        };
        let input = Input::open(&absolute).map_err(missing)?;
        let header = header::read(&input).map_err(|bad| match bad {
            BadHeader::Damaged(why) => damaged(path, &why),
            BadHeader::Refused(why) => error(FormatErrorKind::Unsupported(None), &why),
        })?;
        if !header.by_rows && header.bytes() > MOST {
            let size = header.bytes().div_ceil(1 << 20);
            let why = format!(
                "its {} × {} pixels take {size} MiB, and it can only be decoded whole, which is \
                 done up to {} MiB",
                header.height,
                header.width,
                MOST >> 20
            );
            return Err(error(FormatErrorKind::Unsupported(None), &why));
        }
        let (schema, columns) = chosen(&header, request.columns.as_deref())?;
        let decoding = decoding(&input, &header);
        Ok(ImageSource { path: absolute, input, header, schema, columns, decoding })
    }

    /// Rows `first..end`.
    fn bands(&self, first: usize, end: usize) -> Result<Vec<Band>, String> {
        match &self.decoding {
            Decoding::Rows(rows) => rows.bands(first, end),
            Decoding::Whole(whole) => {
                let bytes = whole.bytes(&self.input, &self.header)?;
                Ok(vec![Band { first: 0, count: self.header.height as usize, bytes }])
            }
        }
    }

    fn pixels(&self, region: &Region) -> Result<ArrayRef, Failure> {
        let (first, rows) = (region.origin[0] as usize, region.shape[0]);
        let bands = match region.points() {
            0 => Ok(Vec::new()),
            _ => self.bands(first, first + rows),
        };
        let named = |e: String| Failure::data(format!("{}: {e}", self.path.display()));
        Ok(pixels::values(&self.header, &bands.map_err(named)?, region))
    }
}

fn decoding(input: &Input, header: &Header) -> Decoding {
    match header.by_rows {
        true => {
            let input = input.clone();
            let start = Box::new(move || png::rows(&input));
            Decoding::Rows(Rows::new(start, header.height as usize, header.row_bytes()))
        }
        false => Decoding::Whole(Whole::default()),
    }
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_string(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_string(),
        std::io::ErrorKind::IsADirectory => "it is a folder, and an image is needed".to_string(),
        _ => error.to_string(),
    }
}

fn damaged(path: &Path, why: &str) -> FormatError {
    FormatError {
        kind: FormatErrorKind::Corrupt,
        message: format!("{}: not a whole image: {why}", path.display()),
        help: Some("it may be cut off or damaged, or of another format".to_string()),
    }
}

/// The columns that are asked for, or all.
fn chosen(
    header: &Header,
    names: Option<&[String]>,
) -> Result<(Schema, Vec<Option<usize>>), FormatError> {
    let sizes = [header.height.into(), header.width.into(), header.bands as u64];
    let dims = if header.bands == 1 { 2 } else { 3 };
    let domain = Domain::new(DIMS.into_iter().zip(sizes).take(dims));
    let all: Vec<&str> = DIMS[..dims].iter().copied().chain([VALUES]).collect();
    let mut schema = Schema { domain, fields: Vec::new(), attributes: Attributes::default() };
    let mut columns = Vec::new();
    let wanted: Vec<&str> =
        names.map_or(all.clone(), |names| names.iter().map(String::as_str).collect());
    for name in wanted {
        let Some(at) = all.iter().position(|known| *known == name) else {
            let kind = FormatErrorKind::UnknownColumn(name.to_string());
            let message = format!("an image has no column `{name}`");
            let help = base::did_you_mean(name, all.iter().copied());
            return Err(FormatError { kind, message, help });
        };
        let coordinate = (at < dims).then_some(at);
        schema.fields.push(match coordinate {
            Some(dim) => Field::new(name, DType::Int64, DimMask::only(dim)),
            None => values(header, schema.domain.full()),
        });
        columns.push(coordinate);
    }
    Ok((schema, columns))
}

/// The column of the pixels.
fn values(header: &Header, mask: DimMask) -> Field {
    let mut field = Field::new(VALUES, header.sample.dtype(), mask);
    let bits = header.sample.width() as i64 * 8;
    field.attributes.set("bits", Attribute::Ints(vec![bits]));
    field.attributes.set("colour", Attribute::Text(header.colour().to_string()));
    field
}

impl TileSource for ImageSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whole rows, as they are decoded.
    fn tiling(&self, points: u64) -> Option<Tiling> {
        let domain = &self.schema.domain;
        let mut shape = domain.sizes();
        let row: u64 = shape[1..].iter().product();
        shape[0] = (points / row.max(1)).clamp(1, shape[0]);
        Some(Tiling::even(domain, &shape))
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

    fn places(&self, region: &Region) -> Option<Vec<FilePlace>> {
        Some(vec![FilePlace { file: 0, region: region.clone() }])
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let read = |i: &usize| {
            let known = self.columns.get(*i).zip(self.schema.fields.get(*i));
            let (coordinate, field) =
                known.ok_or_else(|| Failure::internal(format!("there is no column {i}")))?;
            let array = match coordinate {
                None => self.pixels(region)?,
                Some(dim) => {
                    let first = region.origin[*dim] as i64;
                    let numbers = first..first + region.shape[*dim] as i64;
                    Arc::new(Int64Array::from_iter_values(numbers))
                }
            };
            Ok(Column { mask: field.mask, array })
        };
        columns.iter().map(read).collect()
    }

    fn is_remote(&self) -> bool {
        self.input.is_remote()
    }

    fn along(&self) -> Option<usize> {
        None
    }

    fn memory_of_all(&self) -> u64 {
        match self.decoding {
            Decoding::Rows(_) => self.header.bytes().min(KEPT as u64),
            // JPEG and TIFF are held as they are stored, too.
            Decoding::Whole(_) => self.header.bytes().saturating_mul(2),
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        let warning = |what: &String| {
            let text = format!("{} {what}", self.path.display());
            Warning::new(Code::FilesLeftOut, text)
        };
        self.header.left_out.iter().map(warning).collect()
    }

    fn unread(&self) -> Vec<Unread> {
        let named = |name: &&&str| self.schema.position(name).is_none();
        let all = DIMS[..self.schema.domain.dims.len()].iter().chain([&VALUES]);
        all.filter(named)
            .map(|name| Unread { name: (*name).to_string(), why: NotRead::NotNamed })
            .collect()
    }

    fn describe(&self) -> String {
        let (h, name) = (&self.header, self.header.kind.name());
        let bits = h.sample.width() * 8;
        let way = if h.by_rows { "row by row" } else { "decoded whole" };
        format!(
            "{name} {}, {} × {}, {}, {bits} bits, {way}",
            self.path.display(),
            h.height,
            h.width,
            h.colour()
        )
    }
}
