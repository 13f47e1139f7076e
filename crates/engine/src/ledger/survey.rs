//! What of a plan is done, and what is left to do.
use super::answers::Known;
use super::folder::Folder;
use super::fragment::{Fragment, fragments, lasting};
use super::outputs::{self, Kept};
use super::staged::{Trial, written};
use super::stamp::Inputs;
use super::states::{States, folded};
use plan::Print;
use plan::physical::{Node, Op, Physical};
use std::collections::HashMap;
use std::sync::Arc;

/// What a plan has to do, in the light of a ledger.
pub struct Survey {
    /// The plan, less what is done: a sink whose output is as it should be is left out, and all
    /// that feeds nothing else.
    pub physical: Physical,
    /// The input files of what is left.
    pub inputs: Inputs,
    /// What is left out, in the order of the plan's nodes.
    pub kept: Vec<Kept>,
    /// The fragments of what is left.
    pub fragments: Vec<Progress>,
    /// For each reader of what is left the tiles to do, if not all.
    pub left: Vec<Option<Arc<Vec<u64>>>>,
    /// Tiles of all readers of the whole plan.
    pub tiles: u64,
    /// For each node of what is left that is a sink or shows rows: what it means, with its inputs.
    pub whole: Vec<Option<Print>>,
    /// What is known of rows that something is done for.
    pub answers: Known,
    /// What is staged for each sink of what is left that can be gone on with.
    pub stages: Vec<Option<Print>>,
}

/// A fragment, and what of it is done.
#[derive(Clone)]
pub struct Progress {
    /// The fragment.
    pub fragment: Fragment,
    /// For each tile whether it is done.
    pub done: Arc<Vec<bool>>,
    /// For a fold: what was made of the tiles that are done.
    pub partials: Vec<States>,
}

impl Progress {
    /// The node at its end.
    pub fn node(&self) -> usize {
        self.fragment.node
    }

    /// Whether it begins at this node.
    pub fn reads(&self, node: usize) -> bool {
        self.fragment.read == node
    }

    /// Whether a tile is done.
    pub fn has(&self, tile: u64) -> bool {
        self.done.get(tile as usize) == Some(&true)
    }

    /// Tiles in all.
    pub fn tiles(&self) -> usize {
        self.done.len()
    }
}

impl Survey {
    /// Of a plan whose inputs are these.
    pub fn of(physical: &Physical, inputs: &Inputs, folder: &Folder, trial: &dyn Trial) -> Survey {
        let tiles = tiles(physical);
        let whole = wholes(physical, inputs);
        let mut kept = Vec::new();
        let open = behind_tasks(physical);
        for (node, print) in whole.iter().enumerate().filter(|(node, _)| !open[*node]) {
            kept.extend(
                print.and_then(|print| outputs::kept(folder, &physical.nodes, node, print)),
            );
        }
        let (physical, places) = without(physical, &kept);
        let moved = |node: usize| places.get(&node).copied();
        let inputs_left = inputs.moved(&moved);
        let mut survey = Survey {
            left: vec![None; physical.nodes.len()],
            whole: vec![None; physical.nodes.len()],
            answers: if asks(&physical) { Known::of(folder) } else { Known::default() },
            stages: vec![None; physical.nodes.len()],
            fragments: Vec::new(),
            inputs: inputs_left,
            physical,
            kept,
            tiles,
        };
        for (node, print) in whole.iter().enumerate() {
            if let Some(at) = moved(node) {
                survey.whole[at] = *print;
            }
        }
        for fragment in fragments(&survey.physical, &survey.inputs) {
            let progress = match lasting(&survey.physical.nodes[fragment.node]) {
                Some(_) => {
                    let node = &survey.physical.nodes[fragment.node];
                    let (stage, progress) = written(folder, node, fragment, trial);
                    survey.stages[progress.fragment.node] = stage;
                    progress
                }
                None => folded(folder, fragment),
            };
            survey.fragments.push(progress);
        }
        for at in 0..survey.physical.nodes.len() {
            let all: Vec<&Progress> =
                survey.fragments.iter().filter(|p| p.fragment.read == at).collect();
            if let Some(first) = all.first() {
                let open = |n: &u64| !all.iter().all(|p| p.done[*n as usize]);
                let open: Vec<u64> = (0..first.done.len() as u64).filter(open).collect();
                survey.left[at] = (open.len() < first.done.len()).then(|| Arc::new(open));
            }
        }
        survey
    }

