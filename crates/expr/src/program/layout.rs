//! Where the operand of each point of a box stands: broadcasting along dimensions.
use base::DimMask;

/// For points of a box, row-major, the offsets of their values: strides over the dimensions,
/// 0 where the value does not vary.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    base: usize,
    /// Size and stride of each dimension, slowest first; neighbours in step are merged.
    dims: Vec<(usize, usize)>,
}

/// Where the values of a block stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// One after the other from here.
    Slice(usize),
    /// All points have this one.
    Single(usize),
    /// Otherwise.
    Runs,
}

/// The row-major strides of the dimensions in `mask` of a box; 0 for the others.
pub fn strides(mask: DimMask, shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![0; shape.len()];
    let mut step = 1;
    for i in (0..shape.len()).rev() {
        if mask.has(i) {
            strides[i] = step;
            step *= shape[i];
        }
    }
    strides
}

impl Layout {
    /// Offsets `base + Σ index × stride` over a box of this shape.
    pub fn new(base: usize, shape: &[usize], strides: &[usize]) -> Layout {
        let mut dims: Vec<(usize, usize)> = Vec::new();
        for (size, stride) in shape.iter().zip(strides).filter(|(size, _)| **size != 1) {
            match dims.last_mut() {
                Some(last) if last.1 == size * stride => *last = (last.0 * size, *stride),
                _ => dims.push((*size, *stride)),
            }
        }
        Layout { base, dims }
    }

    /// `(base, stride)` if all points are in step: the offset of point p is base + p × stride.
    pub fn linear(&self) -> Option<(usize, usize)> {
        match self.dims[..] {
            [] => Some((self.base, 0)),
            [(_, stride)] => Some((self.base, stride)),
            _ => None,
        }
    }

    /// The offset of one point.
    pub fn offset(&self, mut point: usize) -> usize {
        if let [(_, stride)] = self.dims[..] {
            return self.base + point * stride;
        }
        let mut offset = self.base;
        for (size, stride) in self.dims.iter().rev() {
            offset += point % size * stride;
            point /= size;
        }
        offset
    }

    /// Where the values of `len` points from `start` on stand.
    pub fn span(&self, start: usize, len: usize) -> Span {
        let Some((size, stride)) = self.dims.last() else { return Span::Single(self.base) };
        let within = start % size + len <= *size;
        match stride {
            0 if within => Span::Single(self.offset(start)),
            1 if within => Span::Slice(self.offset(start)),
            _ => Span::Runs,
        }
    }

    /// The runs of `len` points from `start` on: offset, stride, number.
    pub fn runs(&self, start: usize, len: usize, mut see: impl FnMut(usize, usize, usize)) {
        let (size, stride) = self.dims.last().copied().unwrap_or((usize::MAX, 0));
        let mut point = start;
        while point < start + len {
            let count = (size - point % size).min(start + len - point);
            see(self.offset(point), stride, count);
            point += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_agree_with_the_definition() {
        let shape = [3, 4, 1, 5];
        for bits in 0..16 {
            let strides = strides(DimMask(bits), &shape);
            let layout = Layout::new(7, &shape, &strides);
            let expected: Vec<usize> = (0..60)
                .map(|p| 7 + p / 20 * strides[0] + p / 5 % 4 * strides[1] + p % 5 * strides[3])
                .collect();
            for start in 0..60 {
                for len in 1..=60 - start {
                    let mut found = Vec::new();
                    layout.runs(start, len, |o, s, n| found.extend((0..n).map(|i| o + i * s)));
                    assert_eq!(found, expected[start..start + len]);
                    match layout.span(start, len) {
                        Span::Single(o) => assert!(found.iter().all(|f| *f == o)),
                        Span::Slice(o) => {
                            assert!(found.iter().enumerate().all(|(i, f)| *f == o + i))
                        }
                        Span::Runs => {}
                    }
                }
            }
        }
    }

    #[test]
    fn dimensions_in_step_are_one() {
        let shape = [3, 4, 5];
        let full = Layout::new(0, &shape, &strides(DimMask::first(3), &shape));
        assert_eq!(full.span(7, 50), Span::Slice(7));
        let first = Layout::new(0, &shape, &strides(DimMask::only(0), &shape));
        assert_eq!(first.span(21, 19), Span::Single(1));
    }
}
