//! `new`: a commented pipeline file to start from.
use super::{Act, End};
use crate::say;
use base::Failure;
use clap::Parser;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Writes a commented pipeline file to start from
#[derive(Parser)]
#[command(name = "new")]
pub struct New {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE", default_value = "pipeline.yaml")]
    file: PathBuf,
}

/// What is written.
const STARTER: &str = include_str!("starter.yaml");

impl Act for New {
    fn act(self) -> Result<(), End> {
        let name = self.file.display();
        let mut file = OpenOptions::new().write(true).create_new(true).open(&self.file).map_err(
            |e| match e.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    Failure::output(format!("`{name}` exists already"))
                }
                _ => Failure::output(format!("cannot write `{name}`: {e}")),
            },
        )?;
        file.write_all(STARTER.as_bytes())
            .map_err(|e| Failure::output(format!("cannot write `{name}`: {e}")))?;
        say::line(&format!("wrote {name}; try: tidemill run {name}"));
        Ok(())
    }
}
