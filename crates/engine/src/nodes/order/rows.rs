//! Rows that wait to be put in order.
use super::rank::Ranks;
use arrow_array::{Array, ArrayRef, UInt32Array, new_empty_array};
use arrow_data::transform::MutableArrayData;
use arrow_schema::ArrowError;
use arrow_select::interleave::interleave;
use arrow_select::take::take;
use base::{Column, Failure, Schema, Tile};
use plan::physical::{Order, SortKey};
use std::cmp::Ordering;

/// So many rows more than needed may gather before they are thrown out.
const SLACK: usize = 1 << 16;

/// Tiles smaller than this are copied before they are kept.
const SMALL: usize = 1 << 18;

/// A row: the position of its tile, and its place in it.
pub type Place = (u32, u32);

/// Rows of many tiles.
pub struct Rows {
    keys: Vec<SortKey>,
    limit: Option<usize>,
    schema: Schema,
    tiles: Vec<Tile>,
    rows: usize,
    pruned: usize,
}

impl Rows {
    /// No rows yet.
    pub fn new(order: &Order, schema: &Schema) -> Rows {
        let limit = order.limit.map(|l| usize::try_from(l).unwrap_or(usize::MAX));
        let (keys, schema) = (order.keys.clone(), schema.clone());
        Rows { keys, limit, schema, tiles: Vec::new(), rows: 0, pruned: 0 }
    }

    /// Adds the rows of a tile.
    ///
    /// # Errors
    /// If they have no order.
    pub fn push(&mut self, tile: Tile) -> Result<(), Failure> {
        if tile.points() > 0 {
            self.rows += tile.points();
            self.tiles.push(tile);
        }
        match self.limit {
            Some(limit) if self.rows - self.pruned >= SLACK.max(limit) => self.prune(),
            _ => Ok(()),
        }
    }

    /// Throws out the rows beyond the limit; those that stay are copied.
    ///
    /// # Errors
    /// If they have no order.
    pub fn prune(&mut self) -> Result<(), Failure> {
        let mut stay: Vec<Vec<u32>> = vec![Vec::new(); self.tiles.len()];
        for (tile, row) in self.order()? {
            stay[tile as usize].push(row);
        }
        let tiles = std::mem::take(&mut self.tiles);
        self.rows = 0;
        for (tile, mut rows) in tiles.into_iter().zip(stay).filter(|(_, rows)| !rows.is_empty()) {
            rows.sort_unstable();
            self.rows += rows.len();
            self.tiles.push(pick(tile, rows).map_err(internal)?);
        }
        self.pruned = self.rows;
        Ok(())
    }

    /// All tiles, each with its number and its rows in their order.
    pub fn take(&mut self) -> Vec<Tile> {
        self.rows = 0;
        self.pruned = 0;
        std::mem::take(&mut self.tiles)
    }

    /// All rows, up to the limit, in order: by the keys, then by tile number and place.
    ///
    /// # Errors
    /// If a key column has no order, or there are too many rows.
    pub fn order(&mut self) -> Result<Vec<Place>, Failure> {
        self.tiles.sort_by_key(|tile| tile.number);
        let mut places: Vec<Place> = Vec::with_capacity(self.rows);
        for (i, tile) in self.tiles.iter().enumerate() {
            let (i, rows) = (u32::try_from(i), u32::try_from(tile.points()));
            let (Ok(i), Ok(rows)) = (i, rows) else {
                return Err(Failure::internal("too many rows to put in order"));
            };
            places.extend((0..rows).map(|row| (i, row)));
        }
        let ranks = self.ranks()?;
        let limit = self.limit.unwrap_or(usize::MAX).min(places.len());
        if let [ranks] = &ranks[..]
            && ranks.iter().all(|r| matches!(r, Ranks::Words(_)))
        {
            let word = |place: &Place| match &ranks[place.0 as usize] {
                Ranks::Words(words) => words[place.1 as usize],
                Ranks::Texts(_) => 0,
            };
            let mut pairs: Vec<(u128, Place)> = places.iter().map(|p| (word(p), *p)).collect();
            first(&mut pairs, limit, Ord::cmp);
            return Ok(pairs.into_iter().map(|(_, place)| place).collect());
        }
        first(&mut places, limit, |a, b| {
            let key = |(key, ranks): (&SortKey, &Vec<Ranks>)| {
                let (x, y) = (&ranks[a.0 as usize], &ranks[b.0 as usize]);
                x.compare(a.1 as usize, y, b.1 as usize, key.descending)
            };
            let order = self.keys.iter().zip(&ranks).map(key).find(|o| o.is_ne());
            order.unwrap_or(Ordering::Equal).then_with(|| a.cmp(b))
        });
        Ok(places)
    }

    /// For each key the ranks of each tile.
    fn ranks(&self) -> Result<Vec<Vec<Ranks>>, Failure> {
        let one = |key: &SortKey| {
            let column = |tile: &Tile| match tile.columns.get(key.column) {
                Some(column) => Ranks::new(&column.array, key.descending),
                None => Err(Failure::internal("there is no such column to sort by")),
            };
            self.tiles.iter().map(column).collect()
        };
        self.keys.iter().map(one).collect()
    }

    /// The columns of these rows.
    ///
    /// # Errors
    /// If Arrow cannot make an array of them.
    pub fn pick(&self, places: &[Place]) -> Result<Vec<ArrayRef>, Failure> {
        if places.is_empty() {
            return Ok(self.none());
        }
        let places: Vec<(usize, usize)> =
            places.iter().map(|(tile, row)| (*tile as usize, *row as usize)).collect();
        let column = |i: usize| {
            let arrays: Vec<&dyn Array> =
                self.tiles.iter().map(|tile| &*tile.columns[i].array).collect();
            interleave(&arrays, &places).map_err(internal)
        };
        (0..self.schema.fields.len()).map(column).collect()
    }

