//! A join whose right side does not fit into memory: both sides go to files, in buckets by the hash
//! of the keys, and one bucket of the right after the other is looked into for the same of the left
//! (the Grace hash join of Kitsuregawa, Tanaka and Moto-oka, 1983).
//!
//! A bucket that is still too large is split by further bits of the hash. One that does not get
//! smaller so, since most of its rows have one key, is read in parts that fit, and what is asked of
//! it is read once for each of them.
use super::internal;
use super::room::Room;
use super::table::{Table, blocks};
use crate::keys::Keys;
use crate::spill::{Bucket, Buckets, Share};
use crate::watch::lock;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, UInt32Array, UInt64Array};
use arrow_select::take::take;
use base::Failure;
use plan::physical::{How, Join};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// A bucket, or a part of one, is never too large if it has no more bytes than this.
const LEAST: u64 = 1 << 20;

/// So many matches are given at once, about.
const MATCHES: usize = 1 << 16;

/// Rows of the right, and what is asked of them, as it comes.
pub struct Grace {
    keys: usize,
    share: Share,
    right: Buckets,
    left: Buckets,
    /// Bytes of all rows of the right in a table.
    bytes: u64,
}

impl Grace {
    /// Of buckets of the right that have so many bytes in all in a table.
    pub fn new(join: &Join, share: Share, right: Buckets, bytes: u64) -> Grace {
        let keys = join.types.len();
        let left = Buckets::new(&share, keys, 0);
        Grace { keys, share, right, left, bytes }
    }

    /// Asks for what matches rows of a tile: their keys, and maybe which rows they are.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn ask(
        &mut self,
        asker: usize,
        tile: u64,
        mut keys: Vec<ArrayRef>,
        rows: Option<ArrayRef>,
    ) -> Result<(), Failure> {
        let count = keys.first().map_or(0, |key| key.len());
        let rows = rows.unwrap_or_else(|| Arc::new((0..count as u32).collect::<UInt32Array>()));
        keys.truncate(self.keys);
        keys.push(Arc::new(UInt64Array::from(vec![tile; count])));
        keys.push(rows);
        keys.push(Arc::new(UInt32Array::from(vec![asker as u32; count])));
        self.left.write(tile, &keys)
    }

    /// Nothing more is asked: what there is to do, and what may be held meanwhile.
    pub fn end(self, join: &Join) -> (Queue, Share) {
        let right = self.right.split();
        let rows: usize = right.iter().map(Bucket::rows).sum();
        let row = self.bytes.div_ceil(rows.max(1) as u64);
        let pairs = pairs(join, right, self.left.split(), usize::MAX);
        let open = AtomicUsize::new(pairs.len());
        let most = AtomicU64::new(1);
        (Queue { pairs: Mutex::new(pairs), open, row, most }, self.share)
    }
}

/// Buckets of the right that have not been looked into.
pub struct Queue {
    pairs: Mutex<Vec<Pair>>,
    /// How many have not been looked into to their ends.
    open: AtomicUsize,
    /// Bytes of a row of the right in a table.
    row: u64,
    most: AtomicU64,
}

/// All rows of both sides whose keys have some bits of their hash in common.
struct Pair {
    right: Bucket,
    left: Option<Bucket>,
    /// Whether it is of no use to split it.
    stubborn: bool,
}

impl Queue {
    /// Whether all has been looked into.
    pub fn is_done(&self) -> bool {
        self.open.load(SeqCst) == 0
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        lock(&self.pairs).is_empty()
    }

    /// How many rows the key has that has most, of those that have been looked into; at least 1.
    pub fn most(&self) -> u64 {
        self.most.load(SeqCst)
    }

    fn split(&self, join: &Join, pair: Pair, share: &Share) -> Result<(), Failure> {
        let rows = pair.right.rows();
        let right = pair.right.finer(share)?;
        let left = pair.left.map_or(Ok(Vec::new()), |left| left.finer(share))?;
        let pairs = pairs(join, right, left, rows / 4 * 3);
        self.open.fetch_add(pairs.len(), SeqCst);
        lock(&self.pairs).extend(pairs);
        Ok(())
    }
}

