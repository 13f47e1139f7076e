//! The plan as a drawing: Graphviz DOT and Mermaid.
use crate::physical::{Node, Op, Physical, Reduce, Route};
use base::visible;
use std::fmt::Write;

/// The physical plan in Graphviz's DOT language.
pub fn dot(physical: &Physical) -> String {
    let mut out = String::from(
        "digraph tidemill {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\"];\n",
    );
    for (i, node) in physical.nodes.iter().enumerate() {
        let label = label(node).map(|text| escaped(&text)).join("\\n");
        let _ = writeln!(out, "  n{i} [label=\"{label}\"];");
        for input in &node.inputs {
            let _ = writeln!(out, "  n{input} -> n{i};");
        }
    }
    out.push_str("}\n");
    out
}

/// The physical plan as a Mermaid flowchart.
pub fn mermaid(physical: &Physical) -> String {
    let mut out = String::from("flowchart TD\n");
    for (i, node) in physical.nodes.iter().enumerate() {
        let label = label(node).map(|text| entities(&text)).join("<br>");
        let _ = writeln!(out, "  n{i}[\"{label}\"]");
        for input in &node.inputs {
            let _ = writeln!(out, "  n{input} --> n{i}");
        }
    }
    out
}

/// A text in a label of DOT, which has escapes of its own.
fn escaped(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// A text in a label of Mermaid, which is HTML: what is not of words is an entity, so that it
/// neither ends the label nor the page that the drawing stands in.
fn entities(text: &str) -> String {
    let entity = |c: char| match c {
        '"' | '<' | '>' | '&' | '#' | ';' | '\\' | '`' => format!("#{};", c as u32),
        c => c.to_string(),
    };
    visible(text).chars().map(entity).collect()
}

/// What a node does, in few words, then what it makes.
fn label(node: &Node) -> [String; 2] {
    let columns: Vec<&str> = node.schema.names().filter(|n| !n.starts_with('#')).collect();
    let shown = match columns.len() {
        0..=6 => columns.join(", "),
        n => format!("{}, … {n} columns", columns[..5].join(", ")),
    };
    [format!("{} · {}", node.step, verb(&node.op)), shown]
}

/// The name of a node's kind, and what it is about.
pub fn verb(op: &Op) -> String {
    match op {
        Op::Read(read) => format!("Read {} tiles", read.tiling.count()),
        Op::Apply(_) => "Apply".to_owned(),
        Op::Partial(reduce) => format!("Partial {}", reduction(reduce)),
        Op::Final(reduce) => format!("Final {}", reduction(reduce)),
        Op::Exchange(Route::Gather) => "Exchange to worker 0".to_owned(),
        Op::Exchange(Route::Hash(_)) => "Exchange by hash of the keys".to_owned(),
        Op::Exchange(Route::Tile) => "Exchange by tile number".to_owned(),
        Op::Exchange(Route::Processes) => "Exchange to all processes".to_owned(),
        Op::Exchange(Route::Tasks { processes: 1, .. }) => "Exchange to process 0".to_owned(),
        Op::Exchange(Route::Tasks { .. }) => "Exchange to the processes that do it".to_owned(),
        Op::Exchange(Route::Address) => "Exchange by address".to_owned(),
        Op::Split(_) => "Split by range".to_owned(),
        Op::Assemble(_) => "Assemble tiles".to_owned(),
        Op::Concat(_) => "Concat".to_owned(),
        Op::Join(join) => format!("Join {}", join.how.name()),
        Op::Ask(_) => "Ask for matches".to_owned(),
        Op::Find(_) => "Find matches".to_owned(),
        Op::Match(join) => format!("Join {} by the answers", join.how.name()),
        Op::Overlay(_) => "Join by dimensions".to_owned(),
        Op::Sample(_) => "Sample the keys".to_owned(),
        Op::Deal(_) => "Deal rows to their parts".to_owned(),
        Op::Parts(plan) => format!("Make {} parts", plan.into),
        Op::Task(task) => format!("Task {}", task.describe()),
        Op::Stream(program) => format!("Stream through `{}`", program.shown()),
        Op::Encode(_) => "Encode".to_owned(),
        Op::Write(sink) => format!("Write {}", sink.describe()),
        Op::Show(_) => "Show".to_owned(),
    }
}

fn reduction(reduce: &Reduce) -> String {
    match reduce {
        Reduce::Fold(fold) => {
            let names: Vec<&str> = fold.aggregates.iter().map(|a| a.reduction.name()).collect();
            names.join(", ")
        }
        Reduce::Order(order) => match (order.limit, order.keys.is_empty()) {
            (None, _) => "sort".to_owned(),
            (Some(n), true) => format!("first {n}"),
            (Some(n), false) => format!("top {n}"),
        },
    }
}
