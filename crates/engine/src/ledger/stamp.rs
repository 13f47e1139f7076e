//! By what a file is known to be unchanged: its name, size, number, and the times of its last
//! change of contents and of anything. The last one no program can set back. An object in a store
//! is known by its name, its length, its ETag and when it was changed.
use base::Failure;
use formats::TileSource;
use plan::Print;
use plan::physical::{Op, Physical};
use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tasks::store::{About, about, about_now, all_about_now, is_remote, standing};

/// The times of files go on in steps of this at most, on local file systems.
pub const TICK: Duration = Duration::from_millis(25);

/// What a file is known by, under this name.
fn print(path: &Path, metadata: &Metadata) -> Print {
    let m = metadata;
    let times = [m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec()];
    let numbers = [m.len(), m.ino()].into_iter().map(u64::to_le_bytes);
    let numbers: Vec<u8> = numbers.chain(times.map(i64::to_le_bytes)).flatten().collect();
    Print::of([path.as_os_str().as_bytes(), &numbers])
}

/// What an object is known by.
fn object_print(path: &Path, about: &About) -> Print {
    Print::of([path.as_os_str().as_bytes(), &about.identity()])
}

/// The name of an input, wherever the command was given.
fn whole_name(path: PathBuf) -> PathBuf {
    match is_remote(&path) {
        true => path,
        false => std::path::absolute(&path).unwrap_or(path),
    }
}

/// What an input is known by; `None` if it is not there.
pub fn input_print(path: &Path) -> Option<Print> {
    if is_remote(path) {
        return Some(object_print(path, &about_now(path).ok()??));
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    Some(print(&path, &fs::metadata(&path).ok()?))
}

/// As [`input_print`], of an input that has just been looked for: a store is not asked twice.
pub fn found_print(path: &Path) -> Option<Print> {
    match is_remote(path) {
        true => Some(object_print(path, &about(path).ok()??)),
        false => input_print(path),
    }
}

/// When a file was last changed in any way, as far as that is known.
pub fn changed(path: &Path) -> Option<SystemTime> {
    if is_remote(path) {
        return None;
    }
    Some(ctime(&fs::metadata(path).ok()?))
}

fn ctime(m: &Metadata) -> SystemTime {
    let (seconds, nanos) = (m.ctime().max(0) as u64, m.ctime_nsec().clamp(0, 999_999_999) as u32);
    SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos)
}

/// What an output is known by: the file, or the folder and all files in it, wherever they lie.
/// `None` if there is none.
pub fn output_print(path: &Path) -> Option<Print> {
    if is_remote(path) {
        let objects = standing(path).ok().filter(|objects| !objects.is_empty())?;
        return Some(Print::of(objects.iter().map(|(path, about)| object_print(path, about))));
    }
    let print = |path: &Path, m: &Metadata| Some(print(Path::new(path.file_name()?), m));
    let metadata = path.symlink_metadata().ok()?;
    if !metadata.is_dir() {
        return print(path, &metadata);
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path).ok()?.map(|e| Some(e.ok()?.path())).collect::<Option<_>>()?;
    entries.sort();
    let entry = |path: &PathBuf| print(path, &path.symlink_metadata().ok()?);
    let prints: Vec<Print> = entries.iter().map(entry).collect::<Option<_>>()?;
    Some(Print::of(std::iter::once(print(path, &metadata)?).chain(prints)))
}

/// The input files of a plan.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// For each node that is a reader of files, these; `None` if it cannot say which.
    readers: HashMap<usize, Option<Vec<(PathBuf, Print)>>>,
}

impl Inputs {
    /// As they are now. `None` if one of them may have changed since `loaded`, when the plan began
    /// to look at them: then the plan is to be made anew.
    ///
    /// # Errors
    /// If a file is gone.
    pub fn of(physical: &Physical, loaded: SystemTime) -> Result<Option<Inputs>, Failure> {
        let mut inputs = Inputs::default();
        for (node, source) in sources(physical) {
            let mut files = Vec::new();
            for path in source.files().into_iter().map(whole_name) {
                if is_remote(&path) {
                    let print = opened(&path)?;
                    files.push((path, print));
                    continue;
                }
                let metadata = fs::metadata(&path).map_err(|e| {
                    Failure::data(format!("the input {} cannot be read: {e}", path.display()))
                })?;
                if ctime(&metadata) + TICK > loaded {
                    return Ok(None);
                }
                files.push((path.clone(), print(&path, &metadata)));
            }
            let known = (!files.is_empty()).then_some(files);
            inputs.readers.insert(node, known);
        }
        Ok(Some(inputs))
    }

