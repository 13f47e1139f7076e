//! What the file will hold, and in which way it is written.
use super::references::{Dangling, mend};
use crate::netcdf::codec::Codec;
use crate::netcdf::read::Times;
use crate::netcdf::slab;
use crate::rows::bad_option;
use crate::{FormatError, FormatErrorKind, OptionValue, Options, WriteRequest};
use base::{Attribute, Attributes, DType, DimMask, Field, Schema, Tile, Tiling, Value};

/// The way that values get into the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Every worker writes at the bytes of its tiles.
    Placed,
    /// Every worker compresses chunks of this shape and writes them behind what is there.
    Chunked { shape: Vec<u64>, codec: Codec },
    /// The library does it all.
    ByLibrary { codec: Option<Codec> },
}

/// A variable of the file; one for each field of the schema.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) dtype: DType,
    /// The dimensions of the domain it varies along, ascending.
    pub(super) dims: Vec<usize>,
    pub(super) mask: DimMask,
    /// The size of each of its dimensions; 0 if not known.
    pub(super) sizes: Vec<u64>,
    pub(super) coordinate: bool,
    /// Whether a `_FillValue` marks missing values.
    pub(super) fill: bool,
    /// How its times are counted, if it has times; the attributes say the same.
    pub(super) times: Option<Times>,
    pub(super) attributes: Attributes,
}

/// The whole file.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Name and size of each dimension; `None` if it grows with the rows.
    pub(super) dims: Vec<(String, Option<u64>)>,
    pub(super) variables: Vec<Variable>,
    pub(super) attributes: Attributes,
    pub(super) way: Way,
    /// Whether some values lie in runs so short that they are copied into a mapping.
    pub(super) mapped: bool,
    /// Variables that attributes of the input name and that are not written.
    pub(super) dangling: Vec<Dangling>,
}

impl Variable {
    /// The type of its numbers in the file: times are whole microseconds, or parts of other units.
    pub(super) fn stored(&self) -> DType {
        match self.times {
            Some(times) if times.unit == 1 => DType::Int64,
            Some(_) => DType::Float64,
            None => self.dtype,
        }
    }

    /// Bytes of one value in the file.
    pub(super) fn width(&self) -> usize {
        self.dtype.width()
    }

    /// Bytes of all its values.
    pub(super) fn bytes(&self) -> u64 {
        self.sizes.iter().product::<u64>() * self.width() as u64
    }

    /// Where a tile's part of it starts.
    pub(super) fn origin(&self, tile: &Tile) -> Vec<u64> {
        self.dims.iter().map(|d| tile.origin[*d]).collect()
    }

    /// The shape of a tile's part of it.
    pub(super) fn shape(&self, tile: &Tile) -> Vec<usize> {
        self.dims.iter().map(|d| tile.shape[*d]).collect()
    }

    /// Whether a tile is the one that writes its part: a variable that does not vary along some
    /// dimension is written by the first tiles along that dimension only.
    pub(super) fn belongs_to(&self, tile: &Tile) -> bool {
        let first = |i: usize| self.mask.has(i) || tile.origin[i] == 0;
        (0..tile.origin.len()).all(first)
    }
}

impl Layout {
    /// Checks that NetCDF can hold the schema.
    pub(super) fn new(request: &WriteRequest) -> Result<Layout, FormatError> {
        let domain = &request.schema.domain;
        let codec = codec(&request.options)?;
        for dim in &domain.dims {
            check_name(&dim.name, "dimension")?;
        }
        if !domain.is_box() && domain.dims.len() != 1 {
            return Err(unsupported(None, format!("the size of the domain {domain} is not known")));
        }
        let mut variables = Vec::new();
        for i in 0..request.schema.fields.len() {
            variables.push(variable(request, i)?);
        }
        check_attributes(None, &request.attributes)?;
        check_points(&request.schema)?;
        let dangling = mend(&mut variables, &request.attributes);
        let dims = domain.dims.iter().map(|d| (d.name.to_string(), d.size)).collect();
        let way = way(request, codec);
        let mapped = mapped(&variables, request.tiling.as_ref());
        let attributes = request.attributes.clone();
        Ok(Layout { dims, variables, attributes, way, mapped, dangling })
    }

