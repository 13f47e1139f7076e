//! Why tiles are to be done.
use super::folder::Folder;
use super::fragment::files_of;
use super::outputs::same;
use super::record::Record;
use super::survey::{Progress, Survey};
use plan::Print;
use plan::physical::{Node, Op};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Why a tile is to be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The ledger does not know what is computed.
    Unknown,
    /// The ledger knows another output of this name: what is computed has changed.
    Formula,
    /// This file has changed since.
    Changed(PathBuf),
    /// This file was not there.
    New(PathBuf),
    /// No run has come to it, or what was staged is gone.
    Open,
    /// It is done, but another step that reads it needs it.
    Shared,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Reason::Unknown => f.write_str("the ledger knows nothing of this step"),
            Reason::Formula => f.write_str("what is computed has changed"),
            Reason::Changed(path) => write!(f, "{} has changed", path.display()),
            Reason::New(path) => write!(f, "{} is new", path.display()),
            Reason::Open => f.write_str("no run has finished them"),
            Reason::Shared => f.write_str("done, but another step needs them"),
        }
    }
}

impl Survey {
    /// For each tile of a fragment that is to be done, why.
    pub fn reasons(&self, of: &Progress, folder: &Folder) -> Vec<(u64, Reason)> {
        let read = match &self.physical.nodes[of.fragment.read].op {
            Op::Read(read) => read,
            _ => return Vec::new(),
        };
        let files = self.inputs.of_node(of.fragment.read).unwrap_or_default();
        let joined = of.fragment.beside.iter().filter_map(|read| self.inputs.of_node(*read));
        let joined = joined.flatten();
        let general = unknown(folder, &self.physical.nodes[of.fragment.node], of.fragment.meaning);
        let before = inputs(folder);
        let why = |number: u64| {
            if of.done[number as usize] {
                return Reason::Shared;
            }
            if let Some(general) = &general {
                return general.clone();
            }
            let some: Vec<usize> =
                files_of(read, number).unwrap_or_else(|| (0..files.len()).collect());
            let reason = |(path, print): &(PathBuf, Print)| match before.get(path.as_path()) {
                None => Some(Reason::New(path.clone())),
                Some(prints) if !prints.contains(print) => Some(Reason::Changed(path.clone())),
                Some(_) => None,
            };
            let some = some.iter().filter_map(|file| files.get(*file));
            some.chain(joined.clone()).find_map(reason).unwrap_or(Reason::Open)
        };
        match &self.left[of.fragment.read] {
            Some(left) => left.iter().map(|n| (*n, why(*n))).collect(),
            None => (0..of.done.len() as u64).map(|n| (n, why(n))).collect(),
        }
    }
}

/// Why the ledger can know nothing of a fragment.
fn unknown(folder: &Folder, node: &Node, meaning: Print) -> Option<Reason> {
    let mut reason = Some(Reason::Unknown);
    let path = match &node.op {
        Op::Write(sink) => Some(sink.path()),
        _ => None,
    };
    for (record, _) in folder.records() {
        match record {
            Record::Staged { meaning: known, .. } | Record::Partial { meaning: known, .. }
                if *known == meaning =>
            {
                return None;
            }
            Record::Staged { path: of, .. } | Record::Output { path: of, .. }
                if path.is_some_and(|p| same(of, p)) =>
            {
                reason = Some(Reason::Formula);
            }
            Record::Partial { .. } if path.is_none() => reason = Some(Reason::Formula),
            _ => {}
        }
    }
    reason
}

/// The input files of earlier runs, and what they were known by.
fn inputs(folder: &Folder) -> HashMap<&Path, HashSet<Print>> {
    let mut inputs: HashMap<&Path, HashSet<Print>> = HashMap::new();
    for (record, _) in folder.records() {
        if let Record::Input { path, print } = record {
            inputs.entry(path).or_default().insert(*print);
        }
    }
    inputs
}
