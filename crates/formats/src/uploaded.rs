//! An output in a store: staged as a local one, and put there when it is whole.
use crate::{Arrangement, Piece, Sink, TileWriter, Written};
use base::{Failure, Tile, Warning};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tasks::store::{Replaces, remove, side_by_side, standing, upload};

/// The mark of a folder of parts that is whole, written last.
const WHOLE: &str = "_SUCCESS";

/// A local sink whose output goes to a store.
pub struct Uploaded {
    inner: Arc<dyn Sink>,
    to: PathBuf,
    replaces: Replaces,
}

/// Where an output is staged that goes to a store: in a folder of its own. `tag` is that of its run.
pub fn staging(to: &Path, tag: &str) -> PathBuf {
    let name = to.to_string_lossy().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let name: String = name.chars().rev().take(100).collect::<Vec<_>>().into_iter().rev().collect();
    let folder = std::env::temp_dir().join(format!("tidemill-upload-{tag}-{name}"));
    folder.join(to.file_name().unwrap_or_default())
}

impl Uploaded {
    /// What `inner` writes, whose path is that of [`staging`], goes to `to`.
    pub fn new(inner: Arc<dyn Sink>, to: PathBuf, replace: bool) -> Uploaded {
        let replaces = if replace { Replaces::Yes } else { Replaces::No };
        Uploaded { inner, to, replaces }
    }

    fn folder(&self) -> &Path {
        self.inner.path().parent().unwrap_or(Path::new("."))
    }

    /// Removes the folder that it is staged in, if it is one of ours.
    fn clear(&self) {
        let ours = |m: fs::Metadata| m.is_dir() && m.uid() == rustix::process::getuid().as_raw();
        if self.folder().symlink_metadata().is_ok_and(ours) {
            // What cannot be removed is in a folder for such things.
            let _ = fs::remove_dir_all(self.folder());
        }
    }

    fn failed(&self, what: impl std::fmt::Display) -> Failure {
        Failure::output(format!("cannot write {}: {what}", self.to.display()))
    }

    /// Puts the parts of a folder there, the mark last; then removes what stood there before.
    fn put_parts(&self, folder: &Path) -> Result<(), Failure> {
        let failed = |e: std::io::Error| self.failed(e);
        let names = fs::read_dir(folder).map_err(failed)?;
        let names = names.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>();
        let (marks, parts): (Vec<_>, Vec<_>) =
            names.map_err(failed)?.into_iter().partition(|name| name == WHOLE);
        let before = standing(&self.to).map_err(Failure::output)?;
        if let (Replaces::No, Some((path, _))) = (self.replaces, before.first()) {
            let what = "exists already, and was not there when the run began";
            return Err(self.failed(format!("{} {what}", path.display())));
        }
        if let Some((path, _)) = before.iter().find(|(path, _)| !is_part(path)) {
            let what = "is no part of such a folder, and is never replaced";
            return Err(self.failed(format!("{} {what}", path.display())));
        }
        let mark = self.at(WHOLE.as_ref());
        if before.iter().any(|(path, _)| *path == mark) {
            remove(&mark).map_err(Failure::output)?;
        }
        let put =
            |name: &std::ffi::OsString| upload(&folder.join(name), &self.at(name), self.replaces);
        let put_all =
            |names: &[_]| side_by_side(names, put).into_iter().collect::<Result<Vec<()>, _>>();
        let done = put_all(&parts).and_then(|_| put_all(&marks));
        if let Err(why) = done {
            // Half of a folder is no output.
            side_by_side(&parts, |name| remove(&self.at(name)));
            return Err(Failure::output(why));
        }
        let new = |path: &PathBuf| parts.iter().chain(&marks).any(|name| self.at(name) == *path);
        let old: Vec<PathBuf> = before.into_iter().map(|(path, _)| path).collect();
        let old: Vec<PathBuf> = old.into_iter().filter(|path| !new(path)).collect();
        let removed = side_by_side(&old, |path| remove(path)).into_iter();
        removed.collect::<Result<Vec<()>, _>>().map(drop).map_err(Failure::output)
    }

    fn at(&self, name: &std::ffi::OsStr) -> PathBuf {
        PathBuf::from(format!("{}/{}", self.to.display(), name.to_string_lossy()))
    }
}

/// Whether a name is that of a part as they are written here; nothing else is ever removed.
fn is_part(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(crate::parquet::is_part_name)
}

impl Sink for Uploaded {
    fn arrangement(&self) -> Arrangement {
        self.inner.arrangement()
    }

    fn create(&self) -> Result<(), Failure> {
        self.clear();
        let mut folder = DirBuilder::new();
        folder.mode(0o700).create(self.folder()).map_err(|e| {
            self.failed(format!("it is staged in {}: {e}", self.folder().display()))
        })?;
        self.inner.create()
    }

    fn pieces(&self) -> BTreeMap<u64, Piece> {
        self.inner.pieces()
    }

    fn expect(&self, pieces: BTreeMap<u64, Piece>) {
        self.inner.expect(pieces);
    }

    fn prepare(&self, tile: Tile) -> Result<Tile, Failure> {
        self.inner.prepare(tile)
    }

    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        self.inner.writer()
    }

    fn commit(&self) -> Result<Written, Failure> {
        let written = self.inner.commit()?;
        match written.path.is_dir() {
            true => self.put_parts(&written.path)?,
            false => upload(&written.path, &self.to, self.replaces).map_err(Failure::output)?,
        }
        self.clear();
        Ok(Written { path: self.to.clone(), ..written })
    }

    fn abandon(&self) {
        self.inner.abandon();
        self.clear();
    }

    fn path(&self) -> &Path {
        &self.to
    }

    fn warnings(&self) -> Vec<Warning> {
        self.inner.warnings()
    }

    fn memory(&self, tile_bytes: u64) -> u64 {
        self.inner.memory(tile_bytes)
    }

    fn describe(&self) -> String {
        let staged = self.inner.path().display().to_string();
        self.inner.describe().replace(&staged, &self.to.display().to_string())
    }
}
