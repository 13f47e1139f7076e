//! What is staged for an output, and which tiles are in it.
use super::folder::{Folder, Pages};
use super::fragment::{Fragment, lasting};
use super::record::Record;
use super::survey::Progress;
use plan::Print;
use plan::physical::Node;
use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// Whether what is staged for an output can be gone on with. `written` are the tiles that are
/// whole, as far as the ledger knows, with the bytes of their parts.
pub type Trial<'a> = &'a dyn Fn(&Node, Print, &HashMap<u64, u64>) -> bool;

/// What is staged for an output, and which tiles are in it.
pub fn written(
    folder: &Folder,
    node: &Node,
    fragment: Fragment,
    trial: Trial,
) -> (Option<Print>, Progress) {
    let numbers: HashMap<Print, u64> =
        fragment.keys.iter().zip(0..).map(|(key, n)| (*key, n)).collect();
    let mut done = vec![false; fragment.keys.len()];
    let mut found = None;
    if let Some(stage) = stage(folder, fragment.meaning) {
        let mut written = HashMap::new();
        for pages in &folder.files {
            for (key, bytes) in tiles_in(pages, stage) {
                if let Some(number) = numbers.get(&key) {
                    written.insert(*number, bytes);
                }
            }
        }
        if let Some(sink) = lasting(node) {
            written.retain(|n, bytes| sink.part(*n).unwrap_or(u64::MAX) == *bytes);
        }
        if trial(node, stage, &written) {
            written.keys().for_each(|number| done[*number as usize] = true);
            found = Some(stage);
        }
    }
    (found, Progress { fragment, done: Arc::new(done), partials: Vec::new() })
}

/// What is staged for an output: the last thing that was staged under its name, if that is
/// still there and was for the same.
fn stage(folder: &Folder, of: Print) -> Option<Print> {
    let mut last: HashMap<&Path, (Print, Print, u64)> = HashMap::new();
    for (record, _) in folder.records() {
        match record {
            Record::Staged { meaning, stage, staged, inode, .. } => {
                last.insert(staged, (*meaning, *stage, *inode));
            }
            Record::Unstaged { staged } => drop(last.remove(staged.as_path())),
            _ => {}
        }
    }
    let there = |staged: &Path, inode| staged.symlink_metadata().is_ok_and(|m| m.ino() == inode);
    let mut fit =
        last.iter().filter(|(staged, (meaning, _, inode))| *meaning == of && there(staged, *inode));
    fit.next().map(|(_, (_, stage, _))| *stage)
}

/// The tiles that a file says are in what is staged, with the bytes of their parts.
fn tiles_in(pages: &Pages, of: Print) -> BTreeMap<Print, u64> {
    let synced = pages.frames.iter().filter_map(|f| match f.record {
        Record::Synced { records } => Some(records as usize),
        _ => None,
    });
    // What had not been synced may have been lost with the page cache. The first record is left
    // out here.
    let trusted = match pages.origin.is_of_this_boot() {
        true => pages.frames.len(),
        false => synced.max().unwrap_or(0).saturating_sub(1).min(pages.frames.len()),
    };
    let mut tiles = BTreeMap::new();
    for frame in &pages.frames[..trusted] {
        let Record::Written { stage } = &frame.record else { continue };
        if *stage == of {
            let body = frame.body.read().unwrap_or_default();
            for entry in body.as_chunks::<24>().0 {
                let (mut key, mut bytes) = ([0; 16], [0; 8]);
                key.copy_from_slice(&entry[..16]);
                bytes.copy_from_slice(&entry[16..]);
                tiles.insert(Print(key), u64::from_le_bytes(bytes));
            }
        }
    }
    tiles
}
