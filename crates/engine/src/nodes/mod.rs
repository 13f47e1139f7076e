//! What each node does with the tiles it gets: plain code that knows nothing of timely.
//!
//! | file | nodes |
//! |---|---|
//! | `read` | `Read`: tiles by number |
//! | `apply` | `Apply` and `Encode`: one tile in, one tile out |
//! | `pass` | the program of a `Read`, an `Apply` or a `Fold` |
//! | `fold` | `Partial` and `Final` of `Fold`: of all, by keys, over dimensions |
//! | `numbered` | rows from files back in the order of their tiles |
//! | `order` | `Partial` and `Final` of `Order`, `Split` and `Assemble`: sort and top |
//! | `concat` | `Concat` |
//! | `join` | `Join`, or `Ask`, `Find` and `Match`; `Overlay` |
//! | `partition` | `Sample`, `Deal` and `Parts` |
//! | `stream` | `Stream`: rows through a program |
//! | `write` | `Write`, in any order or by ascending number |
//! | `show` | `Show` |
//! | `task` | `Task`: something for each row |
//! | `route` | where `Exchange` sends tiles |
//! | `waits` | whether tiles could wait for each other in a circle |
pub mod ahead;
pub mod apply;
pub mod concat;
pub mod fold;
pub mod join;
mod numbered;
pub mod order;
pub mod partition;
pub mod pass;
pub mod read;
pub mod route;
pub mod show;
pub mod stream;
pub mod task;
pub mod waits;
pub mod write;

use crate::credit::Wake;
use crate::each::EachWork;
use crate::ledger::{Book, Written};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::Budget;
use crate::watch::Watch;
use arrow_array::RecordBatch;
use base::{Failure, FailureKind, Tile};
use plan::physical::{Node, Op, Reduce, Task, TaskWork};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use tasks::Work;
use tasks::lane::{Lane, Limits, Memory, Setup};
use tasks::{IsMade, Setting};

/// Where a stage puts what it makes.
pub type Out<'a> = &'a mut dyn FnMut(Item);

/// What a node does in one worker.
pub trait Stage {
    /// Takes a tile of an input.
    ///
    /// # Errors
    /// Whatever ends the run; nothing is called after an error.
    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure>;

    /// Another worker (or this one) sends no more tiles with these numbers.
    ///
    /// # Errors
    /// Whatever ends the run.
    fn closed(&mut self, _in: usize, _numbers: Range<u64>, _out: Out) -> Result<(), Failure> {
        Ok(())
    }

    /// How many rows come before those of this worker, and are there in all, says one worker.
    fn rows(&mut self, _before: u64, _all: u64) {}

    /// Nothing waits to be taken, but more may come. Whether it wants to be called again soon, if
    /// nothing has come until then.
    ///
    /// # Errors
    /// Whatever ends the run.
    fn idle(&mut self, _out: Out) -> Result<bool, Failure> {
        Ok(false)
    }

    /// No more tiles of this input will come to this worker.
    ///
    /// # Errors
    /// Whatever ends the run.
    fn input_ends(&mut self, _input: usize, _out: Out) -> Result<(), Failure> {
        Ok(())
    }

    /// All inputs have ended.
    ///
    /// # Errors
    /// Whatever ends the run.
    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        Ok(())
    }

    /// The run stops before its time, and all that was in flight has come: what is done of the
    /// tiles so far becomes durable. Called instead of what would follow.
    ///
    /// # Errors
    /// Whatever ends the run.
    fn drained(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether it has tiles to give by [`Stage::more`] before it takes anything else.
    fn full(&self) -> bool {
        false
    }

    /// What wakes the operator that this is in, if another thread of the process has to.
    fn wake_by(&mut self, _wake: Wake) {}

    /// When it is `full`, and after `finish`: whether it can give nothing before another thread of
    /// the process wakes it.
    fn waits(&self) -> bool {
        false
    }

    /// Bytes that the states which `finish` would give take, about, for a first half of a fold.
    fn held(&self) -> u64 {
        0
    }

    /// When it is `full`, and after `finish` again and again: gives a tile or so of what is left,
    /// so that those behind can take it. Whether there may be more.
    ///
    /// # Errors
    /// Whatever ends the run.
    fn more(&mut self, _out: Out) -> Result<bool, Failure> {
        Ok(false)
    }
}

/// What `Show` nodes have collected: name, columns, and numbered batches.
pub type Shown = Arc<Mutex<Vec<(usize, u64, RecordBatch)>>>;

/// What stages share with the rest of the process.
pub struct Context {
    /// Which worker this is.
    pub place: Place,
    /// Where to count.
    pub watch: Arc<Watch>,
    /// Where `Show` puts its rows, beside the position of the node.
    pub shown: Shown,
    /// Whether tiles that wait for others give up their credits, see [`waits::circular`].
    pub free: bool,
    /// What state may take.
    pub budget: Arc<Budget>,
    /// Where it is noted what is done, if it is.
    pub book: Option<Arc<Book>>,
    /// What the workers of the process have together.
    pub commons: Arc<join::Commons>,
    /// What programs of the process take.
    pub limits: Arc<Limits>,
}

