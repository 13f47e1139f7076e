//! Files that a thread makes durable while the next one is made.
use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// So many files may wait, so that what is not yet on the disk stays little.
const WAITING: usize = 2;

/// Takes files that are whole. The thread starts with the first.
#[derive(Default)]
pub(crate) struct Durable {
    running: Option<(SyncSender<File>, JoinHandle<io::Result<()>>)>,
}

impl Durable {
    /// Hands over a file; it is durable when [`Durable::finish`] says so.
    ///
    /// # Errors
    /// If an earlier one cannot be written to the disk.
    pub(crate) fn push(&mut self, file: File) -> io::Result<()> {
        if self.running.is_none() {
            let (files, come) = sync_channel::<File>(WAITING);
            let sync = move || come.iter().try_for_each(|file| file.sync_all());
            match Builder::new().name("durable".to_string()).spawn(sync) {
                Ok(thread) => self.running = Some((files, thread)),
                // Without a thread it only takes longer.
                Err(_) => return file.sync_all(),
            }
        }
        match &self.running {
            Some((files, _)) if files.send(file).is_ok() => Ok(()),
            // The thread ended at an error.
            _ => self.finish(),
        }
    }

    /// Waits until all files are durable.
    ///
    /// # Errors
    /// If one cannot be written to the disk.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let Some((files, thread)) = self.running.take() else { return Ok(()) };
        drop(files);
        thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread that writes has failed")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_files_are_there_and_errors_come_out() {
        let mut durable = Durable::default();
        for _ in 0..10 {
            durable.push(tempfile::tempfile().unwrap()).unwrap();
        }
        durable.finish().unwrap();
        durable.finish().unwrap();
        // A device that cannot be synced.
        #[cfg(target_os = "linux")]
        {
            let pushed = durable.push(File::open("/dev/null").unwrap());
            assert!(pushed.is_err() || durable.finish().is_err());
        }
    }
}
