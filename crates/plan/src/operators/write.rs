//! `write`: a file.
use super::read::format;
use crate::build::Builder;
use crate::graph::{NodeId, PlanOp, WritePlan};
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::options::options;
use crate::outputs;
use crate::sinks::sink;
use crate::spec::{Step, wrong_shape};
use crate::yaml::{Kind, Node};
use base::{Attribute, Attributes, Code, Diagnostic, Field, Schema, Span, Value, did_you_mean};

/// The operator.
pub static WRITE: Operator = Operator {
    name: "write",
    doc: "Writes a file, and passes its input on.\n\
          The format follows the name: `.nc` NetCDF, `.parquet` a folder of Parquet files, \
          `.arrow` Arrow IPC, `.csv`, `.png` and other images. NetCDF and images take boxes as they \
          are; the others take rows, in which coordinates are columns. The file has its final name only when it is whole; one \
          that exists already is refused unless `--overwrite` is said. Only a file is ever put in \
          the place of a file, and a folder of parts in that of one that holds nothing else; never \
          an input, the pipeline file, a link or a device. `s3://bucket/name` is written too.",
    head: Shape::Text,
    keys: &[
        Key {
            name: "variables",
            doc: "The columns to write; all where none are named. Coordinates of a box are always written.",
            shape: Shape::Names,
        },
        Key {
            name: "attributes",
            doc: "Attributes of variables, `{ t: { units: K } }`, and of the file, `{ title: … }`.",
            shape: Shape::Attributes,
        },
        Key {
            name: "format",
            doc: "The format, where the name does not tell.",
            shape: Shape::Text,
        },
    ],
    inputs: Inputs::One,
    example: "- grid: { x: \"linspace(0, 1, 5)\" }\n- map: { y: x**2 }\n- write: parabola.nc\n\
              \x20 attributes: { y: { units: \"1\", long_name: a parabola } }",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let text = b.text(&step.head, "the name of a file is expected here");
    let variables = step.option("variables").map(|n| b.columns(n, &schema));
    let keep = kept(&schema, variables);
    let steps =
        vec![expr::Step::Project(keep.iter().map(|i| (*i, schema.fields[*i].clone())).collect())];
    let node = b.apply(step, input, steps);
    let global = step.option("attributes").map(|n| attributes(b, node, n)).unwrap_or_default();
    // Whatever is wrong with the file, the input goes on.
    let Some(text) = text else { return Some(input) };
    let span = step.head.span;
    let format = format(b, step.option("format"), &text, span);
    let path = outputs::output(b, &text, span, format);
    let Some(format) = format else { return Some(input) };
    let known = ["variables", "attributes", "format"];
    let (options, option_spans) = options(b, step, &known, format, format.write_options());
    let attributes = file_attributes(b, &schema, global);
    let write = WritePlan { format, path, span, options, option_spans, attributes };
    let schema = b.graph.nodes[node].schema.clone();
    // The real one needs the tiles, which are cut when all steps are known.
    sink(b, &write, &schema, None, false);
    widened(b, &write, &schema);
    crate::unkept::warn(b, &write, &schema);
    b.add(step, PlanOp::Write(Box::new(write)), vec![node], schema);
    Some(input)
}

/// Warns of columns that have the names of an input's, and are written as another type than there,
/// where a reader would see it.
fn widened(b: &mut Builder, write: &WritePlan, schema: &Schema) {
    if !matches!(write.format.name(), "parquet" | "arrow") {
        return;
    }
    let same = |field: &Field| {
        let stored =
            b.stored.iter().find(|(name, _, dtype)| *name == *field.name && *dtype == field.dtype);
        stored.map(|(name, kind, dtype)| format!("`{name}` ({kind}) as {dtype}"))
    };
    let columns: Vec<String> = schema.fields.iter().filter_map(same).collect();
    if !columns.is_empty() {
        let list = columns.join(", ");
        let message = format!("written as another type than the input has: {list}");
        b.error(Diagnostic::warning(Code::TypeWidened, write.span, message));
    }
}

/// The coordinates of a box first, then the variables.
fn kept(schema: &Schema, variables: Option<Vec<(usize, Span)>>) -> Vec<usize> {
    let rows = |i: usize| schema.domain.dims.len() == 1 && schema.coordinate(i).is_none();
    let Some(variables) = variables else { return (0..schema.fields.len()).collect() };
    let coordinate = |i: &usize| !rows(*i) && schema.coordinate(*i).is_some();
    let mut keep: Vec<usize> = (0..schema.fields.len()).filter(coordinate).collect();
    for (i, _) in variables {
        if !keep.contains(&i) {
            keep.push(i);
        }
    }
    keep
}

