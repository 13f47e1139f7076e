//! Pipeline files as the verbs take them: read, planned, their mistakes told.
use crate::budget::Budget;
use crate::job::{self, Job};
use crate::say;
use crate::verbs::End;
use base::{Code, Diagnostic, FailureKind, Severity, Source, did_you_mean};
use clap::{Args, ValueEnum};
use engine::ledger::Stages;
use plan::rules::RULES;
use plan::{Plan, State, TileRequest};
use std::path::{Path, PathBuf};

/// A pipeline file and what may be set in it.
#[derive(Args, Clone, Debug)]
pub struct PipelineArgs {
    /// The pipeline file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replaces the value of a parameter
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    pub sets: Vec<(String, String)>,
    /// Size of the tiles that are read, sorted or grouped: about so many points, or so many along
    /// dimensions (lat=10,lon=100)
    #[arg(long, value_name = "POINTS|DIM=N,…", value_parser = tile)]
    pub tile: Option<String>,
    #[command(flatten)]
    pub rules: RuleArgs,
    /// Where outputs go [default: the current folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replaces outputs that exist
    #[arg(long)]
    pub overwrite: bool,
    /// Makes errors of warnings
    #[arg(long, value_enum, value_name = "WHAT")]
    pub deny: Option<Deny>,
    /// Makes errors of arithmetic that goes wrong: integers divided by zero or too large for their
    /// type, shifts out of range, NaN of what is not NaN
    #[arg(long)]
    pub strict: bool,
    /// Refuses programs and addresses: for pipelines of people whom you do not trust
    #[arg(long)]
    pub no_calls: bool,
}

/// What is not put up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// Every warning that the file does not `allow`.
    Warnings,
}

/// Which rewrite rules are switched off.
#[derive(Args, Clone, Debug)]
pub struct RuleArgs {
    /// Switches rewrite rules off, to see what they do; `tidemill list rules` shows them
    #[arg(long, value_name = "RULE,…", value_delimiter = ',', value_parser = rule)]
    pub without: Vec<String>,
}

fn rule(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Some(rule) = plan::rules::rule(text) {
        return Ok(rule.name.to_owned());
    }
    let help = did_you_mean(text, RULES.iter().map(|r| r.name)).unwrap_or_default();
    Err(format!("no rule is called `{text}`: {help}"))
}

/// Reads `NAME=VALUE`.
///
/// # Errors
/// A sentence for the user.
pub fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE".into()),
    }
}

fn tile(text: &str) -> Result<String, String> {
    TileRequest::parse(text).map(|_| text.to_owned())
}

impl PipelineArgs {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read, told as a diagnostic.
    pub fn job(self, threads: usize) -> Result<Job, End> {
        let name = self.file.to_string_lossy().into_owned();
        let text = read(&self.file)?;
        Ok(Job {
            name,
            text,
            sets: self.sets,
            out: self.out,
            tile: self.tile,
            without: self.rules.without,
            overwrite: self.overwrite,
            dry: false,
            scratch: None,
            deny_warnings: self.deny == Some(Deny::Warnings),
            strict: self.strict,
            no_calls: self.no_calls,
            replace: Vec::new(),
            state: State::Nowhere,
            stages: Stages::new(),
            run_id: job::new_run_id(),
            now: job::now(),
            threads,
            budget: Budget::default(),
            profile: false,
            discard: false,
            keep: None,
        })
    }
}

/// The text of a pipeline file.
///
/// # Errors
/// If it cannot be read, told as a diagnostic.
pub fn read(file: &Path) -> Result<String, End> {
    let name = &*file.to_string_lossy();
    let told = |(source, diagnostic): (Source, Diagnostic)| {
        tell(&source, &[diagnostic]);
        End::Told(FailureKind::Pipeline.exit_code())
    };
    let bytes = std::fs::read(file).map_err(|e| told(plan::unreadable(name, &e)))?;
    String::from_utf8(bytes).map_err(|e| told(plan::not_text(name, e.as_bytes())))
}

/// The plan of a job; its mistakes and warnings are told on standard error.
///
/// # Errors
/// If there are mistakes.
pub fn load(job: &Job) -> Result<Plan, End> {
    let (plan, diagnostics) = job.load()?;
    tell(&job.source(), &diagnostics);
    plan.ok_or_else(|| mistaken(&diagnostics))
}

/// As [`load`], and the notes are told too.
///
/// # Errors
/// If there are mistakes.
pub fn check(job: &Job) -> Result<(), End> {
    let (plan, diagnostics) = job.load_with_notes()?;
    tell(&job.source(), &diagnostics);
    plan.map(|_| ()).ok_or_else(|| mistaken(&diagnostics))
}

/// The end of a verb whose pipeline has these mistakes, which have been told.
pub fn mistaken(diagnostics: &[Diagnostic]) -> End {
    End::Told(kind(diagnostics).exit_code())
}

/// Whether it is the pipeline that is wrong, or nothing but what its inputs hold.
fn kind(diagnostics: &[Diagnostic]) -> FailureKind {
    let mut errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
    match errors.all(|d| d.code == Code::BadInput) {
        true => FailureKind::Data,
        false => FailureKind::Pipeline,
    }
}

/// Prints diagnostics, in colour on a terminal, and counts the errors.
pub fn tell(source: &Source, diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    say::styled(&base::render(source, diagnostics, true));
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    if errors > 1 {
        say::line(&format!("\n{errors} errors in {}", source.name));
    }
}
