//! `prune-range`: a range does not make numbers that a filter behind it would drop.
use super::Rule;
use crate::graph::{Graph, PlanNode, PlanOp};
use base::Field;
use expr::{Counter, Given, Selector, Step, Test, Typed};
use std::sync::Arc;

pub const RULE: Rule = Rule {
    name: "prune-range",
    doc: "a range makes only the numbers that pass: comparisons with constants, rests (k % m == r) \
          and digit strings (has_digits) of a filter behind it become part of the range",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    let mut changed = false;
    for id in 0..graph.nodes.len() {
        let PlanOp::Apply(steps) = &graph.nodes[id].op else { continue };
        let source = &graph.nodes[graph.nodes[id].inputs[0]];
        let pruned = counter(source).and_then(|range| prune(range, &source.schema.fields, steps));
        if let Some(steps) = pruned {
            graph.nodes[id].op = PlanOp::Apply(steps);
            changed = true;
        }
    }
    changed
}

/// The numbers of a node that is a range.
fn counter(node: &PlanNode) -> Option<Counter> {
    let PlanOp::Read(read) = &node.op else { return None };
    match (&node.given[..], &node.schema.domain.dims[..]) {
        ([Given::Counter { start, step }], [dim]) if read.fused.is_none() => {
            Some(Counter { start: *start, step: *step, size: dim.size? })
        }
        _ => None,
    }
}

/// The steps without those parts of filters that a range can see to, and in front of them the
/// range that does; `None` if there are none.
fn prune(range: Counter, fields: &[Field], steps: &[Step]) -> Option<Vec<Step>> {
    let mut columns: Vec<(Arc<str>, bool)> =
        fields.iter().map(|f| (f.name.clone(), true)).collect();
    let mut tests: Vec<Test> = Vec::new();
    // For each filter its parts, with the place of each part's test.
    let mut filters: Vec<Vec<(Typed, Option<usize>)>> = Vec::new();
    for step in steps {
        match step {
            Step::Map(list) => map(&mut columns, list),
            Step::Project(list) => {
                columns = list.iter().map(|(i, f)| (f.name.clone(), columns[*i].1)).collect();
            }
            Step::Filter(condition) => filters.push(
                (condition.conjuncts().into_iter())
                    .map(|part| {
                        let own =
                            |name: &Arc<str>| columns.iter().any(|(n, own)| *own && n == name);
                        let test = part.test.filter(|t| own(&t.column));
                        let place = test.map(|t| {
                            tests.push(t.test);
                            tests.len() - 1
                        });
                        (part.condition, place)
                    })
                    .collect(),
            ),
            Step::Prune { .. } => return None,
        }
    }
    let (selector, used) = Selector::new(range, &tests)?;
    let parts = || filters.iter().flatten();
    let seen_to = |(_, place): &&(Typed, Option<usize>)| place.is_some_and(|i| used[i]);
    let condition = Typed::all(parts().filter(seen_to).map(|(condition, _)| condition))?;
    let mut pruned = vec![Step::Prune { selector: Arc::new(selector), condition }];
    let mut filters = filters.iter();
    for step in steps {
        match step {
            Step::Filter(_) => {
                let rest = filters.next().into_iter().flatten().filter(|part| !seen_to(part));
                pruned.extend(Typed::all(rest.map(|(condition, _)| condition)).map(Step::Filter));
            }
            other => pruned.push(other.clone()),
        }
    }
    Some(pruned)
}

/// Which columns are the range's own numbers behind a map.
fn map(columns: &mut Vec<(Arc<str>, bool)>, list: &[(Field, Typed)]) {
    let before = columns.clone();
    for (field, value) in list {
        let own =
            value.as_column().is_some_and(|c| before.iter().any(|(n, own)| *own && **n == *c));
        match columns.iter_mut().find(|(name, _)| *name == field.name) {
            Some(column) => column.1 = own,
            None => columns.push((field.name.clone(), own)),
        }
    }
}
