//! `Task`: something for each row, side by side.
//!
//! Rows of a tile are handed to the lane of the process, and the tile lets go of its credit: what
//! bounds the rows that wait is the stage itself, which takes no more tiles when it has enough.
//! A tile goes on when all of its rows have ended, with the number it came with: so who did what,
//! and when, cannot show.
use super::{Context, Out, Stage, to_rows};
use crate::credit::Wake;
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::watch::Watch;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, UInt32Array,
    new_null_array,
};
use arrow_select::concat::concat;
use arrow_select::filter::filter;
use arrow_select::take::take;
use base::{Code, Column, DimMask, Failure, Schema, Tile, Warning};
use plan::physical::{OnError, Task};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use tasks::lane::{Inbox, Lane};
use tasks::{Answer, Rows, Work};

/// Starts that wait in a worker for each that may be in flight: the next ones are at hand.
const AHEAD: usize = 2;
/// And so many more.
const SOME: usize = 16;
/// A worker holds no more rows than this, answered or not: one that takes long holds up all behind
/// it, if their order is kept.
const MOST_ROWS: usize = 1 << 16;
/// Rows that one row becomes keep apart in the index: so many of them at most.
const MOST_OF_ONE: i64 = 1 << 20;

/// What the workers of a process have together.
pub struct Shared {
    lane: Arc<Lane>,
    work: Arc<dyn Work>,
    /// Starts in flight in this process.
    limit: usize,
    /// Rows that have been given on, where only the first are wanted.
    given: AtomicU64,
}

impl Shared {
    /// The lane of a process.
    pub fn new(lane: Arc<Lane>, work: Arc<dyn Work>, limit: usize) -> Shared {
        Shared { lane, work, limit, given: AtomicU64::new(0) }
    }
}

/// How many starts a process may have in flight: its part of those of all processes together.
pub fn share(concurrency: Option<usize>, place: Place) -> usize {
    let (process, processes) = (place.process_of(place.worker), place.processes());
    match concurrency {
        None => place.threads,
        Some(all) => (all / processes + usize::from(process < all % processes)).max(1),
    }
}

/// How many processes do something.
pub fn processes(task: &Task, place: Place) -> usize {
    let most = if task.first.is_some() { Some(1) } else { task.concurrency };
    place.processes().min(most.unwrap_or(usize::MAX)).max(1)
}

/// A tile some of whose rows may not have ended.
struct Held {
    tile: Tile,
    answers: Vec<Option<Answer>>,
    open: usize,
}

/// The stage.
pub struct Tasks {
    task: Task,
    /// Of the tiles that come in.
    before: Schema,
    /// Of those that go out.
    schema: Schema,
    shared: Arc<Shared>,
    watch: Arc<Watch>,
    step: String,
    /// Most starts that this worker has waiting and in flight.
    most: usize,
    state: RefCell<State>,
    sequence: u64,
}

/// What changes while others look.
#[derive(Default)]
struct State {
    inbox: Option<Arc<Inbox>>,
    held: BTreeMap<(u64, u64), Held>,
    /// For each start the tile, and which of its starts.
    tickets: HashMap<u64, ((u64, u64), usize)>,
    next: u64,
    rows: usize,
}

impl State {
    /// Takes the answers that have come.
    fn collect(&mut self) {
        let Some(inbox) = &self.inbox else { return };
        for (ticket, answer) in inbox.take() {
            let Some((tile, start)) = self.tickets.remove(&ticket) else { continue };
            if let Some(held) = self.held.get_mut(&tile) {
                held.answers[start] = answer;
                held.open -= 1;
            }
        }
    }

    /// The next tile that may go on.
    fn ready(&self, any: bool, enough: bool) -> Option<(u64, u64)> {
        let done = |held: &Held| held.open == 0 || enough;
        match any {
            true => self.held.iter().find(|(_, held)| done(held)).map(|(key, _)| *key),
            false => self.held.first_key_value().filter(|(_, held)| done(held)).map(|(k, _)| *k),
        }
    }
}

impl Tasks {
    /// For one worker.
    pub fn new(
        task: &Task,
        before: &Schema,
        schema: &Schema,
        step: &str,
        shared: Arc<Shared>,
        cx: &Context,
    ) -> Tasks {
        let most = (shared.limit * AHEAD).div_ceil(cx.place.threads) + SOME;
        Tasks {
            task: task.clone(),
            before: before.clone(),
            schema: schema.clone(),
            shared,
            watch: cx.watch.clone(),
            step: step.to_owned(),
            most,
            state: RefCell::default(),
            sequence: 0,
        }
    }

    fn is_over(&self) -> bool {
        self.watch.draining() || self.shared.lane.is_enough()
    }

    fn ready(&self) -> Option<(u64, u64)> {
        let mut state = self.state.borrow_mut();
        state.collect();
        state.ready(self.task.any_order, self.shared.lane.is_enough())
    }