    /// As they are now, whatever was read of them before.
    ///
    /// # Errors
    /// If a file is gone.
    pub fn now(physical: &Physical) -> Result<Inputs, Failure> {
        let mut inputs = Inputs::default();
        for (node, source) in sources(physical) {
            let files = source.files().into_iter().map(whole_name).map(|path| {
                if is_remote(&path) {
                    return opened(&path).map(|print| (path, print));
                }
                match input_print(&path) {
                    Some(print) => Ok((path, print)),
                    None => Err(Failure::data(format!("the input {} is gone", path.display()))),
                }
            });
            inputs.readers.insert(node, Some(files.collect::<Result<_, _>>()?));
        }
        Ok(inputs)
    }

    /// Whether all files still are what they were; asked when they have been read, and before
    /// anything that was made of them gets its name.
    ///
    /// # Errors
    /// With the name of one that is not.
    pub fn check(&self) -> Result<(), Failure> {
        let other = |(path, print): &(PathBuf, Print)| {
            let now = fs::metadata(path);
            // What is no file (a device, standard input) has no version.
            let file = now.as_ref().map_or(true, Metadata::is_file);
            let same = now.is_ok_and(|metadata| self::print(path, &metadata) == *print);
            (file && !same).then(|| path.clone())
        };
        let all = self.all();
        let (objects, files): (Vec<_>, Vec<_>) = all.iter().partition(|(path, _)| is_remote(path));
        check_objects(&objects)?;
        let Some(path) = files.into_iter().find_map(other) else { return Ok(()) };
        let what = if path.exists() { "changed" } else { "removed" };
        let path = path.display();
        Err(Failure::data(format!(
            "{path} was {what} while it was read: run again when it is whole"
        )))
    }

    /// The files that a node reads; none if it reads none, `None` if it cannot say which.
    pub fn of_node(&self, node: usize) -> Option<&[(PathBuf, Print)]> {
        match self.readers.get(&node) {
            None => Some(&[]),
            Some(files) => files.as_deref(),
        }
    }

    /// The same for a plan some of whose nodes are gone and whose others have moved.
    pub fn moved(&self, place: &dyn Fn(usize) -> Option<usize>) -> Inputs {
        let moved = self.readers.iter().filter_map(|(node, f)| Some((place(*node)?, f.clone())));
        Inputs { readers: moved.collect() }
    }

    /// All files, each once.
    pub fn all(&self) -> Vec<(PathBuf, Print)> {
        let mut all: Vec<_> = self.readers.values().flatten().flatten().cloned().collect();
        all.sort();
        all.dedup();
        all
    }
}

/// What an object was known by when it was opened: all that is read of it is of that state.
fn opened(path: &Path) -> Result<Print, Failure> {
    match about(path).map_err(Failure::data)? {
        Some(about) => Ok(object_print(path, &about)),
        None => Err(Failure::data(format!("the input {} is gone", path.display()))),
    }
}

/// Whether objects still are what they were. All are asked about at once.
fn check_objects(objects: &[&(PathBuf, Print)]) -> Result<(), Failure> {
    if objects.is_empty() {
        return Ok(());
    }
    let paths: Vec<PathBuf> = objects.iter().map(|(path, _)| path.clone()).collect();
    let now = all_about_now(&paths).map_err(Failure::data)?;
    for ((path, print), now) in objects.iter().zip(now) {
        let what = match now.map_err(Failure::data)? {
            None => "removed",
            Some(about) if object_print(path, &about) != *print => "changed",
            Some(_) => continue,
        };
        return Err(Failure::data(format!(
            "{} was {what} while it was read: run again when it is whole",
            path.display()
        )));
    }
    Ok(())
}

fn sources(physical: &Physical) -> impl Iterator<Item = (usize, &dyn TileSource)> {
    physical.nodes.iter().enumerate().filter_map(|(at, node)| match &node.op {
        Op::Read(read) => Some((at, read.source.as_deref()?)),
        _ => None,
    })
}
