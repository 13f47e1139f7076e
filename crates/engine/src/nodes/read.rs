//! `Read`: makes tiles by number, and hands the numbers out to the workers of a process.
use base::{Failure, Tile};
use expr::{Program, Runner};
use plan::physical::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// The numbers of the tiles of one `Read` that belong to this process, handed out ascending, so
/// that the lowest tile a writer may wait for is never stuck behind later ones.
pub struct Counter {
    next: AtomicU64,
    first: u64,
    step: u64,
    count: u64,
    /// The numbers themselves, where some tiles are done.
    left: Option<Arc<Vec<u64>>>,
}

impl Counter {
    /// Of `tiles` tiles, or of those that are `left`, the ones whose place modulo `processes` is
    /// `index`.
    pub fn new(tiles: u64, left: Option<Arc<Vec<u64>>>, index: u64, processes: u64) -> Counter {
        let step = processes.max(1);
        let tiles = left.as_ref().map_or(tiles, |left| left.len() as u64);
        let count = tiles.saturating_sub(index).div_ceil(step);
        Counter { next: AtomicU64::new(0), first: index, step, count, left }
    }

    /// How many there are in all.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The next one.
    pub fn take(&self) -> Option<u64> {
        let turn = self.next.fetch_add(1, SeqCst);
        let place = (turn < self.count).then(|| self.first + turn * self.step)?;
        self.left.as_ref().map_or(Some(place), |left| left.get(place as usize).copied())
    }
}

/// Makes tiles, in one worker.
pub struct Reader {
    read: Read,
    program: Option<(Arc<Program>, Runner)>,
}

impl Reader {
    /// A reader for one worker.
    pub fn new(read: &Read) -> Reader {
        let program = read.program.clone().map(|program| {
            let runner = program.runner();
            (program, runner)
        });
        Reader { read: read.clone(), program }
    }

    /// The points of a tile.
    pub fn points(&self, number: u64) -> u64 {
        self.read.tiling.region(number).points() as u64
    }

    /// Reads a tile's columns and runs the program on it.
    ///
    /// # Errors
    /// If the file cannot be read, or the program fails.
    pub fn tile(&mut self, number: u64) -> Result<Tile, Failure> {
        let mut region = self.read.tiling.region(number);
        let columns = match &self.read.source {
            Some(source) => {
                for (at, offset) in region.origin.iter_mut().zip(&self.read.offset) {
                    *at += offset;
                }
                if let Some(survivors) = &self.read.survivors {
                    survivors.narrow(&mut region);
                }
                let columns = source.read(&region, &self.read.columns)?;
                for (at, offset) in region.origin.iter_mut().zip(&self.read.offset) {
                    *at -= offset;
                }
                columns
            }
            None => Vec::new(),
        };
        let origin = region.origin;
        let tile = Tile { number, origin, shape: region.shape, columns, index: None };
        match &mut self.program {
            Some((program, runner)) => program.tile(runner, &tile),
            None => Ok(tile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;
    use std::sync::Arc;

    #[test]
    fn numbers_are_split_by_process() {
        let all = |c: Counter| std::iter::from_fn(move || c.take()).collect::<Vec<_>>();
        assert_eq!(all(Counter::new(5, None, 0, 2)), [0, 2, 4]);
        assert_eq!(all(Counter::new(5, None, 1, 2)), [1, 3]);
        assert_eq!(all(Counter::new(1, None, 2, 3)), [0u64; 0]);
        assert_eq!(Counter::new(0, None, 0, 1).count(), 0);
        let left = Some(Arc::new(vec![2, 3, 7]));
        assert_eq!(all(Counter::new(9, left.clone(), 0, 2)), [2, 7]);
        assert_eq!(all(Counter::new(9, left, 1, 2)), [3]);
    }
}