    /// How many tiles are left to do.
    pub fn tiles_left(&self) -> u64 {
        let left = |(node, left): (&Node, &Option<Arc<Vec<u64>>>)| match (&node.op, left) {
            (Op::Read(_), Some(left)) => left.len() as u64,
            (Op::Read(read), None) => read.tiling.count(),
            _ => 0,
        };
        self.physical.nodes.iter().zip(&self.left).map(left).sum()
    }

    /// Whether nothing is left to do at all.
    pub fn is_done(&self) -> bool {
        self.physical.nodes.is_empty()
    }

    /// The same in all processes of a run whose ledgers and inputs look the same.
    pub fn digest(&self) -> [u8; 32] {
        let mut parts: Vec<Vec<u8>> = vec![self.physical.hash.to_vec()];
        parts.extend(self.whole.iter().map(|p| format!("{p:?}").into_bytes()));
        for progress in &self.fragments {
            parts.push(Print::of(&progress.fragment.keys).0.to_vec());
            parts.push(progress.done.iter().map(|d| u8::from(*d)).collect());
            parts.push(progress.partials.len().to_le_bytes().to_vec());
        }
        let print = Print::of(parts).0;
        let mut digest = [0; 32];
        digest[..16].copy_from_slice(&print);
        digest
    }
}

fn asks(physical: &Physical) -> bool {
    physical.nodes.iter().any(|node| matches!(node.op, Op::Task(_)))
}

/// For each node whether something is done for rows before it: only the rows themselves tell
/// whether it is to be done again.
fn behind_tasks(physical: &Physical) -> Vec<bool> {
    let mut behind: Vec<bool> = Vec::with_capacity(physical.nodes.len());
    for node in &physical.nodes {
        let before = node.inputs.iter().any(|input| behind[*input]);
        behind.push(before || matches!(node.op, Op::Task(_)));
    }
    behind
}

/// The tiles that all readers of a plan have.
fn tiles(physical: &Physical) -> u64 {
    let tiles = |node: &Node| match &node.op {
        Op::Read(read) => read.tiling.count(),
        _ => 0,
    };
    physical.nodes.iter().map(tiles).sum()
}

/// For each sink and result what it means, with all files that it depends on.
pub(super) fn wholes(physical: &Physical, inputs: &Inputs) -> Vec<Option<Print>> {
    let mut before: Vec<Option<Vec<Print>>> = Vec::new();
    let mut whole = Vec::new();
    for (at, node) in physical.nodes.iter().enumerate() {
        let mut files = inputs.of_node(at).map(|f| f.iter().map(|(_, p)| *p).collect::<Vec<_>>());
        for input in &node.inputs {
            files = files.zip(before[*input].clone()).map(|(a, b)| [a, b].concat());
        }
        let meaning = physical.meanings.get(at).map(|m| m.placed);
        let sink = matches!(node.op, Op::Write(_) | Op::Show(_));
        let print = files.clone().zip(meaning).filter(|_| sink);
        whole.push(print.map(|(files, meaning)| {
            let files = files.iter().map(|p| p.0);
            Print::of(std::iter::once(meaning.0).chain(files))
        }));
        before.push(files);
    }
    whole
}

/// The plan less the sinks that are kept and all that feeds nothing else, and where its nodes now
/// stand.
fn without(physical: &Physical, kept: &[Kept]) -> (Physical, HashMap<usize, usize>) {
    let mut needed = vec![false; physical.nodes.len()];
    for (at, node) in physical.nodes.iter().enumerate().rev() {
        let sink = matches!(node.op, Op::Write(_) | Op::Show(_));
        needed[at] |= sink && !kept.iter().any(|k| k.node() == at);
        if needed[at] {
            node.inputs.iter().for_each(|input| needed[*input] = true);
        }
    }
    let mut places = HashMap::new();
    let mut left = Physical { nodes: Vec::new(), meanings: Vec::new(), ..physical.clone() };
    for (at, node) in physical.nodes.iter().enumerate().filter(|(at, _)| needed[*at]) {
        places.insert(at, left.nodes.len());
        let mut node = node.clone();
        // Inputs of a node that is needed are, too, and stand before it.
        node.inputs.iter_mut().for_each(|input| *input = places[input]);
        left.nodes.push(node);
        left.meanings.extend(physical.meanings.get(at));
    }
    (left, places)
}