    /// A tile with what has come of its rows.
    fn made(&self, held: Held) -> Result<Tile, Failure> {
        let Held { tile, answers, .. } = held;
        let batch = self.shared.work.batch().max(1);
        let counts: Vec<usize> = starts(tile.points(), batch).map(|(_, n)| n).collect();
        if self.task.on_error == OnError::Stop {
            self.stopped(&tile, &answers, batch)?;
        }
        self.warn(&answers);
        self.watch.warn(self.shared.work.met());
        let (mut repeats, mut parts) = (Vec::new(), Vec::new());
        let mut errors: Vec<Option<String>> = Vec::new();
        let mut known = Vec::new();
        for (answer, rows) in answers.into_iter().zip(counts) {
            known.extend(std::iter::repeat_n(answer.is_some(), rows));
            let answer = answer.unwrap_or_default();
            let each = match answer.repeats {
                Some(each) if each.len() == rows => each,
                _ => vec![1; rows],
            };
            let all: usize = each.iter().map(|n| *n as usize).sum();
            let error = |row: usize| answer.errors.get(row).cloned().flatten();
            for (row, n) in each.iter().enumerate() {
                errors.extend(std::iter::repeat_n(error(row), *n as usize));
            }
            let fields = self.shared.work.fields();
            let columns = match answer.columns.len() == fields.len() {
                true => answer.columns,
                false => fields.iter().map(|f| new_null_array(&f.dtype.arrow(), all)).collect(),
            };
            repeats.extend(each);
            parts.push(columns);
        }
        let tile = match self.task.many {
            true => repeated(tile, &repeats, &self.task)?,
            false => tile,
        };
        let tile = self.with(tile, &parts, errors)?;
        match self.task.first {
            Some(first) => self.first(tile, &known, &repeats, first),
            None => Ok(tile),
        }
    }

    /// The columns that go on, and those that were made.
    fn with(
        &self,
        tile: Tile,
        parts: &[Vec<ArrayRef>],
        errors: Vec<Option<String>>,
    ) -> Result<Tile, Failure> {
        let mask = DimMask::first(tile.shape.len());
        let mut columns: Vec<Column> =
            self.task.keep.iter().map(|i| tile.columns[*i].clone()).collect();
        for (i, field) in self.shared.work.fields().iter().enumerate() {
            let pieces: Vec<&dyn Array> = parts.iter().map(|part| part[i].as_ref()).collect();
            let array = match pieces.is_empty() {
                true => new_null_array(&field.dtype.arrow(), 0),
                false => concat(&pieces).map_err(internal)?,
            };
            if array.len() != tile.points() || *array.data_type() != field.dtype.arrow() {
                let message = format!("`{}` has other values than were promised", field.name);
                return Err(Failure::internal(message));
            }
            columns.push(Column { mask, array });
        }
        if self.task.on_error != OnError::Stop {
            let any = errors.iter().any(Option::is_some);
            let array: ArrayRef = match any {
                true => Arc::new(StringArray::from(errors)),
                false => new_null_array(&arrow_schema::DataType::Utf8, errors.len()),
            };
            columns.push(Column { mask, array });
        }
        debug_assert_eq!(columns.len(), self.schema.fields.len());
        Ok(Tile { columns, ..tile })
    }

    /// Of rows that have ended well those that are still wanted.
    fn first(
        &self,
        tile: Tile,
        known: &[bool],
        repeats: &[u32],
        first: u64,
    ) -> Result<Tile, Failure> {
        let failed = (self.task.on_error != OnError::Stop).then(|| tile.columns.last()).flatten();
        let mut keep = Vec::with_capacity(tile.points());
        for (known, n) in known.iter().zip(repeats) {
            let good = *known && failed.is_none_or(|column| column.array.is_null(keep.len()));
            let wanted = good && self.shared.given.fetch_add(1, SeqCst) < first;
            keep.extend(std::iter::repeat_n(wanted, *n as usize));
        }
        let keep = BooleanArray::from(keep);
        let tile = to_rows(tile)?;
        let column = |c: &Column| Ok(Column { array: filter(&c.array, &keep)?, ..c.clone() });
        let columns = tile.columns.iter().map(column).collect::<Result<Vec<_>, _>>();
        let shape = vec![keep.true_count()];
        Ok(Tile { columns: columns.map_err(internal)?, shape, index: None, ..tile })
    }

    /// The failure of the first row that failed, if one did.
    fn stopped(
        &self,
        tile: &Tile,
        answers: &[Option<Answer>],
        batch: usize,
    ) -> Result<(), Failure> {
        let failed = answers.iter().enumerate().find_map(|(start, answer)| {
            let errors = &answer.as_ref()?.errors;
            let row = errors.iter().position(Option::is_some)?;
            Some((start * batch + row, errors[row].clone()?))
        });
        match failed {
            None => Ok(()),
            Some((row, why)) => {
                let rows = tile.to_batch(&self.before).map_err(internal)?;
                let failure = Failure::data(why);
                Err(failure.context(format!("the row {}", row_text(&rows, row))))
            }
        }
    }

