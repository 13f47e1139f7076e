//! Programs: a chain of maps, filters and projections fused into one pass over each tile.
//!
//! `compile` turns steps into a graph and decides where each node is evaluated (`place`);
//! `schedule` lists what runs over a block, and `fuse` puts arithmetic together, which `passes`
//! runs; `hoist` evaluates what varies along few dimensions;
//! `run` takes blocks of a tile through the schedule; `audit` looks again at those in which
//! arithmetic may have gone wrong, where `guards` says that it matters; `layout` and `data` say where operands are.
mod audit;
mod block;
mod compile;
mod counts;
mod data;
mod fuse;
mod guards;
mod hoist;
mod layout;
mod operands;
mod output;
mod passes;
mod place;
mod report;
mod run;
mod schedule;
#[cfg(test)]
mod tests;

pub use block::Block;
pub use place::Place;
pub use report::{NodeReport, ProgramReport};
pub use run::Runner;

use crate::Selector;
use crate::dag::{Dag, NodeId, Op, Typed};
use crate::exceptions::{Exception, Quick};
use arrow_array::ArrayRef;
use audit::{Audit, Doubt};
use base::{Code, Failure, Field, Schema, Span, Tile, Warning};
use hoist::Tables;
use place::Source;
use schedule::Schedule;
use std::sync::{Arc, OnceLock};

/// The number of points that go through a program together: their registers fit into cache.
pub(crate) const BLOCK: usize = 4096;

/// One step of a chain.
#[derive(Clone, Debug)]
pub enum Step {
    /// Adds columns, or replaces those of the same name. All see the input of the step.
    Map(Vec<(Field, Typed)>),
    /// Keeps the points at which a bool is true; makes rows.
    Filter(Typed),
    /// The points of a range that a selector makes, in place of a filter by the condition; makes
    /// rows. It is the first step.
    Prune {
        /// What makes the points.
        selector: Arc<Selector>,
        /// The filter that it does the work of.
        condition: Typed,
    },
    /// Keeps these columns of the input, in this order, with these names and attributes.
    Project(Vec<(usize, Field)>),
}

/// What is known of an input column before the run.
#[derive(Clone, Debug)]
pub enum Given {
    /// Nothing: its values come with each tile.
    Loaded,
    /// Nothing that a tile can rely on: its values come with each tile. They are these over the
    /// whole domain as long as the files are as they are now.
    Loose(ArrayRef),
    /// Its values over the whole domain, row-major over the dimensions of its mask.
    Table(ArrayRef),
    /// `start + step * i` at point `i` of its one dimension; int64.
    Counter {
        /// The value at the first point.
        start: i64,
        /// The difference between neighbours.
        step: i64,
    },
}

impl Given {
    /// Whether its values come with each tile.
    pub fn is_loaded(&self) -> bool {
        matches!(self, Given::Loaded | Given::Loose(_))
    }
}

/// A compiled chain of steps, shared by all workers.
#[derive(Debug)]
pub struct Program {
    input: Schema,
    output: Schema,
    given: Vec<Given>,
    needed: Vec<usize>,
    dag: Dag,
    /// What is to be read: columns, tables, and results of hoisted nodes.
    sources: Vec<Source>,
    /// Where each node is evaluated.
    places: Vec<Place>,
    /// The nodes of the output columns.
    outputs: Vec<NodeId>,
    /// The nodes of the filters, in order.
    predicates: Vec<NodeId>,
    /// What makes the points of a tile, if not all of them are made.
    selector: Option<Arc<Selector>>,
    keep_index: bool,
    /// Nodes evaluated once, and their values, made by the first tile.
    once: Vec<NodeId>,
    tables: OnceLock<Result<Tables, Failure>>,
    /// Nodes evaluated once per tile.
    per_tile: Vec<NodeId>,
    /// For `tile`: only those outputs that blocks must compute.
    computed: Vec<usize>,
    tile_schedule: Schedule,
    /// For `blocks`: all outputs.
    block_schedule: Schedule,
    /// For each node what tells whether a block may meet an exception in it.
    quick: Vec<Option<Quick>>,
    /// Looks at blocks that may.
    audit: Option<Box<Audit>>,
}

