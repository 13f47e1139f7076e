//! A reduction of kept reductions: of the groups of one of them, or of several joined by their keys.
//!
//! Groups of one part, by the hash of their keys, are taken together, so those that a join puts beside
//! each other are in parts of the same number. The order of rows, which the joins of a run keep and
//! sorts make, tells nothing here: only what does not depend on it is kept.
use crate::nodes::fold::keys;
use base::DType;
use plan::physical::{Apply, Concat, Fold, FoldKind, Join, Node, Op, Physical, Reduce};

/// A reduction of kept reductions.
pub struct Above {
    /// The node that it takes rows from.
    pub(super) rows: usize,
    /// Its `Final`.
    pub(super) last: usize,
    pub(super) fold: Fold,
    /// The `Final`s of those that it is made of.
    pub(super) from: Vec<usize>,
}

/// The columns that have the keys which tell the part that a row is in; `None` if they are gone.
type Keys = Option<Vec<(usize, DType)>>;

/// The reduction whose `Final` stands here, if it is made of kept ones, which end at these nodes.
pub(super) fn above(physical: &Physical, last: usize, kept: &[usize]) -> Option<Above> {
    let nodes = &physical.nodes;
    let Op::Final(Reduce::Fold(fold)) = &nodes[last].op else { return None };
    let mut at = *nodes[last].inputs.first()?;
    if matches!(nodes[at].op, Op::Exchange(_)) {
        at = *nodes[at].inputs.first()?;
    }
    let loose = physical.meanings.get(at).is_some_and(|meaning| meaning.loose);
    let Op::Partial(Reduce::Fold(_)) = &nodes[at].op else { return None };
    if !loose || matches!(fold.kind, FoldKind::Over { .. }) {
        return None;
    }
    let (rows, mut from) = (*nodes[at].inputs.first()?, Vec::new());
    parted(nodes, rows, kept, &mut from)?;
    from.sort_unstable();
    from.dedup();
    Some(Above { rows, last, fold: fold.clone(), from })
}

/// Whether what a node makes can be made part by part, and what of.
fn parted(nodes: &[Node], at: usize, kept: &[usize], from: &mut Vec<usize>) -> Option<Keys> {
    let node = &nodes[at];
    if let (true, Op::Final(Reduce::Fold(fold))) = (kept.contains(&at), &node.op) {
        from.push(at);
        return match &fold.kind {
            FoldKind::By(_) => {
                let fields = node.schema.fields.iter().take(keys(fold));
                Some(Some(fields.map(|field| field.dtype).enumerate().collect()))
            }
            FoldKind::All => Some(None),
            // Their coordinates stand beside what is kept.
            FoldKind::Over { .. } => None,
        };
    }
    let mut input = |n: usize| parted(nodes, *node.inputs.get(n)?, kept, from);
    match &node.op {
        Op::Exchange(_) | Op::Split(_) | Op::Assemble(_) => input(0),
        Op::Partial(Reduce::Order(order)) | Op::Final(Reduce::Order(order)) => {
            input(0).filter(|_| order.limit.is_none())
        }
        Op::Apply(apply) => Some(input(0)?.and_then(|keys| copied(apply, &keys))),
        Op::Join(join) => beside(join, input(0)??, input(1)??),
        Op::Concat(Concat { .. }) => {
            (0..node.inputs.len()).try_for_each(|n| input(n).map(|_| ()))?;
            Some(None)
        }
        _ => None,
    }
}

/// Where the keys are behind a program, if all are.
fn copied(apply: &Apply, keys: &[(usize, DType)]) -> Keys {
    let columns = apply.program.output().fields.len();
    let from = |output: usize| apply.columns.get(apply.program.copied(output)?).copied();
    let place = |(column, dtype): &(usize, DType)| {
        (0..columns).find(|output| from(*output) == Some(*column)).map(|output| (output, *dtype))
    };
    keys.iter().map(place).collect()
}

/// Where the keys are behind a join, if it joins each part with one: by all of the keys.
fn beside(join: &Join, left: Vec<(usize, DType)>, right: Vec<(usize, DType)>) -> Option<Keys> {
    let joined = |(column, dtype): &(usize, DType)| {
        let key = join.keys.iter().position(|key| key == column);
        key.is_some_and(|key| right.contains(&(key, *dtype)))
    };
    let all = join.keys.len() == left.len() && right.len() == left.len();
    if !all || !left.iter().all(joined) {
        return None;
    }
    let place = |(column, dtype): &(usize, DType)| {
        join.left.iter().position(|kept| kept == column).map(|place| (place, *dtype))
    };
    Some(left.iter().map(place).collect())
}
