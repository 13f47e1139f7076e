//! What a pipeline reads, as far as its outputs must stay away from it.
use crate::elsewhere;
use crate::paths::is_pattern;
use crate::walk::{Hidden, Walk};
use base::Span;
use formats::Format;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tasks::store::is_remote;

/// What no two files have in common: device and inode.
pub type Id = (u64, u64);

/// A name or pattern that stands behind `read:` or `files:`.
pub struct Input {
    /// As the pipeline file has it.
    text: String,
    /// Where that stands.
    pub span: Span,
    /// Where it is looked up, in this order.
    places: Vec<PathBuf>,
    /// What was found, files and folders.
    found: Vec<PathBuf>,
    /// Whether folders may be among them.
    folders: bool,
    /// The format, once it is known.
    pub format: Option<&'static dyn Format>,
}

impl Input {
    /// An input whose format is not known yet.
    pub fn new(text: &str, span: Span, places: Vec<PathBuf>, found: &[PathBuf]) -> Input {
        let (text, found) = (text.to_owned(), found.to_vec());
        Input { text, span, places, found, folders: true, format: None }
    }

    /// Files that are listed.
    pub fn listed(text: &str, span: Span, places: Vec<PathBuf>, found: &[PathBuf]) -> Input {
        Input { folders: false, ..Input::new(text, span, places, found) }
    }

    /// Whether it stands in this part of the pipeline file.
    pub fn is_of(&self, span: Span) -> bool {
        span.start <= self.span.start && self.span.end <= span.end
    }

    /// All files and folders that are read, those in folders too, each with what tells it from
    /// others whatever it is called.
    pub fn things(&self) -> impl Iterator<Item = (PathBuf, Id)> {
        self.found.iter().flat_map(|path| with_entries(path))
    }

    /// Whether an object, or one of a folder that is called so, is among what was found.
    pub fn holds(&self, object: &Path) -> bool {
        is_remote(object) && self.found.iter().any(|found| found.starts_with(object))
    }

    /// Whether a later run would read a file that is not read now, if it got this (real) name.
    pub fn would_read(&self, real_name: &Path) -> bool {
        if is_remote(real_name) {
            return elsewhere::would_read(&self.text, real_name);
        }
        let named = |place: &PathBuf| match is_pattern(&self.text) {
            true => would_match(place, real_name),
            false => {
                let same = place.file_name() == real_name.file_name() && !place.exists();
                same && real(place) == real_name
            }
        };
        let part = |path: &PathBuf| self.is_part(path, real_name);
        self.places.iter().any(named) || self.folders && self.found.iter().any(part)
    }

    /// Whether it would be a part of a folder.
    fn is_part(&self, folder: &Path, real_name: &Path) -> bool {
        let ending = real_name.extension().unwrap_or_default().to_string_lossy();
        let fits = self.format.is_none_or(|f| f.extensions().contains(&&*ending.to_lowercase()));
        fits && folder.is_dir() && real_name.starts_with(real(folder))
    }
}

fn would_match(pattern: &Path, real_name: &Path) -> bool {
    let (Some(name), Some(last)) = (pattern.file_name(), real_name.file_name()) else {
        return false;
    };
    let (name, last) = (name.to_string_lossy(), last.to_string_lossy());
    let glob = globset::Glob::new(&name).map(|glob| glob.compile_matcher());
    let hidden = last.starts_with('.') && !name.starts_with('.');
    if hidden || !glob.is_ok_and(|glob| glob.is_match(&*last)) {
        return false;
    }
    let deep = name == "**";
    let folders = match if deep { Some(pattern) } else { pattern.parent() } {
        Some(folder) if !folder.as_os_str().is_empty() => {
            Walk::new(Hidden::Dotted).found(folder).unwrap_or_default()
        }
        _ => vec![PathBuf::from(".")],
    };
    folders.iter().any(|folder| real_name.parent() == Some(&real(folder)))
}

/// A file or folder, and what a folder holds; nothing if it is not there.
pub fn with_entries(path: &Path) -> Vec<(PathBuf, Id)> {
    let Ok(about) = path.metadata() else { return Vec::new() };
    let mut all = vec![(path.to_path_buf(), id(&about))];
    if about.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let entries = entries.map(|e| e.path());
        all.extend(entries.filter_map(|path| path.metadata().ok().map(|m| (path, id(&m)))));
    }
    all
}

/// What tells a file from others.
pub fn id(about: &Metadata) -> Id {
    (about.dev(), about.ino())
}

/// The one name of a place: absolute, with links followed and `..` resolved as far as it is there.
pub fn real(path: &Path) -> PathBuf {
    use std::path::Component;
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut real = PathBuf::new();
    for part in absolute.components() {
        if part == Component::ParentDir {
            real.pop();
            continue;
        }
        real.push(part);
        if let Ok(target) = real.canonicalize() {
            real = target;
        }
    }
    real
}
