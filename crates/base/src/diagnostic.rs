//! Mistakes found before anything runs: where, what, and what would be right.
use crate::{Code, Span};
use std::collections::HashSet;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The pipeline cannot run.
    Error,
    /// It can run, but perhaps not as meant.
    Warning,
    /// It may well be meant, but is often taken for something else: told by a check, not by a run.
    Note,
}

/// A second place that explains the first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there.
    pub text: String,
}

/// One mistake in a pipeline file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// Error, warning or note.
    pub severity: Severity,
    /// One line that says what is wrong, without a full stop.
    pub message: String,
    /// The very token that is wrong.
    pub span: Span,
    /// A few words printed beside the caret; may be empty.
    pub label: String,
    /// Other places that matter, such as the first use of a name.
    pub others: Vec<Label>,
    /// What would be right, a line each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            label: String::new(),
            others: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning at `span`.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// A note at `span`.
    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Note, ..Diagnostic::error(code, span, message) }
    }

    /// With a few words beside the caret.
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        self.label = text.into();
        self
    }

    /// With a line that says what would be right.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(text.into());
        self
    }

    /// With `help` if there is any, such as the answer of [`crate::did_you_mean`].
    pub fn maybe_help(self, text: Option<String>) -> Diagnostic {
        match text {
            Some(text) => self.help(text),
            None => self,
        }
    }

    /// With another place that explains this one.
    pub fn other(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.others.push(Label { span, text: text.into() });
        self
    }
}

/// All mistakes found so far, so that they are reported at once.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    /// The same, to find what is known already.
    known: HashSet<Diagnostic>,
    errors: usize,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds one; the same mistake at the same place is kept once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.known.insert(diagnostic.clone()) {
            self.errors += usize::from(diagnostic.severity == Severity::Error);
            self.list.push(diagnostic);
        }
    }

    /// Adds several.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }

    /// Keeps the value, or the mistakes.
    pub fn take<T>(&mut self, result: Result<T, Vec<Diagnostic>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(list) => {
                self.extend(list);
                None
            }
        }
    }

    /// Changes them, once more is known than when they were found.
    pub fn amend(&mut self, change: impl FnMut(&mut Diagnostic)) {
        self.list.iter_mut().for_each(change);
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many of them are errors.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many there are, errors, warnings and notes.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Without the warnings and notes of these codes; with `deny`, the warnings that are left are
    /// errors.
    pub fn settle(self, allowed: &[Code], deny: bool) -> Diagnostics {
        let mut settled = Diagnostics::new();
        for mut diagnostic in self.list {
            match diagnostic.severity {
                Severity::Warning | Severity::Note if allowed.contains(&diagnostic.code) => {
                    continue;
                }
                Severity::Warning if deny => diagnostic.severity = Severity::Error,
                _ => {}
            }
            settled.push(diagnostic);
        }
        settled
    }

    /// In the order of the file.
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|d| (d.span, d.code.text()));
        self.list
    }
}
