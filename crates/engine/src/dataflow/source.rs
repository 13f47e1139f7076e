//! The tiles of a `Read`: as an operator of its own, or for the only stage behind it.
use super::{Items, Job, Time};
use crate::credit::{Pool, Wake};
use crate::deal::Taken;
use crate::nodes::ahead::TILES;
use crate::nodes::read::Reader;
use crate::panics::catch;
use crate::parcel::{Item, Parcel};
use crate::profile::{Amount, Meter};
use plan::physical::{Op, Read};
use std::sync::Arc;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Scope;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// Adds the operator of a `Read`: one tile per activation, as long as there are credits.
pub fn source<'scope>(
    scope: Scope<'scope, Time>,
    job: &Arc<Job>,
    node: usize,
    read: &Read,
    meter: Meter,
) -> Items<'scope> {
    let mut builder = OperatorBuilder::new(job.physical.nodes[node].step.clone(), scope);
    let address = builder.operator_info().address;
    let mut feed = Feed::new(job, node, read, meter, || waker(scope, &address));
    let again = scope.activator_for(address);
    let (output, stream) = builder.new_output::<Vec<Item>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Item>>>::from(output);
    builder.build(move |mut capabilities| {
        let mut open = capabilities.pop();
        move |_frontiers| {
            let Some(capability) = &open else { return };
            match feed.next() {
                Fed::Tile(item) => {
                    output.activate().session(capability).give(item);
                    again.activate();
                }
                Fed::Wait => {}
                Fed::End => open = None,
            }
        }
    });
    stream
}

/// Activates an operator, from any thread.
pub fn waker(scope: Scope<Time>, address: &[usize]) -> Wake {
    let wake = scope.worker().sync_activator_for(address.to_vec());
    // The worker is gone when the wake fails: nothing is left to wake.
    Box::new(move || {
        let _ = wake.activate();
    })
}

/// Whether all that a `Read` makes goes to this node and to no other, and this node takes nothing
/// else: then both are one operator, and what a tile costs beside its work is next to nothing.
pub fn feeds(job: &Job, read: usize, node: usize) -> bool {
    let nodes = &job.physical.nodes;
    let takes = nodes.iter().flat_map(|node| &node.inputs).filter(|input| **input == read).count();
    takes == 1 && nodes[node].inputs == [read] && !matches!(nodes[node].op, Op::Exchange(_))
}

/// Takes tiles and makes them, in one worker.
pub struct Feed {
    job: Arc<Job>,
    node: usize,
    reader: Reader,
    pool: Arc<Pool>,
    meter: Meter,
}

/// What comes next.
pub enum Fed {
    /// A tile.
    Tile(Item),
    /// Nothing until a credit has come back, or there is more to take.
    Wait,
    /// Nothing ever again.
    End,
}

impl Feed {
    /// Of the `Read` at position `node`; `waker` makes what wakes the operator that asks for tiles.
    pub fn new(
        job: &Arc<Job>,
        node: usize,
        read: &Read,
        meter: Meter,
        waker: impl Fn() -> Wake,
    ) -> Feed {
        let pool = Pool::new(job.in_flight, job.watch.clone(), waker());
        if let Some(hand) = &job.hands[node] {
            hand.wake_by(waker());
        }
        Feed { job: job.clone(), node, reader: Reader::new(read, &job.watch), pool, meter }
    }

    /// The next tile, if there is a credit for it.
    pub fn next(&mut self) -> Fed {
        let Feed { job, node, reader, pool, meter } = self;
        // Without a look at the credits: tiles that wait for one that will not come keep theirs.
        if job.watch.failed() || job.watch.draining() {
            return Fed::End;
        }
        if !pool.has_free() {
            return Fed::Wait;
        }
        let numbered = |place| job.book.as_ref().map_or(place, |book| book.number(*node, place));
        let number = match job.hands[*node].as_ref().map_or(Taken::End, |hand| hand.take()) {
            Taken::Tile(place) => numbered(place),
            Taken::Wait => return Fed::Wait,
            Taken::End => return Fed::End,
        };
        let _running = meter.run();
        let points = reader.points(number);
        job.watch.hand_out(points);
        meter.took_some(|| Amount::tile(points as usize, 0));
        let credit = pool.take();
        let ahead = job.ahead[*node].as_ref().map(|ahead| {
            let coming = job.hands[*node].iter().flat_map(|hand| hand.coming(TILES));
            ahead.begin(number, coming.map(numbered), |number| reader.ahead(number))
        });
        let made = catch(|| reader.tile(number));
        drop(ahead);
        match made {
            Ok(tile) => {
                let item = Item::Tile(Parcel { tile, credit });
                meter.gave(&item);
                Fed::Tile(item)
            }
            Err(failure) => {
                job.fail(failure, *node, Some(number));
                Fed::End
            }
        }
    }
}
