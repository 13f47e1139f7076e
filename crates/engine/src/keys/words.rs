//! From words to codes. Integers that lie close together index a window; all others are looked up
//! in a hash table with open addressing, a power of two of places, at most half of them taken.
use crate::hash;
use expr::isa::{self, Loop, prefetch};

/// A window may always be as wide as this: places that nobody asks for cost no memory.
const WINDOW: usize = 1 << 22;

/// Else a window has at most so many places for each code.
const SPARSE: usize = 4;

/// How many words ahead the memory of a place is asked for: large tables are in no cache.
const AHEAD: usize = 16;

/// A free place in a table.
const FREE: u32 = super::NONE;

/// So many words are hashed before they are looked up.
const BLOCK: usize = 256;

/// The codes of the words seen so far, numbered from 0 by first appearance.
#[derive(Default)]
pub struct Words {
    values: Vec<u64>,
    /// The code that stands for no word.
    reserved: Option<u32>,
    /// Codes plus 1 of the words from `start` on; 0 where there is none.
    window: Vec<u32>,
    start: u64,
    /// Words and their codes plus 1, 0 where there is none; empty as long as there is a window.
    slots: Vec<(u64, u32)>,
    hashes: Vec<u64>,
    /// So many codes are likely to come.
    expected: usize,
}

impl Words {
    /// None yet, but it is known about how many will come: room is made once.
    pub fn expecting(codes: usize) -> Words {
        Words { expected: codes, ..Words::default() }
    }

    /// How many codes there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Bytes of memory that this takes, or will take soon.
    pub fn bytes(&self) -> usize {
        // The places of a window that nobody has asked for are in no memory: a page is a group's
        // at most. A table that is nearly full is about to double.
        const PAGE: usize = 4096;
        let window = (self.window.len() * 4).min(self.values.len() * PAGE);
        let full = self.values.len() * 16 >= self.slots.len() * 9;
        let slots = self.slots.len() * size_of::<(u64, u32)>() * if full { 2 } else { 1 };
        window + slots + self.values.capacity() * 8 + self.hashes.capacity() * 8
    }

    /// The word of a code.
    pub fn value(&self, code: u32) -> u64 {
        self.values[code as usize]
    }

    /// Forgets all codes and gives the memory back.
    pub fn clear(&mut self) {
        *self = Words::default();
    }

    /// Forgets all codes and keeps the memory: about as many will come again.
    pub fn empty(&mut self) {
        self.values.clear();
        self.reserved = None;
        self.window = Vec::new();
        self.slots.fill((0, 0));
    }

    /// A code that no word has.
    pub fn reserve_code(&mut self) -> u32 {
        let code = self.values.len() as u32;
        self.values.push(0);
        self.reserved = Some(code);
        code
    }

    /// The code of each word.
    pub fn codes(&mut self, words: &[u64], codes: &mut [u32]) {
        if words.is_empty() {
            return;
        }
        if self.slots.is_empty() && self.open_window(words) {
            self.look_up_in_window(words, codes);
        } else {
            self.look_up_by_hash(words, codes);
        }
    }

    /// The code of each word; [`FREE`] where it has none.
    pub fn find(&self, words: &[u64], codes: &mut [u32]) {
        if self.slots.is_empty() {
            return self.find_in_window(words, codes);
        }
        let mask = self.slots.len() - 1;
        let mut hashes = [0; BLOCK];
        for (words, codes) in words.chunks(BLOCK).zip(codes.chunks_mut(BLOCK)) {
            let hashes = &mut hashes[..words.len()];
            isa::run(Hashes(words, hashes));
            for (i, ((word, hash), code)) in words.iter().zip(&*hashes).zip(codes).enumerate() {
                let soon = hashes.get(i + AHEAD).map(|hash| *hash as usize & mask);
                if let Some(slot) = soon.and_then(|at| self.slots.get(at)) {
                    prefetch(slot);
                }
                let mut at = *hash as usize & mask;
                while self.slots[at].1 != 0 && self.slots[at].0 != *word {
                    at = (at + 1) & mask;
                }
                // One less than nothing is `FREE`.
                *code = self.slots[at].1.wrapping_sub(1);
            }
        }
    }

