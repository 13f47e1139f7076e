//! What a process notes in the ledger: the states that it has made of files, and, in process 0,
//! what was read and written.
use super::piece::PieceId;
use crate::ledger::{Frame, Page, Record, Share};
use crate::watch::lock;
use base::Failure;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// So many bytes of records that are of no use any more may stand in a file, beside as many as are
/// of use.
const SLACK: u64 = 4 << 20;

/// Where and as what a process notes things.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The folder of the ledger, whose lock is held.
    pub folder: PathBuf,
    /// What tells this watch from other runs.
    pub run: String,
    /// The process, from 0.
    pub process: usize,
}

/// What a record is about: a later one of the same takes its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// The watch.
    Run,
    /// An input file.
    Input(PathBuf),
    /// An output, or what is staged for it.
    Output(PathBuf),
    /// A file's states in a worker.
    Piece(PieceId, u64),
}

/// The notes of a process.
pub(super) struct Notes {
    list: Mutex<List>,
    _share: Share,
}

struct List {
    page: Page,
    /// Records that are of use.
    live: BTreeMap<Slot, Vec<Frame>>,
    /// Their bytes.
    bytes: u64,
}

impl Notes {
    /// Begins the notes of this process.
    ///
    /// # Errors
    /// If its file cannot be made.
    pub fn begin(ledger: &Ledger) -> Result<Notes, Failure> {
        let share = Share::take(&ledger.folder)?;
        let page = Page::begin(&ledger.folder, &ledger.run, ledger.process)?;
        let list = List { page, live: BTreeMap::new(), bytes: 0 };
        Ok(Notes { list: Mutex::new(list), _share: share })
    }

    /// Notes records, each with its body, in place of those that there are.
    pub fn put(&self, slot: Slot, records: &[(Record, Vec<u8>)]) {
        let mut list = lock(&self.list);
        let List { page, live, bytes } = &mut *list;
        let note = |(record, body): &(Record, Vec<u8>)| page.note(record, &[body]);
        let frames: Vec<Frame> = records.iter().filter_map(note).collect();
        *bytes += size(&frames);
        let old = match frames.is_empty() {
            true => live.remove(&slot),
            false => live.insert(slot, frames),
        };
        *bytes -= size(&old.unwrap_or_default());
        if page.bytes() > 2 * *bytes + SLACK {
            let mut keep: Vec<&mut Frame> = live.values_mut().flatten().collect();
            page.turn(&mut keep);
        }
    }

    /// Why nothing more is noted, if so.
    pub fn failed(&self) -> Option<String> {
        lock(&self.list).page.failed()
    }
}

/// About how many bytes records take.
fn size(frames: &[Frame]) -> u64 {
    frames.iter().map(|frame| frame.body.len() + 128).sum()
}

/// A file's name as the ledger has it.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ledger::Folder;
    use plan::Print;

    #[test]
    fn a_file_of_notes_that_are_of_no_use_any_more_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, run) = (folder.path().to_path_buf(), "1".to_owned());
        let notes = Notes::begin(&Ledger { folder: path.clone(), run, process: 0 }).unwrap();
        let slot =
            |n: u64| Slot::Piece(PieceId { read: 0, path: PathBuf::from(format!("{n}")) }, n % 2);
        let partial = Record::Partial { meaning: Print::default(), tiles: 1 };
        let body = |n: u64, round: u64| [vec![n as u8; 16], vec![round as u8; 70_000]].concat();
        let mut largest = 0;
        for round in 0..40 {
            for n in 0..20 {
                notes.put(slot(n), &[(partial.clone(), body(n, round))]);
                let size =
                    |e: std::io::Result<std::fs::DirEntry>| e.unwrap().metadata().unwrap().len();
                largest = largest.max(std::fs::read_dir(&path).unwrap().map(size).sum());
            }
            notes.put(slot(round % 7), &[]);
        }
        assert_eq!(notes.failed(), None);
        // 56 MB were noted.
        assert!((4 << 20..8 << 20).contains(&largest), "{largest}");
        let known = Folder::read(&path, None, true).unwrap();
        assert_eq!(known.warnings, [""; 0]);
        let all: Vec<Vec<u8>> = known.records().map(|(_, body)| body.read().unwrap()).collect();
        for n in (0..20).filter(|n| *n != 39 % 7) {
            assert!(all.contains(&body(n, 39)), "{n}");
        }
    }
}
