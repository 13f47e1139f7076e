//! Removes a ledger, and what is staged according to it.
use super::folder::{Folder, cannot};
use super::home::{ABOVE, Home};
use super::lock::Lock;
use super::record::Record;
use base::Failure;
use formats::own;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What was removed, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// What is gone.
    pub removed: Vec<PathBuf>,
    /// What was left, a sentence each.
    pub left: Vec<String>,
}

/// Removes the state in a folder, and what runs have staged and not named.
///
/// # Errors
/// If a run is at work, the folder belongs to another user, or the file system does not let it.
pub fn clean(path: &Path) -> Result<Cleaned, Failure> {
    let _lock = Lock::take(path)?;
    let folder = Folder::read(path, None, false)?;
    let mut cleaned = remove_staged(&staged(&folder, &|_| true))?;
    let Some(home) = Home::open(path)? else { return Ok(cleaned) };
    let ours = |name: &str| {
        let records = [".ledger", ".ledger.aside", ".new"].iter().any(|end| name.ends_with(end));
        records || ["lock", "writers"].contains(&name)
    };
    for name in home.names().map_err(|e| cannot(path, &e))? {
        if ours(&name.to_string_lossy()) {
            home.remove(name.as_os_str()).map_err(|e| cannot(path, &e))?;
        }
    }
    // A folder that holds something else stays.
    if fs::remove_dir(path).is_ok() {
        let above = path.parent().filter(|p| p.file_name().is_some_and(|n| n == ABOVE));
        above.into_iter().for_each(|p| drop(fs::remove_dir(p)));
    }
    cleaned.removed.push(path.to_path_buf());
    Ok(cleaned)
}

/// What runs have staged for outputs that `of` is true of, according to a ledger; some of it may have
/// been named or removed. It lies beside the outputs, in a copy of the ledger beside their copies.
pub fn staged(folder: &Folder, of: &dyn Fn(&Path) -> bool) -> BTreeSet<PathBuf> {
    let staged = folder.records().filter_map(|(record, _)| match record {
        Record::Staged { path, staged, .. } | Record::Unstaged { path, staged } => {
            of(path).then(|| path.with_file_name(staged))
        }
        _ => None,
    });
    staged.collect()
}

/// Removes what is still there of what was staged, unless it belongs to another user.
///
/// # Errors
/// If the file system does not let it.
pub fn remove_staged(staged: &BTreeSet<PathBuf>) -> Result<Cleaned, Failure> {
    let mut cleaned = Cleaned::default();
    for path in staged {
        if path.symlink_metadata().is_err() {
            continue;
        }
        if let Err(e) = own::check_owner(path) {
            cleaned.left.push(format!("{} is left: {e}", path.display()));
            continue;
        }
        formats::remove_staged(path)
            .map_err(|e| Failure::output(format!("cannot remove {}: {e}", path.display())))?;
        cleaned.removed.push(path.clone());
    }
    Ok(cleaned)
}
