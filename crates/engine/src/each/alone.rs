//! A plan in the calling thread, as the only worker: a tile after the other goes through all nodes.
use crate::nodes::apply::Encode;
use crate::nodes::fold;
use crate::nodes::pass::Pass;
use crate::nodes::read::Reader;
use crate::nodes::write::Write;
use crate::nodes::{self, Context, Stage, to_rows};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::Budget;
use crate::watch::{Watch, lock};
use arrow_array::{ArrayRef, RecordBatch};
use base::{Column, DimMask, Failure, FailureKind, Schema, Tile};
use formats::Sink;
use plan::physical::{Node, Op, Reduce, Route};
use std::sync::{Arc, Mutex};
use tasks::Stop;
use tasks::lane::{Limits, Needs};

/// What the nodes that show have been given, in the order of the plan.
pub type Shown = Vec<(Schema, Vec<RecordBatch>)>;

/// The stages of a plan, and who is fed by whom.
pub struct Alone {
    cx: Context,
    stages: Vec<Option<Box<dyn Stage>>>,
    behind: Vec<Vec<usize>>,
    /// The program of the reader.
    pass: Option<Pass>,
    /// Says when the row is to end before its time.
    stop: Stop,
    /// The columns of the row, which programs take behind those of a tile.
    row: Vec<Column>,
}

/// Whether a plan can run so: nothing in it waits for something else.
pub fn fits(nodes: &[Node]) -> bool {
    let waits = |node: &Node| match &node.op {
        Op::Read(_) | Op::Apply(_) | Op::Partial(_) | Op::Exchange(_) | Op::Final(_) => false,
        Op::Split(_) | Op::Assemble(_) | Op::Encode(_) => false,
        other => !matches!(other, Op::Write(_) | Op::Show(_)),
    };
    !nodes.iter().any(waits)
}

impl Alone {
    /// For the nodes of a plan.
    pub fn new(nodes: &[Node], watch: &Arc<Watch>, budget: &Arc<Budget>, stop: &Stop) -> Alone {
        let behind = |id| (0..nodes.len()).filter(|at| nodes[*at].inputs.contains(&id)).collect();
        Alone {
            cx: Context {
                place: Place { worker: 0, workers: 1, threads: 1 },
                watch: watch.clone(),
                shown: Arc::new(Mutex::new(Vec::new())),
                free: false,
                budget: budget.clone(),
                book: None,
                commons: Arc::default(),
                limits: Arc::new(Limits::new(Needs::default())),
            },
            stages: nodes.iter().map(|_| None).collect(),
            behind: (0..nodes.len()).map(behind).collect(),
            pass: None,
            stop: stop.clone(),
            row: Vec::new(),
        }
    }

    /// Whether the row is to end.
    fn stopped(&self) -> Result<(), Failure> {
        match *self.stop.borrow() {
            true => Err(Failure::new(FailureKind::Interrupted, "the run has ended")),
            false => Ok(()),
        }
    }

