//! Rows that are counted in a tile, and how a row is called.
use super::data::Data;
use super::hoist::Sources;
use crate::Values;
use base::{Schema, Tile};

/// Rows counted in a tile.
#[derive(Debug, Default)]
pub struct Counts {
    /// How often each event was met.
    pub met: Vec<u64>,
    /// For each event the dimensions along which only the first place counts.
    still: Vec<Vec<usize>>,
    /// Those that end the run.
    fatal: Vec<bool>,
    /// The first point of the tile at which one of them is, and which one.
    pub first: Option<(usize, usize)>,
    origin: Vec<u64>,
    shape: Vec<usize>,
}

impl Counts {
    /// For a tile; of each event the dimensions along which only the first place counts, and whether
    /// it ends the run.
    pub fn new(events: impl Iterator<Item = (Vec<usize>, bool)>, tile: &Tile) -> Counts {
        let (still, fatal): (Vec<_>, Vec<_>) = events.unzip();
        let (origin, shape) = (tile.origin.clone(), tile.shape.clone());
        Counts { met: vec![0; still.len()], still, fatal, first: None, origin, shape }
    }

    /// A row at which an event is: a point of the tile.
    pub fn count(&mut self, event: usize, point: usize) {
        if !self.still[event].is_empty() && !self.is_first(event, point) {
            return;
        }
        self.met[event] += 1;
        if self.fatal[event] && self.first.is_none_or(|first| (point, event) < first) {
            self.first = Some((point, event));
        }
    }

    /// Whether a point is the first along the dimensions along which an event's value stays.
    fn is_first(&self, event: usize, mut point: usize) -> bool {
        let mut place = vec![0; self.shape.len()];
        for (at, size) in place.iter_mut().zip(&self.shape).rev() {
            (*at, point) = (point % size, point / size);
        }
        self.still[event].iter().all(|d| self.origin[*d] + place[*d] as u64 == 0)
    }
}

/// The index in the domain of a point of the tile.
pub fn index(sources: &Sources, point: usize) -> i64 {
    let index = &sources.index;
    let offset = index.layout.offset(point);
    match &index.data {
        Data::Affine { start, step } => start + step * offset as i64,
        data => match data.values() {
            Some(Values::Int64(values)) => values.get(offset).copied().unwrap_or(0),
            _ => point as i64,
        },
    }
}

/// How a point is called: `row 17`, or `point (time 3, lat 5)`.
pub fn row(schema: &Schema, index: i64) -> String {
    let dims = &schema.domain.dims;
    let sizes: Option<Vec<u64>> = dims.iter().map(|d| d.size).collect();
    let Some(sizes) = sizes.filter(|sizes| sizes.len() > 1) else {
        return format!("row {index}");
    };
    let mut rest = index as u64;
    let mut places: Vec<String> = Vec::new();
    for (dim, size) in dims.iter().zip(&sizes).rev() {
        let size = (*size).max(1);
        places.push(format!("{} {}", dim.name, rest % size));
        rest /= size;
    }
    places.reverse();
    format!("point ({})", places.join(", "))
}