    fn find_in_window(&self, words: &[u64], codes: &mut [u32]) {
        let place = |word: &u64| self.window.get(word.wrapping_sub(self.start) as usize);
        for (i, (word, code)) in words.iter().zip(codes).enumerate() {
            if let Some(place) = words.get(i + AHEAD).and_then(place) {
                prefetch(place);
            }
            // A place that nobody has is 0, one less is `FREE`.
            *code = place(word).map_or(FREE, |code| code.wrapping_sub(1));
        }
    }

    fn look_up_in_window(&mut self, words: &[u64], codes: &mut [u32]) {
        for (i, (word, code)) in words.iter().zip(codes).enumerate() {
            let soon = words.get(i + AHEAD).map(|word| word.wrapping_sub(self.start) as usize);
            if let Some(place) = soon.and_then(|at| self.window.get(at)) {
                prefetch(place);
            }
            let place = &mut self.window[word.wrapping_sub(self.start) as usize];
            if *place == 0 {
                self.values.push(*word);
                *place = self.values.len() as u32;
            }
            *code = *place - 1;
        }
    }

    /// Makes the window cover these words; if it would be too wide, gives it up for a hash table.
    fn open_window(&mut self, words: &[u64]) -> bool {
        let (low, high) = isa::run(Bounds(words));
        let inside = |x: i64| (x as u64).wrapping_sub(self.start) < self.window.len() as u64;
        if inside(low) && inside(high) {
            return true;
        }
        let (first, last) = match self.window.len() {
            0 => (low, high),
            n => {
                let start = self.start as i64;
                (low.min(start), high.max(start.saturating_add(n as i64 - 1)))
            }
        };
        let codes = self.values.len().max(self.expected);
        let most = WINDOW.max(SPARSE * codes);
        let span = last.abs_diff(first);
        if span >= most as u64 {
            let size = (self.values.len() * 4).max(self.expected * 2);
            self.grow(size.next_power_of_two().max(1 << 10));
            self.window = Vec::new();
            return false;
        }
        // Room to grow on the side where it grew.
        let size = (2 * (span as usize + 1)).clamp(1 << 10, most);
        let room = size as u64 - (span + 1);
        let down = !self.window.is_empty() && low < self.start as i64;
        self.start = (first as u64).wrapping_sub(if down { room } else { 0 });
        self.window = vec![0; size];
        for (code, word) in self.values.iter().enumerate() {
            if Some(code as u32) != self.reserved {
                self.window[word.wrapping_sub(self.start) as usize] = code as u32 + 1;
            }
        }
        true
    }

    fn look_up_by_hash(&mut self, words: &[u64], codes: &mut [u32]) {
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.resize(words.len(), 0);
        isa::run(Hashes(words, &mut hashes));
        for (i, ((word, hash), code)) in words.iter().zip(&hashes).zip(codes).enumerate() {
            let soon = hashes.get(i + AHEAD).map(|hash| *hash as usize & (self.slots.len() - 1));
            if let Some(slot) = soon.and_then(|at| self.slots.get(at)) {
                prefetch(slot);
            }
            *code = self.code(*word, *hash);
        }
        self.hashes = hashes;
    }

    #[inline]
    fn code(&mut self, word: u64, hash: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let (there, code) = self.slots[at];
            if code == 0 {
                return self.insert(word, at);
            }
            if there == word {
                return code - 1;
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&mut self, word: u64, at: usize) -> u32 {
        let code = self.values.len() as u32;
        self.slots[at] = (word, code + 1);
        self.values.push(word);
        let size = self.slots.len();
        if self.values.len() * 8 >= size * 5 {
            self.grow(if size < 1 << 16 { size * 4 } else { size * 2 });
        }
        code
    }

    fn grow(&mut self, size: usize) {
        // Never the old table and the new one at once: all that is in it is in `values` too. The
        // old one's memory stays, since a page that comes from the system costs more than to write it.
        self.slots.clear();
        self.slots.resize(size, (0, 0));
        let (mask, mut hashes) = (size - 1, [0; BLOCK]);
        for (block, words) in self.values.chunks(BLOCK).enumerate() {
            let hashes = &mut hashes[..words.len()];
            isa::run(Hashes(words, hashes));
            for (i, (word, hash)) in words.iter().zip(&*hashes).enumerate() {
                let soon = hashes.get(i + AHEAD).map(|hash| *hash as usize & mask);
                if let Some(slot) = soon.and_then(|at| self.slots.get(at)) {
                    prefetch(slot);
                }
                let code = (block * BLOCK + i) as u32;
                if Some(code) == self.reserved {
                    continue;
                }
                let mut at = *hash as usize & mask;
                while self.slots[at].1 != 0 {
                    at = (at + 1) & mask;
                }
                self.slots[at] = (*word, code + 1);
            }
        }
    }
}

/// The least and the greatest of some words, as integers with a sign.
struct Bounds<'a>(&'a [u64]);

