//! From tiles of a file to records: what a reduction holds of their rows.
use super::cells::blocks;
use super::head::{Cells, Head};
use super::parts::parts;
use super::piece::Piece;
use super::record::{Key, State};
use super::shared::Shared;
use super::stages::{beside, context, end, through, unbounded};
use crate::nodes::fold::{self, keys};
use crate::nodes::{self, Context, Stage};
use base::{Failure, Tile, Tiling};
use plan::Print;
use plan::physical::{Fold, FoldKind, Op, Reduce};
use std::collections::HashMap;
use std::sync::Arc;

/// The nodes between a reader and a reduction, in one worker.
pub struct Partials {
    shared: Arc<Shared>,
    head: Arc<Head>,
    cx: Context,
    number: u32,
    stages: Vec<Box<dyn Stage>>,
    made: Vec<Tile>,
    /// Joins that have their right sides, which are known by this.
    joins: HashMap<usize, (Print, Box<dyn Stage>)>,
}

impl Partials {
    /// For the reduction of this number.
    pub fn new(shared: &Arc<Shared>, head: &Arc<Head>, number: u32) -> Partials {
        Partials {
            shared: shared.clone(),
            head: head.clone(),
            cx: context(&shared.watch),
            number,
            stages: Vec::new(),
            made: Vec::new(),
            joins: HashMap::new(),
        }
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
                let fold = Fold { kind, ..self.head.fold.clone() };
                fold::partial(&fold, &self.cx.budget, &self.cx.watch)
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

    /// Begins with a file that is cut like this; what was begun before is forgotten.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn begin(&mut self, cuts: &Tiling) -> Result<(), Failure> {
        self.cx.budget = unbounded();
        self.made.clear();
        let chain = self.head.chain.clone();
        let stages = chain.into_iter().map(|at| self.stage(at, cuts));
        self.stages = stages.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Takes a tile of it.
    ///
    /// # Errors
    /// If a formula fails.
    pub fn take(&mut self, tile: Tile) -> Result<(), Failure> {
        through(&mut self.stages, tile, &mut self.made)
    }

    /// The states of these tiles.
    ///
    /// # Errors
    /// If a formula fails.
    pub fn end(&mut self) -> Result<Vec<Tile>, Failure> {
        end(&mut self.stages, &mut self.made)?;
        for (at, stage) in self.head.chain.iter().zip(std::mem::take(&mut self.stages)) {
            if let Op::Join(_) | Op::Overlay(_) = &self.shared.physical.nodes[*at].op {
                self.joins.insert(*at, (self.shared.side_of(*at)?.print, stage));
            }
        }
        Ok(std::mem::take(&mut self.made))
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
