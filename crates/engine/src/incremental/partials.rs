//! From the rows of a file to records: what each reduction holds of them, a record for each key.
use super::record::{Codec, Key, State, pack};
use super::split::Head;
use crate::nodes::fold::{States, keys};
use crate::nodes::{self, Context, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, Folder};
use crate::watch::Watch;
use arrow_array::ArrayRef;
use base::{Failure, Tile, Tiling};
use expr::{Program, Runner};
use formats::TileSource;
use plan::physical::{Op, Physical, Read};
use std::sync::{Arc, Mutex};

/// The nodes between a reader and a reduction, in one worker.
pub struct Partials {
    physical: Arc<Physical>,
    read: Read,
    program: Option<(Arc<Program>, Runner)>,
    head: Arc<Head>,
    keys: Codec,
    cx: Context,
    number: u32,
}

impl Partials {
    /// For the reduction of this number.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(
        physical: &Arc<Physical>,
        head: &Arc<Head>,
        number: u32,
        watch: &Arc<Watch>,
    ) -> Result<Partials, Failure> {
        let Op::Read(read) = &physical.nodes[head.read].op else {
            return Err(Failure::internal("a reduction of what is not read"));
        };
        let program = read.program.clone().map(|program| {
            let runner = program.runner();
            (program, runner)
        });
        let fields = &physical.nodes[head.last].schema.fields;
        Ok(Partials {
            physical: physical.clone(),
            read: read.clone(),
            program,
            head: head.clone(),
            keys: Codec::new(&fields[..keys(&head.fold)])?,
            cx: Context {
                place: Place { worker: 0, workers: 1, threads: 1 },
                watch: watch.clone(),
                shown: Arc::new(Mutex::new(Vec::new())),
                free: false,
                budget: unbounded(),
                commons: Arc::default(),
            },
            number,
        })
    }

    /// The states of some tiles of a file, which is cut like this and whose first row is number
    /// `first` of all.
    ///
    /// # Errors
    /// If the file cannot be read, or a formula fails.
    pub fn states(
        &mut self,
        source: &dyn TileSource,
        cuts: &Tiling,
        first: u64,
        tiles: &[u64],
    ) -> Result<Vec<Tile>, Failure> {
        self.cx.budget = unbounded();
        let nodes = &self.physical.nodes;
        let stages = self.head.chain.iter().map(|at| nodes::stage(nodes, *at, &self.cx));
        let stages: Option<Vec<Box<dyn Stage>>> =
            stages.collect::<Result<Vec<_>, _>>()?.into_iter().collect();
        let mut stages = stages.ok_or_else(|| Failure::internal("a reader behind a reader"))?;
        let mut made = Vec::new();
        for number in tiles.iter().copied().filter(|number| *number < cuts.count()) {
            let region = cuts.region(number);
            self.cx.watch.hand_out(region.points() as u64);
            let columns = source.read(&region, &self.read.columns)?;
            let mut origin = region.origin;
            if let Some(row) = origin.first_mut() {
                *row += first;
            }
            let tile = Tile { number, origin, shape: region.shape, columns, index: None };
            let tile = match &mut self.program {
                Some((program, runner)) => program.tile(runner, &tile)?,
                None => tile,
            };
            through(&mut stages, Item::Tile(Parcel::free(tile)), &mut made)?;
            self.cx.watch.tile_done();
        }
        for at in 0..stages.len() {
            let mut items = Vec::new();
            stages[at].finish(&mut |item| items.push(item))?;
            while stages[at].more(&mut |item| items.push(item))? {}
            for item in items {
                through(&mut stages[at + 1..], item, &mut made)?;
            }
        }
        Ok(made)
    }

    /// The records of states.
    ///
    /// # Errors
    /// If they are something else.
    pub fn records(&self, states: &[Tile]) -> Result<Vec<(Key, State)>, Failure> {
        let mut records = Vec::new();
        states.iter().try_for_each(|tile| self.encode(tile, &mut records))?;
        Ok(records)
    }

    fn encode(&self, tile: &Tile, records: &mut Vec<(Key, State)>) -> Result<(), Failure> {
        let groups = tile.points();
        let keys = keys(&self.head.fold).min(tile.columns.len());
        let (keys, parts) = tile.columns.split_at(keys);
        let keys: Vec<ArrayRef> = keys.iter().map(|c| c.array.clone()).collect();
        let keys = self.keys.encode(&keys, groups)?;
        let mut states = States::of(&self.head.fold)?;
        states.resize(groups);
        states.merge(parts, &(0..groups as u32).collect::<Vec<u32>>())?;
        let states = pack(&states, groups)?;
        records.extend(keys.into_iter().map(|key| (self.number, key)).zip(states));
        Ok(())
    }
}

/// What the states of one file may take: they are few beside its rows, and are kept.
fn unbounded() -> Arc<Budget> {
    Budget::new(u64::MAX, Folder::new(std::env::temp_dir()))
}

/// Sends an item through stages; what comes out of the last one is kept.
fn through(stages: &mut [Box<dyn Stage>], item: Item, made: &mut Vec<Tile>) -> Result<(), Failure> {
    let Some((stage, rest)) = stages.split_first_mut() else {
        if let Item::Tile(parcel) = item {
            made.push(parcel.tile);
        }
        return Ok(());
    };
    let mut items = Vec::new();
    match item {
        Item::Tile(parcel) => stage.tile(0, parcel, &mut |item| items.push(item))?,
        _ => return Ok(()),
    }
    while stage.full() {
        stage.more(&mut |item| items.push(item))?;
    }
    items.into_iter().try_for_each(|item| through(rest, item, made))
}
