//! Tiles of the left in files, and the answers about them, where these come late; then they are put
//! together, one after the other, by ascending number.
//!
//! Answers come in the order of the keys' hashes. They are written to groups of tiles that follow
//! each other, each small enough to be read at once.
use super::room::Room;
use super::whole::whole;
use super::{columns, internal};
use crate::spill::{Budget, Chunk, Store, joined, width};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{ArrayRef, Int64Array, UInt32Array, UInt64Array, new_empty_array};
use arrow_schema::DataType;
use arrow_select::take::take;
use base::{Failure, Tile};
use plan::physical::Join;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a chunk before it is compressed.
const CHUNK: usize = 1 << 18;
/// So many bytes of answers are spread over the groups at once.
const PENDING: usize = 1 << 22;
/// A group that is too large is split into so many, if it has as many tiles.
const SPLIT: usize = 16;

/// Tiles that wait, and answers about them.
pub struct Later {
    /// Of the columns of tiles as they are kept.
    join: Join,
    /// The columns that are kept.
    left: Vec<usize>,
    store: Store,
    tiles: BTreeMap<u64, Held>,
    /// Ascending; the first one has all tiles before it, too.
    groups: VecDeque<Group>,
    /// Answers: the tile (uint64), its rows (uint32), and columns of the right.
    pending: Vec<Vec<ArrayRef>>,
    pending_bytes: usize,
    /// The greatest number of a tile that answers in the groups are about.
    answered: u64,
    /// Bytes that a group should have.
    part: u64,
    room: Room,
    /// Tiles whose answers have been read.
    ready: VecDeque<(u64, Vec<ArrayRef>)>,
}

/// A tile without its columns, and where they are; with them, if there is nothing to write.
struct Held {
    tile: Tile,
    indexed: bool,
    chunks: Vec<Chunk>,
}

/// Tiles of neighbouring numbers.
struct Group {
    first: u64,
    /// Bytes of its tiles, and of the answers that they are likely to get.
    expected: u64,
    bytes: u64,
    answers: Vec<Chunk>,
}

impl Group {
    fn new(first: u64) -> Group {
        Group { first, expected: 0, bytes: 0, answers: Vec::new() }
    }
}

impl Later {
    /// Nothing yet, for one of so many workers of a process.
    pub fn new(join: &Join, budget: &Arc<Budget>, workers: usize) -> Later {
        let left = (0..join.left.len()).collect();
        Later {
            join: Join { left, ..join.clone() },
            left: join.left.clone(),
            store: Store::of(budget, CHUNK),
            tiles: BTreeMap::new(),
            groups: [Group::new(0)].into(),
            pending: Vec::new(),
            pending_bytes: 0,
            answered: 0,
            part: budget.part(workers),
            room: Room::new(join, budget, workers),
            ready: VecDeque::new(),
        }
    }

