//! Where results and lines go.
use super::shown::Shown;
use super::told::Told;
use crate::say;
use base::Failure;
use std::cell::RefCell;

/// Where things are told.
pub trait Console {
    /// Results as text.
    ///
    /// # Errors
    /// If they cannot be told.
    fn print(&self, text: &str) -> Result<(), Failure>;

    /// Results as they are now, where only their changes are told.
    ///
    /// # Errors
    /// If they cannot be told.
    fn tables(&self, tables: Vec<Shown>) -> Result<(), Failure>;

    /// All else, a line.
    fn note(&self, line: &str);
}

/// Standard output and standard error. It knows what has been told as long as the command runs,
/// however often those begin anew who make the results.
pub struct Terminal(RefCell<Told>);

impl Terminal {
    /// On which changes are told like this.
    pub fn new(told: Told) -> Terminal {
        Terminal(RefCell::new(told))
    }
}

impl Console for Terminal {
    fn print(&self, text: &str) -> Result<(), Failure> {
        say::print(text)
    }

    fn tables(&self, tables: Vec<Shown>) -> Result<(), Failure> {
        self.0.borrow_mut().tell(tables)
    }

    fn note(&self, line: &str) {
        say::line(line);
    }
}
