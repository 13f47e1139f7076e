//! The positions at which bools are true.
use crate::isa::{self, Loop};

/// For each byte the numbers of its bits that are set, lowest first, then zeros.
static BITS: [[u8; 8]; 256] = bits();

const fn bits() -> [[u8; 8]; 256] {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte][count] = bit as u8;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
}

/// Lists `origin + i` for each i at which the value is true.
pub fn select(values: &[bool], origin: u32, positions: &mut Vec<u32>) {
    // Eight are written at a time, also where fewer are true.
    positions.resize(values.len() + 8, 0);
    let count = isa::run(Select(values, origin, positions));
    positions.truncate(count);
}

struct Select<'a>(&'a [bool], u32, &'a mut [u32]);

impl Loop for Select<'_> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        let Select(values, mut origin, positions) = self;
        let (eights, rest) = values.as_chunks::<8>();
        let mut count = 0;
        for eight in eights {
            // Eight bytes of 0 or 1: each product's bit lands in the highest byte, none collide.
            let bytes = u64::from_le_bytes(eight.map(u8::from));
            let mask = bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56;
            if let Some(to) = positions[count..].first_chunk_mut::<8>() {
                for (to, bit) in to.iter_mut().zip(&BITS[mask as usize]) {
                    *to = origin + u32::from(*bit);
                }
            }
            count += mask.count_ones() as usize;
            origin += 8;
        }
        for value in rest {
            positions[count] = origin;
            count += usize::from(*value);
            origin += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_filter(values: Vec<bool>, origin in 0u32..1000) {
            let mut found = vec![7; 3];
            select(&values, origin, &mut found);
            let expected: Vec<u32> =
                (origin..).zip(&values).filter(|(_, v)| **v).map(|(i, _)| i).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
