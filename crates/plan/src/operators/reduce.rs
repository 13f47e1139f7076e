//! `reduce`: aggregates of everything, of groups, or over dimensions.
use super::map::field;
use crate::build::Builder;
use crate::graph::{Call, FoldPlan, FoldPlanKind, NodeId, PlanOp};
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::spec::{Step, is_name, names_of, wrong_shape};
use crate::yaml::{Kind, Node};
use base::{
    Attribute, Attributes, Code, DType, Diagnostic, DimMask, Domain, Entry, Field, Schema, Span,
    did_you_mean,
};
use expr::{Expr, ExprKind, Given, Names, ReductionCall, Typed};
use std::sync::Arc;

/// The operator.
pub static REDUCE: Operator = Operator {
    name: "reduce",
    doc: "Aggregates: one row of everything, one for each group, or a box of fewer dimensions.\n\
          Expressions over reductions such as `sqrt(sum(x**2) / count())`. `by:` makes a row for \
          each combination of keys, in the order of the keys; `over:` takes dimensions of a box \
          away. Missing values are skipped. A variable of a box is reduced over the dimensions that \
          it has: of `area` over `lat` and `lon` each value counts once, however many times there \
          are; `by:` counts it once for each point of the keys' dimensions. `count()` counts all \
          points of the box. sum, mean, var and std are exact and rounded once: \
          they have the same bits on any number of workers.",
    head: Shape::Exprs,
    keys: &[
        Key {
            name: "by",
            doc: "The keys: columns or expressions, `[station, month(time)]` or `{ m: month(time) }`.",
            shape: Shape::Keys,
        },
        Key { name: "over", doc: "The dimensions of a box to reduce over.", shape: Shape::Names },
    ],
    inputs: Inputs::One,
    example: "- range: { k: 1..=1000 }\n- reduce: { total: sum(1 / k), terms: count() }\n  by: { last_digit: k % 10 }",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let before = b.diagnostics.errors();
    let keys = step.option("by").map(|n| keys(b, n, &schema)).unwrap_or_default();
    let over = step.option("over").map(|n| over(b, step, n, &schema));
    if let (Some(by), Some(_)) = (step.option("by"), step.option("over")) {
        let d = Diagnostic::error(Code::BadValue, by.span, "`by` and `over` do not go together");
        b.error(d.help("reduce over dimensions first, then by keys, in two steps"));
    }
    let named = outputs(b, &step.head);
    let by = keys.len();
    let kind = match &over {
        _ if by > 0 => FoldPlanKind::By((0..by).collect()),
        Some(over) => {
            let keep = (0..schema.domain.dims.len()).filter(|d| !over.contains(d)).collect();
            FoldPlanKind::Over(keep)
        }
        None => FoldPlanKind::All,
    };
    spreads(b, &named, &schema);
    let made = reduced(b, step, input, &keys, named, kind, over.as_deref());
    // A result or a key that could not be read is missing: nobody behind is blamed for that.
    made.filter(|_| b.diagnostics.errors() == before)
}

/// `std(x)` is that of the values, where most tools for tables give that of a sample.
fn spreads(b: &mut Builder, named: &[(String, Expr)], schema: &Schema) {
    if schema.domain.dims.iter().any(|d| &*d.name != "row") {
        return;
    }
    for (_, expr) in named {
        expr.visit(&mut |e| match &e.kind {
            ExprKind::Call(word, arguments)
                if ["std", "var"].contains(&word.text.as_str()) && arguments.len() == 1 =>
            {
                let name = &word.text;
                let message = format!("`{name}` divides by n, as NumPy's does");
                b.diagnostics.push(
                    Diagnostic::note(Code::PopulationSpread, word.span, message).help(format!(
                        "to divide by n - 1, as polars, pandas and SQL do, write `{name}(x, 1)`"
                    )),
                );
            }
            _ => {}
        });
    }
}

