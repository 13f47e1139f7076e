//! Where the value of a node is of use: `n // d` in `where(d != 0, n // d, 0)` where d is not 0.
use crate::dag::{Call, Dag, NodeId, Nulls, Op};
use crate::exceptions::is;
use crate::kernels::logic;
use base::{DType, Span, Value};

/// The rows at which something holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// None.
    Never,
    /// All.
    Always,
    /// Those at which this bool, which is never missing, is true.
    If(NodeId),
}

/// The graph to which conditions are added, and who uses what.
pub struct Guards<'a> {
    /// The graph.
    pub dag: &'a mut Dag,
    filters: &'a [NodeId],
    outputs: &'a [NodeId],
    /// For each node that leads to what may meet an exception its users, and as which argument.
    users: Vec<Vec<(NodeId, usize)>>,
    /// Which nodes may meet an exception, or need one that may.
    risky: Vec<bool>,
}

impl<'a> Guards<'a> {
    /// Of the nodes that are `needed`; `risks` may meet an exception.
    pub fn new(
        dag: &'a mut Dag,
        needed: &[bool],
        risks: &[bool],
        filters: &'a [NodeId],
        outputs: &'a [NodeId],
    ) -> Guards<'a> {
        let mut risky = risks.to_vec();
        let mut users = vec![Vec::new(); dag.nodes.len()];
        for (id, node) in dag.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
            for (place, argument) in node.arguments.iter().enumerate() {
                if risky[*argument] {
                    risky[id] = true;
                    users[*argument].push((id, place));
                }
            }
        }
        Guards { dag, filters, outputs, users, risky }
    }

    /// For each node the rows at which its value is of use, of those that have come to a stage:
    /// a row that a later filter drops has no use for outputs, nor for what another filter may
    /// meet.
    pub fn of_stage(&mut self, stage: usize) -> Vec<When> {
        let count = self.users.len();
        let mut when = vec![When::Never; count];
        for id in (0..count).rev().filter(|id| self.risky[*id]).collect::<Vec<_>>() {
            let mut all = self.root(id, stage);
            for (user, place) in self.users[id].clone() {
                let guard = self.guard(user, place);
                let used = self.and(when[user], guard);
                all = self.or(all, used);
            }
            when[id] = all;
        }
        when
    }

    /// Where an output or a filter needs a node.
    fn root(&mut self, id: NodeId, stage: usize) -> When {
        let mut all = When::Never;
        if self.outputs.contains(&id) {
            all = self.pass(stage..self.filters.len(), |_| true);
        }
        for at in (stage..self.filters.len()).filter(|at| self.filters[*at] == id) {
            let before = self.pass(stage..at, |_| true);
            let after = self.pass(at + 1..self.filters.len(), |safe| safe);
            let here = self.and(before, after);
            all = self.or(all, here);
        }
        all
    }

    /// Where some of the filters hold; `which` is asked with whether one meets no exception.
    fn pass(&mut self, range: std::ops::Range<usize>, which: fn(bool) -> bool) -> When {
        let mut all = When::Always;
        for at in range {
            let filter = self.filters[at];
            if which(!self.risky[filter]) {
                let holds = self.is(filter, true, false);
                all = self.and(all, holds);
            }
        }
        all
    }

    /// Where a node's argument at this place is of use to it.
    fn guard(&mut self, user: NodeId, place: usize) -> When {
        let node = &self.dag.nodes[user];
        let Op::Call(call) = &node.op else { return When::Always };
        match (call.name, &node.arguments[..], place) {
            ("where", [condition, ..], 1 | 2) => {
                let condition = *condition;
                self.is(condition, place == 1, false)
            }
            ("coalesce", [x, _], 1) => {
                let x = *x;
                self.missing(x)
            }
            ("and" | "or", [x, y], _) => {
                let (other, first, decides) = ([*y, *x][place], place == 0, call.name == "or");
                // The left decides first; the right does if it meets nothing itself.
                match first && self.risky.get(other) == Some(&true) {
                    true => When::Always,
                    false => self.is(other, !decides, true),
                }
            }
            _ => When::Always,
        }
    }

    /// Where a bool is there and of this value, or (`or_missing`) not there.
    fn is(&mut self, id: NodeId, value: bool, or_missing: bool) -> When {
        match &self.dag.nodes[id].op {
            Op::Constant(known) => {
                let missing = *known == Value::Null;
                let holds = if missing { or_missing } else { *known == Value::Bool(value) };
                if holds { When::Always } else { When::Never }
            }
            _ => self.insert(is(value, or_missing), vec![id]),
        }
    }

    fn missing(&mut self, id: NodeId) -> When {
        if !self.dag.nodes[id].nullable {
            return When::Never;
        }
        let kernel = crate::kernels::choose::is_null();
        let call = Call { name: "isnull", constants: vec![], kernel, nulls: Nulls::Never };
        self.insert(call, vec![id])
    }

    /// Where both hold.
    pub fn and(&mut self, x: When, y: When) -> When {
        match (x, y) {
            (When::Never, _) | (_, When::Never) => When::Never,
            (When::Always, other) | (other, When::Always) => other,
            (When::If(x), When::If(y)) if x == y => When::If(x),
            (When::If(x), When::If(y)) => self.both("and", [x, y]),
        }
    }

    fn or(&mut self, x: When, y: When) -> When {
        match (x, y) {
            (When::Always, _) | (_, When::Always) => When::Always,
            (When::Never, other) | (other, When::Never) => other,
            (When::If(x), When::If(y)) if x == y => When::If(x),
            (When::If(x), When::If(y)) => self.both("or", [x, y]),
        }
    }

    fn both(&mut self, name: &'static str, of: [NodeId; 2]) -> When {
        let kernel = if name == "and" { logic::and() } else { logic::or() };
        let call = Call { name, constants: vec![], kernel, nulls: Nulls::Any };
        self.insert(call, of.to_vec())
    }

    /// A bool that is never missing.
    pub fn insert(&mut self, call: Call, arguments: Vec<NodeId>) -> When {
        When::If(self.dag.insert(call, arguments, DType::Bool, Span::default()))
    }
}