impl Loop for Bounds<'_> {
    type Output = (i64, i64);

    #[inline(always)]
    fn run(self) -> (i64, i64) {
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for word in self.0 {
            low = low.min(*word as i64);
            high = high.max(*word as i64);
        }
        (low, high)
    }
}

struct Hashes<'a>(&'a [u64], &'a mut [u64]);

impl Loop for Hashes<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.1.iter_mut().zip(self.0).for_each(|(hash, word)| *hash = hash::word(*word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// The codes of blocks of words, against a map.
    fn check(blocks: &[Vec<u64>]) -> Words {
        let mut words = Words::default();
        let mut known: HashMap<u64, u32> = HashMap::new();
        for (turn, block) in blocks.iter().enumerate() {
            if turn == 1 {
                words.reserve_code();
                known.insert(1 << 63 | 12345, known.len() as u32);
            }
            let mut codes = vec![0; block.len()];
            words.codes(block, &mut codes);
            for (word, code) in block.iter().zip(codes) {
                let next = known.len() as u32;
                assert_eq!(*known.entry(*word).or_insert(next), code, "{word}");
            }
        }
        for block in blocks {
            let mut codes = vec![0; block.len()];
            words.find(block, &mut codes);
            assert!(block.iter().zip(&codes).all(|(word, code)| known[word] == *code));
            let absent: Vec<u64> = block.iter().map(|word| word ^ 1 << 61).collect();
            words.find(&absent, &mut codes);
            let found = |word: &u64| known.get(word).copied().unwrap_or(FREE);
            assert!(absent.iter().zip(&codes).all(|(word, code)| found(word) == *code));
        }
        assert_eq!(words.len(), known.len());
        // The same again in what memory it has.
        words.empty();
        let mut again: HashMap<u64, u32> = HashMap::new();
        for block in blocks {
            let mut codes = vec![0; block.len()];
            words.codes(block, &mut codes);
            for (word, code) in block.iter().zip(codes) {
                let next = again.len() as u32;
                assert_eq!(*again.entry(*word).or_insert(next), code, "{word}");
            }
        }
        words
    }

    fn random(n: u64, range: u64, first: i64) -> Vec<u64> {
        (0..n).map(|i| (hash::word(i + range) % range) as i64 + first).map(|x| x as u64).collect()
    }

    #[test]
    fn windows_grow_on_both_sides_and_give_way_to_hashes() {
        let near = [random(5000, 100, -50), random(5000, 3000, 70), random(5000, 9000, -5000)];
        assert!(check(&near).slots.is_empty());
        let far = [random(5000, 100, -50), random(5000, 1 << 40, 0), random(5000, 1 << 20, -9)];
        assert!(check(&far).window.is_empty());
        let ends = [vec![i64::MAX as u64, 0], vec![i64::MIN as u64, i64::MAX as u64, 1]];
        check(&ends);
        check(&[vec![i64::MIN as u64], vec![i64::MIN as u64 + 5]]);
        check(&[vec![i64::MAX as u64], vec![i64::MAX as u64 - 5000, i64::MAX as u64 - 9]]);
        check(&[vec![u64::MAX], vec![], vec![0, 7]]);
    }

    #[test]
    fn many_words() {
        let blocks: Vec<Vec<u64>> = (0..40).map(|k| random(3000, 1 << 45, k)).collect();
        assert_eq!(check(&blocks).len(), 40 * 3000);
    }
}
