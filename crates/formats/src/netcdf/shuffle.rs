//! HDF5's shuffle filter: the first bytes of all values, then the second bytes, and so on.

/// Values per block, so that the bytes of a block stay in the first cache while they are spread.
const BLOCK: usize = 256;

/// Shuffles values of `width` bytes; bytes after the last whole value stay behind the rest.
pub(super) fn shuffle(from: &[u8], to: &mut [u8], width: usize) {
    match width {
        1 => to.copy_from_slice(from),
        2 => spread::<2>(from, to),
        4 => spread::<4>(from, to),
        8 => spread::<8>(from, to),
        _ => {
            let n = from.len() / width;
            for (i, byte) in from.iter().take(n * width).enumerate() {
                to[i % width * n + i / width] = *byte;
            }
            to[n * width..].copy_from_slice(&from[n * width..]);
        }
    }
}

/// Undoes [`shuffle`].
pub(super) fn unshuffle(from: &[u8], to: &mut [u8], width: usize) {
    match width {
        1 => to.copy_from_slice(from),
        2 => gather::<2>(from, to),
        4 => gather::<4>(from, to),
        8 => gather::<8>(from, to),
        _ => {
            let n = from.len() / width;
            for (i, byte) in to.iter_mut().take(n * width).enumerate() {
                *byte = from[i % width * n + i / width];
            }
            to[n * width..].copy_from_slice(&from[n * width..]);
        }
    }
}

// Bytes are taken out of whole words by shifts, which compilers turn into vector code.

fn spread<const W: usize>(from: &[u8], to: &mut [u8]) {
    let n = from.len() / W;
    let (values, rest) = from.as_chunks::<W>();
    for (b, block) in values.chunks(BLOCK).enumerate() {
        for byte in 0..W {
            let start = byte * n + b * BLOCK;
            for (place, value) in to[start..start + block.len()].iter_mut().zip(block) {
                *place = (word(value) >> (8 * byte)) as u8;
            }
        }
    }
    to[n * W..].copy_from_slice(rest);
}

/// The bytes as a number, the first lowest.
fn word<const W: usize>(value: &[u8; W]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..W].copy_from_slice(value);
    u64::from_le_bytes(bytes)
}

fn gather<const W: usize>(from: &[u8], to: &mut [u8]) {
    let n = from.len() / W;
    let (values, rest) = to.as_chunks_mut::<W>();
    rest.copy_from_slice(&from[n * W..]);
    let planes: [&[u8]; W] = std::array::from_fn(|byte| &from[byte * n..(byte + 1) * n]);
    for (i, value) in values.iter_mut().enumerate() {
        let mut word = 0u64;
        for (byte, plane) in planes.iter().enumerate() {
            word |= u64::from(plane[i]) << (8 * byte);
        }
        value.copy_from_slice(&word.to_le_bytes()[..W]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for width in [1, 2, 3, 4, 8] {
            for len in [0, 1, 7, 8, 1000, 4097] {
                let data: Vec<u8> = (0..len).map(|i| (i * 7 % 251) as u8).collect();
                let (mut shuffled, mut back) = (vec![0; len], vec![0; len]);
                shuffle(&data, &mut shuffled, width);
                unshuffle(&shuffled, &mut back, width);
                assert_eq!(data, back, "width {width}, {len} bytes");
            }
        }
        let mut shuffled = [0; 4];
        shuffle(&[1, 2, 3, 4], &mut shuffled, 2);
        assert_eq!(shuffled, [1, 3, 2, 4]);
    }
}
