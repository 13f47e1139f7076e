//! Sorting words with a payload: radix passes from the top, small pieces by comparison.

/// A word and the row it belongs to.
pub type Pair = (u64, u32);

/// Pieces of at most so many pairs are sorted by comparison.
const SMALL: usize = 64;

/// Bits of a digit.
const DIGIT: u32 = 8;

/// Sorts by word, then by row; where words are equal, rows must come in ascending order.
pub fn sort(pairs: &mut [Pair]) {
    let mut spare = vec![(0, 0); if pairs.len() > SMALL { pairs.len() } else { 0 }];
    sort_with(pairs, &mut spare);
}

fn sort_with(pairs: &mut [Pair], spare: &mut [Pair]) {
    if pairs.len() <= SMALL {
        pairs.sort_unstable();
        return;
    }
    // Digits that all words share need no pass.
    let first = pairs[0].0;
    let differ = pairs.iter().fold(0, |bits, (word, _)| bits | (word ^ first));
    if differ == 0 {
        return;
    }
    let shift = (u64::BITS - differ.leading_zeros()).saturating_sub(DIGIT);
    let digit = |word: u64| (word >> shift) as usize & ((1 << DIGIT) - 1);
    let mut ends = [0usize; 1 << DIGIT];
    pairs.iter().for_each(|(word, _)| ends[digit(*word)] += 1);
    let mut end = 0;
    for places in &mut ends {
        // Where the next pair of this digit goes; in the end, where those of the next one begin.
        end += std::mem::replace(places, end);
    }
    for pair in pairs.iter() {
        let place = &mut ends[digit(pair.0)];
        spare[*place] = *pair;
        *place += 1;
    }
    pairs.copy_from_slice(spare);
    if shift == 0 {
        return;
    }
    let mut start = 0;
    for end in ends {
        if end - start > 1 {
            sort_with(&mut pairs[start..end], &mut spare[start..end]);
        }
        start = end;
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
                let mut pairs: Vec<Pair> = (0..n).map(|i| (word(i as u64), i as u32)).collect();
                let mut slow = pairs.clone();
                slow.sort_by_key(|(word, _)| *word);
                sort(&mut pairs);
                assert!(pairs == slow, "{n}");
            }
        }
    }
}
