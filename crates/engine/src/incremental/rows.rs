//! What a reduction of kept reductions takes of a part: the rows that their results make.
use super::above::Above;
use super::partials::records;
use super::record::{Key, State};
use super::shared::Shared;
use super::stages::{beside, context, end, through, unbounded};
use crate::nodes::{self, Context, Stage, fold};
use base::{Failure, Tile};
use plan::physical::Op;
use std::collections::HashMap;
use std::sync::Arc;

/// The nodes between kept reductions and one that is made of them, in one worker.
pub struct Rows {
    shared: Arc<Shared>,
    above: Arc<Above>,
    number: u32,
    cx: Context,
}

/// The results of a part, by the node of the reduction.
pub type Part<'a> = HashMap<usize, &'a State>;

impl Rows {
    /// For the reduction of this number.
    pub fn new(shared: &Arc<Shared>, above: &Arc<Above>, number: u32) -> Rows {
        let cx = context(&shared.watch);
        Rows { shared: shared.clone(), above: above.clone(), number, cx }
    }

    /// The records of the rows of a part.
    ///
    /// # Errors
    /// If a formula fails, or the plan does not hold together.
    pub fn records(&mut self, part: &Part) -> Result<Vec<(Key, State)>, Failure> {
        self.cx.budget = unbounded();
        let fold = &self.above.fold;
        let mut states = Vec::new();
        let mut stages = [fold::partial(fold, &self.cx.budget, &self.cx.watch)?];
        for tile in self.made(self.above.rows, part)? {
            through(&mut stages, tile, &mut states)?;
        }
        end(&mut stages, &mut states)?;
        records(&self.shared, fold, Key::new(self.number, 0), &[], &states)
    }

    /// What a node makes of a part.
    fn made(&self, at: usize, part: &Part) -> Result<Vec<Tile>, Failure> {
        if self.above.from.contains(&at) {
            let tile = part.get(&at).map(|state| Ok(state.tile()?.into_owned()));
            return tile.into_iter().collect();
        }
        let nodes = &self.shared.physical.nodes;
        let inputs = &nodes[at].inputs;
        let lost = || Failure::internal("kept reductions are joined otherwise");
        let input = |n: usize| self.made(*inputs.get(n).ok_or_else(lost)?, part);
        match &nodes[at].op {
            Op::Concat(_) => {
                let all = (0..inputs.len()).map(input).collect::<Result<Vec<_>, _>>()?;
                Ok(all.concat())
            }
            Op::Apply(_) | Op::Join(_) => {
                let mut stage: Box<dyn Stage> =
                    nodes::stage(nodes, at, &self.cx)?.ok_or_else(lost)?;
                if inputs.len() > 1 {
                    beside(&mut *stage, &input(1)?)?;
                }
                let (mut stages, mut made) = ([stage], Vec::new());
                for tile in input(0)? {
                    through(&mut stages, tile, &mut made)?;
                }
                end(&mut stages, &mut made)?;
                Ok(made)
            }
            // What only puts rows into an order, or brings them to a worker.
            _ => input(0),
        }
    }
}
