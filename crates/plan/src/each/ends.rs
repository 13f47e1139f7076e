//! What comes of a row: the columns of the steps that nothing follows.
use crate::build::Builder;
use crate::graph::{FoldPlan, FoldPlanKind, Graph, NodeId, PlanOp};
use crate::physical::Show;
use crate::spec::Step;
use base::{Code, Diagnostic, DimMask, Field, Schema};
use expr::Step as Pass;

/// What the steps come to.
#[derive(Default)]
pub struct Ends {
    /// The columns, all of which may have missing values.
    pub fields: Vec<Field>,
    /// Whether they have one value for a row, and not rows of their own.
    pub one: bool,
}

/// Adds what collects the rows of the steps that nothing follows, and says what they come to.
pub fn ends(b: &mut Builder, steps: &[Step], row: &[Field]) -> Ends {
    for (i, step) in steps.iter().enumerate() {
        let used = steps.iter().any(|other| other.inputs.contains(&i));
        let sink = ["write", "show"].contains(&step.operator.name);
        if let (false, false, Some(node)) = (used, sink, b.made[i]) {
            let schema = b.graph.nodes[node].schema.clone();
            let show = Show { name: step.name.clone(), most: None };
            b.add(step, PlanOp::Show(show), vec![node], schema);
        }
    }
    let shows = |id: &NodeId| matches!(b.graph.nodes[*id].op, PlanOp::Show(_));
    let shown: Vec<NodeId> = (0..b.graph.nodes.len()).filter(shows).collect();
    let many = shown.iter().filter(|id| !one_row(&b.graph, **id)).count();
    let mut ends = Ends { fields: Vec::new(), one: many == 0 };
    let of = |b: &Builder, id: NodeId| {
        steps.iter().find(|step| step.name == b.graph.nodes[id].step).map(|step| step.span)
    };
    if many > 0 && shown.len() > 1 {
        let name = |id: &NodeId| format!("`{}`", b.graph.nodes[*id].step);
        let names: Vec<String> = shown.iter().map(name).collect();
        let message = format!("`each` ends in several steps: {}", names.join(", "));
        let span = of(b, shown[1]).unwrap_or_default();
        let help = "one may have rows; several have one row each, as of a `reduce` without `by`";
        b.error(Diagnostic::error(Code::WrongInputs, span, message).help(help));
        return ends;
    }
    for id in shown {
        let (schema, span) = (b.graph.nodes[id].schema.clone(), of(b, id).unwrap_or_default());
        for field in schema.fields {
            let outside = row.iter().any(|f| f.name == field.name);
            if outside || ends.fields.iter().any(|f| f.name == field.name) {
                let name = &field.name;
                let message = match outside {
                    true => format!("the row has a column `{name}`, and `each` makes another"),
                    false => format!("two steps that `each` ends in make a column `{name}`"),
                };
                let help = "`select` or `drop` it inside of `each`, or `rename` it";
                b.error(Diagnostic::error(Code::DuplicateName, span, message).help(help));
                continue;
            }
            let mask = DimMask::only(0);
            ends.fields.push(Field { nullable: true, mask, ..field });
        }
    }
    ends
}

/// Whether a node makes one row, whatever it is made of: what has reduced all rows does.
fn one_row(graph: &Graph, mut id: NodeId) -> bool {
    loop {
        let node = &graph.nodes[id];
        match &node.op {
            PlanOp::Fold(FoldPlan { kind: FoldPlanKind::All, .. }) => return true,
            PlanOp::Apply(steps) if steps.iter().all(keeps) => {}
            PlanOp::Order(_) | PlanOp::Show(_) => {}
            _ => return false,
        }
        match node.inputs.first() {
            Some(input) => id = *input,
            None => return false,
        }
    }
}

/// Whether a step of a pass keeps all rows.
fn keeps(step: &Pass) -> bool {
    matches!(step, Pass::Map(_) | Pass::Project(_))
}

/// How a result differs from what is expected of it; a sentence, if it does.
pub fn differs(fields: &[Field], schema: &[Schema]) -> Option<String> {
    let made: Vec<&Field> = schema.iter().flat_map(|s| &s.fields).collect();
    for field in fields {
        let name = &field.name;
        match made.iter().find(|f| f.name == field.name) {
            None => return Some(format!("there is no column `{name}`, which the first row has")),
            Some(f) if f.dtype != field.dtype => {
                let (one, other) = (f.dtype, field.dtype);
                return Some(format!("`{name}` is {one} here, and {other} for the first row"));
            }
            Some(_) => {}
        }
    }
    let known = |f: &&&Field| fields.iter().any(|field| field.name == f.name);
    let more = made.iter().find(|f| !known(f))?;
    Some(format!("there is a column `{}`, which the first row has not", more.name))
}