/// Each bucket of the right with that of the left; one that has more than so many rows is not to
/// be split again.
fn pairs(join: &Join, right: Vec<Bucket>, left: Vec<Bucket>, most: usize) -> Vec<Pair> {
    let mut left = left.into_iter().peekable();
    let mut pairs = Vec::new();
    for mut right in right {
        right.sort();
        // Both ascend.
        while left.next_if(|left| left.place < right.place).is_some() {}
        let left = left.next_if(|left| left.place == right.place);
        // Of what nobody asks for it still matters how many rows a key has.
        if left.is_some() || join.most(2) > 1 {
            pairs.push(Pair { stubborn: right.rows() > most, right, left });
        }
    }
    pairs
}

/// Looks into one bucket after the other.
pub struct Probe {
    join: Join,
    how: How,
    share: Share,
    now: Option<Now>,
}

/// What there is next.
pub enum Found {
    /// Matches: who asked (uint32), the tile (uint64), its rows (uint32), and columns of the right.
    Matches(Vec<ArrayRef>),
    /// Nothing yet.
    Later,
    /// Nothing to take from the queue.
    Nothing,
}

impl Probe {
    /// None yet.
    pub fn new(join: &Join, share: Share) -> Probe {
        let how = if join.most(2) > 1 { How::Inner } else { How::Semi };
        Probe { join: join.clone(), how, share, now: None }
    }

    /// Whether it has nothing to look into.
    pub fn is_idle(&self) -> bool {
        self.now.is_none()
    }

    /// Does a part of what is left.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn next(&mut self, queue: &Queue) -> Result<Found, Failure> {
        let Some(now) = &mut self.now else {
            let Some(pair) = lock(&queue.pairs).pop() else { return Ok(Found::Nothing) };
            let bytes = pair.right.rows() as u64 * queue.row;
            let fits = bytes <= LEAST || self.share.hold(bytes);
            if fits || pair.stubborn || !Buckets::has_level(pair.right.level + 1) {
                self.now = Some(Now::new(&self.join, pair, fits));
            } else {
                queue.split(&self.join, pair, &self.share)?;
                queue.open.fetch_sub(1, SeqCst);
            }
            return Ok(Found::Later);
        };
        if let Some(matches) = now.matches(&self.join, self.how)? {
            return Ok(Found::Matches(matches));
        }
        if now.load(&self.join, &mut self.share, queue.row)? {
            return Ok(Found::Later);
        }
        queue.most.fetch_max(now.most, SeqCst);
        self.now = None;
        self.share.hold(0);
        queue.open.fetch_sub(1, SeqCst);
        Ok(Found::Later)
    }
}

/// A bucket that is looked into.
struct Now {
    pair: Pair,
    /// The next piece of the right.
    next: usize,
    /// What is there of the right.
    table: Option<Table>,
    /// Where that is a part, how many rows each key has had.
    counts: Option<(Keys, Vec<u64>)>,
    most: u64,
    /// The next piece of the left, and the one that is asked about.
    asked: usize,
    question: Option<Question>,
}

/// What is asked of a bucket.
struct Question {
    /// The tile, its rows, and who asks.
    who: Vec<ArrayRef>,
    groups: Vec<u32>,
    /// How many of the rows have been answered.
    done: usize,
}

impl Now {
    fn new(join: &Join, pair: Pair, fits: bool) -> Now {
        let counts = (!fits && join.most(2) > 1).then(|| (Keys::new(&join.types), Vec::new()));
        Now { pair, next: 0, table: None, counts, most: 1, asked: 0, question: None }
    }

