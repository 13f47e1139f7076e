//! The operators of an `Exchange`: one sends, one receives.
//!
//! A tile for a worker of this process takes its credit along. For one in another process the
//! sender keeps the credit under a number, the ticket; when the receiver has dropped all that was
//! made of the tile, the ticket comes back on a feedback edge. That edge does not lead to the
//! sender's output, so that it adds no cycle to what timely has to track, and the receiver lets it
//! go as soon as its input has ended: then the `Read`s above have handed out their last tile, and
//! nobody waits for credits.
use super::packets::{Load, Packet, Packets};
use super::{Items, Job, Time, place};
use crate::credit::{Credit, Returns, Ticket};
use crate::nodes::route::split;
use crate::options::Place;
use crate::panics::catch;
use crate::parcel::{Item, Parcel};
use crate::profile::{Amount, Meter};
use crate::wire;
use base::Failure;
use plan::physical::Route;
use std::collections::HashMap;
use std::sync::Arc;
use timely::container::{CapacityContainerBuilder, DrainContainer};
use timely::dataflow::channels::pact::{Exchange, ExchangeCore, Pipeline};
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::{ConnectLoop, Feedback};
use timely::dataflow::{Scope, Stream};

type Tickets<'scope> = Stream<'scope, Time, Vec<Ticket>>;

/// Adds the operators of the `Exchange` at position `node`.
pub fn exchange<'scope>(
    scope: Scope<'scope, Time>,
    job: &Arc<Job>,
    node: usize,
    route: &Route,
    threads: usize,
    input: Items<'scope>,
    meter: Meter,
) -> Items<'scope> {
    let received = meter.next();
    let place = place(scope.worker(), threads);
    let sender = Sender { route: route.clone(), place, held: HashMap::new(), next: 1 };
    // The same in every process, as timely demands.
    let (handle, tickets) = match place.processes() {
        0 | 1 => (None, None),
        _ => {
            let (handle, tickets) = scope.feedback::<Vec<Ticket>>(1);
            (Some(handle), Some(tickets))
        }
    };
    let packets = send(scope, job, node, sender, input, tickets, meter);
    let (items, back) = receive(scope, job, node, packets, received);
    if let Some(handle) = handle {
        back.connect_loop(handle);
    }
    items
}

fn send<'scope>(
    scope: Scope<'scope, Time>,
    job: &Arc<Job>,
    node: usize,
    mut sender: Sender,
    input: Items<'scope>,
    tickets: Option<Tickets<'scope>>,
    meter: Meter,
) -> Stream<'scope, Time, Packets> {
    let job = job.clone();
    let name = format!("{}: send", job.physical.nodes[node].step);
    let mut builder = OperatorBuilder::new(name, scope);
    let mut input = builder.new_input(input, Pipeline);
    let (output, stream) = builder.new_output::<Packets>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Packets>>::from(output);
    let mut tickets = tickets.map(|tickets| {
        let home = Exchange::new(|ticket: &Ticket| ticket.0 as u64);
        builder.new_input_connection(tickets, home, [])
    });
    builder.build(move |mut capabilities| {
        let mut open = capabilities.pop();
        move |frontiers| {
            let _running = meter.run();
            if let Some(tickets) = &mut tickets {
                tickets.for_each(|_, list| {
                    for (_, number) in list.drain(..) {
                        sender.held.remove(&number);
                    }
                });
            }
            if job.watch.failed() {
                open = None;
                sender.held.clear();
            }
            let mut output = output.activate();
            input.for_each(|_, items| {
                let Some(capability) = open.as_ref().filter(|_| !job.watch.failed()) else {
                    return items.clear();
                };
                let mut session = output.session(capability);
                for item in items.drain(..) {
                    meter.took(&item);
                    let rows = item.rows();
                    match catch(|| sender.pack(item)) {
                        Ok(packets) => {
                            meter.gave_some(|| sent(&packets, rows));
                            session.give_iterator(packets.into_iter());
                        }
                        Err(failure) => return job.fail(failure, node, None),
                    }
                }
            });
            if frontiers[0].is_empty() {
                open = None;
            }
        }
    });
    stream
}

/// What these packets carry, all of a tile of so many rows.
fn sent(packets: &[Packet], rows: u64) -> Amount {
    let bytes = packets.iter().map(|packet| packet.bytes() as u64).sum();
    Amount { tiles: packets.len() as u64, rows, bytes }
}

/// Turns tiles into packets and keeps the credits of those that leave the process.
struct Sender {
    route: Route,
    place: Place,
    held: HashMap<u64, Credit>,
    next: u64,
}

