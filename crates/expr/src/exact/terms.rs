//! [`Terms`]: an exact sum in three terms, as long as these can hold it.
use super::ExactSum;
use super::error_free::two_sum;
use super::sum::LARGE;

/// The three terms of an [`ExactSum`] without its wide number: what tables of groups hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Terms(pub [f64; 3]);

impl Terms {
    /// Adds a value; `false`, and nothing is changed, if three terms cannot hold the sum.
    #[inline(always)]
    #[must_use]
    pub fn add(&mut self, x: f64) -> bool {
        let [a, b, mut c] = self.0;
        let (a, rest) = two_sum(a, x);
        let (b, rest) = two_sum(b, rest);
        // Most data never touch the third term; NaN is not below.
        let mut fits = (x.abs() < LARGE) & (a.abs() < LARGE);
        if rest != 0.0 {
            let (sum, error) = two_sum(c, rest);
            c = sum;
            fits &= error == 0.0;
        }
        if fits {
            self.0 = [a, b, c];
        }
        fits
    }

    /// The same sum, with room for anything.
    pub fn exact(self) -> ExactSum {
        ExactSum::from_terms(self.0)
    }
}
