//! Which part of a plan is kept up to date: from the readers of files to the reductions of their
//! rows. And the plan of what is behind them.
use super::piece::Piece;
use super::table::Table;
use crate::ledger::{Standing, key, meaning};
use base::{Domain, Failure, Tiling};
use plan::Print;
use plan::physical::{Fold, FoldKind, Node, Op, Physical, Read, Reduce, Route, Show};
use std::sync::Arc;

/// Rows of a tile of a kept table.
const TILE_ROWS: u64 = 1 << 16;

/// A reduction that is kept up to date.
pub struct Head {
    /// The node that reads its files.
    pub read: usize,
    /// The nodes behind that one, the last of them the reduction's `Partial`.
    pub(crate) chain: Vec<usize>,
    /// Its `Final`.
    pub(crate) last: usize,
    pub(crate) fold: Fold,
    /// What its states are known by, beside the tiles that they are of.
    pub(crate) meaning: Print,
    pub(crate) standing: Standing,
}

impl Head {
    /// By what a tile of a file is known in a ledger.
    pub(crate) fn key(&self, piece: &Piece, cuts: &Tiling, tile: u64) -> Print {
        let region = cuts.region(tile);
        let place: Vec<u64> = match self.standing {
            Standing::Loose => Vec::new(),
            _ => region.origin.iter().map(|row| row + piece.first).collect(),
        };
        let shape = region.shape.clone();
        key(&[piece.print], &[region], &place, &shape)
    }
}

/// A plan in two parts.
pub struct Split {
    /// The reductions between them.
    pub heads: Vec<Head>,
    /// For each reader of files whether the place of its rows counts, among those of all files.
    pub placed: Vec<usize>,
    /// The nodes behind them, and the `Final`s of the reductions.
    above: Vec<usize>,
}

impl Split {
    /// Cuts a plan.
    ///
    /// # Errors
    /// Why it cannot be kept up to date, for the user.
    pub fn of(physical: &Physical) -> Result<Split, String> {
        let nodes = &physical.nodes;
        let mut heads: Vec<Head> = (0..nodes.len()).filter_map(|at| head(physical, at)).collect();
        let mut wanted = vec![false; nodes.len()];
        for (at, node) in nodes.iter().enumerate().rev() {
            wanted[at] |= matches!(node.op, Op::Write(_) | Op::Show(_));
            if wanted[at] && !heads.iter().any(|head| head.last == at) {
                node.inputs.iter().for_each(|input| wanted[*input] = true);
            }
        }
        let files = |op: &Op| matches!(op, Op::Read(Read { source: Some(_), .. }));
        if let Some(at) = (0..nodes.len()).find(|at| wanted[*at] && files(&nodes[*at].op)) {
            let step = &nodes[at].step;
            return Err(format!("not all that `{step}` reads is reduced file by file"));
        }
        heads.retain(|head| wanted[head.last]);
        if heads.is_empty() {
            return Err("no reduction takes rows of files".into());
        }
        let above = (0..nodes.len()).filter(|at| wanted[*at]).collect();
        let placed = heads.iter().filter(|head| head.standing != Standing::Loose);
        let mut placed: Vec<usize> = placed.map(|head| head.read).collect();
        placed.dedup();
        Ok(Split { heads, placed, above })
    }

    /// The readers of files, each once.
    pub fn reads(&self) -> Vec<usize> {
        let mut reads: Vec<usize> = self.heads.iter().map(|head| head.read).collect();
        reads.sort_unstable();
        reads.dedup();
        reads
    }

    /// The plan of what is behind the reductions, over their results; where `written`, it shows what
    /// it writes too.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub(crate) fn behind(
        &self,
        physical: &Physical,
        tables: &[Arc<Table>],
        written: bool,
    ) -> Result<Physical, Failure> {
        let mut place = vec![usize::MAX; physical.nodes.len()];
        let mut nodes: Vec<Node> = Vec::with_capacity(self.above.len());
        for at in &self.above {
            let mut node = physical.nodes[*at].clone();
            match self.heads.iter().position(|head| head.last == *at) {
                Some(head) => {
                    let table = tables.get(head).ok_or_else(lost)?;
                    (node.op, node.inputs) = (read(table.clone()), Vec::new());
                }
                None => node.inputs.iter_mut().for_each(|input| *input = place[*input]),
            }
            place[*at] = nodes.len();
            nodes.push(node);
        }
        let meaning = |at: &usize| physical.meanings.get(*at).copied().unwrap_or_default();
        let meanings = self.above.iter().map(meaning).collect();
        let mut behind = Physical { nodes, meanings, ..physical.clone() };
        if written {
            show_all(&mut behind);
        }
        Ok(behind)
    }

    /// The steps of the reductions.
    pub fn steps<'a>(&self, physical: &'a Physical) -> Vec<&'a str> {
        self.heads.iter().map(|head| physical.nodes[head.last].step.as_str()).collect()
    }
}

