//! An object as a local file without a name, as long as the object and empty at first: what is read
//! is fetched before, and let go of when it has been read. So it can be mapped as a local file can.
use super::about::{About, about};
use super::blocks::{BLOCK, Blocks, Run, apart, run};
use super::client::client;
use super::fault::told;
use super::location::Location;
use super::pieces::{Piece, pieces};
use futures::StreamExt;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore};
use rustix::fs::{CWD, FallocateFlags, Mode, OFlags, fallocate, openat, unlink};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Requests of a process that are under way at a time, to all stores, for what is waited for: these
/// never queue behind those for what comes next.
static NOW: Semaphore = Semaphore::const_new(24);
/// The same, for what comes next.
static AHEAD: Semaphore = Semaphore::const_new(40);

/// An object, and what of it is here.
pub struct Mirror {
    name: String,
    store: Arc<dyn ObjectStore>,
    key: Key,
    about: About,
    file: File,
    blocks: Mutex<Blocks>,
    came: Condvar,
}

/// Bytes of an object that are in use, or will be: they stay until it is dropped.
pub struct Hold {
    mirror: Arc<Mirror>,
    runs: Vec<Run>,
}

impl Mirror {
    /// Opens an object, of which nothing is fetched yet.
    ///
    /// # Errors
    /// A sentence, if it is not there, the store does not answer, or no file can be made.
    pub fn open(path: &Path) -> Result<Arc<Mirror>, String> {
        let at = Location::of(path)?;
        let name = path.display().to_string();
        let about = about(path)?.ok_or_else(|| format!("{name}: there is no such object"))?;
        Mirror::over(client(&at)?, at.key, name, about)
    }

    pub(super) fn over(
        store: Arc<dyn ObjectStore>,
        key: Key,
        name: String,
        about: About,
    ) -> Result<Arc<Mirror>, String> {
        let folder = std::env::temp_dir();
        let failed = |e: std::io::Error| {
            format!("{name}: what is read of it is kept in {}: {e}", folder.display())
        };
        let file = nameless(&folder).map_err(failed)?;
        file.set_len(about.bytes).map_err(failed)?;
        let (blocks, came) = (Mutex::default(), Condvar::new());
        Ok(Arc::new(Mirror { name, store, key, about, file, blocks, came }))
    }

    /// The local file. Only what is held may be read.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// What the object is known by.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Asks for bytes and does not wait for them.
    pub fn ask(self: &Arc<Mirror>, ranges: &[Range<u64>]) -> Hold {
        self.begin(ranges, &AHEAD)
    }

    fn begin(self: &Arc<Mirror>, ranges: &[Range<u64>], turns: &'static Semaphore) -> Hold {
        let cut = |r: &Range<u64>| run(&(r.start..r.end.min(self.about.bytes)));
        let runs = apart(ranges.iter().map(cut).collect());
        let missing = self.lock().pin(&runs);
        for piece in pieces(&missing, self.about.bytes) {
            let mirror = self.clone();
            match crate::runtime::handle() {
                Ok(handle) => drop(handle.spawn(mirror.fetch(piece, turns))),
                Err(why) => self.fail(&piece, why),
            }
        }
        Hold { mirror: self.clone(), runs }
    }

    /// Bytes that are here when this returns.
    ///
    /// # Errors
    /// A sentence, if they cannot be fetched, or the object has been changed.
    pub fn hold(self: &Arc<Mirror>, ranges: &[Range<u64>]) -> Result<Hold, String> {
        let hold = self.begin(ranges, &NOW);
        hold.wait()?;
        Ok(hold)
    }

    /// Lets go of what has been read; as soon as nobody uses it, it takes no more room.
    pub fn release(&self, range: Range<u64>) {
        // The rest of a block at the end is for whoever reads on.
        let whole = if range.end >= self.about.bytes { run(&range).end } else { range.end / BLOCK };
        let mut blocks = self.lock();
        let gone = blocks.let_go(&(range.start / BLOCK..whole.max(range.start / BLOCK)));
        self.punch(&gone);
    }

