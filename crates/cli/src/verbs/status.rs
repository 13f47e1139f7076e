//! `status`: what the ledger of a run tells.
use super::{Act, End};
use crate::ledgers::Ledgers;
use crate::numbers::{bytes, count};
use crate::say::print;
use base::grouped;
use clap::Parser;
use engine::ledger::{Folder, Status as Told};

/// Tells what the ledger of a run knows: what is done, and what has changed since
#[derive(Parser)]
#[command(name = "status")]
pub struct Status {
    #[command(flatten)]
    ledgers: Ledgers,
}

impl Act for Status {
    fn act(self) -> Result<(), End> {
        for (i, path) in self.ledgers.folders()?.iter().enumerate() {
            let folder = Folder::read(path, None, false)?;
            let gap = if i > 0 { "\n" } else { "" };
            print(&format!("{gap}{}", text(&folder, &Told::of(&folder))))?;
        }
        Ok(())
    }
}

fn text(folder: &Folder, told: &Told) -> String {
    let mut lines = Vec::new();
    let mut line = |name: &str, text: String| lines.push(format!("{name:<10}{text}\n"));
    let (files, size) = told.size;
    let place = folder.path.display();
    line("ledger", format!("{place} ({} in {})", bytes(size), count(files, "file")));
    if let Some((title, file)) = &told.pipeline {
        line("pipeline", format!("{title} ({file})"));
    }
    if let Some((begun, tiles, left)) = &told.last {
        let end = match (&told.ended, told.at_work) {
            (Some(ended), _) => format!("ended {ended}"),
            (None, true) => "is at work".to_owned(),
            (None, false) => "did not end".to_owned(),
        };
        line("last run", format!("began {begun} with {left} of {tiles} tiles to do, {end}"));
    }
    for (path, same) in &told.outputs {
        let state = match same {
            Some(true) => "as it was written",
            Some(false) => "has changed since it was written",
            None => "is not there",
        };
        line("output", format!("{}: {state}", path.display()));
    }
    for (path, tiles) in &told.staged {
        line("staged", format!("{}: {}", path.display(), count(*tiles as u64, "tile")));
    }
    for tiles in &told.folds {
        line("states", format!("of a reduction: {}", count(*tiles as u64, "tile")));
    }
    let (done, failed) = (told.rows.0 as u64, told.rows.1 as u64);
    if done + failed + told.of_rows > 0 {
        let waiting = told.of_rows.saturating_sub(done + failed);
        let (done, failed, waiting) = (grouped(done), grouped(failed), grouped(waiting));
        line("rows", format!("{done} done, {failed} failed, {waiting} waiting"));
    }
    if told.inputs > 0 {
        let changed = count(told.changed.len() as u64, "file");
        line("inputs", format!("{}, {changed} changed since", count(told.inputs as u64, "file")));
    }
    for path in &told.changed {
        line("changed", path.display().to_string());
    }
    for warning in &folder.warnings {
        line("warning", warning.clone());
    }
    lines.concat()
}
