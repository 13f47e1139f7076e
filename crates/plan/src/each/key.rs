//! What the answer for a row depends on.
use super::Each;
use crate::build::Builder;
use crate::fingerprint::Print;
use crate::paths::find;
use crate::template::constant;
use crate::yaml::{Kind, Node};
use arrow_array::RecordBatch;
use std::fmt::Write;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tasks::{Key, KeyHasher};

impl Each {
    /// What the steps mean: their text less blanks and comments, the parameters and functions that
    /// they may name, what the run does not put up with.
    pub(super) fn meant(&self) -> Print {
        let mut text = format!("{}\n{:?}\n", env!("CARGO_PKG_VERSION"), self.options.wary());
        for step in &self.steps {
            let _ = write!(text, "{} {:?} ", step.operator.name, step.inputs);
            node(&step.head, &mut text);
            for (key, value) in &step.options {
                let _ = write!(text, " {:?}: ", key.name);
                node(value, &mut text);
            }
            text.push('\n');
        }
        let named = |name: &str| text.contains(name);
        let mut params = String::new();
        for (name, value) in self.params.iter().filter(|(name, _)| named(name)) {
            let _ = writeln!(params, "{name} = {value:?}");
        }
        for function in &self.functions {
            let _ =
                writeln!(params, "{} {:?} {}", function.name, function.arguments, function.body);
        }
        let row = self.row.iter().map(|f| format!("{} {}", f.name, f.dtype)).collect::<Vec<_>>();
        Print::of([text, params, row.join("\n")])
    }

    /// What the answers for rows depend on: the steps, the values that they name, the files that they
    /// read as they are now. `None` if that cannot be told.
    pub fn key(&self, batch: &RecordBatch, rows: Range<usize>) -> Option<Key> {
        let mut hash = KeyHasher::default();
        hash.part(self.meaning);
        let mut builder = None;
        for at in rows {
            for i in &self.used {
                let value = crate::tests::value(batch.column(*i), at);
                hash.part(format!("{} {value:?}", self.row[*i].name));
            }
            for path in self.reads((batch, at), &mut builder)? {
                hash.part(path.as_os_str().as_encoded_bytes());
                if let Ok(m) = path.metadata() {
                    hash.part(format!("{} {} {} {}", m.len(), m.mtime(), m.mtime_nsec(), m.ino()));
                }
            }
        }
        Some(hash.key())
    }

    /// The files that the steps read for a row.
    fn reads<'a>(
        &'a self,
        (batch, at): (&RecordBatch, usize),
        builder: &mut Option<Builder<'a>>,
    ) -> Option<Vec<PathBuf>> {
        // The files of one inside are found by its own steps.
        if self.steps.iter().any(|step| step.operator.name == "each") {
            return None;
        }
        let mut reads = self.steps.iter().filter(|step| step.operator.name == "read").peekable();
        if reads.peek().is_none() {
            return Some(Vec::new());
        }
        let b = builder.get_or_insert_with(|| self.builder(&self.options, (batch, at), true));
        if let Some(row) = &mut b.row {
            row.set(batch, at);
        }
        let beside = Path::new(&*self.source.name).parent();
        let mut paths = Vec::new();
        for step in reads {
            let names = match &step.head.kind {
                Kind::List(items) => items.iter().collect(),
                _ => vec![&step.head],
            };
            for name in names {
                let text = constant(b, &name.scalar()?.text)?;
                paths.extend(find(beside, &text).unwrap_or_else(|_| vec![PathBuf::from(&text)]));
            }
        }
        Some(paths)
    }
}

/// A value of the pipeline file, less its place.
fn node(node: &Node, out: &mut String) {
    match &node.kind {
        Kind::Null => out.push('~'),
        Kind::Scalar(s) => {
            let _ = write!(out, "{}{:?}", if s.quoted { "q" } else { "" }, s.text.text);
        }
        Kind::List(items) => {
            out.push('[');
            items.iter().for_each(|item| {
                self::node(item, out);
                out.push(',');
            });
            out.push(']');
        }
        Kind::Map(entries) => {
            out.push('{');
            for (key, value) in entries {
                let _ = write!(out, "{:?}:", key.name);
                self::node(value, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::each::first_row;
    use crate::physical::{Op, TaskWork};
    use crate::{LoadOptions, load};
    use base::Source;

    /// The key of the first row of a pipeline.
    fn key(text: &str) -> Option<Key> {
        let (plan, mistakes) = load(&Source::new("p.yaml", text), &LoadOptions::default());
        let plan = plan.unwrap_or_else(|| panic!("{mistakes:?}"));
        let task = plan.physical.nodes.iter().find_map(|node| match &node.op {
            Op::Task(task) => Some(task.work.clone()),
            _ => None,
        });
        let Some(TaskWork::Each(each)) = task else { panic!("no `each`") };
        each.key(&first_row(&plan.written, 0).unwrap(), 0..1)
    }

    const SUM: &str = "params: { gain: 2, other: 3 }\nsteps:\n  - rows: [{ n: 3, t: 1 }, { n: 4, t: 2 }]\n  \
                       - each:\n      - range: { k: 1..=n }\n      - reduce: { s: sum(k) * gain }\n";

    #[test]
    fn a_row_is_known_by_what_its_steps_use() {
        let same = [
            SUM.replace("steps:", "# a comment\nsteps:"),
            SUM.replace("t: 1", "t: 7"),
            SUM.replace("other: 3", "other: 4"),
            SUM.replace("[{ n: 3, t: 1 }, { n: 4", "[{ n: 3, t: 1 }, { n: 8, t: 1 }, { n: 4"),
        ];
        for text in same {
            assert_eq!(key(&text), key(SUM), "{text}");
        }
        for (from, to) in [("n: 3", "n: 5"), ("gain: 2", "gain: 3"), ("sum(k)", "max(k)")] {
            assert_ne!(key(&SUM.replace(from, to)), key(SUM), "{from} {to}");
        }
    }

    #[test]
    fn a_changed_file_is_another_row() {
        let path = std::env::temp_dir().join(format!("tidemill-key-{}.csv", std::process::id()));
        std::fs::write(&path, "t\n1\n").unwrap();
        let text = format!(
            "steps:\n  - rows: [{{ path: {} }}]\n  - each:\n      - read: ${{path}}\n      \
             - reduce: {{ s: sum(t) }}\n",
            path.display()
        );
        let before = key(&text);
        assert!(before.is_some() && before == key(&text));
        std::fs::write(&path, "t\n1\n2\n").unwrap();
        assert_ne!(key(&text), before);
        std::fs::remove_file(&path).unwrap();
    }
}
