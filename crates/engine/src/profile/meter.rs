//! What an operator counts with; it does nothing unless the run is profiled.
use super::{Amount, Recorder, position};
use crate::parcel::Item;
use plan::physical::Node;
use std::time::Instant;

/// Counts for one operator of one worker.
pub struct Meter(Option<(Recorder, usize)>);

impl Meter {
    /// For the operator of a node, the first one of an `Exchange`.
    pub fn of(recorder: Option<&Recorder>, nodes: &[Node], node: usize) -> Meter {
        Meter(recorder.map(|recorder| (recorder.clone(), position(nodes, node))))
    }

    /// For the next operator of the same node.
    pub fn next(&self) -> Meter {
        Meter(self.0.as_ref().map(|(recorder, at)| (recorder.clone(), at + 1)))
    }

    /// The operator runs as long as what is returned is there.
    pub fn run(&self) -> Running<'_> {
        Running(self.0.as_ref().map(|(recorder, at)| (recorder, *at, Instant::now())))
    }

    /// A tile came in.
    pub fn took(&self, item: &Item) {
        self.took_some(|| amount(item));
    }

    /// A tile went out.
    pub fn gave(&self, item: &Item) {
        self.gave_some(|| amount(item));
    }

    /// So much came in; not asked for unless the run is profiled.
    pub fn took_some(&self, amount: impl FnOnce() -> Amount) {
        if let Some((recorder, at)) = &self.0 {
            recorder.took(*at, amount());
        }
    }

    /// So much went out; not asked for unless the run is profiled.
    pub fn gave_some(&self, amount: impl FnOnce() -> Amount) {
        if let Some((recorder, at)) = &self.0 {
            recorder.gave(*at, amount());
        }
    }
}

fn amount(item: &Item) -> Amount {
    match item {
        Item::Tile(parcel) => Amount::tile(parcel.tile.points(), parcel.tile.bytes()),
        Item::To(_, item) => amount(item),
        Item::Closed(_) | Item::Rows { .. } => Amount::default(),
    }
}

/// An operator that runs; counted when this value goes.
pub struct Running<'a>(Option<(&'a Recorder, usize, Instant)>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some((recorder, at, begun)) = self.0.take() {
            recorder.ran(at, begun);
        }
    }
}
