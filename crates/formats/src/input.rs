//! The bytes of an input: a local file, or an object in a store, which is fetched as it is read.
use crate::rows::{map, release, whole};
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tasks::store::{BLOCK, Hold, Mirror, is_remote, side_by_side};

/// An open input. Of an object only what is held may be looked at: the rest reads as zeros.
#[derive(Clone)]
pub(crate) struct Input(Arc<Inner>);

struct Inner {
    name: String,
    source: Source,
    len: u64,
    map: OnceLock<Bytes>,
}

enum Source {
    Local(File),
    Remote(Arc<Mirror>),
}

/// Bytes that stay as long as it does; of a local file all do.
pub(crate) struct Held {
    _hold: Option<Hold>,
}

impl Input {
    /// Opens a local file or an object.
    ///
    /// # Errors
    /// If it is not there or may not be read; the error does not name it.
    pub(crate) fn open(path: &Path) -> io::Result<Input> {
        let name = path.display().to_string();
        let (source, len) = if is_remote(path) {
            let mirror = Mirror::open(path).map_err(|e| io::Error::other(bare(&name, e)))?;
            let len = mirror.about().bytes;
            (Source::Remote(mirror), len)
        } else {
            let file = File::open(path)?;
            let about = file.metadata()?;
            if about.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            (Source::Local(file), about.len())
        };
        Ok(Input(Arc::new(Inner { name, source, len, map: OnceLock::new() })))
    }

    /// An open local file.
    ///
    /// # Errors
    /// If nothing is known of it.
    pub(crate) fn of(file: File) -> io::Result<Input> {
        let len = file.metadata()?.len();
        let (name, source) = (String::new(), Source::Local(file));
        Ok(Input(Arc::new(Inner { name, source, len, map: OnceLock::new() })))
    }

    /// As [`Input::open`], with its bytes as memory.
    ///
    /// # Errors
    /// As there, and if it cannot be mapped.
    pub(crate) fn mapped(path: &Path) -> io::Result<Input> {
        let input = Input::open(path)?;
        let map = map(input.file())?;
        input.0.map.get_or_init(|| map);
        Ok(input)
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> u64 {
        self.0.len
    }

    /// The file, or the one in which an object is put together.
    pub(crate) fn file(&self) -> &File {
        match &self.0.source {
            Source::Local(file) => file,
            Source::Remote(mirror) => mirror.file(),
        }
    }

    fn remote(&self) -> Option<&Arc<Mirror>> {
        match &self.0.source {
            Source::Local(_) => None,
            Source::Remote(mirror) => Some(mirror),
        }
    }

    /// Whether it lies elsewhere, so that reading waits.
    pub(crate) fn is_remote(&self) -> bool {
        self.remote().is_some()
    }

    /// Waits until bytes are here, as many requests at once as that takes.
    ///
    /// # Errors
    /// A sentence, if they cannot be fetched.
    pub(crate) fn hold(&self, ranges: &[Range<u64>]) -> Result<Held, String> {
        let Some(mirror) = self.remote() else { return Ok(Held { _hold: None }) };
        let hold = mirror.hold(ranges).map_err(|e| bare(&self.0.name, e))?;
        Ok(Held { _hold: Some(hold) })
    }

    /// Asks for bytes that will be read soon, and does not wait; nothing for a local file.
    pub(crate) fn ask(&self, ranges: &[Range<u64>]) -> Option<Hold> {
        self.remote().map(|mirror| mirror.ask(ranges))
    }

    /// All of its bytes as memory; of an object only those that are held.
    pub(crate) fn map(&self) -> &[u8] {
        self.0.map.get().map(|map| &map[..]).unwrap_or_default()
    }

    /// Bytes that are here as long as anything made of them without a copy lives. Of an object only
    /// those of `ranges` are fetched; what lies between is not to be looked at.
    ///
    /// # Errors
    /// A sentence, if they cannot be fetched, or do not lie in the file.
    pub(crate) fn parts(&self, all: Range<u64>, ranges: &[Range<u64>]) -> Result<Bytes, String> {
        let inside = all.start <= all.end && all.end <= self.map().len() as u64;
        let (Some(map), true) = (self.0.map.get(), inside) else {
            return Err("the file ends before that".to_owned());
        };
        let bytes = map.slice(all.start as usize..all.end as usize);
        match self.remote() {
            None => Ok(bytes),
            Some(_) => Ok(Bytes::from_owner(Pinned { bytes, _held: self.hold(ranges)? })),
        }
    }

    /// As [`Input::parts`], all of it.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn bytes(&self, range: Range<u64>) -> Result<Bytes, String> {
        self.parts(range.clone(), &[range])
    }