    /// Keeps a tile, rows of the left.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn keep(&mut self, tile: Tile) -> Result<(), Failure> {
        let (number, rows) = (tile.number, tile.points() as u64);
        let mut kept = columns(&tile, &self.left)?;
        let right = self.join.right.iter().map(|i| self.join.right_types[*i].width() as u64);
        let bytes: usize = kept.iter().map(width).sum();
        let expected = bytes as u64 + rows * (12 + right.sum::<u64>());
        let indexed = tile.index.is_some();
        kept.extend(tile.index.map(|index| Arc::new(index) as ArrayRef));
        let chunks = self.store.write(&kept)?;
        let columns = if chunks.is_empty() { kept } else { Vec::new() };
        let columns = columns.into_iter().map(Into::into).collect();
        let tile = Tile { columns, index: None, ..tile };
        let last = self.tiles.last_key_value().map_or(0, |(last, _)| *last).max(self.answered);
        self.tiles.insert(number, Held { tile, indexed, chunks });
        // A tile stays in the group that its answers may be in already.
        if number > last && self.groups.back().is_some_and(|group| group.expected >= self.part) {
            self.groups.push_back(Group::new(number));
        }
        let group = group_of(&self.groups, number);
        self.groups[group].expected += expected;
        Ok(())
    }

    /// Keeps an answer about one tile: its rows, and columns of the right.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn answer(&mut self, tile: u64, mut answer: Vec<ArrayRef>) -> Result<(), Failure> {
        let rows = answer.first().map_or(0, |c| c.len());
        answer.insert(0, Arc::new(UInt64Array::from(vec![tile; rows])));
        self.answers(answer)
    }

    /// Keeps answers about many tiles: the tile, its rows, and columns of the right.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn answers(&mut self, answers: Vec<ArrayRef>) -> Result<(), Failure> {
        self.pending_bytes += answers.iter().map(width).sum::<usize>();
        self.pending.push(answers);
        if self.pending_bytes >= PENDING.min(self.part as usize) { self.spread() } else { Ok(()) }
    }

    /// Writes what is pending to the groups.
    fn spread(&mut self) -> Result<(), Failure> {
        self.pending_bytes = 0;
        let all = joined(std::mem::take(&mut self.pending))?;
        self.answered = tiles_of(&all)?.iter().copied().fold(self.answered, u64::max);
        write(&all, &mut self.groups, &mut self.store)
    }

    /// Whether a tile in a range waits.
    pub fn waits(&self, numbers: &Range<u64>) -> bool {
        self.tiles.range(numbers.clone()).next().is_some()
    }

    /// When all has been said: the next tile with all that matches it.
    ///
    /// # Errors
    /// If the disk fails, or the answers are about something else.
    pub fn next(&mut self, most: u64) -> Result<Option<Tile>, Failure> {
        if !self.pending.is_empty() {
            self.spread()?;
        }
        while self.ready.is_empty() {
            let Some(group) = self.groups.pop_front() else { return Ok(None) };
            self.read(group)?;
        }
        let Some((number, answer)) = self.ready.pop_front() else { return Ok(None) };
        let held = self.tiles.remove(&number).ok_or_else(foreign)?;
        let tile = self.restore(held)?;
        whole(&self.join, &tile, &[answer], most, self.room).map(Some)
    }

    fn restore(&self, held: Held) -> Result<Tile, Failure> {
        let Held { mut tile, indexed, chunks } = held;
        if !chunks.is_empty() {
            let pieces = chunks.into_iter().map(|chunk| self.store.read(chunk));
            let columns = joined(pieces.collect::<Result<_, _>>()?)?;
            tile.columns = columns.into_iter().map(Into::into).collect();
        }
        if indexed {
            let index = tile.columns.pop();
            let index = index.as_ref().and_then(|index| index.array.as_primitive_opt());
            tile.index = Some(Int64Array::clone(index.ok_or_else(foreign)?));
        }
        Ok(tile)
    }

    /// Reads a group, or splits it if it is too large.
    fn read(&mut self, group: Group) -> Result<(), Failure> {
        let end = self.groups.front().map_or(u64::MAX, |next| next.first);
        let numbers: Vec<u64> = self.tiles.range(..end).map(|(number, _)| *number).collect();
        if group.bytes > 2 * self.part && numbers.len() > 1 {
            let step = numbers.len().div_ceil(SPLIT);
            let mut finer = numbers.iter().step_by(step).map(|n| Group::new(*n)).collect();
            for chunk in group.answers {
                let answers = self.store.read(chunk)?;
                write(&answers, &mut finer, &mut self.store)?;
            }
            while let Some(group) = finer.pop_back() {
                self.groups.push_front(group);
            }
            return Ok(());
        }
        let pieces = group.answers.into_iter().map(|chunk| self.store.read(chunk));
        let mut answers = joined(pieces.collect::<Result<Vec<_>, _>>()?)?;
        if answers.is_empty() {
            let right = self.join.right.iter().map(|i| self.join.right_types[*i].arrow());
            let types = [DataType::UInt64, DataType::UInt32].into_iter().chain(right);
            answers.extend(types.map(|t| new_empty_array(&t)));
        }
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); numbers.len()];
        for (row, tile) in tiles_of(&answers)?.iter().enumerate() {
            let at = numbers.binary_search(tile).map_err(|_| foreign())?;
            rows[at].push(row as u32);
        }
        for (number, rows) in numbers.into_iter().zip(rows) {
            let rows = UInt32Array::from(rows);
            let own = answers[1..].iter().map(|c| take(c, &rows, None).map_err(internal));
            self.ready.push_back((number, own.collect::<Result<_, _>>()?));
        }
        Ok(())
    }
}

/// The group of a tile.
fn group_of(groups: &VecDeque<Group>, tile: u64) -> usize {
    groups.partition_point(|group| group.first <= tile).saturating_sub(1)
}