/// Sets the attributes of variables and returns those of the file.
fn attributes(b: &mut Builder, node: NodeId, at: &Node) -> Attributes {
    let mut global = Attributes::default();
    let entries = b.map(at, "`attributes` is a mapping of variables to attributes").to_vec();
    for (key, value) in &entries {
        let Kind::Map(inner) = &value.kind else {
            global.0.extend(attribute(b, value).map(|v| (key.name.clone(), v)));
            continue;
        };
        let schema = &b.graph.nodes[node].schema;
        let Some(i) = schema.position(&key.name) else {
            let names: Vec<String> = schema.names().map(str::to_owned).collect();
            let message = format!("no variable `{}` is written", key.name);
            let near = did_you_mean(&key.name, names.iter().map(String::as_str));
            b.error(Diagnostic::error(Code::UnknownAttribute, key.span, message).maybe_help(near));
            continue;
        };
        for (name, value) in inner {
            if let Some(value) = attribute(b, value) {
                b.graph.nodes[node].schema.fields[i].attributes.set(name.name.clone(), value);
            }
        }
    }
    global
}

fn attribute(b: &mut Builder, node: &Node) -> Option<Attribute> {
    let values: Vec<Value> = match &node.kind {
        Kind::Scalar(scalar) if scalar.quoted => {
            return b.text(node, "a value is expected here").map(Attribute::Text);
        }
        Kind::Scalar(scalar) => vec![crate::params::value_of(scalar)],
        Kind::List(items) => {
            items.iter().filter_map(|n| n.scalar()).map(crate::params::value_of).collect()
        }
        _ => Vec::new(),
    };
    if !values.is_empty() && values.iter().all(|v| matches!(v, Value::Int(_))) {
        return Some(Attribute::Ints(values.iter().filter_map(Value::as_i64).collect()));
    }
    if !values.is_empty() && values.iter().all(|v| v.as_f64().is_some()) {
        return Some(Attribute::Floats(values.iter().filter_map(Value::as_f64).collect()));
    }
    if let [Value::Str(_) | Value::Bool(_)] = values[..] {
        return b.text(node, "a value is expected here").map(Attribute::Text);
    }
    b.error(wrong_shape(node, "an attribute is text, a number or a list of numbers"));
    None
}

/// What an output says of itself: CF's attributes, and which pipeline made it.
pub fn file_attributes(b: &Builder, schema: &Schema, own: Attributes) -> Attributes {
    let mut all = schema.attributes.clone();
    let text = |t: String| Attribute::Text(t);
    let before = schema.attributes.get("Conventions").and_then(Attribute::text);
    all.set("Conventions", text(conventions(before)));
    if b.titled || schema.attributes.get("title").is_none() {
        all.set("title", text(b.title.clone()));
    }
    let file = std::path::Path::new(&*b.source.name);
    let file = file
        .file_name()
        .map_or_else(|| b.source.name.to_string(), |f| f.to_string_lossy().into_owned());
    let line = format!("{}: tidemill {} run {file}", b.options.now, env!("CARGO_PKG_VERSION"));
    let history = match schema.attributes.get("history").and_then(Attribute::text) {
        Some(before) => format!("{line}\n{before}"),
        None => line,
    };
    all.set("history", text(history));
    // CF 2.6.2: the method of production of the original data, where the input tells it.
    if schema.attributes.get("source").is_none() {
        all.set("source", text(format!("Tidemill {}", env!("CARGO_PKG_VERSION"))));
    }
    all.set("tidemill_pipeline_sha256", text(b.hash.clone()));
    for (name, value) in own.0 {
        all.set(name, value);
    }
    all
}

/// The conventions that the input names, and CF's where it names no version of them.
fn conventions(before: Option<&str>) -> String {
    match before.map(str::trim) {
        None | Some("") => "CF-1.11".to_string(),
        Some(named) if named.contains("CF-") => named.to_string(),
        Some(named) if named.contains(',') => format!("CF-1.11, {named}"),
        Some(named) => format!("CF-1.11 {named}"),
    }
}
