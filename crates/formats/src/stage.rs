//! Staging: an output is made beside its target and gets the final name when it is whole.
use crate::Piece;
use crate::own;
use crate::recognise::{Known, Replace, refusal, remove_staged};
use crate::rename::{rename_new, replace};
use crate::summed::{Appended, sum_of};
use base::Failure;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The two names of an output: the final one, and `NAME.partial-RUNID` beside it.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    target: PathBuf,
    staged: PathBuf,
    replace: Replace,
    /// Whether it becomes a folder of parts.
    parts: bool,
    /// What marks it as made by a pipeline.
    maker: Option<String>,
}

impl Stage {
    /// Of a file. Touches none.
    pub(crate) fn new(target: &Path, run_id: &str, replace: Replace) -> Stage {
        let mut name = OsString::from(target.file_name().unwrap_or_default());
        name.push(format!(".partial-{run_id}"));
        let staged = target.with_file_name(name);
        Stage { target: target.to_path_buf(), staged, replace, parts: false, maker: None }
    }

    /// Of a folder of parts.
    pub(crate) fn of_parts(target: &Path, run_id: &str, replace: Replace) -> Stage {
        Stage { parts: true, ..Stage::new(target, run_id, replace) }
    }

    /// The same, marked as made by a pipeline before it has its name.
    pub(crate) fn by(self, maker: &Option<String>) -> Stage {
        Stage { maker: maker.clone(), ..self }
    }

    /// The final name.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The name until [`Stage::publish`].
    pub(crate) fn staged(&self) -> &Path {
        &self.staged
    }

