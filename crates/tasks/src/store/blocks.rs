//! Which blocks of an object are here, asked for, in use. A block in use is never let go of.
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a block: pages of most machines, so that what is let go of is freed; and little beside what
/// is read for one column of a small group of rows.
pub const BLOCK: u64 = 1 << 14;

/// Blocks that follow each other.
pub(super) type Run = Range<u64>;

#[derive(Debug, Default)]
struct Block {
    /// How many use it, or will.
    pins: u32,
    state: State,
    /// Whether it goes when nobody uses it any more.
    let_go: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Away,
    Asked,
    Here,
    Failed(Arc<str>),
}

/// The blocks of an object that are not away and unused.
#[derive(Debug, Default)]
pub(super) struct Blocks(BTreeMap<u64, Block>);

/// The blocks that some bytes lie in.
pub(super) fn run(bytes: &Range<u64>) -> Run {
    if bytes.start >= bytes.end {
        return 0..0;
    }
    bytes.start / BLOCK..bytes.end.div_ceil(BLOCK)
}

/// Runs in order, of which none touches another.
pub(super) fn apart(mut runs: Vec<Run>) -> Vec<Run> {
    runs.retain(|run| !run.is_empty());
    runs.sort_by_key(|run| run.start);
    let mut out: Vec<Run> = Vec::with_capacity(runs.len());
    for run in runs {
        match out.last_mut() {
            Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
            _ => out.push(run),
        }
    }
    out
}

impl Blocks {
    /// Uses blocks. Those that are to be asked for now are returned, and count as asked for.
    pub(super) fn pin(&mut self, runs: &[Run]) -> Vec<Run> {
        let mut missing = Vec::new();
        for number in runs.iter().cloned().flatten() {
            let block = self.0.entry(number).or_default();
            block.pins += 1;
            if matches!(block.state, State::Away | State::Failed(_)) {
                block.state = State::Asked;
                push(&mut missing, number);
            }
        }
        missing
    }

    /// Whether all of them are here.
    ///
    /// # Errors
    /// Why one of them did not come.
    pub(super) fn here(&self, runs: &[Run]) -> Result<bool, String> {
        let mut all = true;
        for number in runs.iter().cloned().flatten() {
            match self.0.get(&number).map(|block| &block.state) {
                Some(State::Here) => {}
                Some(State::Failed(why)) => return Err(why.to_string()),
                Some(State::Asked | State::Away) | None => all = false,
            }
        }
        Ok(all)
    }

    /// They have come; returned are those that nobody wants any more.
    pub(super) fn came(&mut self, run: &Run) -> Vec<Run> {
        self.0.range_mut(run.clone()).for_each(|(_, block)| block.state = State::Here);
        self.unused(run)
    }

    /// They have not come.
    pub(super) fn failed(&mut self, run: &Run, why: &Arc<str>) {
        let blocks = self.0.range_mut(run.clone());
        blocks.for_each(|(_, block)| block.state = State::Failed(why.clone()));
    }

    /// Ends a use; returned are the blocks that go.
    pub(super) fn unpin(&mut self, runs: &[Run]) -> Vec<Run> {
        for number in runs.iter().cloned().flatten() {
            if let Some(block) = self.0.get_mut(&number) {
                block.pins = block.pins.saturating_sub(1);
            }
        }
        runs.iter().flat_map(|run| self.unused(run)).collect()
    }

    /// They go as soon as nobody uses them; returned are those that go now.
    pub(super) fn let_go(&mut self, run: &Run) -> Vec<Run> {
        self.0.range_mut(run.clone()).for_each(|(_, block)| block.let_go = true);
        self.unused(run)
    }

    fn unused(&mut self, run: &Run) -> Vec<Run> {
        let gone = |(number, block): (&u64, &Block)| {
            let stays = matches!(block.state, State::Asked) || !block.let_go;
            (block.pins == 0 && !stays).then_some(*number)
        };
        let numbers: Vec<u64> = self.0.range(run.clone()).filter_map(gone).collect();
        let mut runs = Vec::new();
        for number in numbers {
            self.0.remove(&number);
            push(&mut runs, number);
        }
        runs
    }
}

fn push(runs: &mut Vec<Run>, number: u64) {
    match runs.last_mut() {
        Some(last) if last.end == number => last.end += 1,
        _ => runs.push(number..number + 1),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::single_range_in_vec_init)]
    use super::*;

    fn one<T: Clone>(run: Range<T>) -> Vec<Range<T>> {
        std::iter::once(run).collect()
    }

    #[test]
    fn what_is_asked_for_is_not_asked_for_again() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.pin(&[0..4]), one(0..4));
        assert_eq!(blocks.pin(&[2..6]), one(4..6));
        assert_eq!(blocks.here(&[0..6]), Ok(false));
        assert!(blocks.came(&(0..6)).is_empty());
        assert_eq!(blocks.here(&[0..6]), Ok(true));
        assert!(blocks.pin(&[0..6]).is_empty());
    }

    #[test]
    fn what_is_in_use_stays_until_the_last_use_has_ended() {
        let mut blocks = Blocks::default();
        blocks.pin(&[0..4]);
        blocks.pin(&[2..6]);
        blocks.came(&(0..6));
        assert!(blocks.let_go(&(0..6)).is_empty());
        assert_eq!(blocks.unpin(&[0..4]), one(0..2));
        assert_eq!(blocks.unpin(&[2..6]), one(2..6));
        // It is asked for again.
        assert_eq!(blocks.pin(&[1..2]), one(1..2));
    }

    #[test]
    fn what_comes_when_nobody_wants_it_goes() {
        let mut blocks = Blocks::default();
        blocks.pin(&[0..2]);
        assert!(blocks.let_go(&(0..2)).is_empty());
        assert!(blocks.unpin(&[0..2]).is_empty());
        assert_eq!(blocks.came(&(0..2)), one(0..2));
    }

    #[test]
    fn what_failed_is_told_and_asked_for_again() {
        let mut blocks = Blocks::default();
        blocks.pin(&[0..2]);
        blocks.failed(&(0..2), &"no".into());
        assert_eq!(blocks.here(&[1..2]), Err("no".to_string()));
        assert_eq!(blocks.pin(&[0..1]), one(0..1));
    }

    #[test]
    fn runs_are_put_together() {
        assert_eq!(apart(vec![5..6, 0..2, 2..3, 1..2, 9..9]), [0..3, 5..6]);
        assert_eq!(run(&(0..BLOCK)), 0..1);
        assert_eq!(run(&(BLOCK - 1..BLOCK + 1)), 0..2);
        assert_eq!(run(&(7..7)), 0..0);
    }
}
