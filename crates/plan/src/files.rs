//! The files that a `read:` or `files:` names, to be looked for again: files come, change and go.
use crate::{listing, paths};
use base::DType;
use formats::{Format, FormatError, FormatErrorKind, Memo, OpenRequest, Options, TileSource};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a reader reads, as the pipeline file names it.
#[derive(Clone)]
pub struct Files {
    /// Names and patterns, in the order of their rows.
    pub names: Vec<String>,
    /// The folder of the pipeline file, where names are looked up too.
    pub beside: Option<PathBuf>,
    /// The format of all files; none if they are listed, and not read.
    pub format: Option<&'static dyn Format>,
    /// The columns that are read, in the order of the reader's schema.
    pub columns: Vec<String>,
    /// Their types in all files together.
    pub types: Vec<DType>,
    /// Options of the format.
    pub options: Options,
    /// What is asked of each of them, in words.
    pub asked: String,
    /// Whether each file is read by itself, whatever files there are beside it.
    pub each: bool,
}

/// Files that are known from before, by what was asked of them: only these are read, as they were
/// then as far as there are memos of them. Of others nothing is known, and all are read.
#[derive(Clone, Debug, Default)]
pub struct KnownFiles(HashMap<String, HashMap<PathBuf, Option<Memo>>>);

impl KnownFiles {
    /// Adds a file.
    pub fn add(&mut self, asked: &str, path: PathBuf, memo: Option<Memo>) {
        self.0.entry(asked.to_owned()).or_default().insert(path, memo);
    }

    /// Those of which this is asked: which of some paths are to be read, and their memos.
    pub(crate) fn choose(
        &self,
        asked: &str,
        paths: Vec<PathBuf>,
    ) -> (Vec<PathBuf>, HashMap<PathBuf, Memo>) {
        let Some(known) = self.0.get(asked) else { return (paths, HashMap::new()) };
        let memo = |path: &PathBuf| Some((path.clone(), known.get(path)?.clone()?));
        let memos = paths.iter().filter_map(memo).collect();
        let good = |path: &PathBuf| path.is_dir() || known.contains_key(path);
        let some: Vec<PathBuf> = paths.iter().filter(|path| good(path)).cloned().collect();
        (if some.is_empty() { paths } else { some }, memos)
    }
}

impl Files {
    /// Files that are listed, and not read.
    pub(crate) fn listed(names: Vec<String>, beside: Option<PathBuf>) -> Files {
        Files {
            names,
            beside,
            format: None,
            columns: Vec::new(),
            types: Vec::new(),
            options: Options::default(),
            asked: String::new(),
            each: false,
        }
    }

    /// The files that are there now, in the order of their rows; those of a folder by name.
    pub fn files(&self) -> Vec<PathBuf> {
        let Some(format) = self.format else {
            return listing::files(self.beside.as_deref(), &self.names);
        };
        let mut files = Vec::new();
        for found in paths::find_each(self.beside.as_deref(), &self.names) {
            for path in found.unwrap_or_default() {
                if path.is_dir() {
                    files.extend(parts(format, &path));
                } else {
                    files.push(path);
                }
            }
        }
        files
    }

    /// Opens one file by itself.
    ///
    /// # Errors
    /// As [`Format::open`].
    pub fn open(&self, path: &Path) -> Result<Arc<dyn TileSource>, FormatError> {
        if let Some(what) = paths::special(path) {
            let message = format!("cannot read {}: {what}", path.display());
            return Err(FormatError::new(FormatErrorKind::Missing, message));
        }
        let Some(format) = self.format else {
            let message = format!("{} is listed, and not read", path.display());
            return Err(FormatError::new(FormatErrorKind::Missing, message));
        };
        format.open(&OpenRequest {
            paths: vec![path.to_path_buf()],
            columns: Some(self.columns.clone()),
            options: self.options.clone(),
            types: self.types.clone(),
            memos: HashMap::new(),
        })
    }
}

/// The files in a folder by name; what begins with `.` or `_` is none.
fn parts(format: &dyn Format, folder: &Path) -> Vec<PathBuf> {
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        !name.starts_with(['.', '_']) && format.extensions().contains(&&*ending)
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut parts: Vec<PathBuf> = entries.map(|e| e.path()).filter(ours).collect();
    parts.sort();
    parts
}
