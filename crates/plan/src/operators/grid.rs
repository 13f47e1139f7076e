//! `grid`: a box of named dimensions.
use super::axes::axis;
use crate::build::Builder;
use crate::graph::{NodeId, PlanOp, ReadPlan};
use crate::operator::{Inputs, Operator, Shape};
use crate::spec::Step;
use arrow_array::{Array, ArrayRef};
use base::{Attributes, Code, DType, Diagnostic, Dim, DimMask, Domain, Field, MAX_DIMS, Schema};
use expr::Given;

/// The operator.
pub static GRID: Operator = Operator {
    name: "grid",
    doc: "Makes a box of named dimensions, the last one running fastest.\n\
          Each dimension has a coordinate column of its own name: `linspace(a, b, n)`, \
          `arange(a, b, step)`, `0..n`, `1..=n` or a list.",
    head: Shape::Axes,
    keys: &[],
    inputs: Inputs::None,
    example: "- grid:\n    lat: linspace(-90, 90, 19)\n    lon: arange(0, 360, 10)\n    level: [1000, 850, 500]",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let entries = b.map(&step.head, "`grid` is a mapping of dimensions to coordinates");
    let mut axes: Vec<(&str, Option<ArrayRef>)> = Vec::new();
    for (key, node) in entries {
        b.check_name(&key.name, key.span);
        axes.push((&key.name, axis(b, node)));
    }
    if axes.is_empty() {
        return None;
    }
    if axes.len() > MAX_DIMS {
        let message = format!("a grid has at most {MAX_DIMS} dimensions");
        b.error(Diagnostic::error(Code::BadDomain, step.head.span, message));
        return None;
    }
    let mut schema =
        Schema { domain: Domain::default(), fields: Vec::new(), attributes: Attributes::default() };
    let mut given = Vec::new();
    for (i, (name, values)) in axes.iter().enumerate() {
        // An axis that has a mistake still counts as one, so that its users are not blamed.
        let size = values.as_ref().map_or(1, |v| v.len() as u64);
        schema.domain.dims.push(Dim { name: (*name).into(), size: Some(size) });
        let dtype = values.as_ref().and_then(|v| DType::from_arrow(v.data_type()));
        let dtype = dtype.unwrap_or(DType::Float64);
        schema.fields.push(Field::new(*name, dtype, DimMask::only(i)));
        given.push(values.clone().map_or(Given::Loaded, Given::Table));
    }
    if schema.domain.points().is_none() {
        b.error(Diagnostic::error(
            Code::BadDomain,
            step.head.span,
            "the grid has more than 2^63 points",
        ));
        return None;
    }
    let read = ReadPlan {
        place: String::new(),
        source: None,
        offset: vec![0; axes.len()],
        columns: vec![None; axes.len()],
        describe: schema.domain.to_string(),
        request: String::new(),
        files: None,
        fused: None,
        survivors: None,
    };
    Some(b.node(step, PlanOp::Read(read), Vec::new(), schema, given))
}
