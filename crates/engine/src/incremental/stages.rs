//! Stages of nodes outside of a run: one worker sends tiles through them.
use crate::nodes::{Context, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, Folder};
use crate::watch::Watch;
use base::{Failure, Tile};
use std::sync::{Arc, Mutex};
use tasks::lane::{Limits, Needs};

/// What the stages of the only worker share.
pub fn context(watch: &Arc<Watch>) -> Context {
    Context {
        place: Place { worker: 0, workers: 1, threads: 1 },
        watch: watch.clone(),
        shown: Arc::new(Mutex::new(Vec::new())),
        free: false,
        budget: unbounded(),
        book: None,
        commons: Arc::default(),
        limits: Arc::new(Limits::new(Needs::default())),
    }
}

/// What the states of one file, or of a part of the groups, may take: they are few beside its rows,
/// and are kept.
pub fn unbounded() -> Arc<Budget> {
    Budget::new(u64::MAX, Folder::new(std::env::temp_dir()))
}

/// Gives a stage all that its second input has.
///
/// # Errors
/// As the stage.
pub fn beside(stage: &mut dyn Stage, tiles: &[Tile]) -> Result<(), Failure> {
    let mut nothing = |_| ();
    for tile in tiles {
        stage.tile(1, Parcel::free(tile.clone()), &mut nothing)?;
    }
    stage.input_ends(1, &mut nothing)
}

/// Sends a tile through stages; what comes out of the last one is kept.
///
/// # Errors
/// As the stages.
pub fn through(
    stages: &mut [Box<dyn Stage>],
    tile: Tile,
    made: &mut Vec<Tile>,
) -> Result<(), Failure> {
    let Some((stage, rest)) = stages.split_first_mut() else {
        made.push(tile);
        return Ok(());
    };
    let mut items = Vec::new();
    stage.tile(0, Parcel::free(tile), &mut |item| items.push(item))?;
    while stage.full() {
        stage.more(&mut |item| items.push(item))?;
    }
    on(rest, items, made)
}

/// Ends stages, one after the other.
///
/// # Errors
/// As the stages.
pub fn end(stages: &mut [Box<dyn Stage>], made: &mut Vec<Tile>) -> Result<(), Failure> {
    for at in 0..stages.len() {
        let mut items = Vec::new();
        stages[at].finish(&mut |item| items.push(item))?;
        while stages[at].more(&mut |item| items.push(item))? {}
        on(&mut stages[at + 1..], items, made)?;
    }
    Ok(())
}

fn on(
    stages: &mut [Box<dyn Stage>],
    items: Vec<Item>,
    made: &mut Vec<Tile>,
) -> Result<(), Failure> {
    for item in items {
        if let Item::Tile(parcel) = item {
            through(stages, parcel.tile, made)?;
        }
    }
    Ok(())
}
