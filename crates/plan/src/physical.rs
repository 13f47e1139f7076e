//! The physical plan: what the engine runs, node by node. A closed set of nodes.
use crate::each::Each;
use crate::files::Files;
use crate::fingerprint::Meaning;
use arrow_array::ArrayRef;
use base::{Code, DType, DimMask, Schema, Tiling, Value};
use expr::Program;
use expr::reduce::Reduction;
use formats::{Sink, Survivors, TileSource};
use std::path::PathBuf;
use std::sync::Arc;
use tasks::Work;
use tasks::lane::Needs;

/// A plan that is ready to run. The same file, parameters and options make the same plan in every
/// process, whatever the number of workers.
#[derive(Clone)]
pub struct Physical {
    /// What the user called the pipeline, or the file's name.
    pub title: String,
    /// SHA-256 of all that the result depends on; equal in all processes of a run.
    pub hash: [u8; 32],
    /// The nodes; inputs stand before the nodes they feed.
    pub nodes: Vec<Node>,
    /// What each node means; none where nobody asks, as in tests.
    pub meanings: Vec<Meaning>,
    /// The folder of the run's state, if it keeps one.
    pub state: Option<PathBuf>,
    /// What the run needs, in bytes.
    pub memory: Memory,
    /// The warnings that the file does not want to hear of.
    pub allow: Vec<Code>,
}

/// One node.
#[derive(Clone)]
pub struct Node {
    /// The step it comes from, for errors, progress and profiles: `reduce` or the `as:` name.
    pub step: String,
    /// The step's place, in words; empty if it has none.
    pub place: String,
    /// What it does.
    pub op: Op,
    /// Positions of the nodes it reads from.
    pub inputs: Vec<usize>,
    /// The tiles it makes (for `Partial` and `Encode`: the tiles it takes; what it makes is
    /// understood only by the `Final` or `Write` behind it).
    pub schema: Schema,
}

/// Some nodes and all that they are made of, ascending.
pub fn feeding(nodes: &[Node], ends: &[usize]) -> Vec<usize> {
    let mut wanted = vec![false; nodes.len()];
    ends.iter().for_each(|end| wanted[*end] = true);
    for at in (0..nodes.len()).rev() {
        if wanted[at] {
            nodes[at].inputs.iter().for_each(|input| wanted[*input] = true);
        }
    }
    (0..nodes.len()).filter(|at| wanted[*at]).collect()
}

/// What a node does.
#[derive(Clone)]
pub enum Op {
    /// Hands out tiles by number, reads their columns, and runs a program on each. No input.
    Read(Read),
    /// Runs a program on each tile. One input.
    Apply(Apply),
    /// The part of a reduction that each worker does with the tiles it has. One input.
    Partial(Reduce),
    /// Sends tiles to other workers. One input.
    Exchange(Route),
    /// The rest of a reduction, behind an `Exchange` of what `Partial` made. One input.
    Final(Reduce),
    /// Behind an `Exchange` by address of what `Partial` of an `Order` made: sends each row to the
    /// worker that sorts it. One input.
    Split(Order),
    /// Behind an `Exchange` by address of what `Final` of an `Order` made: tiles of so many rows
    /// from the parts that workers have. One input.
    Assemble(usize),
    /// Tiles of all inputs, one input after the other. All have the same columns.
    Concat(Concat),
    /// Rows of the first input beside those of the second that have equal keys; behind an
    /// `Exchange` of the second to all processes. Two inputs.
    Join(Join),
    /// Asks for the matches of each tile's keys the workers that have them. One input.
    Ask(Join),
    /// Behind an `Exchange` by address of what `Ask` made, and one by hash of the rows to join
    /// with: answers. Two inputs.
    Find(Join),
    /// Behind an `Exchange` by address of what `Find` made: tiles from rows and answers. One input.
    Match(Join),
    /// Boxes beside smaller boxes; behind an `Exchange` of the second to all processes. Two inputs.
    Overlay(Overlay),
    /// Passes rows on, and a sample of their keys to all workers. One input.
    Sample(Partition),
    /// Sends each row to the worker that has its part; for ranges behind an `Exchange` by address
    /// of what `Sample` made. One input.
    Deal(Partition),
    /// Behind an `Exchange` by address of what `Deal` made: parts, each a tile. One input.
    Parts(Partition),
    /// Does something for each row, side by side. One input.
    Task(Box<Task>),
    /// Rows through a program of the user's, a batch for each tile. One input.
    Stream(Arc<tasks::stream::Program>),
    /// What any worker can do for a writer: [`Sink::prepare`]. One input.
    Encode(Arc<dyn Sink>),
    /// Writes to a file. One input, no output.
    Write(Arc<dyn Sink>),
    /// Collects rows (as ordered by the `Final(Order)` before it) for the report, on worker 0.
    /// One input, no output.
    Show(Show),
}

