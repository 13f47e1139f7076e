//! A job: a pipeline and all that its plan depends on. The launcher hands it to every process of
//! a run, and each makes the same plan of it.
use base::{Diagnostic, Failure, Source};
use plan::{LoadOptions, Plan, TileRequest};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A pipeline, its parameters, and how it is to be run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The file's name as the user gave it.
    pub name: String,
    /// The file's text.
    pub text: String,
    /// `--set`.
    pub sets: Vec<(String, String)>,
    /// `--out`.
    pub out: Option<PathBuf>,
    /// `--tile`.
    pub tile: Option<String>,
    /// `--overwrite`.
    pub overwrite: bool,
    /// Unlike that of any other run.
    pub run_id: String,
    /// When it started, ISO 8601.
    pub now: String,
    /// Worker threads in each process.
    pub threads: usize,
}

impl Job {
    /// The text and its name.
    pub fn source(&self) -> Source {
        Source::new(self.name.as_str(), self.text.as_str())
    }

    /// What stands for all that the user said of the run, the same in all processes that were
    /// started for it.
    pub fn digest(&self) -> [u8; 32] {
        let Job { text, sets, out, tile, overwrite, .. } = self;
        engine::links::digest(format!("{:?}", (text, sets, out, tile, overwrite)).as_bytes())
    }

    /// The plan, if there are no mistakes, and what is to be said about the file.
    ///
    /// # Errors
    /// If `tile` cannot be read.
    pub fn load(&self) -> Result<(Option<Plan>, Vec<Diagnostic>), Failure> {
        let tile = self.tile.as_deref().map(TileRequest::parse).transpose();
        let options = LoadOptions {
            sets: self.sets.clone(),
            out: self.out.clone(),
            tile: tile.map_err(Failure::internal)?,
            overwrite: self.overwrite,
            run_id: self.run_id.clone(),
            now: self.now.clone(),
        };
        Ok(plan::load(&self.source(), &options))
    }
}

/// A name for a run that no other run has: the time in seconds and the process, in hexadecimal.
pub fn new_run_id() -> String {
    let now = chrono::Utc::now().timestamp_micros();
    format!("{now:x}-{:x}", std::process::id())
}

/// The time, ISO 8601 in UTC.
pub fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
