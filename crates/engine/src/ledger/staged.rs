//! What is staged for an output, and which tiles are in it.
use super::folder::{Folder, Pages};
use super::fragment::{Fragment, lasting};
use super::frame::Body;
use super::outputs::same;
use super::record::Record;
use super::survey::Progress;
use formats::{Arrangement, Piece, Sink, own};
use plan::Print;
use plan::physical::Node;
use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// Tiles that are staged, each with what was noted of it.
pub type Tiles = BTreeMap<u64, Piece>;

/// Who knows whether what is staged for an output can be gone on with.
pub trait Trial {
    /// The tiles that are not there as they were written.
    fn spoiled(&self, sink: &dyn Sink, written: &Tiles) -> Vec<u64>;

    /// Whether this can be gone on with, of which these tiles are whole.
    fn goes_on(&self, sink: &dyn Sink, stage: Print, written: &Tiles) -> bool;
}

/// What is staged for an output, and which tiles are in it.
pub fn written(
    folder: &Folder,
    node: &Node,
    fragment: Fragment,
    trial: &dyn Trial,
) -> (Option<Print>, Progress) {
    let mut done = vec![false; fragment.keys.len()];
    let mut found = None;
    let sink = lasting(node).filter(|sink| sink.staged().is_some());
    let stage =
        sink.and_then(|sink| Some((sink, stage(folder, sink.staged()?, fragment.meaning)?)));
    if let Some((sink, stage)) = stage {
        let mut written = noted(folder, &fragment, stage);
        let ordered = sink.arrangement() == Arrangement::InOrder;
        // What is behind a tile that is to be done again is in the way.
        let follow = |written: &mut Tiles| {
            let first = (0..).find(|n| !written.contains_key(n)).unwrap_or(0);
            written.retain(|n, _| !ordered || *n < first);
        };
        follow(&mut written);
        for tile in trial.spoiled(sink.as_ref(), &written) {
            written.remove(&tile);
        }
        follow(&mut written);
        if trial.goes_on(sink.as_ref(), stage, &written) {
            written.keys().for_each(|number| done[*number as usize] = true);
            found = Some(stage);
        }
    }
    (found, Progress { fragment, done: Arc::new(done), partials: Vec::new() })
}

/// The tiles of a fragment that a ledger says are staged.
fn noted(folder: &Folder, fragment: &Fragment, stage: Print) -> Tiles {
    let numbers: HashMap<Print, u64> =
        fragment.keys.iter().zip(0..).map(|(key, n)| (*key, n)).collect();
    let mut tiles = HashMap::new();
    folder.files.iter().for_each(|pages| add(pages, stage, &mut tiles));
    tiles.iter().filter_map(|(key, piece)| Some((*numbers.get(key)?, *piece))).collect()
}

/// What is staged for an output under a name: the last thing that was staged there, if that is still
/// there, was for the same, and is one's own.
fn stage(folder: &Folder, name: &Path, of: Print) -> Option<Print> {
    let mut last = None;
    for (record, _) in folder.records() {
        match record {
            Record::Staged { meaning, stage, path, staged, inode }
                if same(&path.with_file_name(staged), name) =>
            {
                last = Some((*meaning, *stage, *inode));
            }
            Record::Unstaged { path, staged } if same(&path.with_file_name(staged), name) => {
                last = None;
            }
            _ => {}
        }
    }
    let there = |inode| name.symlink_metadata().is_ok_and(|m| !m.is_symlink() && m.ino() == inode);
    let fits = |(meaning, _, inode): &(Print, Print, u64)| *meaning == of && there(*inode);
    last.filter(fits).filter(|_| own::check_owner(name).is_ok()).map(|(_, stage, _)| stage)
}

/// What the body of a `Written` says of a tile.
pub fn entry(key: Print, piece: Piece) -> impl Iterator<Item = u8> {
    key.0.into_iter().chain(piece.bytes.to_le_bytes()).chain(piece.sum.to_le_bytes())
}

/// The tiles that a body of a `Written` tells of.
pub fn entries(body: &Body) -> Vec<(Print, Piece)> {
    let body = body.read().unwrap_or_default();
    let entry = |entry: &[u8; 32]| {
        let (mut key, mut bytes, mut sum) = ([0; 16], [0; 8], [0; 8]);
        key.copy_from_slice(&entry[..16]);
        bytes.copy_from_slice(&entry[16..24]);
        sum.copy_from_slice(&entry[24..]);
        let (bytes, sum) = (u64::from_le_bytes(bytes), u64::from_le_bytes(sum));
        (Print(key), Piece { bytes, sum, tail: 0 })
    };
    body.as_chunks::<32>().0.iter().map(entry).collect()
}

/// Adds the tiles that a file of records says are in what is staged, with the bytes of their parts;
/// takes away those that it says no longer are.
pub(super) fn add(pages: &Pages, of: Print, tiles: &mut HashMap<Print, Piece>) {
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
            Record::Cut { stage, bytes } if *stage == of => {
                tiles.retain(|_, piece| piece.bytes <= *bytes)
            }
            _ => {}
        }
    }
}