    /// Begins with a row of these columns. Of the nodes that write these write to other sinks than
    /// the plan has.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn begin(
        &mut self,
        nodes: &[Node],
        row: &[ArrayRef],
        sinks: &mut dyn Iterator<Item = (usize, Arc<dyn Sink>)>,
    ) -> Result<(), Failure> {
        let column = |array: &ArrayRef| Column { mask: DimMask::SCALAR, array: array.clone() };
        self.row = row.iter().map(column).collect();
        lock(&self.cx.shown).clear();
        let sinks: Vec<(usize, Arc<dyn Sink>)> = sinks.collect();
        for (at, node) in nodes.iter().enumerate() {
            // These are as new after a row.
            let stays = matches!(node.op, Op::Apply(_) | Op::Partial(Reduce::Fold(_)));
            if !stays || self.stages[at].is_none() {
                self.stages[at] = self.stage(nodes, at, &sinks)?;
            }
        }
        Ok(())
    }

    fn stage(
        &self,
        nodes: &[Node],
        at: usize,
        sinks: &[(usize, Arc<dyn Sink>)],
    ) -> Result<Option<Box<dyn Stage>>, Failure> {
        let feeds = |of: &usize| *of == at || self.encodes(nodes, at, *of);
        let sink = sinks.iter().find(|(of, _)| feeds(of)).map(|(_, sink)| sink.clone());
        Ok(match (&nodes[at].op, sink) {
            (Op::Write(_), Some(sink)) => Some(Box::new(Write::new(sink, &self.cx, None))),
            (Op::Encode(_), Some(sink)) => Some(Box::new(Encode::new(sink, None))),
            (Op::Final(Reduce::Fold(of)), _) => {
                Some(fold::last(of, self.cx.place, &self.cx.budget)?)
            }
            _ => nodes::stage(nodes, at, &self.cx)?,
        })
    }

    /// Whether a node encodes for one that writes: an exchange is between them.
    fn encodes(&self, nodes: &[Node], at: usize, write: usize) -> bool {
        let before =
            nodes[write].inputs.first().and_then(|exchange| nodes[*exchange].inputs.first());
        matches!(nodes[at].op, Op::Encode(_)) && before == Some(&at)
    }

    /// Runs the plan with these tiles of the node `read`, its only reader.
    ///
    /// # Errors
    /// The first failure, with the place of its step.
    pub fn run(
        &mut self,
        nodes: &[Node],
        read: usize,
        tiles: impl Iterator<Item = Result<Tile, Failure>>,
    ) -> Result<Shown, Failure> {
        if let (Op::Read(of), None) = (&nodes[read].op, &self.pass) {
            self.pass = of.program.as_ref().map(|p| Pass::new(p, &self.cx.watch));
        }
        for tile in tiles {
            self.stopped()?;
            let tile = tile.map_err(|f| placed(f, &nodes[read]))?;
            self.cx.watch.hand_out(tile.points() as u64);
            let tile = match &mut self.pass {
                Some(pass) => pass.tile(&tile).map_err(|f| placed(f, &nodes[read]))?,
                None => tile,
            };
            self.give(nodes, read, Item::Tile(Parcel::free(tile)))?;
        }
        self.end(nodes)
    }

    /// Runs a plan with all that its readers read.
    ///
    /// # Errors
    /// As [`Alone::run`].
    pub fn whole(&mut self, nodes: &[Node]) -> Result<Shown, Failure> {
        for (at, node) in nodes.iter().enumerate() {
            let Op::Read(read) = &node.op else { continue };
            let mut reader = Reader::new(read, &self.cx.watch);
            for number in 0..read.tiling.count() {
                self.stopped()?;
                self.cx.watch.hand_out(reader.points(number));
                let tile = reader.tile(number).map_err(|f| placed(f, node))?;
                self.give(nodes, at, Item::Tile(Parcel::free(tile)))?;
            }
        }
        self.end(nodes)
    }

    /// Ends all nodes, each before those behind it.
    fn end(&mut self, nodes: &[Node]) -> Result<Shown, Failure> {
        for (at, node) in nodes.iter().enumerate() {
            let Some(stage) = &mut self.stages[at] else { continue };
            let mut items = Vec::new();
            let ended = stage.input_ends(0, &mut |item| items.push(item));
            ended
                .and_then(|()| stage.finish(&mut |item| items.push(item)))
                .map_err(|f| placed(f, node))?;
            loop {
                for item in std::mem::take(&mut items) {
                    self.give(nodes, at, item)?;
                }
                let Some(stage) = &mut self.stages[at] else { break };
                let more = stage.more(&mut |item| items.push(item));
                if !more.map_err(|f| placed(f, node))? && items.is_empty() {
                    break;
                }
            }
        }
        let mut shown = std::mem::take(&mut *lock(&self.cx.shown));
        shown.sort_by_key(|(node, number, _)| (*node, *number));
        let of = |at: usize| shown.iter().filter(move |s| s.0 == at).map(|s| s.2.clone()).collect();
        let shows = (0..nodes.len()).filter(|at| matches!(nodes[*at].op, Op::Show(_)));
        Ok(shows.map(|at| (nodes[at].schema.clone(), of(at))).collect())
    }

    /// Hands what a node has made to those behind it.
    fn give(&mut self, nodes: &[Node], from: usize, item: Item) -> Result<(), Failure> {
        let behind = std::mem::take(&mut self.behind[from]);
        let given = match &behind[..] {
            [one] => self.take(nodes, *one, item),
            all => all.iter().try_for_each(|at| self.take(nodes, *at, item.clone())),
        };
        self.behind[from] = behind;
        given
    }

    /// Takes what comes to a node, and hands on what that makes.
    fn take(&mut self, nodes: &[Node], at: usize, item: Item) -> Result<(), Failure> {
        let node = &nodes[at];
        if let Op::Exchange(route) = &node.op {
            return self.give(nodes, at, alone(route, item)?);
        }
        let lost = || Failure::internal("a node takes nothing");
        let stage = self.stages[at].as_mut().ok_or_else(lost)?;
        let mut items = Vec::new();
        let mut out = |item| items.push(item);
        let done = match item {
            Item::Tile(mut parcel) => {
                if matches!(node.op, Op::Apply(_) | Op::Partial(Reduce::Fold(_))) {
                    parcel.tile.columns.extend(self.row.iter().cloned());
                }
                stage.tile(0, parcel, &mut out)
            }
            Item::Closed(numbers) => stage.closed(0, numbers, &mut out),
            Item::Rows { before, all } => {
                stage.rows(before, all);
                Ok(())
            }
            Item::To(..) => Err(Failure::internal("a message for one worker was not sent")),
        };
        let mut done = done;
        while done.is_ok() && stage.full() {
            done = stage.more(&mut out).map(|_| ());
        }
        done.map_err(|f| placed(f, node))?;
        items.into_iter().try_for_each(|item| self.give(nodes, at, item))
    }
}

/// What an exchange makes of an item where there is one worker.
fn alone(route: &Route, item: Item) -> Result<Item, Failure> {
    Ok(match (route, item) {
        (Route::Hash(_), Item::Tile(parcel)) => {
            let tile = to_rows(parcel.tile)?;
            Item::Tile(Parcel { tile, credit: parcel.credit })
        }
        (_, Item::To(_, item)) => *item,
        (_, item) => item,
    })
}

/// With the place of a step, if it has none.
fn placed(failure: Failure, node: &Node) -> Failure {
    let known = failure.context.iter().any(|place| place.starts_with("step "));
    match node.place.as_str() {
        _ if known => failure,
        "" => failure.context(format!("step \"{}\"", node.step)),
        place => failure.context(place),
    }
}
