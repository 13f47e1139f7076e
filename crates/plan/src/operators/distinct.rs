//! `distinct`: one row for each key.
use super::map::field;
use super::reduce::reduced;
use crate::build::Builder;
use crate::graph::{FoldPlanKind, NodeId};
use crate::operator::{Inputs, Operator, Shape};
use crate::spec::Step;
use base::{DType, DimMask, Field, Schema, Span, Value};
use expr::{Expr, ExprKind, Typed, Word};

/// The operator.
pub static DISTINCT: Operator = Operator {
    name: "distinct",
    doc: "Keeps one row for each combination of some columns, the first; without names, of all.\n\
          The rows come in the order of these columns, as groups do. A missing value equals \
          another one here, and NaN equals NaN.",
    head: Shape::Any,
    keys: &[],
    inputs: Inputs::One,
    example: "- rows: [{ city: Oslo, t: 4 }, { city: Rome, t: 16 }, { city: Oslo, t: 5 }]\n\
              - distinct: city",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let named: Vec<(usize, Span)> = match step.head.is_nothing() {
        true => (0..schema.fields.len()).map(|i| (i, step.span)).collect(),
        false => b.columns(&step.head, &schema),
    };
    let mut columns: Vec<usize> = Vec::new();
    for (column, span) in named {
        match columns.contains(&column) {
            true => b.error(super::names::twice(&schema.fields[column].name, span)),
            false => columns.push(column),
        }
    }
    if columns.is_empty() {
        return None;
    }
    let key = |b: &mut Builder, i: &usize| {
        let name = &schema.fields[*i].name;
        let typed = b.check(&column(name, step.span), &schema)?;
        Some((Field { mask: DimMask::only(0), ..field(name, &typed, &schema) }, typed))
    };
    let keys: Option<Vec<(Field, Typed)>> = columns.iter().map(|i| key(b, i)).collect();
    let others = (0..schema.fields.len()).filter(|i| !columns.contains(i));
    let first = |i: usize| (schema.fields[i].name.to_string(), first(&schema.fields[i], step.span));
    let others: Vec<(String, Expr)> = others.map(first).collect();
    let by = FoldPlanKind::By((0..columns.len()).collect());
    let made = reduced(b, step, input, &keys?, others, by, None)?;
    Some(in_order(b, step, made, &schema))
}

/// The columns in the order that they had, and with their attributes.
fn in_order(b: &mut Builder, step: &Step, made: NodeId, before: &Schema) -> NodeId {
    let now = &b.graph.nodes[made].schema;
    let column = |field: &Field| {
        let i = now.position(&field.name)?;
        let nullable = now.fields[i].nullable;
        Some((i, Field { mask: DimMask::only(0), nullable, ..field.clone() }))
    };
    let columns = before.fields.iter().filter_map(column).collect();
    b.apply(step, made, vec![expr::Step::Project(columns)])
}

/// A column's value in the first row. `first` passes over missing values, so whether the first one
/// is missing is asked beside it.
fn first(field: &Field, span: Span) -> Expr {
    let of = |name: &str, arguments| call(name, arguments, span);
    let column = column(&field.name, span);
    if !field.nullable {
        return of("first", vec![column]);
    }
    let literal = |value| Expr { kind: ExprKind::Literal(value), span };
    let any = match field.dtype {
        DType::Bool => literal(Value::Bool(false)),
        DType::String | DType::Binary => literal(Value::Str(String::new())),
        DType::Timestamp => of("timestamp", vec![literal(Value::Int(0))]),
        DType::Int32 | DType::Int64 | DType::Float32 | DType::Float64 => literal(Value::Int(0)),
    };
    let missing = of("first", vec![of("isnull", vec![column.clone()])]);
    let value = of("first", vec![of("coalesce", vec![column, any])]);
    of("where", vec![missing, literal(Value::Null), value])
}

fn column(name: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Name(name.to_owned()), span }
}

fn call(name: &str, arguments: Vec<Expr>, span: Span) -> Expr {
    Expr { kind: ExprKind::Call(Word { text: name.to_owned(), span }, arguments), span }
}
