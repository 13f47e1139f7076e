//! Where a download goes: the final name, the names until then, and what may stand there already.
use super::trouble::words;
use crate::work::{IsMade, Key, Made};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fmt::Write;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

/// Whether a download may take the place of a file.
#[derive(Clone)]
pub(super) enum Replace {
    /// Of none.
    Never,
    /// Of a file that a run has made, and that is as it was made.
    Known(IsMade),
    /// Of any file.
    Always,
}

/// In which folder names of files are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Folder {
    /// The working folder.
    #[default]
    Working,
    /// This one, for names that do not begin at the root.
    Of(PathBuf),
    /// This one, for all names, whatever they say: nothing is written elsewhere.
    Within(PathBuf),
}

impl Folder {
    fn place(&self, name: &str) -> PathBuf {
        match self {
            Folder::Working => PathBuf::from(name),
            Folder::Of(folder) => folder.join(name),
            Folder::Within(folder) => {
                let parts = Path::new(name).components();
                let normal = parts.filter(|part| matches!(part, Component::Normal(_)));
                folder.join(normal.collect::<PathBuf>())
            }
        }
    }
}

/// What stands under the final name.
#[derive(Debug, PartialEq)]
pub(super) enum There {
    Nothing,
    /// A file that may be replaced.
    Old(Made),
    /// A file that stays: right if it holds the same.
    Other(Made),
}

/// The names of a download.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The final one.
    pub(super) target: PathBuf,
    /// That of what has come so far, `.NAME.partial-fetch` in the same folder.
    pub(super) staged: PathBuf,
    /// That of the note of what that is, `.NAME.partial-fetch.from`.
    pub(super) note: PathBuf,
    /// What is downloaded, and how.
    pub(super) of: Key,
}

/// The most bytes of a name (`NAME_MAX` of all common file systems).
const LONGEST: usize = 255;
const STAGED: &str = ".partial-fetch";
const NOTE: &str = ".from";

impl Place {
    /// The place of a name.
    ///
    /// # Errors
    /// If it is not the name of a file: a sentence.
    pub(super) fn new(folder: &Folder, name: &str, of: Key) -> Result<Place, String> {
        let target = folder.place(name);
        let last = target.file_name().filter(|_| !name.is_empty() && !name.ends_with('/'));
        let Some(last) = last.filter(|_| !name.contains('\0')) else {
            return Err(format!("to: `{}` is not the name of a file", name.escape_debug()));
        };
        if last.len() > LONGEST {
            return Err(format!("to: the name has {} bytes, and may have {LONGEST}", last.len()));
        }
        let beside = |end: &str| {
            let mut bytes = last.as_bytes().to_vec();
            if bytes.len() + 1 + STAGED.len() + NOTE.len() > LONGEST {
                bytes = hex(&Sha256::digest(&bytes)[..16]).into_bytes();
            }
            bytes.insert(0, b'.');
            bytes.extend(STAGED.bytes().chain(end.bytes()));
            target.with_file_name(OsString::from_vec(bytes))
        };
        let (staged, note) = (beside(""), beside(NOTE));
        Ok(Place { target, staged, note, of })
    }

    /// What stands under the final name now.
    ///
    /// # Errors
    /// If it is no file: a sentence.
    pub(super) fn there(&self, replace: &Replace) -> Result<There, String> {
        let Ok(about) = self.target.symlink_metadata() else { return Ok(There::Nothing) };
        let kind = about.file_type();
        let what = match () {
            () if kind.is_file() => None,
            () if kind.is_dir() => Some("a folder"),
            () if kind.is_symlink() => Some("a symbolic link"),
            () if kind.is_fifo() => Some("a FIFO"),
            () if kind.is_socket() => Some("a socket"),
            () => Some("a device"),
        };
        let name = self.target.display();
        if let Some(what) = what {
            let only = "a file is only put in the place of a file";
            return Err(format!("cannot write `{name}`: it is {what}: {only}"));
        }
        let Some(file) = Made::at(&self.target) else { return Ok(There::Nothing) };
        let old = match replace {
            Replace::Never => false,
            Replace::Known(known) => known(&file),
            Replace::Always => true,
        };
        Ok(if old { There::Old(file) } else { There::Other(file) })
    }

    /// The sentence for a file that is there already and stays.
    pub(super) fn exists(&self) -> String {
        let name = self.target.display();
        format!("`{name}` exists already, with other content, and --overwrite was not given")
    }

    /// The sentence for a file that cannot be written.
    pub(super) fn cannot_write(&self, error: &io::Error) -> String {
        format!("cannot write `{}`: {}", self.target.display(), words(error))
    }
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
