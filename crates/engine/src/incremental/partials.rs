//! From the rows of a file to records: what each reduction holds of them, a record for each key.
use super::cells::blocks;
use super::flow::Shared;
use super::head::{Cells, Head};
use super::parts::parts;
use super::piece::Piece;
use super::record::{Key, State};
use crate::nodes::fold::{self, keys};
use crate::nodes::{self, Context, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, Folder};
use base::{Failure, Tile, Tiling};
use expr::{Program, Runner};
use formats::TileSource;
use plan::Print;
use plan::physical::{Fold, FoldKind, Op, Read, Reduce};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The nodes between a reader and a reduction, in one worker.
pub struct Partials {
    shared: Arc<Shared>,
    read: Read,
    program: Option<(Arc<Program>, Runner)>,
    head: Arc<Head>,
    cx: Context,
    number: u32,
    /// Joins that have their right sides, which are known by this.
    joins: HashMap<usize, (Print, Box<dyn Stage>)>,
}

impl Partials {
    /// For the reduction of this number.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(shared: &Arc<Shared>, head: &Arc<Head>, number: u32) -> Result<Partials, Failure> {
        let physical = &shared.physical;
        let Op::Read(read) = &physical.nodes[head.read].op else {
            return Err(Failure::internal("a reduction of what is not read"));
        };
        let program = read.program.clone().map(|program| {
            let runner = program.runner();
            (program, runner)
        });
        Ok(Partials {
            shared: shared.clone(),
            read: read.clone(),
            program,
            head: head.clone(),
            cx: Context {
                place: Place { worker: 0, workers: 1, threads: 1 },
                watch: shared.watch.clone(),
                shown: Arc::new(Mutex::new(Vec::new())),
                free: false,
                budget: unbounded(),
                commons: Arc::default(),
            },
            number,
            joins: HashMap::new(),
        })
    }

    /// What a node does with tiles of a file that is cut like this.
    fn stage(&mut self, at: usize, cuts: &Tiling) -> Result<Box<dyn Stage>, Failure> {
        let nodes = &self.shared.physical.nodes;
        match &nodes[at].op {
            Op::Join(_) | Op::Overlay(_) => self.join(at),
            Op::Partial(Reduce::Fold(Fold { kind: FoldKind::Over { keep, .. }, .. })) => {
                // By itself, and all at the end.
                let tiling = cuts.project(keep);
                let kind = FoldKind::Over { keep: keep.clone(), tiling, parts: u64::MAX };
                fold::partial(&Fold { kind, ..self.head.fold.clone() }, &self.cx.budget)
            }
            _ => nodes::stage(nodes, at, &self.cx)?
                .ok_or_else(|| Failure::internal("a reader behind a reader")),
        }
    }

    /// A join with its right side as it is now.
    fn join(&mut self, at: usize) -> Result<Box<dyn Stage>, Failure> {
        let nodes = &self.shared.physical.nodes;
        let side = self.shared.side_of(at)?;
        match self.joins.remove(&at) {
            Some((print, stage)) if print == side.print => return Ok(stage),
            _ => {}
        }
        let lost = || Failure::internal("a join is none");
        let mut stage = nodes::stage(nodes, at, &self.cx)?.ok_or_else(lost)?;
        let mut nothing = |_| ();
        for tile in &side.tiles {
            stage.tile(1, Parcel::free(tile.clone()), &mut nothing)?;
        }
        stage.input_ends(1, &mut nothing)?;
        Ok(stage)
    }

    /// The states of some tiles of a file, which is cut like this and whose first row is number
    /// `first` of all.
    ///
    /// # Errors
    /// If the file cannot be read, or a formula fails.
    pub fn states(
        &mut self,
        source: &dyn TileSource,
        cuts: &Tiling,
        first: u64,
        tiles: &[u64],
    ) -> Result<Vec<Tile>, Failure> {
        self.cx.budget = unbounded();
        let chain = self.head.chain.clone();
        let mut stages = Vec::new();
        for at in &chain {
            stages.push(self.stage(*at, cuts)?);
        }
        let mut made = Vec::new();
        for number in tiles.iter().copied().filter(|number| *number < cuts.count()) {
            let region = cuts.region(number);
            self.cx.watch.hand_out(region.points() as u64);
            let columns = source.read(&region, &self.read.columns)?;
            let mut origin = region.origin;
            if let [row] = &mut origin[..] {
                *row += first;
            }
            let tile = Tile { number, origin, shape: region.shape, columns, index: None };
            let tile = match &mut self.program {
                Some((program, runner)) => program.tile(runner, &tile)?,
                None => tile,
            };
            through(&mut stages, Item::Tile(Parcel::free(tile)), &mut made)?;
            self.cx.watch.tile_done();
        }
        for at in 0..stages.len() {
            let mut items = Vec::new();
            stages[at].finish(&mut |item| items.push(item))?;
            while stages[at].more(&mut |item| items.push(item))? {}
            for item in items {
                through(&mut stages[at + 1..], item, &mut made)?;
            }
        }
        for (at, stage) in chain.into_iter().zip(stages) {
            if let Op::Join(_) | Op::Overlay(_) = &self.shared.physical.nodes[at].op {
                self.joins.insert(at, (self.shared.side_of(at)?.print, stage));
            }
        }
        Ok(made)
    }

    /// The records of states of a piece.
    ///
    /// # Errors
    /// If they are something else.
    pub fn records(&self, piece: &Piece, states: &[Tile]) -> Result<Vec<(Key, State)>, Failure> {
        let (head, shared) = (&self.head, &self.shared);
        let mut key = Key::new(self.number, 0);
        let together = if keys(&head.fold) > 0 {
            parts(&head.fold, states, shared.parts)?
        } else {
            let size = |dim: &usize| piece.sizes.get(*dim).copied().unwrap_or(0);
            let sizes: Vec<u64> = head.keep().iter().map(size).collect();
            if let Some(Cells::Own(_)) = head.cells {
                key.file = piece.id.print();
            }
            blocks(&head.fold, &sizes, states)?
        };
        let record = |(part, columns)| Ok((Key { part, ..key }, shared.shelving.state(columns)?));
        together.into_iter().map(record).collect()
    }
}

/// What the states of one file may take: they are few beside its rows, and are kept.
fn unbounded() -> Arc<Budget> {
    Budget::new(u64::MAX, Folder::new(std::env::temp_dir()))
}

/// Sends an item through stages; what comes out of the last one is kept.
fn through(stages: &mut [Box<dyn Stage>], item: Item, made: &mut Vec<Tile>) -> Result<(), Failure> {
    let Some((stage, rest)) = stages.split_first_mut() else {
        if let Item::Tile(parcel) = item {
            made.push(parcel.tile);
        }
        return Ok(());
    };
    let mut items = Vec::new();
    match item {
        Item::Tile(parcel) => stage.tile(0, parcel, &mut |item| items.push(item))?,
        _ => return Ok(()),
    }
    while stage.full() {
        stage.more(&mut |item| items.push(item))?;
    }
    items.into_iter().try_for_each(|item| through(rest, item, made))
}
