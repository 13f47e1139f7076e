//! How processes find the first one: at an address that the user gave, or through a private file
//! that the first one writes to a folder which all hosts see.
use super::ranks::Ranks;
use crate::signals::Temporary;
use base::{Failure, FailureKind};
use engine::links::Secret;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time between two looks at the file.
const PAUSE: Duration = Duration::from_millis(50);

/// Where process 0 is to be found, and what proves that one belongs to its run.
pub enum Meeting {
    /// At this address, `host:port`, with this secret.
    At(String, Secret),
    /// What this file says; the secret, if the user gave one, is not in it.
    Through(PathBuf, Option<Secret>),
}

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Note {
    /// Where process 0 may be reached, `host:port` each.
    addresses: Vec<String>,
    secret: String,
}

/// The file, while it is there.
pub type Posted = Option<Temporary>;

impl Meeting {
    /// Through a file in this folder, which has the launcher's name for the run in its name, or, if
    /// it has none, what tells this pipeline from others.
    pub fn through(folder: &Path, ranks: &Ranks, key: &str, secret: Option<Secret>) -> Meeting {
        let by = ranks.by.to_lowercase().replace(' ', "");
        let job = if ranks.job.is_empty() { key } else { &ranks.job };
        let job = job.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "_");
        Meeting::Through(folder.join(format!(".tidemill-{by}-{job}")), secret)
    }

    /// In process 0: makes known that it listens on this port of this host, which others may reach
    /// by these names. Gives the secret, and
    /// the file, which is to be removed when all have come.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn post(&self, names: &[String], port: u16) -> Result<(Secret, Posted), Failure> {
        let (path, given) = match self {
            Meeting::At(_, secret) => return Ok((secret.clone(), None)),
            Meeting::Through(path, secret) => (path, secret.clone()),
        };
        let secret = given.clone().map_or_else(Secret::random, Ok)?;
        let note = Note {
            addresses: names.iter().map(|name| format!("{name}:{port}")).collect(),
            secret: if given.is_some() { String::new() } else { secret.to_hex() },
        };
        write(path, &note).map_err(|e| {
            let name = path.display();
            let message = format!("cannot write {name}, through which the processes meet: {e}");
            Failure::new(FailureKind::Peer, message)
        })?;
        Ok((secret, Some(Temporary::new(path.clone()))))
    }

    /// In the other processes: where process 0 may be reached, and the secret, once they are known.
    ///
    /// # Errors
    /// If process 0 has not said so in time; what `stop` says.
    pub fn find(
        &self,
        deadline: Duration,
        stop: &dyn Fn() -> Option<Failure>,
    ) -> Result<(Vec<String>, Secret), Failure> {
        let (path, given) = match self {
            Meeting::At(address, secret) => return Ok((vec![address.clone()], secret.clone())),
            Meeting::Through(path, secret) => (path, secret),
        };
        let end = Instant::now() + deadline;
        loop {
            if let Some(failure) = stop() {
                return Err(failure);
            }
            if let Some(note) = read(path)
                && let Some(secret) = given.clone().or_else(|| Secret::from_hex(&note.secret))
            {
                return Ok((note.addresses, secret));
            }
            if Instant::now() > end {
                let name = path.display();
                let message = format!(
                    "process 0 has not written {name} within {deadline:?}: has it started, and do all hosts see this folder?"
                );
                return Err(Failure::new(FailureKind::Peer, message));
            }
            sleep(PAUSE);
        }
    }
}

/// Writes the file whole, for its owner alone, in the place of one that a lost run has left.
fn write(path: &Path, note: &Note) -> io::Result<()> {
    if let Some(why) = formats::refusal(path, false) {
        return Err(io::Error::other(why));
    }
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = serde_json::to_writer(&mut file, note).map_err(io::Error::from);
    let named = written.and_then(|()| file.flush()).and_then(|()| fs::rename(&new, path));
    if named.is_err() {
        drop(fs::remove_file(&new));
    }
    named
}

/// What the file says, if it is there and only this user can have written it.
fn read(path: &Path) -> Option<Note> {
    let about = fs::metadata(path).ok()?;
    let ours = about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o077 == 0;
    ours.then(|| fs::read(path).ok()).flatten().and_then(|b| serde_json::from_slice(&b).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_one_writes_the_others_find_until_all_have_come() {
        let folder = tempfile::tempdir().unwrap();
        let ranks =
            Ranks { rank: 0, size: 2, local: None, cores: None, job: "7.0".into(), by: "Slurm" };
        let meeting = || Meeting::through(folder.path(), &ranks, "abc", None);
        let (secret, posted) = meeting().post(&["a".into(), "10.0.0.1".into()], 7).unwrap();
        let (addresses, found) = meeting().find(PAUSE, &|| None).unwrap();
        assert_eq!(addresses, ["a:7", "10.0.0.1:7"]);
        assert_eq!(found.to_hex(), secret.to_hex());
        let file = folder.path().join(".tidemill-slurm-7.0");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        drop(posted);
        assert!(!file.exists());
        let failure = meeting().find(PAUSE, &|| None).err().unwrap();
        assert!(failure.message.contains("process 0 has not written"), "{failure}");
    }
}