/// What a program makes of a tile has rows from the tile's number times 2 to the power of this on:
/// how many there are in the tiles before, nobody knows.
pub const TILE_INDEX_BITS: u32 = 32;

/// Hands out tiles.
#[derive(Clone)]
pub struct Read {
    /// The file; `None` if all columns are computed (range, grid, rows).
    pub source: Option<Arc<dyn TileSource>>,
    /// The files of the source by name, if it has any.
    pub files: Option<Arc<Files>>,
    /// The box of the source that is read starts here.
    pub offset: Vec<u64>,
    /// Positions in the source's schema of what is read: the columns of the program's input tile.
    pub columns: Vec<usize>,
    /// The cuts of the domain (of the program's input).
    pub tiling: Tiling,
    /// The only rows of the source that need to be read, if not all: a tile keeps its number and
    /// is made smaller.
    pub survivors: Option<Arc<Survivors>>,
    /// The place of the step that reads, in words, if it is not the node's.
    pub place: String,
    /// What is done with each tile at once; its input tile has exactly the columns read. `None`:
    /// the tile goes on as it was read.
    pub program: Option<Arc<Program>>,
}

/// Runs a program on each tile.
#[derive(Clone)]
pub struct Apply {
    /// The program.
    pub program: Arc<Program>,
    /// For each column that the program needs, its position in the tiles that come in.
    pub columns: Vec<usize>,
}

/// A reduction, the same description for its `Partial` and its `Final`.
#[derive(Clone)]
pub enum Reduce {
    /// Aggregates of everything, of groups, or over dimensions.
    Fold(Fold),
    /// All rows in order, or the first of them.
    Order(Order),
}

/// Aggregates.
#[derive(Clone)]
pub struct Fold {
    /// Runs before the fold, in blocks; its output has the keys and the arguments. Used by
    /// `Partial` only.
    pub apply: Apply,
    /// What is computed.
    pub aggregates: Vec<Aggregate>,
    /// Over what.
    pub kind: FoldKind,
}

/// One aggregate.
#[derive(Clone)]
pub struct Aggregate {
    /// The reduction.
    pub reduction: &'static dyn Reduction,
    /// What it reduces: columns of the program's output, all of one type.
    pub columns: Vec<usize>,
    /// Its other arguments.
    pub constants: Vec<Value>,
    /// Its place, in words; empty if it has none.
    pub place: String,
    /// It takes only points that are the first along some dimensions of the domain, each told by
    /// how many points of the domain stand between two of its own, and by its size.
    pub once: Vec<(u64, u64)>,
}

/// Over what is folded.
#[derive(Clone)]
pub enum FoldKind {
    /// Everything, into one row. `Partial` gives one tile at the end, `Final` tile 0 on worker 0.
    All,
    /// Rows with equal keys: these columns of the program's output. Missing keys are a group of
    /// their own, as are NaNs; -0.0 equals 0.0. `Partial` gives tiles with keys, then states;
    /// `Final` tiles with keys, then results, in any order.
    By(Vec<usize>),
    /// Some dimensions of a box. `Partial` gives tiles of states, and last in each a column of one
    /// number: how many tiles they are of. `Final` gives a tile of results as soon as the states of
    /// all `parts` tiles have come.
    Over {
        /// The dimensions that stay, ascending.
        keep: Vec<usize>,
        /// The cuts of the result. It has those of the tiles that are folded, and maybe more along
        /// its first dimension, so that many workers have a part of it.
        tiling: Tiling,
        /// How many tiles make one tile of the result.
        parts: u64,
    },
}

