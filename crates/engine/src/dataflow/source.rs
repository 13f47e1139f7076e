//! The operator of a `Read`: one tile per activation, as long as there are credits.
use super::{Items, Job, Time};
use crate::credit::{Pool, Wake};
use crate::deal::Taken;
use crate::nodes::read::Reader;
use crate::panics::catch;
use crate::parcel::{Item, Parcel};
use crate::profile::{Amount, Meter};
use base::Failure;
use plan::physical::Read;
use std::sync::Arc;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Scope;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// Adds the operator of the `Read` at position `node`.
pub fn source<'scope>(
    scope: Scope<'scope, Time>,
    job: &Arc<Job>,
    node: usize,
    read: &Read,
    meter: Meter,
) -> Items<'scope> {
    let job = job.clone();
    let mut builder = OperatorBuilder::new(job.physical.nodes[node].step.clone(), scope);
    let address = builder.operator_info().address;
    // The worker is gone when a wake fails: nothing is left to wake.
    let waker = || -> Wake {
        let wake = scope.worker().sync_activator_for(address.to_vec());
        Box::new(move || {
            let _ = wake.activate();
        })
    };
    let pool = Pool::new(job.in_flight, job.watch.clone(), waker());
    if let Some(hand) = &job.hands[node] {
        hand.wake_by(waker());
    }
    let again = scope.activator_for(address);
    let mut reader = Reader::new(read);
    let (output, stream) = builder.new_output::<Vec<Item>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Item>>>::from(output);
    builder.build(move |mut capabilities| {
        let mut open = capabilities.pop();
        move |_frontiers| {
            let Some(capability) = &open else { return };
            let _running = meter.run();
            // Without a look at the credits: tiles that wait for one that will not come keep theirs.
            if job.watch.failed() || job.watch.draining() {
                open = None;
                return;
            }
            if !pool.has_free() {
                return;
            }
            match next(&job, node, &mut reader, &pool, &meter) {
                Ok(Next::Tile(parcel)) => {
                    let item = Item::Tile(parcel);
                    meter.gave(&item);
                    output.activate().session(capability).give(item);
                    again.activate();
                }
                Ok(Next::Wait) => {}
                Ok(Next::End) => open = None,
                Err((number, failure)) => {
                    job.fail(failure, node, Some(number));
                    open = None;
                }
            }
        }
    });
    stream
}

/// What a source does next.
enum Next {
    Tile(Parcel),
    /// There may be more later.
    Wait,
    End,
}

/// The next tile of this process, if there is one more.
fn next(
    job: &Job,
    node: usize,
    reader: &mut Reader,
    pool: &Arc<Pool>,
    meter: &Meter,
) -> Result<Next, (u64, Failure)> {
    let number = match job.hands[node].as_ref().map_or(Taken::End, |hand| hand.take()) {
        Taken::Tile(place) => job.book.as_ref().map_or(place, |book| book.number(node, place)),
        Taken::Wait => return Ok(Next::Wait),
        Taken::End => return Ok(Next::End),
    };
    let points = reader.points(number);
    job.watch.hand_out(points);
    meter.took_some(|| Amount::tile(points as usize, 0));
    let credit = pool.take();
    let tile = catch(|| reader.tile(number)).map_err(|failure| (number, failure))?;
    Ok(Next::Tile(Parcel { tile, credit }))
}
