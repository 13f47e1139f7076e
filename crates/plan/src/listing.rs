//! The files that patterns mean, each looked at once.
use crate::paths::{is_pattern, places, reason, special};
use crate::walk::{Hidden, Walk, near};
use base::{Code, Warning};
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tasks::store;

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its name, as the pattern has its folder.
    pub(crate) path: String,
    /// Bytes.
    pub(crate) size: i64,
    /// When its contents were last changed, in microseconds since 1970.
    pub(crate) modified: i64,
}

/// What was found, and what was not taken.
#[derive(Default)]
pub(crate) struct Listing {
    /// The files, in the order of the bytes of their names, each once.
    pub(crate) files: Vec<Listed>,
    /// Names that are not UTF-8.
    foreign: Vec<PathBuf>,
    /// Links that lead nowhere, and what is neither a file nor a folder.
    others: Vec<PathBuf>,
    /// Folders that could not be looked into.
    closed: Vec<PathBuf>,
}

/// Why a pattern means no file.
pub(crate) struct NoFile {
    /// A sentence.
    pub(crate) message: String,
    /// What might be meant.
    pub(crate) help: Option<String>,
}

impl Listing {
    /// Adds the files of a name or pattern, which is looked up in the folder of the command, then
    /// in another one.
    ///
    /// # Errors
    /// If there are none.
    pub(crate) fn add(&mut self, beside: Option<&Path>, text: &str) -> Result<(), NoFile> {
        let no = |message: String, help| NoFile { message, help };
        if let Some(scheme) = store::scheme(text).filter(|scheme| *scheme != "file") {
            let message =
                format!("`{text}` is no local file: only such are listed, not `{scheme}://`");
            return Err(no(message, None));
        }
        for place in places(beside, text) {
            let (files, others) = (self.files.len(), self.others.len() + self.foreign.len());
            self.look(&place, is_pattern(text) && !place.exists()).map_err(|e| no(e, None))?;
            if self.files.len() > files || self.others.len() + self.foreign.len() > others {
                return Ok(());
            }
            if place.is_dir() {
                let help =
                    format!("write `{}` for the files in it", Path::new(text).join("*").display());
                return Err(no(format!("`{text}` is a folder"), Some(help)));
            }
        }
        let message = match is_pattern(text) {
            true => format!("no file matches `{text}`"),
            false => format!("there is no file `{text}`"),
        };
        Err(no(message, near(Path::new(text))))
    }

    /// Looks in one place.
    fn look(&mut self, place: &Path, pattern: bool) -> Result<(), String> {
        if !pattern {
            self.take(place.to_path_buf());
            return Ok(());
        }
        let mut walk = Walk::new(Hidden::Dotted);
        let (names, _) = walk.names(place)?;
        self.closed.extend(walk.closed);
        names.into_iter().for_each(|name| self.take(name));
        Ok(())
    }

    /// Takes a name if a file stands there.
    fn take(&mut self, path: PathBuf) {
        let Ok(about) = std::fs::metadata(&path) else {
            // What is not there at all was never found.
            if path.symlink_metadata().is_ok() {
                self.others.push(path);
            }
            return;
        };
        if about.is_dir() {
            return;
        }
        if !about.is_file() {
            return self.others.push(path);
        }
        let micros = about.mtime().saturating_mul(1_000_000) + about.mtime_nsec() / 1000;
        match path.into_os_string().into_string() {
            Ok(path) => {
                let size = i64::try_from(about.size()).unwrap_or(i64::MAX);
                self.files.push(Listed { path, size, modified: micros });
            }
            Err(name) => self.foreign.push(name.into()),
        }
    }

    /// Puts the files in order, each once.
    pub(crate) fn sort(&mut self) {
        self.files.sort_unstable_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
        self.files.dedup_by(|a, b| a.path == b.path);
        if self.files.iter().any(|file| file.path.starts_with("./")) {
            let mut seen = HashSet::new();
            let bare = |path: &str| path.trim_start_matches("./").to_owned();
            self.files.retain(|file| seen.insert(bare(&file.path)));
        }
        for list in [&mut self.foreign, &mut self.others, &mut self.closed] {
            list.sort_unstable_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
            list.dedup();
        }
    }

    /// What the user should know of what is not listed.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let warning = |list: &[PathBuf], what: fn(&Path) -> String| {
            let first = list.first()?;
            // Bytes that are no text are written as in a string.
            let text = format!("{first:?} {}", what(first));
            let more = match list.len() - 1 {
                0 => String::new(),
                n => format!(", and {n} more"),
            };
            Some(Warning::new(Code::FilesLeftOut, text + &more).count(list.len() as u64))
        };
        let lists = [
            warning(&self.foreign, |_| "is left out: its name is not UTF-8".to_string()),
            warning(&self.others, |path| match special(path) {
                Some(what) => format!("is left out: {}", what.split(',').next().unwrap_or(what)),
                None => "is left out: it is a link that leads nowhere".to_string(),
            }),
            warning(&self.closed, |path| match std::fs::read_dir(path).err() {
                Some(e) => format!("is left out: it cannot be looked into: {}", reason(&e)),
                None => "is left out: it could not be looked into".to_string(),
            }),
        ];
        lists.into_iter().flatten().collect()
    }
}

/// The files of names and patterns that are there now, in order.
pub(crate) fn files(beside: Option<&Path>, names: &[String]) -> Vec<PathBuf> {
    let mut listing = Listing::default();
    for name in names {
        // A pattern may match nothing for a while.
        let _ = listing.add(beside, name);
    }
    listing.sort();
    listing.files.into_iter().map(|file| file.path.into()).collect()
}