    /// Whether a variable is written in compressed chunks.
    pub(super) fn in_chunks(&self, variable: &Variable) -> bool {
        let full = variable.dims.len() == self.dims.len() && !self.dims.is_empty();
        matches!(self.way, Way::Chunked { .. }) && full
    }
}

fn unsupported(column: Option<&str>, message: String) -> FormatError {
    FormatError::new(FormatErrorKind::Unsupported(column.map(str::to_string)), message)
}

/// How the options ask for values to be compressed, if they do.
fn codec(options: &Options) -> Result<Option<Codec>, FormatError> {
    let deflate = level(options, "deflate", 9)?.map(Codec::Deflate);
    let zstd = level(options, "zstd", 22)?.map(Codec::Zstd);
    match (deflate, zstd) {
        (Some(_), Some(_)) => {
            Err(bad_option("zstd", "values are compressed with `deflate` or `zstd`, not both"))
        }
        (deflate, zstd) => Ok(deflate.or(zstd)),
    }
}

/// Whether the options ask for values to be compressed.
pub(in crate::netcdf) fn compresses(options: &Options) -> bool {
    codec(options).is_ok_and(|codec| codec.is_some())
}

/// The level of an option; `None` for 0, which is no compression.
fn level(options: &Options, name: &str, most: u8) -> Result<Option<u8>, FormatError> {
    let wrong = || bad_option(name, format!("`{name}` takes a level from 0 to {most}"));
    match options.get(name) {
        None => Ok(None),
        Some(OptionValue::One(value)) => {
            let level = value.as_i64().and_then(|l| u8::try_from(l).ok());
            let level = level.filter(|l| *l <= most).ok_or_else(wrong)?;
            Ok(Some(level).filter(|l| *l > 0))
        }
        Some(OptionValue::Many(_) | OptionValue::Pairs(_)) => Err(wrong()),
    }
}

/// Whether variables are written along all dimensions.
fn broadcast(request: &WriteRequest) -> Result<bool, FormatError> {
    match request.options.get("broadcast") {
        None => Ok(false),
        Some(OptionValue::One(Value::Bool(broadcast))) => Ok(*broadcast),
        Some(_) => Err(bad_option("broadcast", "`broadcast` is true or false")),
    }
}

/// What the library takes for a name; CF 1.11, §2.3, recommends less.
fn check_name(name: &str, what: &str) -> Result<(), FormatError> {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
    let good = name.starts_with(first)
        && !name.ends_with(' ')
        && !name.contains(|c: char| c == '/' || c.is_ascii_control())
        && name.len() < 256;
    if good {
        return Ok(());
    }
    let help = "in NetCDF a name begins with a letter, a digit or `_`, has no `/` and no control \
                characters, does not end in a blank and has at most 255 bytes: use `rename`";
    let error = unsupported(Some(name), format!("{name:?} cannot be the name of a {what}"));
    Err(FormatError { help: Some(help.to_string()), ..error })
}

/// A box without points has no tiles, so that nothing is written of what varies along other
/// dimensions.
fn check_points(schema: &Schema) -> Result<(), FormatError> {
    let Some(dim) = schema.domain.dims.iter().position(|d| d.size == Some(0)) else {
        return Ok(());
    };
    let lost = schema.fields.iter().find(|f| !f.mask.has(dim));
    let Some(Field { name, .. }) = lost else { return Ok(()) };
    let empty = &schema.domain.dims[dim].name;
    let message = format!("the dimension `{empty}` has no points: `{name}` would have no values");
    let help = format!("leave out what varies along `{empty}`, or read it in a step of its own");
    Err(FormatError { help: Some(help), ..unsupported(Some(name), message) })
}

