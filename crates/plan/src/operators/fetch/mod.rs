//! `fetch`: downloads.
mod headers;
mod keys;
mod numbers;

use crate::build::Builder;
use crate::graph::{NodeId, PlanOp};
use crate::operator::{Inputs, Operator, Shape};
use crate::physical::TaskWork;
use crate::spec::Step;
use crate::task;
use crate::template::Templates;
use crate::yaml::Node;
use base::{Code, Diagnostic, Schema, Span};
use headers::{headers, secrets};
use keys::KEYS;
use numbers::{longest_body, positive, seconds, whole};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use tasks::Template;
use tasks::fetch::{Fetch, Folder, Part, Spec};

/// The operator.
pub static FETCH: Operator = Operator {
    name: "fetch",
    doc: "Downloads an address for every row, into a file or a column.\n\
          An address begins with `https://`, `http://` or `file:`; `${name}` stands for a column of \
          the row. With `to`, a file gets its name when it is whole; what has come of a large one is \
          gone on with, also by a later run, where the server lets it. Without `to`, the body becomes \
          the column `body`. Adds `status`, `seconds`, `bytes`, `attempts`. 16 are in \
          flight unless `concurrency` says otherwise. Proxies are those of `HTTP_PROXY`, \
          `HTTPS_PROXY`, `NO_PROXY`. A login in the address is sent and never shown.",
    head: Shape::Text,
    keys: &KEYS,
    inputs: Inputs::One,
    example: "- rows: [{ name: cities.csv }]\n- fetch: file:data/${name}\n  to: out/${name}",
    build,
};

/// In flight where nothing is said: enough to hide the wait for one server, few enough for it.
const CONCURRENCY: usize = 16;

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let mut templates = Templates::new(&schema);
    let Some(spec) = spec(b, step, &schema, &mut templates) else {
        task::mistakes(b, step);
        return None;
    };
    let request = task::Request {
        fields: tasks::fetch::fields(spec.to.is_none()),
        many: false,
        identity: identity(&spec),
        uses: vec![tasks::fetch::shown(&spec.url)],
        templates,
        work: TaskWork::Ready(Arc::new(Fetch::new(spec))),
    };
    let first = b.graph.nodes.len();
    let made = task::add(b, step, input, &schema, request);
    for node in &mut b.graph.nodes[first..] {
        if let PlanOp::Task(task) = &mut node.op {
            task.concurrency.get_or_insert(CONCURRENCY);
        }
    }
    made
}

/// What the step says; mistakes are told at their places.
fn spec(b: &mut Builder, step: &Step, schema: &Schema, t: &mut Templates) -> Option<Spec> {
    let mut text = |b: &mut Builder, node: &Node, what: &str| {
        let text = b.scalar(node, what)?.text.clone();
        t.text(b, &text)
    };
    let url = text(b, &step.head, "an address such as `https://host/${name}` is expected here");
    let mut spans = Vec::new();
    let headers = headers(b, step, &mut text, &mut spans);
    let mut other =
        |b: &mut Builder, key: &str, what: &str| step.option(key).map(|node| text(b, node, what));
    let to = other(b, "to", "the name of a file is expected here");
    let sha256 = other(b, "sha256", "64 hexadecimal digits are expected here");
    let good = url.is_some() && to != Some(None) && sha256 != Some(None);
    let defaults = Spec::default();
    let spec = Spec {
        // One of which the mistake is told is none of another.
        url: url.unwrap_or_else(|| Template::text("file:x")),
        to: to.flatten(),
        sha256: sha256.flatten(),
        headers,
        secrets: secrets(b, step, &mut spans),
        folder: folder(b, step),
        overwrite: b.options.overwrite,
        beside: Path::new(&*b.source.name).parent().map(Path::to_path_buf),
        timeout: seconds(b, step, "timeout"),
        connect: seconds(b, step, "connect_timeout").unwrap_or(defaults.connect),
        stall: seconds(b, step, "stall_timeout").unwrap_or(defaults.stall),
        wait: seconds(b, step, "wait").unwrap_or(defaults.wait),
        longest_wait: seconds(b, step, "longest_wait").unwrap_or(defaults.longest_wait),
        retries: whole(b, step, "retries").unwrap_or(defaults.retries),
        redirects: whole(b, step, "redirects").unwrap_or(defaults.redirects),
        per_second: positive(b, step, "per_second"),
        longest_body: longest_body(b, step).unwrap_or(defaults.longest_body),
    };
    one_file(b, step, schema, &spec);
    told(b, step, &spec, &spans);
    good.then_some(spec)
}

/// Where names of files are meant.
fn folder(b: &Builder, step: &Step) -> Folder {
    match (&b.options.scratch, &b.options.out) {
        (Some(scratch), _) => Folder::Within(scratch.join(&step.name)),
        (None, Some(out)) => Folder::Of(out.clone()),
        (None, None) => Folder::Working,
    }
}

/// A file that is the same for all rows can be written by one.
fn one_file(b: &mut Builder, step: &Step, schema: &Schema, spec: &Spec) {
    let (Some(to), Some(node)) = (&spec.to, step.option("to")) else { return };
    if to.constant().is_none() || schema.domain.points() == Some(1) {
        return;
    }
    let message = "`to` is the same file for all rows";
    let name = schema.names().next().unwrap_or("name");
    let error = Diagnostic::error(Code::DuplicateOutput, node.span, message);
    b.error(error.help(format!("put a value of the row into it, such as `${{{name}}}`")));
}

/// Mistakes that no row can mend.
fn told(b: &mut Builder, step: &Step, spec: &Spec, headers: &[Span]) {
    let at = |key: &str| step.option(key).map_or(step.span, |node| node.span);
    for (part, message) in tasks::fetch::check(spec) {
        let span = match part {
            Part::Url => step.head.span,
            Part::To => at("to"),
            Part::Sha256 => at("sha256"),
            Part::Header(i) => headers.get(i).copied().unwrap_or(step.span),
        };
        b.error(Diagnostic::error(Code::BadValue, span, message));
    }
}

/// What the answers depend on. It is a hash, since texts may hold what is secret.
fn identity(spec: &Spec) -> String {
    let open = |(name, _): &&(String, Template)| !name.eq_ignore_ascii_case("authorization");
    let headers: Vec<_> = spec.headers.iter().filter(open).collect();
    let said = (&spec.url, &spec.to, headers, &spec.sha256, spec.longest_body);
    let sum = Sha256::digest(format!("{said:?}"));
    let hex: String = sum[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("fetch 1 {hex}")
}
