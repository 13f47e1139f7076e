//! Steps that do something for each row: what all of them have in common.
use crate::build::Builder;
use crate::graph::{NodeId, PlanOp};
use crate::operator::{Key, Shape};
use crate::operators::dead_letters;
use crate::physical::{OnError, Task, TaskWork};
use crate::spec::Step;
use crate::template::Templates;
use crate::yaml::Node;
use base::{Code, DType, Diagnostic, Domain, Field, Schema, did_you_mean};
use sha2::{Digest, Sha256};
use tasks::lane::Needs;

/// The name of the column that says why a row failed.
pub const ERROR: &str = "error";

/// The keys that all of these steps have.
pub const KEYS: [Key; 7] = [
    Key {
        name: "concurrency",
        doc: "How many are in flight at most, in all processes together; as many as there are \
              workers if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "cores",
        doc: "The cores that each takes: no more are in flight than the job has cores for.",
        shape: Shape::Constant,
    },
    Key {
        name: "memory",
        doc: "The memory that each takes, such as `2 GB`: no more are in flight than there is \
              memory for.",
        shape: Shape::Text,
    },
    Key {
        name: "on_error",
        doc: "What becomes of a row that fails: `stop` ends the run (this holds if nothing is \
              said), `keep` keeps the row, with what went wrong in the column `error`, `skip` \
              leaves it out.",
        shape: Shape::Text,
    },
    Key {
        name: "errors",
        doc: "A file for the rows that failed: their columns, and `error`. With `keep` or `skip`.",
        shape: Shape::Text,
    },
    Key {
        name: "order",
        doc: "`any`: rows go on as soon as they are done. Else they go on in their order.",
        shape: Shape::Text,
    },
    Key {
        name: "first",
        doc: "So many rows that end well are enough: the others are stopped.",
        shape: Shape::Constant,
    },
];

/// What a step does for each row, before it is a node.
pub struct Request<'a> {
    /// What is done.
    pub work: TaskWork,
    /// The columns that it adds.
    pub fields: Vec<Field>,
    /// Whether a row can become any number of rows.
    pub many: bool,
    /// What it does, in a versioned text: equal texts mean equal answers.
    pub identity: String,
    /// The programs and addresses that it uses, for people.
    pub uses: Vec<String>,
    /// The columns to make of the rows' own.
    pub templates: Templates<'a>,
}

/// Adds the nodes of a step.
pub fn add(
    b: &mut Builder,
    step: &Step,
    input: NodeId,
    schema: &Schema,
    request: Request,
) -> Option<NodeId> {
    let on_error = on_error(b, step);
    let first = first(b, step);
    let task = Task {
        keep: (0..schema.fields.len()).collect(),
        concurrency: concurrency(b, step),
        needs: needs(b, step),
        any_order: any_order(b, step) || first.is_some(),
        first,
        on_error,
        many: request.many,
        identity: request.identity,
        uses: request.uses,
        work: request.work,
        sizes: schema.domain.sizes(),
        keep_index: false,
    };
    refused(b, step, &task);
    let mut input = input;
    let columns = request.templates.columns;
    if !columns.is_empty() {
        input = b.apply(step, input, vec![expr::Step::Map(columns)]);
    }
    // Of those that are enough nobody knows which they are.
    let mut made = match task.many || task.first.is_some() {
        true => Schema { domain: Domain::rows(), ..schema.to_rows() },
        false => schema.clone(),
    };
    let all = made.domain.full();
    let mut fields = request.fields;
    if on_error != OnError::Stop {
        fields.push(Field::new(ERROR, DType::String, all));
    }
    for field in fields {
        if schema.field(&field.name).is_some() {
            let message = format!(
                "`{}` makes a column `{}`, and the rows have one already",
                step.operator.name, field.name
            );
            let error = Diagnostic::error(Code::DuplicateName, step.span, message);
            b.error(error.help("`rename` the column of the rows, or `drop` it"));
            continue;
        }
        made.fields.push(Field { mask: all, nullable: true, ..field });
    }
    let node = b.add(step, PlanOp::Task(Box::new(task)), vec![input], made);
    Some(dead_letters(b, step, node, schema, on_error))
}

/// The mistakes in the keys that all of these steps have, where the step itself has one.
pub fn mistakes(b: &mut Builder, step: &Step) {
    on_error(b, step);
    any_order(b, step);
    concurrency(b, step);
    needs(b, step);
    first(b, step);
}

fn first(b: &mut Builder, step: &Step) -> Option<u64> {
    step.option("first").and_then(|n| b.integer(n, "`first`", 1)).map(|n| n as u64)
}

fn on_error(b: &mut Builder, step: &Step) -> OnError {
    let words = [("stop", OnError::Stop), ("keep", OnError::Keep), ("skip", OnError::Skip)];
    word(b, step, "on_error", &words).unwrap_or(OnError::Stop)
}

fn any_order(b: &mut Builder, step: &Step) -> bool {
    word(b, step, "order", &[("any", true), ("rows", false)]).unwrap_or(false)
}

/// One of some words under a key.
fn word<T: Copy>(b: &mut Builder, step: &Step, key: &str, words: &[(&str, T)]) -> Option<T> {
    let node = step.option(key)?;
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let text = b.text(node, &format!("`{key}` is one of {}", names.join(", ")))?;
    let found = words.iter().find(|(word, _)| *word == text.trim());
    if found.is_none() {
        let message = format!("`{key}` is one of {}, not `{text}`", names.join(", "));
        let error = Diagnostic::error(Code::BadValue, node.span, message);
        b.error(error.maybe_help(did_you_mean(&text, names)));
    }
    found.map(|(_, value)| *value)
}

fn concurrency(b: &mut Builder, step: &Step) -> Option<usize> {
    let node = step.option("concurrency")?;
    b.integer(node, "`concurrency`", 1).map(|n| usize::try_from(n).unwrap_or(usize::MAX))
}

fn needs(b: &mut Builder, step: &Step) -> Needs {
    let cores = step.option("cores").and_then(|n| b.integer(n, "`cores`", 1)).unwrap_or(0);
    let memory = step.option("memory").and_then(|n| size(b, n)).unwrap_or(0);
    Needs { cores: u32::try_from(cores).unwrap_or(u32::MAX), memory }
}

/// A number of bytes such as `2 GB`.
fn size(b: &mut Builder, node: &Node) -> Option<u64> {
    let text = b.text(node, "`memory` is a size such as `2 GB`")?;
    let bytes = base::bytes_of(&text);
    if bytes.is_none() {
        let message = format!("`memory` is a size such as `500 MB` or `2 GB`, not `{text}`");
        b.error(Diagnostic::error(Code::BadValue, node.span, message));
    }
    bytes
}

/// Where programs and addresses are not to be used, this is a mistake.
fn refused(b: &mut Builder, step: &Step, task: &Task) {
    if !b.options.no_calls || task.uses.is_empty() {
        return;
    }
    let message = format!("`--no-calls` refuses what this step uses: {}", task.uses.join(", "));
    let error = Diagnostic::error(Code::CallRefused, step.span, message);
    b.error(error.help("without `--no-calls` it is used, with your rights"));
}

/// What files of this pipeline are marked with: it stays the same when the pipeline is changed.
pub fn maker(b: &Builder) -> Option<String> {
    let file = std::path::absolute(&*b.source.name).ok()?;
    let hash = Sha256::digest(file.as_os_str().as_encoded_bytes());
    Some(hash[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}