    fn warn(&self, answers: &[Option<Answer>]) {
        let errors = answers.iter().flatten().flat_map(|answer| &answer.errors);
        let failed = errors.flatten().count() as u64;
        if failed == 0 {
            return;
        }
        let what = match self.task.on_error {
            OnError::Keep => "the column `error` says why",
            OnError::Skip | OnError::Stop => "left out",
        };
        let message = format!("{{n}} row{{s}} failed in step `{}`: {what}", self.step);
        self.watch.warn([Warning::new(Code::RowsFailed, message).count(failed)]);
    }
}

impl Stage for Tasks {
    fn wake_by(&mut self, wake: Wake) {
        self.state.borrow_mut().inbox = Some(Inbox::new(wake));
    }

    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        if self.is_over() {
            return Ok(());
        }
        let tile = parcel.tile;
        let batch = Arc::new(tile.to_batch(&self.before).map_err(internal)?);
        let key = (tile.number, self.sequence);
        self.sequence += 1;
        let mut state = self.state.borrow_mut();
        let Some(inbox) = state.inbox.clone() else {
            return Err(Failure::internal("a task has no way to be woken"));
        };
        let starts: Vec<(usize, usize)> =
            starts(tile.points(), self.shared.work.batch().max(1)).collect();
        let held = Held { tile, answers: vec![None; starts.len()], open: starts.len() };
        state.rows += held.tile.points();
        state.held.insert(key, held);
        for (start, (first, count)) in starts.into_iter().enumerate() {
            let ticket = state.next;
            state.next += 1;
            state.tickets.insert(ticket, (key, start));
            self.shared.lane.start(ticket, Rows { batch: batch.clone(), first, count }, &inbox);
        }
        Ok(())
    }

    fn full(&self) -> bool {
        if self.watch.draining() {
            return false;
        }
        if self.ready().is_some() {
            return true;
        }
        let state = self.state.borrow();
        state.tickets.len() >= self.most || state.rows >= MOST_ROWS
    }

    fn waits(&self) -> bool {
        self.ready().is_none() && !self.state.borrow().held.is_empty()
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        let Some(key) = self.ready() else { return Ok(!self.state.borrow().held.is_empty()) };
        let held = {
            let mut state = self.state.borrow_mut();
            let held = state.held.remove(&key);
            state.rows -= held.as_ref().map_or(0, |held| held.tile.points());
            held
        };
        if let Some(held) = held {
            out(Item::Tile(Parcel::free(self.made(held)?)));
        }
        Ok(!self.state.borrow().held.is_empty())
    }

    fn drained(&mut self) -> Result<(), Failure> {
        self.shared.lane.stop();
        self.state.borrow_mut().held.clear();
        Ok(())
    }
}

/// The first row and the rows of each start.
fn starts(rows: usize, batch: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).step_by(batch).map(move |first| (first, batch.min(rows - first)))
}

/// Each row of a tile so often.
fn repeated(tile: Tile, repeats: &[u32], task: &Task) -> Result<Tile, Failure> {
    let indices = task.keep_index.then(|| tile.indices(&task.sizes));
    let tile = to_rows(tile)?;
    let rows = repeats.iter().enumerate();
    let rows: Vec<u32> =
        rows.flat_map(|(row, n)| std::iter::repeat_n(row as u32, *n as usize)).collect();
    let index = indices.map(|indices| {
        let each = repeats.iter().zip(indices.values());
        let of = |(n, index): (&u32, &i64)| {
            let first = index.saturating_mul(MOST_OF_ONE);
            (0..i64::from(*n)).map(move |place| first.saturating_add(place)).collect::<Vec<_>>()
        };
        Int64Array::from(each.flat_map(of).collect::<Vec<i64>>())
    });
    let (shape, rows) = (vec![rows.len()], UInt32Array::from(rows));
    let column = |c: &Column| Ok(Column { array: take(&c.array, &rows, None)?, ..c.clone() });
    let columns = tile.columns.iter().map(column).collect::<Result<Vec<_>, _>>();
    Ok(Tile { columns: columns.map_err(internal)?, shape, origin: vec![0], index, ..tile })
}

/// The first values of a row, as people know it.
fn row_text(rows: &RecordBatch, row: usize) -> String {
    const MOST: usize = 3;
    let schema = rows.schema();
    let own =
        schema.fields().iter().zip(rows.columns()).filter(|(f, _)| !f.name().starts_with('#'));
    let value = |array: &ArrayRef| arrow_cast::display::array_value_to_string(array, row);
    let text = |(field, array): (&Arc<arrow_schema::Field>, &ArrayRef)| {
        format!("{}: {}", field.name(), value(array).unwrap_or_default())
    };
    let list: Vec<String> = own.take(MOST).map(text).collect();
    format!("{{ {} }}", list.join(", "))
}

fn internal(error: arrow_schema::ArrowError) -> Failure {
    Failure::internal(error.to_string())
}
