//! Rows with equal keys.
use super::{beside, clash};
use crate::build::Builder;
use crate::graph::{JoinPlan, JoinPlanKind, NodeId, PlanOp};
use crate::physical::How;
use crate::spec::{Step, names_of, wrong_shape};
use crate::yaml::{Kind, Node};
use base::{Code, DType, Diagnostic, DimMask, Domain, Field, Schema, Span, did_you_mean};
use expr::{Names, Typed};

/// A pair of columns whose values must be equal, and where they stand in the file.
struct Pair {
    left: usize,
    right: usize,
    span: Span,
}

pub fn join(b: &mut Builder, step: &Step, left: NodeId, right: NodeId, how: How) -> Option<NodeId> {
    let pairs = pairs(b, &step.head, left, right);
    let types: Vec<Option<DType>> = pairs.iter().map(|p| key_type(b, p, left, right)).collect();
    let types: Vec<DType> = types.into_iter().collect::<Option<_>>()?;
    if pairs.is_empty() {
        return None;
    }
    let (made, keys) = left_keys(b, step, left, &pairs, &types);
    let others = right_columns(b, right, &pairs, how);
    let taken = right_side(b, step, right, &pairs, &types, &others);
    let node = &b.graph.nodes[left];
    let (node, name) = (node.clone(), b.graph.nodes[right].step.clone());
    let mut fields = node.schema.fields.clone();
    let mut clashes = Vec::new();
    for other in &others {
        let field = b.graph.nodes[right].schema.fields[*other].clone();
        let field = beside(b, step, &node, &field, &mut clashes);
        if fields[node.schema.fields.len()..].iter().any(|f| f.name == field.name) {
            b.error(crate::operators::names::twice(&field.name, step.span));
        }
        fields.push(Field { nullable: field.nullable || how == How::Left, ..field });
    }
    clash(b, step, &node.step, &name, &clashes);
    fields.iter_mut().for_each(|field| field.mask = DimMask::only(0));
    let schema =
        Schema { domain: Domain::rows(), fields, attributes: node.schema.attributes.clone() };
    let plan = JoinPlan {
        kind: JoinPlanKind::Keys { left: keys, types, how },
        left: (0..node.schema.fields.len()).collect(),
        right: (0..others.len()).map(|i| pairs.len() + i).collect(),
    };
    Some(b.add(step, PlanOp::Join(plan), vec![made, taken], schema))
}

/// The keys: names that both have, or a mapping of names of the left to names of the right.
fn pairs(b: &mut Builder, head: &Node, left: NodeId, right: NodeId) -> Vec<Pair> {
    let mut names: Vec<((String, Span), (String, Span))> = Vec::new();
    match &head.kind {
        Kind::Map(entries) => {
            for (key, node) in entries {
                match node.scalar() {
                    Some(scalar) => names.push((
                        (key.name.clone(), key.span),
                        (scalar.text.text.to_string(), node.span),
                    )),
                    None => b.error(wrong_shape(node, "the name of a column is expected here")),
                }
            }
        }
        _ => {
            let same = names_of(head, &mut b.diagnostics).unwrap_or_default();
            names.extend(same.into_iter().map(|name| (name.clone(), name)));
        }
    }
    if names.is_empty() && !b.diagnostics.has_errors() {
        b.error(wrong_shape(head, "`join` names the keys"));
    }
    let mut pairs: Vec<Pair> = Vec::new();
    for (l, r) in names {
        let at = (column(b, left, &l.0, l.1), column(b, right, &r.0, r.1));
        let (Some(one), Some(other)) = at else { continue };
        if pairs.iter().any(|p| p.left == one || p.right == other) {
            b.error(crate::operators::names::twice(&l.0, l.1));
            continue;
        }
        pairs.push(Pair { left: one, right: other, span: l.1 });
    }
    pairs
}

fn column(b: &mut Builder, node: NodeId, name: &str, span: Span) -> Option<usize> {
    let node = &b.graph.nodes[node];
    let found = node.schema.position(name);
    if found.is_none() {
        let message = format!("`{}` has no column called `{name}`", node.step);
        let near = did_you_mean(name, node.schema.names());
        b.error(Diagnostic::error(Code::UnknownColumn, span, message).maybe_help(near));
    }
    found
}

