//! `Read`: makes tiles by number.
use super::pass::Pass;
use crate::watch::Watch;
use base::{Failure, Region, Tile};
use formats::Ahead;
use plan::physical::Read;
use std::sync::Arc;

/// Makes tiles, in one worker.
pub struct Reader {
    read: Read,
    pass: Option<Pass>,
}

impl Reader {
    /// A reader for one worker.
    pub fn new(read: &Read, watch: &Arc<Watch>) -> Reader {
        let pass = read.program.as_ref().map(|program| Pass::new(program, watch));
        Reader { read: read.clone(), pass }
    }

    /// The points of a tile.
    pub fn points(&self, number: u64) -> u64 {
        self.read.tiling.region(number).points() as u64
    }

    /// Asks for what a tile will need, and does not wait.
    pub fn ahead(&self, number: u64) -> Ahead {
        let Some(source) = &self.read.source else { return Ahead::default() };
        source.ahead(&self.region(number), &self.read.columns)
    }

    /// What of the file a tile is.
    fn region(&self, number: u64) -> Region {
        let mut region = self.read.tiling.region(number);
        for (at, offset) in region.origin.iter_mut().zip(&self.read.offset) {
            *at += offset;
        }
        if let Some(survivors) = &self.read.survivors {
            survivors.narrow(&mut region);
        }
        region
    }

    /// Reads a tile's columns and runs the program on it.
    ///
    /// # Errors
    /// If the file cannot be read, or the program fails.
    pub fn tile(&mut self, number: u64) -> Result<Tile, Failure> {
        let mut region = match &self.read.source {
            Some(_) => self.region(number),
            None => self.read.tiling.region(number),
        };
        let columns = match &self.read.source {
            Some(source) => {
                let columns =
                    source.read(&region, &self.read.columns).map_err(|failure| {
                        match self.read.place.as_str() {
                            "" => failure,
                            place => failure.context(place),
                        }
                    })?;
                for (at, offset) in region.origin.iter_mut().zip(&self.read.offset) {
                    *at -= offset;
                }
                columns
            }
            None => Vec::new(),
        };
        let origin = region.origin;
        let tile = Tile { number, origin, shape: region.shape, columns, index: None };
        match &mut self.pass {
            Some(pass) => pass.tile(&tile),
            None => Ok(tile),
        }
    }
}
