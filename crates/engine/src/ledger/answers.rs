//! What has come of rows that something was done for: known from earlier runs, noted for later ones.
//!
//! A row is known by the key of its work, which says all that the answer depends on; so it is found
//! again whatever stands before or behind it.
use super::book::Shared;
use super::folder::Folder;
use super::frame::Body;
use super::record::Record;
use super::states::{pack, unpack};
use crate::watch::lock;
use arrow_array::{Array, ArrayRef};
use arrow_select::concat::concat;
use base::{Column, DimMask, Tile};
use plan::Print;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tasks::lane::Memory;
use tasks::{Answer, Key, Made};

/// Notes take at most this part of the time, if they would be many,
const PART: u32 = 10;
/// and wait for no more answers than this.
const MOST: usize = 1024;

/// What a ledger knows of rows.
#[derive(Clone, Default)]
pub struct Known {
    records: Arc<Vec<Arc<Recorded>>>,
    /// For each key its record, and its place in it.
    places: Arc<HashMap<Key, (usize, usize)>>,
}

/// A record, read when it is first asked for.
struct Recorded {
    rows: u64,
    body: Body,
    answers: OnceLock<Vec<Answer>>,
}

/// What a record says of an answer beside its columns.
#[derive(Serialize, Deserialize)]
struct Head {
    /// Rows that go out.
    rows: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeats: Option<Vec<u32>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    made: Vec<Made>,
}

impl Known {
    /// Of a ledger: the last record of a row holds.
    pub fn of(folder: &Folder) -> Known {
        let mut known = Known::default();
        folder.records().for_each(|(record, body)| known.add(record, body));
        known
    }

    /// Adds a record, if it is one of answers.
    pub(super) fn add(&mut self, record: &Record, body: &Body) {
        let Record::Answers { rows } = record else { return };
        let place = self.records.len();
        let (records, places) = (Arc::make_mut(&mut self.records), Arc::make_mut(&mut self.places));
        for (at, key) in body.keys(*rows).unwrap_or_default().into_iter().enumerate() {
            places.insert(Key(key.0), (place, at));
        }
        let (rows, body, answers) = (*rows, body.clone(), OnceLock::new());
        records.push(Arc::new(Recorded { rows, body, answers }));
    }

    /// The answer to a row, if it is known and the files that it made are there.
    fn recall(&self, key: &Key) -> Option<Answer> {
        let (record, place) = self.places.get(key)?;
        let record = self.records.get(*record)?;
        let answer =
            record.answers.get_or_init(|| record.read().unwrap_or_default()).get(*place)?;
        answer.made.iter().all(Made::stands).then(|| answer.clone())
    }

    /// The files of all answers, also of those that later ones have replaced.
    fn made(&self) -> HashSet<Made> {
        let read = |record: &Arc<Recorded>| record.read().unwrap_or_default();
        self.records.iter().flat_map(read).flat_map(|answer| answer.made).collect()
    }
}

impl Recorded {
    fn read(&self) -> Option<Vec<Answer>> {
        let bytes = self.body.read()?;
        decode(bytes.get(usize::try_from(self.rows).ok()?.checked_mul(16)?..)?)
    }
}

/// The memory of one node in one process.
pub struct Answers {
    known: Known,
    /// The files of all answers that are known; listed when they are first asked for.
    made: OnceLock<HashSet<Made>>,
    notes: Arc<Shared>,
    fresh: Mutex<Fresh>,
}

/// Answers that are not noted yet.
struct Fresh {
    list: Vec<(Key, Answer)>,
    failed: Vec<u8>,
    start: Instant,
    spent: Duration,
}

impl Answers {
    /// That of a node.
    pub(super) fn new(known: Known, notes: Arc<Shared>) -> Arc<Answers> {
        let (list, failed) = (Vec::new(), Vec::new());
        let fresh = Fresh { list, failed, start: Instant::now(), spent: Duration::ZERO };
        Arc::new(Answers { known, made: OnceLock::new(), notes, fresh: Mutex::new(fresh) })
    }

    /// Notes what is not noted yet.
    pub(super) fn flush(&self) {
        flush(&mut lock(&self.fresh), &self.notes);
    }
}