/// Something for each row: a program, a download, a small pipeline.
#[derive(Clone)]
pub struct Task {
    /// What is done.
    pub work: TaskWork,
    /// The columns of the tiles that come in which go on, before those that the work adds.
    pub keep: Vec<usize>,
    /// How many starts are in flight at most, in all processes together; as many as there are
    /// workers if it is not said.
    pub concurrency: Option<usize>,
    /// What each start takes.
    pub needs: Needs,
    /// Whether rows go on as soon as they are done, in any order.
    pub any_order: bool,
    /// So many rows that end well are enough.
    pub first: Option<u64>,
    /// What becomes of a row that fails.
    pub on_error: OnError,
    /// Whether a row can become any number of rows.
    pub many: bool,
    /// What it does, in a versioned text: equal texts mean equal answers.
    pub identity: String,
    /// The programs and addresses that it uses, for people.
    pub uses: Vec<String>,
    /// The sizes of the domain that comes in, to make indices of boxes.
    pub sizes: Vec<u64>,
    /// Whether rows carry explicit indices.
    pub keep_index: bool,
}

impl Task {
    /// What it does, in a line.
    pub fn describe(&self) -> String {
        match &self.work {
            TaskWork::Ready(_) => self.uses.join(", "),
            TaskWork::Each(each) => each.describe(),
        }
    }
}

/// What is done for each row.
#[derive(Clone)]
pub enum TaskWork {
    /// What the plan has made: a program, a download.
    Ready(Arc<dyn Work>),
    /// A small pipeline, which the engine runs.
    Each(Arc<Each>),
}

/// What becomes of a row that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The run ends.
    Stop,
    /// It goes on with what went wrong in its last column.
    Keep,
    /// The same, and a later step leaves it out.
    Skip,
}

/// Rows in order.
#[derive(Clone)]
pub struct Order {
    /// By these columns, the first one foremost; then by tile number and place in the tile.
    /// Missing values come last, NaN before them.
    pub keys: Vec<SortKey>,
    /// Only so many rows, which worker 0 has in the end; `None` all.
    pub limit: Option<u64>,
    /// The result is cut into tiles of so many rows, numbered from 0, `origin` the first row.
    pub tile_rows: usize,
}

/// A column to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// Its position.
    pub column: usize,
    /// Greatest first (missing still last).
    pub descending: bool,
}

/// Where tiles go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// All to worker 0.
    Gather,
    /// Each row by the hash of its first `n` columns, the keys.
    Hash(usize),
    /// Each tile by its number, modulo the workers.
    Tile,
    /// Each message to the worker it is for; tiles that are for none stay.
    Address,
    /// Each tile to one worker of each process.
    Processes,
    /// Tiles of rows that something is done for, to the workers of the first so many processes:
    /// each by its number, or where it is if it may stay and those are all.
    Tasks {
        /// How many processes do something.
        processes: usize,
        /// Whether tiles may stay.
        stay: bool,
    },
}

/// One input after the other: boxes become rows, tiles and indices are numbered on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concat {
    /// For each input, what is added to its tile numbers.
    pub numbers: Vec<u64>,
    /// For each input, what is added to its row indices.
    pub indices: Vec<i64>,
    /// For each input the sizes of its domain, to make indices of boxes.
    pub sizes: Vec<Vec<u64>>,
    /// Whether rows carry explicit indices.
    pub keep_index: bool,
}

/// Which rows a join has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Rows of the left with each of their matches.
    Inner,
    /// Also those without a match; what is the right's is then missing.
    Left,
    /// Rows of the left that have a match, once, and no columns of the right.
    Semi,
    /// Rows of the left that have no match.
    Anti,
}

impl How {
    /// All of them.
    pub const ALL: [How; 4] = [How::Inner, How::Left, How::Semi, How::Anti];

    /// The name users know.
    pub fn name(self) -> &'static str {
        match self {
            How::Inner => "inner",
            How::Left => "left",
            How::Semi => "semi",
            How::Anti => "anti",
        }
    }
}

