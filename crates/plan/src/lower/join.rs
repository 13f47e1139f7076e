//! Joins: where the right side goes, and how rows find each other.
use super::{Lowering, Made};
use crate::graph::{JoinPlan, JoinPlanKind, NodeId, PlanNode};
use crate::physical::{Checked, Join, Op, Overlay, Route};
use crate::size::broadcast;
use base::{Code, DType, Diagnostic, Span};

impl Lowering<'_, '_> {
    pub(super) fn join(&mut self, id: NodeId, node: &PlanNode, plan: &JoinPlan) -> Option<Made> {
        let made = || match &node.kept {
            Some(kept) => kept.clone(),
            None => (0..node.schema.fields.len()).collect(),
        };
        let (l, r) = (&self.graph.nodes[node.inputs[0]], &self.graph.nodes[node.inputs[1]]);
        let n = plan.left.len();
        let (left, right): (Vec<usize>, Vec<usize>) = made().into_iter().partition(|i| *i < n);
        let left = left.iter().map(|i| l.place(plan.left[*i])).collect();
        let right: Vec<usize> = right.iter().map(|i| plan.right[*i - n]).collect();
        match &plan.kind {
            JoinPlanKind::Keys { left: keys, types, how } => {
                let join = Join {
                    how: *how,
                    keys: keys.iter().map(|i| l.place(*i)).collect(),
                    types: types.clone(),
                    left,
                    right: right.iter().map(|i| r.place(*i)).collect(),
                    right_types: r.made().fields.iter().map(|f| f.dtype).collect::<Vec<DType>>(),
                    sizes: l.schema.domain.sizes(),
                    keep_index: self.keep_index(id),
                };
                Some(self.by_keys(node, join))
            }
            JoinPlanKind::Dimensions { dims, checked } => {
                let Some(tiling) = self.made[node.inputs[1]].tiling.clone() else {
                    let message = "a box to join with has no tiles";
                    let d = Diagnostic::error(Code::Internal, Span::default(), message);
                    self.builder.error(d);
                    return None;
                };
                let along = |i: usize| (r.place(i), r.schema.fields[i].mask);
                let checked = checked.iter().map(|(one, other)| Checked {
                    name: l.schema.fields[*one].name.clone(),
                    left: l.place(*one),
                    right: along(*other),
                });
                let overlay = Overlay {
                    dims: dims.clone(),
                    tiling,
                    left,
                    right: right.iter().map(|i| along(*i)).collect(),
                    checked: checked.collect(),
                    rows: dims.contains(&None) && node.schema.domain.position("row").is_some(),
                };
                Some(self.by_dimensions(node, overlay))
            }
        }
    }

    fn by_keys(&mut self, node: &PlanNode, join: Join) -> Made {
        let [left, right] = [0, 1].map(|i| self.made[node.inputs[i]].id);
        let (rows, taken) = (node.made(), self.graph.nodes[node.inputs[1]].made());
        if broadcast(self.graph, node.inputs[1]) {
            let right = self.add(node, Op::Exchange(Route::Processes), vec![right], taken);
            return Made {
                id: self.add(node, Op::Join(join), vec![left, right], rows),
                tiling: None,
            };
        }
        let by_hash = Op::Exchange(Route::Hash(join.types.len()));
        let right = self.add(node, by_hash, vec![right], taken);
        let ask = self.add(node, Op::Ask(join.clone()), vec![left], rows.clone());
        let asked = self.add(node, Op::Exchange(Route::Address), vec![ask], rows.clone());
        let find = self.add(node, Op::Find(join.clone()), vec![asked, right], rows.clone());
        let found = self.add(node, Op::Exchange(Route::Address), vec![find], rows.clone());
        Made { id: self.add(node, Op::Match(join), vec![found], rows), tiling: None }
    }

    fn by_dimensions(&mut self, node: &PlanNode, overlay: Overlay) -> Made {
        let [left, right] = [0, 1].map(|i| self.made[node.inputs[i]].clone());
        let taken = self.graph.nodes[node.inputs[1]].made();
        let all = self.add(node, Op::Exchange(Route::Processes), vec![right.id], taken);
        let id = self.add(node, Op::Overlay(overlay), vec![left.id, all], node.made());
        Made { id, tiling: left.tiling }
    }
}
