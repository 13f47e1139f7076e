//! The dataflow: orders in, changes of results out.
//!
//! Worker 0 of process 0 hears orders and passes them to all workers. Each of them makes the
//! records of its tiles of a file and keeps them until it hears that all workers could; only then
//! do they count. Where many files have records they are added up in two steps, so that a change of
//! one file adds up some tens of states and not hundreds.
use super::above::Above;
use super::cells;
use super::head::Head;
use super::kept::{Answer, Scale};
use super::maker::Maker;
use super::memory::Memory;
use super::notes::{Ledger, Notes};
use super::parts;
use super::piece::{self, Piece, PieceId, Refused};
use super::record::{Add, Key, Outcome, Shelving, State};
use super::rows::{Part, Rows};
use super::shelf::Shelf;
use super::side::Side;
use super::split::Split;
use crate::nodes::fold::keys;
use crate::options::Options;
use crate::panics::catch;
use crate::spill::Folder;
use crate::watch::{Watch, lock};
use base::Failure;
use differential_dataflow::{AsCollection, ExchangeData, Hashable, VecCollection};
use formats::TileSource;
use plan::Print;
use plan::physical::{Physical, feeding};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::operator::Operator;
use timely::dataflow::operators::probe::{Handle, Probe};
use timely::dataflow::operators::vec::Broadcast;
use timely::dataflow::{Scope, Stream};

/// Files that are open at a time, at most, beside those that are being read.
const OPEN: usize = 32;

/// Bytes that records on disk may take of memory, whatever is left of it.
const LEAST: u64 = 8 << 20;

/// What all workers are told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Order {
    /// The right sides of joins, by the nodes that make them, as bytes; and the files of each reader
    /// that they are made of, as they were.
    Sides(Vec<(usize, Vec<u8>)>, FilesOf),
    /// Make the records of these.
    Make(Vec<Piece>),
    /// Note the states of these, as they were made: the files have stayed as they were.
    Note(Vec<PieceId>),
    /// From now on those of the first count, as they were made, and those of the second do not.
    Settle(Vec<PieceId>, Vec<PieceId>),
}

/// By what the files of readers are known.
pub type FilesOf = BTreeMap<usize, Vec<Print>>;

/// What all workers of a process share.
pub struct Shared {
    pub physical: Arc<Physical>,
    pub heads: Vec<Arc<Head>>,
    pub aboves: Vec<Arc<Above>>,
    /// Where each reduction ends, and whether its results are needed outside.
    ends: Vec<usize>,
    needed: Vec<bool>,
    pub watch: Arc<Watch>,
    /// The right sides of joins below the reductions, by the nodes that make them.
    sides: Mutex<HashMap<usize, Arc<Side>>>,
    /// The files that they are made of.
    beside: Mutex<FilesOf>,
    /// So often a right side is in memory: once as it came, and in each worker as it came and by key.
    copies: u64,
    /// Files that are open.
    pub sources: Mutex<HashMap<PieceId, Arc<dyn TileSource>>>,
    /// Into how many states those of all files are added up first.
    pub buckets: u32,
    /// Where states are noted, if they are.
    pub notes: Option<Notes>,
    /// What the records of this process take, and how much they may.
    pub memory: Memory,
    /// Where its states are.
    pub shelving: Shelving,
    /// Keys are kept in so many parts.
    pub parts: u64,
}

/// A record on its way: of some groups or cells the bucket and the state.
pub type Record = (Key, (u32, State));

type Time = u64;
type Updates<D> = Vec<(D, Time, isize)>;

impl Shared {
    /// For a plan.
    ///
    /// # Errors
    /// If nothing can be noted in the ledger, or put on a shelf.
    pub fn new(
        physical: &Arc<Physical>,
        split: Split,
        scale: Scale,
        options: &Options,
        ledger: Option<&Ledger>,
        watch: &Arc<Watch>,
    ) -> Result<Shared, Failure> {
        let Scale { files, on_disk } = scale;
        // What stands in memory for what is on disk is little, and needs some room at least.
        let most = if on_disk { options.state.max(LEAST) } else { options.state };
        let shelf = on_disk.then(|| Shelf::new(&Folder::new(&options.spill))).transpose()?;
        Ok(Shared {
            physical: physical.clone(),
            ends: split.ends(),
            needed: split.needed,
            heads: split.heads.into_iter().map(Arc::new).collect(),
            aboves: split.aboves.into_iter().map(Arc::new).collect(),
            watch: watch.clone(),
            sides: Mutex::default(),
            beside: Mutex::default(),
            copies: 1 + 2 * options.threads as u64,
            sources: Mutex::default(),
            buckets: (files as f64).sqrt().ceil().max(1.0) as u32,
            notes: ledger.map(Notes::begin).transpose()?,
            memory: Memory::new(most),
            shelving: Shelving(shelf),
            parts: parts::count(on_disk, most, files),
        })
    }

