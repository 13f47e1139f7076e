//! The operator of a stage: takes one tile per activation, so that credits and messages move on.
use super::{Items, Job, Time};
use crate::nodes::Stage;
use crate::panics::catch;
use crate::parcel::Item;
use crate::profile::Meter;
use base::Failure;
use std::collections::VecDeque;
use std::sync::Arc;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Scope;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// Adds the operator of a stage, the node at position `node`.
pub fn stage<'scope>(
    scope: Scope<'scope, Time>,
    job: &Arc<Job>,
    node: usize,
    inputs: Vec<Items<'scope>>,
    stage: Box<dyn Stage>,
    meter: Meter,
) -> Items<'scope> {
    let job = job.clone();
    let mut builder = OperatorBuilder::new(job.physical.nodes[node].step.clone(), scope);
    let again = scope.activator_for(builder.operator_info().address);
    let mut inputs: Vec<_> =
        inputs.into_iter().map(|stream| builder.new_input(stream, Pipeline)).collect();
    let (output, stream) = builder.new_output::<Vec<Item>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Item>>>::from(output);
    let mut work = Work::new(stage, inputs.len());
    builder.build(move |mut capabilities| {
        // Held until the last tile has been given: it stands for all that the stage may still make.
        let mut open = capabilities.pop();
        move |frontiers| {
            let _running = meter.run();
            for (i, input) in inputs.iter_mut().enumerate() {
                input.for_each(|_, items| {
                    items.iter().for_each(|item| meter.took(item));
                    work.queue.extend(items.drain(..).map(|item| (i, item)));
                });
            }
            let Some(capability) = &open else { return work.queue.clear() };
            let mut output = output.activate();
            let mut session = output.session(capability);
            let ended = |input: usize| frontiers[input].is_empty();
            let mut give = |item| {
                meter.gave(&item);
                session.give(item);
            };
            let done = work.step(&job, node, &ended, &mut give);
            drop(session);
            if done {
                open = None;
            } else if !work.queue.is_empty() || work.finished {
                again.activate();
            }
        }
    });
    stream
}

/// A stage and the tiles that wait for it.
struct Work {
    stage: Option<Box<dyn Stage>>,
    queue: VecDeque<(usize, Item)>,
    ended: Vec<bool>,
    finished: bool,
}

impl Work {
    fn new(stage: Box<dyn Stage>, inputs: usize) -> Work {
        let ended = vec![false; inputs];
        Work { stage: Some(stage), queue: VecDeque::new(), ended, finished: false }
    }

    /// Takes one tile, or ends. Whether nothing is left to do, for better or for worse.
    fn step(
        &mut self,
        job: &Job,
        node: usize,
        ended: &dyn Fn(usize) -> bool,
        give: &mut dyn FnMut(Item),
    ) -> bool {
        if job.watch.failed() {
            self.stop();
            return true;
        }
        let number = match self.queue.front() {
            Some((_, Item::Tile(parcel))) => Some(parcel.tile.number),
            _ => None,
        };
        match catch(|| self.advance(ended, give)) {
            Ok(done) => done,
            Err(failure) => {
                job.fail(failure, node, number);
                self.stop();
                true
            }
        }
    }

    fn advance(
        &mut self,
        ended: &dyn Fn(usize) -> bool,
        give: &mut dyn FnMut(Item),
    ) -> Result<bool, Failure> {
        let Some(stage) = &mut self.stage else { return Ok(true) };
        match self.queue.pop_front() {
            Some((input, Item::Tile(parcel))) => stage.tile(input, parcel, give)?,
            Some((input, Item::Closed(numbers))) => stage.closed(input, numbers, give)?,
            Some((_, Item::Rows { before, all })) => stage.rows(before, all),
            Some((_, Item::To(..))) => {
                return Err(Failure::internal("a message for one worker was not sent"));
            }
            None => {}
        }
        for input in 0..self.ended.len() {
            let waits = self.queue.iter().any(|(i, _)| *i == input);
            if !self.ended[input] && ended(input) && !waits {
                self.ended[input] = true;
                stage.input_ends(input, give)?;
            }
        }
        if self.ended.contains(&false) {
            return Ok(false);
        }
        if !self.finished {
            stage.finish(give)?;
            self.finished = true;
            return Ok(false);
        }
        if stage.more(give)? {
            return Ok(false);
        }
        self.stage = None;
        Ok(true)
    }

    /// Lets go of everything.
    fn stop(&mut self) {
        self.stage = None;
        self.queue.clear();
    }
}
