//! The folder of a run's state: all records of earlier runs, and what is set aside.
use super::frame::{Body, End, Frame, encode, scan};
use super::home::{Home, beside};
use super::record::{Origin, Record};
use base::Failure;
use rustix::fs::OFlags;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What the names of files with records end with.
const ENDING: &str = "ledger";

/// All that earlier runs have noted.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// Where.
    pub path: PathBuf,
    /// The records of each file, in the order of the runs.
    pub files: Vec<Pages>,
    /// What was set aside, a sentence each.
    pub warnings: Vec<String>,
    /// Files that were set aside before.
    pub aside: Vec<PathBuf>,
}

/// The records of one file.
#[derive(Clone, Debug)]
pub struct Pages {
    /// The file.
    pub path: PathBuf,
    /// Who wrote it.
    pub origin: Origin,
    /// The records behind the first.
    pub frames: Vec<Frame>,
    /// Whether it was written to another folder than this, of which this is a copy.
    pub copied: bool,
    /// Whether it ends in the middle of a record, as after a kill.
    pub torn: bool,
}

impl Folder {
    /// Reads a folder, if it is there. With `aside`, files that cannot be trusted get another
    /// name; else they are passed over. Files of the run `but` are left out.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn read(path: &Path, but: Option<&str>, aside: bool) -> Result<Folder, Failure> {
        let mut folder = Folder { path: path.to_path_buf(), ..Folder::default() };
        let Some(home) = Home::open(path)? else { return Ok(folder) };
        for name in home.names().map_err(|e| cannot(path, &e))? {
            let ours = but.is_some_and(|run| name.to_string_lossy().starts_with(&prefix(run)));
            if name.extension() == Some(OsStr::new("aside")) {
                folder.aside.push(path.join(&name));
            } else if name.extension() == Some(OsStr::new(ENDING)) && !ours {
                folder.add(&home, name.as_os_str(), aside).map_err(|e| cannot(path, &e))?;
            }
        }
        Ok(folder)
    }

    fn add(&mut self, home: &Home, name: &OsStr, aside: bool) -> io::Result<()> {
        let path = self.path.join(name);
        let scan = || scan(&home.file(name, OFlags::RDONLY)?, &path);
        let (mut frames, end) = scan()?;
        let origin = match frames.first() {
            Some(Frame { record: Record::Begin(origin), .. }) => Some(origin.clone()),
            _ => None,
        };
        let misfit = origin.as_ref().and_then(Origin::misfit);
        let why = match (&end, misfit, &origin) {
            (End::Foreign, ..) => Some("is not a file of a ledger".to_owned()),
            (_, Some(misfit), _) => Some(misfit),
            (End::Damaged, ..) => Some(match frames.len() {
                0 => "is damaged".to_owned(),
                _ => "is damaged: what was noted before the damage is used".to_owned(),
            }),
            // A run that was ended before its first record.
            (_, None, None) if frames.is_empty() => return Ok(()),
            (_, None, None) => Some("does not begin as a ledger does".to_owned()),
            (End::Whole | End::Torn, None, Some(_)) => None,
        };
        let (usable, torn) = (misfit_free(&origin), end == End::Torn);
        if let Some(why) = why {
            let mut to = name.to_owned();
            to.push(".aside");
            let now = self.path.join(&to);
            let moved =
                if aside { format!("; it is now {}", now.display()) } else { String::new() };
            self.warnings.push(format!("{} {why}{moved}", path.display()));
            if aside && usable && !frames.is_empty() {
                keep_whole(home, name, &to, &frames)?;
                frames = scan()?.0;
            } else if aside {
                home.rename(name, &to)?;
            }
            if !usable {
                return Ok(());
            }
        }
        let Some(origin) = origin else { return Ok(()) };
        frames.remove(0);
        let copied = origin.is_copied_to(home.identity());
        if copied {
            // What lies elsewhere is what the original tells of.
            frames.retain(|frame| !frame.record.is_elsewhere());
        }
        let outputs = beside(&self.path);
        for frame in &mut frames {
            frame.record = frame.record.above(outputs.as_deref());
        }
        self.files.push(Pages { path, origin, frames, copied, torn });
        Ok(())
    }

    /// Why it may know less than was noted, a sentence each: what is set aside, now or earlier, and
    /// files that end in the middle of a record.
    pub fn faults(&self) -> Vec<String> {
        let torn = self.files.iter().filter(|pages| pages.torn);
        let torn =
            torn.map(|pages| format!("{} ends in the middle of a record", pages.path.display()));
        let earlier = self.aside.iter().map(|path| format!("{} was set aside", path.display()));
        self.warnings.iter().cloned().chain(torn).chain(earlier).collect()
    }

    /// All records.
    pub fn records(&self) -> impl Iterator<Item = (&Record, &Body)> {
        self.files.iter().flat_map(|f| f.frames.iter().map(|f| (&f.record, &f.body)))
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

fn misfit_free(origin: &Option<Origin>) -> bool {
    origin.as_ref().is_some_and(|o| o.misfit().is_none())
}

/// Sets a damaged file aside and writes the records before the damage to a new one of its name.
fn keep_whole(home: &Home, name: &OsStr, aside: &OsStr, frames: &[Frame]) -> io::Result<()> {
    let mut bytes = super::frame::MAGIC.to_vec();
    for frame in frames {
        // A body that is damaged, too, ends it.
        let Some(body) = frame.body.read() else { break };
        bytes.extend(encode(&frame.record, &[&body])?);
    }
    home.rename(name, aside)?;
    home.anew(name)?.write_all(&bytes)
}

/// The file of a process of a run.
pub fn page(folder: &Path, run: &str, process: usize) -> PathBuf {
    folder.join(format!("{}{process:04}.{ENDING}", prefix(run)))
}

/// The file in which the records of earlier runs are gathered; it comes before those of runs.
pub fn merged(folder: &Path) -> PathBuf {
    folder.join(format!("merged.{ENDING}"))
}

/// Removes what a run has noted, as far as that can be done.
pub fn forget(folder: &Path, run: &str) {
    let prefix = prefix(run);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn prefix(run: &str) -> String {
    format!("run-{run}-")
}

/// The sentence for state that cannot be kept.
pub fn cannot(folder: &Path, error: &io::Error) -> Failure {
    Failure::output(format!(
        "the state of the run cannot be kept in {}: {error}; --state DIR takes another folder, \
         --no-state does without",
        folder.display()
    ))
}