/// Writes answers to their groups.
fn write(
    answers: &[ArrayRef],
    groups: &mut VecDeque<Group>,
    store: &mut Store,
) -> Result<(), Failure> {
    let mut rows: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (row, tile) in tiles_of(answers)?.iter().enumerate() {
        rows.entry(group_of(groups, *tile)).or_default().push(row as u32);
    }
    for (group, rows) in rows {
        let rows = UInt32Array::from(rows);
        let own = answers.iter().map(|c| take(c, &rows, None).map_err(internal));
        let own = own.collect::<Result<Vec<_>, Failure>>()?;
        let group = &mut groups[group];
        group.bytes += own.iter().map(width).sum::<usize>() as u64;
        group.answers.extend(store.write(&own)?);
    }
    Ok(())
}

/// The tile of each answer.
fn tiles_of(answers: &[ArrayRef]) -> Result<&[u64], Failure> {
    let tiles = answers.first().and_then(|tiles| tiles.as_primitive_opt::<UInt64Type>());
    tiles.map(|tiles| &tiles.values()[..]).ok_or_else(foreign)
}

fn foreign() -> Failure {
    Failure::internal("an answer about a tile that is not there")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::spill::Folder;
    use arrow_array::types::Int64Type;
    use base::DType;
    use plan::physical::How;

    type Values = Vec<Option<i64>>;

    /// A tile of rows whose one column is ten times their index.
    fn tile(number: u64, first: i64, rows: i64) -> Tile {
        let values = Int64Array::from_iter_values((first..first + rows).map(|i| i * 10));
        let index = Some(Int64Array::from_iter_values(first..first + rows));
        let columns = vec![(Arc::new(values) as ArrayRef).into()];
        Tile { number, origin: vec![0], shape: vec![rows as usize], columns, index }
    }

    #[test]
    fn tiles_come_by_number_with_all_their_matches() {
        let join = Join {
            how: How::Left,
            keys: vec![0],
            types: vec![DType::Int64],
            left: vec![0],
            right: vec![1],
            right_types: vec![DType::Int64, DType::Int64],
            sizes: vec![1 << 20],
            keep_index: true,
        };
        let budget = Budget::new(0, Folder::new(std::env::temp_dir()));
        for rows in [1, 40_000] {
            let mut later = Later::new(&join, &budget, 1);
            // Tile 7 has no rows; an answer about tile 9 comes before it.
            let answer = |row: u32, n: i64| -> Vec<ArrayRef> {
                vec![Arc::new(UInt32Array::from(vec![row])), Arc::new(Int64Array::from(vec![n]))]
            };
            for (number, first) in [(2, 0), (5, rows), (4, 2 * rows), (7, 3 * rows)] {
                let count = if number == 7 { 0 } else { rows };
                later.keep(tile(number, first, count)).unwrap();
            }
            assert!(later.waits(&(3..5)) && !later.waits(&(8..9)));
            later.answer(9, answer(0, 90)).unwrap();
            later.spread().unwrap();
            later.answer(4, answer(0, 40)).unwrap();
            later.answer(4, answer(0, 41)).unwrap();
            later.keep(tile(9, 4 * rows, rows)).unwrap();
            let mut found = Vec::new();
            while let Some(tile) = later.next(2).unwrap() {
                let column = |i: usize| {
                    let array = &tile.columns[i].array;
                    array.as_primitive::<Int64Type>().iter().take(2).collect::<Vec<_>>()
                };
                let index = tile.index.as_ref().unwrap().values().first().copied();
                found.push((tile.number, tile.points() as i64, column(0), column(1), index));
            }
            let two = |first: i64| (0..rows.min(2)).map(|i| Some((first + i) * 10)).collect();
            let none: Values = vec![None; rows.min(2) as usize];
            let most = |first: i64| Some(first * 2);
            let mut nine = none.clone();
            nine[0] = Some(90);
            let wanted: [(u64, i64, Values, Values, Option<i64>); 5] = [
                (2, rows, two(0), none.clone(), most(0)),
                (4, rows + 1, vec![Some(20 * rows); 2], vec![Some(40), Some(41)], most(2 * rows)),
                (5, rows, two(rows), none, most(rows)),
                (7, 0, vec![], vec![], None),
                (9, rows, two(4 * rows), nine, most(4 * rows)),
            ];
            assert_eq!(found, wanted);
        }
    }
}
