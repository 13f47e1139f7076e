//! Rows that wait to be put in order.
use super::column::{self, SortColumn};
use super::gather::Gather;
use super::runs::Runs;
use crate::spill::size;
use arrow_array::{Array, ArrayRef, UInt32Array, UInt64Array, new_empty_array};
use arrow_data::transform::MutableArrayData;
use arrow_schema::ArrowError;
use arrow_select::take::take;
use base::{Column, Failure, Schema, Tile};
use plan::physical::{Order, SortKey};
use std::sync::Arc;

/// So many rows more than needed may gather before they are thrown out.
const SLACK: usize = 1 << 16;

/// Tiles smaller than this are copied before they are kept.
const SMALL: usize = 1 << 18;

/// Rows of many tiles.
pub struct Rows {
    keys: Vec<SortKey>,
    limit: Option<usize>,
    schema: Schema,
    tiles: Vec<Tile>,
    rows: usize,
    /// Bytes of their values.
    bytes: u64,
    pruned: usize,
}

impl Rows {
    /// No rows yet.
    pub fn new(order: &Order, schema: &Schema) -> Rows {
        let limit = order.limit.map(|l| usize::try_from(l).unwrap_or(usize::MAX));
        let (keys, schema) = (order.keys.clone(), schema.clone());
        Rows { keys, limit, schema, tiles: Vec::new(), rows: 0, bytes: 0, pruned: 0 }
    }

    /// Adds the rows of a tile.
    ///
    /// # Errors
    /// If they have no order.
    pub fn push(&mut self, tile: Tile) -> Result<(), Failure> {
        if tile.points() > 0 {
            self.rows += tile.points();
            self.bytes += size(&tile);
            self.tiles.push(tile);
        }
        match self.limit {
            Some(limit) if self.rows - self.pruned >= SLACK.max(limit) => self.prune(),
            _ => Ok(()),
        }
    }

