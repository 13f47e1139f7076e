//! From a physical plan to timely operators, the same in every worker.
use super::{Items, Job, Time, exchange, place, source, stage};
use crate::ledger;
use crate::nodes::{self, Context};
use crate::profile::{Meter, Recorder};
use base::Failure;
use plan::physical::Op;
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
    };
    let mut streams: Vec<Items> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let input = |i: &usize| streams.get(*i).cloned();
        let inputs: Option<Vec<Items>> = node.inputs.iter().map(input).collect();
        let mut inputs = inputs.ok_or_else(|| wrong(&node.step))?;
        let meter = Meter::of(recorder, nodes, at);
        let stream = match &node.op {
            Op::Read(read) => source::source(scope, job, at, read, meter),
            Op::Exchange(route) => {
                let input = inputs.pop().ok_or_else(|| wrong(&node.step))?;
                exchange::exchange(scope, job, at, route, threads, input, meter)
            }
            _ => match nodes::stage(nodes, at, &cx)? {
                Some(logic) => {
                    let logic = match &job.book {
                        Some(book) => ledger::wrap(book, at, &node.op, cx.place, logic),
                        None => logic,
                    };
                    stage::stage(scope, job, at, inputs, logic, meter)
                }
                None => return Err(wrong(&node.step)),
            },
        };
        streams.push(stream);
    }
    Ok(())
}

fn wrong(step: &str) -> Failure {
    Failure::internal(format!("the plan's node `{step}` comes before its inputs"))
}
