//! `schema`: the JSON Schema of pipeline files.
use super::{Act, End};
use crate::say::print;
use clap::Parser;

/// Prints the JSON Schema of pipeline files, for editors
#[derive(Parser)]
#[command(name = "schema")]
pub struct Schema;

impl Act for Schema {
    fn act(self) -> Result<(), End> {
        Ok(print(&format!("{}\n", plan::schema_json().trim_end()))?)
    }
}
