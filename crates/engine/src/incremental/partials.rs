//! From the rows of a file to records: what each reduction holds of them, a record for each key.
use super::cells::blocks;
use super::flow::Shared;
use super::head::{Cells, Head};
use super::parts::parts;
use super::piece::Piece;
use super::record::{Key, State};
use super::stages::{beside, context, end, through, unbounded};
use crate::nodes::fold::{self, keys};
use crate::nodes::{self, Context, Stage};
use base::{Failure, Tile, Tiling};
use expr::{Program, Runner};
use formats::TileSource;
use plan::Print;
use plan::physical::{Fold, FoldKind, Op, Read, Reduce};
use std::collections::HashMap;
use std::sync::Arc;

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
            cx: context(&shared.watch),
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
        beside(&mut *stage, &side.tiles)?;
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
            through(&mut stages, tile, &mut made)?;
            self.cx.watch.tile_done();
        }
        end(&mut stages, &mut made)?;
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
        let size = |dim: &usize| piece.sizes.get(*dim).copied().unwrap_or(0);
        let sizes: Vec<u64> = self.head.keep().iter().map(size).collect();
        let mut key = Key::new(self.number, 0);
        if let Some(Cells::Own(_)) = self.head.cells {
            key.file = piece.id.print();
        }
        records(&self.shared, &self.head.fold, key, &sizes, states)
    }
}

/// The records of states of a fold, whose parts have keys like this one; of a fold over dimensions
/// the cells are a box of these sizes.
///
/// # Errors
/// If the states are something else.
pub fn records(
    shared: &Shared,
    fold: &Fold,
    key: Key,
    sizes: &[u64],
    states: &[Tile],
) -> Result<Vec<(Key, State)>, Failure> {
    let together = match keys(fold) {
        0 => blocks(fold, sizes, states)?,
        _ => parts(fold, states, shared.parts)?,
    };
    let record = |(part, columns)| Ok((Key { part, ..key }, shared.shelving.state(columns)?));
    together.into_iter().map(record).collect()
}
