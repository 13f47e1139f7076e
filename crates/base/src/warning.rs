//! Warnings about data: what a file holds, or what came of its values.
use crate::{Code, Diagnostic, Span, grouped};

/// Something that the user should know of an input, an output or the values of a run, though it
/// does not stop the run. Equal warnings are told once, with the sum of their counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Its stable code, a `W….`.
    pub code: Code,
    /// Where in the pipeline file, if that is known to who warns.
    pub span: Option<Span>,
    /// One line without a full stop, with the file and the variable. `{n}` stands for the count
    /// and `{s}` for the plural's ending.
    pub message: String,
    /// What would be right; may be empty.
    pub help: String,
    /// How many values, rows or files it is about.
    pub count: u64,
}

impl Warning {
    /// A warning about one thing.
    pub fn new(code: Code, message: impl Into<String>) -> Warning {
        Warning { code, span: None, message: message.into(), help: String::new(), count: 1 }
    }

    /// About so many values, rows or files.
    pub fn count(mut self, count: u64) -> Warning {
        self.count = count;
        self
    }

    /// With what would be right.
    pub fn help(mut self, text: impl Into<String>) -> Warning {
        self.help = text.into();
        self
    }

    /// At this place of the pipeline file.
    pub fn at(mut self, span: Span) -> Warning {
        self.span = Some(span);
        self
    }

    /// The message with its count.
    pub fn text(&self) -> String {
        let plural = if self.count == 1 { "" } else { "s" };
        self.message.replace("{n}", &grouped(self.count)).replace("{s}", plural)
    }

    /// As a diagnostic; at `span` if it knows no better place.
    pub fn diagnostic(&self, span: Span) -> Diagnostic {
        let help = (!self.help.is_empty()).then(|| self.help.clone());
        Diagnostic::warning(self.code, self.span.unwrap_or(span), self.text()).maybe_help(help)
    }

    /// Adds warnings to a list in which no two differ by nothing but their counts.
    pub fn merge(list: &mut Vec<Warning>, more: impl IntoIterator<Item = Warning>) {
        for warning in more {
            let same = |w: &&mut Warning| {
                (w.code, w.span, &w.message) == (warning.code, warning.span, &warning.message)
            };
            match list.iter_mut().find(same) {
                Some(known) => known.count = known.count.saturating_add(warning.count),
                None => list.push(warning),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_warnings_are_one_with_a_count() {
        let zero = |n| {
            Warning::new(Code::DivisionByZero, "{n} integer division{s} by zero gave 0").count(n)
        };
        let mut list = vec![zero(1)];
        assert_eq!(list[0].text(), "1 integer division by zero gave 0");
        Warning::merge(&mut list, [zero(2309), Warning::new(Code::TypeNarrowed, "x")]);
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].text(), "2,310 integer divisions by zero gave 0");
    }
}
