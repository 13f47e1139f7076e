//! Outputs and rows that are as an earlier run left them.
use super::folder::Folder;
use super::frame::Body;
use super::record::Record;
use super::stamp::output_print;
use super::states::unpack;
use base::{Failure, Tile};
use formats::Written;
use plan::Print;
use plan::physical::{Node, Op, Physical};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tasks::store::is_remote;

/// A sink or a result that is left out of a plan.
#[derive(Clone, Debug)]
pub enum Kept {
    /// An output, as it is.
    Output {
        /// The node in the whole plan.
        node: usize,
        /// Where.
        path: PathBuf,
        /// Files under it, or 1.
        files: u64,
        /// Bytes on disk.
        bytes: u64,
    },
    /// Rows for the report.
    Table {
        /// The node in the whole plan.
        node: usize,
        /// The rows.
        tiles: Vec<Tile>,
    },
}

impl Kept {
    /// The node in the whole plan.
    pub fn node(&self) -> usize {
        match self {
            Kept::Output { node, .. } | Kept::Table { node, .. } => *node,
        }
    }
}

/// Whether an output that is there was made by an earlier run that meant the same, of whatever
/// inputs, and is as that run left it.
pub fn is_own(physical: &Physical, path: &Path, folder: &Folder) -> bool {
    let write = |(at, node): (usize, &Node)| match &node.op {
        Op::Write(sink) if sink.path() == path => physical.meanings.get(at).map(|m| m.formula),
        _ => None,
    };
    let meant = physical.nodes.iter().enumerate().find_map(write);
    meant.is_some_and(|meant| made(meant, path, folder))
}

/// Whether runs that meant this made an output, and left it as it is.
pub(super) fn made(meant: Print, path: &Path, folder: &Folder) -> bool {
    let inode = || path.symlink_metadata().ok().map(|m| m.ino());
    let known = |own: bool, (record, _): (&Record, _)| match record {
        Record::Output { formula, path: of, print, .. } if same(of, path) => {
            *formula == meant && output_print(path) == Some(*print)
        }
        // Named, or not, for whoever did it was ended before it could say so.
        Record::Naming { formula, path: of, inode: named, .. } if same(of, path) => {
            own || *formula == meant && inode() == Some(*named)
        }
        _ => own,
    };
    folder.records().fold(false, known)
}

/// Gives all outputs of a plan their names, and notes it. `whole` says what a sink means, with its
/// inputs.
///
/// # Errors
/// If one of them is not whole or cannot be named.
pub fn commit(
    physical: &Physical,
    whole: &dyn Fn(usize) -> Option<Print>,
    note: &mut dyn FnMut(Record),
) -> Result<Vec<Written>, Failure> {
    let mut all = Vec::new();
    for (at, node) in physical.nodes.iter().enumerate() {
        let Op::Write(sink) = &node.op else { continue };
        let formula = physical.meanings.get(at).copied().unwrap_or_default().formula;
        let inode = sink.named().and_then(|s| s.symlink_metadata().ok()).map(|m| m.ino());
        if let (Some(whole), Some(inode)) = (whole(at), inode) {
            note(Record::Naming { whole, formula, path: sink.path().to_path_buf(), inode });
        }
        let written = sink.commit()?;
        if let (Some(whole), Some(print)) = (whole(at), output_print(&written.path)) {
            let Written { path, files, bytes } = written.clone();
            note(Record::Output { whole, formula, path, print, files, bytes });
        }
        all.push(written);
    }
    Ok(all)
}

/// What is kept of a sink or a result, if it is there and as it was.
pub(super) fn kept(folder: &Folder, nodes: &[Node], node: usize, meaning: Print) -> Option<Kept> {
    if let Op::Show(_) = &nodes[node].op {
        let table = |(record, body): (&Record, &Body)| match record {
            Record::Table { whole } if *whole == meaning => unpack(&body.read()?),
            _ => None,
        };
        return folder.records().find_map(table).map(|tiles| Kept::Table { node, tiles });
    }
    let Op::Write(sink) = &nodes[node].op else { return None };
    let path = sink.path();
    let now = path.symlink_metadata().ok();
    if now.is_none() && !is_remote(path) {
        return None;
    }
    let mut found = None;
    for (record, _) in folder.records() {
        found = match record {
            Record::Output { whole, path: of, print, files, bytes, .. } if same(of, path) => {
                let as_it_was = *whole == meaning && output_print(path) == Some(*print);
                as_it_was.then_some((*files, *bytes))
            }
            // Named, or not, for the run was ended before it could say so.
            Record::Naming { whole, path: of, inode, .. } if same(of, path) => {
                let named = *whole == meaning && now.as_ref().is_some_and(|m| *inode == m.ino());
                named.then(|| measure(path)).flatten().or(found)
            }
            _ => continue,
        };
    }
    let (files, bytes) = found?;
    Some(Kept::Output { node, path: path.to_path_buf(), files, bytes })
}

/// Whether two names are of one file.
pub(super) fn same(a: &Path, b: &Path) -> bool {
    std::path::absolute(a).ok() == std::path::absolute(b).ok()
}

/// Files under an output and their bytes.
fn measure(path: &Path) -> Option<(u64, u64)> {
    let metadata = path.metadata().ok()?;
    if !metadata.is_dir() {
        return Some((1, metadata.len()));
    }
    let (mut files, mut bytes) = (0, 0);
    for entry in path.read_dir().ok()? {
        let len = entry.ok()?.metadata().ok()?.len();
        files += u64::from(len > 0);
        bytes += len;
    }
    Some((files, bytes))
}
