//! `fetch`: downloads.
use crate::build::Builder;
use crate::graph::{NodeId, PlanOp};
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::physical::TaskWork;
use crate::spec::Step;
use crate::task;
use crate::template::Templates;
use crate::yaml::Node;
use base::{Code, Diagnostic, Schema, Span, Value};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tasks::Template;
use tasks::fetch::{Fetch, Folder, Part, Spec};

/// The operator.
pub static FETCH: Operator = Operator {
    name: "fetch",
    doc: "Downloads an address for every row, into a file or a column.\n\
          An address begins with `https://`, `http://` or `file:`; `${name}` stands for a column of \
          the row. With `to`, a file gets its name when it is whole; what has come of a large one is \
          gone on with, also by a later run, where the server lets it. Without `to`, the body becomes \
          the column `body`. Adds `status`, `seconds`, `bytes`, `attempts`. 16 downloads are in \
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

/// The keys of all steps that do something for each row come behind its own.
const KEYS: [Key; OWN.len() + task::KEYS.len()] = {
    const NONE: Key = Key { name: "", doc: "", shape: Shape::Text };
    let mut keys = [NONE; OWN.len() + task::KEYS.len()];
    let mut i = 0;
    while i < keys.len() {
        let key = if i < OWN.len() { &OWN[i] } else { &task::KEYS[i - OWN.len()] };
        keys[i] = Key { name: key.name, doc: key.doc, shape: key.shape };
        i += 1;
    }
    keys
};

const OWN: [Key; 13] = [
    Key {
        name: "to",
        doc: "The file, `out/${name}.nc`. One that is there with other content, and that no run has \
              made, is never replaced without `--overwrite`.",
        shape: Shape::Text,
    },
    Key {
        name: "headers",
        doc: "Headers of the request: `{ Accept: text/csv }`. Values are never shown, and go to no \
              other host after a redirect.",
        shape: Shape::Renames,
    },
    Key {
        name: "sha256",
        doc: "The SHA-256 of the body in 64 hexadecimal digits, `${sum}`: another one is an error.",
        shape: Shape::Text,
    },
    Key {
        name: "per_second",
        doc: "The most attempts a second, of all processes together; no bound if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "timeout",
        doc: "The most seconds for a row, with all its attempts and waits; no bound if it is not \
              said.",
        shape: Shape::Constant,
    },
    Key {
        name: "connect_timeout",
        doc: "The most seconds until a connection stands; 10 if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "stall_timeout",
        doc: "The most seconds of silence, before the answer and within it; 60 if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "retries",
        doc: "How often a row is tried again after broken connections, silence, bodies that are cut, \
              and the statuses 202, 408, 425, 429 and 5xx; 4 if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "wait",
        doc: "The most seconds before the first retry; 1 if it is not said. The bound doubles with \
              each one, and the wait is anything up to it.",
        shape: Shape::Constant,
    },
    Key {
        name: "longest_wait",
        doc: "The most seconds of any wait, also where the server asks for more with \
              `Retry-After`; 120 if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "redirects",
        doc: "The most redirects that are followed; 10 if it is not said. From `https:` to `http:` \
              none is.",
        shape: Shape::Constant,
    },
    Key {
        name: "longest_body",
        doc: "The largest body that becomes a column, such as `1 MB`; 16 MB if it is not said.",
        shape: Shape::Text,
    },
    Key {
        name: "secrets",
        doc: "Headers whose values stand in variables of the environment: `{ Authorization: \
              API_TOKEN }`.",
        shape: Shape::Renames,
    },
];

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let mut templates = Templates::new(&schema);
    let spec = spec(b, step, &schema, &mut templates)?;
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
    let mut other = |b: &mut Builder, key: &str, what: &str| {
        step.option(key).map(|node| text(b, node, what).ok_or(()))
    };
    let to = other(b, "to", "the name of a file is expected here");
    let sha256 = other(b, "sha256", "64 hexadecimal digits are expected here");
    let secrets = secrets(b, step, &mut spans);
    let defaults = Spec::default();
    let spec = Spec {
        url: url?,
        to: to.transpose().ok()?,
        sha256: sha256.transpose().ok()?,
        headers: headers?,
        secrets,
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
    Some(spec)
}

/// The headers; adds where each name stands.
fn headers(
    b: &mut Builder,
    step: &Step,
    text: &mut impl FnMut(&mut Builder, &Node, &str) -> Option<Template>,
    spans: &mut Vec<Span>,
) -> Option<Vec<(String, Template)>> {
    let Some(node) = step.option("headers") else { return Some(Vec::new()) };
    let mut headers = Some(Vec::new());
    for (key, value) in b.map(node, "`headers` is a mapping of names to values").to_vec() {
        let value = text(b, &value, "the value of a header is expected here");
        headers = headers.zip(value).map(|(mut headers, value)| {
            headers.push((key.name.clone(), value));
            headers
        });
        spans.push(key.span);
    }
    headers
}

/// The headers whose values stand in variables of the environment.
fn secrets(b: &mut Builder, step: &Step, spans: &mut Vec<Span>) -> Vec<(String, String)> {
    let Some(node) = step.option("secrets") else { return Vec::new() };
    let mut secrets = Vec::new();
    let what = "`secrets` is a mapping of headers to variables of the environment";
    for (key, value) in b.map(node, what).to_vec() {
        let name = b.text(&value, "the name of a variable is expected here");
        let value = name.and_then(|name| secret(b, &name, value.span));
        secrets.push((key.name.clone(), value.unwrap_or_default()));
        spans.push(key.span);
    }
    secrets
}

/// The value of a variable; nobody needs it where nothing runs.
fn secret(b: &mut Builder, name: &str, span: Span) -> Option<String> {
    match std::env::var(name) {
        Ok(value) => Some(value),
        Err(_) if b.options.dry => Some(String::new()),
        Err(_) => {
            let message = format!("the environment has no variable `{}`", name.escape_debug());
            let error = Diagnostic::error(Code::BadValue, span, message);
            b.error(error.help("set it in the shell, and `export` it, before the run"));
            None
        }
    }
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

/// A number above nothing.
fn positive(b: &mut Builder, step: &Step, key: &str) -> Option<f64> {
    let node = step.option(key)?;
    let text = b.scalar(node, "a number is expected here")?.text.clone();
    let value = b.constant(&text)?;
    let number = value.as_f64().filter(|x| *x > 0.0 && x.is_finite());
    if number.is_none() {
        let shown = if let Value::Str(text) = &value { text.clone() } else { value.to_string() };
        let message = format!("`{key}` is a number above 0, not {shown}");
        b.error(Diagnostic::error(Code::BadValue, node.span, message));
    }
    number
}

/// A time in seconds.
fn seconds(b: &mut Builder, step: &Step, key: &str) -> Option<Duration> {
    positive(b, step, key).map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX))
}

fn whole(b: &mut Builder, step: &Step, key: &str) -> Option<u32> {
    let node = step.option(key)?;
    b.integer(node, &format!("`{key}`"), 0).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
}

fn longest_body(b: &mut Builder, step: &Step) -> Option<u64> {
    let node = step.option("longest_body")?;
    let text = b.text(node, "`longest_body` is a size such as `1 MB`")?;
    let bytes = base::bytes_of(&text);
    if bytes.is_none() {
        let message = format!("`longest_body` is a size such as `1 MB`, not `{text}`");
        b.error(Diagnostic::error(Code::BadValue, node.span, message));
    }
    bytes
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
