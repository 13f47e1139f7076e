//! Two boxes by the dimensions that both have.
use super::{beside, clash};
use crate::build::Builder;
use crate::graph::{JoinPlan, JoinPlanKind, NodeId, PlanNode, PlanOp};
use crate::spec::Step;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use base::{Code, Diagnostic, DimMask, Field, Schema, Value};
use expr::{Given, Step as Pass};

pub fn join(b: &mut Builder, step: &Step, left: NodeId, right: NodeId) -> Option<NodeId> {
    let (l, r) = (b.graph.nodes[left].clone(), b.graph.nodes[right].clone());
    let single = |node: &PlanNode| matches!(&node.schema.domain.dims[..], [d] if &*d.name == "row" && d.size == Some(1));
    let dims = match single(&r) {
        // One row, such as a mean of everything, goes beside all that the left has.
        true => vec![None],
        false if rows(&l) || rows(&r) => {
            let step_of_rows = if rows(&l) { &l.step } else { &r.step };
            let message =
                format!("`{step_of_rows}` makes rows, which have no dimensions to join by");
            b.error(
                Diagnostic::error(Code::BadDomain, step.span, message)
                    .help("name the columns that are equal: `join: [station, year]`"),
            );
            return None;
        }
        false => dimensions(b, step, &l, &r)?,
    };
    let mut checked = Vec::new();
    let mut others = Vec::new();
    for i in 0..r.schema.fields.len() {
        match r.schema.coordinate(i) {
            Some(dim) => {
                let place = dims[dim];
                checked.extend(place.and_then(|d| coordinates(b, step, (&l, d), (&r, i))));
            }
            None => others.push(i),
        }
    }
    // First what is only compared, then what goes beside the left.
    let taken = project(b, step, right, checked.iter().map(|c| c.1).chain(others.iter().copied()));
    let mut fields = l.schema.fields.clone();
    let mut clashes = Vec::new();
    for other in &others {
        let field = beside(b, step, &l, &r.schema.fields[*other], &mut clashes);
        let along = field.mask.iter().filter_map(|d| Some(DimMask::only(dims[d]?)));
        let mask = along.fold(DimMask::SCALAR, DimMask::union);
        let mask = if rows(&l) { DimMask::only(0) } else { mask };
        if fields[l.schema.fields.len()..].iter().any(|f| f.name == field.name) {
            b.error(crate::operators::names::twice(&field.name, step.span));
        }
        fields.push(Field { mask, ..field });
    }
    clash(b, step, &l.step, &r.step, &clashes);
    let schema =
        Schema { domain: l.schema.domain.clone(), fields, attributes: l.schema.attributes.clone() };
    let mut given = l.given.clone();
    given.resize(schema.fields.len(), Given::Loaded);
    let checked: Vec<(usize, usize)> =
        checked.iter().enumerate().map(|(place, (left, _))| (*left, place)).collect();
    let plan = JoinPlan {
        left: (0..l.schema.fields.len()).collect(),
        right: (0..others.len()).map(|i| checked.len() + i).collect(),
        kind: JoinPlanKind::Dimensions { dims, checked },
    };
    let inputs = vec![left, taken];
    Some(b.node(step, PlanOp::Join(plan), inputs, schema, given))
}

/// Whether a step makes rows and no box that has dimensions of a meaning.
fn rows(node: &PlanNode) -> bool {
    node.schema.domain.dims.iter().any(|d| d.size.is_none() || &*d.name == "row")
}

/// For each dimension of the right box its place in the left one.
fn dimensions(
    b: &mut Builder,
    step: &Step,
    l: &PlanNode,
    r: &PlanNode,
) -> Option<Vec<Option<usize>>> {
    let mut places = Vec::new();
    for dim in &r.schema.domain.dims {
        let Some(place) = l.schema.domain.position(&dim.name) else {
            let message = format!(
                "`{}` has the dimension `{}`, which `{}` has not",
                r.step, dim.name, l.step
            );
            b.error(
                Diagnostic::error(Code::UnknownDimension, step.span, message)
                    .help(format!("reduce `{}` over it first, or change their places", r.step)),
            );
            continue;
        };
        let sizes = (l.schema.domain.dims[place].size, dim.size);
        if sizes.0 != sizes.1 {
            let size = |size: Option<u64>| size.unwrap_or(0);
            let message = format!(
                "`{}` has {} points in `{}` and {} in `{}`",
                dim.name,
                size(sizes.0),
                l.step,
                size(sizes.1),
                r.step
            );
            b.error(Diagnostic::error(Code::BadDomain, step.span, message));
            continue;
        }
        places.push(Some(place));
    }
    (places.len() == r.schema.domain.dims.len()).then_some(places)
}

/// Compares a coordinate of the right box with the left's as far as both are known; else the
/// columns that the run has to compare.
fn coordinates(
    b: &mut Builder,
    step: &Step,
    (l, dim): (&PlanNode, usize),
    (r, column): (&PlanNode, usize),
) -> Option<(usize, usize)> {
    let name = r.schema.fields[column].name.clone();
    let same = |i: &usize| l.schema.coordinate(*i) == Some(dim);
    let own = (0..l.schema.fields.len()).find(same)?;
    let size = l.schema.domain.dims[dim].size.unwrap_or(0);
    let differ =
        (0..size).find_map(|at| match (known(&l.given[own], at), known(&r.given[column], at)) {
            (Some(one), Some(other)) => (!equal(&one, &other)).then_some((at, one, other)),
            _ => None,
        });
    if let Some((at, one, other)) = differ {
        let message = format!(
            "`{name}` is not the same in both: point {at} is {one} in `{}` and {other} in `{}`",
            l.step, r.step
        );
        b.error(
            Diagnostic::error(Code::BadDomain, step.span, message)
                .help("boxes are joined where their coordinates are equal: cut both to the same points with `slices:`, or name keys to join rows"),
        );
    }
    let both = [&l.given[own], &r.given[column]];
    let known = both.iter().all(|given| !given.is_loaded());
    (!known).then_some((own, column))
}

/// The value of a coordinate that is known.
fn known(given: &Given, at: u64) -> Option<Value> {
    match given {
        Given::Loaded | Given::Loose(_) => None,
        Given::Counter { start, step } => Some(Value::Int(start + step * at as i64)),
        Given::Table(array) => value(array, at as usize),
    }
}

fn value(array: &ArrayRef, at: usize) -> Option<Value> {
    if at >= array.len() {
        return None;
    }
    if array.is_null(at) {
        return Some(Value::Null);
    }
    Some(match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(at)),
        DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(at).into()),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(at)),
        DataType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(at).into()),
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(at)),
        DataType::Timestamp(_, _) => {
            Value::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(at))
        }
        DataType::Utf8 => Value::Str(array.as_string::<i32>().value(at).to_owned()),
        _ => return None,
    })
}

/// Equal as keys are: numbers of any type by value, NaN with NaN, missing with missing.
fn equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(x), Some(y)) if !matches!((one, other), (Value::Int(_), Value::Int(_))) => {
            x == y || x.is_nan() && y.is_nan()
        }
        _ => one == other,
    }
}

fn project(
    b: &mut Builder,
    step: &Step,
    node: NodeId,
    columns: impl Iterator<Item = usize>,
) -> NodeId {
    let fields = &b.graph.nodes[node].schema.fields;
    let keep = columns.map(|i| (i, fields[i].clone())).collect();
    b.apply(step, node, vec![Pass::Project(keep)])
}
