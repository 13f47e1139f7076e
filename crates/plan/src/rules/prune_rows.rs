//! `prune-rows`: what a file's statistics say no filter will keep is not read.
use super::Rule;
use crate::graph::{FoldPlan, Fused, Graph, NodeId, PlanOp};
use expr::{ColumnTest, CompareOp, Step, Test};
use formats::{Ask, Comparison, RowTest};
use std::sync::Arc;

pub const RULE: Rule = Rule {
    name: "prune-rows",
    doc: "row groups and pages are not read where statistics or bloom filters of the file say \
          that the filters behind keep none of their rows",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    let mut changed = false;
    for id in 0..graph.nodes.len() {
        let tests = tests(graph, id);
        let PlanOp::Read(read) = &mut graph.nodes[id].op else { continue };
        let Some(source) = read.source.as_ref().filter(|_| !tests.is_empty()) else { continue };
        let all = source.schema().domain.points().unwrap_or(0);
        if let Some(survivors) = source.survivors(&tests)
            && survivors.rows.iter().map(|r| r.end - r.start).sum::<u64>() < all
        {
            read.describe = format!("{}; prune-rows: {}", read.describe, survivors.text);
            read.survivors = Some(Arc::new(survivors));
            changed = true;
        }
    }
    changed
}

/// What the filters that run on the tiles of a reader ask of the columns of its file.
fn tests(graph: &Graph, id: NodeId) -> Vec<RowTest> {
    let PlanOp::Read(read) = &graph.nodes[id].op else { return Vec::new() };
    let Some(Fused { schema, steps, .. }) = read.fused.as_ref().or_else(|| folded(graph, id))
    else {
        return Vec::new();
    };
    // The columns behind each step: their names, and what they are in the file.
    let names = schema.fields.iter().map(|f| f.name.clone());
    let mut columns: Vec<_> = names.zip(read.columns.iter().copied()).collect();
    let mut tests = Vec::new();
    for step in steps {
        match step {
            Step::Filter(condition) => {
                let asked = condition.conjuncts().into_iter().filter_map(|c| c.test);
                let known = |test: ColumnTest| {
                    let column = columns.iter().find(|(name, _)| *name == test.column)?.1?;
                    Some(RowTest { column, ask: ask(test.test)? })
                };
                tests.extend(asked.filter_map(known));
            }
            // Only ranges have it, and no file.
            Step::Prune { .. } => {}
            Step::Project(kept) => {
                let kept = kept.iter().map(|(i, field)| (field.name.clone(), columns[*i].1));
                columns = kept.collect();
            }
            Step::Map(made) => {
                let before = columns.clone();
                for (field, value) in made {
                    let same = value.as_column();
                    let same = same.and_then(|name| before.iter().find(|(n, _)| &**n == name));
                    let same = same.and_then(|(_, place)| *place);
                    match columns.iter_mut().find(|(name, _)| *name == field.name) {
                        Some(column) => column.1 = same,
                        None => columns.push((field.name.clone(), same)),
                    }
                }
            }
        }
    }
    tests
}

/// The pass of the one reduction that takes a reader's tiles as they are read.
fn folded(graph: &Graph, id: NodeId) -> Option<&Fused> {
    match graph.consumers(id).as_slice() {
        [one] => match &graph.nodes[*one].op {
            PlanOp::Fold(FoldPlan { fused, .. }) => fused.as_ref(),
            _ => None,
        },
        _ => None,
    }
}

/// The question in the words of the formats; `None` if statistics cannot answer it.
fn ask(test: Test) -> Option<Ask> {
    Some(match test {
        Test::Missing(missing) => Ask::Missing(missing),
        Test::Compare { op, constant, within } => {
            let op = match op {
                CompareOp::Eq => Comparison::Eq,
                CompareOp::Ne => Comparison::Ne,
                CompareOp::Lt => Comparison::Lt,
                CompareOp::Le => Comparison::Le,
                CompareOp::Gt => Comparison::Gt,
                CompareOp::Ge => Comparison::Ge,
            };
            Ask::Compare { op, constant, within }
        }
        Test::Modulo { .. } | Test::Digits { .. } => return None,
    })
}
