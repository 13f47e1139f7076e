//! The values of a box of an image, from its decoded rows.
use super::header::Header;
use super::rows::Band;
use super::samples::Values;
use arrow_array::ArrayRef;
use base::Region;

/// The values of a box, whose rows are in these bands.
pub(super) fn values(header: &Header, bands: &[Band], region: &Region) -> ArrayRef {
    let part = Part::of(header, region);
    let mut values = Values::new(header.sample, region.points());
    for band in bands {
        let end = (band.first + band.count).min(part.rows.1);
        for row in band.first.max(part.rows.0)..end {
            let row = &band.bytes[(row - band.first) * header.row_bytes()..];
            part.add(header, &row[..header.row_bytes()], &mut values);
        }
    }
    values.array()
}

/// A box: the first and the end of its rows, columns and bands.
struct Part {
    rows: (usize, usize),
    columns: (usize, usize),
    bands: (usize, usize),
}

impl Part {
    fn of(header: &Header, region: &Region) -> Part {
        let range = |dim: usize| {
            let first = region.origin.get(dim).map_or(0, |o| *o as usize);
            (first, first + region.shape.get(dim).copied().unwrap_or(1))
        };
        let bands = if header.bands == 1 { (0, 1) } else { range(2) };
        Part { rows: range(0), columns: range(1), bands }
    }

    /// Adds what lies in a row.
    fn add(&self, header: &Header, row: &[u8], values: &mut Values) {
        let width = header.sample.width();
        let pixel = header.bands * width;
        let row = &row[self.columns.0 * pixel..self.columns.1 * pixel];
        if self.bands == (0, header.bands) {
            return values.add(header.sample, row);
        }
        for pixel in row.chunks_exact(pixel) {
            values.add(header.sample, &pixel[self.bands.0 * width..self.bands.1 * width]);
        }
    }
}
