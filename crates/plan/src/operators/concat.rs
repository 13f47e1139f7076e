//! `concat`: the rows of several steps, one after the other.
use crate::build::Builder;
use crate::graph::{NodeId, PlanOp};
use crate::operator::{Inputs, Operator, Shape};
use crate::spec::Step;
use base::{Code, DType, Diagnostic, Domain, Field, Schema};
use expr::{Expr, ExprKind, Typed, Word};

/// The operator.
pub static CONCAT: Operator = Operator {
    name: "concat",
    doc: "Puts the rows of several steps one after the other: `concat:` with `from: [a, b]`.\n\
          All must have the same column names; types are promoted as NumPy does. Boxes become \
          rows.",
    head: Shape::Any,
    keys: &[],
    inputs: Inputs::Many,
    example: "- range: { k: 1..=3 }\n  as: low\n- range: { k: 101..=103 }\n  as: high\n\
              - concat:\n  from: [low, high]",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    if !step.head.is_nothing() {
        let message = "`concat:` stands alone; its inputs stand in `from:`";
        b.error(
            Diagnostic::error(Code::WrongShape, step.head.span, message)
                .help("write `- concat:` and below it `  from: [a, b]`"),
        );
    }
    let inputs = b.inputs(step);
    let schemas: Vec<Schema> = inputs.iter().map(|i| b.graph.nodes[*i].schema.clone()).collect();
    let mut fields = schemas.first()?.fields.clone();
    let names: Vec<String> = inputs.iter().map(|i| b.graph.nodes[*i].step.clone()).collect();
    for (schema, name) in schemas.iter().zip(&names).skip(1) {
        merge(b, step, &mut fields, schema, [&names[0], name]);
    }
    let mut aligned = Vec::new();
    for (input, schema) in inputs.iter().zip(&schemas) {
        aligned.push(align(b, step, *input, schema, &fields));
    }
    for field in &mut fields {
        field.mask = base::DimMask::only(0);
    }
    let attributes = schemas[0].attributes.clone();
    let schema = Schema { domain: Domain::rows(), fields, attributes };
    Some(b.add(step, PlanOp::Concat, aligned, schema))
}

/// Widens the fields so that they hold the columns of another input too.
fn merge(
    b: &mut Builder,
    step: &Step,
    fields: &mut [Field],
    schema: &Schema,
    [first, second]: [&str; 2],
) {
    for name in schema.names().filter(|n| !fields.iter().any(|f| &*f.name == *n)) {
        lacks(b, step, first, name, second);
    }
    for field in fields {
        let Some(other) = schema.field(&field.name) else {
            lacks(b, step, second, &field.name, first);
            continue;
        };
        field.nullable |= other.nullable;
        match expr::common_type(field.dtype, other.dtype) {
            Some(dtype) => field.dtype = dtype,
            None => {
                let (a, c): (DType, DType) = (field.dtype, other.dtype);
                let name = &field.name;
                let message =
                    format!("the column `{name}` is {a} in `{first}` and {c} in `{second}`");
                b.error(Diagnostic::error(Code::SchemaClash, step.span, message));
            }
        }
    }
}

/// The mistake of an input that lacks a column which another has.
fn lacks(b: &mut Builder, step: &Step, who: &str, column: &str, other: &str) {
    let message = format!("`{who}` has no column `{column}`, which `{other}` has");
    b.error(
        Diagnostic::error(Code::SchemaClash, step.span, message)
            .help("use `map`, `drop` or `rename` so that all have the same columns"),
    );
}

/// The columns of one input in the common order and types.
fn align(b: &mut Builder, step: &Step, input: NodeId, schema: &Schema, fields: &[Field]) -> NodeId {
    let casts: Vec<_> = fields
        .iter()
        .filter_map(|f| -> Option<(Field, Typed)> {
            let from = schema.field(&f.name).filter(|from| from.dtype != f.dtype)?;
            // Types that do not meet have been told.
            expr::common_type(from.dtype, f.dtype)?;
            let field = Field { mask: from.mask, nullable: from.nullable, ..f.clone() };
            Some((field, cast(b, step, schema, from, f.dtype)?))
        })
        .collect();
    let order = fields
        .iter()
        .filter_map(|f| {
            let from = schema.position(&f.name)?;
            let mask = schema.fields[from].mask;
            Some((from, Field { mask, ..f.clone() }))
        })
        .collect();
    b.apply(step, input, vec![expr::Step::Map(casts), expr::Step::Project(order)])
}

/// A column as another type: the call of the function of that type's name.
pub fn cast(
    b: &mut Builder,
    step: &Step,
    schema: &Schema,
    from: &Field,
    to: DType,
) -> Option<Typed> {
    let span = step.span;
    let name = Expr { kind: ExprKind::Name(from.name.to_string()), span };
    let word = Word { text: to.name().to_owned(), span };
    b.check(&Expr { kind: ExprKind::Call(word, vec![name]), span }, schema)
}
