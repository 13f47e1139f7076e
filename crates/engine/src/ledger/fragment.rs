//! The fragments of a plan, and the keys of their tiles.
use super::stamp::Inputs;
use crate::nodes::fold::pieces;
use base::Region;
use formats::Sink;
use plan::Print;
use plan::physical::{Fold, FoldKind, Node, Op, Physical, Read, Reduce, Route, feeding};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A reader of more tiles than this keeps no account of them.
const MOST_TILES: u64 = 1 << 22;

/// A reader's tiles on their way to one place where they last.
#[derive(Clone)]
pub struct Fragment {
    /// The node at its end: a `Write`, or the `Partial` of a fold.
    pub node: usize,
    /// The node at its beginning.
    pub read: usize,
    /// What it means.
    pub meaning: Print,
    /// The readers of all that it is joined with on its way.
    pub beside: Vec<usize>,
    /// For each tile of the reader by what it is known: what it reads, what it is joined with, and
    /// where it stands if that matters.
    pub keys: Vec<Print>,
}

/// The fragments of a plan. A reader some of whose tiles go elsewhere, too, has none: they must be
/// made anyhow.
pub fn fragments(physical: &Physical, inputs: &Inputs) -> Vec<Fragment> {
    let mut all = Vec::new();
    for (at, node) in physical.nodes.iter().enumerate() {
        let Op::Read(read) = &node.op else { continue };
        let ends = ends(&physical.nodes, at).filter(|ends| !ends.is_empty());
        let (Some(ends), Some(_)) = (ends, inputs.of_node(at)) else { continue };
        if read.tiling.count() > MOST_TILES || physical.meanings.len() != physical.nodes.len() {
            continue;
        }
        let fragment = |(node, joins): (usize, Vec<usize>)| {
            let nodes = &physical.nodes;
            let rights: Vec<usize> =
                joins.iter().flat_map(|at| nodes[*at].inputs[1..].to_vec()).collect();
            let beside = feeding(nodes, &rights);
            let files =
                beside.iter().map(|read| inputs.of_node(*read)).collect::<Option<Vec<_>>>()?;
            let files: Vec<Print> = files.concat().into_iter().map(|(_, print)| print).collect();
            let (mut meaning, mut standing) = meaning(physical, at, node);
            let along = read.source.as_ref().and_then(|source| source.along());
            if joins.iter().any(|join| moves(&nodes[*join], along)) {
                (meaning, standing) = (physical.meanings[node].placed, Standing::Placed);
            }
            let keys = keys(read, inputs.of_node(at)?, &files, &standing);
            Some(Fragment { node, read: at, meaning, beside, keys })
        };
        all.extend(ends.into_iter().map(fragment).collect::<Option<Vec<_>>>().unwrap_or_default());
    }
    all
}

/// What of the place of a tile among all counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Loose,
    /// How many rows come before it.
    Row,
    /// Of a fold over dimensions, the cells of the result: the dimensions that stay, and the first
    /// points of the result's tiles along them.
    Cells(Vec<usize>, Vec<Vec<u64>>),
    /// All.
    Placed,
}

/// What a fragment means, and whether it matters where a tile stands. The rows of files have an
/// index that says how many come before them, and a fold of them knows no other place.
pub fn meaning(physical: &Physical, read: usize, end: usize) -> (Print, Standing) {
    let meaning = physical.meanings.get(end).copied().unwrap_or_default();
    let rows = match (&physical.nodes[read].op, &physical.nodes[end].op) {
        (Op::Read(read), Op::Partial(Reduce::Fold(fold))) => {
            // Rows behind a program are numbered by tiles.
            let streamed = physical.nodes.iter().any(|node| matches!(node.op, Op::Stream(_)));
            let whole =
                !streamed && read.source.is_some() && read.offset.iter().all(|offset| *offset == 0);
            whole && read.tiling.counts().len() == 1 && !matches!(fold.kind, FoldKind::Over { .. })
        }
        _ => false,
    };
    match &physical.nodes[end].op {
        Op::Partial(Reduce::Fold(Fold { kind: FoldKind::Over { keep, tiling, .. }, .. }))
            if meaning.by_cell =>
        {
            (meaning.formula, Standing::Cells(keep.clone(), tiling.starts()))
        }
        _ if meaning.loose => (meaning.formula, Standing::Loose),
        _ if rows => (meaning.formula, Standing::Row),
        _ => (meaning.placed, Standing::Placed),
    }
}

/// The sink of a node that can go on with what is staged.
pub fn lasting(node: &Node) -> Option<&Arc<dyn Sink>> {
    match &node.op {
        Op::Write(sink) if sink.resumable() => Some(sink),
        _ => None,
    }
}

