//! The fragments of a plan, and the keys of their tiles.
use super::stamp::Inputs;
use base::Region;
use formats::Sink;
use plan::Print;
use plan::physical::{FoldKind, Node, Op, Physical, Read, Reduce};
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
    /// For each tile of the reader by what it is known: what it reads, and where it stands if that
    /// matters.
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
        for end in ends {
            let (meaning, place) = meaning(physical, at, end);
            all.push(Fragment {
                node: end,
                read: at,
                meaning,
                keys: keys(read, at, inputs, place),
            });
        }
    }
    all
}

/// What of the place of a tile among all counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Loose,
    /// How many rows come before it.
    Row,
    /// All.
    Placed,
}

/// What a fragment means, and whether it matters where a tile stands. The rows of files have an
/// index that says how many come before them, and a fold of them knows no other place.
pub fn meaning(physical: &Physical, read: usize, end: usize) -> (Print, Standing) {
    let meaning = physical.meanings.get(end).copied().unwrap_or_default();
    let rows = match (&physical.nodes[read].op, &physical.nodes[end].op) {
        (Op::Read(read), Op::Partial(Reduce::Fold(fold))) => {
            let whole = read.source.is_some() && read.offset.iter().all(|offset| *offset == 0);
            whole && read.tiling.counts().len() == 1 && !matches!(fold.kind, FoldKind::Over { .. })
        }
        _ => false,
    };
    match (meaning.loose, rows) {
        (true, _) => (meaning.formula, Standing::Loose),
        (false, true) => (meaning.formula, Standing::Row),
        (false, false) => (meaning.placed, Standing::Placed),
    }
}

/// The sink of a node that can go on with what is staged.
pub fn lasting(node: &Node) -> Option<&Arc<dyn Sink>> {
    match &node.op {
        Op::Write(sink) if sink.resumable() => Some(sink),
        _ => None,
    }
}

/// Where all tiles of a node come to last; `None` if some go elsewhere.
fn ends(nodes: &[Node], from: usize) -> Option<Vec<usize>> {
    let mut all = Vec::new();
    for (at, node) in nodes.iter().enumerate().filter(|(_, n)| n.inputs.contains(&from)) {
        match &node.op {
            Op::Apply(_) => all.extend(ends(nodes, at)?),
            Op::Partial(Reduce::Fold(_)) => all.push(at),
            Op::Write(_) if lasting(node).is_some() => all.push(at),
            _ => return None,
        }
    }
    Some(all)
}

fn keys(read: &Read, node: usize, inputs: &Inputs, standing: Standing) -> Vec<Print> {
    let files = inputs.of_node(node).unwrap_or_default();
    let all = || files.iter().map(|(_, print)| *print).collect::<Vec<_>>();
    let tile = |number: u64| {
        let region = read.tiling.region(number);
        let mut inside = region.clone();
        inside.origin.iter_mut().zip(&read.offset).for_each(|(at, offset)| *at += offset);
        let (prints, parts): (Vec<Print>, Vec<Region>) =
            match read.source.as_ref().and_then(|s| s.places(&inside)) {
                Some(places) => (
                    places.iter().filter_map(|p| Some(files.get(p.file)?.1)).collect(),
                    places.into_iter().map(|p| p.region).collect(),
                ),
                None => (all(), vec![Region { origin: inside.origin, shape: Vec::new() }]),
            };
        let place = match standing {
            Standing::Loose => Vec::new(),
            Standing::Row => region.origin.clone(),
            Standing::Placed => [&[number], &region.origin[..]].concat(),
        };
        key(&prints, &parts, &place, &region.shape)
    };
    (0..read.tiling.count()).map(tile).collect()
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
