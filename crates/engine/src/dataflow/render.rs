//! From a physical plan to timely operators, the same in every worker.
use super::source::feeds;
use super::stage::Inputs;
use super::{Items, Job, Time, exchange, place, source, stage};
use crate::ledger;
use crate::nodes::{self, Context};
use crate::profile::{Meter, Recorder};
use base::Failure;
use plan::physical::{Node, Op};
use std::sync::Arc;
use timely::dataflow::Scope;

/// Adds the operators of all nodes.
///
/// # Errors
/// If the plan does not hold together.
pub fn render(
    scope: Scope<Time>,
    job: &Arc<Job>,
    threads: usize,
    recorder: Option<&Recorder>,
) -> Result<(), Failure> {
    let nodes = &job.physical.nodes;
    let cx = Context {
        place: place(scope.worker(), threads),
        watch: job.watch.clone(),
        shown: job.shown.clone(),
        free: job.free,
        budget: job.budget.clone(),
        book: job.book.clone(),
        commons: job.commons.clone(),
        limits: job.limits.clone(),
    };
    // None for a `Read` that is part of the operator behind it.
    let mut streams: Vec<Option<Items>> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let meter = |at| Meter::of(recorder, nodes, at);
        let stream = match &node.op {
            Op::Read(_) if (at..nodes.len()).any(|behind| feeds(job, at, behind)) => None,
            Op::Read(read) => Some(source::source(scope, job, at, read, meter(at))),
            Op::Exchange(route) => {
                let input = streams_of(node, &streams)?.pop().ok_or_else(|| wrong(&node.step))?;
                Some(exchange::exchange(scope, job, at, route, threads, input, meter(at)))
            }
            _ => {
                let inputs = match node.inputs.first().map(|read| (*read, &nodes[*read].op)) {
                    Some((read, Op::Read(of))) if feeds(job, read, at) => {
                        Inputs::Read(read, of, meter(read))
                    }
                    _ => Inputs::Streams(streams_of(node, &streams)?),
                };
                let logic = nodes::stage(nodes, at, &cx)?.ok_or_else(|| wrong(&node.step))?;
                let logic = match &job.book {
                    Some(book) => ledger::wrap(book, at, &node.op, cx.place, logic),
                    None => logic,
                };
                Some(stage::stage(scope, job, at, inputs, logic, meter(at)))
            }
        };
        streams.push(stream);
    }
    Ok(())
}

fn streams_of<'scope>(
    node: &Node,
    streams: &[Option<Items<'scope>>],
) -> Result<Vec<Items<'scope>>, Failure> {
    let stream = |input: &usize| streams.get(*input).cloned().flatten();
    let inputs: Option<Vec<Items>> = node.inputs.iter().map(stream).collect();
    inputs.ok_or_else(|| wrong(&node.step))
}

fn wrong(step: &str) -> Failure {
    Failure::internal(format!("the plan's node `{step}` comes before its inputs"))
}
