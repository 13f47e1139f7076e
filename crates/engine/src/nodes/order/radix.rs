//! Sorting words with a payload: radix passes from the top, small pieces by comparison.

/// A word and the row it belongs to.
pub type Pair = (u64, u32);

/// Pieces of at most so many pairs are sorted by comparison.
const SMALL: usize = 64;

/// Bits of a digit.
const DIGIT: u32 = 8;
const DIGITS: usize = 1 << DIGIT;

/// Rows, which come in ascending order, and their words, sorted by word, then by row.
pub fn sorted(rows: &[u32], word: impl Fn(u32) -> u64) -> Vec<Pair> {
    let words = || rows.iter().map(|row| word(*row));
    let shift = shift(words());
    let Some(shift) = shift.filter(|_| rows.len() > SMALL) else {
        let mut pairs: Vec<Pair> = words().zip(rows.iter().copied()).collect();
        pairs.sort_unstable();
        return pairs;
    };
    // The first pass goes from the words straight to their places.
    let mut ends = starts(words(), shift);
    let mut pairs = vec![(0, 0); rows.len()];
    for (word, row) in words().zip(rows) {
        let place = &mut ends[digit(word, shift)];
        pairs[*place] = (word, *row);
        *place += 1;
    }
    let pieces = || ends.iter().scan(0, |start, end| Some(std::mem::replace(start, *end)..*end));
    let mut spare = vec![(0, 0); pieces().map(|piece| piece.len()).max().unwrap_or(0)];
    for piece in pieces().filter(|_| shift > 0) {
        let n = piece.len();
        sort(&mut pairs[piece], &mut spare[..n]);
    }
    pairs
}

fn sort(pairs: &mut [Pair], spare: &mut [Pair]) {
    if pairs.len() <= SMALL {
        pairs.sort_unstable();
        return;
    }
    let Some(shift) = shift(pairs.iter().map(|pair| pair.0)) else { return };
    let mut ends = starts(pairs.iter().map(|pair| pair.0), shift);
    for pair in pairs.iter() {
        let place = &mut ends[digit(pair.0, shift)];
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
            sort(&mut pairs[start..end], &mut spare[start..end]);
        }
        start = end;
    }
}

/// Where the highest digit begins in which words differ; `None` if they do not.
fn shift(words: impl Iterator<Item = u64>) -> Option<u32> {
    let mut words = words;
    let first = words.next()?;
    let differ = words.fold(0, |bits, word| bits | (word ^ first));
    (differ != 0).then(|| (u64::BITS - differ.leading_zeros()).saturating_sub(DIGIT))
}

fn digit(word: u64, shift: u32) -> usize {
    (word >> shift) as usize & (DIGITS - 1)
}

/// Where the words of each digit begin.
fn starts(words: impl Iterator<Item = u64>, shift: u32) -> [usize; DIGITS] {
    let mut places = [0; DIGITS];
    words.for_each(|word| places[digit(word, shift)] += 1);
    let mut end = 0;
    for place in &mut places {
        end += std::mem::replace(place, end);
    }
    places
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
