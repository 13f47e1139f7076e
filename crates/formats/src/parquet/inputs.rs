//! Which files an input means: files as they are, directories as their parts.
use crate::{FormatError, FormatErrorKind};
use base::{Code, Warning};
use std::fs;
use std::path::{Path, PathBuf};
use tasks::store::is_remote;

/// The files of these inputs, in the order of their rows.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FormatError> {
    let mut files = Vec::new();
    for path in paths {
        if is_remote(path) {
            files.push(path.clone());
            continue;
        }
        match fs::metadata(path) {
            Err(e) => return Err(missing(path, &e.to_string())),
            Ok(m) if m.is_dir() => files.extend(parts(path)?),
            Ok(_) => files.push(path.clone()),
        }
    }
    Ok(files)
}

/// The parts in a directory, by name; what begins with `.` or `_` is none.
fn parts(directory: &Path) -> Result<Vec<PathBuf>, FormatError> {
    let unreadable = |e: std::io::Error| missing(directory, &e.to_string());
    let mut parts = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_part = path.extension().is_some_and(|e| e == "parquet" || e == "pq");
        if is_part && !name.starts_with(['.', '_']) && path.is_file() {
            parts.push(path);
        }
    }
    if parts.is_empty() {
        let mut error = missing(directory, "the directory holds no *.parquet files");
        if let Some(first) = folders(directory).first() {
            error.message += &format!(", only folders, such as `{first}`");
            error.help = Some(deeper(directory));
        }
        return Err(error);
    }
    parts.sort();
    Ok(parts)
}

/// The folders in a directory that may hold parts, by name.
fn folders(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let folders = entries.filter(|e| e.path().is_dir());
    let mut names: Vec<String> =
        folders.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with(['.', '_']));
    names.sort();
    names
}

fn deeper(directory: &Path) -> String {
    format!("`read: {}/**/*.parquet` reads those in folders too", directory.display())
}

/// Warnings about folders in the directories among inputs: they are not read.
pub(super) fn left_out(paths: &[PathBuf]) -> Vec<Warning> {
    /// So many are named.
    const NAMED: usize = 3;
    let mut warnings = Vec::new();
    for directory in paths.iter().filter(|path| path.is_dir()) {
        let folders = folders(directory);
        let mut named = folders.iter().take(NAMED).map(|f| format!("`{f}`")).collect::<Vec<_>>();
        let Some(more) = folders.len().checked_sub(1) else { continue };
        if let Some(more) = (more + 1).checked_sub(NAMED).filter(|n| *n > 0) {
            named.push(format!("{more} more"));
        }
        let (path, named) = (directory.display(), named.join(", "));
        let text = format!("{path}: folders in it are not read: {named}");
        warnings.push(Warning::new(Code::FilesLeftOut, text).help(deeper(directory)));
    }
    warnings
}

pub(super) fn missing(path: &Path, reason: &str) -> FormatError {
    let message = format!("cannot read {}: {reason}", path.display());
    FormatError::new(FormatErrorKind::Missing, message)
}
