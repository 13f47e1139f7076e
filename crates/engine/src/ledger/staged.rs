//! What is staged for an output, and which tiles are in it.
use super::folder::{Folder, Pages};
use super::fragment::{Fragment, lasting};
use super::frame::Body;
use super::record::Record;
use super::survey::Progress;
use formats::Arrangement;
use plan::Print;
use plan::physical::Node;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// Whether what is staged for an output can be gone on with. `written` are the tiles that are
/// whole, as far as the ledger knows, with the bytes of their parts, or of the file up to their end.
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
        let mut tiles = HashMap::new();
        folder.files.iter().for_each(|pages| add(pages, stage, &mut tiles));
        let known = tiles.iter().filter_map(|(key, bytes)| Some((*numbers.get(key)?, *bytes)));
        let mut written: HashMap<u64, u64> = known.collect();
        if let Some(sink) = lasting(node) {
            // What is behind a tile that is to be done again is in the way.
            let first = (0..).find(|n| !written.contains_key(n)).unwrap_or(0);
            written.retain(|n, bytes| match sink.arrangement() {
                Arrangement::InOrder => *n < first,
                _ => sink.part(*n).unwrap_or(u64::MAX) == *bytes,
            });
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

/// What the body of a `Written` says of a tile.
pub fn entry(key: Print, bytes: u64) -> impl Iterator<Item = u8> {
    key.0.into_iter().chain(bytes.to_le_bytes())
}

/// The tiles that a body of a `Written` tells of.
pub fn entries(body: &Body) -> Vec<(Print, u64)> {
    let body = body.read().unwrap_or_default();
    let entry = |entry: &[u8; 24]| {
        let (mut key, mut bytes) = ([0; 16], [0; 8]);
        key.copy_from_slice(&entry[..16]);
        bytes.copy_from_slice(&entry[16..]);
        (Print(key), u64::from_le_bytes(bytes))
    };
    body.as_chunks::<24>().0.iter().map(entry).collect()
}

/// Adds the tiles that a file of records says are in what is staged, with the bytes of their parts;
/// takes away those that it says no longer are.
pub(super) fn add(pages: &Pages, of: Print, tiles: &mut HashMap<Print, u64>) {
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
    for (at, frame) in pages.frames.iter().enumerate() {
        match &frame.record {
            Record::Written { stage } if *stage == of && at < trusted => {
                tiles.extend(entries(&frame.body));
            }
            Record::Cut { stage, bytes } if *stage == of => tiles.retain(|_, end| *end <= *bytes),
            _ => {}
        }
    }
}
