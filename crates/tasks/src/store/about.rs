//! What an object is known by. Asked once by a process while a plan is made, and again at its end.
use super::client::client;
use super::fault::told;
use super::location::Location;
use super::wait::wait;
use futures::StreamExt;
use object_store::{Error, ObjectMeta, ObjectStoreExt};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// So many objects are asked about at a time.
const AT_ONCE: usize = 64;

/// What an object is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Its length in bytes.
    pub bytes: u64,
    /// What the store calls this state of it, if it does.
    pub etag: Option<String>,
    /// When it was last changed, in seconds since 1970: stores tell no more.
    pub modified: i64,
}

impl About {
    pub(super) fn of(meta: &ObjectMeta) -> About {
        let modified = meta.last_modified.timestamp();
        About { bytes: meta.size, etag: meta.e_tag.clone(), modified }
    }

    /// What identifies this state, as bytes.
    pub fn identity(&self) -> Vec<u8> {
        let etag = self.etag.as_deref().unwrap_or_default().as_bytes();
        [&self.bytes.to_le_bytes()[..], &self.modified.to_le_bytes(), etag].concat()
    }
}

static KNOWN: Mutex<Option<HashMap<PathBuf, About>>> = Mutex::new(None);

/// Notes what is known of an object.
pub(super) fn note(path: &Path, about: &About) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().insert(path.to_path_buf(), about.clone());
}

/// What an object was when it was last asked about in this process; asked now if it never was.
///
/// # Errors
/// A sentence, if the store does not answer; `Ok(None)` if there is no such object.
pub fn about(path: &Path) -> Result<Option<About>, String> {
    {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(about) = known.as_ref().and_then(|known| known.get(path)) {
            return Ok(Some(about.clone()));
        }
    }
    about_now(path)
}

/// What an object is now.
///
/// # Errors
/// A sentence, if the store does not answer; `Ok(None)` if there is no such object.
pub fn about_now(path: &Path) -> Result<Option<About>, String> {
    let path = path.to_path_buf();
    wait(ask(path))?
}

/// What objects are now, in the order of their names.
///
/// # Errors
/// If there is no event loop.
pub fn all_about_now(paths: &[PathBuf]) -> Result<Vec<Result<Option<About>, String>>, String> {
    let asked = futures::stream::iter(paths.to_vec()).map(ask).buffered(AT_ONCE);
    wait(async move { asked.collect().await })
}

async fn ask(path: PathBuf) -> Result<Option<About>, String> {
    let at = Location::of(&path)?;
    let found = client(&at)?.head(&at.key).await;
    match found {
        Ok(meta) => {
            let about = About::of(&meta);
            note(&path, &about);
            Ok(Some(about))
        }
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(told(&path.display().to_string(), &error)),
    }
}
