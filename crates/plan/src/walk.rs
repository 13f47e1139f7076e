//! The names that match a pattern whose folders may hold wildcards too.
use crate::paths::is_pattern;
use std::ffi::OsStr;
use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What a pattern passes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// What begins with `.` or `_`: what tools put beside data.
    BesideData,
    /// What begins with `.`, as the shell does.
    Dotted,
}

impl Hidden {
    fn hides(self, name: &OsStr) -> bool {
        match name.as_encoded_bytes().first() {
            Some(b'.') => true,
            Some(b'_') => self == Hidden::BesideData,
            _ => false,
        }
    }
}

/// Looks for the names that match patterns.
pub(crate) struct Walk {
    hidden: Hidden,
    /// Folders that could not be looked into, though they are there.
    pub(crate) closed: Vec<PathBuf>,
}

impl Walk {
    pub(crate) fn new(hidden: Hidden) -> Walk {
        Walk { hidden, closed: Vec::new() }
    }

    /// The names that match, in no order, some perhaps twice; of those that no wildcard has found it
    /// is not known whether they are there. Whether the pattern ends with `**`, which means all files
    /// in any folders.
    ///
    /// # Errors
    /// If it is no pattern: a sentence.
    pub(crate) fn names(&mut self, pattern: &Path) -> Result<(Vec<PathBuf>, bool), String> {
        let deep = pattern.file_name().is_some_and(|name| name == "**");
        let all = if deep { pattern.join("*") } else { pattern.to_path_buf() };
        Ok((self.found(&all)?, deep))
    }

    /// The same for folders: `**` means any of them.
    ///
    /// # Errors
    /// If it is no pattern: a sentence.
    pub(crate) fn found(&mut self, pattern: &Path) -> Result<Vec<PathBuf>, String> {
        let mut found = vec![PathBuf::new()];
        for part in pattern.components() {
            let name = part.as_os_str().to_string_lossy();
            if !is_pattern(&name) {
                found.iter_mut().for_each(|p| p.push(part));
            } else if name == "**" {
                let before = std::mem::take(&mut found);
                before.into_iter().for_each(|folder| self.all_folders(folder, &mut found));
                // One `**` behind another finds what that has found.
                found.sort();
                found.dedup();
            } else {
                found = self.matching(found, &name)?;
            }
        }
        Ok(found)
    }

    /// What in some folders matches a name with wildcards.
    fn matching(&mut self, folders: Vec<PathBuf>, name: &str) -> Result<Vec<PathBuf>, String> {
        let glob = globset::Glob::new(name).map_err(|e| format!("`{name}`: {}", e.kind()))?;
        let matcher = glob.compile_matcher();
        let meant = |first: &OsStr| name.as_bytes().first() == first.as_encoded_bytes().first();
        let mut found = Vec::new();
        for folder in folders {
            for entry in self.entries(&folder) {
                let last = entry.file_name();
                let hidden = self.hidden.hides(&last) && !meant(&last);
                if !hidden && matcher.is_match(&last) {
                    found.push(folder.join(last));
                }
            }
        }
        Ok(found)
    }

    /// A folder and all folders in it but hidden ones; links are not followed.
    fn all_folders(&mut self, folder: PathBuf, found: &mut Vec<PathBuf>) {
        let entries = self.entries(&folder);
        let folders = entries.iter().filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
        let names: Vec<_> =
            folders.map(DirEntry::file_name).filter(|n| !self.hidden.hides(n)).collect();
        let inner: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        found.push(folder);
        inner.into_iter().for_each(|folder| self.all_folders(folder, found));
    }

    /// What is in a folder; nothing if it is none.
    fn entries(&mut self, folder: &Path) -> Vec<DirEntry> {
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match std::fs::read_dir(here) {
            Ok(entries) => entries.flatten().collect(),
            Err(e) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&e.kind()) => {
                Vec::new()
            }
            Err(_) => {
                self.closed.push(folder.to_path_buf());
                Vec::new()
            }
        }
    }
}

/// What might be meant by a name or pattern that nothing matches: a name like it, or what stands
/// where it looks.
pub(crate) fn near(name: &Path) -> Option<String> {
    let mut folder = PathBuf::new();
    for part in name.components() {
        let text = part.as_os_str().to_string_lossy();
        let next = folder.join(part);
        if !is_pattern(&text) && next.exists() {
            folder = next;
            continue;
        }
        let mut walk = Walk::new(Hidden::Dotted);
        let names: Vec<_> = walk.entries(&folder).iter().map(DirEntry::file_name).collect();
        let names = names.iter().filter(|name| !Hidden::Dotted.hides(name));
        let mut names: Vec<&str> = names.filter_map(|name| name.to_str()).collect();
        names.sort_unstable();
        if !is_pattern(&text) {
            return base::did_you_mean(&text, names.iter().copied());
        }
        let shown = folder.display().to_string();
        let place = if shown.is_empty() { "the folder".to_string() } else { format!("`{shown}`") };
        let some: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
        return match some.len() {
            0 => Some(format!("{place} is empty")),
            n if n < names.len() => {
                Some(format!("{place} holds {} and {} more", some.join(", "), names.len() - n))
            }
            _ => Some(format!("{place} holds {}", some.join(", "))),
        };
    }
    None
}
