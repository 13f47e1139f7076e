//! States of folds in a ledger: tiles as bytes, and which tiles of a fold are done.
use super::folder::Folder;
use super::fragment::Fragment;
use super::frame::Body;
use super::record::Record;
use super::survey::Progress;
use crate::wire;
use arrow_buffer::Buffer;
use base::{Failure, Tile};
use plan::Print;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// States of a fold, in a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct States {
    pub(super) body: Body,
    /// The tiles that they are of, as positions in the list of keys that were asked for.
    pub of: Vec<usize>,
}

impl States {
    /// The tiles of states.
    ///
    /// # Errors
    /// If they are not what was written.
    pub fn tiles(&self) -> Result<Vec<Tile>, Failure> {
        let bytes =
            self.body.read().and_then(|bytes| bytes.get(self.of.len() * 16..).map(<[u8]>::to_vec));
        bytes.and_then(|bytes| unpack(&bytes)).ok_or_else(|| {
            Failure::data(
                "the ledger has changed on the disk since it was written: \
                 `tidemill clean` removes it, and the run begins anew",
            )
        })
    }
}

/// Tiles as a body.
///
/// # Errors
/// If Arrow cannot encode one.
pub fn pack(tiles: &[Tile]) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    for tile in tiles {
        let pieces = wire::encode(tile)?;
        let length: usize = pieces.iter().map(Buffer::len).sum();
        bytes.extend((length as u64).to_le_bytes());
        pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
    }
    Ok(bytes)
}

/// The tiles of a body.
pub fn unpack(mut bytes: &[u8]) -> Option<Vec<Tile>> {
    let mut tiles = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (tile, rest) = rest.split_at_checked(u64::from_le_bytes(*length) as usize)?;
        // A copy that begins where Arrow wants arrays to begin.
        tiles.push(wire::decode(&Buffer::from(tile)).ok()?);
        bytes = rest;
    }
    Some(tiles)
}

/// Which tiles of a fold are done, each by one record; the last records first.
pub fn folded(folder: &Folder, fragment: Fragment) -> Progress {
    let whole = |body: &Body, _: &[usize]| body.read().is_some();
    let partials = noted(folder, fragment.meaning, &fragment.keys, &whole);
    let mut done = vec![false; fragment.keys.len()];
    partials.iter().flat_map(|states| &states.of).for_each(|n| done[*n] = true);
    Progress { fragment, done: Arc::new(done), partials }
}

/// The states of a fold that a ledger has of tiles with these keys, no tile twice; the last
/// records first. Only bodies that are `good`, with the tiles that they are of, are taken.
pub fn noted(
    folder: &Folder,
    of: Print,
    keys: &[Print],
    good: &dyn Fn(&Body, &[usize]) -> bool,
) -> Vec<States> {
    let numbers: HashMap<Print, usize> = keys.iter().zip(0..).map(|(key, n)| (*key, n)).collect();
    let mut done = vec![false; keys.len()];
    let mut found = Vec::new();
    let all: Vec<(&Record, &Body)> = folder.records().collect();
    for (record, body) in all.into_iter().rev() {
        let Record::Partial { meaning, tiles } = record else { continue };
        if *meaning != of {
            continue;
        }
        let Some(keys) = body.keys(*tiles) else { continue };
        let mine: Option<Vec<usize>> = keys.iter().map(|k| numbers.get(k).copied()).collect();
        // A record with a tile that is no more, or that another one has, is of no use.
        let Some(mine) = mine.filter(|m| !m.iter().any(|n| done[*n])) else { continue };
        let distinct: HashSet<&usize> = mine.iter().collect();
        if distinct.len() != mine.len() || mine.is_empty() || !good(body, &mine) {
            continue;
        }
        mine.iter().for_each(|n| done[*n] = true);
        found.push(States { body: body.clone(), of: mine });
    }
    found
}
