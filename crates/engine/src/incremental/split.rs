//! Which part of a plan is kept up to date: from the readers of files to the reductions of their
//! rows. And the plan of what is behind them.
use super::above::{Above, above};
use super::head::{Cells, Head, head, names};
use super::table::Table;
use crate::ledger::Standing;
use base::Failure;
use plan::physical::{Node, Op, Physical, Read, Route, Show, feeding};
use std::sync::Arc;

/// A plan in two parts.
pub struct Split {
    /// The reductions between them: of rows of files,
    pub heads: Vec<Head>,
    /// and of kept ones. They are numbered on.
    pub aboves: Vec<Above>,
    /// Those whose results are needed outside of other reductions, by their number.
    pub(super) needed: Vec<bool>,
    /// For each reader of files whether the place of its rows counts, among those of all files.
    pub placed: Vec<usize>,
    /// The nodes that make the right sides of joins below them, from other files.
    pub(super) sides: Vec<usize>,
    /// The readers of other files: for those right sides, or read by what is behind.
    pub beside: Vec<usize>,
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
        let mut aboves: Vec<Above> = Vec::new();
        let mut kept: Vec<usize> = heads.iter().map(|head| head.last).collect();
        for at in (0..nodes.len()).filter(|at| heads.iter().all(|head| head.last != *at)) {
            if let Some(above) = above(physical, at, &kept) {
                kept.push(at);
                aboves.push(above);
            }
        }
        let mut wanted = vec![false; nodes.len()];
        for (at, node) in nodes.iter().enumerate().rev() {
            wanted[at] |= matches!(node.op, Op::Write(_) | Op::Show(_));
            if wanted[at] && !kept.contains(&at) {
                node.inputs.iter().for_each(|input| wanted[*input] = true);
            }
        }
        // What only other reductions need is kept, too.
        let mut of_use = wanted.clone();
        for above in aboves.iter().rev() {
            let needed = of_use[above.last];
            above.from.iter().for_each(|from| of_use[*from] |= needed);
        }
        let files = |at: &usize| matches!(nodes[*at].op, Op::Read(Read { source: Some(_), .. }));
        let whole = |at: usize| {
            let step = &nodes[at].step;
            Err(format!("not all that `{step}` reads is reduced file by file"))
        };
        let mut beside: Vec<usize> =
            (0..nodes.len()).filter(|at| wanted[*at] && files(at)).collect();
        heads.retain(|head| of_use[head.last]);
        aboves.retain(|above| of_use[above.last]);
        if heads.is_empty() {
            return beside
                .first()
                .map_or(Err("no reduction takes rows of files".into()), |at| whole(*at));
        }
        let own = |at: &usize| {
            let theirs = names(nodes, *at);
            heads.iter().any(|head| !names(nodes, head.read).is_disjoint(&theirs))
        };
        if let Some(at) = beside.iter().find(|at| own(at)) {
            return whole(*at);
        }
        let mut sides: Vec<usize> = heads.iter().flat_map(|head| head.sides.clone()).collect();
        sides.sort_unstable();
        sides.dedup();
        beside.extend(feeding(nodes, &sides).into_iter().filter(files));
        beside.sort_unstable();
        beside.dedup();
        let above = (0..nodes.len()).filter(|at| wanted[*at]).collect();
        let placed = heads.iter().filter(|head| head.standing != Standing::Loose);
        let mut placed: Vec<usize> = placed.map(|head| head.read).collect();
        placed.dedup();
        let mut split = Split { heads, aboves, needed: Vec::new(), placed, sides, beside, above };
        split.needed = split.ends().iter().map(|last| wanted[*last]).collect();
        Ok(split)
    }

    /// Where the reductions end, by their numbers.
    pub(super) fn ends(&self) -> Vec<usize> {
        let heads = self.heads.iter().map(|head| head.last);
        heads.chain(self.aboves.iter().map(|above| above.last)).collect()
    }

    /// Whether rows of files are joined with something below the reductions.
    pub fn joins(&self) -> bool {
        !self.sides.is_empty()
    }

    /// Whether the box of a result grows with the files, so that the plan of what is behind it is
    /// one for the files that are there.
    pub fn grows(&self) -> bool {
        self.heads.iter().any(|head| matches!(head.cells, Some(Cells::Own(_))))
    }

    /// Whether there are results that are boxes: how they are cut depends on how many files there
    /// are.
    pub fn boxes(&self) -> bool {
        self.heads.iter().any(|head| head.cells.is_some())
    }

    /// The readers of files, each once.
    pub fn reads(&self) -> Vec<usize> {
        let mut reads: Vec<usize> = self.heads.iter().map(|head| head.read).collect();
        reads.sort_unstable();
        reads.dedup();
        reads
    }

    /// The plan of what is behind the reductions, over the results of those that it needs; where
    /// `written`, it shows what it writes too.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub(crate) fn behind(
        &self,
        physical: &Physical,
        tables: &[Option<Arc<Table>>],
        written: bool,
    ) -> Result<Physical, Failure> {
        let mut place = vec![usize::MAX; physical.nodes.len()];
        let mut nodes: Vec<Node> = Vec::with_capacity(self.above.len());
        let ends = self.ends();
        for at in &self.above {
            let mut node = physical.nodes[*at].clone();
            match ends.iter().position(|last| last == at) {
                Some(number) => {
                    let table = tables.get(number).and_then(Option::as_ref).ok_or_else(lost)?;
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
        self.ends().into_iter().map(|last| physical.nodes[last].step.as_str()).collect()
    }
}

/// Makes a plan show what it writes too.
pub fn show_all(physical: &mut Physical) {
    for at in 0..physical.nodes.len() {
        show_written(&mut physical.nodes, at);
    }
}

/// Hands out a table that is in memory.
fn read(table: Arc<Table>) -> Op {
    let (columns, tiling) = ((0..table.columns()).collect(), table.cuts().clone());
    let offset = vec![0; tiling.counts().len()];
    let source: Option<Arc<dyn formats::TileSource>> = Some(table);
    let (files, survivors, program) = (None, None, None);
    let place = String::new();
    Op::Read(Read { source, files, offset, columns, tiling, survivors, place, program })
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
        let (step, place, schema) = (step.clone(), String::new(), schema.clone());
        nodes.push(Node { step, place, op, inputs: vec![input], schema });
        nodes.len() - 1
    };
    let gathered = add(Op::Exchange(Route::Gather), from);
    add(Op::Show(Show { name, most: None }), gathered);
}

fn lost() -> Failure {
    Failure::internal("a reduction has no table")
}
