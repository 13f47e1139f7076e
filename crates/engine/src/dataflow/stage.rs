//! The operator of a stage: takes or makes one tile per activation, so that credits and messages
//! move on.
use super::{Items, Job, Time};
use crate::credit::{Pool, Wake, sign};
use crate::nodes::{Out, Stage};
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
    let address = builder.operator_info().address;
    let waker = || -> Wake {
        let wake = scope.worker().sync_activator_for(address.to_vec());
        // The worker is gone when the wake fails: nothing is left to wake.
        Box::new(move || {
            let _ = wake.activate();
        })
    };
    let pool = Pool::derived(job.in_flight, waker());
    job.watch.wake_by(waker());
    let again = scope.activator_for(address);
    let mut inputs: Vec<_> =
        inputs.into_iter().map(|stream| builder.new_input(stream, Pipeline)).collect();
    let (output, stream) = builder.new_output::<Vec<Item>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Item>>>::from(output);
    let mut work = Work::new(stage, inputs.len(), pool);
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
            let next = work.step(&job, node, &ended, &mut give);
            drop(session);
            match next {
                Next::Done => open = None,
                Next::Again => again.activate(),
                Next::Wait => {}
            }
        }
    });
    stream
}

/// What is to be done next.
enum Next {
    /// More of the same.
    Again,
    /// Nothing, until something comes: a tile, or a credit.
    Wait,
    /// Nothing at all.
    Done,
}

/// A stage and the tiles that wait for it.
struct Work {
    stage: Option<Box<dyn Stage>>,
    /// The credits of what it makes of what it has held.
    pool: Arc<Pool>,
    /// Bytes of what it has made last.
    made: u64,
    queue: VecDeque<(usize, Item)>,
    ended: Vec<bool>,
    finished: bool,
}

impl Work {
    fn new(stage: Box<dyn Stage>, inputs: usize, pool: Arc<Pool>) -> Work {
        let (ended, queue) = (vec![false; inputs], VecDeque::new());
        Work { stage: Some(stage), pool, made: 0, queue, ended, finished: false }
    }

    /// Takes or makes one tile, or ends.
    fn step(&mut self, job: &Job, node: usize, ended: &dyn Fn(usize) -> bool, give: Out) -> Next {
        if job.watch.failed() {
            self.stop();
            return Next::Done;
        }
        let number = match self.queue.front() {
            Some((_, Item::Tile(parcel))) => Some(parcel.tile.number),
            _ => None,
        };
        catch(|| self.advance(job, ended, give)).unwrap_or_else(|failure| {
            job.fail(failure, node, number);
            self.stop();
            Next::Done
        })
    }

    fn advance(
        &mut self,
        job: &Job,
        ended: &dyn Fn(usize) -> bool,
        give: Out,
    ) -> Result<Next, Failure> {
        let Some(stage) = &mut self.stage else { return Ok(Next::Done) };
        if stage.full() {
            if self.has_credit(job) {
                self.more(job, give)?;
            }
            return Ok(self.soon(job));
        }
        match self.queue.pop_front() {
            Some((input, Item::Tile(parcel))) => stage.tile(input, parcel, give)?,
            Some((input, Item::Closed(numbers))) => stage.closed(input, numbers, give)?,
            Some((_, Item::Rows { before, all })) => stage.rows(before, all),
            Some((_, Item::To(..))) => {
                return Err(Failure::internal("a message for one worker was not sent"));
            }
            None => {}
        }
        if stage.full() {
            return Ok(self.soon(job));
        }
        for input in 0..self.ended.len() {
            let waits = self.queue.iter().any(|(i, _)| *i == input);
            if !self.ended[input] && ended(input) && !waits {
                self.ended[input] = true;
                if job.watch.draining() {
                    continue;
                }
                stage.input_ends(input, give)?;
            }
        }
        if self.ended.contains(&false) {
            return Ok(if self.queue.is_empty() { Next::Wait } else { Next::Again });
        }
        if job.watch.draining() {
            let drained = stage.drained();
            self.stage = None;
            return drained.map(|()| Next::Done);
        }
        if !self.finished {
            stage.finish(give)?;
            self.finished = true;
            return Ok(Next::Again);
        }
        if !self.has_credit(job) {
            return Ok(Next::Wait);
        }
        if self.more(job, give)? {
            return Ok(self.soon(job));
        }
        self.stage = None;
        Ok(Next::Done)
    }

    /// Makes a tile or so of what the stage holds. Whether there may be more.
    fn more(&mut self, job: &Job, give: Out) -> Result<bool, Failure> {
        let Some(stage) = &mut self.stage else { return Ok(false) };
        let mut items = Vec::new();
        let more = stage.more(&mut |item| items.push(item))?;
        let bytes: u64 = items.iter().map(Item::bytes).sum();
        if bytes > 0 {
            self.made = bytes;
            if let Some(credit) = self.pool.lend(bytes, &job.budget) {
                items.iter_mut().for_each(|item| sign(item, &credit));
            }
        }
        items.into_iter().for_each(give);
        Ok(more)
    }

    /// Whether a tile like the last one that was made may be given on. When the run is to stop, any
    /// may: those behind may keep their credits, waiting for tiles that will not come.
    fn has_credit(&self, job: &Job) -> bool {
        job.watch.draining() || self.pool.has_free() || job.budget.has_room(self.made.max(1))
    }

    fn soon(&self, job: &Job) -> Next {
        if self.has_credit(job) { Next::Again } else { Next::Wait }
    }

    /// Lets go of everything.
    fn stop(&mut self) {
        self.stage = None;
        self.queue.clear();
    }
}
