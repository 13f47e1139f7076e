//! The note beside what has come of a download: what that is of, so that a later run goes on.
use super::own;
use super::place::{Place, hex};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// Bodies of fewer bytes are not worth a note: they begin anew.
pub(super) const WORTH: u64 = 1 << 20;

const VERSION: u32 = 1;

/// What has come so far is of this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Note {
    version: u32,
    /// What is downloaded, and how: [`Place::of`].
    of: String,
    /// The validator of the body: what is asked for in `If-Range`.
    pub(super) validator: String,
    /// Its length.
    pub(super) total: Option<u64>,
    /// The start of the system in which it was written: after another one, what the file system had
    /// not yet written to the disk may be missing from the file.
    boot: String,
}

impl Note {
    /// The note of a place, if it is of what is wanted there now.
    pub(super) fn read(place: &Place) -> Option<Note> {
        let mut options = OpenOptions::new();
        let file = own::open(options.read(true), &place.note).ok()?;
        let note: Note = serde_json::from_reader(file).ok()?;
        let same = note.version == VERSION && note.of == hex(&place.of.0) && note.boot == boot();
        same.then_some(note)
    }

    /// Writes one where none is.
    pub(super) fn write(place: &Place, total: Option<u64>, validator: &str) -> io::Result<()> {
        let (of, validator, boot) = (hex(&place.of.0), validator.to_owned(), boot().to_owned());
        let note = Note { version: VERSION, of, validator, total, boot };
        let mut options = OpenOptions::new();
        let mut file = own::open(options.write(true).create_new(true), &place.note)?;
        file.write_all(&serde_json::to_vec(&note)?)
    }

    /// Takes it away, if one is there.
    pub(super) fn forget(place: &Place) -> io::Result<()> {
        match fs::remove_file(&place.note) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

/// What the kernel calls this start of the system; empty where it does not say.
fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim().to_owned()
    })
}