    /// Bytes of memory that it takes to put them in order.
    pub fn weight(&self) -> u64 {
        // One column after the other is put together. For each row the words of its keys, twice
        // the first one with the row, its place.
        let column = self.bytes / self.schema.fields.len().max(1) as u64;
        self.bytes + column + self.rows as u64 * (8 * self.keys.len() as u64 + 36)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Throws out the rows beyond the limit; those that stay are copied.
    ///
    /// # Errors
    /// If they have no order.
    pub fn prune(&mut self) -> Result<(), Failure> {
        let mut stay = self.order()?;
        stay.sort_unstable();
        let (mut stay, mut end) = (&stay[..], 0);
        self.rows = stay.len();
        self.bytes = 0;
        for tile in std::mem::take(&mut self.tiles) {
            let start = end;
            end += tile.points() as u32;
            let (rows, later) = stay.split_at(stay.partition_point(|row| *row < end));
            stay = later;
            if !rows.is_empty() {
                let rows = rows.iter().map(|row| row - start).collect();
                let tile = pick(tile, rows).map_err(internal)?;
                self.bytes += size(&tile);
                self.tiles.push(tile);
            }
        }
        self.pruned = self.rows;
        Ok(())
    }

    /// All tiles, each with its number and its rows in their order.
    pub fn take(&mut self) -> Vec<Tile> {
        (self.rows, self.bytes, self.pruned) = (0, 0, 0);
        std::mem::take(&mut self.tiles)
    }

    /// All rows, up to the limit, in order: by the keys, then by tile number and place. A row is
    /// its place among those of all tiles, which are then in the order of their numbers.
    ///
    /// # Errors
    /// If a key column has no order, or there are too many rows.
    pub fn order(&mut self) -> Result<Vec<u32>, Failure> {
        self.tiles.sort_by_key(|tile| tile.number);
        let rows = u32::try_from(self.rows)
            .map_err(|_| Failure::internal("too many rows for one worker to put in order"))?;
        let columns = columns(&self.keys, &self.tiles)?;
        let mut order: Vec<u32> = (0..rows).collect();
        let limit = self.limit.unwrap_or(usize::MAX);
        if limit == 0 {
            order.clear();
        } else if limit < order.len() {
            order.select_nth_unstable_by(limit - 1, |a, b| {
                let keys = column::compare(&columns, *a as usize, &columns, *b as usize);
                keys.then_with(|| a.cmp(b))
            });
            order.truncate(limit);
            order.sort_unstable();
        }
        column::sort(&mut order, &columns);
        Ok(order)
    }

    /// The columns of all rows, which are then no longer here.
    ///
    /// # Errors
    /// If Arrow cannot put them together.
    pub fn gather(&mut self) -> Result<Vec<Gather>, Failure> {
        let tiles = self.take();
        let mut columns: Vec<Vec<ArrayRef>> = vec![Vec::new(); self.schema.fields.len()];
        for tile in tiles {
            for (column, all) in tile.columns.into_iter().zip(&mut columns) {
                all.push(column.array);
            }
        }
        // One after the other, so that only one is there twice.
        columns.into_iter().map(|arrays| Gather::new(arrays).map_err(internal)).collect()
    }

    /// Writes all rows in order as a run; none are left.
    ///
    /// # Errors
    /// If the disk is full, or they have no order.
    pub fn spill(&mut self, runs: &mut Runs) -> Result<(), Failure> {
        let step = self.rows as u64 * runs.piece() / self.bytes.max(1);
        let order = self.order()?;
        let ends: Vec<(u32, u64)> = (self.tiles.iter())
            .scan(0, |end, tile| {
                *end += tile.points() as u32;
                Some((*end, tile.number))
            })
            .collect();
        let number = |row: &u32| ends[ends.partition_point(|(end, _)| end <= row)].1;
        let columns = self.gather()?;
        runs.begin();
        for rows in order.chunks(step.clamp(1 << 8, 1 << 20) as usize) {
            let numbers: ArrayRef =
                Arc::new(UInt64Array::from_iter_values(rows.iter().map(number)));
            let rows = UInt32Array::from(rows.to_vec());
            let pick = |column: &Gather| column.pick(&rows).map_err(internal);
            let mut columns = columns.iter().map(pick).collect::<Result<Vec<_>, Failure>>()?;
            columns.push(numbers);
            runs.write(&columns)?;
        }
        Ok(())
    }

    /// The columns of no rows.
    pub fn none(&self) -> Vec<ArrayRef> {
        self.schema.fields.iter().map(|f| new_empty_array(&f.dtype.arrow())).collect()
    }
}

/// The columns of some tiles to sort by.
///
/// # Errors
/// If a key has no order.
pub fn columns(keys: &[SortKey], tiles: &[Tile]) -> Result<Vec<SortColumn>, Failure> {
    let missing = || Failure::internal("there is no such column to sort by");
    let one = |key: &SortKey| {
        let array = |tile: &Tile| tile.columns.get(key.column).map(|c| c.array.clone());
        let arrays = tiles.iter().map(|tile| array(tile).ok_or_else(missing));
        SortColumn::new(arrays.collect::<Result<_, Failure>>()?, key.descending)
    };
    keys.iter().map(one).collect()
}

/// The columns of some rows to sort by.
///
/// # Errors
/// If a key has no order.
pub fn columns_of(keys: &[SortKey], rows: &[ArrayRef]) -> Result<Vec<SortColumn>, Failure> {
    let missing = || Failure::internal("there is no such column to sort by");
    let one = |key: &SortKey| {
        let array = rows.get(key.column).ok_or_else(missing)?;
        SortColumn::new(vec![array.clone()], key.descending)
    };
    keys.iter().map(one).collect()
}

/// Some rows of a tile.
///
/// # Errors
/// Never, for the types that columns have.
pub fn pick(tile: Tile, rows: Vec<u32>) -> Result<Tile, ArrowError> {
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

/// What is wrong with Arrow.
pub fn internal(error: ArrowError) -> Failure {
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
        if order.is_empty() {
            return Vec::new();
        }
        let columns = rows.gather().unwrap();
        let column = columns[2].pick(&UInt32Array::from(order)).unwrap();
        column.as_primitive::<Int64Type>().values().to_vec()
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
