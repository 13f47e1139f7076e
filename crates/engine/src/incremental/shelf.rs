//! States on disk: what does not fit into memory lies in a file without a name, and what stands for
//! it knows its contents by their fingerprint.
use crate::spill::Folder;
use crate::watch::lock;
use base::Failure;
use plan::Print;
use std::collections::HashMap;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};

/// The file of a process.
pub struct Shelf {
    file: File,
    room: Mutex<Room>,
}

/// What of the file is in use.
#[derive(Default)]
struct Room {
    end: u64,
    /// Places that were given back, by their length.
    free: HashMap<u64, Vec<u64>>,
}

/// Bytes on a shelf; their place is given back with it.
pub struct Stored {
    shelf: Arc<Shelf>,
    at: u64,
    len: usize,
    print: Print,
}

impl Shelf {
    /// An empty one.
    ///
    /// # Errors
    /// If no file can be made there.
    pub fn new(folder: &Folder) -> Result<Arc<Shelf>, Failure> {
        Ok(Arc::new(Shelf { file: folder.file()?, room: Mutex::default() }))
    }

    /// Puts bytes on it.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn put(self: &Arc<Shelf>, bytes: &[u8]) -> Result<Arc<Stored>, Failure> {
        let length = length(bytes.len());
        let at = {
            let mut room = lock(&self.room);
            match room.free.get_mut(&length).and_then(Vec::pop) {
                Some(at) => at,
                None => {
                    room.end += length;
                    room.end - length
                }
            }
        };
        let (shelf, len, print) = (self.clone(), bytes.len(), Print::of([bytes]));
        // Given back if it cannot be written.
        let stored = Stored { shelf, at, len, print };
        self.file.write_all_at(bytes, at).map_err(|e| {
            Failure::output(format!(
                "states of reductions cannot be written: {e}; name another folder with --spill"
            ))
        })?;
        Ok(Arc::new(stored))
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        lock(&self.room).end
    }
}

/// What is taken for so many bytes: lengths that are nearly the same share the places given back.
fn length(bytes: usize) -> u64 {
    let step = (bytes as u64 / 8).next_power_of_two().max(64);
    (bytes as u64).next_multiple_of(step)
}

impl Stored {
    /// The bytes.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn read(&self) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; self.len];
        self.shelf.file.read_exact_at(&mut bytes, self.at).map_err(|e| {
            Failure::output(format!("states of reductions cannot be read again: {e}"))
        })?;
        Ok(bytes)
    }

    fn known(&self) -> (Print, usize) {
        (self.print, self.len)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let mut room = lock(&self.shelf.room);
        room.free.entry(length(self.len)).or_default().push(self.at);
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Stored) -> bool {
        self.known() == other.known()
    }
}

impl Eq for Stored {}

impl PartialOrd for Stored {
    fn partial_cmp(&self, other: &Stored) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Stored {
    fn cmp(&self, other: &Stored) -> std::cmp::Ordering {
        self.known().cmp(&other.known())
    }
}

impl Hash for Stored {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.known().hash(state);
    }
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} bytes at {}: {}", self.len, self.at, self.print)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_used_again() {
        let shelf = Shelf::new(&Folder::new(std::env::temp_dir())).unwrap();
        let bytes = |n: usize| vec![n as u8; 1000 + n];
        let mut stored: Vec<_> = (0..50).map(|n| shelf.put(&bytes(n)).unwrap()).collect();
        let end = shelf.bytes();
        for round in 0..20 {
            for (n, place) in stored.iter_mut().enumerate().filter(|(n, _)| n % 7 == round % 7) {
                *place = shelf.put(&bytes(n)).unwrap();
            }
        }
        assert!(shelf.bytes() < end + 8000, "{} and {end}", shelf.bytes());
        for (n, place) in stored.iter().enumerate() {
            assert_eq!(place.read().unwrap(), bytes(n));
            assert_eq!(*place, shelf.put(&bytes(n)).unwrap());
            assert_ne!(*place, shelf.put(&bytes(n + 1)).unwrap());
        }
    }
}
