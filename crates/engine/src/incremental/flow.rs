//! The dataflow: orders in, changes of results out.
//!
//! Worker 0 of process 0 hears orders and passes them to all workers. Each of them makes the
//! records of its tiles of a file and keeps them until it hears that all workers could; only then
//! do they count. Where many files have records they are added up in two or three steps, so that a change
//! of one file adds up some tens of states and not hundreds.
use super::above::Above;
use super::kept::Answer;
use super::maker::Maker;
use super::piece::Refused;
use super::record::{Add, Key, Outcome, Shelving, State};
use super::rows::{Part, Rows};
use super::shared::{Order, Shared};
use crate::panics::catch;
use crate::watch::{Watch, lock};
use base::Failure;
use differential_dataflow::{AsCollection, ExchangeData, Hashable, VecCollection};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::operator::Operator;
use timely::dataflow::operators::probe::{Handle, Probe};
use timely::dataflow::operators::vec::Broadcast;
use timely::dataflow::{Scope, Stream};

/// A record on its way: of some groups or cells the bucket and the state.
pub type Record = (Key, (u32, State));

type Time = u64;
type Updates<D> = Vec<(D, Time, isize)>;

/// Adds the operators. What worker 0 of process 0 is to answer gathers in `answer`.
///
/// # Errors
/// If the plan does not hold together.
pub fn flow<'scope>(
    orders: Stream<'scope, Time, Vec<Order>>,
    shared: &Arc<Shared>,
    answer: &Rc<RefCell<Answer>>,
) -> Result<Handle<Time>, Failure> {
    let scope = orders.scope();
    let (records, refused) = pieces(scope, orders.broadcast(), shared)?;
    let adders = Rc::new(RefCell::new(shared.adders()?));
    let probe = Handle::new();
    let records = records.as_collection();
    let mut sums = records.map(|(key, (bucket, state))| ((key, bucket), state));
    for buckets in shared.buckets.iter().copied() {
        let those = sums.map(move |((key, bucket), state)| ((key, bucket % buckets), state));
        sums = add_some(those, shared, &adders);
    }
    let sums = sums.map(|((key, _), state)| (key, state));
    let mut results = add_all(sums.inner, shared, &adders);
    for (above, number) in shared.aboves.iter().zip(shared.heads.len() as u32..) {
        let records = records_above(results.clone(), shared, above, number);
        results = results.concat(add_all(records, shared, &adders));
    }
    let needed = shared.needed.clone();
    let told = results.filter(move |(key, outcome)| {
        outcome.is_err() || needed.get(key.head as usize).is_some_and(|needed| *needed)
    });
    let changes = answer.clone();
    let change = Exchange::new(|_: &((Key, Outcome), Time, isize)| 0);
    let changed = told.inner.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(
        change,
        "Changes",
        move |_, _| {
            move |input, _| {
                input.for_each(|_, updates: &mut Updates<(Key, Outcome)>| {
                    let updates = updates.drain(..).map(|((key, row), _, diff)| (key, row, diff));
                    changes.borrow_mut().changes.extend(updates);
                });
            }
        },
    );
    let answer = answer.clone();
    let home = Exchange::new(|_: &Refused| 0);
    let told = refused.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(
        home,
        "Refused",
        move |_, _| {
            move |input, _| {
                input.for_each(|_, list: &mut Vec<Refused>| {
                    answer.borrow_mut().refused.append(list);
                });
            }
        },
    );
    changed.probe_with(&probe);
    told.probe_with(&probe);
    Ok(probe)
}

/// The records of the rows that a reduction of kept ones takes of their results, part by part.
fn records_above<'scope>(
    results: Results<'scope>,
    shared: &Arc<Shared>,
    above: &Arc<Above>,
    number: u32,
) -> Stream<'scope, Time, Updates<(Key, State)>> {
    let (from, ends) = (above.from.clone(), shared.ends.clone());
    let taken = results.flat_map(move |(key, outcome)| {
        let end = ends.get(key.head as usize).filter(|end| from.contains(end)).copied();
        end.map(|end| (Key { head: number, ..key }, (end, outcome)))
    });
    let bring = |shelving: &Shelving, (end, outcome)| Ok((end, results_home(shelving, outcome)?));
    let taken = at_home(taken.inner, shared, bring).as_collection();
    let (mut rows, watch) = (Rows::new(shared, above, number), shared.watch.clone());
    let records = taken.reduce_named("Rows", move |_, parts, out| {
        // The results of another reduction that cannot be represented are found there.
        let part = parts.iter().map(|((end, outcome), _)| Some((*end, outcome.as_ref().ok()?)));
        let Some(part) = part.collect::<Option<Part>>() else { return };
        match catch(|| rows.records(&part)) {
            Ok(records) => out.extend(records.into_iter().map(|record| (record, 1))),
            Err(failure) => fail(&watch, failure),
        }
    });
    records.map(|(_, record)| record).inner
}

/// The sums of states, of each bucket one.
fn add_some<'scope>(
    states: InBuckets<'scope>,
    shared: &Arc<Shared>,
    adders: &Adders,
) -> InBuckets<'scope> {
    let (adders, watch) = (adders.clone(), shared.watch.clone());
    let states = at_home(states.inner, shared, home).as_collection();
    states.reduce_named("AddSome", move |(key, _), parts, out| {
        if let [(state, 1)] = parts {
            return out.push(((*state).clone(), 1));
        }
        match catch(|| adder(&mut adders.borrow_mut(), key)?.sum(parts)) {
            Ok(state) => out.push((state, 1)),
            Err(failure) => fail(&watch, failure),
        }
    })
}

