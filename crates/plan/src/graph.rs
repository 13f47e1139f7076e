//! The plan: a graph of a small closed set of nodes, as the steps make it and the rules rewrite it.
use crate::files::Files;
use crate::physical::{Dealt, How, Show, Task};
use base::{Attributes, DType, DimMask, Domain, Field, Schema, Span, Value};
use expr::reduce::Reduction;
use expr::{Given, Step};
use formats::{Format, Options, Survivors, TileSource};
use std::path::PathBuf;
use std::sync::Arc;
use tasks::stream::Program;

/// The position of a node in its graph.
pub type NodeId = usize;

/// The nodes; inputs stand before the nodes they feed.
#[derive(Clone, Default)]
pub struct Graph {
    /// The nodes.
    pub nodes: Vec<PlanNode>,
    /// The columns of the row that all of it is done for, as programs call them; none outside of
    /// `each`. Programs have them behind the columns of their tiles.
    pub row: Vec<(Field, Given)>,
}

/// One node.
#[derive(Clone)]
pub struct PlanNode {
    /// The name of the step it comes from.
    pub step: String,
    /// The step's place, in words; empty if it has none.
    pub place: String,
    /// What it does.
    pub op: PlanOp,
    /// The nodes it reads from.
    pub inputs: Vec<NodeId>,
    /// What it makes.
    pub schema: Schema,
    /// For each column, whether it is a coordinate known for the whole domain.
    pub given: Vec<Given>,
    /// The columns that are made, where rule `prune-columns` found that others are not used.
    pub kept: Option<Vec<usize>>,
    /// Whether what its arithmetic meets is told: not where it does again what another node does.
    pub told: bool,
}

impl PlanNode {
    /// A node of a step, all of whose columns are made.
    pub fn new(
        step: &str,
        op: PlanOp,
        inputs: Vec<NodeId>,
        schema: Schema,
        given: Vec<Given>,
    ) -> PlanNode {
        let (step, place) = (step.to_owned(), String::new());
        PlanNode { step, place, op, inputs, schema, given, kept: None, told: true }
    }

    /// Steps that begin with what this node makes.
    pub fn then(&self, steps: Vec<Step>) -> Fused {
        Fused { schema: self.schema.clone(), given: self.given.clone(), steps }
    }

    /// Where a column stands in its tiles.
    pub fn place(&self, column: usize) -> usize {
        let place = |kept: &Vec<usize>| kept.iter().position(|k| *k == column);
        self.kept.as_ref().and_then(place).unwrap_or(column)
    }

    /// What its tiles hold.
    pub fn made(&self) -> Schema {
        let mut schema = self.schema.clone();
        if let Some(kept) = &self.kept {
            schema.fields = kept.iter().map(|i| self.schema.fields[*i].clone()).collect();
        }
        schema
    }
}

/// What a node does.
#[derive(Clone)]
pub enum PlanOp {
    /// Makes the tiles of a box.
    Read(ReadPlan),
    /// New columns, fewer rows, other columns: tile by tile.
    Apply(Vec<Step>),
    /// Aggregates.
    Fold(FoldPlan),
    /// Rows in order, or the first of them.
    Order(OrderPlan),
    /// All tiles of one input after those of the other.
    Concat,
    /// Columns of the second input beside those of the first.
    Join(JoinPlan),
    /// Rows in parts by their keys.
    Partition(PartitionPlan),
    /// Something for each row.
    Task(Box<Task>),
    /// Rows through a program of the user's, tile by tile.
    Stream(StreamPlan),
    /// A file.
    Write(Box<WritePlan>),
    /// Rows for the report.
    Show(Show),
}

