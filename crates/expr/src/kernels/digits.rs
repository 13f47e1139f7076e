//! Whether the decimal notation of an integer contains a string of digits.
use super::{Kernel, slices1};
use crate::isa::{self, Loop};

/// How many numbers one step of the automaton reads: groups of four digits.
const GROUP: u64 = 10_000;

/// The automaton of Knuth, Morris and Pratt, stepping over four digits at a time. A state is
/// how many digits of the needle match at the end of what was read; the last state is final.
pub struct Needle {
    /// The state after a leading group, which has no leading zeros.
    lead: Vec<u8>,
    /// For each state, the state after each group of four digits.
    next: Vec<u8>,
    /// For each leading group, then for each state and group: whether the final state follows.
    hits: Vec<bool>,
}

impl Needle {
    /// For a needle of digits; `None` if it is empty or holds anything else.
    pub fn new(digits: &str) -> Option<Needle> {
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // No int64 has more than 19 digits: what is longer is never found.
        let needle: Vec<u8> = digits.bytes().take(20).map(|b| b - b'0').collect();
        let found = needle.len() as u8;
        let step = transitions(&needle);
        let run = |state: u8, digits: &str| {
            digits.bytes().fold(state, |s, d| step[usize::from(s)][usize::from(d - b'0')])
        };
        let lead: Vec<u8> = (0..GROUP).map(|g| run(0, &g.to_string())).collect();
        let groups: Vec<String> = (0..GROUP).map(|g| format!("{g:04}")).collect();
        let next = (0..=found).flat_map(|s| groups.iter().map(move |g| (s, g)));
        let next: Vec<u8> = next.map(|(s, g)| run(s, g)).collect();
        let hits = lead.iter().chain(&next).map(|s| *s == found).collect();
        Some(Needle { lead, next, hits })
    }

    /// The state after all digits of `n`.
    #[inline]
    fn state(&self, n: u64) -> u8 {
        if n < GROUP {
            return self.lead[n as usize];
        }
        self.after(self.state(n / GROUP), n % GROUP)
    }

    #[inline(always)]
    fn after(&self, state: u8, group: u64) -> u8 {
        self.next[usize::from(state) * GROUP as usize + group as usize]
    }

    /// Whether each of the numbers contains the needle; signs are ignored.
    pub fn find(&self, mut numbers: &[i64], mut out: &mut [bool]) {
        while let Some(first) = numbers.first() {
            let run = count_up(numbers);
            let len = if run > 0 { run } else { PIECE.min(numbers.len()) };
            let (found, after) = out.split_at_mut(len);
            match run {
                0 => self.find_each(&numbers[..len], found),
                _ => self.find_run(first.unsigned_abs(), found),
            }
            (numbers, out) = (&numbers[len..], after);
        }
    }

    /// The same for all numbers from `n` on: rows of the table as they stand.
    fn find_run(&self, mut n: u64, mut out: &mut [bool]) {
        while !out.is_empty() {
            let (first, row) = self.row(n);
            let row = &row[(n - first) as usize..];
            let (here, after) = out.split_at_mut(row.len().min(out.len()));
            here.copy_from_slice(&row[..here.len()]);
            (n, out) = (n + here.len() as u64, after);
        }
    }

    fn find_each(&self, numbers: &[i64], out: &mut [bool]) {
        // Neighbours mostly share all digits but the last four: their row of the table is kept.
        let (mut first, mut row) = (0, &self.hits[..GROUP as usize]);
        for (number, out) in numbers.iter().zip(out) {
            let n = number.unsigned_abs();
            let mut last = n.wrapping_sub(first);
            if last >= GROUP {
                (first, row) = self.row(n);
                last = n - first;
            }
            *out = row[last as usize];
        }
    }

    /// The first number that has all digits of `n` but the last four, and whether it and those
    /// that follow contain the needle.
    #[cold]
    fn row(&self, n: u64) -> (u64, &[bool]) {
        let high = n / GROUP;
        let row = if high == 0 { 0 } else { 1 + usize::from(self.state(high)) };
        (high * GROUP, &self.hits[row * GROUP as usize..][..GROUP as usize])
    }

    /// The kernel: int64 → bool.
    pub fn kernel(self) -> Kernel {
        slices1(move |numbers: &[i64], out: &mut [bool]| match numbers {
            [one] => {
                let mut found = [false];
                self.find(&[*one], &mut found);
                out.fill(found[0]);
            }
            each => self.find(each, out),
        })
    }
}

/// Numbers that are tested together.
const PIECE: usize = 256;

/// How many of the first numbers are each one more than the one before, from 0 or more on; 0 if
/// those of the first piece are not.
fn count_up(numbers: &[i64]) -> usize {
    let mut len = 0;
    for piece in numbers.chunks(PIECE) {
        let first = numbers[0].checked_add(len as i64).filter(|n| *n >= 0);
        let last = first.and_then(|n| n.checked_add(piece.len() as i64));
        match (first, last) {
            (Some(first), Some(_)) if isa::run(Consecutive(first, piece)) => len += piece.len(),
            _ => break,
        }
    }
    len
}

/// Whether these are the numbers from this one on.
struct Consecutive<'a>(i64, &'a [i64]);

impl Loop for Consecutive<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut all = true;
        for (i, n) in self.1.iter().enumerate() {
            all &= *n == self.0 + i as i64;
        }
        all
    }
}

/// The automaton's next state for each state and digit; the final state is never left.
fn transitions(needle: &[u8]) -> Vec<[u8; 10]> {
    let mut table = vec![[0u8; 10]; needle.len() + 1];
    let mut border = 0;
    for (state, digit) in needle.iter().enumerate() {
        table[state] = if state == 0 { [0; 10] } else { table[border] };
        let old = usize::from(table[state][usize::from(*digit)]);
        table[state][usize::from(*digit)] = state as u8 + 1;
        if state > 0 {
            border = old;
        }
    }
    table[needle.len()] = [needle.len() as u8; 10];
    table
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn agrees_with_text() {
        let mut numbers: Vec<i64> = (0..30_000).collect();
        numbers.extend((0..20_000).map(|i| i * 7_919 * 104_729 * 3_571 - 1_000_000_000_000));
        numbers.extend([i64::MIN, i64::MAX, -9, -10_000, 100_000_000, 10_009_000_042]);
        numbers.extend((0..1000).rev().map(|i| i * 9_999));
        numbers.extend(-600..600);
        numbers.extend(i64::MAX - 1000..=i64::MAX);
        numbers.extend(i64::MIN..i64::MIN + 300);
        numbers.extend(123_456_789_000..123_456_829_000);
        for digits in [
            "9",
            "0",
            "1",
            "42",
            "00",
            "314",
            "99",
            "1212",
            "90009",
            "9223372036854775807",
            "00000000000000000000000",
        ] {
            let mut found = vec![false; numbers.len()];
            Needle::new(digits).unwrap().find(&numbers, &mut found);
            for (n, found) in numbers.iter().zip(found) {
                assert_eq!(found, n.unsigned_abs().to_string().contains(digits), "{digits} in {n}");
            }
        }
        assert!(Needle::new("").is_none() && Needle::new("4x").is_none());
    }
}
