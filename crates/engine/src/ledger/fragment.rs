//! The fragments of a plan, and the keys of their tiles.
use super::stamp::Inputs;
use formats::Sink;
use plan::Print;
use plan::physical::{Node, Op, Physical, Read, Reduce};
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
            let meaning = physical.meanings[end];
            let keys = keys(read, at, inputs, !meaning.loose);
            let meaning = if meaning.loose { meaning.formula } else { meaning.placed };
            all.push(Fragment { node: end, read: at, meaning, keys });
        }
    }
    all
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

fn keys(read: &Read, node: usize, inputs: &Inputs, placed: bool) -> Vec<Print> {
    let files = inputs.of_node(node).unwrap_or_default();
    let key = |number: u64| {
        let region = read.tiling.region(number);
        let mut words: Vec<u64> = Vec::new();
        let mut parts: Vec<[u8; 16]> = Vec::new();
        let mut inside = region.clone();
        inside.origin.iter_mut().zip(&read.offset).for_each(|(at, offset)| *at += offset);
        match read.source.as_ref().and_then(|s| s.places(&inside)) {
            Some(places) => {
                for place in places {
                    parts.extend(files.get(place.file).map(|(_, print)| print.0));
                    words.extend(&place.region.origin);
                    words.extend(place.region.shape.iter().map(|n| *n as u64));
                }
            }
            None => {
                parts.extend(files.iter().map(|(_, print)| print.0));
                words.extend(&inside.origin);
            }
        }
        if placed {
            words.push(number);
            words.extend(&region.origin);
        }
        words.extend(region.shape.iter().map(|n| *n as u64));
        let words: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        Print::of(parts.iter().map(|p| &p[..]).chain([&words[..]]))
    };
    (0..read.tiling.count()).map(key).collect()
}

/// The files that a tile reads, as positions in those of its reader; `None`: any of them.
pub fn files_of(read: &Read, number: u64) -> Option<Vec<usize>> {
    let mut region = read.tiling.region(number);
    region.origin.iter_mut().zip(&read.offset).for_each(|(at, offset)| *at += offset);
    let places = read.source.as_ref()?.places(&region)?;
    Some(places.iter().map(|place| place.file).collect())
}