    /// Lets go of what has been read: its memory, or its room on the disk.
    pub(crate) fn release(&self, range: Range<u64>) {
        match (self.remote(), self.0.map.get()) {
            (Some(mirror), _) => mirror.release(range),
            (None, Some(map)) => release(map, range),
            (None, None) => {}
        }
    }

    /// Whether all bytes looked at so far were those of the file: asked when something has been
    /// made of them.
    ///
    /// # Errors
    /// A sentence, if the file has become shorter meanwhile.
    pub(crate) fn whole(&self) -> Result<(), &'static str> {
        whole(self.map())
    }
}

/// A message without the name before it, which whoever tells it puts there.
fn bare(name: &str, message: String) -> String {
    let rest = message.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
    rest.map(str::to_owned).unwrap_or(message)
}

/// Bytes, and what holds them.
struct Pinned {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Pinned {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads an input from a place on; of an object a little at a time.
pub(crate) struct Reading {
    input: Input,
    at: u64,
    held: Option<(Range<u64>, Held)>,
}

impl Input {
    /// Reads from a place on.
    pub(crate) fn reading(&self, at: u64) -> Reading {
        Reading { input: self.clone(), at, held: None }
    }

    /// Reads bytes that are held.
    ///
    /// # Errors
    /// If the file ends before, or cannot be read.
    pub(crate) fn read_exact(&self, to: &mut [u8], at: u64) -> io::Result<()> {
        self.file().read_exact_at(to, at)
    }

    /// Fetches bytes, and those around them, and reads them.
    ///
    /// # Errors
    /// If they cannot be fetched, or the file ends before.
    pub(crate) fn fetch(&self, at: u64, len: usize) -> io::Result<Vec<u8>> {
        let end = at.saturating_add(len as u64).div_ceil(AROUND).saturating_mul(AROUND);
        let around = at / AROUND * AROUND..end;
        let _held = self.hold(&[around]).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        self.read_exact(&mut bytes, at)?;
        Ok(bytes)
    }
}

/// Bytes that are fetched with what a header says: it is not far from what it says next.
const AROUND: u64 = 1 << 18;

impl Read for Reading {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let map = self.input.map();
        if !self.input.is_remote() && !map.is_empty() {
            let rest = map.get(self.at as usize..).unwrap_or_default();
            let count = to.len().min(rest.len());
            to[..count].copy_from_slice(&rest[..count]);
            self.at += count as u64;
            return Ok(count);
        }
        let mut count = to.len();
        if self.input.is_remote() {
            if !self.held.as_ref().is_some_and(|(range, _)| range.contains(&self.at)) {
                // No more than lies in one block: the next one may not be wanted at all.
                let range = self.at..(self.at / BLOCK + 1) * BLOCK;
                let held = self.input.hold(std::slice::from_ref(&range));
                self.held = Some((range, held.map_err(io::Error::other)?));
            }
            let end = self.held.as_ref().map_or(self.at, |(range, _)| range.end);
            count = count.min((end - self.at) as usize);
        }
        let read = self.input.file().read_at(&mut to[..count], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Opens files one after the other; those that lie elsewhere side by side, for opening waits.
pub(crate) fn each<T: Send>(paths: &[PathBuf], open: impl Fn(&PathBuf) -> T + Sync) -> Vec<T> {
    match paths.len() > 1 && paths.iter().any(|path| is_remote(path)) {
        true => side_by_side(paths, open),
        false => paths.iter().map(open).collect(),
    }
}
