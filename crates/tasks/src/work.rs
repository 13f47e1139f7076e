//! What a row of a batch asks for, and what comes of it.
use arrow_array::{ArrayRef, RecordBatch};
use base::{Field, Warning};
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// Rows that one start takes: neighbours in a batch.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The batch.
    pub batch: Arc<RecordBatch>,
    /// The first of the rows.
    pub first: usize,
    /// How many.
    pub count: usize,
}

/// What comes of the rows of one start.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// One array for each field of the work, of as many values as rows go out; none at all after
    /// an error of which nothing else is known.
    pub columns: Vec<ArrayRef>,
    /// For each row that came in how many rows go out; `None`: one each.
    pub repeats: Option<Vec<u32>>,
    /// For each row that came in why it failed, if it did; empty: none failed.
    pub errors: Vec<Option<String>>,
    /// Files that were made. If they are not there as they were made, the work is done again.
    pub made: Vec<Made>,
}

impl Answer {
    /// So many rows have failed for this reason, and nothing is known of them.
    pub fn failed(rows: usize, why: &str) -> Answer {
        Answer { errors: vec![Some(why.to_owned()); rows], ..Answer::default() }
    }
}

/// A file as the work has left it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Made {
    /// Its name, absolute.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified: i64,
}

impl Made {
    /// A file as it now is; `None` if it is not there.
    pub fn at(path: &Path) -> Option<Made> {
        use std::os::unix::fs::MetadataExt;
        let path = std::path::absolute(path).ok()?;
        let m = path.metadata().ok()?;
        let modified = m.mtime().saturating_mul(1_000_000_000).saturating_add(m.mtime_nsec());
        Some(Made { bytes: m.len(), modified, path })
    }

    /// Whether it is still there as it was made.
    pub fn stands(&self) -> bool {
        Made::at(&self.path).as_ref() == Some(self)
    }
}

/// What an answer depends on, in 128 bits of SHA-256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 16]);

/// Makes keys of parts, each with its length.
#[derive(Clone, Default)]
pub struct KeyHasher(Sha256);

impl KeyHasher {
    /// Adds a part.
    pub fn part(&mut self, bytes: impl AsRef<[u8]>) -> &mut KeyHasher {
        let bytes = bytes.as_ref();
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// The key of all parts.
    pub fn key(self) -> Key {
        let mut key = [0; 16];
        key.copy_from_slice(&self.0.finalize()[..16]);
        Key(key)
    }
}

/// Whether a run has made a file, and left it as it is now. It may wait for the file system.
pub type IsMade = Arc<dyn Fn(&Made) -> bool + Send + Sync>;

/// What a work may want to know of the run.
#[derive(Clone)]
pub struct Setting {
    /// Among how many processes the rows are spread, at least 1.
    pub processes: usize,
    /// What the ledger knows of files; `None`: there is none.
    pub is_made: Option<IsMade>,
}

/// Says when work has to end before its time: at signals, failures, or when enough has come.
pub type Stop = watch::Receiver<bool>;

/// What is done for each row: a program, a download, a small pipeline.
///
/// Whatever goes wrong with a row is said in its [`Answer`]: nothing here ends a run.
pub trait Work: Send + Sync {
    /// The columns that it adds to those of its rows; all may have missing values.
    fn fields(&self) -> &[Field];

    /// Rows of one start.
    fn batch(&self) -> usize {
        1
    }

    /// Whether it computes and does not wait: then it runs on as many threads as there are workers.
    fn computes(&self) -> bool {
        false
    }

    /// Told at the beginning of each run, before its first row.
    fn begin(&self, setting: Setting) {
        drop(setting);
    }

    /// What the answer depends on: the program, its arguments, the files that it reads. `None`: it
    /// is not kept for later runs. Called in a thread that may wait for the file system.
    fn key(&self, rows: &Rows) -> Option<Key>;

    /// What the user should know of what it has met since this was asked for last.
    fn met(&self) -> Vec<Warning> {
        Vec::new()
    }

    /// Does it. The future ends soon after `stop` says so, with nothing left running; what comes of
    /// it then is thrown away.
    fn run<'a>(&'a self, rows: Rows, stop: Stop) -> BoxFuture<'a, Answer>;
}
