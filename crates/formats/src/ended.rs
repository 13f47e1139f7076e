//! A staged file that its one writer has ended: what has the final name is to be that.
use crate::own;
use crate::stage::{Stage, cannot_write, not_as_written};
use crate::summed::Appended;
use base::Failure;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Arc, Mutex, PoisonError};

/// Set by the writer, asked for by the sink.
#[derive(Clone, Default)]
pub(crate) struct Ended(Arc<Mutex<Option<End>>>);

/// What the file was when it was ended.
#[derive(Clone, Copy)]
struct End {
    /// Device and number.
    file: (u64, u64),
    length: u64,
    /// Its last eight bytes.
    tail: u64,
}

impl Ended {
    /// The writer has ended the file.
    ///
    /// # Errors
    /// If it cannot be looked at.
    pub(crate) fn note(&self, file: &mut Appended) -> io::Result<()> {
        let metadata = file.file().metadata()?;
        let (length, tail) = (file.length(), file.piece().tail);
        let file = (metadata.dev(), metadata.ino());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(End { file, length, tail });
        Ok(())
    }

    /// The file's length, if it is there as it was ended.
    ///
    /// # Errors
    /// If it is not.
    pub(crate) fn check(&self, stage: &Stage) -> Result<u64, Failure> {
        let open = own::open(stage.staged(), OpenOptions::new().read(true));
        let file = open.map_err(|e| cannot_write(stage.target(), &e))?;
        let failed = |e: io::Error| cannot_write(stage.target(), &e);
        let metadata = file.metadata().map_err(failed)?;
        let end = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(End { file: ended, length, tail }) = end else {
            return Err(Failure::internal("a file is to be named that nobody has ended"));
        };
        let mut last = [0; 8];
        let read = metadata.len().checked_sub(8).map(|at| file.read_exact_at(&mut last, at));
        read.transpose().map_err(failed)?;
        let same = (metadata.dev(), metadata.ino()) == ended;
        // A file that is gone on with and got nothing new has told of no last bytes.
        let tail = tail == 0 || metadata.len() < 8 || u64::from_le_bytes(last) == tail;
        match same && metadata.len() == length && tail {
            true => Ok(length),
            false => Err(not_as_written(stage, stage.staged())),
        }
    }
}
