//! Waits before something that has failed is tried again.
use std::time::Duration;

/// Waits at random between nothing and a bound that doubles each time, so that rows that failed
/// together do not come back together ("full jitter": M. Brooker, Exponential Backoff And Jitter,
/// 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// The first bound.
    pub first: Duration,
    /// The largest bound.
    pub most: Duration,
}

impl Default for Waits {
    fn default() -> Waits {
        Waits { first: Duration::from_secs(1), most: Duration::from_secs(60) }
    }
}

impl Waits {
    /// How long to wait when it has failed so often, counted from 1.
    pub(crate) fn after(&self, failures: u32) -> Duration {
        let times = 1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        // Without randomness all wait the longest, which is still right.
        let random = getrandom::u32().unwrap_or(u32::MAX);
        let bound = self.first.saturating_mul(times).min(self.most);
        bound.mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}