/// What a program does about arithmetic exceptions, such as an integer divided by zero.
#[derive(Clone, Copy)]
pub struct Checks<'a> {
    /// Whether the first one ends the run. Else those that a quick test can exclude are counted.
    pub strict: bool,
    /// Whether what is counted is told: not by a program that does again what another has done.
    pub told: bool,
    /// What is not looked for.
    pub allow: &'a [Code],
    /// The place in the pipeline file of an expression of a step, in words.
    pub place: &'a dyn Fn(&str, Span) -> String,
}

impl Checks<'_> {
    /// Whether an exception is looked for, if a quick test can exclude it.
    fn wants(&self, exception: Exception) -> bool {
        exception.code().is_none_or(|code| !self.allow.contains(&code))
    }
}

impl Default for Checks<'_> {
    fn default() -> Self {
        let place = &|step: &str, _| format!("step \"{step}\"");
        Checks { strict: false, told: true, allow: &[], place }
    }
}

impl Program {
    /// Compiles a chain. `input` is the schema of tiles; `given` says what is known of each of
    /// its fields; with `keep_index`, rows that filters leave carry [`Tile::index`].
    ///
    /// # Errors
    /// [`base::FailureKind::Internal`] if the steps do not fit the schema: they were checked.
    pub fn compile(
        input: &Schema,
        given: Vec<Given>,
        steps: &[Step],
        keep_index: bool,
    ) -> Result<Program, Failure> {
        Program::checked(input, given, steps, keep_index, &Checks::default())
    }

    /// The same, with what is to be done about arithmetic exceptions.
    ///
    /// # Errors
    /// As [`Program::compile`].
    pub fn checked(
        input: &Schema,
        given: Vec<Given>,
        steps: &[Step],
        keep_index: bool,
        checks: &Checks,
    ) -> Result<Program, Failure> {
        compile::compile(input, given, steps, keep_index, checks)
    }

    /// The schema of the tiles that come out. After a filter its domain is rows of unknown
    /// number, and every column varies along them.
    pub fn output(&self) -> &Schema {
        &self.output
    }

    /// The loaded columns that are used. Tiles that go in hold exactly these, in this order.
    pub fn needed(&self) -> &[usize] {
        &self.needed
    }

    /// The column of tiles that go in whose values this column of those that come out has, point by
    /// point, as they are.
    pub fn copied(&self, output: usize) -> Option<usize> {
        match &self.dag.nodes[*self.outputs.get(output)?].op {
            Op::Column(name) => {
                let field = self.input.position(name)?;
                self.needed.iter().position(|needed| *needed == field)
            }
            _ => None,
        }
    }

    /// Scratch for one worker, reused from tile to tile.
    pub fn runner(&self) -> Runner {
        Runner::new(self)
    }

    /// The output tile of an input tile.
    ///
    /// # Errors
    /// If a value makes an operation impossible, such as an integer to a negative power.
    pub fn tile(&self, runner: &mut Runner, input: &Tile) -> Result<Tile, Failure> {
        let (tile, doubt) = output::tile(self, runner, input)?;
        self.look(runner, input, &doubt)?;
        Ok(tile)
    }

    /// Hands the rows of the output tile to `consume`, block by block, in order; blocks of which
    /// filters leave nothing are skipped.
    ///
    /// # Errors
    /// As [`Program::tile`], and what `consume` returns.
    pub fn blocks(
        &self,
        runner: &mut Runner,
        input: &Tile,
        consume: &mut dyn FnMut(&Block) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let sources = hoist::load(self, input)?;
        let (schedule, scratch) = (&self.block_schedule, &mut runner.blocks);
        let blocks = run::blocks(self, schedule, &sources, scratch, input, None, consume)?;
        self.look(runner, input, &Doubt { blocks, hoisted: sources.doubtful })
    }

    /// Looks at what may have met an exception in a tile.
    fn look(&self, runner: &mut Runner, input: &Tile, doubt: &Doubt) -> Result<(), Failure> {
        match &self.audit {
            Some(audit) => audit.look(&mut runner.audit, input, doubt, &mut runner.met),
            None => Ok(()),
        }
    }

    /// What the runner has met since this was asked for last.
    pub fn warnings(&self, runner: &mut Runner) -> Vec<Warning> {
        self.audit.as_ref().map_or(Vec::new(), |audit| audit.warnings(&mut runner.met))
    }

    /// Whether what comes out are rows: not every point of the tile that went in.
    fn filtered(&self) -> bool {
        self.selector.is_some() || !self.predicates.is_empty()
    }

    /// What is evaluated where, for `explain`.
    pub fn report(&self) -> ProgramReport {
        report::report(self)
    }
}
