//! Removes a ledger, and what is staged according to it.
use super::folder::{Folder, cannot};
use super::lock::Lock;
use super::record::Record;
use base::Failure;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Removes the state in a folder, and what runs have staged and not named. What was removed.
///
/// # Errors
/// If a run is at work, or the file system does not let it.
pub fn clean(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let _lock = Lock::take(path)?;
    let folder = Folder::read(path, None, false)?;
    let mut removed = remove_staged(&staged(&folder))?;
    let ours = |name: &str| {
        let records = [".ledger", ".ledger.aside", ".new"].iter().any(|end| name.ends_with(end));
        records || ["lock", "writers"].contains(&name)
    };
    for entry in fs::read_dir(path).map_err(|e| cannot(path, &e))? {
        let file = entry.map_err(|e| cannot(path, &e))?.path();
        if file.file_name().is_some_and(|name| ours(&name.to_string_lossy())) {
            fs::remove_file(&file).map_err(|e| cannot(path, &e))?;
        }
    }
    // A folder that holds something else stays.
    if fs::remove_dir(path).is_ok() {
        let above = path.parent().filter(|p| p.file_name().is_some_and(|n| n == ".tidemill"));
        above.into_iter().for_each(|p| drop(fs::remove_dir(p)));
    }
    removed.push(path.to_path_buf());
    Ok(removed)
}

/// What runs have staged, according to a ledger; some of it may have been named or removed.
pub fn staged(folder: &Folder) -> BTreeSet<PathBuf> {
    let staged = folder.records().filter_map(|(record, _)| match record {
        Record::Staged { staged, .. } | Record::Unstaged { staged } => Some(staged),
        _ => None,
    });
    let partial = |path: &&PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().contains(".partial-"))
    };
    staged.filter(partial).cloned().collect()
}

/// Removes what is still there of what was staged. What was removed.
///
/// # Errors
/// If the file system does not let it.
pub fn remove_staged(staged: &BTreeSet<PathBuf>) -> Result<Vec<PathBuf>, Failure> {
    let mut removed = Vec::new();
    for path in staged {
        if path.symlink_metadata().is_err() {
            continue;
        }
        formats::remove_staged(path)
            .map_err(|e| Failure::output(format!("cannot remove {}: {e}", path.display())))?;
        removed.push(path.clone());
    }
    Ok(removed)
}
