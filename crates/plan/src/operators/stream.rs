//! `stream`: batches of rows through a program of the user's own.
use crate::build::Builder;
use crate::graph::{NodeId, PlanOp, StreamPlan};
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::spec::{Step, wrong_shape};
use crate::yaml::{self, Kind, Node};
use base::{Code, DType, Diagnostic, DimMask, Domain, Field, Schema, Span, Value, did_you_mean};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tasks::call::program::find;
use tasks::stream::Program;

/// The operator.
pub static STREAM: Operator = Operator {
    name: "stream",
    doc: "Passes batches of rows through a program of your own, such as `[python3, anomaly.py]`.\n\
          Each worker keeps one process of it for the whole run. The program reads an Arrow IPC \
          stream from its standard input and writes one to its standard output: the schema, then \
          exactly one batch for each that it reads, of as many rows as it likes. In Python, \
          `tidemill.operator` makes such a program of a function. Batches are tiles: `--tile` or \
          `batch_rows` cut them, never the number of workers; those without rows are left out. Of \
          a grid the coordinates are columns. Without `columns`, the plan starts the program and \
          gives it a batch without rows, to learn what it gives. There is no shell.",
    head: Shape::Texts,
    keys: KEYS,
    inputs: Inputs::One,
    example: "- range: { k: 0..1000 }\n- map: { x: sin(k) }\n- stream: [python3, -m, anomaly]\n\
              \x20 columns: { k: int64, z: float64 }",
    build,
};

/// What may stand beside the program.
pub const KEYS: &[Key] = &[
    Key {
        name: "columns",
        doc: "The columns that the program gives and their types, `{ anomaly: float64 }`; without \
              it the program is asked before the run.",
        shape: Shape::Renames,
    },
    Key {
        name: "batch_rows",
        doc: "The most rows of a batch, where they come as they are read or sorted; without it a \
              batch is a tile.",
        shape: Shape::Constant,
    },
    Key {
        name: "timeout",
        doc: "Seconds for which the program may neither read nor write while an answer is waited \
              for; without it, for ever.",
        shape: Shape::Constant,
    },
    Key {
        name: "retries",
        doc: "How often a batch is tried again, in a new process, if the program fails; 0 without it.",
        shape: Shape::Constant,
    },
];

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    through(b, step, &step.head, "batch_rows")
}

/// The step `call: { stream: [python3, anomaly.py] }`, of which `batch` cuts the batches.
pub fn of_call(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let known = ["columns", "batch", "timeout", "retries"];
    let strange = |(key, _): &&(yaml::Key, Node)| !known.contains(&key.name.as_str());
    if let Some((key, _)) = step.options.iter().find(strange) {
        let message = format!("a call that is a stream has no key `{}`", key.name);
        let near = did_you_mean(&key.name, known);
        b.error(Diagnostic::error(Code::UnknownKey, key.span, message).maybe_help(near));
    }
    let head = step.head.map().unwrap_or_default();
    if let Some((key, _)) = head.iter().find(|(key, _)| key.name != "stream") {
        let message = format!("`{}` stands beside `call`, not in it", key.name);
        b.error(Diagnostic::error(Code::UnknownKey, key.span, message));
    }
    through(b, step, step.head.get("stream")?, "batch")
}

/// Adds the node of a program that stands in this list, with the keys of `step` beside it.
fn through(b: &mut Builder, step: &Step, words: &Node, batch: &str) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let written = list(b, words);
    let declared = step.option("columns").map(|node| columns(b, node));
    let batch_rows = whole(b, step, batch, 1);
    let retries = whole(b, step, "retries", 0).unwrap_or(0).min(u64::from(u32::MAX)) as u32;
    let timeout = step.option("timeout").and_then(|node| seconds(b, node));
    let written = written?;
    if b.options.no_calls {
        let shown = written.join(" ");
        let message = format!("`--no-calls` refuses what this step uses: {shown}");
        let error = Diagnostic::error(Code::CallRefused, words.span, message);
        b.error(error.help("without `--no-calls` it is used, with your rights"));
        return None;
    }
    let beside = Path::new(&*b.source.name).parent().map(Path::to_path_buf);
    let file = match program(beside.as_deref(), &written[0]) {
        Ok(file) => file,
        Err(message) => {
            b.error(Diagnostic::error(Code::BadProgram, words.span, message));
            return None;
        }
    };
    let argument = |word: &String| existing(beside.as_deref(), word);
    let mut program = Program {
        file,
        arguments: written[1..].iter().map(argument).collect(),
        words: written,
        takes: schema.arrow(),
        gives: None,
        timeout,
        retries,
    };
    let fields = match declared {
        Some(fields) => fields?,
        None => asked(b, &program, words.span)?,
    };
    program.gives = Some(fields.clone());
    let made = Schema { domain: Domain::rows(), fields, attributes: schema.attributes.clone() };
    let plan = StreamPlan { key: program.key(), program: Arc::new(program), batch_rows };
    Some(b.add(step, PlanOp::Stream(plan), vec![input], made))
}

