//! Walks along the numbers whose digits pass, in groups of ten thousand.
use super::automaton::{Automaton, POWERS};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The digits that the numbers of a group differ in.
const DIGITS: usize = 4;
/// The numbers of a group.
const GROUP: u64 = POWERS[DIGITS];
/// The most places that the lists of an automaton may hold together.
const MOST_LISTED: u64 = 1 << 22;

/// Positions whose numbers' magnitudes are `start`, `start ± step`, … of which an automaton says
/// which ones pass.
#[derive(Debug)]
pub struct Walk {
    /// The positions.
    pub positions: Range<u64>,
    start: u64,
    step: u64,
    descending: bool,
    automaton: Arc<Automaton>,
    /// For each state, once it is met: where the numbers of a group that pass stand, counted
    /// from where the first of the group would.
    lists: Vec<OnceLock<Box<[u16]>>>,
}

impl Walk {
    /// `start` is the magnitude at the first of the positions; the automaton lets pass only
    /// numbers that stand at a position. `None` if the lists would be too long.
    pub fn new(
        positions: Range<u64>,
        start: u64,
        step: u64,
        descending: bool,
        automaton: Arc<Automaton>,
    ) -> Option<Walk> {
        let listed: u64 = (0..automaton.states()).map(|s| automaton.count(s, DIGITS)).sum();
        let lists = (0..automaton.states()).map(|_| OnceLock::new()).collect();
        (listed <= MOST_LISTED).then_some(Walk {
            positions,
            start,
            step,
            descending,
            automaton,
            lists,
        })
    }

    /// How many pass.
    pub fn count(&self) -> u64 {
        let Some(last) = self.positions.end.checked_sub(1).filter(|l| *l >= self.positions.start)
        else {
            return 0;
        };
        let (a, b) = (self.start, self.magnitude(last));
        self.automaton.below(a.max(b) + 1) - self.automaton.below(a.min(b))
    }

    /// The magnitude of the number at a position.
    fn magnitude(&self, position: u64) -> u64 {
        let way = (position - self.positions.start) * self.step;
        if self.descending { self.start - way } else { self.start + way }
    }

    /// The position at which a group's list is 0. It may lie before the first one.
    fn base(&self, group: u64) -> i64 {
        let (start, first) = (i128::from(self.start), i128::from(group) * i128::from(GROUP));
        let (step, most) = (i128::from(self.step), i128::from((GROUP - 1) / self.step));
        let offset = (start - first).rem_euclid(step);
        let way = match self.descending {
            true => (start - first - offset) / step - most,
            false => (first + offset - start) / step,
        };
        (i128::from(self.positions.start) + way) as i64
    }

    /// The places of the numbers that pass after a state, ascending.
    fn list(&self, state: usize) -> &[u16] {
        self.lists[state].get_or_init(|| {
            let mut list = Vec::with_capacity(self.automaton.count(state, DIGITS) as usize);
            let see = &mut |offset: u64| list.push((offset / self.step) as u16);
            self.automaton.passing(state, DIGITS, 0, see);
            if self.descending {
                let most = ((GROUP - 1) / self.step) as u16;
                list.iter_mut().for_each(|place| *place = most - *place);
                list.reverse();
            }
            list.into()
        })
    }

    /// The positions that pass, of those in `window`; they are given as distances from `zero`.
    pub fn steps(&self, window: Range<u64>, zero: u64) -> Steps<'_> {
        let start = self.positions.start.max(window.start);
        let end = self.positions.end.min(window.end);
        let group = |position| self.magnitude(position) / GROUP;
        let groups = (start < end).then(|| (group(start), group(end - 1)));
        Steps { walk: self, window: start..end, zero, groups, list: &[], base: 0 }
    }
}

/// A way along the positions that pass.
#[derive(Debug)]
pub struct Steps<'a> {
    walk: &'a Walk,
    window: Range<u64>,
    zero: u64,
    /// The group that comes next, and the last one.
    groups: Option<(u64, u64)>,
    /// What is left of the list of the group before.
    list: &'a [u16],
    /// The position at which the list is 0, from `zero`.
    base: u32,
}

impl Steps<'_> {
    /// Appends the next positions until `most` are there; false if there are no more.
    pub fn fill(&mut self, positions: &mut Vec<u32>, most: usize) -> bool {
        loop {
            let count = self.list.len().min(most - positions.len());
            let (now, later) = self.list.split_at(count);
            positions.extend(now.iter().map(|place| self.base.wrapping_add(u32::from(*place))));
            self.list = later;
            if positions.len() == most {
                return true;
            }
            if !self.turn() {
                return false;
            }
        }
    }

    /// Goes on to the next group in which a number passes.
    fn turn(&mut self) -> bool {
        let walk = self.walk;
        while let Some((group, last)) = self.groups {
            // Groups in which nothing passes are left out together.
            let (done, state) = match walk.automaton.descend(group, DIGITS) {
                Ok(state) => (0, Some(state)),
                Err(digits) => (digits, None),
            };
            let power = POWERS[done];
            self.groups = match walk.descending {
                true => (group / power * power).checked_sub(1).filter(|g| *g >= last),
                false => Some((group / power + 1) * power).filter(|g| *g <= last),
            }
            .map(|next| (next, last));
            if let Some(state) = state {
                let base = walk.base(group);
                self.list = self.within(walk.list(state), base);
                self.base = base.wrapping_sub(self.zero as i64) as u32;
                return true;
            }
        }
        false
    }

    /// The part of a list that lies in the window.
    fn within<'b>(&self, list: &'b [u16], base: i64) -> &'b [u16] {
        let (start, end) = (self.window.start as i64, self.window.end as i64);
        let list = &list[list.partition_point(|place| base + i64::from(*place) < start)..];
        &list[..list.partition_point(|place| base + i64::from(*place) < end)]
    }
}
