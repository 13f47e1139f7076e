//! How a domain is cut into tiles.
use crate::Domain;

/// A box of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The first point in each dimension.
    pub origin: Vec<u64>,
    /// The number of points in each dimension.
    pub shape: Vec<usize>,
}

impl Region {
    /// The number of points.
    pub fn points(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The cuts of a box in each dimension; tiles are numbered row-major, the last dimension fastest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// For each dimension the ascending first points of its tiles, and its size at the end.
    cuts: Vec<Cuts>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cuts {
    /// Every `step` points of `size`.
    Even { size: u64, step: u64 },
    /// At these points; the first is 0 and the last the size.
    At(Vec<u64>),
}

impl Cuts {
    fn count(&self) -> u64 {
        match self {
            Cuts::Even { size, step } => size.div_ceil(*step),
            Cuts::At(at) => at.len().saturating_sub(1) as u64,
        }
    }

    fn size(&self) -> u64 {
        match self {
            Cuts::Even { size, .. } => *size,
            Cuts::At(at) => at.last().copied().unwrap_or(0),
        }
    }

    fn piece(&self, i: u64) -> (u64, usize) {
        match self {
            Cuts::Even { size, step } => {
                let start = i * step;
                (start, (*step).min(size - start) as usize)
            }
            Cuts::At(at) => (at[i as usize], (at[i as usize + 1] - at[i as usize]) as usize),
        }
    }

    fn largest(&self) -> usize {
        match self {
            Cuts::Even { size, step } => (*step).min(*size) as usize,
            Cuts::At(at) => at.windows(2).map(|w| (w[1] - w[0]) as usize).max().unwrap_or(0),
        }
    }
}

impl Tiling {
    /// Tiles of (at most) this shape. The domain must be a box of as many dimensions.
    pub fn even(domain: &Domain, shape: &[u64]) -> Tiling {
        let sizes = domain.sizes();
        let cut = |(size, step): (&u64, &u64)| Cuts::Even { size: *size, step: (*step).max(1) };
        Tiling { cuts: sizes.iter().zip(shape).map(cut).collect() }
    }

    /// Tiles of about `points` points: trailing dimensions stay whole, leading ones are cut.
    pub fn by_points(domain: &Domain, points: u64) -> Tiling {
        let sizes = domain.sizes();
        let mut shape = vec![1u64; sizes.len()];
        let mut left = points.max(1);
        for i in (0..sizes.len()).rev() {
            shape[i] = sizes[i].clamp(1, left);
            left /= sizes[i].max(1);
            if left == 0 {
                break;
            }
        }
        Tiling::even(domain, &shape)
    }

    /// One dimension, cut at these points: ascending, from 0 to its size.
    pub fn at(cuts: Vec<u64>) -> Tiling {
        Tiling { cuts: vec![Cuts::At(cuts)] }
    }

    /// Boxes one behind the other along a dimension, each cut there as its tiling says; along the
    /// others as the first one is. There must be one at least, and all of the same sizes there.
    #[must_use]
    pub fn stacked(dim: usize, parts: &[Tiling]) -> Tiling {
        let (mut at, mut start) = (vec![0], 0);
        for cuts in parts.iter().filter_map(|part| part.cuts.get(dim)) {
            let ends = (0..cuts.count()).map(|i| cuts.piece(i)).map(|(from, n)| from + n as u64);
            at.extend(ends.map(|end| start + end));
            start = at[at.len() - 1];
        }
        let mut cuts = parts.first().map(|part| part.cuts.clone()).unwrap_or_default();
        if let Some(along) = cuts.get_mut(dim) {
            *along = Cuts::At(at);
        }
        Tiling { cuts }
    }

    /// The tiling of a box inside, with the cuts that fall into it: of `sizes` from `origin` on.
    #[must_use]
    pub fn part(&self, origin: &[u64], sizes: &[u64]) -> Tiling {
        let part = |(cuts, (origin, size)): (&Cuts, (&u64, &u64))| match cuts {
            _ if *size == 0 => Cuts::Even { size: 0, step: 1 },
            Cuts::Even { step, .. } if origin.is_multiple_of(*step) => {
                Cuts::Even { size: *size, step: *step }
            }
            _ => {
                let firsts = (0..cuts.count()).map(|i| cuts.piece(i).0);
                let inner = firsts.filter(|at| at > origin && *at < origin + size);
                let inner = inner.map(|at| at - origin);
                Cuts::At(std::iter::once(0).chain(inner).chain([*size]).collect())
            }
        };
        Tiling { cuts: self.cuts.iter().zip(origin.iter().zip(sizes)).map(part).collect() }
    }

    /// The number of tiles.
    pub fn count(&self) -> u64 {
        self.cuts.iter().map(Cuts::count).product()
    }

    /// The number of points of the box.
    pub fn points(&self) -> u64 {
        self.cuts.iter().map(Cuts::size).product()
    }

    /// The number of tiles along each dimension.
    pub fn counts(&self) -> Vec<u64> {
        self.cuts.iter().map(Cuts::count).collect()
    }

    /// For each dimension the first points of its tiles.
    pub fn starts(&self) -> Vec<Vec<u64>> {
        self.cuts.iter().map(|c| (0..c.count()).map(|i| c.piece(i).0).collect()).collect()
    }

    /// The box of tile `number`, which must be below [`Tiling::count`].
    pub fn region(&self, mut number: u64) -> Region {
        let n = self.cuts.len();
        let mut region = Region { origin: vec![0; n], shape: vec![0; n] };
        for i in (0..n).rev() {
            let count = self.cuts[i].count();
            (region.origin[i], region.shape[i]) = self.cuts[i].piece(number % count);
            number /= count;
        }
        region
    }

    /// The shape of the largest tile.
    pub fn largest(&self) -> Vec<usize> {
        self.cuts.iter().map(Cuts::largest).collect()
    }

    /// With more cuts along the first dimension, so that there are about `tiles` tiles of at least
    /// `points` points; all cuts that were there stay, and tiles are of one shape if they were.
    #[must_use]
    pub fn finer(&self, tiles: u64, points: u64) -> Tiling {
        let Some(Cuts::Even { size, step }) = self.cuts.first() else { return self.clone() };
        let step = (*step).clamp(1, (*size).max(1));
        let all: usize = self.largest().iter().product();
        let most = (tiles / self.count().max(1)).min(all as u64 / points.max(1)).min(step);
        // Only steps that divide the old one keep its cuts, unless there are none.
        let pieces = match step >= *size {
            true => most,
            false => (1..=most).rev().find(|n| step.is_multiple_of(*n)).unwrap_or(1),
        };
        let mut cuts = self.cuts.clone();
        cuts[0] = Cuts::Even { size: *size, step: step.div_ceil(pieces.max(1)) };
        Tiling { cuts }
    }

    /// The tiling of the dimensions that `keep` says, in order.
    pub fn project(&self, keep: &[usize]) -> Tiling {
        Tiling { cuts: keep.iter().map(|i| self.cuts[*i].clone()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finer_tilings_keep_all_cuts() {
        let domain = Domain::new([("a", 20u64), ("b", 9)]);
        let whole = Tiling::even(&domain, &[20, 9]);
        assert_eq!(whole.finer(3, 1), Tiling::even(&domain, &[7, 9]));
        assert_eq!(whole.finer(64, 1), Tiling::even(&domain, &[1, 9]));
        assert_eq!(whole.finer(64, 90), Tiling::even(&domain, &[10, 9]));
        assert_eq!(whole.finer(1, 1), whole);
        let two = Tiling::even(&domain, &[12, 9]);
        assert_eq!(two.finer(11, 1), Tiling::even(&domain, &[3, 9]));
        assert_eq!(Tiling::at(vec![0, 5, 9]).finer(9, 1), Tiling::at(vec![0, 5, 9]));
        let none = Domain::new([("a", 0u64), ("b", 9)]);
        assert_eq!(Tiling::even(&none, &[4, 9]).finer(9, 1).count(), 0);
        assert_eq!(whole.project(&[]).finer(9, 1).count(), 1);
    }

    #[test]
    fn stacked_boxes_keep_their_cuts() {
        let of = |a: u64, step: u64| Tiling::even(&Domain::new([("a", a), ("b", 9)]), &[step, 4]);
        let stacked = Tiling::stacked(0, &[of(5, 3), of(0, 1), of(4, 4)]);
        let firsts: Vec<_> = (0..stacked.count()).map(|i| stacked.region(i)).collect();
        let firsts: Vec<_> =
            firsts.iter().map(|r| (r.origin[0], r.shape[0], r.origin[1])).collect();
        let wanted = [0, 4, 8].map(|b| [(0, 3, b), (3, 2, b), (5, 4, b)]);
        let mut wanted = wanted.concat();
        wanted.sort_unstable();
        assert_eq!(firsts, wanted);
    }

    #[test]
    fn the_first_points_of_tiles() {
        let domain = Domain::new([("a", 5u64), ("b", 7)]);
        assert_eq!(Tiling::even(&domain, &[2, 7]).starts(), [vec![0, 2, 4], vec![0]]);
        assert!(Tiling::even(&domain, &[5, 7]).project(&[]).starts().is_empty());
    }

    #[test]
    fn a_part_keeps_the_cuts_that_fall_into_it() {
        let domain = Domain::new([("a", 20u64), ("b", 9)]);
        let whole = Tiling::even(&domain, &[5, 4]);
        assert_eq!(whole.part(&[0, 0], &[20, 9]), whole);
        let part = whole.part(&[10, 3], &[8, 4]);
        let regions: Vec<_> = (0..part.count()).map(|i| part.region(i)).collect();
        let origins: Vec<_> = regions.iter().map(|r| (r.origin[0], r.origin[1])).collect();
        assert_eq!(origins, [(0, 0), (0, 1), (5, 0), (5, 1)]);
        let shapes: Vec<_> = regions.iter().map(|r| (r.shape[0], r.shape[1])).collect();
        assert_eq!(shapes, [(5, 1), (5, 3), (3, 1), (3, 3)]);
        assert_eq!(whole.part(&[7, 0], &[0, 9]).count(), 0);
    }
}
