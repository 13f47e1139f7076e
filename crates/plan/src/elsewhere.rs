//! Inputs and outputs in object stores and on web servers: which objects a name or pattern means.
use crate::paths::is_pattern;
use base::Code;
use std::path::{Path, PathBuf};
use tasks::store::{Location, about_now, is_remote, list, standing};

/// The objects of an address: itself, those that match a pattern, or the parts of a folder.
pub fn find(text: &str) -> Result<Vec<PathBuf>, String> {
    if is_pattern(text) {
        if !text.starts_with("s3://") {
            // What looks like a pattern may be a query.
            Location::parse(text)?;
        }
        return matching(text);
    }
    let at = Location::parse(text.trim_end_matches('/'))?;
    let path = PathBuf::from(text);
    if !text.ends_with('/') && about_now(&path)?.is_some() {
        return Ok(vec![path]);
    }
    let none = || format!("there is no file `{text}`");
    if !at.lists() {
        return Err(none());
    }
    // A folder of parts, as it is written. What begins with `.` or `_` is none.
    let folder = format!("{}/", at.key);
    let ending = ending(&folder);
    let part = move |key: &str| {
        let name = key.strip_prefix(&folder).unwrap_or("/");
        let like = ending.as_deref().is_none_or(|ending| name.ends_with(ending));
        like && !name.contains('/') && !name.starts_with(['.', '_'])
    };
    let parts = list(&at.store, at.key.as_ref(), part)?;
    if parts.is_empty() { Err(none()) } else { Ok(parts) }
}

/// What the names of parts end with in a folder whose name has such an ending.
fn ending(folder: &str) -> Option<String> {
    let name = folder.trim_end_matches('/').rsplit('/').next()?;
    name.rsplit_once('.').map(|(_, ending)| format!(".{ending}"))
}

/// The objects of a pattern: `*` and `?` stand for no `/`, `**` for any folders.
fn matching(text: &str) -> Result<Vec<PathBuf>, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let (root, pattern) = rest.split_once('/').unwrap_or((rest, ""));
    if is_pattern(root) {
        return Err(format!("`{text}`: no pattern may stand in the name of a store"));
    }
    let deep = pattern.ends_with("**");
    let pattern = if deep { format!("{pattern}/*") } else { pattern.to_owned() };
    let glob = globset::GlobBuilder::new(&pattern).literal_separator(true).build();
    let matcher = glob.map_err(|e| format!("`{text}`: {}", e.kind()))?.compile_matcher();
    let plain = pattern.split('/').take_while(|part| !is_pattern(part));
    let prefix = plain.collect::<Vec<_>>().join("/");
    // Folders and files that tools put beside data, unless they are asked for.
    let named = pattern.split('/').any(|part| part.starts_with(['.', '_']));
    let hidden = move |key: &str| !named && key.split('/').any(|part| part.starts_with(['.', '_']));
    let passes = move |key: &str| matcher.is_match(key) && !hidden(key);
    // Checks that the address is one of a store that can be listed.
    Location::parse(&format!("{scheme}://{root}/x"))?;
    let found = list(&format!("{scheme}://{root}"), &prefix, passes)?;
    if found.is_empty() { Err(format!("no file matches `{text}`")) } else { Ok(found) }
}

/// The name of an output in a store; `None` if it is a local one. In another folder, by `out`, it
/// keeps the last part of its name.
pub fn output(out: Option<&Path>, text: &str) -> Option<PathBuf> {
    let out = out.map(|out| out.to_string_lossy().into_owned());
    match out {
        None => is_remote(Path::new(text)).then(|| PathBuf::from(text)),
        Some(out) if is_remote(Path::new(&out)) => {
            let last = Path::new(text).file_name().unwrap_or_default().to_string_lossy();
            Some(PathBuf::from(format!("{}/{last}", out.trim_end_matches('/'))))
        }
        Some(_) => None,
    }
}

/// Why nothing can be written to an address; with `free` also that something stands there.
pub fn unwritable(name: &Path, free: bool) -> Option<(Code, String)> {
    let refused = |message: String| Some((Code::OutputUnwritable, message));
    let at = match Location::of(name) {
        Ok(at) => at,
        Err(message) => return refused(message),
    };
    if !at.lists() {
        let name = name.display();
        return refused(format!(
            "cannot write `{name}`: a web server takes no files; write to a file, or to s3://"
        ));
    }
    match free.then(|| standing(name)) {
        None => None,
        Some(Err(message)) => refused(message),
        Some(Ok(there)) if there.is_empty() => None,
        Some(Ok(_)) => Some((Code::OutputExists, format!("`{}` exists already", name.display()))),
    }
}

/// Whether a later run would read an object, if it got this name.
pub fn would_read(text: &str, name: &Path) -> bool {
    let name = name.to_string_lossy();
    if !is_pattern(text) {
        return name
            .strip_prefix(text)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    }
    let glob = globset::GlobBuilder::new(text).literal_separator(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(&*name))
}
