//! What a writer has written of a fragment's tiles: it is noted as often as the share of time for it
//! allows.
use super::allowance::Allowance;
use super::book::Book;
use super::survey::Progress;
use formats::Piece;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The notes of one worker's writer.
pub struct Written {
    book: Arc<Book>,
    progress: Progress,
    /// Tiles that are not noted yet, each with what the ledger knows its bytes by.
    pending: Vec<(u64, Piece)>,
    time: Allowance,
    /// What the last note has cost.
    last: Duration,
}

impl Written {
    /// Of the writer at a node, if a fragment ends there.
    pub fn at(book: &Arc<Book>, node: usize) -> Option<Written> {
        let progress = book.fragment(node).cloned()?;
        let (pending, time, last) = (Vec::new(), Allowance::default(), Duration::ZERO);
        Some(Written { book: book.clone(), progress, pending, time, last })
    }

    /// Whether a tile is done, and to be left out.
    pub fn has(&self, tile: u64) -> bool {
        self.progress.has(tile)
    }

    /// The first tile that is not done.
    pub fn first(&self) -> u64 {
        (0..).find(|tile| !self.has(*tile)).unwrap_or_default()
    }

    /// A tile has been written; `piece` is what is known of it, if anything is.
    pub fn wrote(&mut self, tile: u64, piece: Option<Piece>) {
        self.time.begin();
        let none = Piece { bytes: u64::MAX, ..Piece::default() };
        self.pending.push((tile, piece.unwrap_or(none)));
        if self.time.affords(self.last) {
            self.note();
        }
    }

    /// Notes what is not noted yet.
    pub fn note(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let begin = Instant::now();
        self.book.wrote(&self.progress, &self.pending);
        self.pending.clear();
        self.last = begin.elapsed();
        self.time.spend(self.last);
    }
}