    /// The columns of no rows.
    pub fn none(&self) -> Vec<ArrayRef> {
        self.schema.fields.iter().map(|f| new_empty_array(&f.dtype.arrow())).collect()
    }
}

/// Leaves the first `limit` items, in order.
fn first<T>(items: &mut Vec<T>, limit: usize, compare: impl Fn(&T, &T) -> Ordering) {
    if limit == 0 {
        items.clear();
    } else if limit < items.len() {
        items.select_nth_unstable_by(limit - 1, &compare);
        items.truncate(limit);
    }
    items.sort_unstable_by(compare);
}

fn pick(tile: Tile, rows: Vec<u32>) -> Result<Tile, ArrowError> {
    let shape = vec![rows.len()];
    let rows = UInt32Array::from(rows);
    let columns = tile.columns.iter().map(|c| Ok(take(&c.array, &rows, None)?.into()));
    let columns = columns.collect::<Result<Vec<Column>, ArrowError>>()?;
    Ok(Tile { shape, columns, ..tile })
}

/// The tile, copied if it is small: it may be a slice of a large message.
///
/// # Errors
/// Never, for the types that columns have.
pub fn compact(tile: Tile) -> Result<Tile, Failure> {
    let wide: usize = tile.columns.iter().map(|c| c.array.get_buffer_memory_size()).sum();
    if tile.points() * 8 * tile.columns.len() >= SMALL && wide >= SMALL {
        return Ok(tile);
    }
    let copy = |c: &Column| {
        let data = c.array.to_data();
        let mut copy = MutableArrayData::new(vec![&data], false, data.len());
        copy.try_extend(0, 0, data.len()).map_err(internal)?;
        Ok(Column { mask: c.mask, array: arrow_array::make_array(copy.freeze()) })
    };
    let columns = tile.columns.iter().map(copy).collect::<Result<_, Failure>>()?;
    Ok(Tile { columns, ..tile })
}

fn internal(error: ArrowError) -> Failure {
    Failure::internal(format!("rows cannot be put in order: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Float64Array, Int64Array, StringArray};
    use base::{DType, DimMask, Domain, Field};
    use std::sync::Arc;

    fn schema() -> Schema {
        let field = |name: &str, dtype| Field::new(name, dtype, DimMask::only(0));
        let fields =
            vec![field("x", DType::Float64), field("s", DType::String), field("n", DType::Int64)];
        Schema { domain: Domain::rows(), fields, ..Schema::default() }
    }

    fn tile(number: u64, x: Vec<Option<f64>>, s: Vec<Option<&str>>, first: i64) -> Tile {
        let shape = vec![x.len()];
        let n = Int64Array::from_iter_values(first..first + x.len() as i64);
        let arrays: [ArrayRef; 3] =
            [Arc::new(Float64Array::from(x)), Arc::new(StringArray::from(s)), Arc::new(n)];
        let columns = arrays.into_iter().map(Into::into).collect();
        Tile { number, origin: vec![0], shape, columns, index: None }
    }

    fn sorted(keys: &[(usize, bool)], limit: Option<u64>) -> Vec<i64> {
        let keys = keys.iter().map(|(column, d)| SortKey { column: *column, descending: *d });
        let order = Order { keys: keys.collect(), limit, tile_rows: 10 };
        let mut rows = Rows::new(&order, &schema());
        let nan = f64::NAN;
        rows.push(tile(1, vec![Some(0.0), None, Some(nan)], vec![Some("b"), None, Some("a")], 3))
            .unwrap();
        rows.push(tile(0, vec![Some(2.0), Some(-0.0), Some(-1.0)], vec![Some("b"); 3], 0)).unwrap();
        if limit.is_some() {
            rows.prune().unwrap();
        }
        let order = rows.order().unwrap();
        let columns = rows.pick(&order).unwrap();
        columns[2].as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn nan_then_missing_come_last_and_ties_keep_their_place() {
        assert_eq!(sorted(&[(0, false)], None), [2, 1, 3, 0, 5, 4]);
        assert_eq!(sorted(&[(0, true)], None), [0, 1, 3, 2, 5, 4]);
        assert_eq!(sorted(&[(1, false)], None), [5, 0, 1, 2, 3, 4]);
        assert_eq!(sorted(&[(1, true), (0, true)], None), [0, 1, 3, 2, 5, 4]);
        assert_eq!(sorted(&[], None), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn the_first_rows_only() {
        assert_eq!(sorted(&[(0, false)], Some(3)), [2, 1, 3]);
        assert_eq!(sorted(&[(1, false), (0, false)], Some(2)), [5, 2]);
        assert_eq!(sorted(&[(0, false)], Some(0)), [0i64; 0]);
        assert_eq!(sorted(&[(0, false)], Some(99)).len(), 6);
    }

    #[test]
    fn small_tiles_are_copied() {
        let whole = tile(0, vec![Some(1.0); 100_000], vec![None; 100_000], 0);
        let one = pick(whole, vec![7]).unwrap();
        let sliced = Tile {
            columns: one.columns.iter().map(|c| c.array.slice(0, 1).into()).collect(),
            ..one
        };
        let copy = compact(sliced.clone()).unwrap();
        assert_eq!(&copy.columns[2].array, &sliced.columns[2].array);
    }
}
