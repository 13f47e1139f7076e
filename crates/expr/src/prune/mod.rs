//! Ranges that never make what a filter would drop.
//!
//! Comparisons cut the positions of a range into intervals (`compare`), rests make them an
//! arithmetic progression (`progression`), and digits are one `automaton` that `walk` follows.
mod automaton;
mod compare;
mod progression;
#[cfg(test)]
mod tests;
mod walk;

pub use compare::Counter;

use crate::dag::Test;
use automaton::{Automaton, Needle, Residues};
use progression::{Progression, gcd, residue};
use std::ops::Range;
use std::sync::Arc;
use walk::{Steps, Walk};

/// Intervals beyond this number are not worth while: what makes them stays a filter.
const MOST_INTERVALS: usize = 64;

/// The positions of a range that pass some tests.
#[derive(Debug)]
pub struct Selector {
    size: u64,
    /// In order; no position is in two.
    runs: Vec<Run>,
}

/// Some positions that lie between two.
#[derive(Debug)]
enum Run {
    /// All.
    All(Range<u64>),
    /// Every so manieth, from the first of the range on.
    Each(Range<u64>, u64),
    /// Those whose digits pass.
    Digits(Walk),
}

/// A piece of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The points from `start` on.
    Range {
        /// The first.
        start: usize,
        /// How many.
        len: usize,
    },
    /// The points in the list.
    Each,
}

impl Selector {
    /// For a range, and tests of its numbers; and for each test whether the selector sees to it.
    /// `None` if it can see to none.
    pub fn new(counter: Counter, tests: &[Test]) -> Option<(Selector, Vec<bool>)> {
        let mut wanted = Wanted::new(counter);
        let mut used: Vec<bool> = tests.iter().map(|test| wanted.add(test)).collect();
        let is_of = |kind: fn(&Test) -> bool, used: &mut Vec<bool>| {
            used.iter_mut().zip(tests).filter(|(_, t)| kind(t)).for_each(|(used, _)| *used = false);
        };
        // Where the automaton would be too large, less is asked of it.
        let mut runs = wanted.runs();
        if runs.is_none() && !wanted.needles.is_empty() && !wanted.others.is_empty() {
            wanted.others.clear();
            is_of(|t| matches!(t, Test::Modulo { equal: false, .. }), &mut used);
            runs = wanted.runs();
        }
        if runs.is_none() {
            wanted.others.clear();
            wanted.needles.clear();
            is_of(
                |t| matches!(t, Test::Modulo { equal: false, .. } | Test::Digits { .. }),
                &mut used,
            );
            runs = wanted.runs();
        }
        let selector = Selector { size: counter.size, runs: runs? };
        used.contains(&true).then_some((selector, used))
    }

    /// How many positions there are in all.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many pass.
    pub fn count(&self) -> u64 {
        let count = |run: &Run| match run {
            Run::All(range) => range.end - range.start,
            Run::Each(range, stride) => (range.end - range.start).div_ceil(*stride),
            Run::Digits(walk) => walk.count(),
        };
        self.runs.iter().map(count).sum()
    }

    /// The positions that pass in a tile of `len` points from `start` on, in order.
    pub fn cursor(&self, start: u64, len: usize) -> Cursor<'_> {
        Cursor { runs: self.runs.iter(), tile: start..start + len as u64, current: Way::Done }
    }
}

/// A way through the positions of a tile.
#[derive(Debug)]
pub struct Cursor<'a> {
    runs: std::slice::Iter<'a, Run>,
    tile: Range<u64>,
    current: Way<'a>,
}

/// What is left of a run, as distances from the first point of the tile.
#[derive(Debug)]
enum Way<'a> {
    Done,
    All(Range<usize>),
    Each(std::iter::StepBy<Range<u32>>),
    Digits(Steps<'a>),
}

impl Cursor<'_> {
    /// The next piece, of at most `most` points, and where it is a list, the list; `None` at the
    /// end. Lists are full but for those before a range and at the end.
    pub fn next(&mut self, most: usize, list: &mut Vec<u32>) -> Option<Piece> {
        list.clear();
        loop {
            match &mut self.current {
                Way::Done => {}
                Way::All(range) if !list.is_empty() && range.start < range.end => {
                    return Some(Piece::Each);
                }
                Way::All(range) => {
                    let (start, len) = (range.start, range.len().min(most));
                    range.start += len;
                    if len > 0 {
                        return Some(Piece::Range { start, len });
                    }
                }
                Way::Each(points) => list.extend(points.take(most - list.len())),
                Way::Digits(steps) => {
                    steps.fill(list, most);
                }
            }
            if list.len() == most {
                return Some(Piece::Each);
            }
            match self.runs.next() {
                Some(run) => self.current = self.enter(run),
                None => {
                    self.current = Way::Done;
                    return (!list.is_empty()).then_some(Piece::Each);
                }
            }
        }
    }
}