/// The results of states, in one step.
fn add_all<'scope>(
    states: Stream<'scope, Time, Updates<(Key, State)>>,
    shared: &Arc<Shared>,
    adders: &Adders,
) -> Results<'scope> {
    let (adders, watch) = (adders.clone(), shared.watch.clone());
    let states = at_home(states, shared, home).as_collection();
    states.reduce_named("AddAll", move |key, parts, out| {
        match catch(|| adder(&mut adders.borrow_mut(), key)?.finish(parts)) {
            Ok(outcome) => out.push((outcome, 1)),
            Err(failure) => fail(&watch, failure),
        }
    })
}

type Adders = Rc<RefCell<Vec<Box<dyn Add>>>>;
type InBuckets<'scope> = VecCollection<'scope, Time, ((Key, u32), State), isize>;
type Results<'scope> = VecCollection<'scope, Time, (Key, Outcome), isize>;

fn fail(watch: &Watch, failure: Failure) {
    watch.fail(failure);
}

fn home(shelving: &Shelving, state: State) -> Result<State, Failure> {
    shelving.home(state)
}

/// Results of another process, where those of this one are.
pub(super) fn results_home(shelving: &Shelving, outcome: Outcome) -> Result<Outcome, Failure> {
    outcome.map_or_else(|why| Ok(Err(why)), |state| Ok(Ok(shelving.home(state)?)))
}

/// Brings states to the workers that need them, and puts those of other processes on the shelf, if
/// there is one.
fn at_home<'scope, K: ExchangeData + Hashable, S: ExchangeData>(
    states: Stream<'scope, Time, Updates<(K, S)>>,
    shared: &Arc<Shared>,
    bring: impl Fn(&Shelving, S) -> Result<S, Failure> + 'static,
) -> Stream<'scope, Time, Updates<(K, S)>> {
    if shared.shelving.0.is_none() {
        return states;
    }
    let (shelving, watch) = (shared.shelving.clone(), shared.watch.clone());
    let home = Exchange::new(|((key, _), _, _): &((K, S), Time, isize)| key.hashed().into());
    states.unary::<CapacityContainerBuilder<Updates<(K, S)>>, _, _, _>(
        home,
        "Shelve",
        move |_, _| {
            move |input, output| {
                input.for_each(|stamp, updates: &mut Updates<(K, S)>| {
                    let mut session = output.session(&stamp);
                    for ((key, state), time, diff) in updates.drain(..) {
                        match bring(&shelving, state) {
                            Ok(state) => session.give(((key, state), time, diff)),
                            Err(failure) => watch.fail(failure),
                        }
                    }
                });
            }
        },
    )
}

fn adder<'a>(adders: &'a mut [Box<dyn Add>], key: &Key) -> Result<&'a mut dyn Add, Failure> {
    match adders.get_mut(key.head as usize) {
        Some(adder) => Ok(&mut **adder),
        None => Err(Failure::internal("a record of no reduction")),
    }
}

type Made<'scope> = (Stream<'scope, Time, Updates<Record>>, Stream<'scope, Time, Vec<Refused>>);

/// The operator that makes records of files, and takes those back that no longer count.
fn pieces<'scope>(
    scope: Scope<'scope, Time>,
    orders: Stream<'scope, Time, Vec<Order>>,
    shared: &Arc<Shared>,
) -> Result<Made<'scope>, Failure> {
    let worker = scope.worker();
    let mut maker = Maker::new(shared, worker.index() as u64, worker.peers() as u64)?;
    let watch = shared.watch.clone();
    let mut builder = OperatorBuilder::new("Pieces".to_owned(), scope);
    let mut orders = builder.new_input(orders, Pipeline);
    let (output, records) = builder.new_output::<Updates<Record>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Updates<Record>>>::from(output);
    let (told, refused) = builder.new_output::<Vec<Refused>>();
    let mut told = OutputBuilder::<_, CapacityContainerBuilder<Vec<Refused>>>::from(told);
    builder.build(move |capabilities| {
        drop(capabilities);
        move |_frontiers| {
            let (mut output, mut told) = (output.activate(), told.activate());
            orders.for_each(|stamp, list| {
                let (Some(records), Some(refusals)) =
                    (stamp.retain_least(0), stamp.retain_least(1))
                else {
                    return;
                };
                let time = *records.time();
                for order in list.drain(..).filter(|_| !watch.failed()) {
                    match order {
                        Order::Sides(sides, files) => {
                            let shared = maker.shared();
                            *lock(&shared.beside) = files;
                            for (node, bytes) in sides {
                                if let Err(failure) = catch(|| shared.take_side(node, &bytes)) {
                                    watch.fail(failure);
                                }
                            }
                        }
                        Order::Make(pieces) => {
                            told.session(&refusals).give_iterator(maker.make(pieces).into_iter());
                        }
                        Order::Note(ids) => maker.note(&ids),
                        Order::Settle(come, gone) => {
                            let updates = maker.settle(&come, &gone);
                            let updates = updates.map(|(record, diff)| (record, time, diff));
                            output.session(&records).give_iterator(updates);
                        }
                    }
                }
            });
        }
    });
    Ok((records, refused))
}