fn flush(fresh: &mut Fresh, notes: &Shared) {
    let failed = std::mem::take(&mut fresh.failed);
    if !failed.is_empty() {
        notes.answered(&Record::Failed { rows: failed.len() as u64 / 16 }, &[&failed]);
    }
    if fresh.list.is_empty() {
        return;
    }
    let begin = Instant::now();
    let list = std::mem::take(&mut fresh.list);
    let keys: Vec<u8> = list.iter().flat_map(|(key, _)| key.0).collect();
    // What cannot be noted is done again.
    if let Some(body) = encode(list.iter().map(|(_, answer)| answer)) {
        notes.answered(&Record::Answers { rows: list.len() as u64 }, &[&keys, &body]);
    }
    fresh.spent += begin.elapsed();
}

impl Memory for Answers {
    fn recall(&self, key: &Key) -> Option<Answer> {
        self.known.recall(key)
    }

    fn is_made(&self, file: &Made) -> bool {
        self.made.get_or_init(|| self.known.made()).contains(file)
    }

    fn failed(&self, key: Key) {
        lock(&self.fresh).failed.extend(key.0);
    }

    fn note(&self, key: Key, answer: &Answer) {
        let mut fresh = lock(&self.fresh);
        fresh.list.push((key, answer.clone()));
        let due = fresh.spent <= fresh.start.elapsed() / PART;
        if due || fresh.list.len() >= MOST {
            flush(&mut fresh, &self.notes);
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Answers as bytes: the length of what is said of each, that as JSON, and all columns as a tile.
fn encode<'a>(answers: impl Iterator<Item = &'a Answer> + Clone) -> Option<Vec<u8>> {
    let head = |answer: &Answer| Head {
        rows: rows(answer),
        repeats: answer.repeats.clone(),
        made: answer.made.clone(),
    };
    let heads = serde_json::to_vec(&answers.clone().map(head).collect::<Vec<_>>()).ok()?;
    let width = answers.clone().map(|answer| answer.columns.len()).next()?;
    let column = |i: usize| {
        let pieces: Option<Vec<&dyn Array>> =
            answers.clone().map(|answer| Some(answer.columns.get(i)?.as_ref())).collect();
        concat(&pieces?).ok()
    };
    let columns: Vec<ArrayRef> = (0..width).map(column).collect::<Option<_>>()?;
    let columns = columns.into_iter().map(|array| Column { mask: DimMask::only(0), array });
    let shape = vec![answers.map(rows).sum()];
    let (origin, columns) = (vec![0], columns.collect());
    let tile = Tile { number: 0, origin, shape, columns, index: None };
    let mut bytes = u32::try_from(heads.len()).ok()?.to_le_bytes().to_vec();
    bytes.extend(heads);
    bytes.extend(pack(&[tile]).ok()?);
    Some(bytes)
}

fn decode(bytes: &[u8]) -> Option<Vec<Answer>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (heads, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let heads: Vec<Head> = serde_json::from_slice(heads).ok()?;
    let tile = unpack(rest)?.pop()?;
    let (mut first, mut answers) = (0, Vec::with_capacity(heads.len()));
    for Head { rows, repeats, made } in heads {
        if first + rows > tile.points() {
            return None;
        }
        let columns = tile.columns.iter().map(|c| c.array.slice(first, rows)).collect();
        answers.push(Answer { columns, repeats, errors: Vec::new(), made });
        first += rows;
    }
    Some(answers)
}

/// Rows that go out.
fn rows(answer: &Answer) -> usize {
    match (&answer.repeats, answer.columns.first()) {
        (Some(repeats), _) => repeats.iter().map(|n| *n as usize).sum(),
        (None, Some(column)) => column.len(),
        (None, None) => 0,
    }
}

/// The keys of the rows of a record, for the status of a ledger.
pub(super) fn keys(body: &Body, rows: u64) -> Vec<Print> {
    body.keys(rows).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{Int64Array, StringArray};

    #[test]
    fn answers_come_back_as_they_were() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])),
            Arc::new(StringArray::from(vec!["a", "", "c"])),
        ];
        let made = vec![Made { path: "/x/y".into(), bytes: 3, modified: 7 }];
        let many = Answer { columns, repeats: Some(vec![2, 0, 1]), errors: vec![], made };
        let one: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(vec![9])), Arc::new(StringArray::from(vec!["z"]))];
        let one = Answer { columns: one, ..Answer::default() };
        let bytes = encode([&many, &one].into_iter()).unwrap();
        let back = decode(&bytes).unwrap();
        assert_eq!(back.len(), 2);
        assert_eq!((&back[0].columns, &back[0].repeats), (&many.columns, &many.repeats));
        assert_eq!((&back[0].made, &back[1].columns), (&many.made, &one.columns));
        assert!(decode(&bytes[..bytes.len() - 9]).is_none());
    }
}
