//! A download on the disk: what has come so far, and the note that lets a later run go on with it.
//!
//! All of it may wait for the file system.
use super::note::{Note, WORTH};
use super::own;
use super::place::{Place, Replace, There};
use super::trouble::Trouble;
use crate::rename::{exchange, rename_new};
use crate::work::Made;
use bytes::Bytes;
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes that are read or compared in one go.
const BLOCK: usize = 4 << 20;

/// What an earlier run has left.
#[derive(Debug, PartialEq)]
pub(super) struct Left {
    pub(super) have: u64,
    pub(super) total: Option<u64>,
    pub(super) validator: String,
}

/// A download on the disk.
pub(super) struct Disk {
    place: Place,
    replace: Replace,
    /// What has come; nobody else writes to it.
    file: Option<File>,
    hash: Option<Sha256>,
    /// A note stands beside it: it stays for a later run.
    noted: bool,
    /// The file under the final name that holds the same.
    same: Option<Made>,
}

impl Disk {
    /// Looks at what is there: under the final name, and of an earlier run.
    pub(super) fn look(
        place: Place,
        replace: Replace,
        hashed: bool,
    ) -> Result<(Disk, Option<Left>), Trouble> {
        place.there(&replace).map_err(Trouble::last)?;
        let hash = hashed.then(Sha256::new);
        let mut disk = Disk { place, replace, file: None, hash, noted: false, same: None };
        let left = disk.left()?;
        Ok((disk, left))
    }

    /// What an earlier run has left and is worth going on with.
    fn left(&mut self) -> Result<Option<Left>, Trouble> {
        let Some(note) = Note::read(&self.place) else { return Ok(None) };
        if !self.place.staged.is_file() {
            return Ok(None);
        }
        // If another process writes to it, that is told when this one wants to.
        let Ok(mut file) = self.open() else { return Ok(None) };
        let have = cut_off(&mut file, note.total, self.hash.is_some());
        self.file = Some(file);
        let have = have.map_err(|e| self.failed(&e))?;
        self.noted = have > 0;
        let left = || Left { have, total: note.total, validator: note.validator };
        Ok(self.noted.then(left))
    }

    /// Reads the next bytes of what an earlier run has left, for the checksum; false at its end.
    pub(super) fn reread(&mut self) -> Result<bool, Trouble> {
        let (Some(file), Some(hash)) = (&mut self.file, &mut self.hash) else { return Ok(false) };
        let mut block = vec![0; BLOCK];
        let read = fill(file, &mut block).map_err(|e| lasting(&self.place, &e))?;
        hash.update(&block[..read]);
        Ok(read > 0)
    }

    /// Whether a body of this length may come here: what is there and stays has the same length.
    pub(super) fn fits(&self, total: Option<u64>) -> Result<(), Trouble> {
        match self.place.there(&self.replace).map_err(Trouble::last)? {
            There::Other(file) if total.is_some_and(|total| total != file.bytes) => {
                Err(Trouble::last(self.place.exists()))
            }
            _ => Ok(()),
        }
    }

    /// Begins anew.
    pub(super) fn begin(
        &mut self,
        total: Option<u64>,
        validator: Option<&str>,
    ) -> Result<(), Trouble> {
        self.noted = false;
        self.hash = self.hash.take().map(|_| Sha256::new());
        self.make_folder()?;
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        // First the note goes, then what it is of.
        let anew =
            Note::forget(&self.place).and_then(|()| file.set_len(0)).and_then(|()| file.rewind());
        self.file = Some(file);
        anew.map_err(|e| self.failed(&e))?;
        if let Some(validator) = validator.filter(|_| total.is_none_or(|total| total >= WORTH)) {
            Note::write(&self.place, total, validator).map_err(|e| self.failed(&e))?;
            self.noted = true;
        }
        Ok(())
    }

