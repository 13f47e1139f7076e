//! From texts to codes: open addressing, a power of two of places, at most half of them taken.
use crate::hash;

/// A free place in a table.
const FREE: u32 = super::NONE;

/// From texts to codes.
#[derive(Default)]
pub struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    slots: Vec<(u64, u32)>,
}

impl Texts {
    /// How many codes there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Forgets all codes.
    pub fn clear(&mut self) {
        *self = Texts::default();
    }

    fn raw(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = code.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[code]]
    }

    /// The text of a code.
    pub fn get(&self, code: u32) -> &str {
        // Only texts were put in, so this never falls back.
        std::str::from_utf8(self.raw(code)).unwrap_or_default()
    }

    /// A code that no text has.
    pub fn reserve_code(&mut self) -> u32 {
        self.ends.push(self.bytes.len());
        self.ends.len() as u32 - 1
    }

    /// The length of all texts.
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory that this takes.
    pub fn bytes(&self) -> usize {
        let slots = self.slots.len() * size_of::<(u64, u32)>();
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>() + slots
    }

    /// The code of a text.
    pub fn code(&mut self, text: &[u8]) -> u32 {
        if self.ends.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let (hash, mask) = (hash::bytes(text), self.slots.len() - 1);
        let mut at = hash as usize & mask;
        loop {
            let (there, code) = self.slots[at];
            if code == FREE {
                let code = self.ends.len() as u32;
                self.bytes.extend_from_slice(text);
                self.ends.push(self.bytes.len());
                self.slots[at] = (hash, code);
                return code;
            }
            if there == hash && self.raw(code) == text {
                return code;
            }
            at = (at + 1) & mask;
        }
    }

    /// The code of a text; [`FREE`] if it has none.
    pub fn find(&self, text: &[u8]) -> u32 {
        if self.slots.is_empty() {
            return FREE;
        }
        let (hash, mask) = (hash::bytes(text), self.slots.len() - 1);
        let mut at = hash as usize & mask;
        loop {
            let (there, code) = self.slots[at];
            if code == FREE || there == hash && self.raw(code) == text {
                return code;
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 4).max(1 << 10);
        let old = std::mem::replace(&mut self.slots, vec![(0, FREE); size]);
        for (hash, code) in old.into_iter().filter(|(_, code)| *code != FREE) {
            let mut at = hash as usize & (size - 1);
            while self.slots[at].1 != FREE {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = (hash, code);
        }
    }
}
