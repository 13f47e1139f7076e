//! What a run has done.
use crate::profile::Profile;
use crate::watch::Watch;
use arrow_array::RecordBatch;
use base::{Schema, Warning};
use plan::physical::{Op, Physical};

/// What a run has done in this process.
#[derive(Debug)]
pub struct Tally {
    /// The rows of each `Show` node, in the order of the plan: its name, its columns, its rows in
    /// order. Only in process 0; elsewhere there are no rows.
    pub results: Vec<(String, Schema, Vec<RecordBatch>)>,
    /// From the first tile handed out by this process to the end of all workers.
    pub seconds: f64,
    /// Tiles that this process has taken.
    pub tiles: u64,
    /// Points of these tiles.
    pub rows: u64,
    /// Bytes of column values given to writers in this process.
    pub written: u64,
    /// Bytes of state that did not fit into memory and went to files.
    pub spilled: u64,
    /// What the user should know of the values that this process has seen.
    pub warnings: Vec<Warning>,
    /// What the time went into, if that was asked for.
    pub profile: Option<Profile>,
}

impl Tally {
    /// From what `Show` nodes have collected: position of the node, tile number, rows.
    pub(crate) fn new(
        physical: &Physical,
        mut shown: Vec<(usize, u64, RecordBatch)>,
        watch: &Watch,
    ) -> Tally {
        shown.sort_by_key(|(node, number, _)| (*node, *number));
        let result = |(at, node): (usize, &plan::physical::Node)| {
            let Op::Show(show) = &node.op else { return None };
            let batches = shown.iter().filter(|(node, ..)| *node == at).map(|s| s.2.clone());
            Some((show.name.clone(), node.schema.clone(), batches.collect()))
        };
        Tally {
            results: physical.nodes.iter().enumerate().filter_map(result).collect(),
            seconds: watch.seconds(),
            tiles: watch.tiles_taken(),
            rows: watch.rows(),
            written: watch.bytes(),
            spilled: 0,
            warnings: watch.warnings(),
            profile: None,
        }
    }
}
