//! Sorting words with a payload: radix passes from the top, small pieces by comparison.

/// A word and the row it belongs to.
pub type Pair = (u64, u32);

/// Pieces of at most so many pairs are sorted by comparison.
const SMALL: usize = 64;

/// The most bits of a digit: so many places that are written to by turns stay in the cache.
const MOST_BITS: u32 = 11;

/// Rows, which come in ascending order, and their words, sorted by word, then by row.
pub fn sorted(rows: &[u32], word: impl Fn(u32) -> u64) -> Vec<Pair> {
    let words = || rows.iter().map(|row| word(*row));
    let digit = Digit::first(words()).filter(|_| rows.len() > SMALL);
    let Some(digit) = digit else {
        let mut pairs: Vec<Pair> = words().zip(rows.iter().copied()).collect();
        pairs.sort_unstable();
        return pairs;
    };
    // The first pass goes from the words straight to their places.
    let mut ends = digit.starts(words());
    let mut pairs = vec![(0, 0); rows.len()];
    for (word, row) in words().zip(rows) {
        let place = &mut ends[digit.of(word)];
        pairs[*place as usize] = (word, *row);
        *place += 1;
    }
    if digit.shift == 0 {
        return pairs;
    }
    let mut spare = Vec::new();
    let mut start = 0;
    for end in digit.ends(&ends) {
        let piece = &mut pairs[start..end];
        if piece.len() > spare.len() {
            spare.resize(piece.len(), (0, 0));
        }
        sort(piece, &mut spare);
        start = end;
    }
    pairs
}

/// The spare room is at least as long.
fn sort(pairs: &mut [Pair], spare: &mut [Pair]) {
    if pairs.len() <= SMALL {
        pairs.sort_unstable();
        return;
    }
    let Some(digit) = Digit::first(pairs.iter().map(|pair| pair.0)) else { return };
    let mut ends = digit.starts(pairs.iter().map(|pair| pair.0));
    for pair in pairs.iter() {
        let place = &mut ends[digit.of(pair.0)];
        spare[*place as usize] = *pair;
        *place += 1;
    }
    pairs.copy_from_slice(&spare[..pairs.len()]);
    if digit.shift == 0 {
        return;
    }
    let mut start = 0;
    for end in digit.ends(&ends) {
        if end - start > 1 {
            sort(&mut pairs[start..end], spare);
        }
        start = end;
    }
}

/// Where each digit's words begin or, later, end.
type Places = [u32; 1 << MOST_BITS];

/// Some bits of words.
#[derive(Clone, Copy)]
struct Digit {
    shift: u32,
    bits: u32,
}

impl Digit {
    /// The highest bits from where words differ on, so many that of evenly spread words about eight
    /// have the same; `None` if they do not differ.
    fn first(mut words: impl Iterator<Item = u64>) -> Option<Digit> {
        let first = words.next()?;
        let (count, differ) =
            words.fold((1u64, 0), |(n, bits), word| (n + 1, bits | (word ^ first)));
        let bits = count.ilog2().saturating_sub(3).clamp(1, MOST_BITS);
        let shift = (u64::BITS - differ.leading_zeros()).saturating_sub(bits);
        (differ != 0).then_some(Digit { shift, bits })
    }

    fn of(self, word: u64) -> usize {
        (word >> self.shift) as usize & ((1 << self.bits) - 1)
    }

    /// Where the words of each digit begin.
    fn starts(self, words: impl Iterator<Item = u64>) -> Places {
        let mut places = [0; 1 << MOST_BITS];
        words.for_each(|word| places[self.of(word)] += 1);
        let mut end = 0;
        for place in &mut places[..1 << self.bits] {
            end += std::mem::replace(place, end);
        }
        places
    }

    fn ends(self, places: &Places) -> impl Iterator<Item = usize> + use<'_> {
        places[..1 << self.bits].iter().map(|end| *end as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;

    #[test]
    fn as_a_stable_sort() {
        for n in [0usize, 1, 2, 63, 64, 65, 1000, 70_000] {
            let kinds: [&dyn Fn(u64) -> u64; 7] = [
                &hash::word,
                &|i| hash::word(i) % 5,
                &|_| 7,
                &|i| i,
                &|i| !i,
                &|i| hash::word(i) % 1000 + (1 << 63),
                &|i| (hash::word(i) as f64).ln().to_bits(),
            ];
            for word in kinds {
                let rows: Vec<u32> = (0..n as u32).collect();
                let mut slow: Vec<Pair> = rows.iter().map(|i| (word((*i).into()), *i)).collect();
                slow.sort_by_key(|(word, _)| *word);
                assert!(sorted(&rows, |row| word(row.into())) == slow, "{n}");
            }
        }
    }
}
