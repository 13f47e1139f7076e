//! The operator of a stage: takes or makes tiles for a moment, so that credits and messages move
//! on.
use super::source::{Fed, Feed, waker};
use super::{Items, Job, Time};
use crate::credit::{Pool, sign};
use crate::nodes::{Out, Stage};
use crate::panics::catch;
use crate::parcel::Item;
use crate::profile::Meter;
use base::Failure;
use plan::physical::Read;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Scope;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// An operator goes on with small tiles for so long, then lets others have their turn.
const MOMENT: Duration = Duration::from_micros(100);

/// Where the tiles of a stage come from.
pub enum Inputs<'scope, 'plan> {
    /// From other operators.
    Streams(Vec<Items<'scope>>),
    /// From this `Read`, at this position, alone.
    Read(usize, &'plan Read, Meter),
}

/// Adds the operator of a stage, the node at position `node`.
pub fn stage<'scope>(
    scope: Scope<'scope, Time>,
    job: &Arc<Job>,
    node: usize,
    inputs: Inputs<'scope, '_>,
    mut stage: Box<dyn Stage>,
    meter: Meter,
) -> Items<'scope> {
    let job = job.clone();
    let mut builder = OperatorBuilder::new(job.physical.nodes[node].step.clone(), scope);
    let address = builder.operator_info().address;
    let pool = Pool::derived(job.in_flight, waker(scope, &address));
    job.watch.wake_by(waker(scope, &address));
    stage.wake_by(waker(scope, &address));
    let (streams, mut feed) = match inputs {
        Inputs::Streams(streams) => (streams, None),
        Inputs::Read(read, of, meter) => {
            (Vec::new(), Some(Feed::new(&job, read, of, meter, || waker(scope, &address))))
        }
    };
    let again = scope.activator_for(address);
    let mut work = Work::new(stage, streams.len() + usize::from(feed.is_some()), pool);
    let mut inputs: Vec<_> =
        streams.into_iter().map(|stream| builder.new_input(stream, Pipeline)).collect();
    let (output, stream) = builder.new_output::<Vec<Item>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Item>>>::from(output);
    builder.build(move |mut capabilities| {
        // Held until the last tile has been given: it stands for all that the stage may still make.
        let mut open = capabilities.pop();
        move |frontiers| {
            for (i, input) in inputs.iter_mut().enumerate() {
                input.for_each(|_, items| {
                    items.iter().for_each(|item| meter.took(item));
                    work.queue.extend(items.drain(..).map(|item| (i, item)));
                });
            }
            let Some(capability) = &open else { return work.queue.clear() };
            let mut output = output.activate();
            let mut session = output.session(capability);
            let mut give = |item| {
                meter.gave(&item);
                session.give(item);
            };
            let begin = Instant::now();
            let next = loop {
                let fed = work.feed(&mut feed, &meter);
                let ended = |input: usize| match frontiers.get(input) {
                    Some(frontier) => frontier.is_empty(),
                    None => feed.is_none(),
                };
                let _running = meter.run();
                let next = match work.step(&job, node, &ended, &mut give) {
                    Next::Wait | Next::Later if fed => Next::Again,
                    next => next,
                };
                if !matches!(next, Next::Again) || begin.elapsed() > MOMENT {
                    break next;
                }
            };
            drop(session);
            match next {
                Next::Done => open = None,
                Next::Again | Next::Later => again.activate(),
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
    /// More of the same, after all others have had their turn.
    Later,
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

    /// Asks for a tile if none waits. Whether one has come.
    fn feed(&mut self, feed: &mut Option<Feed>, meter: &Meter) -> bool {
        let full = self.stage.as_ref().is_none_or(|stage| stage.full());
        let Some(from) = feed.as_mut().filter(|_| self.queue.is_empty() && !full) else {
            return false;
        };
        match from.next() {
            Fed::Tile(item) => {
                meter.took(&item);
                self.queue.push_back((0, item));
                return true;
            }
            Fed::Wait => {}
            Fed::End => *feed = None,
        }
        false
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
            if stage.waits() {
                return Ok(Next::Wait);
            }
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
            return Ok(if stage.waits() { Next::Wait } else { self.soon(job) });
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
            return Ok(match self.queue.is_empty() {
                false => Next::Again,
                true if stage.idle(give)? => Next::Later,
                true => Next::Wait,
            });
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
        if stage.waits() || !self.has_credit(job) {
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
