//! Which positions of a range have a given rest: an arithmetic progression.
use super::compare::Counter;

/// The positions `first`, `first + stride`, …; none if `stride` is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progression {
    /// Below `stride`.
    pub first: u64,
    /// Their distance.
    pub stride: u64,
}

impl Progression {
    /// All positions.
    pub const ALL: Progression = Progression { first: 0, stride: 1 };
    /// No position.
    pub const NONE: Progression = Progression { first: 0, stride: 0 };

    /// The first one from `position` on.
    pub fn from(&self, position: u64) -> u64 {
        let gap = (i128::from(self.first) - i128::from(position)).rem_euclid(self.stride.into());
        position.saturating_add(gap as u64)
    }

    /// Those that are also in another one, as far as positions below `size` go.
    pub fn and(self, other: Progression, size: u64) -> Progression {
        if self.stride == 0 || other.stride == 0 {
            return Progression::NONE;
        }
        // Of a progression that has only one position there is no need to know more.
        for (a, b) in [(self, other), (other, self)] {
            if a.stride >= size {
                return if b.from(a.first) == a.first { a } else { Progression::NONE };
            }
        }
        let (p, q) = (i128::from(self.stride), i128::from(other.stride));
        let common = gcd(p, q);
        let gap = i128::from(other.first) - i128::from(self.first);
        if gap % common != 0 {
            return Progression::NONE;
        }
        let turns = (gap / common * inverse(p / common, q / common)).rem_euclid(q / common);
        let (first, stride) = (i128::from(self.first) + p * turns, p / common * q);
        match u64::try_from(first) {
            Ok(first) => Progression { first, stride: u64::try_from(stride).unwrap_or(u64::MAX) },
            Err(_) => Progression::NONE,
        }
    }
}

/// The residue that numbers must have modulo `modulus` (its magnitude) so that `k % modulus`, which
/// has the sign of the modulus, is `rest`; `None` if it never is. The modulus is not 0.
pub fn residue(modulus: i64, rest: i64) -> Option<u64> {
    let within = match modulus > 0 {
        true => (0..modulus).contains(&rest),
        false => rest > modulus && rest <= 0,
    };
    within.then(|| i128::from(rest).rem_euclid(i128::from(modulus).abs()) as u64)
}

/// The positions at which `k % modulus == rest`.
pub fn passing(counter: &Counter, modulus: i64, rest: i64) -> Progression {
    if modulus == 0 {
        return if rest == 0 { Progression::ALL } else { Progression::NONE };
    }
    let Some(residue) = residue(modulus, rest) else { return Progression::NONE };
    // start + step * position = residue, modulo m
    let m = i128::from(modulus).abs();
    let (step, gap) = (i128::from(counter.step), i128::from(residue) - i128::from(counter.start));
    let common = gcd(step.abs(), m);
    if gap % common != 0 {
        return Progression::NONE;
    }
    let stride = m / common;
    let turns = (step / common).rem_euclid(stride);
    let first = ((gap / common).rem_euclid(stride) * inverse(turns, stride)).rem_euclid(stride);
    Progression { first: first as u64, stride: stride as u64 }
}

/// The greatest common divisor of numbers that are not negative.
pub fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The inverse of `a` modulo `m`, which have no common divisor (Euclid's extended algorithm).
fn inverse(a: i128, m: i128) -> i128 {
    let (mut old, mut new) = ((a.rem_euclid(m), 1), (m, 0));
    while new.0 != 0 {
        let quotient = old.0 / new.0;
        (old, new) = (new, (old.0 - quotient * new.0, old.1 - quotient * new.1));
    }
    old.1.rem_euclid(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_are_found_by_trying() {
        for start in -7..7 {
            for step in [-5, -3, -2, -1, 1, 2, 4, 6] {
                let counter = Counter { start, step, size: 60 };
                for modulus in -6..=6 {
                    for rest in -6..=6 {
                        let found = passing(&counter, modulus, rest);
                        for position in 0..counter.size {
                            let k = counter.value(position);
                            let floored = k.checked_rem_euclid(modulus.abs()).unwrap_or(0);
                            let floored = if modulus < 0 && floored > 0 {
                                floored + modulus
                            } else {
                                floored
                            };
                            let is = found.stride > 0 && position % found.stride == found.first;
                            assert_eq!(is, floored == rest, "{k} % {modulus} == {rest}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn progressions_meet() {
        let all =
            |p: Progression| (0..500).filter(move |i| p.stride > 0 && i % p.stride == p.first);
        for (p, q) in (1..12).flat_map(|p| (1..12).map(move |q| (p, q))) {
            for (a, b) in (0..p).flat_map(|a| (0..q).map(move |b| (a, b))) {
                let (x, y) =
                    (Progression { first: a, stride: p }, Progression { first: b, stride: q });
                let both: Vec<u64> = all(x).filter(|i| i % q == b).collect();
                for size in [500, 10, 5] {
                    let found = all(x.and(y, size)).filter(|i| *i < size);
                    let expected = both.iter().copied().filter(|i| *i < size);
                    assert!(found.eq(expected), "{x:?} {y:?} {size}");
                }
            }
        }
        let huge = Progression { first: 5, stride: i64::MAX as u64 };
        assert_eq!(huge.and(Progression { first: 2, stride: 3 }, 1 << 62), huge);
        assert_eq!(huge.and(Progression { first: 1, stride: 3 }, 1 << 62), Progression::NONE);
    }
}