    fn make_folder(&self) -> Result<(), Trouble> {
        let Some(folder) = self.place.target.parent() else { return Ok(()) };
        fs::create_dir_all(folder).map_err(|e| match e.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                let (name, folder) = (self.place.target.display(), folder.display());
                Trouble::last(format!("cannot write `{name}`: `{folder}` is not a folder"))
            }
            _ => self.failed(&e),
        })
    }

    /// Opens what has come so far, for this process alone.
    fn open(&self) -> Result<File, Trouble> {
        let opened = own::alone(&self.place.staged).map_err(|e| self.failed(&e))?;
        let name = self.place.target.display();
        opened.ok_or_else(|| {
            Trouble::passing(format!("another download is being written to `{name}`"))
        })
    }

    /// Writes what has come.
    pub(super) fn write(&mut self, chunks: &[Bytes]) -> Result<(), Trouble> {
        let Some(file) = &mut self.file else { return Ok(()) };
        for chunk in chunks {
            if let Err(e) = file.write_all(chunk) {
                let trouble = lasting(&self.place, &e);
                self.discard();
                return Err(trouble);
            }
            if let Some(hash) = &mut self.hash {
                hash.update(chunk);
            }
        }
        Ok(())
    }

    /// The checksum of all that was written.
    pub(super) fn sum(&mut self) -> Option<[u8; 32]> {
        self.hash.as_ref().map(|hash| hash.clone().finalize().into())
    }

    /// Compares the next bytes with the file under the final name, from `at` on, if one is there
    /// that stays; `None` at the end.
    pub(super) fn compare(&mut self, at: u64) -> Result<Option<u64>, Trouble> {
        let there = self.place.there(&self.replace).map_err(Trouble::last)?;
        let (There::Other(made), Some(file)) = (there, &mut self.file) else { return Ok(None) };
        let (mut one, mut two) = (vec![0; BLOCK], vec![0; BLOCK]);
        let read = |file: &mut File, block: &mut [u8]| {
            file.seek(SeekFrom::Start(at))?;
            fill(file, block)
        };
        let mut old = File::open(&self.place.target).map_err(|e| lasting(&self.place, &e))?;
        let lengths = read(file, &mut one).and_then(|n| Ok((n, read(&mut old, &mut two)?)));
        let (n, m) = lengths.map_err(|e| lasting(&self.place, &e))?;
        if one[..n] != two[..m] {
            self.discard();
            return Err(Trouble::last(self.place.exists()));
        }
        self.same = Some(made);
        Ok((n > 0).then_some(at + n as u64))
    }

    /// Gives it the final name. It is whole on the disk before. That the name is there too, after
    /// the power has failed, is not waited for: a file that is missing is downloaded again.
    pub(super) fn publish(&mut self) -> Result<Made, String> {
        let Some(file) = self.file.take() else { return Err("nothing has come".to_owned()) };
        let named = file.sync_all().map_err(|e| self.place.cannot_write(&e));
        let named = named.and_then(|()| self.name());
        // What failed here has no fault of its own, but it is not gone on with.
        drop(Note::forget(&self.place));
        if named.is_err() {
            drop(fs::remove_file(&self.place.staged));
        }
        named?;
        let made = Made::at(&self.place.target);
        made.ok_or_else(|| format!("`{}` has vanished again", self.place.target.display()))
    }

    fn name(&mut self) -> Result<(), String> {
        let (staged, target) = (&self.place.staged, &self.place.target);
        match self.place.there(&self.replace)? {
            There::Nothing => rename_new(staged, target).map_err(|e| match e.kind() {
                ErrorKind::AlreadyExists => self.place.exists(),
                _ => self.place.cannot_write(&e),
            }),
            There::Old(old) => swap(staged, target, &old).map_err(|e| self.place.cannot_write(&e)),
            There::Other(file) if self.same.as_ref() == Some(&file) => {
                fs::remove_file(staged).map_err(|e| self.place.cannot_write(&e))
            }
            There::Other(_) => Err(self.place.exists()),
        }
    }

    /// Takes away what has come.
    pub(super) fn discard(&mut self) {
        if self.file.take().is_some() {
            // What cannot be removed is under a name that says it is partial.
            drop(Note::forget(&self.place));
            drop(fs::remove_file(&self.place.staged));
        }
        self.noted = false;
    }

    fn failed(&self, error: &io::Error) -> Trouble {
        lasting(&self.place, error)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if !self.noted {
            self.discard();
        }
    }
}

/// How much of a file can be gone on with; stands at its begin, if it is to be read, or its end.
fn cut_off(file: &mut File, total: Option<u64>, read: bool) -> io::Result<u64> {
    let mut have = file.metadata()?.len();
    if total.is_some_and(|total| have > total) {
        return Ok(0);
    }
    if have > 0 && total == Some(have) {
        // All has come. Servers have no answer to a request for what follows the end, so the last
        // byte is asked for again, which tells too whether it is still the same.
        have -= 1;
        file.set_len(have)?;
    }
    file.seek(if read { SeekFrom::Start(0) } else { SeekFrom::End(0) })?;
    Ok(have)
}

/// Another attempt does not mend a disk; open files may become fewer.
fn lasting(place: &Place, error: &io::Error) -> Trouble {
    let files = [Errno::MFILE, Errno::NFILE].map(|e| Some(e.raw_os_error()));
    let again = files.contains(&error.raw_os_error());
    Trouble { again, ..Trouble::last(place.cannot_write(error)) }
}

/// Puts a file in the place of another one that is as it was, which goes.
fn swap(from: &Path, to: &Path, old: &Made) -> io::Result<()> {
    if !exchange(from, to)? {
        return fs::rename(from, to);
    }
    let Ok(about) = from.symlink_metadata() else { return Ok(()) };
    let now = Made::at(from);
    let as_was = about.is_file()
        && now.is_some_and(|now| (now.bytes, now.modified) == (old.bytes, old.modified));
    if !as_was {
        exchange(from, to)?;
        return Err(io::Error::other("it was changed meanwhile"));
    }
    fs::remove_file(from)
}

/// Reads as many bytes as there are, up to a block.
fn fill(file: &mut File, block: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < block.len() {
        match file.read(&mut block[read..]) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(read)
}
