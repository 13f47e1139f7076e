//! Which numbers pass by their digits and their residue: one automaton over decimal digits.
use std::collections::HashMap;

/// A string of digits that a number must contain, or must not.
#[derive(Clone, Debug)]
pub struct Needle {
    /// One digit or more.
    pub digits: String,
    /// Whether it must be there.
    pub contained: bool,
}

/// The residues that pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residues {
    /// What numbers are divided by, at least 1.
    pub modulus: u64,
    /// For each residue whether it passes.
    pub allowed: Vec<bool>,
}

/// An automaton of more states, before equal ones are one, is not made.
const MOST_STATES: usize = 4096;

/// Nor one of more residues.
pub const MOST_RESIDUES: u64 = MOST_STATES as u64;

/// Digits of the longest number: those of 2^64.
pub const DIGITS: usize = 20;

/// The powers of ten that fit.
pub const POWERS: [u64; DIGITS] = {
    let mut powers = [1; DIGITS];
    let mut i = 1;
    while i < DIGITS {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// Reads the digits of a number from the first on, padded with zeros, and then says whether it
/// passes. A state is what all digits so far amount to; state 0 is that there was none but zeros.
#[derive(Debug)]
pub struct Automaton {
    /// For each state, the state after each digit.
    next: Vec<[u16; 10]>,
    /// For each number of digits to come, and each state, how many continuations pass.
    counts: Vec<Vec<u64>>,
}

impl Automaton {
    /// The product of the automata of Knuth, Morris and Pratt of the needles and of the one that
    /// reckons residues, with equal states made one; `None` if it would be too large.
    pub fn new(needles: &[Needle], residues: &Residues) -> Option<Automaton> {
        let product = Product::new(needles, residues)?;
        let (next, passes) = product.minimal();
        let mut counts = vec![passes.iter().map(|p| u64::from(*p)).collect::<Vec<u64>>()];
        for level in 1..DIGITS {
            let below = &counts[level - 1];
            let sum = |row: &[u16; 10]| row.iter().map(|s| below[usize::from(*s)]).sum();
            counts.push(next.iter().map(sum).collect());
        }
        Some(Automaton { next, counts })
    }

    /// The number of states.
    pub fn states(&self) -> usize {
        self.next.len()
    }

    /// How many of the strings of `digits` digits pass after a state.
    pub fn count(&self, state: usize, digits: usize) -> u64 {
        self.counts[digits][state]
    }

    /// The state after the digits of `prefix`, if any of the numbers that begin with it and have
    /// `after` digits more can pass; else how many of the prefix's last digits do not matter for
    /// that.
    pub fn descend(&self, prefix: u64, after: usize) -> Result<usize, usize> {
        let mut state = 0;
        let digits = prefix.checked_ilog10().map_or(0, |n| n as usize + 1);
        for left in (0..digits).rev() {
            let digit = prefix / POWERS[left] % 10;
            state = usize::from(self.next[state][digit as usize]);
            if self.counts[left + after][state] == 0 {
                return Err(left);
            }
        }
        if self.counts[after][state] == 0 { Err(0) } else { Ok(state) }
    }

    /// How many numbers below `n` pass.
    pub fn below(&self, n: u64) -> u64 {
        let (mut state, mut count) = (0, 0);
        for left in (0..DIGITS).rev() {
            let digit = (n / POWERS[left] % 10) as usize;
            for less in &self.next[state][..digit] {
                count += self.counts[left][usize::from(*less)];
            }
            state = usize::from(self.next[state][digit]);
        }
        count
    }

    /// Hands out, ascending, what strings of `digits` digits pass after a state, as numbers.
    pub fn passing(&self, state: usize, digits: usize, before: u64, see: &mut impl FnMut(u64)) {
        if self.counts[digits][state] == 0 {
            return;
        }
        if digits == 0 {
            return see(before);
        }
        for (digit, next) in (0..).zip(&self.next[state]) {
            self.passing(usize::from(*next), digits - 1, before * 10 + digit, see);
        }
    }
}

/// The product as it is found, state by state.
struct Product {
    next: Vec<[u16; 10]>,
    passes: Vec<bool>,
}

/// What the digits so far amount to: how much of each needle their end matches, and the residue.
type Reading = (Vec<u8>, u64);

impl Product {
    fn new(needles: &[Needle], residues: &Residues) -> Option<Product> {
        let tables: Vec<Vec<[u8; 10]>> = needles.iter().map(|n| transitions(&n.digits)).collect();
        let found = |i: usize, state: u8| usize::from(state) + 1 == tables[i].len();
        // `None` where a needle was found that must not be there: nothing passes any more.
        let step = |(matched, residue): &Reading, digit: u64| -> Option<Reading> {
            let matched = (0..tables.len())
                .map(|i| tables[i][usize::from(matched[i])][digit as usize])
                .collect::<Vec<u8>>();
            let lost = (0..tables.len()).any(|i| !needles[i].contained && found(i, matched[i]));
            (!lost).then(|| (matched, (residue * 10 + digit) % residues.modulus))
        };
        let passes = |reading: &Option<Reading>| {
            reading.as_ref().is_some_and(|(matched, residue)| {
                (0..needles.len()).all(|i| found(i, matched[i]) == needles[i].contained)
                    && residues.allowed[*residue as usize]
            })
        };
        let fresh: Reading = (vec![0; needles.len()], 0);
        // State 0: only zeros so far, which are no digits, unless they are all: the number 0.
        let mut product = Product { next: vec![[0; 10]], passes: vec![passes(&step(&fresh, 0))] };
        let mut places: HashMap<Option<Reading>, u16> = HashMap::new();
        let mut found: Vec<Option<Reading>> = vec![Some(fresh)];
        let mut at = 0;
        while at < found.len() {
            for digit in if at == 0 { 1 } else { 0 }..10 {
                let after = found[at].as_ref().and_then(|reading| step(reading, digit));
                let place = *places.entry(after.clone()).or_insert_with(|| {
                    product.next.push([0; 10]);
                    product.passes.push(passes(&after));
                    found.push(after);
                    found.len() as u16 - 1
                });
                product.next[at][digit as usize] = place;
            }
            if found.len() > MOST_STATES {
                return None;
            }
            at += 1;
        }
        Some(product)
    }

    /// With states that no continuation tells apart made one (Moore); state 0 stays the first.
    fn minimal(&self) -> (Vec<[u16; 10]>, Vec<bool>) {
        let mut class: Vec<u16> =
            self.passes.iter().map(|p| u16::from(*p != self.passes[0])).collect();
        let mut count = 0;
        loop {
            let mut places: HashMap<(u16, [u16; 10]), u16> = HashMap::new();
            let refined: Vec<u16> = (self.next.iter().zip(&class))
                .map(|(row, class_of)| {
                    let key = (*class_of, row.map(|s| class[usize::from(s)]));
                    let new = places.len() as u16;
                    *places.entry(key).or_insert(new)
                })
                .collect();
            class = refined;
            if places.len() == count {
                break;
            }
            count = places.len();
        }
        let mut next = vec![[0; 10]; count];
        let mut passes = vec![false; count];
        for (state, place) in class.iter().enumerate() {
            next[usize::from(*place)] = self.next[state].map(|s| class[usize::from(s)]);
            passes[usize::from(*place)] = self.passes[state];
        }
        (next, passes)
    }
}

/// For how much of the needle the end of the text matches, and each digit, how much it matches
/// then; the whole needle stays found.
fn transitions(digits: &str) -> Vec<[u8; 10]> {
    // No number has more digits than that: what is longer is never found.
    let needle: Vec<u8> = digits.bytes().take(DIGITS + 1).map(|b| b - b'0').collect();
    let longest = |matched: usize, digit: u8| {
        let text: Vec<u8> = needle[..matched].iter().copied().chain([digit]).collect();
        (0..=text.len()).rev().find(|n| text.ends_with(&needle[..*n])).unwrap_or(0) as u8
    };
    let row = |matched: usize| std::array::from_fn(|digit| longest(matched, digit as u8));
    let mut table: Vec<[u8; 10]> = (0..needle.len()).map(row).collect();
    table.push([needle.len() as u8; 10]);
    table
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn needle(digits: &str, contained: bool) -> Needle {
        Needle { digits: digits.to_owned(), contained }
    }

    fn residues(modulus: u64, allowed: impl Fn(u64) -> bool) -> Residues {
        Residues { modulus, allowed: (0..modulus).map(allowed).collect() }
    }

    #[test]
    fn agrees_with_text_and_division() {
        let cases = [
            (vec![needle("9", false)], residues(1, |_| true)),
            (vec![needle("0", true)], residues(1, |_| true)),
            (vec![needle("00", false), needle("7", true)], residues(3, |r| r == 1)),
            (vec![needle("1212", true)], residues(10, |r| r != 3)),
            (
                vec![needle("42", true), needle("24", true), needle("1", false)],
                residues(1, |_| true),
            ),
            (vec![], residues(7, |r| r != 0)),
            (vec![needle("123456789012345678901234567890", true)], residues(1, |_| true)),
            (vec![needle("123456789012345678901234567890", false)], residues(1, |_| true)),
        ];
        for (needles, residues) in cases {
            let automaton = Automaton::new(&needles, &residues).unwrap();
            let passes = |n: u64| {
                let text = n.to_string();
                needles.iter().all(|n| text.contains(&n.digits) == n.contained)
                    && residues.allowed[(n % residues.modulus) as usize]
            };
            let mut count = 0;
            for n in 0..130_000 {
                assert_eq!(automaton.below(n), count, "{needles:?} {n}");
                count += u64::from(passes(n));
            }
            for n in [9_999_999_999, 10_000_000_042, (1 << 63) - 1, 1 << 63, u64::MAX - 1] {
                let one = automaton.below(n + 1) - automaton.below(n);
                assert_eq!(one == 1, passes(n), "{needles:?} {n}");
            }
            let mut found = Vec::new();
            automaton.passing(automaton.descend(12, 4).unwrap_or(0), 4, 12, &mut |n| found.push(n));
            let expected: Vec<u64> = (120_000..130_000).filter(|n| passes(*n)).collect();
            if automaton.descend(12, 4).is_ok() {
                assert_eq!(found, expected);
            } else {
                assert_eq!(expected, []);
            }
        }
    }

    #[test]
    fn equal_states_are_one() {
        let nine = Automaton::new(&[needle("9", false)], &residues(1, |_| true)).unwrap();
        // No 9 so far, a 9; and beside them: nothing but zeros, which are no digits yet.
        assert_eq!(nine.states(), 2);
        let zero = Automaton::new(&[needle("0", false)], &residues(1, |_| true)).unwrap();
        assert_eq!(zero.states(), 3);
        let ten = Automaton::new(&[], &residues(100, |r| r == 42)).unwrap();
        assert!(ten.states() <= 4, "{}", ten.states());
        assert!(Automaton::new(&[], &residues(9973, |r| r == 1)).is_none());
    }

    #[test]
    fn dead_ends_are_seen_early() {
        let nine = Automaton::new(&[needle("9", false)], &residues(1, |_| true)).unwrap();
        assert_eq!(nine.descend(1_912_345, 4), Err(5));
        assert_eq!(nine.descend(1_234, 4).map(|_| ()), Ok(()));
        assert_eq!(nine.below(100_000_000), 43_046_721);
    }
}
