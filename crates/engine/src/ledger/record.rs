//! What records say.
use plan::Print;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The form of the records. A ledger of another form is set aside.
pub const FORM: u32 = 1;

/// The head of a record. Workers, threads and processes do not occur in any of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The first record of a file.
    Begin(Origin),
    /// A run begins; by its process 0.
    Run {
        /// The pipeline's title.
        title: String,
        /// Its file.
        pipeline: String,
        /// When, ISO 8601.
        now: String,
        /// Tiles of all readers.
        tiles: u64,
        /// How many of them are left to do.
        left: u64,
    },
    /// An input file as this run found it.
    Input {
        /// Where.
        path: PathBuf,
        /// What it is known by.
        print: Print,
    },
    /// What is staged under this name, if anything is, is about to be replaced.
    Unstaged {
        /// The name.
        staged: PathBuf,
    },
    /// An output has been staged.
    Staged {
        /// What the output means.
        meaning: Print,
        /// What tells this staged file or folder from earlier ones.
        stage: Print,
        /// The final name.
        path: PathBuf,
        /// The name until then.
        staged: PathBuf,
        /// Its number in the file system.
        inode: u64,
    },
    /// Tiles have been written into what is staged. Body: for each its key and the bytes of its
    /// part, or of the file up to its end if tiles are appended, or all ones.
    Written {
        /// Into which.
        stage: Print,
    },
    /// A file that tiles are appended to ends here and is gone on with: of what earlier records say
    /// is in it, nothing behind this is.
    Cut {
        /// Which.
        stage: Print,
        /// Its length.
        bytes: u64,
    },
    /// What the first so many records of this file tell of outputs has reached the disk.
    Synced {
        /// How many.
        records: u64,
    },
    /// What a fold has made of some tiles. Body: their keys, then tiles of states.
    Partial {
        /// What the fold means.
        meaning: Print,
        /// How many keys.
        tiles: u64,
    },
    /// An output is whole and about to get its name.
    Naming {
        /// What it means, its inputs included.
        whole: Print,
        /// What it means, whatever its inputs are.
        #[serde(default)]
        formula: Print,
        /// The final name.
        path: PathBuf,
        /// The number that it has in the file system.
        inode: u64,
    },
    /// An output has its name.
    Output {
        /// What it means, its inputs included.
        whole: Print,
        /// What it means, whatever its inputs are.
        formula: Print,
        /// The final name.
        path: PathBuf,
        /// What it is known by.
        print: Print,
        /// Files under it, or 1.
        files: u64,
        /// Bytes on disk.
        bytes: u64,
    },
    /// Rows that were reported. Body: tiles.
    Table {
        /// What they mean, their inputs included.
        whole: Print,
    },
    /// The run has come to its end.
    Ended {
        /// When, ISO 8601.
        now: String,
    },
}

/// Who wrote a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// [`FORM`].
    pub form: u32,
    /// Of Tidemill.
    pub version: String,
    /// How states lie in memory.
    pub machine: String,
    /// What tells this start of this host from others: what is in the page cache of another one,
    /// or was before, is not known to be in the files.
    pub boot: String,
}

impl Origin {
    /// This process.
    pub fn here() -> Origin {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let endian = if cfg!(target_endian = "big") { "big" } else { "little" };
        Origin {
            form: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: format!("{endian}-endian, {} bits", usize::BITS),
            boot: boot.map(|id| id.trim().to_owned()).unwrap_or_default(),
        }
    }

    /// Why its records are not to be trusted here, if so.
    pub fn misfit(&self) -> Option<String> {
        let here = Origin::here();
        if self.form != here.form || self.version != here.version {
            return Some(format!("was written by Tidemill {}", self.version));
        }
        (self.machine != here.machine).then(|| format!("is of another machine ({})", self.machine))
    }

    /// Whether it was written since this host was started, on it.
    pub fn is_of_this_boot(&self) -> bool {
        !self.boot.is_empty() && self.boot == Origin::here().boot
    }
}
