//! What records say.
use plan::Print;
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};
use tasks::store::is_remote;

/// The form of the records. A ledger of another form is set aside.
pub const FORM: u32 = 3;

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
        /// Rows that something is done for, as far as the plan can tell.
        #[serde(default)]
        rows: u64,
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
        /// The final name of the output.
        path: PathBuf,
        /// The name until then, beside it.
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
        /// The name until then, beside it: no path.
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
    /// What has come of rows that something was done for. Body: their keys, then the answers.
    Answers {
        /// How many rows.
        rows: u64,
    },
    /// Rows that something was done for have failed. Body: their keys.
    Failed {
        /// How many rows.
        rows: u64,
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
    /// Device and number of the folder that it was written to: in a copy of that they are others.
    #[serde(default)]
    pub folder: Option<(u64, u64)>,
}

impl Record {
    /// Whether its names are such as are written: outputs by absolute names, or below the folder
    /// that they lie in; what is staged beside them, as `NAME.partial-…`.
    pub fn is_sound(&self) -> bool {
        match self {
            Record::Staged { path, staged, .. } | Record::Unstaged { path, staged } => {
                is_inside(path) && is_staged(path, staged)
            }
            Record::Naming { path, .. } | Record::Output { path, .. } => is_inside(path),
            _ => true,
        }
    }
}

impl Record {
    /// The same with other names of outputs.
    fn renamed(&self, name: impl Fn(&Path) -> PathBuf) -> Record {
        let mut record = self.clone();
        match &mut record {
            Record::Staged { path, .. }
            | Record::Unstaged { path, .. }
            | Record::Naming { path, .. }
            | Record::Output { path, .. } => *path = name(path),
            _ => {}
        }
        record
    }

    /// As it is written in a ledger of outputs in a folder: names below that begin there, so that
    /// a copy of it all tells of the copied outputs.
    pub fn below(&self, folder: Option<&Path>) -> Record {
        self.renamed(|path| {
            if is_remote(path) {
                return path.to_path_buf();
            }
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            let below = folder.and_then(|folder| path.strip_prefix(folder).ok());
            below.filter(|below| is_inside(below)).map(Path::to_path_buf).unwrap_or(path)
        })
    }

    /// As it was written: whether it tells of an output that is not below the ledger's folder.
    pub fn is_elsewhere(&self) -> bool {
        match self {
            Record::Staged { path, .. }
            | Record::Unstaged { path, .. }
            | Record::Naming { path, .. }
            | Record::Output { path, .. } => path.is_absolute() || is_remote(path),
            _ => false,
        }
    }

    /// As it is used: with absolute names.
    pub fn above(&self, folder: Option<&Path>) -> Record {
        let folder = |path: &Path| folder.filter(|_| !is_remote(path));
        self.renamed(|path| folder(path).map_or_else(|| path.to_path_buf(), |f| f.join(path)))
    }
}

fn is_inside(path: &Path) -> bool {
    let normal = || path.components().all(|part| matches!(part, Component::Normal(_)));
    path.file_name().is_some() && (path.is_absolute() || normal())
}

/// Whether a name is that of something staged for an output.
pub fn is_staged(path: &Path, staged: &Path) -> bool {
    let parts: Vec<Component> = staged.components().collect();
    let [Component::Normal(staged)] = parts[..] else { return false };
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let rest = staged.as_encoded_bytes().strip_prefix(name);
    rest.and_then(|rest| rest.strip_prefix(b".partial-")).is_some_and(|tag| !tag.is_empty())
}

impl Origin {
    /// This process, in a folder.
    pub fn of(folder: Option<(u64, u64)>) -> Origin {
        Origin { folder, ..Origin::here() }
    }

    /// This process.
    pub fn here() -> Origin {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let endian = if cfg!(target_endian = "big") { "big" } else { "little" };
        Origin {
            form: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: format!("{endian}-endian, {} bits", usize::BITS),
            boot: boot.map(|id| id.trim().to_owned()).unwrap_or_default(),
            folder: None,
        }
    }

    /// Why its records are not to be trusted here, if so.
    pub fn misfit(&self) -> Option<String> {
        let here = Origin::here();
        if self.form != here.form || self.version != here.version {
            let form = if self.version == here.version { ", another build" } else { "" };
            return Some(format!("was written by Tidemill {}{form}", self.version));
        }
        (self.machine != here.machine).then(|| format!("is of another machine ({})", self.machine))
    }

    /// Whether what it tells of was written to another folder than this, of which this is a copy.
    /// Devices may have other numbers after a start of the host.
    pub fn is_copied_to(&self, folder: Option<(u64, u64)>) -> bool {
        match (self.folder, folder) {
            (Some((device, number)), Some((here, ours))) => {
                number != ours || (device != here && self.is_of_this_boot())
            }
            _ => false,
        }
    }

    /// Whether it was written since this host was started, on it.
    pub fn is_of_this_boot(&self) -> bool {
        !self.boot.is_empty() && self.boot == Origin::here().boot
    }
}