/// Adds the nodes of a reduction of named expressions.
pub fn reduced(
    b: &mut Builder,
    step: &Step,
    input: NodeId,
    keys: &[(Field, Typed)],
    named: Vec<(String, Expr)>,
    kind: FoldPlanKind,
    over: Option<&[usize]>,
) -> Option<NodeId> {
    let schema = b.graph.nodes[input].schema.clone();
    let (kept, given) = kept(b, input, &schema, keys, &kind);
    let exprs: Vec<Expr> = named.iter().map(|(_, e)| e.clone()).collect();
    let reduced = expr::split_reductions(&exprs, &b.scope(&schema), &kept);
    let mut reduced = b.diagnostics.take(reduced)?;
    reduced.calls.iter_mut().for_each(|call| uncounted(call, &schema));
    let columns = reduced.calls.iter().flat_map(|call| &call.columns);
    for typed in columns.chain(&reduced.outputs) {
        b.diagnostics.extend(typed.notes.iter().cloned());
    }
    exprs.iter().for_each(|expr| b.shadows(expr, &schema));
    let arguments = arguments(b, step, input, keys, &reduced.calls);
    let grouped = match &kind {
        FoldPlanKind::All => DimMask::SCALAR,
        FoldPlanKind::By(_) => keys.iter().fold(DimMask::SCALAR, |m, (_, key)| m.union(key.mask)),
        FoldPlanKind::Over(keep) => {
            keep.iter().fold(DimMask::SCALAR, |m, d| m.union(DimMask::only(*d)))
        }
    };
    let fold = fold(b, step, arguments, &kept, given, &reduced.calls, (kind, grouped));
    let outputs: Vec<(String, Typed)> =
        named.into_iter().map(|(name, _)| name).zip(reduced.outputs).collect();
    outputs.iter().for_each(|(_, typed)| other_points(b, fold, typed));
    Some(finish(b, step, fold, &schema, &kept, &outputs, over))
}

/// A count of values none of which is missing is one of rows: nobody looks at them.
fn uncounted(call: &mut ReductionCall, schema: &Schema) {
    let rows = schema.domain.dims.len() == 1;
    if rows && call.reduction.name() == "count" && call.columns.iter().all(|c| !c.nullable) {
        call.columns.clear();
    }
}

/// What the result has beside the reductions: the keys, or the dimensions that stay and their
/// coordinates, which are known for the whole domain, so that no tile carries them.
fn kept(
    b: &Builder,
    input: NodeId,
    before: &Schema,
    keys: &[(Field, Typed)],
    kind: &FoldPlanKind,
) -> (Schema, Vec<Given>) {
    let mut kept = Schema { attributes: before.attributes.clone(), ..Schema::default() };
    let mut given = Vec::new();
    match kind {
        FoldPlanKind::All => kept.domain = Domain::new([("row", 1)]),
        FoldPlanKind::By(_) => {
            kept.domain = Domain::rows();
            kept.fields = keys.iter().map(|(f, _)| f.clone()).collect();
            given = vec![Given::Loaded; keys.len()];
        }
        FoldPlanKind::Over(keep) => {
            let dims = keep.iter().map(|i| before.domain.dims[*i].clone()).collect();
            kept.domain = Domain { dims };
            for (i, known) in b.graph.nodes[input].given.iter().enumerate() {
                let place = before.coordinate(i).and_then(|d| keep.iter().position(|k| *k == d));
                let known = match known {
                    Given::Loaded => continue,
                    Given::Loose(values) => Given::Table(values.clone()),
                    Given::Table(_) | Given::Counter { .. } => known.clone(),
                };
                if let Some(place) = place {
                    let mask = DimMask::only(place);
                    kept.fields.push(Field { mask, ..before.fields[i].clone() });
                    given.push(known);
                }
            }
        }
    }
    (kept, given)
}