/// Makes the tiles of a box: coordinates that are known, and columns of a file.
#[derive(Clone)]
pub struct ReadPlan {
    /// The file, if there is one.
    pub source: Option<Arc<dyn TileSource>>,
    /// Where the box begins in the file's own.
    pub offset: Vec<u64>,
    /// For each column of the node its position in the file's schema.
    pub columns: Vec<Option<usize>>,
    /// One line for `explain`.
    pub describe: String,
    /// The place of the step that reads, in words, where rule `fuse-read` moved another into it.
    pub place: String,
    /// What was asked of the format: its name, its options, the columns; empty without a file.
    pub request: String,
    /// The files by name, if there are any.
    pub files: Option<Arc<Files>>,
    /// What rule `fuse-read` moved into it.
    pub fused: Option<Fused>,
    /// The rows of the file that may pass the filters behind it, where rule `prune-rows` found
    /// that others do not.
    pub survivors: Option<Arc<Survivors>>,
}

/// Steps that a rule moved into another node, and what they begin with.
#[derive(Clone)]
pub struct Fused {
    /// The columns before the first step.
    pub schema: Schema,
    /// Which of them are known coordinates.
    pub given: Vec<Given>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One aggregate.
#[derive(Clone)]
pub struct Call {
    /// The reduction.
    pub reduction: &'static dyn Reduction,
    /// What it reduces, columns of the input.
    pub columns: Vec<usize>,
    /// Its other arguments.
    pub constants: Vec<Value>,
    /// Dimensions of the input's box of which it takes the first point only: those that are
    /// reduced, and that its columns do not vary along. So each of their values counts once.
    pub once: DimMask,
    /// As users write it, for `explain`.
    pub text: String,
    /// Its place, in words.
    pub place: String,
}

/// Aggregates.
#[derive(Clone)]
pub struct FoldPlan {
    /// What is computed.
    pub calls: Vec<Call>,
    /// Over what.
    pub kind: FoldPlanKind,
    /// What rule `fuse-reduce` moved into it: it runs in blocks, and no column is ever whole.
    pub fused: Option<Fused>,
}

/// Over what is folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoldPlanKind {
    /// Everything.
    All,
    /// Rows with equal values in these columns of the input.
    By(Vec<usize>),
    /// All dimensions but these.
    Over(Vec<usize>),
}

/// Rows in order.
#[derive(Clone)]
pub struct OrderPlan {
    /// By these columns; then as they come.
    pub keys: Vec<crate::physical::SortKey>,
    /// Only so many.
    pub limit: Option<u64>,
}

/// Two inputs side by side.
#[derive(Clone, Debug)]
pub struct JoinPlan {
    /// What belongs together.
    pub kind: JoinPlanKind,
    /// The columns of the first input that the result has, in its order.
    pub left: Vec<usize>,
    /// Those of the second input, behind them.
    pub right: Vec<usize>,
}

/// What belongs together.
#[derive(Clone, Debug)]
pub enum JoinPlanKind {
    /// Rows with equal keys: these columns of the left, and as many first columns of the right.
    Keys {
        /// The keys of the left.
        left: Vec<usize>,
        /// The types of both sides' keys.
        types: Vec<DType>,
        /// Which rows the result has.
        how: How,
    },
    /// Points of two boxes.
    Dimensions {
        /// For each dimension of the right its place in the left; `None` for that of a single
        /// row, which goes beside all.
        dims: Vec<Option<usize>>,
        /// Coordinates, a column of the left and one of the right, that the run has to compare.
        checked: Vec<(usize, usize)>,
    },
}

impl JoinPlan {
    /// The columns of its `side`-th input that a join reads to make some of its own.
    pub fn uses(&self, side: usize, made: impl Iterator<Item = usize>) -> Vec<usize> {
        let n = self.left.len();
        let mut used: Vec<usize> = match (&self.kind, side) {
            (JoinPlanKind::Keys { left, .. }, 0) => left.clone(),
            (JoinPlanKind::Keys { types, .. }, _) => (0..types.len()).collect(),
            (JoinPlanKind::Dimensions { checked, .. }, 0) => checked.iter().map(|c| c.0).collect(),
            (JoinPlanKind::Dimensions { checked, .. }, _) => checked.iter().map(|c| c.1).collect(),
        };
        used.extend(made.filter_map(|i| match side {
            0 => self.left.get(i).copied(),
            _ => self.right.get(i.checked_sub(n)?).copied(),
        }));
        used
    }
}