    /// Takes the right side of a join; every worker is told of it.
    fn take_side(&self, node: usize, bytes: &[u8]) -> Result<(), Failure> {
        let mut sides = lock(&self.sides);
        let print = Print::of([bytes]);
        if sides.get(&node).is_some_and(|side| side.print == print) {
            return Ok(());
        }
        let side = Side::of(bytes)?;
        self.memory.take(side.bytes * self.copies);
        if let Some(old) = sides.insert(node, Arc::new(side)) {
            self.memory.give_back(old.bytes * self.copies);
        }
        Ok(())
    }

    /// By what the right side that a node makes is known, if there is one yet.
    pub fn side_print(&self, node: usize) -> Option<Print> {
        lock(&self.sides).get(&node).map(|side| side.print)
    }

    /// The right side of a join.
    pub fn side_of(&self, join: usize) -> Result<Arc<Side>, Failure> {
        let lost = || Failure::internal("a join has no right side");
        let nodes = &self.physical.nodes;
        let right = nodes[join].inputs.get(1).and_then(|at| nodes[*at].inputs.first());
        lock(&self.sides).get(right.ok_or_else(lost)?).cloned().ok_or_else(lost)
    }

    /// The files of what rows are joined with below a reduction.
    pub fn beside(&self, head: &Head) -> Vec<Print> {
        let files = lock(&self.beside);
        let readers = feeding(&self.physical.nodes, &head.sides);
        readers.iter().filter_map(|read| files.get(read)).flatten().copied().collect()
    }

    /// The files of all that rows are joined with.
    pub fn files_beside(&self) -> FilesOf {
        lock(&self.beside).clone()
    }

    /// The open file of a piece.
    pub fn source(&self, id: &PieceId) -> Result<Arc<dyn TileSource>, Failure> {
        if let Some(source) = lock(&self.sources).get(id) {
            return Ok(source.clone());
        }
        let source = piece::open(&self.physical, id.read, &id.path)?;
        self.keep_open(id, &source);
        Ok(source)
    }

    /// Keeps a file open for the workers, unless there are many.
    pub fn keep_open(&self, id: &PieceId, source: &Arc<dyn TileSource>) {
        let mut sources = lock(&self.sources);
        if sources.len() < OPEN {
            sources.insert(id.clone(), source.clone());
        }
    }

    /// Lets go of all open files.
    pub fn close(&self) {
        lock(&self.sources).clear();
    }

    /// What adds up the states of each reduction.
    fn adders(&self) -> Result<Vec<Box<dyn Add>>, Failure> {
        let heads = self.heads.iter().map(|head| &head.fold);
        let folds = heads.chain(self.aboves.iter().map(|above| &above.fold));
        let adder = |fold| -> Result<Box<dyn Add>, Failure> {
            let shelving = self.shelving.clone();
            Ok(match keys(fold) {
                0 => Box::new(cells::Adder::new(fold, shelving)?),
                _ => Box::new(parts::Adder::new(fold, shelving)?),
            })
        };
        folds.map(adder).collect()
    }
}

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
    let (some, watch) = (adders.clone(), shared.watch.clone());
    let records = records.as_collection().map(|(key, (bucket, state))| ((key, bucket), state));
    let sums = at_home(records.inner, shared, home)
        .as_collection()
        .reduce_named("AddSome", move |(key, _), parts, out| {
            if let [(state, 1)] = parts {
                return out.push(((*state).clone(), 1));
            }
            match catch(|| adder(&mut some.borrow_mut(), key)?.sum(parts)) {
                Ok(state) => out.push((state, 1)),
                Err(failure) => fail(&watch, failure),
            }
        })
        .map(|((key, _), state)| (key, state));
    let mut results = add_all(sums.inner, shared, &adders);
    for (above, number) in shared.aboves.iter().zip(shared.heads.len() as u32..) {
        let (from, ends) = (above.from.clone(), shared.ends.clone());
        let taken = results.clone().flat_map(move |(key, outcome)| {
            let end = ends.get(key.head as usize).filter(|end| from.contains(end)).copied();
            end.map(|end| (Key { head: number, ..key }, (end, outcome)))
        });
        let (mut rows, watch) = (Rows::new(shared, above, number), shared.watch.clone());
        let bring =
            |shelving: &Shelving, (end, outcome)| Ok((end, results_home(shelving, outcome)?));
        let records = at_home(taken.inner, shared, bring)
            .as_collection()
            .reduce_named("Rows", move |_, parts, out| {
                // The results of another reduction that cannot be represented are found there.
                let part =
                    parts.iter().map(|((end, outcome), _)| Some((*end, outcome.as_ref().ok()?)));
                let Some(part) = part.collect::<Option<Part>>() else { return };
                match catch(|| rows.records(&part)) {
                    Ok(records) => out.extend(records.into_iter().map(|record| (record, 1))),
                    Err(failure) => fail(&watch, failure),
                }
            })
            .map(|(_, record)| record);
        results = results.concat(add_all(records.inner, shared, &adders));
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

/// The results of states, in one step.
fn add_all<'scope>(
    states: Stream<'scope, Time, Updates<(Key, State)>>,
    shared: &Arc<Shared>,
    adders: &Adders,
) -> VecCollection<'scope, Time, (Key, Outcome), isize> {
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