/// Makes a plan show what it writes too.
pub fn show_all(physical: &mut Physical) {
    for at in 0..physical.nodes.len() {
        show_written(&mut physical.nodes, at);
    }
}

/// The reduction whose `Final` stands here, if it takes rows of files one by one.
fn head(physical: &Physical, last: usize) -> Option<Head> {
    let nodes = &physical.nodes;
    let Op::Final(Reduce::Fold(fold)) = &nodes[last].op else { return None };
    if matches!(fold.kind, FoldKind::Over { .. }) {
        return None;
    }
    let mut at = *nodes[last].inputs.first()?;
    if matches!(nodes[at].op, Op::Exchange(_)) {
        at = *nodes[at].inputs.first()?;
    }
    let mut chain = Vec::new();
    loop {
        match &nodes[at].op {
            Op::Partial(Reduce::Fold(_)) | Op::Apply(_) => {
                chain.insert(0, at);
                at = *nodes[at].inputs.first()?;
            }
            Op::Read(read) if by_file(read) => {
                let (meaning, standing) = meaning(physical, at, *chain.last()?);
                // Files of boxes stand in the order of a coordinate and not of their names.
                if standing == Standing::Placed {
                    return None;
                }
                let fold = fold.clone();
                return Some(Head { read: at, chain, last, fold, meaning, standing });
            }
            _ => return None,
        }
    }
}

/// Whether a reader takes all of its files, each by itself: then what is read must vary from one
/// file to the next, or be a coordinate that is the same in all of them.
fn by_file(read: &Read) -> bool {
    let (Some(source), Some(files)) = (&read.source, &read.files) else { return false };
    let schema = source.schema();
    let Some(along) = source.along().filter(|_| files.each) else { return false };
    let own = |column: &usize| {
        let field = schema.fields.get(*column);
        field.is_some_and(|f| f.mask.has(along)) || schema.coordinate(*column).is_some()
    };
    let tiled = match read.tiling.count().checked_sub(1).map(|last| read.tiling.region(last)) {
        Some(last) => last.origin.iter().zip(&last.shape).map(|(o, n)| o + *n as u64).collect(),
        None => schema.domain.sizes(),
    };
    read.columns.iter().all(own)
        && read.offset.iter().all(|o| *o == 0)
        && tiled == schema.domain.sizes()
}

/// Hands out a table that is in memory.
fn read(table: Arc<Table>) -> Op {
    let columns = (0..table.columns()).collect();
    let rows = Domain::new([("row", table.rows() as u64)]);
    Op::Read(Read {
        source: Some(table),
        files: None,
        offset: vec![0],
        columns,
        tiling: Tiling::even(&rows, &[TILE_ROWS]),
        survivors: None,
        program: None,
    })
}

/// If something is written here, it is shown too.
fn show_written(nodes: &mut Vec<Node>, at: usize) {
    let Op::Write(sink) = &nodes[at].op else { return };
    let name = sink.path().display().to_string();
    let mut from = nodes[at].inputs[0];
    if matches!(nodes[from].op, Op::Exchange(Route::Gather)) {
        from = nodes[from].inputs[0];
    }
    if matches!(nodes[from].op, Op::Encode(_)) {
        from = nodes[from].inputs[0];
    }
    let (step, schema) = (nodes[at].step.clone(), nodes[at].schema.clone());
    let mut add = |op, input| {
        nodes.push(Node { step: step.clone(), op, inputs: vec![input], schema: schema.clone() });
        nodes.len() - 1
    };
    let gathered = add(Op::Exchange(Route::Gather), from);
    add(Op::Show(Show { name }), gathered);
}

fn lost() -> Failure {
    Failure::internal("a reduction has no table")
}
