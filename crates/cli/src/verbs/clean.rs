//! `clean`: removes the ledger of a run, and what is staged.
use super::{Act, End};
use crate::ledgers::Ledgers;
use crate::say::{self, print};
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
            let cleaned = engine::ledger::clean(&folder)?;
            for path in cleaned.removed {
                print(&format!("removed {}\n", path.display()))?;
            }
            for line in cleaned.left {
                say::warning(&line);
            }
        }
        Ok(())
    }
}
