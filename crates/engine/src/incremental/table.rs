//! Kept results as a source of tiles.
use arrow_array::{ArrayRef, UInt64Array};
use arrow_select::take::take;
use base::{Column, DimMask, Domain, Failure, Region, Schema, Tile, Tiling};
use formats::TileSource;

/// Rows of a tile of a table of rows.
const TILE_ROWS: u64 = 1 << 16;

/// Rows, or the points of a box, in memory.
pub(crate) struct Table {
    schema: Schema,
    arrays: Vec<ArrayRef>,
    points: usize,
    cuts: Tiling,
}

impl Table {
    /// Of so many rows; the fields are those of the arrays.
    pub fn rows(schema: &Schema, arrays: Vec<ArrayRef>, rows: usize) -> Table {
        let domain = Domain::new([("row", rows as u64)]);
        let cuts = Tiling::even(&domain, &[TILE_ROWS]);
        Table { schema: Schema { domain, ..schema.clone() }, arrays, points: rows, cuts }
    }

    /// Of a box, each array row-major over all of its dimensions.
    pub fn cells(schema: &Schema, arrays: Vec<ArrayRef>, cuts: &Tiling) -> Table {
        let points = arrays.first().map_or(0, |array| array.len());
        Table { schema: schema.clone(), arrays, points, cuts: cuts.clone() }
    }

    /// How it is cut.
    pub fn cuts(&self) -> &Tiling {
        &self.cuts
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.arrays.len()
    }
}

impl TileSource for Table {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn tiling(&self, _points: u64) -> Option<Tiling> {
        None
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let sizes = self.schema.domain.sizes();
        let (mask, points) = (DimMask::first(sizes.len()), region.points());
        // Where all but the first dimension are whole, the points follow each other.
        let whole = region.shape.iter().zip(&sizes).skip(1).all(|(n, size)| *n as u64 == *size);
        let row: u64 = sizes.iter().skip(1).product();
        let start = region.origin.first().map_or(0, |first| first * row) as usize;
        let places = (!whole).then(|| {
            let Region { origin, shape } = region.clone();
            let tile = Tile { number: 0, origin, shape, columns: Vec::new(), index: None };
            tile.indices(&sizes).values().iter().map(|i| *i as u64).collect::<UInt64Array>()
        });
        let column = |c: &usize| {
            let array = self.arrays.get(*c).ok_or_else(|| Failure::internal("no such column"))?;
            let array = match &places {
                None => array.slice(start, points),
                Some(places) => take(array, places, None)
                    .map_err(|e| Failure::internal(format!("cells of a box: {e}")))?,
            };
            Ok(Column { mask, array })
        };
        columns.iter().map(column).collect()
    }

    fn describe(&self) -> String {
        format!("{} kept points", self.points)
    }
}
