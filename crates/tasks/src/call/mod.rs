//! A program for each row, or batch of rows.
//!
//! | module | what it has |
//! |---|---|
//! | [`spec`] | what is to be run, as the plan says it |
//! | [`program`] | where a program is |
//! | `start` | the words of one start, with the values of its rows |
//! | `staged` | files that it makes, under other names until its end |
//! | `attempt`, `process`, `pipes` | one start: a process group, its pipes, its end |
//! | `retry` | starts until one ends well |
//! | `fault` | why a row failed, as a sentence |
//! | `stdout` | what it has written, as columns |
//! | `answer` | the columns of all rows of a start |
//! | `key`, `contents` | what the answer depends on |
mod answer;
mod attempt;
mod contents;
mod fault;
mod key;
mod pipes;
pub(crate) mod process;
pub mod program;
mod retry;
mod spec;
mod staged;
mod start;
mod stdout;

pub use crate::waits::Waits;
pub use spec::{Place, Spec, Stdout};

use crate::mark;
use crate::slots::{Kind, Waited};
use crate::work::Setting;
use crate::{Answer, Key, Made, Rows, Stop, Work};
use base::{Field, Warning};
use contents::Contents;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

/// A program that is run for each row, or batch of rows.
pub struct Call {
    spec: Spec,
    fields: Vec<Field>,
    contents: Contents,
    setting: OnceLock<Setting>,
    waited: Waited,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.spec.fmt(f)
    }
}

impl Call {
    /// Of what is to be run.
    ///
    /// # Errors
    /// If a column of its output has the name of another: a sentence.
    pub fn new(spec: Spec) -> Result<Call, String> {
        let fields = answer::fields(&spec.stdout);
        if fields.len() == answer::OWN.len() {
            return Err("the output needs at least one column".to_owned());
        }
        for (i, field) in fields.iter().enumerate() {
            if fields[..i].iter().any(|other| other.name == field.name) {
                return Err(format!("two columns of a call have the name `{}`", field.name));
            }
        }
        let (contents, setting) = (Contents::default(), OnceLock::new());
        Ok(Call { spec, fields, contents, setting, waited: Waited::new(Kind::Program) })
    }

    /// What is run.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Whether an output may take the place of a file.
    fn may_replace(&self, path: &Path) -> bool {
        let marked = || self.spec.maker.as_deref().is_some_and(|maker| mark::is_of(path, maker));
        let is_made = || self.setting.get()?.is_made.as_ref();
        let known = || Made::at(path).zip(is_made()).is_some_and(|(made, is_made)| is_made(&made));
        self.spec.replace || marked() || known()
    }

    /// What all answers depend on, whatever the rows: what is said to the program, and what it and
    /// the constant files among its arguments hold.
    pub fn identity(&self) -> String {
        key::identity(&self.spec, &self.contents)
    }
}

impl Work for Call {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn batch(&self) -> usize {
        self.spec.batch.max(1)
    }

    fn begin(&self, setting: Setting) {
        // It is told once.
        let _ = self.setting.set(setting);
    }

    fn key(&self, rows: &Rows) -> Option<Key> {
        let rendered = start::render(&self.spec, rows);
        match rendered.errors.iter().all(Option::is_none) {
            true => key::of(&self.spec, &rendered.start, &self.contents),
            false => None,
        }
    }

    fn met(&self) -> Vec<Warning> {
        self.waited.met().into_iter().collect()
    }

    fn run<'a>(&'a self, rows: Rows, mut stop: Stop) -> BoxFuture<'a, Answer> {
        async move {
            let rendered = start::render(&self.spec, &rows);
            let sound = rendered.errors.iter().filter(|e| e.is_none()).count();
            let done = match sound {
                0 => None,
                _ => Some(self.until_done(rendered.start, sound, &mut stop).await),
            };
            answer::assemble(&self.fields, rendered.errors, done)
        }
        .boxed()
    }
}