/// Whether what tiles are joined with varies along the dimension in which their files follow each
/// other: then it depends on the files before one's own.
pub fn moves(node: &Node, along: Option<usize>) -> bool {
    matches!(&node.op, Op::Overlay(overlay) if along.is_some() && overlay.dims.contains(&along))
}

/// Where all tiles of a node come to last, each with the joins on their way; `None` if some go
/// elsewhere.
fn ends(nodes: &[Node], from: usize) -> Option<Vec<(usize, Vec<usize>)>> {
    let mut all = Vec::new();
    for (at, node) in nodes.iter().enumerate().filter(|(_, n)| n.inputs.contains(&from)) {
        match &node.op {
            // The latter two are the way to a writer that takes all tiles.
            Op::Apply(_) | Op::Stream(_) | Op::Encode(_) | Op::Exchange(Route::Gather) => {
                all.extend(ends(nodes, at)?);
            }
            // Its tiles are those of its left.
            Op::Join(_) | Op::Overlay(_) if node.inputs[1] != from => {
                let joined =
                    |(end, joins): (usize, Vec<usize>)| (end, [&[at], &joins[..]].concat());
                all.extend(ends(nodes, at)?.into_iter().map(joined));
            }
            Op::Partial(Reduce::Fold(_)) => all.push((at, Vec::new())),
            Op::Write(_) if lasting(node).is_some() => all.push((at, Vec::new())),
            _ => return None,
        }
    }
    Some(all)
}

/// By what each tile of a reader of these files is known; `beside` are those of what it is joined
/// with.
fn keys(
    read: &Read,
    files: &[(PathBuf, Print)],
    beside: &[Print],
    standing: &Standing,
) -> Vec<Print> {
    let all = || files.iter().map(|(_, print)| *print).collect::<Vec<_>>();
    let tile = |number: u64| {
        let region = read.tiling.region(number);
        let mut inside = region.clone();
        inside.origin.iter_mut().zip(&read.offset).for_each(|(at, offset)| *at += offset);
        let (mut prints, parts): (Vec<Print>, Vec<Region>) =
            match read.source.as_ref().and_then(|s| s.places(&inside)) {
                Some(places) => (
                    places.iter().filter_map(|p| Some(files.get(p.file)?.1)).collect(),
                    places.into_iter().map(|p| p.region).collect(),
                ),
                None => (all(), vec![Region { origin: inside.origin, shape: Vec::new() }]),
            };
        prints.extend(beside);
        let place = match standing {
            Standing::Loose => Vec::new(),
            Standing::Row => region.origin.clone(),
            Standing::Cells(keep, starts) => cells(&region, keep, starts),
            Standing::Placed => [&[number], &region.origin[..]].concat(),
        };
        key(&prints, &parts, &place, &region.shape)
    };
    (0..read.tiling.count()).map(tile).collect()
}

/// The tiles of the result of a fold over dimensions that a tile is folded into: the number of each,
/// and its box.
fn cells(region: &Region, keep: &[usize], starts: &[Vec<u64>]) -> Vec<u64> {
    let kept = Region {
        origin: keep.iter().map(|dim| region.origin[*dim]).collect(),
        shape: keep.iter().map(|dim| region.shape[*dim]).collect(),
    };
    let pieces = pieces(starts, &kept).unwrap_or_default();
    let words = |(number, part, _): &(u64, Region, Range<usize>)| {
        let shape = part.shape.iter().map(|n| *n as u64);
        [*number].into_iter().chain(part.origin.clone()).chain(shape).collect::<Vec<u64>>()
    };
    pieces.iter().flat_map(words).collect()
}

/// By what a tile is known: the parts of files that it reads, and of which versions; its place,
/// as far as it matters; its shape.
pub fn key(files: &[Print], parts: &[Region], place: &[u64], shape: &[usize]) -> Print {
    let mut words: Vec<u64> = Vec::new();
    for part in parts {
        words.extend(&part.origin);
        words.extend(part.shape.iter().map(|n| *n as u64));
    }
    words.extend(place);
    words.extend(shape.iter().map(|n| *n as u64));
    let words: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    Print::of(files.iter().map(|print| &print.0[..]).chain([&words[..]]))
}

/// The files that a tile reads, as positions in those of its reader; `None`: any of them.
pub fn files_of(read: &Read, number: u64) -> Option<Vec<usize>> {
    let mut region = read.tiling.region(number);
    region.origin.iter_mut().zip(&read.offset).for_each(|(at, offset)| *at += offset);
    let places = read.source.as_ref()?.places(&region)?;
    Some(places.iter().map(|place| place.file).collect())
}
