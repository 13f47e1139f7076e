//! The outputs of a run: staged, then named, or taken away again.
use crate::report::Output;
use base::Failure;
use formats::Sink;
use plan::physical::{Op, Physical};
use std::sync::Arc;

/// All sinks of a plan. What is staged and not committed is removed when this value goes.
pub struct Outputs(Vec<Arc<dyn Sink>>);

impl Outputs {
    /// Those of a plan.
    pub fn of(physical: &Physical) -> Outputs {
        let sink = |node: &plan::physical::Node| match &node.op {
            Op::Write(sink) => Some(sink.clone()),
            _ => None,
        };
        Outputs(physical.nodes.iter().filter_map(sink).collect())
    }

    /// Makes all staged outputs.
    ///
    /// # Errors
    /// If one of them cannot be made.
    pub fn create(&self) -> Result<(), Failure> {
        self.0.iter().try_for_each(|sink| sink.create())
    }

    /// Gives all outputs their names.
    ///
    /// # Errors
    /// If one of them is not whole or cannot be named; those before it are there.
    pub fn commit(&self) -> Result<Vec<Output>, Failure> {
        let output = |sink: &Arc<dyn Sink>| {
            let written = sink.commit()?;
            Ok(Output { path: written.path, files: written.files, bytes: written.bytes })
        };
        self.0.iter().map(output).collect()
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.0.iter().for_each(|sink| sink.abandon());
    }
}
