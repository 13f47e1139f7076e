//! A program in one worker: what it runs with, and where it is told what its arithmetic has met.
use crate::watch::Watch;
use base::{Failure, Tile};
use expr::{Block, Program, Runner};
use std::sync::Arc;

/// A program and its scratch.
pub struct Pass {
    program: Arc<Program>,
    runner: Runner,
    watch: Arc<Watch>,
}

impl Pass {
    /// For one worker.
    pub fn new(program: &Arc<Program>, watch: &Arc<Watch>) -> Pass {
        Pass { program: program.clone(), runner: program.runner(), watch: watch.clone() }
    }

    /// What it makes of a tile.
    ///
    /// # Errors
    /// If the program fails.
    pub fn tile(&mut self, tile: &Tile) -> Result<Tile, Failure> {
        let made = self.program.tile(&mut self.runner, tile)?;
        self.tell();
        Ok(made)
    }

    /// Hands what it makes of a tile to `consume`, a block at a time.
    ///
    /// # Errors
    /// If the program fails, or `consume` does.
    pub fn blocks(
        &mut self,
        tile: &Tile,
        consume: &mut dyn FnMut(&Block) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.program.blocks(&mut self.runner, tile, consume)?;
        self.tell();
        Ok(())
    }

    fn tell(&mut self) {
        let met = self.program.warnings(&mut self.runner);
        if !met.is_empty() {
            self.watch.warn(met);
        }
    }
}