/// Rows with equal keys. Missing keys match none; NaN equals NaN, and -0.0 equals 0.0. Rows come in
/// the order of the left, several matches of one in the order of the right. Tiles keep the numbers
/// of the left's, and rows are indexed in its domain: the index times the most matches that any key
/// has, plus the place among the matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Which rows.
    pub how: How,
    /// The keys in tiles of the left; in those of the right they are the first columns.
    pub keys: Vec<usize>,
    /// The types of the keys, the same on both sides.
    pub types: Vec<DType>,
    /// The columns of the left that go on.
    pub left: Vec<usize>,
    /// The columns of the right that go on, behind the left's.
    pub right: Vec<usize>,
    /// The types of all columns of the right.
    pub right_types: Vec<DType>,
    /// The sizes of the left's domain, to make indices of boxes.
    pub sizes: Vec<u64>,
    /// Whether rows carry explicit indices.
    pub keep_index: bool,
}

impl Join {
    /// How many matches a row has at most, where a key of the right has so many rows at most.
    pub fn most(&self, rows: u64) -> u64 {
        match self.how {
            How::Inner | How::Left => rows.max(1),
            How::Semi | How::Anti => 1,
        }
    }
}

/// Boxes beside smaller boxes: columns of the right vary along fewer dimensions than the tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlay {
    /// For each dimension of the right its place in the left; `None` for that of a single row,
    /// which goes beside all.
    pub dims: Vec<Option<usize>>,
    /// The cuts of the right.
    pub tiling: Tiling,
    /// The columns of the left that go on.
    pub left: Vec<usize>,
    /// The columns of the right that go on, behind the left's, and the dimensions of the right
    /// that each varies along.
    pub right: Vec<(usize, DimMask)>,
    /// Coordinates that must be equal.
    pub checked: Vec<Checked>,
    /// Whether tiles of the left are rows: then every column has a value for each.
    pub rows: bool,
}

/// A coordinate that both sides of an `Overlay` have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: Arc<str>,
    /// The column of the left.
    pub left: usize,
    /// The column of the right, and the dimension of the right that it varies along.
    pub right: (usize, DimMask),
}

/// Rows in parts by their keys. Each part is a tile, numbered from 0, of rows in their order; a part
/// without rows is a tile too.
#[derive(Clone, Debug)]
pub struct Partition {
    /// The keys.
    pub keys: Vec<usize>,
    /// How many parts there are.
    pub into: u64,
    /// What tells the part of a row.
    pub by: Dealt,
    /// The sizes of the input's domain, to make indices of boxes.
    pub sizes: Vec<u64>,
}

/// What tells the part of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Dealt {
    /// The hash of its keys, modulo the parts.
    Hash,
    /// The place of its keys among those of a sample of all rows.
    Range,
    /// The place of its one key among these values, ascending: the first keys of parts.
    Bounds(ArrayRef),
}

/// Rows for the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Show {
    /// The name under which they are reported.
    pub name: String,
    /// How many of them a report holds, if nobody has asked for so many: one more may come, and
    /// stands for all beyond.
    pub most: Option<u64>,
}

/// What a run needs, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// For each tile in flight of a worker.
    pub per_tile: u64,
    /// How many tiles a worker may have in flight.
    pub in_flight: u64,
    /// For each worker beside its tiles.
    pub per_worker: u64,
    /// For each process beside its workers: hoisted tables, cells of reductions.
    pub per_process: u64,
    /// For each process, rows and groups: what does not fit goes to files.
    pub state: u64,
    /// Stages of each worker that hold such.
    pub stages: u64,
    /// What of it is a guess because only the run can tell, in words.
    pub guesses: Vec<String>,
}

/// A stage that holds rows or groups has at least so many bytes for them.
const LEAST_STATE: u64 = 2 << 20;

impl Memory {
    /// Bytes for one process with so many workers.
    pub fn process(&self, workers: u64) -> u64 {
        self.fixed(workers).saturating_add(self.state)
    }

    /// The least that one process with so many workers can do with.
    pub fn least(&self, workers: u64) -> u64 {
        self.fixed(workers).saturating_add(workers * self.stages * LEAST_STATE)
    }

    /// What of it has nothing to do with how many rows and groups there are.
    pub fn fixed(&self, workers: u64) -> u64 {
        self.per_process + workers * (self.per_worker + self.in_flight * self.per_tile)
    }
}