/// The stage of a node; `None` for `Read` and `Exchange`, which are not stages.
///
/// # Errors
/// If the plan does not hold together.
pub fn stage(nodes: &[Node], at: usize, cx: &Context) -> Result<Option<Box<dyn Stage>>, Failure> {
    let node = &nodes[at];
    Ok(Some(match &node.op {
        Op::Read(_) | Op::Exchange(_) => return Ok(None),
        Op::Apply(apply) => Box::new(apply::Apply::new(apply, &cx.watch)),
        Op::Partial(Reduce::Fold(fold)) => fold::partial(fold, &cx.budget, &cx.watch)?,
        Op::Final(Reduce::Fold(fold)) => fold::last(fold, cx.place, &cx.budget)?,
        Op::Partial(Reduce::Order(order)) => {
            Box::new(order::Partial::new(order, &node.schema, cx.place, &cx.budget))
        }
        Op::Final(Reduce::Order(order)) => {
            Box::new(order::Final::new(order, &node.schema, cx.place, &cx.budget))
        }
        Op::Split(order) => Box::new(order::Split::new(order, cx.place, &cx.budget)),
        Op::Assemble(tile_rows) => Box::new(order::Assemble::new(*tile_rows)),
        Op::Concat(concat) => Box::new(concat::Concat::new(concat, cx.free)),
        Op::Join(join) => {
            let all = || join::here::all(join, cx.place, &cx.budget);
            let all = cx.commons.get(at, cx.place.threads, all)?;
            Box::new(join::Join::new(join, cx.place, &cx.budget, all, cx.free))
        }
        Op::Ask(join) => Box::new(join::Ask::new(join, cx.place, cx.free)),
        Op::Find(join) => Box::new(join::Find::new(join, cx.place, &cx.budget)),
        Op::Match(join) => Box::new(join::Match::new(join, cx.place, &cx.budget)),
        Op::Overlay(overlay) => {
            let all = || join::overlay::all(overlay, cx.place);
            let all = cx.commons.get(at, cx.place.threads, all)?;
            Box::new(join::Overlay::new(overlay, all, cx.free))
        }
        Op::Sample(plan) => Box::new(partition::Sample::new(plan, cx.place)),
        Op::Deal(plan) => Box::new(partition::Deal::new(plan, cx.place, &cx.budget)?),
        Op::Parts(plan) => {
            Box::new(partition::Parts::new(plan, &node.schema, cx.place, &cx.budget))
        }
        Op::Task(of) => Box::new(task(nodes, at, of, cx)?),
        Op::Stream(program) => {
            let before = node.inputs.first().map(|input| &nodes[*input].schema);
            let before = before.ok_or_else(|| Failure::internal("a program without an input"))?;
            Box::new(stream::Stream::new(program, before, &node.schema, &cx.watch))
        }
        Op::Encode(sink) => {
            let done = cx.book.as_ref().and_then(|book| book.done(sink));
            Box::new(apply::Encode::new(sink.clone(), done))
        }
        Op::Write(sink) => {
            let written = cx.book.as_ref().and_then(|book| Written::at(book, at));
            Box::new(write::Write::new(sink.clone(), cx, written))
        }
        Op::Show(_) => Box::new(show::Show::new(at, &node.schema, cx.shown.clone())),
    }))
}

/// The stage of something for each row. The lane is that of the process.
fn task(nodes: &[Node], at: usize, of: &Task, cx: &Context) -> Result<task::Tasks, Failure> {
    let node = &nodes[at];
    let make = || {
        let memory = cx.book.as_ref().map(|book| book.memory() as Arc<dyn Memory>);
        // The plan outlives the run, and its notes should not.
        let weak = memory.as_ref().map(Arc::downgrade);
        let is_made = weak.map(|memory| -> IsMade {
            Arc::new(move |file| memory.upgrade().is_some_and(|memory| memory.is_made(file)))
        });
        let work: Arc<dyn Work> = match &of.work {
            TaskWork::Ready(work) => work.clone(),
            TaskWork::Each(each) => {
                Arc::new(EachWork::new(each.clone(), cx.budget.clone(), cx.place.threads))
            }
        };
        let limit = task::share(of.concurrency, cx.place);
        work.begin(Setting { processes: task::processes(of, cx.place), is_made });
        let setup = Setup {
            work: work.clone(),
            limit,
            needs: of.needs,
            limits: cx.limits.clone(),
            memory,
            first: of.first,
        };
        let lane = Arc::new(Lane::new(setup)?);
        cx.watch.lane(lane.clone());
        let shared = task::Shared::new(lane, work.clone(), limit);
        Ok(Arc::new(shared))
    };
    let shared = cx.commons.get(at, cx.place.threads, make)?;
    let shared = shared.as_ref().as_ref().map_err(|why: &String| {
        Failure::new(FailureKind::Pipeline, format!("step `{}` {why}", node.step))
    })?;
    let before = &nodes[node.inputs[0]].schema;
    Ok(task::Tasks::new(of, before, &node.schema, &node.step, shared.clone(), cx))
}

/// A tile as rows: every column at every point, `origin` and `index` as they are.
pub(crate) fn to_rows(tile: Tile) -> Result<Tile, Failure> {
    if tile.shape.len() == 1 && tile.columns.iter().all(|c| c.mask == base::DimMask::only(0)) {
        return Ok(tile);
    }
    let expand = |c: &base::Column| {
        let array = tile.expand(c).map_err(|e| Failure::internal(e.to_string()))?;
        Ok(base::Column { mask: base::DimMask::only(0), array })
    };
    let columns = tile.columns.iter().map(expand).collect::<Result<Vec<_>, Failure>>()?;
    let origin = if tile.shape.len() == 1 { tile.origin.clone() } else { vec![0] };
    Ok(Tile { number: tile.number, origin, shape: vec![tile.points()], columns, index: tile.index })
}