    fn lock(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frees blocks; under the lock, so that nobody asks for them meanwhile.
    fn punch(&self, runs: &[Run]) {
        for run in runs {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // Where a file system cannot, they stay until the file is closed.
            let bytes = (run.end - run.start) * BLOCK;
            let _ = fallocate(&self.file, flags, run.start * BLOCK, bytes);
        }
    }

    async fn fetch(self: Arc<Mirror>, piece: Piece, turns: &'static Semaphore) {
        let fetched = match turns.acquire().await {
            Ok(_turn) => self.try_fetch(&piece).await,
            Err(e) => Err(e.to_string()),
        };
        match fetched {
            Ok(()) => {
                let mut blocks = self.lock();
                let gone: Vec<Run> = piece.runs.iter().flat_map(|run| blocks.came(run)).collect();
                self.punch(&gone);
            }
            Err(why) => self.fail(&piece, why),
        }
        self.came.notify_all();
    }

    fn fail(&self, piece: &Piece, why: String) {
        let (why, mut blocks) = (why.into(), self.lock());
        piece.runs.iter().for_each(|run| blocks.failed(run, &why));
    }

    async fn try_fetch(&self, piece: &Piece) -> Result<(), String> {
        let told = |e| told(&self.name, &e);
        let strong = self.about.etag.clone().filter(|etag| !etag.starts_with("W/"));
        let options = GetOptions::new().with_if_match(strong);
        let options = options.with_range(Some(GetRange::Bounded(piece.bytes.clone())));
        let got = self.store.get_opts(&self.key, options).await.map_err(told)?;
        self.same(&About::of(&got.meta))?;
        let (mut at, mut stream) = (piece.bytes.start, got.into_stream());
        while let Some(bytes) = stream.next().await {
            let bytes = bytes.map_err(told)?;
            for part in piece.wanted(at, bytes.len()) {
                let place = at + part.start as u64;
                self.file.write_all_at(&bytes[part], place).map_err(|e| {
                    let folder = std::env::temp_dir();
                    format!(
                        "{}: no room for what is read of it: {e}: {}",
                        self.name,
                        folder.display()
                    )
                })?;
            }
            at += bytes.len() as u64;
        }
        match at == piece.bytes.end {
            true => Ok(()),
            false => Err(format!("{}: the store has sent less than it has", self.name)),
        }
    }

    fn same(&self, now: &About) -> Result<(), String> {
        let etag = self.about.etag.is_none() || now.etag == self.about.etag;
        let time = self.about.etag.is_some() || now.modified == self.about.modified;
        match etag && time && now.bytes == self.about.bytes {
            true => Ok(()),
            false => Err(format!(
                "{}: it was changed while it was read: run again when it is whole",
                self.name
            )),
        }
    }
}

impl Hold {
    /// Waits until all bytes are here.
    ///
    /// # Errors
    /// A sentence, if they cannot be fetched.
    pub fn wait(&self) -> Result<(), String> {
        let mut blocks = self.mirror.lock();
        while !blocks.here(&self.runs)? {
            blocks = self.mirror.came.wait(blocks).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// How many bytes it holds, in whole blocks.
    pub fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| (run.end - run.start) * BLOCK).sum()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut blocks = self.mirror.lock();
        let gone = blocks.unpin(&self.runs);
        self.mirror.punch(&gone);
    }
}

/// A new file that has no name: it is gone when it is closed, and when the process is killed.
fn nameless(folder: &Path) -> std::io::Result<File> {
    let (flags, mode) = (OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
    #[cfg(target_os = "linux")]
    if let Ok(file) = openat(CWD, folder, flags | OFlags::TMPFILE, mode) {
        return Ok(file.into());
    }
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!(".tidemill-mirror-{}-{number}", std::process::id()));
    let file = openat(CWD, &path, flags | OFlags::CREATE | OFlags::EXCL, mode)?;
    unlink(&path)?;
    Ok(file.into())
}

#[cfg(test)]
#[path = "mirror_tests.rs"]
mod tests;