    /// Makes the staged file, empty, and the directories above it. Replaces a staged leftover.
    pub(crate) fn create_file(&self) -> Result<File, Failure> {
        self.prepare()?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.staged)
            .map_err(|e| cannot_write(&self.target, &e))
    }

    /// Makes the staged directory, empty, and the directories above it.
    pub(crate) fn create_directory(&self) -> Result<(), Failure> {
        self.prepare()?;
        fs::create_dir(&self.staged).map_err(|e| cannot_write(&self.target, &e))
    }

    /// Whether something is staged that may be gone on with; false if the target is in the way.
    pub(crate) fn is_there(&self) -> bool {
        self.check_free().is_ok() && self.staged.symlink_metadata().is_ok()
    }

    /// Opens the staged file to write on at its end.
    pub(crate) fn append(&self) -> Result<Appended, Failure> {
        let open = || {
            let file = own::open(&self.staged, OpenOptions::new().append(true))?;
            Ok(Appended::new(file.metadata()?.len(), file))
        };
        open().map_err(|e| cannot_write(&self.target, &e))
    }

    /// Cuts the staged file off behind so many bytes; false if it has not so many, or the target
    /// is in the way.
    pub(crate) fn cut(&self, bytes: u64) -> Result<bool, Failure> {
        let cut = || {
            let file = own::open(&self.staged, OpenOptions::new().write(true))?;
            let there = file.metadata()?.len() >= bytes;
            if there {
                file.set_len(bytes)?;
            }
            Ok(there)
        };
        if !self.is_there() {
            return Ok(false);
        }
        cut().map_err(|e| cannot_write(&self.target, &e))
    }

    /// Of tiles that were appended to the staged file behind its head, each with where it ends and a
    /// checksum, those from the first on that is not what was written.
    pub(crate) fn spoiled(&self, head: &[u8], written: &BTreeMap<u64, Piece>) -> Vec<u64> {
        let good = || {
            let mut file = own::open(&self.staged, OpenOptions::new().read(true))?;
            let mut begin = vec![0; head.len()];
            file.read_exact(&mut begin)?;
            let (mut good, mut at) = (0, head.len() as u64);
            for piece in written.values().take_while(|_| begin == head) {
                let Some(bytes) = piece.bytes.checked_sub(at) else { break };
                if sum_of(&mut file, bytes)? != piece.sum {
                    break;
                }
                (good, at) = (good + 1, piece.bytes);
            }
            Ok::<usize, io::Error>(good)
        };
        written.keys().skip(good().unwrap_or(0)).copied().collect()
    }

    /// Makes durable what the staged file holds.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        let synced = own::open(&self.staged, OpenOptions::new().read(true))
            .and_then(|file| file.sync_data());
        synced.map_err(|e| cannot_write(&self.target, &e))
    }

    fn prepare(&self) -> Result<(), Failure> {
        self.check_free()?;
        own::check_owner(&self.staged).map_err(|e| cannot_write(&self.staged, &e))?;
        if let Some(parent) = self.target.parent() {
            fs::create_dir_all(parent).map_err(|e| cannot_write(&self.target, &e))?;
        }
        remove_staged(&self.staged).map_err(|e| cannot_write(&self.staged, &e))
    }

    /// Whether the target may be written, as things are now.
    fn check_free(&self) -> Result<(), Failure> {
        let Some(there) = Known::at(&self.target) else { return Ok(()) };
        if let Some(why) = refusal(&self.target, self.parts) {
            return Err(Failure::output(why));
        }
        match self.replace {
            Replace::Never => Err(exists(&self.target)),
            Replace::Known(known) if known != there => Err(changed(&self.target)),
            Replace::Known(_) | Replace::Always => Ok(()),
        }
    }

    /// Gives the staged file or directory the final name, durably. What it replaces is there,
    /// whole, until the new one is; nothing is replaced but what may be and is of the same kind.
    pub(crate) fn publish(&self) -> Result<(), Failure> {
        self.name(&self.staged)
    }

    /// The same for a file of the staged directory; the rest of it is removed.
    pub(crate) fn publish_file(&self, file: &Path) -> Result<(), Failure> {
        self.name(file)?;
        self.abandon();
        Ok(())
    }

    fn name(&self, staged: &Path) -> Result<(), Failure> {
        let failed = |e: io::Error| match e.kind() {
            ErrorKind::AlreadyExists => exists(&self.target),
            _ => cannot_write(&self.target, &e),
        };
        sync(staged).map_err(failed)?;
        if let Some(maker) = &self.maker {
            tasks::mark::mark(staged, maker);
        }
        self.check_free()?;
        match self.target.symlink_metadata().is_ok() {
            true => replace(staged, &self.target, self.parts),
            false => rename_new(staged, &self.target),
        }
        .map_err(failed)?;
        sync(parent(&self.target)).map_err(failed)
    }

    /// Removes what is staged, if anything is; never fails.
    pub(crate) fn abandon(&self) {
        // What cannot be removed is under a name that says it is partial; nobody can do more.
        let _ = remove_staged(&self.staged);
    }
}

/// Writes a file that has its name only when it is whole.
///
/// # Errors
/// If something stands there that may not be replaced, or it cannot be written.
pub fn put(path: &Path, run_id: &str, replace: Replace, bytes: &[u8]) -> Result<(), Failure> {
    let stage = Stage::new(path, run_id, replace);
    let mut file = stage.create_file()?;
    let written = file.write_all(bytes).map_err(|e| cannot_write(path, &e));
    let named = written.and_then(|()| stage.publish());
    if named.is_err() {
        stage.abandon();
    }
    named
}

/// The sentence for an output that cannot be written.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::output(match error.kind() {
        ErrorKind::StorageFull => format!("cannot write {path}: the disk is full"),
        ErrorKind::QuotaExceeded => format!("cannot write {path}: the disk quota is used up"),
        ErrorKind::PermissionDenied if !own::is_foreign(error) => {
            format!("cannot write {path}: permission denied")
        }
        ErrorKind::ReadOnlyFilesystem => format!("cannot write {path}: it is read-only there"),
        _ => format!("cannot write {path}: {error}"),
    })
}

