//! Whether the decimal notation of an integer contains a string of digits.
use super::{Kernel, slices1};

/// How many numbers one step of the automaton reads: groups of four digits.
const GROUP: u64 = 10_000;

/// The automaton of Knuth, Morris and Pratt, stepping over four digits at a time. A state is
/// how many digits of the needle match at the end of what was read; the last state is final.
pub struct Needle {
    /// The final state.
    found: u8,
    /// The state after a leading group, which has no leading zeros.
    lead: Vec<u8>,
    /// For each state, the state after each group of four digits.
    next: Vec<u8>,
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
        let lead = (0..GROUP).map(|g| run(0, &g.to_string())).collect();
        let groups: Vec<String> = (0..GROUP).map(|g| format!("{g:04}")).collect();
        let next = (0..=found).flat_map(|s| groups.iter().map(move |g| (s, g)));
        let next = next.map(|(s, g)| run(s, g)).collect();
        Some(Needle { found, lead, next })
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
    pub fn find(&self, numbers: &[i64], out: &mut [bool]) {
        // Neighbours mostly share all digits but the last four: their row of the table is kept.
        let (mut first, mut row) = (0, &self.lead[..]);
        for (number, out) in numbers.iter().zip(out) {
            let n = number.unsigned_abs();
            let mut last = n.wrapping_sub(first);
            if last >= GROUP {
                (first, row) = self.row(n);
                last = n - first;
            }
            *out = row[last as usize] == self.found;
        }
    }

    /// The first number that has all digits of `n` but the last four, and the states after it
    /// and those that follow.
    #[cold]
    fn row(&self, n: u64) -> (u64, &[u8]) {
        let high = n / GROUP;
        if high == 0 {
            return (0, &self.lead);
        }
        let start = usize::from(self.state(high)) * GROUP as usize;
        (high * GROUP, &self.next[start..start + GROUP as usize])
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