impl Sender {
    fn pack(&mut self, item: Item) -> Result<Vec<Packet>, Failure> {
        let origin = self.place.worker;
        match item {
            Item::Tile(parcel) => {
                let Parcel { tile, credit } = parcel;
                let pieces = split(&self.route, tile, self.place)?;
                pieces.into_iter().map(|(target, tile)| self.tile(target, tile, &credit)).collect()
            }
            // Only a writer in worker 0 keeps an order.
            Item::Closed(numbers) if self.route == Route::Gather => {
                let load = match self.place.is_remote(0) {
                    true => Load::Closed(numbers.start, numbers.end),
                    false => Load::Item(Item::Closed(numbers)),
                };
                Ok(vec![Packet { target: 0, origin, ticket: 0, load }])
            }
            // What stays keeps its order.
            Item::Closed(_) if self.route == Route::Address => {
                Ok(vec![Packet { target: origin, origin, ticket: 0, load: Load::Item(item) }])
            }
            Item::Closed(_) => Ok(Vec::new()),
            Item::To(target, item) => match *item {
                Item::Tile(Parcel { tile, credit }) => Ok(vec![self.tile(target, tile, &credit)?]),
                Item::Rows { before, all } => {
                    let load = match self.place.is_remote(target) {
                        true => Load::Rows(before, all),
                        false => Load::Item(Item::Rows { before, all }),
                    };
                    Ok(vec![Packet { target, origin, ticket: 0, load }])
                }
                Item::Closed(_) | Item::To(..) => Err(unaddressed()),
            },
            Item::Rows { .. } => Err(unaddressed()),
        }
    }

    fn tile(
        &mut self,
        target: usize,
        tile: base::Tile,
        credit: &Option<Credit>,
    ) -> Result<Packet, Failure> {
        let origin = self.place.worker;
        if !self.place.is_remote(target) {
            let load = Load::Item(Item::Tile(Parcel { tile, credit: credit.clone() }));
            return Ok(Packet { target, origin, ticket: 0, load });
        }
        let load = Load::Tile(wire::encode(&tile)?);
        let Some(credit) = credit else {
            return Ok(Packet { target, origin, ticket: 0, load });
        };
        let ticket = self.next;
        self.next += 1;
        self.held.insert(ticket, credit.clone());
        Ok(Packet { target, origin, ticket, load })
    }
}

fn unaddressed() -> Failure {
    Failure::internal("a message for one worker went to an exchange that has no place for it")
}

fn receive<'scope>(
    scope: Scope<'scope, Time>,
    job: &Arc<Job>,
    node: usize,
    packets: Stream<'scope, Time, Packets>,
    meter: Meter,
) -> (Items<'scope>, Tickets<'scope>) {
    let job = job.clone();
    let name = format!("{}: receive", job.physical.nodes[node].step);
    let mut builder = OperatorBuilder::new(name, scope);
    let address = builder.operator_info().address;
    let wake = scope.worker().sync_activator_for(address.to_vec());
    let returns = Returns::new(Box::new(move || {
        let _ = wake.activate();
    }));
    let target = |packet: &Packet| packet.target as u64;
    let by_target = ExchangeCore::<CapacityContainerBuilder<Packets>, _>::new(target);
    let mut input = builder.new_input(packets, by_target);
    let (output, items) = builder.new_output::<Vec<Item>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Item>>>::from(output);
    let (back, tickets) = builder.new_output_connection::<Vec<Ticket>, _>([]);
    let mut back = OutputBuilder::<_, CapacityContainerBuilder<Vec<Ticket>>>::from(back);
    builder.build(move |mut capabilities| {
        let mut loop_open = capabilities.pop();
        let mut open = capabilities.pop();
        move |frontiers| {
            let _running = meter.run();
            let mut output = output.activate();
            input.for_each(|_, packets| {
                let Some(capability) = open.as_ref().filter(|_| !job.watch.failed()) else {
                    return packets.drain().for_each(drop);
                };
                let mut session = output.session(capability);
                for packet in packets.drain() {
                    let bytes = packet.bytes() as u64;
                    match catch(|| unpack(packet, &returns)) {
                        Ok(item) => {
                            let amount = Amount { tiles: 1, rows: item.rows(), bytes };
                            meter.took_some(|| amount);
                            meter.gave(&item);
                            session.give(item);
                        }
                        Err(failure) => return job.fail(failure, node, None),
                    }
                }
            });
            let list = returns.drain();
            if let Some(capability) = &loop_open
                && !list.is_empty()
            {
                back.activate().session(capability).give_iterator(list.into_iter());
            }
            if frontiers[0].is_empty() || job.watch.failed() {
                (open, loop_open) = (None, None);
            }
        }
    });
    (items, tickets)
}

fn unpack(packet: Packet, returns: &Arc<Returns>) -> Result<Item, Failure> {
    Ok(match packet.load {
        Load::Item(item) => item,
        Load::Closed(start, end) => Item::Closed(start..end),
        Load::Rows(before, all) => Item::Rows { before, all },
        Load::Tile(pieces) => {
            let credit =
                (packet.ticket != 0).then(|| returns.credit((packet.origin, packet.ticket)));
            let bytes = pieces.first().ok_or_else(|| Failure::internal("an empty message"))?;
            Item::Tile(Parcel { tile: wire::decode(bytes)?, credit })
        }
    })
}