/// Key columns: names, calls, or named expressions.
fn keys(b: &mut Builder, node: &Node, schema: &Schema) -> Vec<(Field, Typed)> {
    let entries: Vec<(Option<(String, Span)>, &Node)> = match &node.kind {
        Kind::Map(entries) => {
            entries.iter().map(|(k, n)| (Some((k.name.clone(), k.span)), n)).collect()
        }
        Kind::List(items) => items.iter().map(|n| (None, n)).collect(),
        _ => vec![(None, node)],
    };
    let mut keys: Vec<(Field, Typed)> = Vec::new();
    for (name, node) in entries {
        let named = named_column(node, schema);
        let Some(expr) = named.clone().or_else(|| b.expr(node)) else { continue };
        let Some(typed) = b.check(&expr, schema) else { continue };
        let Some((name, span)) = name.or_else(|| key_name(&expr)) else {
            let d = Diagnostic::error(Code::MissingKey, node.span, "this key needs a name");
            b.error(d.help("write `by: { name: expression }`"));
            continue;
        };
        if named.is_none() || schema.position(&name).is_none() {
            b.check_name(&name, span);
        }
        if keys.iter().any(|(f, _)| *f.name == *name) {
            b.error(super::names::twice(&name, span));
        }
        keys.push((Field { mask: DimMask::only(0), ..field(&name, &typed, schema) }, typed));
    }
    keys
}

/// A column whose name is no name in expressions, such as `t.mean`: keys are columns, too.
fn named_column(node: &Node, schema: &Schema) -> Option<Expr> {
    let text = &node.scalar()?.text.text;
    let known = !is_name(text) && schema.position(text).is_some();
    known.then(|| Expr { kind: ExprKind::Name(text.to_string()), span: node.span })
}

/// A column's name, or that of the one function called: `month(time)` makes `month`.
fn key_name(expr: &Expr) -> Option<(String, Span)> {
    match &expr.kind {
        ExprKind::Name(name) => Some((name.clone(), expr.span)),
        ExprKind::Call(word, _) => Some((word.text.clone(), word.span)),
        _ => None,
    }
}

fn over(b: &mut Builder, step: &Step, node: &Node, schema: &Schema) -> Vec<usize> {
    let names = names_of(node, &mut b.diagnostics).unwrap_or_default();
    if schema.domain.dims.iter().all(|d| &*d.name == "row") {
        let d = Diagnostic::error(
            Code::BadDomain,
            node.span,
            "these are rows: they have no dimensions to reduce over",
        );
        b.error(d.help("leave `over` out to reduce all rows, or say `by:` for groups"));
        return Vec::new();
    }
    let mut over = Vec::new();
    for (name, span) in names {
        match schema.domain.position(&name) {
            Some(dim) if over.contains(&dim) => b.error(super::names::twice(&name, span)),
            Some(dim) => over.push(dim),
            None => {
                let dims: Vec<&str> = schema.domain.dims.iter().map(|d| &*d.name).collect();
                let message = format!("no dimension is called `{name}`");
                b.error(
                    Diagnostic::error(Code::UnknownDimension, span, message)
                        .maybe_help(did_you_mean(&name, dims)),
                );
            }
        }
    }
    if over.is_empty() && !b.diagnostics.has_errors() {
        b.error(wrong_shape(node, &format!("`over` of `{}` names dimensions", step.operator.name)));
    }
    over
}

fn outputs(b: &mut Builder, head: &Node) -> Vec<(String, Expr)> {
    let mut outputs = Vec::new();
    if head.map().is_none() {
        let written = head.scalar().map_or("count()", |s| s.text.text.trim());
        let d = wrong_shape(head, "`reduce` is a mapping of names to reductions");
        b.error(d.help(format!("write `reduce: {{ n: {written} }}`")));
        return outputs;
    }
    for (key, node) in b.map(head, "`reduce` is a mapping of names to reductions") {
        if ["by", "over"].contains(&key.name.as_str()) {
            let message = format!("`{0}` stands beside `reduce:`, not in it", key.name);
            b.error(
                Diagnostic::error(Code::UnknownKey, key.span, message)
                    .help(format!("indent it like `reduce`: `{}: …`", key.name)),
            );
            continue;
        }
        b.check_name(&key.name, key.span);
        outputs.extend(b.expr(node).map(|e| (key.name.clone(), e)));
    }
    outputs
}

