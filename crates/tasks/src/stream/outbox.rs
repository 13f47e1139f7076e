//! What is still to be written to a program.
//!
//! Large pieces are not copied into the pipe: it is given their pages, from which the program reads.
//! So they must stay as they are until the program has read them, which its answer tells.
use arrow_buffer::Buffer;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use tokio::net::unix::pipe::Sender;

/// So many pieces are handed to the system at once.
const PIECES: usize = 64;
/// A piece of so many bytes is large.
const LARGE: usize = 64 << 10;

/// Pieces that wait to be written, one after the other. Who pushes them keeps the large ones until
/// they are answered.
#[derive(Default)]
pub struct Outbox {
    pieces: VecDeque<Buffer>,
    /// Whether the system does not take pages.
    copies: bool,
}

impl Outbox {
    /// These follow.
    pub fn push(&mut self, pieces: &[Buffer]) {
        self.pieces.extend(pieces.iter().filter(|piece| !piece.is_empty()).cloned());
    }

    /// Whether all is written.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Writes what the pipe takes now.
    ///
    /// # Errors
    /// As the system says; that the pipe is full is none.
    pub fn write(&mut self, pipe: &Sender) -> io::Result<usize> {
        let pages = !self.copies && self.pieces.front().is_some_and(is_large);
        let alike = self.pieces.iter().take_while(|piece| self.copies || is_large(piece) == pages);
        let slices: Vec<IoSlice> = alike.take(PIECES).map(|piece| IoSlice::new(piece)).collect();
        let written = match pages {
            true => pipe.try_io(|| give_pages(pipe, &slices)),
            false => pipe.try_write_vectored(&slices),
        };
        let written = match written {
            Ok(written) => written,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => 0,
            Err(e) if pages && e.kind() != io::ErrorKind::BrokenPipe => {
                self.copies = true;
                0
            }
            Err(e) => return Err(e),
        };
        self.advance(written);
        Ok(written)
    }

    /// So many bytes need not be written any more.
    fn advance(&mut self, mut written: usize) {
        while let Some(first) = self.pieces.front_mut().filter(|_| written > 0) {
            if first.len() > written {
                return first.advance(written);
            }
            written -= first.len();
            self.pieces.pop_front();
        }
    }
}

fn is_large(piece: &Buffer) -> bool {
    piece.len() >= LARGE
}

/// Lets a pipe refer to the pages of these bytes (vmsplice(2)).
#[cfg(target_os = "linux")]
fn give_pages(pipe: &Sender, slices: &[IoSlice]) -> io::Result<usize> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is that of a pipe, and `IoSlice` is an `iovec` of readable bytes. The
    // system only reads them, and keeps their pages until the pipe is gone; that they do not
    // change until then is a matter of what the program reads, not of memory that is ours.
    let given = unsafe {
        libc::vmsplice(
            pipe.as_raw_fd(),
            slices.as_ptr().cast(),
            slices.len(),
            libc::SPLICE_F_NONBLOCK,
        )
    };
    usize::try_from(given).map_err(|_| io::Error::last_os_error())
}

#[cfg(not(target_os = "linux"))]
fn give_pages(_: &Sender, _: &[IoSlice]) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}
