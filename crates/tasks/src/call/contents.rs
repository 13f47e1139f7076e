//! What files hold, as far as keys ask: hashed once, and again when they have changed.
use crate::KeyHasher;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Programs, and where they were found.
type Found = Arc<PathBuf>;

/// Hashes of contents of files, each by what tells that it is still the same.
#[derive(Debug, Default)]
pub(super) struct Contents {
    hashes: Mutex<HashMap<Inode, Hashed>>,
    programs: Mutex<HashMap<String, Found>>,
}

/// Device and number.
type Inode = (u64, u64);

/// What a file held when it was like this, in SHA-256.
type Hashed = (Stamp, [u8; 32]);

/// Length, and times of change of the contents and of the inode, in seconds and nanoseconds.
type Stamp = (u64, i64, i64, i64, i64);

fn stamp(m: &Metadata) -> Stamp {
    (m.len(), m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec())
}

impl Contents {
    /// Where a program is: looked for once, if it goes by `PATH`.
    pub(super) fn program(&self, name: &str, folder: Option<&Path>) -> Result<Found, String> {
        if name.contains('/') {
            return super::program::find(name, folder).map(Arc::new);
        }
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = programs.get(name).filter(|path| path.exists()) {
            return Ok(found.clone());
        }
        let found = Arc::new(super::program::find(name, folder)?);
        programs.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    /// Adds what a file holds to a key.
    pub(super) fn add(&self, path: &Path, key: &mut KeyHasher) -> io::Result<()> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let place = (metadata.dev(), metadata.ino());
        let known = self.hashes.lock().unwrap_or_else(PoisonError::into_inner).get(&place).copied();
        if let Some((_, hash)) = known.filter(|(known, _)| *known == stamp(&metadata)) {
            key.part(hash);
            return Ok(());
        }
        let mut hasher = Sha256::new();
        io::copy(&mut file, &mut hasher)?;
        let hash: [u8; 32] = hasher.finalize().into();
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.insert(place, (stamp(&metadata), hash));
        key.part(hash);
        Ok(())
    }
}

/// Adds the size and the time of change of a file to a key, if it is there.
pub(super) fn add_stamp(path: &Path, key: &mut KeyHasher) {
    match path.metadata() {
        Ok(m) if m.is_file() => {
            let parts =
                [m.len().to_le_bytes(), m.mtime().to_le_bytes(), m.mtime_nsec().to_le_bytes()];
            key.part(parts.concat());
        }
        _ => {
            key.part("no file");
        }
    }
}