    /// As much of the right as fits, if anything is left of it.
    fn load(&mut self, join: &Join, share: &mut Share, row: u64) -> Result<bool, Failure> {
        self.table = None;
        let (mut pieces, mut rows) = (Vec::new(), 0);
        while let count @ 1.. = self.pair.right.rows_of(self.next) {
            let bytes = (rows + count) as u64 * row;
            if !share.hold(bytes) && bytes > LEAST && rows > 0 {
                break;
            }
            pieces.extend(self.pair.right.read(self.next)?);
            rows += count;
            self.next += 1;
        }
        if rows == 0 {
            return Ok(false);
        }
        if let Some((keys, counts)) = &mut self.counts {
            let mut own = Vec::new();
            for piece in &pieces {
                let count = piece.first().map_or(0, |c| c.len());
                blocks(&piece[..join.types.len()], count, |views, len| {
                    keys.groups(views, len, &mut own);
                    counts.resize(keys.len(), 0);
                    own.iter().for_each(|group| counts[*group as usize] += 1);
                })?;
            }
            self.most = counts.iter().copied().max().unwrap_or(1);
        }
        let table = Table::new(join, pieces)?;
        self.most = self.most.max(table.most());
        self.table = Some(table);
        self.asked = 0;
        Ok(true)
    }

    /// The next matches in what is there of the right.
    fn matches(&mut self, join: &Join, how: How) -> Result<Option<Vec<ArrayRef>>, Failure> {
        let (Some(table), Some(left)) = (&self.table, &self.pair.left) else { return Ok(None) };
        loop {
            let mut question = match self.question.take() {
                Some(question) => question,
                None => {
                    let Some(mut keys) = left.read(self.asked)? else { return Ok(None) };
                    self.asked += 1;
                    let who = keys.split_off(join.types.len());
                    let rows = who.first().map_or(0, |c| c.len());
                    Question { groups: table.find(&keys, rows)?, who, done: 0 }
                }
            };
            let groups = &question.groups[question.done..];
            let count = table.few(groups, MATCHES);
            let matches = table.matches(&groups[..count], how, Room::ANY)?;
            let first = question.done as u32;
            let rows: UInt32Array = match matches.left {
                Some(rows) => rows.into_iter().map(|row| first + row).collect::<Vec<_>>().into(),
                None => (first..first + count as u32).collect::<Vec<_>>().into(),
            };
            let own = |i: usize| take(&question.who[i], &rows, None).map_err(internal);
            let asked = [2, 0, 1].into_iter().map(own).collect::<Result<Vec<_>, Failure>>()?;
            question.done += count;
            if question.done < question.groups.len() {
                self.question = Some(question);
            }
            if rows.is_empty() {
                continue;
            }
            let right = join.right.iter().map(|column| table.pick(*column, &matches.right));
            return asked.into_iter().map(Ok).chain(right).collect::<Result<_, _>>().map(Some);
        }
    }
}

/// Matches by who asked for them, whose numbers are less than `askers`, without that number.
///
/// # Errors
/// If they are something else.
pub fn by_asker(
    mut matches: Vec<ArrayRef>,
    askers: usize,
) -> Result<Vec<(usize, Vec<ArrayRef>)>, Failure> {
    let wrong = || Failure::internal("matches that nobody asked for");
    let rest = matches.split_off(1.min(matches.len()));
    let who = matches.first().and_then(|who| who.as_primitive_opt::<UInt32Type>());
    let who = who.ok_or_else(wrong)?.values();
    if askers == 1 {
        return Ok(vec![(0, rest)]);
    }
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); askers];
    for (row, who) in who.iter().enumerate() {
        rows.get_mut(*who as usize).ok_or_else(wrong)?.push(row as u32);
    }
    let asked = rows.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty());
    let own = |(who, rows)| {
        let rows = UInt32Array::from(rows);
        let columns = rest.iter().map(|c| take(c, &rows, None).map_err(internal));
        Ok((who, columns.collect::<Result<_, Failure>>()?))
    };
    asked.map(own).collect()
}
