//! When operators ran: bounded, however long the run is.
use serde::{Deserialize, Serialize};

/// An operator ran for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Its position among the operators.
    pub operator: u32,
    /// How many calls this stands for.
    pub calls: u32,
    /// Nanoseconds after the profile's origin.
    pub start: u64,
    /// How many nanoseconds.
    pub time: u64,
}

/// So many spans are kept at most.
const MOST: usize = 1 << 14;

/// Spans of one worker, ascending, none over another.
#[derive(Default)]
pub struct Spans {
    list: Vec<Span>,
    grain: u64,
}

impl Spans {
    /// Adds one that began after the end of those before.
    pub fn push(&mut self, operator: u32, start: u64, time: u64) {
        self.list.push(Span { operator, calls: 1, start, time });
        if self.list.len() >= MOST {
            // A quarter as many grains as there is room for spans: some for each operator.
            let all = start + time - self.list[0].start;
            self.grain = self.grain.max(4 * all / MOST as u64).max(1);
            self.merge();
            while self.list.len() > MOST / 2 && self.grain <= all {
                self.grain *= 2;
                self.merge();
            }
        }
    }

    /// The spans, and within how many nanoseconds they were merged.
    pub fn end(self) -> (Vec<Span>, u64) {
        (self.list, self.grain)
    }

    /// Merges spans that began within the same grain: one for each operator, laid one after the
    /// other from where the first began. No time is lost or made.
    fn merge(&mut self) {
        let grain = self.grain;
        let merged: Vec<Span> = self
            .list
            .chunk_by(|a, b| a.start / grain == b.start / grain)
            .flat_map(by_operator)
            .collect();
        self.list = merged;
    }
}

fn by_operator(spans: &[Span]) -> Vec<Span> {
    let mut sums: Vec<Span> = Vec::new();
    for span in spans {
        match sums.iter_mut().find(|s| s.operator == span.operator) {
            Some(sum) => {
                sum.time += span.time;
                sum.calls = sum.calls.saturating_add(span.calls);
            }
            None => sums.push(*span),
        }
    }
    let mut at = spans.first().map_or(0, |s| s.start);
    for sum in &mut sums {
        sum.start = at;
        at += sum.time;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_is_kept_as_it_was() {
        let mut spans = Spans::default();
        spans.push(0, 5, 10);
        spans.push(1, 20, 3);
        let (list, grain) = spans.end();
        assert_eq!(grain, 0);
        assert_eq!(list[1], Span { operator: 1, calls: 1, start: 20, time: 3 });
    }

    #[test]
    fn a_long_run_is_merged_and_loses_no_time() {
        let mut spans = Spans::default();
        let (mut at, mut times, count) = (0, [0, 0, 0], 300_000u64);
        for i in 0..count {
            let (operator, time) = ((i % 3) as usize, 100 + i % 7);
            spans.push(operator as u32, at, time);
            times[operator] += time;
            // Now and then nothing runs.
            at += time + if i % 1000 == 0 { 50_000 } else { 3 };
        }
        let (list, grain) = spans.end();
        assert!(list.len() < MOST && list.len() > MOST / 16, "{}", list.len());
        assert!(grain > 0);
        let mut sums = [0, 0, 0];
        list.iter().for_each(|s| sums[s.operator as usize] += s.time);
        assert_eq!(sums, times);
        assert_eq!(list.iter().map(|s| u64::from(s.calls)).sum::<u64>(), count);
        assert!(list.is_sorted_by(|a, b| a.start + a.time <= b.start));
    }
}