/// A pass that makes the keys and the arguments of the reductions, and nothing else.
fn arguments(
    b: &mut Builder,
    step: &Step,
    input: NodeId,
    keys: &[(Field, Typed)],
    calls: &[ReductionCall],
) -> NodeId {
    let schema = b.graph.nodes[input].schema.clone();
    let names = Names::new(&schema, &Schema::default());
    let mut columns = Vec::new();
    for (i, (field, typed)) in keys.iter().enumerate() {
        columns.push((
            Field { name: names.key(i).into(), mask: typed.mask, ..field.clone() },
            typed.clone(),
        ));
    }
    for (i, argument) in calls.iter().flat_map(|call| &call.columns).enumerate() {
        columns.push((argument.field(names.argument(i)), argument.clone()));
    }
    let width = schema.fields.len();
    let keep = columns.iter().enumerate().map(|(i, (f, _))| (width + i, f.clone())).collect();
    b.apply(step, input, vec![expr::Step::Map(columns), expr::Step::Project(keep)])
}

/// The fold itself: keys, then a column for each call; over dimensions, the calls, then the
/// coordinates. Groups vary along the dimensions `grouped`.
fn fold(
    b: &mut Builder,
    step: &Step,
    arguments: NodeId,
    kept: &Schema,
    given: Vec<Given>,
    calls: &[ReductionCall],
    (kind, grouped): (FoldPlanKind, DimMask),
) -> NodeId {
    let keys = if let FoldPlanKind::By(keys) = &kind { keys.len() } else { 0 };
    let mut column = keys..;
    let plans = calls.iter().map(|call| Call {
        reduction: call.reduction,
        columns: column.by_ref().take(call.columns.len()).collect(),
        constants: call.constants.clone(),
        once: once(&b.graph.nodes[arguments].schema.domain, call, grouped),
        text: call.text.clone(),
        place: crate::place::expression(b.source, &step.name, call.span),
    });
    let plans: Vec<Call> = plans.collect();
    let full = kept.domain.full();
    let result = |c: &ReductionCall| Field {
        nullable: c.nullable,
        ..Field::new(c.name.as_str(), c.dtype, full)
    };
    let mut schema = Schema { fields: Vec::new(), ..kept.clone() };
    schema.fields.extend(kept.fields[..keys].iter().cloned());
    schema.fields.extend(calls.iter().map(result));
    schema.fields.extend(kept.fields[keys..].iter().cloned());
    let fold = PlanOp::Fold(FoldPlan { calls: plans, kind, fused: None });
    let id = b.add(step, fold, vec![arguments], schema);
    let loaded = keys + calls.len();
    let all = std::iter::repeat_n(Given::Loaded, loaded).chain(given.into_iter().skip(keys));
    b.graph.nodes[id].given = all.collect();
    id
}

/// The dimensions that a reduction takes the first point of: a variable of a box is reduced over
/// the dimensions that it has. What varies along none, such as a number, counts at every point.
fn once(domain: &Domain, call: &ReductionCall, grouped: DimMask) -> DimMask {
    let own = call.columns.iter().fold(DimMask::SCALAR, |mask, c| mask.union(c.mask));
    if own == DimMask::SCALAR || !domain.is_box() {
        return DimMask::SCALAR;
    }
    let lacking = domain.full().iter().filter(|d| !own.has(*d) && !grouped.has(*d));
    lacking.fold(DimMask::SCALAR, |mask, d| mask.union(DimMask::only(d)))
}

