//! The operator of a `Read`: one tile per activation, as long as there are credits.
use super::{Items, Job, Time};
use crate::credit::Pool;
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
    let wake = scope.worker().sync_activator_for(address.to_vec());
    let again = scope.activator_for(address);
    // The worker is gone when the wake fails: nothing is left to wake.
    let pool = Pool::new(
        job.in_flight,
        job.watch.clone(),
        Box::new(move || {
            let _ = wake.activate();
        }),
    );
    let mut reader = Reader::new(read);
    let (output, stream) = builder.new_output::<Vec<Item>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Item>>>::from(output);
    builder.build(move |mut capabilities| {
        let mut open = capabilities.pop();
        move |_frontiers| {
            let Some(capability) = &open else { return };
            let _running = meter.run();
            if job.watch.failed() {
                open = None;
                return;
            }
            if !pool.has_free() {
                return;
            }
            match next(&job, node, &mut reader, &pool, &meter) {
                Ok(Some(parcel)) => {
                    let item = Item::Tile(parcel);
                    meter.gave(&item);
                    output.activate().session(capability).give(item);
                    again.activate();
                }
                Ok(None) => open = None,
                Err((number, failure)) => {
                    job.fail(failure, node, Some(number));
                    open = None;
                }
            }
        }
    });
    stream
}

/// The next tile of this process, if there is one more.
fn next(
    job: &Job,
    node: usize,
    reader: &mut Reader,
    pool: &Arc<Pool>,
    meter: &Meter,
) -> Result<Option<Parcel>, (u64, Failure)> {
    let Some(number) = job.counters[node].as_ref().and_then(|c| c.take()) else {
        return Ok(None);
    };
    let points = reader.points(number);
    job.watch.hand_out(points);
    meter.took_some(|| Amount::tile(points as usize, 0));
    let credit = pool.take();
    let tile = catch(|| reader.tile(number)).map_err(|failure| (number, failure))?;
    Ok(Some(Parcel { tile, credit }))
}