/// The same for an error of a library, which may hold an [`io::Error`] inside.
pub(crate) fn cannot_write_because(
    path: &Path,
    error: &(dyn std::error::Error + 'static),
) -> Failure {
    let mut cause = Some(error);
    while let Some(e) = cause {
        if let Some(io) = e.downcast_ref::<io::Error>() {
            return cannot_write(path, io);
        }
        cause = e.source();
    }
    Failure::output(format!("cannot write {}: {error}", path.display()))
}

/// The sentence for something staged that is not as it was written.
pub(crate) fn not_as_written(stage: &Stage, what: &Path) -> Failure {
    let (target, what) = (stage.target().display(), what.display());
    Failure::output(format!(
        "cannot write {target}: {what} is not as it was written; something else has changed or \
         removed it: run again"
    ))
}

fn exists(path: &Path) -> Failure {
    Failure::output(format!("{} exists already, and --overwrite was not given", path.display()))
}

fn changed(path: &Path) -> Failure {
    let path = path.display();
    Failure::output(format!("{path} has been changed meanwhile, and --overwrite was not given"))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_file_gets_its_name_only_when_published() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("deep/er/x.csv");
        let stage = Stage::new(&target, "r1", Replace::Never);
        stage.create_file().unwrap();
        assert!(!target.exists());
        stage.publish().unwrap();
        assert!(target.is_file() && !stage.staged().exists());
        let again = Stage::new(&target, "r2", Replace::Never);
        assert!(again.create_file().unwrap_err().message.contains("exists already"));
    }

    #[test]
    fn what_appeared_meanwhile_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let stage = Stage::new(&dir.path().join("x"), "r", Replace::Never);
        stage.create_directory().unwrap();
        fs::write(stage.target(), "mine").unwrap();
        assert!(stage.publish().unwrap_err().message.contains("exists already"));
        stage.abandon();
        stage.abandon();
        assert_eq!(fs::read(stage.target()).unwrap(), b"mine");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_of_parts_replaces_one_and_a_file_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let (parts, file) = (dir.path().join("parts"), dir.path().join("file"));
        for run in ["a", "b"] {
            let stage = Stage::of_parts(&parts, run, Replace::Always);
            stage.create_directory().unwrap();
            fs::write(stage.staged().join("part-00000.parquet"), run).unwrap();
            stage.publish().unwrap();
            assert_eq!(fs::read(parts.join("part-00000.parquet")).unwrap(), run.as_bytes());
            let stage = Stage::new(&file, run, Replace::Always);
            stage.create_file().unwrap().write_all(run.as_bytes()).unwrap();
            stage.publish().unwrap();
            assert_eq!(fs::read(&file).unwrap(), run.as_bytes());
        }
        let stage = Stage::new(&parts, "c", Replace::Always);
        assert!(stage.create_file().unwrap_err().message.contains("is a folder"));
        let stage = Stage::of_parts(&file, "c", Replace::Always);
        assert!(stage.create_directory().unwrap_err().message.contains("is a file"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_came_meanwhile_and_is_of_another_kind_stays() {
        let dir = tempfile::tempdir().unwrap();
        let stage = Stage::of_parts(&dir.path().join("x"), "r", Replace::Always);
        stage.create_directory().unwrap();
        fs::create_dir(stage.target()).unwrap();
        fs::write(stage.target().join("notes.txt"), "mine").unwrap();
        assert!(stage.publish().unwrap_err().message.contains("`notes.txt`"));
        stage.abandon();
        assert_eq!(fs::read_dir(stage.target()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_what_was_known_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x");
        fs::write(&target, "ours").unwrap();
        let known = Replace::Known(Known::at(&target).unwrap());
        let stage = Stage::new(&target, "r", known);
        stage.create_file().unwrap();
        fs::rename(&target, dir.path().join("y")).unwrap();
        fs::write(&target, "another's").unwrap();
        assert!(stage.publish().unwrap_err().message.contains("changed meanwhile"));
        assert_eq!(fs::read(&target).unwrap(), b"another's");
        fs::rename(dir.path().join("y"), &target).unwrap();
        stage.publish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let stage = Stage::new(&dir.path().join("file/x"), "r", Replace::Never);
        assert!(stage.create_file().unwrap_err().message.contains("file/x"));
    }
}
