//! Puts whole local files into a store. Nothing has its name there before all of it has come.
use super::client::client;
use super::fault::told;
use super::location::Location;
use super::wait::wait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// A file of at most so many bytes goes in one request, which the store does wholly or not at all.
const ALONE: u64 = 64 << 20;
/// Bytes of a part of a larger one at least; a store takes 10,000 parts.
const PART: u64 = 16 << 20;
/// Parts that are under way at a time.
const AT_ONCE: usize = 8;

/// Whether what has the name already may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaces {
    /// It may.
    Yes,
    /// Nothing may have the name.
    No,
}

/// Puts a file into a store.
///
/// # Errors
/// A sentence, if the name is taken and may not be, the file cannot be read, or the store does not
/// take it.
pub fn upload(from: &Path, to: &Path, replaces: Replaces) -> Result<(), String> {
    let at = Location::of(to)?;
    let name = to.display().to_string();
    if !at.lists() {
        return Err(format!("{name}: a web server takes no files: write to a file, or to s3://"));
    }
    let unreadable = |e: std::io::Error| format!("{}: {e}", from.display());
    let file = Arc::new(File::open(from).map_err(unreadable)?);
    let len = file.metadata().map_err(unreadable)?.len();
    let store = client(&at)?;
    wait(async move {
        let done = match len <= ALONE {
            true => alone(&*store, &at.key, &file, len, replaces).await,
            false => in_parts(&*store, &at.key, file, len, replaces).await,
        };
        done.map_err(|error| match error {
            Error::AlreadyExists { .. } | Error::Precondition { .. } => {
                format!("{name}: it exists already, and was not there when the run began")
            }
            error => told(&name, &error),
        })
    })?
}

async fn alone(
    store: &dyn ObjectStore,
    key: &Key,
    file: &Arc<File>,
    len: u64,
    replaces: Replaces,
) -> Result<(), Error> {
    let mode = match replaces {
        Replaces::Yes => PutMode::Overwrite,
        Replaces::No => PutMode::Create,
    };
    let options = PutOptions { mode, ..PutOptions::default() };
    let bytes = read(file.clone(), 0, len).await?;
    store.put_opts(key, bytes.into(), options).await.map(drop)
}

/// A store has no condition on what is put in parts: it is asked just before they are put together.
async fn in_parts(
    store: &dyn ObjectStore,
    key: &Key,
    file: Arc<File>,
    len: u64,
    replaces: Replaces,
) -> Result<(), Error> {
    let mut upload = store.put_multipart(key).await?;
    let done = match parts(&mut *upload, file, len).await {
        Ok(()) if replaces == Replaces::No => absent(store, key).await,
        other => other,
    };
    match done {
        Ok(()) => upload.complete().await.map(drop),
        Err(error) => {
            // What a store keeps of it would be paid for.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

async fn parts(upload: &mut dyn MultipartUpload, file: Arc<File>, len: u64) -> Result<(), Error> {
    let step = PART.max(len.div_ceil(10_000));
    let starts = (0..len).step_by(step as usize);
    let part = |start: u64| {
        let (file, count) = (file.clone(), step.min(len - start));
        (start, count, file)
    };
    // Parts are numbered in the order in which they are asked for.
    let mut under_way = futures::stream::FuturesUnordered::new();
    for (start, count, file) in starts.map(part) {
        let bytes = read(file, start, count).await?;
        under_way.push(upload.put_part(bytes.into()));
        if under_way.len() >= AT_ONCE {
            under_way.next().await.transpose()?;
        }
    }
    under_way.try_collect::<Vec<()>>().await.map(drop)
}

async fn absent(store: &dyn ObjectStore, key: &Key) -> Result<(), Error> {
    match store.head(key).await {
        Err(Error::NotFound { .. }) => Ok(()),
        Err(other) => Err(other),
        Ok(_) => Err(Error::AlreadyExists { path: key.to_string(), source: "it is there".into() }),
    }
}

async fn read(file: Arc<File>, start: u64, count: u64) -> Result<Bytes, Error> {
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![0; count as usize];
        file.read_exact_at(&mut bytes, start).map(|()| Bytes::from(bytes))
    });
    let bytes = read.await?;
    bytes.map_err(|e| Error::Generic { store: "file", source: Box::new(e) })
}

/// Removes an object; one that is not there is no error.
///
/// # Errors
/// A sentence, if the store does not do it.
pub fn remove(path: &Path) -> Result<(), String> {
    let (at, name) = (Location::of(path)?, path.display().to_string());
    let store = client(&at)?;
    wait(async move {
        match store.delete(&at.key).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(told(&name, &error)),
        }
    })?
}