/// Warns of sums that are put in relation though one takes its values once and another at each
/// point: the sum of weights that vary along fewer dimensions than what is weighted.
fn other_points(b: &mut Builder, fold: NodeId, typed: &Typed) {
    let node = &b.graph.nodes[fold];
    let PlanOp::Fold(plan) = &node.op else { return };
    let Some(input) = node.inputs.first() else { return };
    let call = |name: &Arc<str>| plan.calls.get(name.strip_prefix('#')?.parse::<usize>().ok()?);
    let adds = |call: &&Call| ["sum", "dot", "count"].contains(&Entry::name(call.reduction));
    let columns = typed.columns();
    let calls: Vec<&Call> = columns.iter().filter_map(call).filter(adds).collect();
    let pair = calls.iter().find_map(|one| {
        calls.iter().find(|two| !one.once.within(two.once)).map(|two| (*one, *two))
    });
    let Some((one, two)) = pair else { return };
    let domain = &b.graph.nodes[*input].schema.domain;
    let dims: Vec<String> = (one.once.iter().filter(|d| !two.once.has(*d)))
        .filter_map(|d| domain.dims.get(d))
        .map(|d| format!("`{}`", d.name))
        .collect();
    let message = format!(
        "`{}` takes each value once, `{}` all points along {}",
        one.text,
        two.text,
        dims.join(" and ")
    );
    let help = "to weigh `t` by `w`, write `sum(t * w) / sum(where(isnull(t), null, w))`";
    b.error(Diagnostic::warning(Code::OtherPoints, typed.span, message).help(help));
}

/// The named results: keys or coordinates first.
fn finish(
    b: &mut Builder,
    step: &Step,
    fold: NodeId,
    before: &Schema,
    kept: &Schema,
    outputs: &[(String, Typed)],
    over: Option<&[usize]>,
) -> NodeId {
    let schema = b.graph.nodes[fold].schema.clone();
    let mut keep: Vec<(usize, Field)> = Vec::new();
    for field in &kept.fields {
        keep.extend(schema.position(&field.name).map(|i| (i, field.clone())));
    }
    let mut columns = Vec::new();
    for (name, typed) in outputs {
        // A result that has the name of a key or of a coordinate would take its place.
        if kept.field(name).is_some() {
            b.error(super::names::twice(name, step.span));
            continue;
        }
        let mut result = field(name, typed, &schema);
        result.attributes = attributes(b, fold, typed, before, over);
        keep.push((schema.fields.len() + columns.len(), result.clone()));
        columns.push((result, typed.clone()));
    }
    b.apply(step, fold, vec![expr::Step::Map(columns), expr::Step::Project(keep)])
}

/// What a column says of itself still holds for its mean, least or greatest value.
fn attributes(
    b: &Builder,
    fold: NodeId,
    typed: &Typed,
    before: &Schema,
    over: Option<&[usize]>,
) -> Attributes {
    let mut attributes = Attributes::default();
    let PlanOp::Fold(plan) = &b.graph.nodes[fold].op else { return attributes };
    let results = typed.as_column().and_then(|c| b.graph.nodes[fold].schema.position(c));
    let keys = if let FoldPlanKind::By(keys) = &plan.kind { keys.len() } else { 0 };
    let index = results.and_then(|i| i.checked_sub(keys));
    let Some(call) = index.and_then(|i| plan.calls.get(i)) else { return attributes };
    let method = match Entry::name(call.reduction) {
        "mean" => "mean",
        "min" => "minimum",
        "max" => "maximum",
        "median" => "median",
        "std" => "standard_deviation",
        "first" | "last" | "quantile" => "point",
        _ => return attributes,
    };
    let inner = call.text.split_once('(').and_then(|(_, rest)| rest.split([',', ')']).next());
    let source = inner.and_then(|name| before.field(name.trim()));
    if let Some(source) = source.filter(|f| f.dtype != DType::Bool) {
        for name in ["standard_name", "units", "long_name"] {
            if let Some(value) = source.attributes.get(name) {
                attributes.set(name, value.clone());
            }
        }
        if let Some(over) = over.filter(|_| method != "point") {
            let dims: Vec<&str> = over.iter().map(|d| &*before.domain.dims[*d].name).collect();
            let text = format!("{}: {method}", dims.join(": "));
            attributes.set("cell_methods", Attribute::Text(text));
        }
    }
    attributes
}
