//! Warnings at the end of a run: those of its plan, and what came of the values.
use crate::job::Job;
use crate::numbers::count;
use base::{Code, Diagnostic, Failure, Source, Span, Warning};
use plan::{Physical, Plan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is said of warnings that end a run.
pub const DENIED: &str = "denied, and so outputs do not get their names";

/// A warning on its way from a process to the launcher: a [`Warning`] that can be written down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Met {
    code: String,
    span: Option<(u32, u32)>,
    message: String,
    help: String,
    count: u64,
}

impl Met {
    /// To be sent.
    pub fn of(warning: &Warning) -> Met {
        Met {
            code: warning.code.text().to_owned(),
            span: warning.span.map(|span| (span.start, span.end)),
            message: warning.message.clone(),
            help: warning.help.clone(),
            count: warning.count,
        }
    }

    /// As it was noted; `None` if its code is unknown.
    pub fn warning(self) -> Option<Warning> {
        let Met { code, span, message, help, count } = self;
        let span = span.map(|(start, end)| Span { start, end });
        Some(Warning { code: Code::from_text(&code)?, span, message, help, count })
    }
}

/// The warnings that a run ends with, less those that the file allows.
pub fn of(plan: &Plan, met: &[Warning]) -> Vec<Diagnostic> {
    let heard = met.iter().filter(|warning| !plan.allow.contains(&warning.code));
    plan.warnings.iter().cloned().chain(heard.map(|w| w.diagnostic(Span::default()))).collect()
}

/// Refuses a run whose warnings are denied, before its outputs get their names.
///
/// # Errors
/// With all warnings that the file does not allow, if there are any.
pub fn refuse(job: &Job, physical: &Physical, met: &[Warning]) -> Result<(), Failure> {
    let heard = met.iter().filter(|warning| !physical.allow.contains(&warning.code));
    let source = job.source();
    let said: Vec<String> = heard
        .map(|warning| {
            let said = warning.diagnostic(Span::default());
            line(&said, &source)
        })
        .collect();
    if !job.deny_warnings || said.is_empty() {
        return Ok(());
    }
    let count = count(said.len() as u64, "warning");
    let message = format!("{count} {DENIED}: {}", said.join("; "));
    Err(Failure::data(message))
}

/// One line: `warning[W0102]: a.parquet: … (p.yaml:2:11)`.
pub fn line(warning: &Diagnostic, source: &Source) -> String {
    let place = match place(warning, source) {
        Some((line, column)) => format!(" ({}:{line}:{column})", source.name),
        None => String::new(),
    };
    format!("warning[{}]: {}{place}", warning.code.text(), warning.message)
}

/// As an object of `--format json`.
pub fn json(warning: &Diagnostic, source: &Source) -> Value {
    let place = place(warning, source);
    json!({
        "code": warning.code.text(),
        "message": warning.message,
        "help": warning.help,
        "line": place.map(|(line, _)| line),
        "column": place.map(|(_, column)| column),
    })
}

fn place(warning: &Diagnostic, source: &Source) -> Option<(usize, usize)> {
    let known = warning.span != Span::default();
    known.then(|| source.line_column(warning.span.start as usize))
}