/// Rows in parts.
#[derive(Clone)]
pub struct PartitionPlan {
    /// The columns that tell the part.
    pub keys: Vec<usize>,
    /// How many parts there are.
    pub into: u64,
    /// How they tell it.
    pub by: Dealt,
}

/// Rows through a program.
#[derive(Clone)]
pub struct StreamPlan {
    /// The program.
    pub program: Arc<Program>,
    /// What its answers depend on beside its batches.
    pub key: tasks::Key,
    /// The most rows of a batch, if the user says so.
    pub batch_rows: Option<u64>,
}

/// A file to write; its columns are the input's.
#[derive(Clone)]
pub struct WritePlan {
    /// The format.
    pub format: &'static dyn Format,
    /// The final name.
    pub path: PathBuf,
    /// Where the path stands in the pipeline file.
    pub span: Span,
    /// Options of the format.
    pub options: Options,
    /// Where each option stands.
    pub option_spans: Vec<(String, Span)>,
    /// Attributes of the file.
    pub attributes: Attributes,
}

impl Graph {
    /// Adds a node.
    pub fn add(&mut self, node: PlanNode) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// What a program of these steps begins with.
    pub fn before(&self, fused: &Fused) -> (Schema, Vec<Given>) {
        let (mut schema, mut given) = (fused.schema.clone(), fused.given.clone());
        schema.fields.extend(self.row.iter().map(|(field, _)| field.clone()));
        given.extend(self.row.iter().map(|(_, given)| given.clone()));
        (schema, given)
    }

    /// The nodes that read from a node.
    pub fn consumers(&self, id: NodeId) -> Vec<NodeId> {
        (0..self.nodes.len()).filter(|n| self.nodes[*n].inputs.contains(&id)).collect()
    }

    /// Keeps only the nodes for which `keep` holds; nobody may read from the others.
    pub fn retain(&mut self, keep: &[bool]) {
        let mut place = vec![usize::MAX; self.nodes.len()];
        let mut nodes = Vec::new();
        for (i, mut node) in std::mem::take(&mut self.nodes).into_iter().enumerate() {
            if keep[i] {
                place[i] = nodes.len();
                node.inputs.iter_mut().for_each(|input| *input = place[*input]);
                nodes.push(node);
            }
        }
        self.nodes = nodes;
    }
}

/// The schema and the known coordinates behind a chain of steps.
pub fn after(schema: &Schema, given: &[Given], steps: &[Step]) -> (Schema, Vec<Given>) {
    let (mut schema, mut given) = (schema.clone(), given.to_vec());
    for step in steps {
        match step {
            Step::Map(columns) => {
                let mut positions = schema.positions();
                for (field, _) in columns {
                    match positions.get(&field.name).copied() {
                        Some(i) => {
                            schema.fields[i] = field.clone();
                            given[i] = Given::Loaded;
                        }
                        None => {
                            positions.insert(field.name.clone(), schema.fields.len());
                            schema.fields.push(field.clone());
                            given.push(Given::Loaded);
                        }
                    }
                }
            }
            Step::Filter(_) | Step::Prune { .. } => {
                schema.domain = Domain::rows();
                for field in &mut schema.fields {
                    field.mask = DimMask::only(0);
                }
                given.fill(Given::Loaded);
            }
            Step::Project(columns) => {
                given = columns.iter().map(|(i, _)| given[*i].clone()).collect();
                schema.fields = columns.iter().map(|(_, f): &(usize, Field)| f.clone()).collect();
            }
        }
    }
    (schema, given)
}
