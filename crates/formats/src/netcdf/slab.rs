//! Boxes inside row-major arrays: the runs they are made of, copies and transpositions.

/// Calls `f(start, length)`, in elements, for every run of consecutive elements that a box takes
/// in an array of these sizes, in row-major order. The runs are as long as can be.
pub(super) fn runs<E>(
    sizes: &[u64],
    origin: &[u64],
    shape: &[usize],
    mut f: impl FnMut(u64, usize) -> Result<(), E>,
) -> Result<(), E> {
    if shape.contains(&0) {
        return Ok(());
    }
    // Dimensions behind `outer` are taken whole, so the box is consecutive along them.
    let whole = |i: usize| origin[i] == 0 && shape[i] as u64 == sizes[i];
    let outer = (0..shape.len()).rev().find(|i| !whole(*i)).unwrap_or(0);
    let run: usize = shape.get(outer..).unwrap_or(&[]).iter().product();
    let strides = strides(sizes);
    let start = |i: usize, at: usize| (origin[i] + at as u64) * strides[i];
    let first = if shape.is_empty() { 0 } else { start(outer, 0) };
    points(&shape[..outer.min(shape.len())], |at| {
        let outside: u64 = at.iter().enumerate().map(|(i, a)| start(i, *a)).sum();
        f(outside + first, run)
    })
}

/// The length of the runs of [`runs`], in elements.
pub(super) fn run_length(sizes: &[u64], shape: &[usize]) -> usize {
    let mut run = 1;
    for i in (0..shape.len()).rev() {
        run *= shape[i];
        if shape[i] as u64 != sizes[i] {
            break;
        }
    }
    run
}

fn strides(sizes: &[u64]) -> Vec<u64> {
    let mut strides = vec![1u64; sizes.len()];
    for i in (1..sizes.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(sizes[i]);
    }
    strides
}

/// Calls `f` for every point of a box, in row-major order.
pub(super) fn points<E>(
    shape: &[usize],
    mut f: impl FnMut(&[usize]) -> Result<(), E>,
) -> Result<(), E> {
    if shape.contains(&0) {
        return Ok(());
    }
    let mut at = vec![0; shape.len()];
    loop {
        f(&at)?;
        let Some(i) = (0..shape.len()).rev().find(|i| at[*i] + 1 < shape[*i]) else {
            return Ok(());
        };
        at[i] += 1;
        at[i + 1..].fill(0);
    }
}

/// A part of a row-major array.
pub(super) struct Part<'a> {
    /// The sizes of the whole array.
    pub(super) sizes: &'a [usize],
    /// The first point of the part.
    pub(super) origin: &'a [usize],
}

impl Part<'_> {
    /// Where in the whole array a point of the part is; missing dimensions are at their first.
    pub(super) fn start(&self, at: &[usize]) -> usize {
        let place = |i: usize| self.origin[i] + at.get(i).copied().unwrap_or(0);
        self.sizes.iter().enumerate().fold(0, |sum, (i, size)| sum * size + place(i))
    }
}

/// Copies a box of elements of `width` bytes from one array to another. Both parts must lie
/// inside their arrays.
pub(super) fn copy_box(
    (from, source): (&[u8], &Part),
    (to, target): (&mut [u8], &Part),
    shape: &[usize],
    width: usize,
) {
    let whole = |i: usize| shape[i] == source.sizes[i] && shape[i] == target.sizes[i];
    let outer = (0..shape.len()).rev().find(|i| !whole(*i)).unwrap_or(0).min(shape.len());
    let run = shape[outer..].iter().product::<usize>() * width;
    let copied: Result<(), std::convert::Infallible> = points(&shape[..outer], |at| {
        let (f, t) = (source.start(at) * width, target.start(at) * width);
        to[t..t + run].copy_from_slice(&from[f..f + run]);
        Ok(())
    });
    let Ok(()) = copied;
}

/// The array with its dimensions in another order: dimension `i` of the result is dimension
/// `order[i]` of `from`, which has this shape.
pub(super) fn transpose(
    from: &[u8],
    shape: &[usize],
    order: &[usize],
    width: usize,
    to: &mut [u8],
) {
    let sizes: Vec<u64> = shape.iter().map(|s| *s as u64).collect();
    let strides = strides(&sizes);
    let result: Vec<usize> = order.iter().map(|i| shape[*i]).collect();
    let mut places = to.chunks_exact_mut(width);
    let moved: Result<(), std::convert::Infallible> = points(&result, |at| {
        let start: usize = at.iter().zip(order).map(|(a, i)| a * strides[*i] as usize).sum();
        if let Some(place) = places.next() {
            place.copy_from_slice(&from[start * width..(start + 1) * width]);
        }
        Ok(())
    });
    let Ok(()) = moved;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn collect(sizes: &[u64], origin: &[u64], shape: &[usize]) -> Vec<(u64, usize)> {
        let mut list = Vec::new();
        runs(sizes, origin, shape, |s, n| {
            list.push((s, n));
            Ok::<(), ()>(())
        })
        .unwrap();
        list
    }

    #[test]
    fn runs_are_as_long_as_can_be() {
        assert_eq!(collect(&[4, 3, 5], &[1, 0, 0], &[2, 3, 5]), [(15, 30)]);
        assert_eq!(collect(&[4, 3, 5], &[1, 1, 0], &[2, 2, 5]), [(20, 10), (35, 10)]);
        assert_eq!(collect(&[2, 3], &[0, 1], &[2, 2]), [(1, 2), (4, 2)]);
        assert_eq!(collect(&[4], &[1], &[2]), [(1, 2)]);
        assert_eq!(collect(&[], &[], &[]), [(0, 1)]);
        assert_eq!(collect(&[4, 3], &[0, 0], &[0, 3]), []);
        assert_eq!(run_length(&[4, 3, 5], &[2, 3, 5]), 30);
        assert_eq!(run_length(&[4, 3, 5], &[2, 2, 5]), 10);
    }

    #[test]
    fn boxes_and_transpositions() {
        let from: Vec<u8> = (0..12).collect();
        let mut to = vec![0u8; 6];
        let source = Part { sizes: &[3, 4], origin: &[1, 2] };
        let target = Part { sizes: &[3, 2], origin: &[0, 0] };
        copy_box((&from, &source), (&mut to, &target), &[2, 2], 1);
        assert_eq!(to, [6, 7, 10, 11, 0, 0]);
        let mut turned = vec![0u8; 12];
        transpose(&from, &[3, 4], &[1, 0], 1, &mut turned);
        assert_eq!(turned, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    }
}
