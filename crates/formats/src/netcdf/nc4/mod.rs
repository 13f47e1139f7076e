//! NetCDF-4: its headers, read without the HDF5 library. The format's structures are parsed by the
//! crate `hdf5-reader`; here stands what NetCDF means by them, and what that crate leaves out.
//! Source: "NetCDF-4/HDF5 File Format Specification", NetCDF User's Guide, appendix C.

mod attributes;
mod dimensions;
pub(super) mod index;
mod tree;
mod types;
mod variables;

use super::header::{Group, NamedAttributes, RawVariable};
use crate::input::Input;
use dimensions::Scales;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions, RangeRequestStorage};
use index::ChunkPlace;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// Groups inside each other.
const DEEPEST: usize = 64;

/// A NetCDF-4 file.
pub(super) struct Nc4 {
    file: Hdf5File,
    input: Input,
    nodes: Vec<Node>,
    scales: Scales,
    /// Bytes before the file's own, which shift all places.
    base: u64,
    len: u64,
}

/// A group with all that is directly in it.
struct Node {
    group: hdf5_reader::group::Group,
    /// Names and numbers of the groups in it.
    inner: Vec<(String, usize)>,
    datasets: Vec<Dataset>,
}

impl fmt::Debug for Nc4 {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Nc4").field("len", &self.len).finish_non_exhaustive()
    }
}

/// The last part of a path.
fn leaf(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn text(error: hdf5_reader::error::Error) -> String {
    error.to_string()
}

impl Nc4 {
    /// Reads all headers.
    ///
    /// # Errors
    /// If the file is cut off, damaged, or no HDF5.
    pub(super) fn open(input: &Input) -> Result<Nc4, String> {
        let (from, len) = (input.clone(), input.len());
        let storage = RangeRequestStorage::new(len, move |at, count| Ok(from.fetch(at, count)?));
        let options = OpenOptions { chunk_cache_bytes: 0, ..OpenOptions::default() }
            .with_max_object_header_bytes(usize::try_from(len).unwrap_or(usize::MAX));
        let file = Hdf5File::from_storage_with_options(Arc::new(storage), options).map_err(text)?;
        let block = file.superblock();
        let (base, end) = (block.base_address, block.eof_address);
        // It counts from the start of the file, whatever stands before.
        if end > len {
            return Err(format!("it is cut off: {len} bytes of at least {end}"));
        }
        let root = file.root_group().map_err(text)?;
        let mut nodes = Vec::new();
        walk(&file, root, String::new(), &mut HashSet::new(), &mut nodes)?;
        let scales = Scales::of(&nodes)?;
        let input = input.clone();
        Ok(Nc4 { file, input, nodes, scales, base, len })
    }

    pub(super) fn groups(&self, path: &str) -> Option<Vec<Group>> {
        let mut number = 0;
        let mut groups = vec![Group { number }];
        for part in path.split('/').filter(|p| !p.is_empty()) {
            number = self.nodes[number].inner.iter().find(|(name, _)| name == part)?.1;
            groups.push(Group { number });
        }
        Some(groups)
    }

    pub(super) fn inner_groups(&self, group: &Group) -> Vec<String> {
        self.nodes[group.number].inner.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn attributes(&self, group: &Group) -> Result<NamedAttributes, String> {
        let group = &self.nodes[group.number].group;
        let found = group.attributes().map_err(text)?;
        let raw = || group.raw_attributes();
        attributes::of(&found, &raw, group)
    }

    pub(super) fn variables(&self, group: &Group) -> Result<Vec<RawVariable>, String> {
        let node = &self.nodes[group.number];
        let mut list = Vec::new();
        for dataset in node.datasets.iter().filter(|d| !self.scales.only_dimension(d)) {
            let name = leaf(dataset.name());
            let named = |e: String| format!("variable `{name}`: {e}");
            list.push(self.variable(node, group.number, dataset).map_err(named)?);
        }
        Ok(list)
    }

    pub(super) fn chunks(&self, variable: &RawVariable) -> Result<Vec<ChunkPlace>, String> {
        index::places(&self.file, &self.input, &variable.stored, self.base)
    }

    /// The text behind a value of a variable of texts.
    pub(super) fn text(&self, variable: &RawVariable, value: &[u8]) -> Result<String, String> {
        match variable.stored.far {
            true => attributes::far_text(&self.nodes[0].group, value),
            false => Ok(types::fixed(value)),
        }
    }
}

/// Reads a group and all in it.
fn walk(
    file: &Hdf5File,
    group: hdf5_reader::group::Group,
    path: String,
    seen: &mut HashSet<u64>,
    nodes: &mut Vec<Node>,
) -> Result<usize, String> {
    if path.split('/').count() > DEEPEST {
        return Err(format!("its groups lie in each other more than {DEEPEST} deep"));
    }
    let (mut groups, mut datasets) = group.members().map_err(text)?;
    let header = file.get_or_parse_header(group.address()).map_err(text)?;
    if !in_order(&header.messages) {
        groups.sort_by(|a, b| leaf(a.name()).cmp(leaf(b.name())));
        datasets.sort_by(|a, b| leaf(a.name()).cmp(leaf(b.name())));
    }
    let number = nodes.len();
    seen.insert(group.address());
    nodes.push(Node { group, inner: Vec::new(), datasets });
    let mut inner = HashMap::new();
    for child in groups {
        // A link back to a group above would never end.
        if seen.contains(&child.address()) {
            continue;
        }
        let name = leaf(child.name()).to_string();
        let at = walk(file, child, format!("{path}/{name}"), seen, nodes)?;
        if inner.insert(name.clone(), at).is_none() {
            nodes[number].inner.push((name, at));
        }
    }
    Ok(number)
}

/// Whether the members of a group come in the order of their creation.
fn in_order(messages: &[hdf5_reader::messages::HdfMessage]) -> bool {
    use hdf5_reader::messages::HdfMessage::LinkInfo;
    messages.iter().any(|m| matches!(m, LinkInfo(info) if info.creation_order_tracked))
}
