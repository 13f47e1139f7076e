//! `doc`: all that is known of one entry.
use super::{Act, End};
use crate::catalogue::{Item, items};
use crate::say::{self, print};
use base::did_you_mean;
use clap::Parser;

/// Explains an operator, a function, a reduction, a format or a rule
#[derive(Parser)]
#[command(name = "doc")]
pub struct Doc {
    /// Its name, as `tidemill list` shows it
    name: String,
}

impl Act for Doc {
    fn act(self) -> Result<(), End> {
        let items = items();
        let named = |i: &&Item| i.name == self.name || i.aliases.contains(&self.name.as_str());
        let found: Vec<&str> = items.iter().filter(named).map(|i| i.text.as_str()).collect();
        if found.is_empty() {
            let help = did_you_mean(&self.name, items.iter().map(|i| i.name));
            let help = help.unwrap_or_else(|| "`tidemill list` shows all".into());
            say::error(&format!("nothing is called `{}`: {help}", self.name));
            return Err(End::Told(2));
        }
        Ok(print(&found.join("\n"))?)
    }
}
