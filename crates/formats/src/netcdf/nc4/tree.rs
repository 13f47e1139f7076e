//! Chunks by a B-tree of version 1. It has no checksums, so what its nodes say twice is compared:
//! a tree that lost a chunk is refused instead of giving cells that seem never to have been written.
//! Source: HDF5 File Format Specification 3.0, III.A.1.
use super::index::DAMAGED;
use super::text;
use crate::input::Input;
use hdf5_reader::Storage;
use hdf5_reader::chunk_index::ChunkEntry;
use std::collections::HashSet;

/// Levels of a tree: one of two children a node and so many levels is larger than any file.
const DEEPEST: u8 = 64;

/// Bytes that a node has, about.
const NODE: u64 = 8 << 10;

/// A key: the first point of a chunk, its bytes, the filters left out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    bytes: u32,
    mask: u32,
    origin: Vec<u64>,
}

struct Node {
    level: u8,
    left: u64,
    right: u64,
    /// One more than there are children.
    keys: Vec<Key>,
    children: Vec<u64>,
}

struct Tree<'a> {
    storage: &'a dyn Storage,
    /// What it reads, and where the file's own bytes begin in it.
    input: (&'a Input, u64),
    offset_size: u8,
    shape: &'a [u64],
    sizes: &'a [u64],
    seen: HashSet<u64>,
    /// The leaf before: its place, its neighbour to the right, its last key.
    before: Option<(u64, u64, Key)>,
    chunks: Vec<ChunkEntry>,
}

/// All chunks of a tree.
///
/// # Errors
/// If it is damaged.
pub(super) fn chunks(
    (storage, input): (&dyn Storage, (&Input, u64)),
    address: u64,
    offset_size: u8,
    shape: &[u64],
    sizes: &[u64],
) -> Result<Vec<ChunkEntry>, String> {
    let (seen, before, chunks) = (HashSet::new(), None, Vec::new());
    let mut tree = Tree { storage, input, offset_size, shape, sizes, seen, before, chunks };
    tree.node(address, None, None).map_err(|e| format!("{DAMAGED}: {e}"))?;
    tree.end().map_err(|e| format!("{DAMAGED}: {e}"))?;
    Ok(tree.chunks)
}

impl Tree<'_> {
    fn node(
        &mut self,
        at: u64,
        level: Option<u8>,
        bounds: Option<(&Key, &Key)>,
    ) -> Result<(), String> {
        if !self.seen.insert(at) {
            return Err("a node is there twice".to_string());
        }
        let node = self.parse(at)?;
        if level.is_some_and(|l| l != node.level) || node.level > DEEPEST {
            return Err("a node is of another level".to_string());
        }
        if node.keys.windows(2).any(|k| k[0].origin >= k[1].origin) {
            return Err("its chunks are in no order".to_string());
        }
        if let (Some((low, high)), [first, .., last]) = (bounds, &node.keys[..])
            && (first.origin != low.origin || last.origin != high.origin)
        {
            return Err("a node has other chunks than the one above says".to_string());
        }
        if node.level > 0 {
            let (input, base) = self.input;
            let place = |child: &u64| {
                let start = child.saturating_add(base);
                start..start.saturating_add(NODE)
            };
            // All at once: one after the other each would wait for the one before.
            let _asked = input.ask(&node.children.iter().map(place).collect::<Vec<_>>());
            for (i, child) in node.children.iter().enumerate() {
                let bounds = (&node.keys[i], &node.keys[i + 1]);
                self.node(*child, Some(node.level - 1), Some(bounds))?;
            }
            return Ok(());
        }
        self.leaf(at, node)
    }

    fn leaf(&mut self, at: u64, node: Node) -> Result<(), String> {
        let next = self.before.as_ref().is_none_or(|(place, right, last)| {
            *right == at
                && node.left == *place
                && node.keys.first().is_none_or(|k| k.origin == last.origin)
        });
        if !next {
            return Err("a node is not there".to_string());
        }
        for (key, address) in node.keys.iter().zip(&node.children) {
            let mut offsets = key.origin.clone();
            if offsets.pop() != Some(0) {
                return Err("a chunk begins inside of a value".to_string());
            }
            self.chunks.push(ChunkEntry {
                address: *address,
                size: u64::from(key.bytes),
                filter_mask: key.mask,
                offsets,
            });
        }
        if let Some(last) = node.keys.last() {
            self.before = Some((at, node.right, last.clone()));
        }
        Ok(())
    }

    /// The last key lies behind the last chunk and names none, and there is no leaf behind.
    fn end(&self) -> Result<(), String> {
        let unset = match self.offset_size {
            8 => u64::MAX,
            size => (1 << (8 * u32::from(size))) - 1,
        };
        let Some((_, right, last)) = &self.before else { return Ok(()) };
        if *right != unset {
            return Err("a node is not there".to_string());
        }
        if self.chunks.is_empty() {
            return Ok(());
        }
        let lies_on_one = last.bytes != 0 && last.origin.last() == Some(&0);
        let inside = last.origin.iter().zip(self.sizes).all(|(at, size)| at < size);
        match lies_on_one && inside {
            true => Err("a chunk is not there".to_string()),
            false => Ok(()),
        }
    }

    fn parse(&self, at: u64) -> Result<Node, String> {
        let wide = usize::from(self.offset_size);
        let head = 8 + 2 * wide;
        let bytes = self.storage.read_range(at, head).map_err(text)?;
        let bytes = &bytes[..];
        if !bytes.starts_with(b"TREE\x01") {
            return Err("a node is none".to_string());
        }
        let count = usize::from(u16::from_le_bytes([bytes[6], bytes[7]]));
        let (left, right) = (number(&bytes[8..8 + wide]), number(&bytes[8 + wide..head]));
        let level = bytes[5];
        let key = 8 + 8 * (self.shape.len() + 1);
        let len = count * (key + wide) + key;
        let rest = self.storage.read_range(at + head as u64, len).map_err(text)?;
        let (mut keys, mut children) = (Vec::new(), Vec::new());
        for pair in rest.chunks(key + wide) {
            let word = |i: usize| number(&pair[i..i + 4]) as u32;
            let origin = pair[8..key].as_chunks::<8>().0.iter().map(|c| u64::from_le_bytes(*c));
            keys.push(Key { bytes: word(0), mask: word(4), origin: origin.collect() });
            if pair.len() > key {
                children.push(number(&pair[key..]));
            }
        }
        Ok(Node { level, left, right, keys, children })
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte))
}
