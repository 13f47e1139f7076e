//! `list`: what there is.
use super::{Act, End};
use crate::catalogue::{Kind, items};
use crate::say::print;
use clap::Parser;

/// Lists operators, functions, reductions, formats and rules
#[derive(Parser)]
#[command(name = "list")]
pub struct List {
    /// Only one of the tables
    #[arg(value_enum)]
    kind: Option<Kind>,
}

impl Act for List {
    fn act(self) -> Result<(), End> {
        let items = items();
        let mut text = String::new();
        for kind in Kind::ALL.into_iter().filter(|k| self.kind.is_none_or(|only| only == *k)) {
            if self.kind.is_none() {
                let gap = if text.is_empty() { "" } else { "\n" };
                text += &format!("{gap}{}\n", kind.title());
            }
            let of_kind = || items.iter().filter(|i| i.kind == kind);
            let width = of_kind().map(|i| i.signature.chars().count()).max().unwrap_or(0).min(32);
            for item in of_kind() {
                text += &format!("  {:width$}  {}\n", item.signature, item.summary);
            }
        }
        Ok(print(&text)?)
    }
}
