//! The index of a variable's chunks: a B-tree of version 1 with nodes of type 1 (HDF5 File Format
//! Specification 3.0, III.A.1), written past the library, which would have to be handed every chunk.
//!
//! ```text
//! node:  "TREE", type (1), level (1), children (2), addresses of the nodes to its left and right (8 each),
//!        key, child (8), key, child, …, key; room for 64 children
//! key:   bytes of the chunk (4), filters left out (4), first point (8 for each dimension), 0 (8)
//! ```
//!
//! A child of level 0 is a chunk. Keys ascend in the order of the first points; the last key of a node
//! lies behind all that is in it.
use super::chunk_log::Chunk;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Children of a node: twice the default of the format's "indexed storage internal node K".
const MOST: usize = 64;

/// No address.
const NONE: u64 = u64::MAX;

/// What a new node of one chunk starts with.
const LEAF_OF_ONE: &[u8; 8] = b"TREE\x01\x00\x01\x00";

/// Bytes of a node for chunks of so many dimensions.
fn node_bytes(rank: usize) -> usize {
    24 + MOST * 8 + (MOST + 1) * key_bytes(rank)
}

fn key_bytes(rank: usize) -> usize {
    8 + 8 * (rank + 1)
}

/// Bytes of a file that are looked at together.
const BLOCK: u64 = 1 << 20;

/// Where in a file the node is that holds nothing but a chunk of so many bytes at the first point,
/// which lies at `offset`.
pub(super) fn find(file: &File, rank: usize, offset: u64, bytes: u32) -> io::Result<Option<u64>> {
    let mut wanted = LEAF_OF_ONE.to_vec();
    wanted.extend([NONE, NONE].map(u64::to_le_bytes).as_flattened());
    key(&mut wanted, bytes, vec![0; rank + 1].into_iter());
    wanted.extend(offset.to_le_bytes());
    let (len, mut found, mut block) = (file.metadata()?.len(), None, Vec::new());
    for start in (0..len).step_by(BLOCK as usize) {
        // What begins in a block may end in the next.
        let end = len.min(start + BLOCK + wanted.len() as u64 - 1);
        block.resize((end - start) as usize, 0);
        file.read_exact_at(&mut block, start)?;
        for (at, _) in block.windows(wanted.len()).enumerate().filter(|(_, w)| *w == wanted) {
            if found.replace(start + at as u64).is_some() {
                return Ok(None);
            }
        }
    }
    Ok(found)
}

/// An index of some chunks, ascending by their first points.
pub(super) struct Index {
    /// The node to be written where the root is.
    pub(super) root: Vec<u8>,
    /// All others, one after the other.
    pub(super) nodes: Vec<u8>,
}

impl Index {
    /// Of chunks of this shape of values of so many bytes; nodes but the root will lie at `at`.
    pub(super) fn of(chunks: &[&Chunk], shape: &[u64], width: usize, at: u64) -> Index {
        let rank = shape.len();
        let first = |chunk: &Chunk| {
            let mut bytes = Vec::new();
            key(&mut bytes, chunk.bytes as u32, chunk.origin.iter().copied().chain([0]));
            bytes
        };
        let mut end = Vec::new();
        let last = chunks.last().map_or(&[][..], |chunk| &chunk.origin);
        let behind = last.iter().zip(shape).map(|(o, s)| o + s);
        key(&mut end, 0, behind.chain([width as u64]));
        let mut children: Vec<(Vec<u8>, u64)> =
            chunks.iter().map(|chunk| (first(chunk), chunk.offset)).collect();
        let mut nodes = Vec::new();
        for level in 0..=u8::MAX {
            let alone = children.len() <= MOST;
            let count = children.len().div_ceil(MOST);
            let start = at + nodes.len() as u64;
            let address = |i: usize| start + (i * node_bytes(rank)) as u64;
            let mut above = Vec::new();
            for (i, part) in children.chunks(MOST).enumerate() {
                let left = if i == 0 { NONE } else { address(i - 1) };
                let right = if i + 1 == count { NONE } else { address(i + 1) };
                let next = children.get((i + 1) * MOST).map_or(&end, |(key, _)| key);
                let mut node = Vec::with_capacity(node_bytes(rank));
                node.extend(b"TREE\x01");
                node.push(level);
                node.extend((part.len() as u16).to_le_bytes());
                node.extend([left, right].map(u64::to_le_bytes).as_flattened());
                for (key, child) in part {
                    node.extend(key);
                    node.extend(child.to_le_bytes());
                }
                node.extend(next);
                node.resize(node_bytes(rank), 0);
                if alone {
                    return Index { root: node, nodes };
                }
                above.extend(part.first().map(|(key, _)| (key.clone(), address(i))));
                nodes.extend(node);
            }
            children = above;
        }
        // Every level has fewer nodes than the one below.
        Index { root: Vec::new(), nodes }
    }
}

fn key(out: &mut Vec<u8>, bytes: u32, point: impl Iterator<Item = u64>) {
    out.extend(bytes.to_le_bytes());
    out.extend([0; 4]);
    point.for_each(|at| out.extend(at.to_le_bytes()));
}
