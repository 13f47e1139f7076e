//! What is to be kept up to date, and who is told.
use super::console::Console;
use super::how::How;
use crate::job::Job;
use crate::signals::Signals;
use base::{Diagnostic, Failure};
use engine::Options;
use plan::physical::Physical;
use std::sync::Arc;

/// A pipeline whose outputs are to follow its inputs.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The pipeline.
    pub job: &'a Job,
    /// How it is to be kept up to date.
    pub how: &'a How,
    /// Who is told.
    pub console: &'a dyn Console,
    /// What ends it.
    pub signals: &'a Signals,
}

/// What is to be done after a look at the files.
pub enum Next {
    /// Nothing.
    Wait,
    /// Another plan is needed.
    Replan,
    /// This is to be run, and its outputs are to get their names: so much has changed.
    Run(Runnable, String),
}

/// A plan, and how to run it.
pub type Runnable = (Arc<Physical>, Options);

impl Task<'_> {
    /// Tells why outputs stay as they are.
    pub fn complain(&self, failure: &Failure) {
        let places: Vec<String> = failure.context.iter().map(|p| format!(" (in {p})")).collect();
        let what = format!("{}{}", failure.message, places.concat());
        self.console.note(&format!("warning: {what}: outputs stay as they are"));
    }

    /// The same, if no plan could be made.
    pub fn complain_of(&self, mistakes: &[Diagnostic]) {
        let text = base::render(&self.job.source(), mistakes, false);
        self.console.note(&format!("{text}\nwarning: outputs stay as they are"));
    }

    /// Whether a plan can be made of the files that are there.
    pub fn loads(&self) -> bool {
        self.job.load().is_ok_and(|(plan, _)| plan.is_some())
    }
}
