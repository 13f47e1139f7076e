//! What has been told of tables whose changes are told, whoever makes them.
use super::lines::{ChangeFormat, changed};
use super::shown::Shown;
use crate::say;
use base::Failure;
use engine::incremental::Rows;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// The rows of each table, as they were told, and how changes of them are.
pub struct Told {
    to: Option<PathBuf>,
    format: ChangeFormat,
    tables: Vec<Shown>,
}

impl Told {
    /// Nothing yet; changes will be added to a file, or printed.
    pub fn new(to: Option<PathBuf>, format: ChangeFormat) -> Told {
        Told { to, format, tables: Vec::new() }
    }

    /// Tells what has changed, now that the tables are these.
    ///
    /// # Errors
    /// If the file of changes cannot be written.
    pub fn tell(&mut self, tables: Vec<Shown>) -> Result<(), Failure> {
        let mut out = String::new();
        let same = self.tables.len() == tables.len()
            && self.tables.iter().zip(&tables).all(|(before, now)| before.is_of(now));
        if !same {
            out += &self.take_back()?;
        }
        let several = tables.len() > 1;
        let nothing = Rows::default();
        for (at, table) in tables.iter().enumerate() {
            let before = self.tables.get(at).map_or(&nothing, |before| &before.rows);
            let change = before.change(&table.rows, &table.schema)?;
            out += &changed(table, &change, self.format, several, !same);
        }
        self.tables = tables;
        self.put(&out)
    }

    /// All that was told, row by row, as gone: the tables are others now.
    fn take_back(&mut self) -> Result<String, Failure> {
        let several = self.tables.len() > 1;
        let mut out = String::new();
        for table in std::mem::take(&mut self.tables) {
            let change = table.rows.change(&Rows::default(), &table.schema)?;
            out += &changed(&table, &change, self.format, several, false);
        }
        Ok(out)
    }

    fn put(&self, text: &str) -> Result<(), Failure> {
        let Some(path) = &self.to else {
            return say::print_data(text);
        };
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|e| Failure::output(format!("cannot write {}: {e}", path.display())))
    }
}
