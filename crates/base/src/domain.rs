//! Domains: n-dimensional boxes with named dimensions, and the subsets of them.
use std::fmt;
use std::sync::Arc;

/// The most dimensions a domain may have.
pub const MAX_DIMS: usize = 32;

/// A named dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dim {
    /// Its name.
    pub name: Arc<str>,
    /// How many points it has; `None` where only the run can tell (rows after a filter).
    pub size: Option<u64>,
}

/// An n-dimensional box with named dimensions, in row-major order: the last one runs fastest.
/// A range has one dimension, a grid several, a table one called `row`.
/// Rows that a filter left have one dimension `row` of unknown size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domain {
    /// The dimensions, slowest first.
    pub dims: Vec<Dim>,
}

impl Domain {
    /// A box of these dimensions.
    pub fn new<N: Into<Arc<str>>>(dims: impl IntoIterator<Item = (N, u64)>) -> Domain {
        let dims = dims.into_iter().map(|(n, s)| Dim { name: n.into(), size: Some(s) }).collect();
        Domain { dims }
    }

    /// Rows, of a number that only the run can tell.
    pub fn rows() -> Domain {
        Domain { dims: vec![Dim { name: "row".into(), size: None }] }
    }

    /// Whether all sizes are known: tiles are boxes, and a point's index follows from its place.
    pub fn is_box(&self) -> bool {
        self.dims.iter().all(|d| d.size.is_some())
    }

    /// The sizes of a box; unknown ones count as 0.
    pub fn sizes(&self) -> Vec<u64> {
        self.dims.iter().map(|d| d.size.unwrap_or(0)).collect()
    }

    /// The number of points, if known and below 2^63.
    pub fn points(&self) -> Option<u64> {
        let mut product = 1u64;
        for dim in &self.dims {
            product = product.checked_mul(dim.size?).filter(|p| *p < 1 << 63)?;
        }
        Some(product)
    }

    /// The position of a dimension.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.dims.iter().position(|d| &*d.name == name)
    }

    /// All dimensions.
    pub fn full(&self) -> DimMask {
        DimMask::first(self.dims.len())
    }

    /// The names of the dimensions in a mask, such as `(lat, lon)`.
    pub fn mask_name(&self, mask: DimMask) -> String {
        let names: Vec<&str> = mask.iter().filter_map(|i| Some(&*self.dims.get(i)?.name)).collect();
        format!("({})", names.join(", "))
    }
}

/// A set of dimensions of a domain: bit i stands for its i-th dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DimMask(pub u32);

impl DimMask {
    /// No dimension: one value for the whole domain.
    pub const SCALAR: DimMask = DimMask(0);

    /// Only dimension `i`.
    pub fn only(i: usize) -> DimMask {
        DimMask(1 << i)
    }

    /// The first `n` dimensions.
    pub fn first(n: usize) -> DimMask {
        DimMask(if n >= 32 { u32::MAX } else { (1 << n) - 1 })
    }

    /// Whether dimension `i` is in it.
    pub fn has(self, i: usize) -> bool {
        self.0 >> i & 1 == 1
    }

    /// Both together.
    pub fn union(self, other: DimMask) -> DimMask {
        DimMask(self.0 | other.0)
    }

    /// Whether every dimension of this one is in the other.
    pub fn within(self, other: DimMask) -> bool {
        self.0 & !other.0 == 0
    }

    /// How many dimensions.
    pub fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The dimensions, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..32).filter(move |i| self.has(*i))
    }

    /// The number of points of the dimensions in the mask, for a box of this shape.
    pub fn points(self, shape: &[usize]) -> usize {
        self.iter().map(|i| shape[i]).product()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (i, dim) in self.dims.iter().enumerate() {
            let cross = if i == 0 { "" } else { " × " };
            match dim.size {
                Some(size) => write!(f, "{cross}{}: {size}", dim.name)?,
                None => write!(f, "{cross}{}", dim.name)?,
            }
        }
        Ok(())
    }
}
