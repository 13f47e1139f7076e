//! Which files an input means: files as they are, directories as their parts.
use crate::{FormatError, FormatErrorKind};
use std::fs;
use std::path::{Path, PathBuf};

/// The files of these inputs, in the order of their rows.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FormatError> {
    let mut files = Vec::new();
    for path in paths {
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
        return Err(missing(directory, "the directory holds no *.parquet files"));
    }
    parts.sort();
    Ok(parts)
}

pub(super) fn missing(path: &Path, reason: &str) -> FormatError {
    let message = format!("cannot read {}: {reason}", path.display());
    FormatError::new(FormatErrorKind::Missing, message)
}