/// How times are counted: as their attributes say, which keep the units of the input, or in
/// seconds, which all programs know.
fn times(name: &str, attributes: &mut Attributes) -> Result<Times, FormatError> {
    let text = |name: &str| attributes.get(name).and_then(Attribute::text).map(str::to_string);
    let (units, calendar) = match text("units") {
        Some(units) => (units, text("calendar")),
        None => (SECONDS.to_string(), text("calendar").or(Some(PROLEPTIC.to_string()))),
    };
    let wrong = |why: &str| {
        let message = format!("the times of `{name}` cannot be counted so: {why}");
        let help = format!("units of times are such as `days since 2000-01-01` or `{SECONDS}`");
        FormatError { help: Some(help), ..unsupported(Some(name), message) }
    };
    let found = Times::of(&units, calendar.as_deref()).map_err(|e| wrong(&e))?;
    let found = found.ok_or_else(|| wrong(&format!("`{units}` are no units of times")))?;
    attributes.set("units", Attribute::Text(units));
    if let Some(calendar) = calendar {
        attributes.set("calendar", Attribute::Text(calendar));
    }
    Ok(found)
}

const SECONDS: &str = "seconds since 1970-01-01 00:00:00";
const PROLEPTIC: &str = "proleptic_gregorian";

fn variable(request: &WriteRequest, i: usize) -> Result<Variable, FormatError> {
    let (schema, field) = (&request.schema, &request.schema.fields[i]);
    let name = field.name.to_string();
    check_name(&name, "variable")?;
    if field.dtype == DType::Binary {
        return Err(unsupported(Some(&name), format!("`{name}` is of no type that NetCDF has")));
    }
    let coordinate = schema.coordinate(i).is_some();
    if !coordinate && schema.domain.position(&name).is_some() {
        // xarray refuses such a file.
        let message = format!("`{name}` is also a dimension but is not its coordinate");
        let help = format!("give it another name with `rename`, such as `{name}_value`");
        return Err(FormatError { help: Some(help), ..unsupported(Some(&name), message) });
    }
    check_attributes(Some(&name), &field.attributes)?;
    let mask = match !coordinate && broadcast(request)? {
        true => schema.domain.full(),
        false => field.mask,
    };
    let dims: Vec<usize> = mask.iter().take_while(|d| *d < schema.domain.dims.len()).collect();
    let sizes = dims.iter().map(|d| schema.domain.dims[*d].size.unwrap_or(0)).collect();
    let mut attributes = field.attributes.clone();
    let times = match field.dtype {
        DType::Timestamp => Some(times(&name, &mut attributes)?),
        _ => None,
    };
    Ok(Variable {
        times,
        fill: field.nullable && !coordinate && field.dtype != DType::String,
        attributes,
        dtype: field.dtype,
        mask,
        name,
        dims,
        sizes,
        coordinate,
    })
}

fn check_attributes(column: Option<&str>, attributes: &Attributes) -> Result<(), FormatError> {
    const OURS: [&str; 5] =
        ["_FillValue", "missing_value", "scale_factor", "add_offset", "_NCProperties"];
    for (name, _) in &attributes.0 {
        if OURS.contains(&name.as_str()) {
            let message = format!(
                "the attribute `{name}` cannot be given: values are not packed, \
                                   and what marks missing ones is set where it is needed"
            );
            return Err(unsupported(column, message));
        }
        let bad = |c: char| c == '/' || c.is_control();
        if name.is_empty() || name.len() > 255 || name.contains(bad) {
            return Err(unsupported(
                column,
                format!("`{name}` cannot be the name of an attribute"),
            ));
        }
    }
    Ok(())
}

