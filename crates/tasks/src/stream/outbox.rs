//! What is still to be written to a program.
use arrow_buffer::Buffer;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use tokio::net::unix::pipe::Sender;

/// So many pieces are handed to the system at once.
const PIECES: usize = 64;

/// Pieces that wait to be written, one after the other.
#[derive(Default)]
pub struct Outbox {
    pieces: VecDeque<Buffer>,
}

impl Outbox {
    /// These follow.
    pub fn push(&mut self, pieces: Vec<Buffer>) {
        self.pieces.extend(pieces.into_iter().filter(|piece| !piece.is_empty()));
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
        let slices: Vec<IoSlice> =
            self.pieces.iter().take(PIECES).map(|piece| IoSlice::new(piece)).collect();
        let written = match pipe.try_write_vectored(&slices) {
            Ok(written) => written,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => 0,
            Err(e) => return Err(e),
        };
        let mut rest = written;
        while let Some(first) = self.pieces.front_mut().filter(|_| rest > 0) {
            if first.len() > rest {
                first.advance(rest);
                break;
            }
            rest -= first.len();
            self.pieces.pop_front();
        }
        Ok(written)
    }
}
