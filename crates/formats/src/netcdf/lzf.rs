//! LZF, as h5py writes it. Source: LibLZF (Marc Lehmann), `lzf_d.c`.

/// Decodes into exactly `len` bytes; `None` if the bytes are damaged.
pub(super) fn decode(mut from: &[u8], len: usize) -> Option<Vec<u8>> {
    // A byte becomes at most 264 of three.
    if len / 264 > from.len() {
        return None;
    }
    let mut to = Vec::with_capacity(len);
    while let Some((control, rest)) = from.split_first() {
        from = rest;
        let control = usize::from(*control);
        if control < 32 {
            let (bytes, rest) = from.split_at_checked(control + 1)?;
            to.extend_from_slice(bytes);
            from = rest;
        } else {
            let mut count = control >> 5;
            if count == 7 {
                let (more, rest) = from.split_first()?;
                count += usize::from(*more);
                from = rest;
            }
            let (low, rest) = from.split_first()?;
            from = rest;
            let back = ((control & 31) << 8 | usize::from(*low)) + 1;
            let start = to.len().checked_sub(back)?;
            for i in 0..count + 2 {
                to.push(*to.get(start + i)?);
            }
        }
        if to.len() > len {
            return None;
        }
    }
    (to.len() == len).then_some(to)
}
