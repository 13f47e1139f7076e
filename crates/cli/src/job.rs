//! A job: a pipeline and all that its plan depends on. The launcher hands it to every process of
//! a run, and each makes the same plan of it.
use crate::budget::Budget;
use crate::clock;
use crate::keep::How;
use base::{Diagnostic, Failure, FailureKind, Severity, Source};
use engine::ledger::Stages;
use plan::physical::{Node, Op, Physical};
use plan::rules::{RULES, rule};
use plan::{KnownFiles, LoadOptions, Plan, State, TileRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    /// `--without`.
    pub without: Vec<String>,
    /// `--overwrite`.
    pub overwrite: bool,
    /// Nothing will be written: what stands under the names of outputs is not in the way.
    #[serde(default)]
    pub dry: bool,
    /// Where all outputs go that are thrown away.
    #[serde(default)]
    pub scratch: Option<PathBuf>,
    /// `--deny warnings`.
    #[serde(default)]
    pub deny_warnings: bool,
    /// `--strict`.
    #[serde(default)]
    pub strict: bool,
    /// `--no-calls`.
    #[serde(default)]
    pub no_calls: bool,
    /// Outputs that may be replaced without it.
    pub replace: Vec<PathBuf>,
    /// Where state is kept.
    pub state: State,
    /// What the ledger calls what is staged for each output.
    pub stages: Stages,
    /// Unlike that of any other run.
    pub run_id: String,
    /// When it started, ISO 8601.
    pub now: String,
    /// Worker threads in each process.
    pub threads: usize,
    /// Memory of each process.
    pub budget: Budget,
    /// Whether to measure what the time goes into.
    pub profile: bool,
    /// Whether outputs are thrown away when they are whole.
    pub discard: bool,
    /// How outputs are kept up to date, if they are.
    pub keep: Option<How>,
}

impl Job {
    /// The text and its name.
    pub fn source(&self) -> Source {
        Source::new(self.name.as_str(), self.text.as_str())
    }

    /// What the other processes of a run are given.
    ///
    /// # Errors
    /// If it, or what they will tell of the plan's outputs, has a name of a file that is not text.
    pub fn assignment(&self, physical: &Physical) -> Result<Value, Failure> {
        let text = |node: &Node| match &node.op {
            Op::Write(sink) => sink.path().to_str().is_some(),
            _ => true,
        };
        let job = serde_json::to_value(self).ok();
        job.filter(|_| physical.nodes.iter().all(text)).ok_or_else(|| {
            let message = "a name of a file or folder is not UTF-8 text: several processes cannot \
                           tell each other of it; use one process, or another name";
            Failure::new(FailureKind::Pipeline, message)
        })
    }

    /// What stands for all that the user said of the run, the same in all processes that were
    /// started for it.
    pub fn digest(&self) -> [u8; 32] {
        let Job { text, sets, out, tile, without, overwrite, deny_warnings, strict, .. } = self;
        let wary = (deny_warnings, strict);
        let said = format!("{:?}", (text, sets, out, tile, without, overwrite, wary));
        engine::links::digest(said.as_bytes())
    }

    /// The first digits of [`Job::digest`].
    pub fn key(&self) -> String {
        self.digest()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The plan, if there are no mistakes, and what is to be said about the file.
    ///
    /// # Errors
    /// If `tile` cannot be read.
    pub fn load(&self) -> Result<(Option<Plan>, Vec<Diagnostic>), Failure> {
        self.load_knowing(false, KnownFiles::default())
    }

    /// The same, for files that come and change behind the plan if it is to `follow` them.
    ///
    /// # Errors
    /// If `tile` cannot be read.
    pub fn load_to(&self, follow: bool) -> Result<(Option<Plan>, Vec<Diagnostic>), Failure> {
        self.load_knowing(follow, KnownFiles::default())
    }

    /// The same, with the notes, which only a check tells.
    ///
    /// # Errors
    /// If `tile` cannot be read.
    pub fn load_with_notes(&self) -> Result<(Option<Plan>, Vec<Diagnostic>), Failure> {
        self.plan(false, KnownFiles::default())
    }

    /// The same, of files that are known from before.
    ///
    /// # Errors
    /// If `tile` cannot be read.
    pub fn load_knowing(
        &self,
        follow: bool,
        known: KnownFiles,
    ) -> Result<(Option<Plan>, Vec<Diagnostic>), Failure> {
        let (plan, mut diagnostics) = self.plan(follow, known)?;
        diagnostics.retain(|d| d.severity != Severity::Note);
        Ok((plan, diagnostics))
    }

    fn plan(
        &self,
        follow: bool,
        known: KnownFiles,
    ) -> Result<(Option<Plan>, Vec<Diagnostic>), Failure> {
        let tile = self.tile.as_deref().map(TileRequest::parse).transpose();
        let options = LoadOptions {
            sets: self.sets.clone(),
            out: self.out.clone(),
            tile: tile.map_err(Failure::internal)?,
            without: rules(&self.without)?,
            overwrite: self.overwrite,
            dry: self.dry,
            scratch: self.scratch.clone(),
            deny_warnings: self.deny_warnings,
            strict: self.strict,
            no_calls: self.no_calls,
            replace: self.replace.clone(),
            state: self.state.clone(),
            follow,
            known,
            run_id: self.run_id.clone(),
            now: self.now.clone(),
        };
        Ok(plan::load(&self.source(), &options))
    }
}

/// The names of rules that are switched off, each once, in the order of the table.
///
/// # Errors
/// If one is not in it.
pub fn rules(names: &[String]) -> Result<Vec<&'static str>, Failure> {
    let unknown = |name: &String| Failure::internal(format!("no rule is called `{name}`"));
    let known = |name: &String| rule(name).map(|r| r.name).ok_or_else(|| unknown(name));
    let off: Vec<&str> = names.iter().map(known).collect::<Result<_, _>>()?;
    Ok(RULES.iter().map(|r| r.name).filter(|name| off.contains(name)).collect())
}

/// A name for a run that no other run has: the time in seconds and the process, in hexadecimal.
pub fn new_run_id() -> String {
    let now = clock::microseconds(SystemTime::now());
    format!("{now:x}-{:x}", std::process::id())
}

/// The time, ISO 8601 in UTC; that of the variable `SOURCE_DATE_EPOCH` (seconds since 1970,
/// <https://reproducible-builds.org/specs/source-date-epoch/>) where it is set, so that the same
/// run writes the same bytes.
pub fn now() -> String {
    let told = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|t| t.trim().parse::<u64>().ok());
    let told = told.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    clock::iso(told.unwrap_or_else(SystemTime::now))
}
