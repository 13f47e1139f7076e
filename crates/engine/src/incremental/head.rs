//! A reduction that is kept up to date: the nodes from a reader of files to the reduction of what
//! each file has.
use super::piece::Piece;
use crate::ledger::{Standing, key, meaning, moves};
use base::Tiling;
use plan::Print;
use plan::physical::{Fold, FoldKind, Node, Op, Physical, Read, Reduce, feeding};
use std::collections::BTreeSet;

/// A reduction that is kept up to date.
pub struct Head {
    /// The node that reads its files.
    pub read: usize,
    /// The nodes behind that one, the last of them the reduction's `Partial`.
    pub(crate) chain: Vec<usize>,
    /// The nodes that make the right sides of the joins among them, from other files.
    pub(crate) sides: Vec<usize>,
    /// Its `Final`.
    pub(crate) last: usize,
    pub(crate) fold: Fold,
    /// What its states are known by, beside the tiles that they are of.
    pub(crate) meaning: Print,
    pub(crate) standing: Standing,
    /// Of a fold over dimensions what its results are.
    pub(crate) cells: Option<Cells>,
}

/// What the results of a fold over dimensions are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cells {
    /// The same cells for all files.
    Shared,
    /// Each file has its own, one after the other along this dimension of the result.
    Own(usize),
}

impl Head {
    /// By what a tile of a file is known in a ledger; `beside` are the files of what it is joined
    /// with.
    pub(crate) fn key(&self, piece: &Piece, beside: &[Print], cuts: &Tiling, tile: u64) -> Print {
        let region = cuts.region(tile);
        let place: Vec<u64> = match self.standing {
            Standing::Loose => Vec::new(),
            _ => region.origin.iter().map(|row| row + piece.first).collect(),
        };
        let shape = region.shape.clone();
        let files: Vec<Print> =
            std::iter::once(piece.print).chain(beside.iter().copied()).collect();
        key(&files, &[region], &place, &shape)
    }

    /// The dimensions that stay, of a fold over the others.
    pub(crate) fn keep(&self) -> &[usize] {
        if let FoldKind::Over { keep, .. } = &self.fold.kind { keep } else { &[] }
    }
}

/// The reduction whose `Final` stands here, if it takes what files have one by one.
pub(crate) fn head(physical: &Physical, last: usize) -> Option<Head> {
    let nodes = &physical.nodes;
    let Op::Final(Reduce::Fold(fold)) = &nodes[last].op else { return None };
    let mut at = *nodes[last].inputs.first()?;
    if matches!(nodes[at].op, Op::Exchange(_)) {
        at = *nodes[at].inputs.first()?;
    }
    let (mut chain, mut sides) = (Vec::new(), Vec::new());
    let read = loop {
        match &nodes[at].op {
            Op::Partial(Reduce::Fold(_)) | Op::Apply(_) => {}
            Op::Join(_) | Op::Overlay(_) => sides.push(side(nodes, at)?),
            Op::Read(read) if by_file(read) => break read,
            _ => return None,
        }
        chain.insert(0, at);
        at = *nodes[at].inputs.first()?;
    };
    if !sides.iter().all(|side| apart(nodes, at, *side)) {
        return None;
    }
    let along = read.source.as_ref()?.along()?;
    let moves = |at: &usize| moves(&nodes[*at], Some(along));
    if chain.iter().any(moves) {
        return None;
    }
    let end = *chain.last()?;
    let (meaning, standing, cells) = match &fold.kind {
        FoldKind::Over { keep, .. } => {
            let meaning = physical.meanings.get(end).filter(|meaning| meaning.by_cell)?;
            let cells = keep.iter().position(|dim| *dim == along).map_or(Cells::Shared, Cells::Own);
            (meaning.formula, Standing::Loose, Some(cells))
        }
        FoldKind::All | FoldKind::By(_) => {
            let (meaning, standing) = meaning(physical, at, end);
            (meaning, standing, None)
        }
    };
    // Files of boxes stand in the order of a coordinate and not of their names.
    if standing == Standing::Placed {
        return None;
    }
    let fold = fold.clone();
    Some(Head { read: at, chain, sides, last, fold, meaning, standing, cells })
}

/// What makes the right side of a join, all of which every worker has.
fn side(nodes: &[Node], join: usize) -> Option<usize> {
    let right = *nodes[join].inputs.get(1)?;
    matches!(nodes[right].op, Op::Exchange(_)).then(|| nodes[right].inputs.first().copied())?
}

/// Whether a right side is made of other files than a reader reads; and not of many where that
/// reads one: each change of theirs would read that one again.
fn apart(nodes: &[Node], read: usize, side: usize) -> bool {
    let own = names(nodes, read);
    let others = names(nodes, side);
    let many = |names: &BTreeSet<String>| names.len() > 1 || names.iter().any(|n| n.contains('*'));
    own.is_disjoint(&others) && (many(&own) || !many(&others))
}

/// The names, as the pipeline has them, of all files that a node is made of.
pub(super) fn names(nodes: &[Node], at: usize) -> BTreeSet<String> {
    let readers = feeding(nodes, &[at]);
    let files = readers.iter().filter_map(|at| match &nodes[*at].op {
        Op::Read(read) => read.files.as_ref(),
        _ => None,
    });
    files.flat_map(|files| files.names.iter().cloned()).collect()
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
