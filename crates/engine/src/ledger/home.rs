//! The folder of a ledger, open: what is in it is reached through this, so that no link is followed
//! and no folder that has taken its place is written to.
use super::folder::cannot;
use base::Failure;
use formats::own;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// What the folders of ledgers lie in, beside outputs.
pub const ABOVE: &str = ".tidemill";

/// Rights of new folders: nobody else may write.
const FOLDER: Mode = Mode::from_raw_mode(0o755);

/// The folder of a ledger.
#[derive(Debug)]
pub struct Home {
    /// Its name.
    pub path: PathBuf,
    folder: File,
}

impl Home {
    /// Opens one that is there; `None` if it is not.
    ///
    /// # Errors
    /// If it is a link or belongs to another user.
    pub fn open(path: &Path) -> Result<Option<Home>, Failure> {
        match open(path) {
            Ok(folder) => Ok(Some(Home { path: path.to_path_buf(), folder })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(cannot(path, &e)),
        }
    }

    /// The same, made if need be.
    ///
    /// # Errors
    /// Also if it cannot be made.
    pub fn make(path: &Path) -> Result<Home, Failure> {
        let made = make(path).and_then(|()| open(path)).map_err(|e| cannot(path, &e));
        Ok(Home { path: path.to_path_buf(), folder: made? })
    }

    /// Opens a file in it.
    ///
    /// # Errors
    /// If it is a link, no regular file, or belongs to another user.
    pub fn file(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        own::file_in(&self.folder, Path::new(name), flags).map_err(|e| match e.raw_os_error() {
            None => io::Error::new(e.kind(), format!("{}: {e}", name.display())),
            Some(_) => e,
        })
    }

    /// A new file to write, in place of one of this name that an earlier run has left.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn anew(&self, name: &OsStr) -> io::Result<File> {
        self.remove(name)?;
        self.file(name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)
    }

    /// The names in it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn names(&self) -> io::Result<Vec<PathBuf>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.folder)? {
            let name = PathBuf::from(OsStr::from_bytes(entry?.file_name().to_bytes()));
            if matches!(name.components().next(), Some(Component::Normal(_))) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// If the file system does not let it.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.folder, from, &self.folder, to)?)
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// If the file system does not let it.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        match unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Makes durable which files are in it.
    ///
    /// # Errors
    /// If the disk cannot take it.
    pub fn sync(&self) -> io::Result<()> {
        self.folder.sync_all()
    }

    /// What tells this folder from a copy of it: device and number.
    pub fn identity(&self) -> Option<(u64, u64)> {
        self.folder.metadata().ok().map(|m| (m.dev(), m.ino()))
    }
}

/// The folder that outputs lie in, whose ledger this is; `None` for one in a folder of its own
/// choice.
pub fn beside(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let above = path.parent().filter(|above| above.file_name() == Some(OsStr::new(ABOVE)));
    above?.parent().map(Path::to_path_buf)
}

fn above(path: &Path) -> Option<(&Path, &OsStr)> {
    let above = path.parent().filter(|above| above.file_name() == Some(OsStr::new(ABOVE)))?;
    Some((above, path.file_name()?))
}

fn open(path: &Path) -> io::Result<File> {
    let Some((above, name)) = above(path) else { return own::folder(path) };
    let above = own::any_folder(above)?;
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(&above, name, flags, Mode::empty()) {
        Ok(folder) => own::checked(File::from(folder), path),
        // Why, in words.
        Err(Errno::NOTDIR | Errno::LOOP) => own::folder(path),
        Err(e) => Err(e.into()),
    }
}

fn make(path: &Path) -> io::Result<()> {
    let made = |made| match made {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(e) => Err(io::Error::from(e)),
    };
    let outer = above(path).map_or(path, |(above, _)| above);
    if let Some(parent) = outer.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    made(mkdirat(rustix::fs::CWD, outer, FOLDER))?;
    match above(path) {
        Some((above, name)) => made(mkdirat(own::any_folder(above)?, name, FOLDER)),
        None => Ok(()),
    }
}