/// The type in which two keys meet.
fn key_type(b: &mut Builder, pair: &Pair, left: NodeId, right: NodeId) -> Option<DType> {
    let (l, r) = (&b.graph.nodes[left], &b.graph.nodes[right]);
    let (one, other) = (&l.schema.fields[pair.left], &r.schema.fields[pair.right]);
    let found = expr::common_type(one.dtype, other.dtype);
    if found.is_none() {
        let message = format!(
            "`{}` is {} in `{}`, but `{}` is {} in `{}`",
            one.name, one.dtype, l.step, other.name, other.dtype, r.step
        );
        b.error(Diagnostic::error(Code::TypeMismatch, pair.span, message).help(
            match [one.dtype, other.dtype].contains(&DType::String) {
                true => "texts and others never meet: read both as one type from their files",
                false => "`map` one of them to the other's type first",
            },
        ));
    }
    found
}

/// The left side with its keys in the type in which they meet.
fn left_keys(
    b: &mut Builder,
    step: &Step,
    left: NodeId,
    pairs: &[Pair],
    types: &[DType],
) -> (NodeId, Vec<usize>) {
    let schema = b.graph.nodes[left].schema.clone();
    let mut casts = Vec::new();
    let mut keys = Vec::new();
    for (i, (pair, dtype)) in pairs.iter().zip(types).enumerate() {
        let field = &schema.fields[pair.left];
        match field.dtype == *dtype {
            true => keys.push(pair.left),
            false => {
                keys.push(schema.fields.len() + casts.len());
                casts.extend(cast(b, step, &schema, field, *dtype, i));
            }
        }
    }
    match casts.is_empty() {
        true => (left, keys),
        false => (b.apply(step, left, vec![expr::Step::Map(casts)]), keys),
    }
}

/// A column as another type.
fn cast(
    b: &mut Builder,
    step: &Step,
    schema: &Schema,
    from: &Field,
    to: DType,
    key: usize,
) -> Option<(Field, Typed)> {
    let typed = crate::operators::concat::cast(b, step, schema, from, to)?;
    let name = Names::new(schema, &Schema::default()).key(key);
    Some((typed.field(name), typed))
}

/// The columns of the right side that go beside those of the left.
fn right_columns(b: &Builder, right: NodeId, pairs: &[Pair], how: How) -> Vec<usize> {
    let all = 0..b.graph.nodes[right].schema.fields.len();
    match how {
        How::Semi | How::Anti => Vec::new(),
        How::Inner | How::Left => all.filter(|i| pairs.iter().all(|p| p.right != *i)).collect(),
    }
}

/// The right side: first the keys, then what goes beside the left. Rows that lack a key are left out by
/// the join: whether there can be any depends on the files, and what a plan means should not.
fn right_side(
    b: &mut Builder,
    step: &Step,
    right: NodeId,
    pairs: &[Pair],
    types: &[DType],
    others: &[usize],
) -> NodeId {
    let schema = b.graph.nodes[right].schema.clone();
    let mut casts = Vec::new();
    let mut keep: Vec<(usize, Field)> = Vec::new();
    for (i, (pair, dtype)) in pairs.iter().zip(types).enumerate() {
        let field = &schema.fields[pair.right];
        let mut at = pair.right;
        if field.dtype != *dtype {
            at = schema.fields.len() + casts.len();
            casts.extend(cast(b, step, &schema, field, *dtype, i));
        }
        let name = Names::new(&schema, &Schema::default()).key(i).into();
        keep.push((at, Field { name, dtype: *dtype, ..field.clone() }));
    }
    keep.extend(others.iter().map(|i| (*i, schema.fields[*i].clone())));
    let mut steps = Vec::new();
    if !casts.is_empty() {
        steps.push(expr::Step::Map(casts));
    }
    steps.push(expr::Step::Project(keep));
    b.apply(step, right, steps)
}
