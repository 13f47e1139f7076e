//! `call`: a program for every row.
mod keys;
mod values;
mod words;

use super::stream;
use crate::build::Builder;
use crate::graph::NodeId;
use crate::operator::{Inputs, Operator, Shape};
use crate::physical::TaskWork;
use crate::size::rows_at_most;
use crate::spec::Step;
use crate::task;
use crate::template::Templates;
use base::{Code, Diagnostic};
use std::sync::Arc;
use tasks::Work;
use tasks::call::{Call, Place, Spec, Stdout, Waits};

/// The operator.
pub static CALL: Operator = Operator {
    name: "call",
    doc: "Runs a program for every row.\n\
          A list of the program and its arguments, each with `${expression}` for values of the row: \
          `[gzip, -k, ${path}]`. No shell reads it: an argument is one, whatever is in it. Adds \
          `exit`, `seconds`, `stderr` (its last 64 KiB), `attempts`, and what `stdout` says. A program \
          that does not end well makes its row fail (`on_error`). It ends with its process group at \
          `timeout`, when the run ends, and when Tidemill is killed. `{ stream: [python3, f.py] }` \
          keeps one process a worker and passes batches through it, as the step `stream` does; \
          `batch` is then its `batch_rows`.",
    head: Shape::Any,
    keys: &keys::KEYS,
    inputs: Inputs::One,
    example: "- range: { k: 1..=3 }\n- call: [printf, \"%s\", \"${k**2:04d}\"]\n  stdout: float64",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    if step.head.get("stream").is_some() {
        return stream::of_call(b, step);
    }
    let (input, schema) = b.input(step)?;
    let mut templates = Templates::new(&schema);
    let Some(spec) = spec(b, step, &mut templates) else {
        task::mistakes(b, step);
        return None;
    };
    one_file(b, step, input, &spec);
    let uses = vec![words::shown(&step.head)];
    let many = spec.batch == 1 && matches!(spec.stdout, Stdout::Lines | Stdout::Csv(_));
    let call = match Call::new(spec) {
        Ok(call) => call,
        Err(why) => {
            let at = step.option("columns").map_or(step.span, |node| node.span);
            b.error(Diagnostic::error(Code::DuplicateName, at, why));
            return None;
        }
    };
    let request = task::Request {
        fields: call.fields().to_vec(),
        many,
        identity: call.identity(),
        uses,
        templates,
        work: TaskWork::Ready(Arc::new(call)),
    };
    task::add(b, step, input, &schema, request)
}

/// What the step says; mistakes are told at their places.
fn spec(b: &mut Builder, step: &Step, t: &mut Templates) -> Option<Spec> {
    let command = words::command(b, step, t);
    let stdin = words::text(b, step, "stdin", t);
    let folder = words::text(b, step, "folder", t);
    let env = words::env(b, step, t);
    let outputs = words::list(b, step, "outputs", t);
    let inputs = words::list(b, step, "inputs", t);
    let stdout = values::stdout(b, step);
    let ok = values::ok(b, step);
    let timeout = values::seconds(b, step, "timeout");
    let first = values::seconds(b, step, "wait");
    let retries = values::whole(b, step, "retries", 0);
    let batch = values::whole(b, step, "batch", 1);
    let (waits, plain) = (Waits::default(), Spec::new(command?));
    let spec = Spec {
        stdin: stdin?,
        folder: folder?,
        env: env?,
        outputs: outputs?,
        inputs: inputs?,
        stdout: stdout?,
        ok: ok.unwrap_or(plain.ok),
        timeout,
        waits: Waits { first: first.unwrap_or(waits.first), ..waits },
        retries: retries.unwrap_or(0),
        batch: batch.unwrap_or(1) as usize,
        place: place(b, step),
        replace: b.options.overwrite,
        maker: task::maker(b),
        ..plain
    };
    words::found(b, step, &spec);
    Some(spec)
}

/// In which folder outputs are meant.
fn place(b: &Builder, step: &Step) -> Place {
    match (&b.options.scratch, &b.options.out) {
        (Some(scratch), _) => Place::Within(scratch.join(&step.name)),
        (None, Some(out)) => Place::Of(out.clone()),
        (None, None) => Place::Here,
    }
}

/// A file that is the same for all rows can be made by one.
fn one_file(b: &mut Builder, step: &Step, input: NodeId, spec: &Spec) {
    let one = rows_at_most(&b.graph, input).is_some_and(|rows| rows <= 1);
    let constant = spec.outputs.iter().find_map(|name| name.constant());
    let (false, Some(name), Some(node)) = (one, constant, step.option("outputs")) else { return };
    let message = format!("all rows make the same file `{name}`");
    let help = "put a value of the row into its name, such as `${stem}`";
    b.error(Diagnostic::error(Code::DuplicateOutput, node.span, message).help(help));
}
