//! Values of tiles as the bytes of an image, and tiles put together to rows.
use super::header::Kind;
use super::layout::Layout;
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_schema::DataType;
use base::Tile;

/// The bytes of a tile's values, row-major.
///
/// # Errors
/// If a value is missing or does not fit: a clause that says where.
pub(super) fn bytes(layout: &Layout, tile: &Tile) -> Result<Vec<u8>, String> {
    let column = tile.columns.get(layout.column).ok_or("the variable is not there")?;
    let array = tile.expand(column).map_err(|e| e.to_string())?;
    if array.null_count() > 0 {
        let at = (0..array.len()).find(|i| array.is_null(*i)).unwrap_or_default();
        let place = place(layout, tile, at);
        return Err(format!("the value {place} is missing: `coalesce` puts another there"));
    }
    let encoded = match array.data_type() {
        DataType::Int32 => encoded(layout, array.as_primitive::<Int32Type>().values()),
        _ => encoded(layout, array.as_primitive::<Int64Type>().values()),
    };
    encoded.map_err(|(at, value)| outside(layout, &place(layout, tile, at), value))
}

/// Values as bytes; or the position of one that does not fit, and that value.
fn encoded<T: Copy + Into<i64>>(layout: &Layout, values: &[T]) -> Result<Vec<u8>, (usize, i64)> {
    let most = layout.most();
    // Whatever is negative or too large has a bit beyond those of the largest value.
    let bits = values.iter().fold(0, |bits, value| bits | (*value).into());
    if bits & !most == 0 {
        return Ok(packed(layout, values.iter().map(|value| (*value).into())));
    }
    if !layout.clip {
        let mut all = values.iter().map(|value| (*value).into()).enumerate();
        return Err(all.find(|(_, value)| value & !most != 0).unwrap_or_default());
    }
    Ok(packed(layout, values.iter().map(|value| (*value).into().clamp(0, most))))
}

/// Values that fit as bytes.
fn packed(layout: &Layout, values: impl Iterator<Item = i64>) -> Vec<u8> {
    match (layout.bits, layout.kind) {
        (8, _) => values.map(|value| value as u8).collect(),
        (_, Kind::Png) => values.flat_map(|value| (value as u16).to_be_bytes()).collect(),
        _ => values.flat_map(|value| (value as u16).to_ne_bytes()).collect(),
    }
}

/// What is said of a value that does not fit.
fn outside(layout: &Layout, place: &str, value: i64) -> String {
    let wider = match layout.bits {
        8 if layout.kind != Kind::Jpeg && (0..=0xffff).contains(&value) => {
            "`bits: 16` holds up to 65535, "
        }
        _ => "",
    };
    let most = layout.most();
    format!(
        "the value {value} {place} is not from 0 to {most}; {wider}`clip: true` takes the nearest \
         that is"
    )
}

/// Where in the image a value of a tile stands.
fn place(layout: &Layout, tile: &Tile, at: usize) -> String {
    let bands = tile.shape.get(2).copied().unwrap_or(1);
    let first = |dim: usize| tile.origin.get(dim).copied().unwrap_or(0) as usize;
    let row = first(0) + at / (tile.shape[1] * bands);
    let column = first(1) + at / bands % tile.shape[1];
    match layout.bands {
        1 => format!("in row {row}, column {column}"),
        _ => format!("in row {row}, column {column}, band {}", first(2) + at % bands),
    }
}

/// Rows that tiles have been put into.
#[derive(Default)]
pub(super) struct Rows {
    first: usize,
    bytes: Vec<u8>,
    /// Bytes that have been put in.
    full: usize,
}

impl Rows {
    /// Puts the bytes of a tile in; gives rows when they are whole. Tiles come by ascending number,
    /// so that all of some rows come before the first of the next.
    pub(super) fn put(&mut self, layout: &Layout, tile: &Tile, bytes: &[u8]) -> Option<Vec<u8>> {
        let (row, size) = (layout.row_bytes(), tile.shape[0] * layout.row_bytes());
        if self.full == 0 {
            self.first = tile.origin[0] as usize;
            self.bytes = vec![0; size];
        }
        let sample = layout.sample_bytes();
        let part = |dim: usize| match tile.shape.get(dim) {
            Some(n) => (tile.origin[dim] as usize, *n),
            None => (0, 1),
        };
        let ((x, columns), (band, bands)) = (part(1), part(2));
        // Values that lie behind each other in the tile and in the image.
        let run = if bands == layout.bands { columns * bands } else { bands } * sample;
        let runs = columns * bands * sample / run;
        for (i, values) in bytes.chunks_exact(run).enumerate() {
            let (line, pixel) = (i / runs, x + i % runs);
            let at = line * row + (pixel * layout.bands + band) * sample;
            self.bytes[at..at + run].copy_from_slice(values);
        }
        self.full += bytes.len();
        (self.full == self.bytes.len()).then(|| {
            self.full = 0;
            std::mem::take(&mut self.bytes)
        })
    }
}
