//! `errors:` and `on_error: skip` of steps that do something for each row: rows that failed go to a
//! file of their own, or nowhere.
use super::read::format;
use super::write::file_attributes;
use crate::build::Builder;
use crate::graph::{NodeId, PlanOp, WritePlan};
use crate::outputs;
use crate::physical::OnError;
use crate::place;
use crate::sinks::sink;
use crate::spec::Step;
use crate::task::ERROR;
use base::{Attributes, Code, Diagnostic, Schema, Text};
use expr::{Scope, Typed};
use formats::Options;

/// Behind a node that has made the column of errors: the node for the steps that follow.
pub fn dead_letters(
    b: &mut Builder,
    step: &Step,
    node: NodeId,
    rows: &Schema,
    on_error: OnError,
) -> NodeId {
    let letters = step.option("errors");
    if on_error == OnError::Stop {
        if let Some(letters) = letters {
            let message = "`errors` needs `on_error: keep` or `on_error: skip`";
            let error = Diagnostic::error(Code::BadValue, letters.span, message);
            b.error(error.help("without it the first row that fails ends the run"));
        }
        return node;
    }
    if letters.is_some() {
        write(b, step, node, rows);
    }
    if on_error == OnError::Keep {
        return node;
    }
    let schema = b.graph.nodes[node].schema.clone();
    let Some(good) = typed(&schema, &format!("isnull({ERROR})")) else { return node };
    let kept = schema.fields.iter().cloned().enumerate();
    let kept = kept.filter(|(_, field)| &*field.name != ERROR).collect();
    b.apply(step, node, vec![expr::Step::Filter(good), expr::Step::Project(kept)])
}

/// The failed rows, why they failed, and the place of the step.
fn write(b: &mut Builder, step: &Step, node: NodeId, rows: &Schema) -> Option<()> {
    let head = step.option("errors")?;
    let text = b.text(head, "the name of a file is expected here")?;
    let format = format(b, None, &text, head.span)?;
    let path = outputs::output(b, &text, head.span, Some(format));
    let schema = b.graph.nodes[node].schema.clone();
    let failed = typed(&schema, &format!("not isnull({ERROR})"))?;
    let own = |name: &str| name == ERROR || rows.field(name).is_some();
    let kept = schema.fields.iter().cloned().enumerate().filter(|(_, f)| own(&f.name)).collect();
    let steps = vec![expr::Step::Filter(failed), expr::Step::Project(kept)];
    let node = b.apply(step, node, steps);
    let schema = b.graph.nodes[node].schema.clone();
    let place = place::step(b.source, &step.name, step.span).replace('"', "'");
    let mut node = node;
    if schema.field("place").is_none()
        && let Some(typed) = typed(&schema, &format!("\"{}\"", place.replace('\\', "/")))
    {
        let field = super::field("place", &typed, &schema);
        node = b.apply(step, node, vec![expr::Step::Map(vec![(field, typed)])]);
    }
    let schema = b.graph.nodes[node].schema.clone();
    let write = WritePlan {
        format,
        path,
        span: head.span,
        options: Options::default(),
        option_spans: Vec::new(),
        attributes: file_attributes(b, &schema, Attributes::default()),
    };
    sink(b, &write, &schema, None, false);
    b.add(step, PlanOp::Write(Box::new(write)), vec![node], schema);
    Some(())
}

/// An expression of our own.
fn typed(schema: &Schema, text: &str) -> Option<Typed> {
    let expr = expr::parse(&Text::plain(text, 0)).ok()?;
    expr::check(&expr, &Scope { schema, row: &[], params: &[], functions: &[] }).ok()
}
