//! One run at a time: a lock that goes with the process that holds it, however that ends.
use super::folder::cannot;
use super::home::Home;
use base::{Failure, FailureKind};
use rustix::fs::{FlockOperation, OFlags, flock};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the processes of a run whose launcher is gone may take to end.
const LINGER: Duration = Duration::from_secs(10);

/// How long whoever only looks whether the lock is held may hold it.
const GLIMPSE: Duration = Duration::from_millis(100);

/// Held by the launcher of a run.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held")] File);

/// Held by each process of a run that writes: it may outlive its launcher for a moment.
#[derive(Debug)]
pub struct Share(#[expect(dead_code, reason = "held")] File);

impl Lock {
    /// Takes the lock of a folder, which is made if need be.
    ///
    /// # Errors
    /// If another run holds it, or the folder cannot be made.
    pub fn take(folder: &Path) -> Result<Lock, Failure> {
        let home = Home::make(folder)?;
        let mut file = open(&home, "lock")?;
        if !within(GLIMPSE, &file) {
            let mut who = String::new();
            drop(file.read_to_string(&mut who));
            let who = if who.is_empty() { "another run".to_owned() } else { who };
            return Err(Failure::new(
                FailureKind::Output,
                format!(
                    "{who} is at work on this, as {} says: wait for its end, or use another --out",
                    folder.display()
                ),
            ));
        }
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let who = format!("process {} on {}", std::process::id(), host.trim());
        // Only for the sentence above.
        drop(file.set_len(0).and_then(|()| file.write_all(who.as_bytes())));
        let writers = open(&home, "writers")?;
        if !within(LINGER, &writers) {
            let place = folder.display();
            let message =
                format!("processes of an earlier run still write to what {place} tells of");
            return Err(Failure::new(FailureKind::Output, message));
        }
        Ok(Lock(file))
    }

    /// Whether somebody holds the lock of a folder.
    pub fn is_held(folder: &Path) -> bool {
        let Ok(Some(home)) = Home::open(folder) else { return false };
        home.file(OsStr::new("lock"), OFlags::RDWR)
            .is_ok_and(|f| flock(&f, FlockOperation::NonBlockingLockExclusive).is_err())
    }
}

/// Takes an exclusive lock, if it can be had within this time.
fn within(time: Duration, file: &File) -> bool {
    let end = Instant::now() + time;
    while flock(file, FlockOperation::NonBlockingLockExclusive).is_err() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

impl Share {
    /// Takes a share in the lock of those that write.
    ///
    /// # Errors
    /// If the folder is not there.
    pub fn take(folder: &Path) -> Result<Share, Failure> {
        let file = open(&Home::make(folder)?, "writers")?;
        flock(&file, FlockOperation::LockShared).map_err(|e| cannot(folder, &e.into()))?;
        Ok(Share(file))
    }
}

fn open(home: &Home, name: &str) -> Result<File, Failure> {
    let file = home.file(OsStr::new(name), OFlags::RDWR | OFlags::CREATE);
    file.map_err(|e| cannot(&home.path, &e))
}
