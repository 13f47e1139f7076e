//! States that hold values and have no buckets to put them in: they fit into memory, or the run
//! ends with a sentence.
use crate::spill::{Budget, Share, Weigh};
use base::{Failure, FailureKind};
use plan::physical::Fold;
use std::sync::Arc;

/// Weighs states, if they are such.
pub struct Held(Option<(Share, Weigh, String)>);

impl Held {
    /// For one stage of a fold.
    pub fn new(fold: &Fold, budget: &Arc<Budget>) -> Held {
        let names = fold.aggregates.iter().map(|a| a.reduction.name());
        let names: Vec<&str> = names.filter(|name| HOLD.contains(name)).collect();
        Held((!names.is_empty()).then(|| (budget.share(), Weigh::default(), names.join(", "))))
    }

    /// So many bytes have come in, and the states take so much.
    ///
    /// # Errors
    /// If there is not so much memory.
    pub fn came(&mut self, bytes: u64, states: impl FnOnce() -> u64) -> Result<(), Failure> {
        let Some((share, weigh, names)) = &mut self.0 else { return Ok(()) };
        if !weigh.due(bytes) {
            return Ok(());
        }
        let bytes = states();
        weigh.weighed(bytes);
        if share.hold(bytes) {
            return Ok(());
        }
        Err(Failure::new(
            FailureKind::Memory,
            format!(
                "{names} holds its values, {} MB in this worker alone, and there is no more memory \
                 for them: give the run more (--memory), or use what holds no values (mean and std \
                 instead of median and quantile)",
                bytes / 1_000_000
            ),
        ))
    }
}

/// Reductions whose states grow with the values.
const HOLD: [&str; 3] = ["median", "prod", "quantile"];
