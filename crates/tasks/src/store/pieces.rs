//! Which requests fetch blocks: neighbours together, long runs in pieces that run side by side.
use super::blocks::{BLOCK, Run};
use std::ops::Range;

/// Blocks that are fetched for nothing where that saves a request.
const GAP: u64 = 4;
/// The most bytes of a request: enough that its latency is little beside it.
const MOST: u64 = 8 << 20;
/// The least that a long run is cut into.
const LEAST: u64 = 1 << 20;
/// A long run is cut into so many pieces, if they are not too large or too small.
const PIECES: u64 = 32;

/// A request: the bytes, and which blocks in them are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) bytes: Range<u64>,
    pub(super) runs: Vec<Run>,
}

/// The requests for blocks of an object of `len` bytes; runs are in order and apart.
pub(super) fn pieces(missing: &[Run], len: u64) -> Vec<Piece> {
    let total: u64 = missing.iter().map(|run| run.end - run.start).sum::<u64>() * BLOCK;
    let step = (total / PIECES).clamp(LEAST, MOST) / BLOCK;
    let mut pieces: Vec<Vec<Run>> = Vec::new();
    for run in missing {
        let mut start = run.start;
        while start < run.end {
            let first = pieces.last().and_then(|p| p.first()).map(|r| r.start);
            let last = pieces.last().and_then(|p| p.last()).map(|r| r.end);
            let (next, room) = match (first, last) {
                (Some(first), Some(last)) if start - last <= GAP && start - first < step => {
                    (false, first + step - start)
                }
                _ => (true, step),
            };
            let end = run.end.min(start + room);
            match pieces.last_mut() {
                Some(piece) if !next => piece.push(start..end),
                _ => pieces.push(std::iter::once(start..end).collect()),
            }
            start = end;
        }
    }
    pieces.into_iter().filter_map(|runs| piece(runs, len)).collect()
}

fn piece(runs: Vec<Run>, len: u64) -> Option<Piece> {
    let (first, last) = (runs.first()?.start, runs.last()?.end);
    Some(Piece { bytes: first * BLOCK..(last * BLOCK).min(len), runs })
}

impl Piece {
    /// Of some bytes from `at` on, those that are wanted: places in them.
    pub(super) fn wanted(&self, at: u64, count: usize) -> Vec<Range<usize>> {
        let cut = |run: &Run| {
            let low = (run.start * BLOCK).max(at);
            let high = (run.end * BLOCK).min(at + count as u64);
            (low < high).then(|| (low - at) as usize..(high - at) as usize)
        };
        self.runs.iter().filter_map(cut).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::single_range_in_vec_init)]
    use super::*;

    fn runs(pieces: &[Piece]) -> Vec<Vec<Run>> {
        pieces.iter().map(|p| p.runs.clone()).collect()
    }

    #[test]
    fn neighbours_go_together_and_long_runs_are_cut() {
        let scattered = pieces(&[0..1, 3..4, 30..31], u64::MAX);
        assert_eq!(runs(&scattered), [vec![0..1, 3..4], vec![30..31]]);
        assert_eq!(scattered[0].bytes, 0..4 * BLOCK);
        let step = LEAST / BLOCK;
        let long = pieces(&[0..2 * step + 1], u64::MAX);
        assert_eq!(
            runs(&long),
            [vec![0..step], vec![step..2 * step], vec![2 * step..2 * step + 1]]
        );
        let large = pieces(&[0..1 << 20], u64::MAX);
        assert!(large.iter().all(|p| p.bytes.end - p.bytes.start <= MOST));
        assert_eq!(large.iter().flat_map(|p| p.runs.clone()).flatten().count(), 1 << 20);
    }

    #[test]
    fn the_last_block_ends_with_the_object() {
        assert_eq!(pieces(&[0..2], BLOCK + 5)[0].bytes, 0..BLOCK + 5);
    }

    #[test]
    fn what_lies_between_is_not_kept() {
        let piece = &pieces(&[0..1, 3..4], u64::MAX)[0];
        assert_eq!(piece.wanted(0, 4 * BLOCK as usize).len(), 2);
        assert_eq!(piece.wanted(BLOCK, 10), []);
        assert_eq!(piece.wanted(BLOCK - 4, 10), std::iter::once(0..4).collect::<Vec<_>>());
    }
}
