//! The outputs of a run: staged, then named, or taken away again.
use crate::report::Output;
use base::Failure;
use engine::ledger::{Book, lasting};
use formats::{Piece, Sink, Written};
use plan::physical::{Node, Op, Physical};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// All sinks of a plan. What is staged and not committed is removed when this value goes, unless
/// a later run can go on with it.
pub struct Outputs {
    /// Each with whether what is staged of it stays.
    sinks: Vec<(Arc<dyn Sink>, bool)>,
    book: Option<Arc<Book>>,
}

impl Outputs {
    /// Those of a plan.
    pub fn of(physical: &Physical) -> Outputs {
        Outputs::from(physical, |_| false)
    }

    /// Those of a plan that keeps a ledger.
    pub fn kept(physical: &Physical) -> Outputs {
        Outputs::from(physical, |node| lasting(node).is_some())
    }

    /// Those of a plan whose process 0 has noted in this book that they are staged.
    pub fn noted(physical: &Physical, book: Arc<Book>) -> Outputs {
        let mut outputs = Outputs::kept(physical);
        outputs.book = Some(book);
        outputs
    }

    fn from(physical: &Physical, stays: impl Fn(&Node) -> bool) -> Outputs {
        let sink = |node: &Node| match &node.op {
            Op::Write(sink) => Some((sink.clone(), stays(node))),
            _ => None,
        };
        Outputs { sinks: physical.nodes.iter().filter_map(sink).collect(), book: None }
    }

    /// Makes all staged outputs.
    ///
    /// # Errors
    /// If one of them cannot be made.
    pub fn create(&self) -> Result<(), Failure> {
        self.sinks.iter().try_for_each(|(sink, _)| sink.create())
    }

    /// Removes what is staged, also what a later run could go on with.
    pub fn abandon(&self) {
        self.sinks.iter().for_each(|(sink, _)| sink.abandon());
    }

    /// Gives all outputs their names.
    ///
    /// # Errors
    /// If one of them is not whole or cannot be named; those before it are there.
    pub fn commit(&self) -> Result<Vec<Output>, Failure> {
        match &self.book {
            Some(book) => Ok(book.commit()?.into_iter().map(output).collect()),
            None => self.sinks.iter().map(|(sink, _)| Ok(output(sink.commit()?))).collect(),
        }
    }
}

/// What writers of one process have staged for the outputs of a plan, on its way to process 0: for
/// each node that writes, tiles with what is known of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Told(Vec<(usize, Vec<Row>)>);

/// A tile, the bytes of its file, their checksum, the last of them.
type Row = (u64, u64, u64, u64);

impl Told {
    /// Of this process.
    pub fn of(physical: &Physical) -> Told {
        let tile = |(tile, p): (u64, Piece)| (tile, p.bytes, p.sum, p.tail);
        let pieces = |(at, node): (usize, &Node)| match &node.op {
            Op::Write(sink) => Some((at, sink.pieces().into_iter().map(tile).collect())),
            _ => None,
        };
        Told(physical.nodes.iter().enumerate().filter_map(pieces).collect())
    }

    /// In process 0, before outputs get their names.
    pub fn hear(self, physical: &Physical) {
        let piece = |(tile, bytes, sum, tail)| (tile, Piece { bytes, sum, tail });
        for (at, pieces) in self.0 {
            if let Some(Op::Write(sink)) = physical.nodes.get(at).map(|node| &node.op) {
                sink.expect(pieces.into_iter().map(piece).collect());
            }
        }
    }
}

fn output(written: Written) -> Output {
    Output { path: written.path, files: written.files, bytes: written.bytes, kept: false }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.sinks.iter().filter(|(_, stays)| !stays).for_each(|(sink, _)| sink.abandon());
    }
}
