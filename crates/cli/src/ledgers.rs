//! Which ledger a user means: by its folder, by an output, by a pipeline file.
use crate::pipeline::{self, PipelineArgs, RuleArgs};
use crate::verbs::End;
use base::{Failure, FailureKind};
use clap::Args;
use plan::State;
use std::fs;
use std::path::{Path, PathBuf};

/// A ledger, or several.
#[derive(Args, Clone, Debug)]
pub struct Ledgers {
    /// The pipeline file, an output, the folder of outputs, or that of the ledger itself
    #[arg(value_name = "DIR|FILE")]
    what: PathBuf,
    /// With a pipeline file: replaces the value of a parameter
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pipeline::assignment)]
    sets: Vec<(String, String)>,
    /// With a pipeline file: where its outputs go
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Ledgers {
    /// Their folders, at least one.
    ///
    /// # Errors
    /// If there is none, or the pipeline file has mistakes.
    pub fn folders(self) -> Result<Vec<PathBuf>, End> {
        let what = self.what.clone();
        let yaml = what.extension().is_some_and(|e| e == "yaml" || e == "yml");
        let found = if yaml && what.is_file() {
            self.of_pipeline()?.into_iter().filter(|folder| folder.is_dir()).collect()
        } else if is_ledger(&what) {
            vec![what.clone()]
        } else {
            let beside = State::Beside.folder(Some(&what)).filter(|folder| is_ledger(folder));
            beside.into_iter().chain(inside(&what)).collect()
        };
        if found.is_empty() {
            let message = format!("there is no ledger of {}", what.display());
            return Err(Failure::new(FailureKind::Pipeline, message).into());
        }
        Ok(found)
    }

    fn of_pipeline(self) -> Result<Option<PathBuf>, End> {
        let args = PipelineArgs {
            file: self.what,
            sets: self.sets,
            tile: None,
            rules: RuleArgs { without: Vec::new() },
            out: self.out,
            overwrite: false,
            deny: None,
            strict: false,
            no_calls: false,
        };
        let mut job = args.job(1)?;
        job.dry = true;
        job.state = State::Beside;
        Ok(pipeline::load(&job)?.physical.state)
    }
}

/// Whether a folder holds a ledger.
fn is_ledger(folder: &Path) -> bool {
    folder.join("writers").is_file()
}

/// The ledgers of the outputs in a folder.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(".tidemill")).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| is_ledger(p)).collect();
    folders.sort();
    folders
}
