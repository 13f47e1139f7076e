//! What a program evaluates where, for `explain`.
use super::place::points;
use super::{BLOCK, Place, Program};
use crate::dag::{Op, Printed};
use base::{DType, DimMask};

/// One evaluated node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeReport {
    /// Its canonical form.
    pub text: String,
    /// The type of its values.
    pub dtype: DType,
    /// The dimensions it varies along, such as `(lat, lon)`.
    pub dims: String,
    /// Where it is evaluated.
    pub place: Place,
    /// How many values are computed over the whole domain; for nodes evaluated per tile, over
    /// their dimensions once. `None` where a filter or the file decides.
    pub evaluations: Option<u64>,
    /// How many nodes, outputs and filters use it.
    pub uses: usize,
}

/// What a program does.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgramReport {
    /// The evaluated nodes, arguments first.
    pub nodes: Vec<NodeReport>,
    /// Bytes of registers of one worker.
    pub scratch_bytes: usize,
}

pub fn report(program: &Program) -> ProgramReport {
    let dag = &program.dag;
    let mut uses = vec![0; dag.nodes.len()];
    for (node, _) in dag.nodes.iter().zip(&program.places).filter(|(_, p)| **p != Place::Unused) {
        node.arguments.iter().for_each(|a| uses[*a] += 1);
    }
    program.outputs.iter().chain(&program.predicates).for_each(|id| uses[*id] += 1);
    let called = |id: &usize| {
        matches!(dag.nodes[*id].op, Op::Call(_)) && program.places[*id] != Place::Unused
    };
    let node = |id: usize| {
        let node = &dag.nodes[id];
        let domain = &program.input.domain;
        let evaluations = match program.places[id] {
            Place::Point { stage: 0 } => match &program.selector {
                Some(selector) => Some(selector.count()),
                None => domain.points(),
            },
            Place::Point { .. } => None,
            _ => points(domain, node.mask),
        };
        NodeReport {
            text: Printed { dag, id, outermost: true }.to_string(),
            dtype: node.dtype,
            dims: mask_name(program, node.mask),
            place: program.places[id],
            evaluations,
            uses: uses[id],
        }
    };
    let registers = [&program.tile_schedule, &program.block_schedule];
    let widths = registers.iter().map(|s| s.registers.iter().map(|d| d.width() + 1).sum::<usize>());
    ProgramReport {
        nodes: (0..dag.nodes.len()).filter(called).map(node).collect(),
        scratch_bytes: widths.max().unwrap_or(0) * BLOCK,
    }
}

fn mask_name(program: &Program, mask: DimMask) -> String {
    program.input.domain.mask_name(mask)
}
