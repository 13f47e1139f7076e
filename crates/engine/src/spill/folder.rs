//! Where the files of spilled state are: files without a name, so that nothing is left of them.
use base::Failure;
use rustix::fs::{CWD, Mode, OFlags, openat, statfs, unlink};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A folder for files of spilled state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// In this folder.
    pub fn new(path: impl Into<PathBuf>) -> Folder {
        Folder { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new file that has no name: it is gone when it is closed, and when the process is killed.
    ///
    /// # Errors
    /// If there is no such folder, or nothing may be written there.
    pub fn file(&self) -> Result<File, Failure> {
        let (flags, mode) = (OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
        #[cfg(target_os = "linux")]
        if let Ok(file) = openat(CWD, &self.path, flags | OFlags::TMPFILE, mode) {
            return Ok(file.into());
        }
        // A file system that has no files without a name.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Relaxed);
        let path = self.path.join(format!(".tidemill-{}-{number}", process::id()));
        let file = openat(CWD, &path, flags | OFlags::CREATE | OFlags::EXCL, mode)
            .map_err(|e| self.failure(&e.into()))?;
        unlink(&path).map_err(|e| self.failure(&e.into()))?;
        Ok(file.into())
    }

    fn failure(&self, error: &std::io::Error) -> Failure {
        Failure::output(format!(
            "{}: state that outgrows its memory cannot be written here: {error}; \
             name another folder with --spill",
            self.path.display()
        ))
    }
}

/// A folder, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The folder.
    pub folder: PathBuf,
    /// Whether its files are in memory, which defeats their purpose.
    pub in_memory: bool,
}

/// Where to spill to: what is asked for; else the usual folder for such files, if it is not in
/// memory; else the folder of the outputs.
pub fn choose(asked: Option<&Path>, usual: &Path, outputs: &Path) -> Choice {
    let choice = |folder: &Path| {
        let in_memory = in_memory(folder);
        Choice { folder: folder.to_owned(), in_memory }
    };
    match asked {
        Some(folder) => choice(folder),
        None => {
            let usual = choice(usual);
            let near = Some(choice(outputs)).filter(|near| !near.in_memory);
            if usual.in_memory { near.unwrap_or(usual) } else { usual }
        }
    }
}

/// Whether files of a folder are in memory.
fn in_memory(folder: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        // statfs(2)
        const TMPFS: i64 = 0x0102_1994;
        const RAMFS: i64 = 0x8584_58f6;
        statfs(folder).is_ok_and(|s| [TMPFS, RAMFS].contains(&{ s.f_type }))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        false
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::FileExt;

    #[test]
    fn files_have_no_name() {
        let path = std::env::temp_dir().join(format!("tidemill-folder-{}", process::id()));
        std::fs::create_dir(&path).unwrap();
        let file = Folder::new(&path).file().unwrap();
        file.write_all_at(b"abc", 5).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 8);
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
        std::fs::remove_dir(&path).unwrap();
        let failure = Folder::new(&path).file().unwrap_err();
        assert!(failure.message.contains(&path.display().to_string()), "{failure}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_no_place_to_spill_to() {
        let (disk, memory) = (Path::new("/proc"), Path::new("/dev/shm"));
        if !in_memory(memory) {
            return;
        }
        assert_eq!(choose(None, memory, disk).folder, disk);
        assert_eq!(choose(None, disk, memory).folder, disk);
        assert!(choose(Some(memory), disk, disk).in_memory);
        assert!(choose(None, memory, memory).in_memory);
    }
}
