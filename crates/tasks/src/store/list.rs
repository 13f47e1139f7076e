//! The objects that a pattern or the name of a folder means.
use super::about::{About, about, about_now, note};
use super::client::client;
use super::fault::told;
use super::location::Location;
use super::wait::wait;
use futures::TryStreamExt;
use object_store::path::Path as Key;
use std::path::{Path, PathBuf};

/// The objects whose names begin so (whole parts between `/`) and that pass, by name.
///
/// # Errors
/// A sentence, if the store cannot list, or does not answer.
pub fn list(
    store: &str,
    prefix: &str,
    passes: impl Fn(&str) -> bool + Send + 'static,
) -> Result<Vec<PathBuf>, String> {
    let at = Location { store: store.to_owned(), key: Key::default() };
    if !at.lists() {
        return Err(format!(
            "{store}: a web server does not say what files it has: name each, without `*`, `?` and \
             `[`"
        ));
    }
    let name = format!("{store}/{prefix}");
    let folder = Key::parse(prefix).map_err(|_| format!("`{name}` is no name of a folder"))?;
    let client = client(&at)?;
    let root = at.store.clone();
    wait(async move {
        let folder = Some(folder).filter(|folder| !folder.as_ref().is_empty());
        let all = client.list(folder.as_ref()).try_collect::<Vec<_>>().await;
        let mut all = all.map_err(|error| told(&name, &error))?;
        all.retain(|meta| passes(meta.location.as_ref()));
        all.sort_by(|a, b| a.location.cmp(&b.location));
        let named = |meta: &object_store::ObjectMeta| {
            let path = PathBuf::from(format!("{root}/{}", meta.location));
            note(&path, &About::of(meta));
            path
        };
        Ok(all.iter().map(named).collect())
    })?
}

/// What stands under a name: an object, or those in a folder that is called so, by name.
///
/// # Errors
/// A sentence, if the store does not answer.
pub fn standing(path: &Path) -> Result<Vec<(PathBuf, About)>, String> {
    if let Some(about) = about_now(path)? {
        return Ok(vec![(path.to_path_buf(), about)]);
    }
    let at = Location::of(path)?;
    if !at.lists() {
        return Ok(Vec::new());
    }
    let inside = list(&at.store, at.key.as_ref(), |_| true)?;
    // What a listing has told is known.
    let known = |path: PathBuf| about(&path).map(|about| Some((path, about?))).transpose();
    inside.into_iter().filter_map(known).collect()
}
