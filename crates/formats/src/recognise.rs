//! What may be taken away: regular files, and folders in which every name is one of Tidemill's.
use crate::netcdf::is_staged_name;
use crate::parquet::is_part_name;
use rustix::fs::{
    Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, access, openat, statat, unlinkat,
};
use std::ffi::{CString, OsStr};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Whether an output may take the place of what stands under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Nothing may stand there.
    Never,
    /// Only of this very thing, left as it was.
    Known(Known),
    /// Of whatever is of the same kind.
    Always,
}

/// A file or folder as it was when somebody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

impl Known {
    /// What stands under a name now, if anything.
    pub fn at(path: &Path) -> Option<Known> {
        path.symlink_metadata().ok().map(|m| Known::of(&m))
    }

    pub(crate) fn of(about: &Metadata) -> Known {
        let changed = (about.mtime(), about.mtime_nsec());
        Known { device: about.dev(), inode: about.ino(), changed }
    }
}

/// Why an output, a file or a folder of parts, never takes the place of what stands under its name.
/// `None` if nothing is there, or if it may be replaced.
pub fn refusal(path: &Path, parts: bool) -> Option<String> {
    let about = path.symlink_metadata().ok()?;
    let (name, kind) = (path.display(), about.file_type());
    let (this, only) = match parts {
        true => ("a folder of parts", "is only put in the place of another one"),
        false => ("a file", "is only put in the place of a file"),
    };
    let what = match () {
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () if kind.is_file() && !parts => return None,
        () if kind.is_file() => "a file",
        () if is_here_or_above(path) => {
            return Some(format!("`{name}` is the working folder or one above it"));
        }
        () if !parts => "a folder",
        () => {
            return Listing::of(path, is_part_name)
                .and_then(|_| removable(path))
                .err()
                .map(|e| words(&e));
        }
    };
    Some(format!("`{name}` is {what}: {this} {only}"))
}

/// Whether the files of a folder may be removed.
fn removable(path: &Path) -> io::Result<()> {
    let flags = Access::WRITE_OK | Access::EXEC_OK;
    access(path, flags).map_err(|e| {
        let (name, e) = (path.display(), io::Error::from(e));
        let text = format!(
            "the files of the folder `{name}` cannot be removed: {}",
            words(&e).to_lowercase()
        );
        io::Error::new(e.kind(), text)
    })
}

fn is_here_or_above(path: &Path) -> bool {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let there = path.canonicalize();
    here.ok().zip(there.ok()).is_some_and(|(here, there)| here.starts_with(there))
}

/// An error of the operating system in words, without its number.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// A folder that holds nothing but regular files of known names.
struct Listing {
    folder: File,
    names: Vec<CString>,
}

impl Listing {
    /// Looks through a folder.
    ///
    /// # Errors
    /// If it cannot be read, or holds anything else, which is named.
    fn of(path: &Path, known: impl Fn(&str) -> bool) -> io::Result<Listing> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let at = |e: io::Error| {
            let text = format!(
                "cannot look into the folder `{}`: {}",
                path.display(),
                words(&e).to_lowercase()
            );
            io::Error::new(e.kind(), text)
        };
        let folder = openat(CWD, path, flags, Mode::empty()).map_err(|e| at(e.into()))?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder).map_err(|e| at(e.into()))? {
            let entry = entry.map_err(|e| at(e.into()))?;
            let name = entry.file_name();
            if [c".", c".."].contains(&name) {
                continue;
            }
            let about = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW);
            let mode = about.map_err(|e| at(e.into()))?.st_mode;
            let regular = FileType::from_raw_mode(mode) == FileType::RegularFile;
            if !(regular && name.to_str().is_ok_and(&known)) {
                let name = OsStr::from_bytes(name.to_bytes()).display();
                return Err(io::Error::other(format!(
                    "the folder `{}` holds `{name}`, which Tidemill does not write there",
                    path.display()
                )));
            }
            names.push(name.to_owned());
        }
        Ok(Listing { folder: folder.into(), names })
    }

    /// Removes what was listed, name by name, and the folder, which then is empty unless somebody
    /// has put something in meanwhile: that stays.
    fn remove(self, path: &Path) -> io::Result<()> {
        for name in &self.names {
            unlinkat(&self.folder, name, AtFlags::empty())?;
        }
        let (listed, there) = (self.folder.metadata()?, path.symlink_metadata()?);
        if (listed.dev(), listed.ino()) != (there.dev(), there.ino()) {
            return Err(io::Error::other("another folder has taken its place"));
        }
        fs::remove_dir(path)
    }
}

