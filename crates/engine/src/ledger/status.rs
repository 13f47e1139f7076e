//! What a ledger tells without its plan: the last run, what is done, what has changed since.
use super::answers::keys;
use super::folder::Folder;
use super::lock::Lock;
use super::record::Record;
use super::staged::entries;
use super::stamp::{input_print, output_print};
use formats::Piece;
use plan::Print;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What a ledger tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Title and file of the pipeline.
    pub pipeline: Option<(String, String)>,
    /// When the last run began, how many tiles it had, and how many of them to do.
    pub last: Option<(String, u64, u64)>,
    /// When it ended; `None` if it did not, or not yet.
    pub ended: Option<String>,
    /// Whether a run is at work.
    pub at_work: bool,
    /// Files and bytes of the ledger.
    pub size: (u64, u64),
    /// For each output whether it is as it was written; `None` if it is not there.
    pub outputs: BTreeMap<PathBuf, Option<bool>>,
    /// What is staged, and how many tiles are in it.
    pub staged: BTreeMap<PathBuf, usize>,
    /// For each fold that there are states of, of how many tiles.
    pub folds: Vec<usize>,
    /// Rows that something was done for: those that ended well, and those that failed.
    pub rows: (usize, usize),
    /// Rows of the last run, as far as its plan could tell.
    pub of_rows: u64,
    /// The input files of the last run.
    pub inputs: usize,
    /// Those of them that have changed since, or are gone.
    pub changed: Vec<PathBuf>,
}

impl Status {
    /// Of a ledger.
    pub fn of(folder: &Folder) -> Status {
        let mut status = Status { at_work: Lock::is_held(&folder.path), ..Status::default() };
        let mut inputs: BTreeMap<&Path, Print> = BTreeMap::new();
        let mut stages: BTreeMap<PathBuf, Option<Print>> = BTreeMap::new();
        let mut written: BTreeMap<Print, HashMap<Print, Piece>> = BTreeMap::new();
        let mut folds: BTreeMap<Print, HashSet<Print>> = BTreeMap::new();
        let (mut answers, mut failed): (HashSet<Print>, HashSet<Print>) = Default::default();
        for (record, body) in folder.records() {
            match record {
                Record::Run { title, pipeline, now, tiles, left, rows } => {
                    status.of_rows = *rows;
                    status.pipeline = Some((title.clone(), pipeline.clone()));
                    status.last = Some((now.clone(), *tiles, *left));
                    status.ended = None;
                    // In a gathered ledger they come behind it, too.
                    inputs.clear();
                }
                Record::Ended { now } => status.ended = Some(now.clone()),
                Record::Input { path, print } => drop(inputs.insert(path, *print)),
                Record::Output { path, print, .. } => {
                    let same = output_print(path).map(|now| now == *print);
                    status.outputs.insert(path.clone(), same);
                }
                Record::Unstaged { path, staged } => {
                    stages.insert(path.with_file_name(staged), None);
                }
                Record::Staged { path, staged, stage, .. } => {
                    stages.insert(path.with_file_name(staged), Some(*stage));
                }
                Record::Written { stage } => {
                    written.entry(*stage).or_default().extend(entries(body));
                }
                Record::Cut { stage, bytes } => {
                    written.entry(*stage).or_default().retain(|_, piece| piece.bytes <= *bytes);
                }
                Record::Partial { meaning, tiles } => {
                    let keys = body.keys(*tiles).unwrap_or_default();
                    folds.entry(*meaning).or_default().extend(keys);
                }
                Record::Answers { rows } => {
                    for key in keys(body, *rows) {
                        failed.remove(&key);
                        answers.insert(key);
                    }
                }
                Record::Failed { rows } => {
                    for key in keys(body, *rows) {
                        answers.remove(&key);
                        failed.insert(key);
                    }
                }
                Record::Begin(_)
                | Record::Synced { .. }
                | Record::Naming { .. }
                | Record::Table { .. } => {}
            }
        }
        status.rows = (answers.len(), failed.len());
        status.folds = folds.values().map(HashSet::len).collect();
        let there = stages.into_iter().filter(|(path, _)| path.exists());
        let tiles = |stage| written.get(&stage).map_or(0, HashMap::len);
        let staged = there.map(|(path, stage)| (path, stage.map_or(0, tiles)));
        status.staged = staged.collect();
        status.inputs = inputs.len();
        let changed = inputs.into_iter().filter(|(path, print)| input_print(path) != Some(*print));
        status.changed = changed.map(|(path, _)| path.to_path_buf()).collect();
        for pages in &folder.files {
            status.size.0 += 1;
            status.size.1 += fs::metadata(&pages.path).map_or(0, |m| m.len());
        }
        status
    }
}