impl<'a> Cursor<'a> {
    fn enter(&self, run: &'a Run) -> Way<'a> {
        let tile = &self.tile;
        match run {
            Run::All(range) => {
                let (start, end) = (range.start.max(tile.start), range.end.min(tile.end));
                let from = |position: u64| (position - tile.start) as usize;
                if start < end { Way::All(from(start)..from(end)) } else { Way::Done }
            }
            Run::Each(range, stride) => {
                let progression = Progression { first: range.start % stride, stride: *stride };
                let start = progression.from(range.start.max(tile.start));
                let end = range.end.min(tile.end);
                if start >= end {
                    return Way::Done;
                }
                let from = |position: u64| (position - tile.start) as u32;
                let stride = usize::try_from(*stride).unwrap_or(usize::MAX);
                Way::Each((from(start)..from(end)).step_by(stride))
            }
            Run::Digits(walk) => Way::Digits(walk.steps(tile.clone(), tile.start)),
        }
    }
}

/// What is asked of the numbers of a range.
struct Wanted {
    counter: Counter,
    intervals: Vec<Range<u64>>,
    progression: Progression,
    /// Rests that numbers must not have.
    others: Vec<(i64, i64)>,
    needles: Vec<Needle>,
}

impl Wanted {
    fn new(counter: Counter) -> Wanted {
        // Below 0 magnitudes run the other way.
        let turn = counter.first(|k| (k >= 0) == (counter.step > 0));
        let intervals = [0..turn, turn..counter.size];
        Wanted {
            counter,
            intervals: intervals.into_iter().filter(|r| !r.is_empty()).collect(),
            progression: Progression::ALL,
            others: Vec::new(),
            needles: Vec::new(),
        }
    }

    /// Adds a test; false if it stays for others to see to.
    fn add(&mut self, test: &Test) -> bool {
        let size = self.counter.size;
        match test {
            Test::Compare { op, constant, within } => {
                let Some(passing) = self.counter.passing(*op, constant, *within) else {
                    return false;
                };
                let cut = compare::common(&self.intervals, &passing);
                if cut.len() > MOST_INTERVALS {
                    return false;
                }
                self.intervals = cut;
            }
            Test::Missing(false) => {}
            Test::Missing(true) => self.progression = Progression::NONE,
            Test::Modulo { modulus, equal: true, rest } => {
                let passing = progression::passing(&self.counter, *modulus, *rest);
                self.progression = self.progression.and(passing, size);
            }
            Test::Modulo { modulus: 0, equal: false, rest: 0 } => {
                self.progression = Progression::NONE;
            }
            Test::Modulo { modulus, equal: false, rest } => {
                if *modulus != 0 && residue(*modulus, *rest).is_some() {
                    self.others.push((*modulus, *rest));
                }
            }
            Test::Digits { digits, contained } => {
                self.needles.push(Needle { digits: digits.clone(), contained: *contained });
            }
        }
        true
    }

    /// The runs; `None` if the automaton would be too large.
    fn runs(&self) -> Option<Vec<Run>> {
        let stride = self.progression.stride;
        if stride == 0 {
            return Some(Vec::new());
        }
        let mut automata: Vec<(Residues, Arc<Automaton>)> = Vec::new();
        let mut runs = Vec::new();
        for interval in &self.intervals {
            let range = self.progression.from(interval.start)..interval.end;
            if range.is_empty() {
                continue;
            }
            runs.push(if !self.needles.is_empty() || !self.others.is_empty() {
                Run::Digits(self.walk(range, &mut automata)?)
            } else if stride == 1 {
                Run::All(range)
            } else {
                Run::Each(range, stride)
            });
        }
        Some(runs)
    }

    /// A walk through a run of numbers of one sign.
    fn walk(
        &self,
        range: Range<u64>,
        automata: &mut Vec<(Residues, Arc<Automaton>)>,
    ) -> Option<Walk> {
        let start = self.counter.value(range.start);
        let negative = start < 0;
        let residues = self.residues(start.unsigned_abs(), negative)?;
        let known = automata.iter().find(|(r, _)| *r == residues).map(|(_, a)| a.clone());
        let automaton = match known {
            Some(automaton) => automaton,
            None => {
                let automaton = Arc::new(Automaton::new(&self.needles, &residues)?);
                automata.push((residues, automaton.clone()));
                automaton
            }
        };
        let step = self.counter.step;
        Walk::new(
            range,
            start.unsigned_abs(),
            step.unsigned_abs(),
            negative == (step > 0),
            automaton,
        )
    }

    /// The residues of magnitudes that are in the progression and pass.
    fn residues(&self, start: u64, negative: bool) -> Option<Residues> {
        let step =
            u128::from(self.counter.step.unsigned_abs()) * u128::from(self.progression.stride);
        let mut modulus = u64::try_from(step).ok().filter(|m| *m <= automaton::MOST_RESIDUES)?;
        let step = modulus;
        let mut others = Vec::new();
        for (by, rest) in &self.others {
            let (by, rest) = (by.unsigned_abs(), residue(*by, *rest)?);
            others.push((by, if negative { (by - rest) % by } else { rest }));
            let wide =
                u128::from(modulus) / gcd(modulus.into(), by.into()) as u128 * u128::from(by);
            modulus = u64::try_from(wide).ok().filter(|m| *m <= automaton::MOST_RESIDUES)?;
        }
        let passes =
            |r: u64| r % step == start % step && others.iter().all(|(by, rest)| r % by != *rest);
        Some(Residues { modulus, allowed: (0..modulus).map(passes).collect() })
    }
}