/// Removes a regular file, or a folder of parts.
pub(crate) fn remove_output(path: &Path, parts: bool) -> io::Result<()> {
    if let Some(why) = refusal(path, parts) {
        return Err(io::Error::other(why));
    }
    match parts {
        true => Listing::of(path, is_part_name)?.remove(path),
        false => fs::remove_file(path),
    }
}

/// Removes what an output has staged, if it is there: a file, or a folder in which every name is
/// one that outputs stage. Nothing else is ever removed.
///
/// # Errors
/// If it is something else, or the file system does not let it.
pub fn remove_staged(path: &Path) -> io::Result<()> {
    let kind = match path.symlink_metadata() {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        about => about?.file_type(),
    };
    if kind.is_file() {
        return fs::remove_file(path);
    }
    if !kind.is_dir() {
        let what = if kind.is_symlink() { "a symbolic link" } else { "no file and no folder" };
        let text = format!("`{}` is {what}, which no run has staged: remove it", path.display());
        return Err(io::Error::other(text));
    }
    Listing::of(path, |name| is_part_name(name) || is_staged_name(name))?.remove(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    #[test]
    fn only_the_same_kind_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "mine").unwrap();
        fs::create_dir(at("parts")).unwrap();
        fs::create_dir(at("empty")).unwrap();
        fs::create_dir(at("other")).unwrap();
        for name in ["parts/part-00000.parquet", "parts/_SUCCESS", "other/part-00000.parquet"] {
            fs::write(at(name), "").unwrap();
        }
        fs::write(at("other/notes.txt"), "mine").unwrap();
        symlink("file", at("link")).unwrap();
        symlink("parts", at("link_to_parts")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let (fifo, mode) = (FileType::Fifo, Mode::RUSR);
        rustix::fs::mknodat(CWD, at("fifo"), fifo, mode, 0).unwrap();
        let cases = [
            ("nothing", "", ""),
            ("file", "", "is a file"),
            ("parts", "is a folder", ""),
            ("empty", "is a folder", ""),
            ("other", "is a folder", "holds `notes.txt`"),
            ("link", "is a symbolic link", "is a symbolic link"),
            ("link_to_parts", "is a symbolic link", "is a symbolic link"),
            ("dangling", "is a symbolic link", "is a symbolic link"),
            ("socket", "is a socket", "is a socket"),
            ("fifo", "is a FIFO", "is a FIFO"),
            ("/dev/null", "is a device", "is a device"),
            ("/", "is the working folder", "is the working folder"),
        ];
        for (name, as_file, as_parts) in cases {
            for (parts, expected) in [(false, as_file), (true, as_parts)] {
                let why = refusal(&at(name), parts).unwrap_or_default();
                assert!(why.contains(expected), "{name}: {why}");
                assert_eq!(why.is_empty(), expected.is_empty(), "{name}: {why}");
            }
        }
    }

    #[test]
    fn what_is_staged_is_removed_name_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let staged = folder.path().join("x.partial-1");
        remove_staged(&staged).unwrap();
        fs::write(&staged, "").unwrap();
        remove_staged(&staged).unwrap();
        fs::create_dir(&staged).unwrap();
        for name in ["data.nc", "space", "host-1-0.log", "part-00012.parquet", "notes.txt"] {
            fs::write(staged.join(name), "").unwrap();
        }
        assert!(remove_staged(&staged).unwrap_err().to_string().contains("`notes.txt`"));
        assert_eq!(fs::read_dir(&staged).unwrap().count(), 5);
        fs::remove_file(staged.join("notes.txt")).unwrap();
        // A folder or a link is nobody's part, whatever it is called.
        fs::create_dir(staged.join("part-00001.parquet")).unwrap();
        assert!(remove_staged(&staged).unwrap_err().to_string().contains("`part-00001.parquet`"));
        fs::remove_dir(staged.join("part-00001.parquet")).unwrap();
        symlink("data.nc", staged.join("copy.nc")).unwrap();
        assert!(remove_staged(&staged).is_err());
        fs::remove_file(staged.join("copy.nc")).unwrap();
        remove_staged(&staged).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        symlink(folder.path(), &staged).unwrap();
        assert!(remove_staged(&staged).is_err() && staged.is_symlink());
    }
}