fn way(request: &WriteRequest, codec: Option<Codec>) -> Way {
    let schema = &request.schema;
    let sizes = schema.domain.sizes();
    let texts = schema.fields.iter().any(|f| f.dtype == DType::String);
    // A dimension of size 0 is an unlimited one, which the library keeps in chunks of its own.
    if !schema.domain.is_box() || texts || sizes.contains(&0) {
        return Way::ByLibrary { codec };
    }
    let Some(codec) = codec.filter(|_| !sizes.is_empty()) else { return Way::Placed };
    match request.tiling.as_ref().and_then(|t| chunk_shape(t, &sizes)) {
        Some(shape) => Way::Chunked { shape, codec },
        None => Way::ByLibrary { codec: Some(codec) },
    }
}

/// Points of the largest chunk: 4 MiB of 8-byte values.
const CHUNK_POINTS: u64 = 512 << 10;

/// The shape of a tile, cut evenly where it is larger than a chunk should be; `None` if tiles
/// are cut so unevenly that a chunk would belong to two of them.
fn chunk_shape(tiling: &Tiling, sizes: &[u64]) -> Option<Vec<u64>> {
    let mut shape: Vec<u64> = tiling.largest().iter().map(|n| *n as u64).collect();
    let counts = tiling.counts();
    for i in 0..shape.len() {
        let parts = shape.iter().product::<u64>().div_ceil(CHUNK_POINTS);
        let most = shape[i].div_ceil(parts).max(1);
        // Along a dimension that no tile cuts a chunk need not divide the tile.
        shape[i] = match counts[i] {
            1 => most,
            _ => (1..=most).rev().find(|n| shape[i].is_multiple_of(*n))?,
        };
    }
    let mut step = 1;
    for i in (0..shape.len()).rev() {
        for number in 0..counts[i] {
            let region = tiling.region(number * step);
            let end = region.origin[i] + region.shape[i] as u64;
            if !region.origin[i].is_multiple_of(shape[i])
                || (!end.is_multiple_of(shape[i]) && end != sizes[i])
            {
                return None;
            }
        }
        step *= counts[i];
    }
    Some(shape)
}

/// Shorter runs are copied into a mapping, if the file may be mapped: a system call for each
/// would cost more. For runs of 1.6 KB the page faults of a mapping cost twice the calls.
const SHORT_RUN: usize = 1 << 10;

/// Whether a part of this shape lies in the file in runs that are short, and many.
pub(super) fn short_runs(variable: &Variable, shape: &[usize]) -> bool {
    let run = slab::run_length(&variable.sizes, shape);
    run * variable.width() < SHORT_RUN && run < shape.iter().product()
}

/// Whether a tile of this tiling has a part that lies in short runs.
fn mapped(variables: &[Variable], tiling: Option<&Tiling>) -> bool {
    let Some(largest) = tiling.map(Tiling::largest) else { return false };
    variables.iter().any(|v| {
        let shape: Vec<usize> = v.dims.iter().filter_map(|d| largest.get(*d).copied()).collect();
        shape.len() == v.sizes.len() && short_runs(v, &shape)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Domain;

    #[test]
    fn chunks_divide_tiles() {
        let shape = |sizes: &[u64], tile: &[u64]| {
            let names = ["a", "b", "c"].into_iter();
            let domain = Domain::new(names.zip(sizes.iter().copied()));
            chunk_shape(&Tiling::even(&domain, tile), sizes)
        };
        assert_eq!(shape(&[500, 300, 800], &[1, 300, 800]), Some(vec![1, 300, 800]));
        assert_eq!(shape(&[500, 300, 800], &[4, 300, 800]), Some(vec![2, 300, 800]));
        assert_eq!(shape(&[500, 300, 800], &[7, 300, 800]), Some(vec![1, 300, 800]));
        assert_eq!(shape(&[1, 3000, 800], &[1, 3000, 800]), Some(vec![1, 600, 800]));
        assert_eq!(shape(&[10, 7, 9], &[4, 3, 5]), Some(vec![4, 3, 5]));
        assert_eq!(chunk_shape(&Tiling::at(vec![0, 3, 10, 20]), &[20]), None);
    }
}