/// The program and its arguments.
fn list(b: &mut Builder, node: &Node) -> Option<Vec<String>> {
    let expected = "a list of a program and its arguments is expected here";
    let Kind::List(items) = &node.kind else {
        let help = "each argument is an item: `[python3, anomaly.py]`; there is no shell";
        b.error(wrong_shape(node, expected).help(help));
        return None;
    };
    let words: Option<Vec<String>> =
        items.iter().map(|item| b.text(item, "an argument is a single value")).collect();
    let words = words?;
    if words.first().is_none_or(String::is_empty) {
        b.error(Diagnostic::error(Code::BadValue, node.span, "no program is named"));
        return None;
    }
    Some(words)
}

/// The declared columns.
fn columns(b: &mut Builder, node: &Node) -> Option<Vec<Field>> {
    let entries = b.map(node, "`columns` is a mapping of names to types").to_vec();
    let (mut fields, mut good) = (Vec::<Field>::new(), !entries.is_empty());
    for (key, value) in &entries {
        b.check_name(&key.name, key.span);
        let Some(text) = b.text(value, "the name of a type is expected here") else {
            good = false;
            continue;
        };
        match DType::from_name(&text) {
            Some(dtype) => fields.push(field(&key.name, dtype)),
            None => {
                let message = format!("no type is called `{text}`");
                let near = did_you_mean(&text, DType::NAMED.iter().map(|t| t.name()));
                b.error(Diagnostic::error(Code::BadValue, value.span, message).maybe_help(near));
                good = false;
            }
        }
    }
    good.then_some(fields)
}

fn field(name: &str, dtype: DType) -> Field {
    Field { nullable: true, ..Field::new(name, dtype, DimMask::only(0)) }
}

/// A whole number under a key.
fn whole(b: &mut Builder, step: &Step, key: &str, least: i64) -> Option<u64> {
    let value = b.integer(step.option(key)?, &format!("`{key}`"), least)?;
    u64::try_from(value).ok()
}

/// A time in seconds.
fn seconds(b: &mut Builder, node: &Node) -> Option<Duration> {
    let text = b.scalar(node, "a number of seconds is expected here")?.text.clone();
    let value = b.constant(&text)?;
    let time = value.as_f64().filter(|s| *s > 0.0).map(Duration::try_from_secs_f64);
    match time {
        Some(Ok(time)) => Some(time),
        _ => {
            let shown =
                if let Value::Str(text) = &value { text.clone() } else { value.to_string() };
            let message = format!("`timeout` is a number of seconds above 0, not {shown}");
            b.error(Diagnostic::error(Code::BadValue, node.span, message));
            None
        }
    }
}

/// The columns that the program says it gives.
fn asked(b: &mut Builder, program: &Program, span: Span) -> Option<Vec<Field>> {
    let fields = match program.trial() {
        Ok(fields) => fields,
        Err(why) => {
            let (why, said) = why.split_once('\n').unwrap_or((&why, ""));
            let message =
                format!("`{}` {why}, when it was given a batch without rows", program.shown());
            let message = message.replace("; its standard error:,", ",");
            let help = match said {
                "" => "`columns:` says what it gives without starting it".to_owned(),
                said => format!("it wrote to its standard error:\n{said}"),
            };
            b.error(Diagnostic::error(Code::BadProgram, span, message).help(help));
            return None;
        }
    };
    for field in &fields {
        b.check_name(&field.name, span);
    }
    Some(fields)
}

/// The file of a program: of this name if it has a folder, in that of the command or that of the
/// pipeline; else in the folders of `PATH`.
fn program(beside: Option<&Path>, word: &str) -> Result<PathBuf, String> {
    let there = beside.filter(|folder| !Path::new(word).exists() && folder.join(word).exists());
    find(word, there)
}

/// An argument; with the folder of the pipeline if only there is a file of this name.
fn existing(beside: Option<&Path>, word: &str) -> String {
    let path = Path::new(word);
    let there = beside.map(|folder| folder.join(path)).filter(|path| path.is_file());
    match there.as_deref().and_then(Path::to_str) {
        Some(there) if path.is_relative() && !word.starts_with('-') && !path.exists() => {
            there.to_owned()
        }
        _ => word.to_owned(),
    }
}
