//! `clean`: removes the ledger of a run, and what is staged.
use super::{Act, End};
use crate::ledgers::Ledgers;
use crate::say::print;
use clap::Parser;

/// Removes the ledger of a run and unfinished outputs; finished ones stay
#[derive(Parser)]
#[command(name = "clean")]
pub struct Clean {
    #[command(flatten)]
    ledgers: Ledgers,
}

impl Act for Clean {
    fn act(self) -> Result<(), End> {
        for folder in self.ledgers.folders()? {
            for path in engine::ledger::clean(&folder)? {
                print(&format!("removed {}\n", path.display()))?;
            }
        }
        Ok(())
    }
}
