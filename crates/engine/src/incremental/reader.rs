//! A reader of files, in one worker: tiles of one file at a time.
use super::shared::Shared;
use crate::nodes::pass::Pass;
use crate::watch::Watch;
use base::{Failure, Tile, Tiling};
use formats::TileSource;
use plan::physical::{Op, Read};
use std::sync::Arc;

/// Reads tiles, and runs the reader's program on each.
pub struct Reader {
    read: Read,
    pass: Option<Pass>,
    watch: Arc<Watch>,
}

impl Reader {
    /// For the node that stands here.
    ///
    /// # Errors
    /// If it reads nothing.
    pub fn new(shared: &Shared, node: usize) -> Result<Reader, Failure> {
        let Op::Read(read) = &shared.physical.nodes[node].op else {
            return Err(Failure::internal("a reduction of what is not read"));
        };
        let pass = read.program.as_ref().map(|program| Pass::new(program, &shared.watch));
        Ok(Reader { read: read.clone(), pass, watch: shared.watch.clone() })
    }

    /// A tile of a file that is cut like this and whose first row is number `first` of all.
    ///
    /// # Errors
    /// If the file cannot be read, or a formula fails.
    pub fn tile(
        &mut self,
        source: &dyn TileSource,
        cuts: &Tiling,
        first: u64,
        number: u64,
    ) -> Result<Tile, Failure> {
        let region = cuts.region(number);
        self.watch.hand_out(region.points() as u64);
        let columns = source.read(&region, &self.read.columns)?;
        let mut origin = region.origin;
        if let [row] = &mut origin[..] {
            *row += first;
        }
        let tile = Tile { number, origin, shape: region.shape, columns, index: None };
        let tile = match &mut self.pass {
            Some(pass) => pass.tile(&tile)?,
            None => tile,
        };
        self.watch.tile_done();
        Ok(tile)
    }
}
