//! Writing: every arrangement, and the order of tiles through concat.
use super::plans::{Build, numbers};
use super::{alone, both, in_time, options};
use crate::{Watch, run};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use base::{Failure, Tile};
use formats::{Arrangement, Sink, TileWriter, Written};
use plan::physical::{Concat, Op, Physical};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Keeps what is written in memory: numbers of tiles and values of the first column.
pub struct Memory {
    pub arrangement: Arrangement,
    pub log: Arc<Mutex<Log>>,
    pub fail: &'static str,
}

#[derive(Default)]
pub struct Log {
    pub tiles: Vec<u64>,
    pub values: Vec<i64>,
    pub writers: usize,
    pub finished: usize,
}

impl Memory {
    pub fn new(arrangement: Arrangement) -> Arc<Memory> {
        Memory::failing(arrangement, "")
    }

    pub fn failing(arrangement: Arrangement, fail: &'static str) -> Arc<Memory> {
        Arc::new(Memory { arrangement, log: Arc::default(), fail })
    }

    fn may(&self, what: &str) -> Result<(), Failure> {
        match self.fail {
            fail if fail == what => Err(Failure::output(format!("cannot {what}"))),
            _ => Ok(()),
        }
    }
}

impl Sink for Memory {
    fn arrangement(&self) -> Arrangement {
        self.arrangement
    }
    fn create(&self) -> Result<(), Failure> {
        Ok(())
    }
    fn prepare(&self, tile: Tile) -> Result<Tile, Failure> {
        self.may("prepare")?;
        Ok(tile)
    }
    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        self.may("open")?;
        self.log.lock().unwrap().writers += 1;
        let (arrangement, fail, log) = (self.arrangement, self.fail, self.log.clone());
        Ok(Box::new(Writer(Memory { arrangement, fail, log })))
    }
    fn commit(&self) -> Result<Written, Failure> {
        Err(Failure::internal("never called by the engine"))
    }
    fn abandon(&self) {}
    fn path(&self) -> &Path {
        Path::new("memory")
    }
    fn memory(&self, _tile_bytes: u64) -> u64 {
        0
    }
    fn describe(&self) -> String {
        "memory".into()
    }
}

struct Writer(Memory);

impl TileWriter for Writer {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        self.0.may("write")?;
        if self.0.fail == "panic" {
            panic!("the writer panics");
        }
        let mut log = self.0.log.lock().unwrap();
        log.tiles.push(tile.number);
        log.values.extend(tile.columns[0].array.as_primitive::<Int64Type>().values());
        Ok(())
    }
    fn finish(&mut self) -> Result<(), Failure> {
        self.0.may("finish")?;
        self.0.log.lock().unwrap().finished += 1;
        Ok(())
    }
}

/// Runs a plan that `build` makes of a fresh sink, in all ways; `check` looks at what came out.
fn in_all_ways(
    arrangement: Arrangement,
    build: impl Fn(Arc<Memory>) -> Arc<Physical>,
    check: impl Fn(&Log),
) {
    for (threads, in_flight) in [(1, 1), (2, 1), (3, 2), (5, 2)] {
        let sink = Memory::new(arrangement);
        let (plan, watch) = (build(sink.clone()), Arc::new(Watch::new()));
        in_time(move || run(plan, options(threads, in_flight), watch)).unwrap();
        check(&sink.log.lock().unwrap());
    }
    for (threads, in_flight) in [(1, 1), (3, 1), (2, 2)] {
        let sink = Memory::new(arrangement);
        let plan = build(sink.clone());
        let [a, b] = both([&plan, &plan], threads, in_flight);
        assert_eq!((a.err(), b.err()), (None, None));
        check(&sink.log.lock().unwrap());
    }
}

fn is_in_order(log: &Log, values: impl Iterator<Item = i64>) {
    assert!(log.tiles.is_sorted(), "{:?}", log.tiles);
    assert_eq!(log.values, values.collect::<Vec<i64>>());
    assert_eq!((log.writers, log.finished), (1, 1));
}

#[test]
fn anywhere_every_tile_is_written_once() {
    let build =
        |sink: Arc<Memory>| Build::new().numbers(1000, 7).write(sink, false, &numbers(1000)).done();
    in_all_ways(Arrangement::Anywhere, build, |log| {
        let mut values = log.values.clone();
        values.sort_unstable();
        assert!(values.into_iter().eq(0..1000));
        assert_eq!(log.writers, log.finished);
    });
}

#[test]
fn in_order_one_after_the_other() {
    let build =
        |sink: Arc<Memory>| Build::new().numbers(1000, 7).write(sink, true, &numbers(1000)).done();
    in_all_ways(Arrangement::InOrder, build, |log| is_in_order(log, 0..1000));
}

#[test]
fn no_tiles_still_make_one_file() {
    let build =
        |sink: Arc<Memory>| Build::new().numbers(0, 7).write(sink, true, &numbers(0)).done();
    in_all_ways(Arrangement::InOrder, build, |log| is_in_order(log, 0..0));
    let build =
        |sink: Arc<Memory>| Build::new().numbers(1, 7).write(sink, true, &numbers(1)).done();
    in_all_ways(Arrangement::Gathered, build, |log| is_in_order(log, 0..1));
}

fn concat(numbers: Vec<u64>, indices: Vec<i64>, sizes: Vec<Vec<u64>>) -> Op {
    Op::Concat(Concat { numbers, indices, sizes, keep_index: true })
}

/// Two reads, and the second one first.
#[test]
fn concat_of_two_reads() {
    in_all_ways(
        Arrangement::InOrder,
        |sink| {
            let mut build = Build::new().numbers(500, 9).numbers(300, 9);
            let op = concat(vec![0, 34], vec![0, 300], vec![vec![300], vec![500]]);
            build.node("concat", op, &[1, 0], &numbers(800));
            build.write(sink, true, &numbers(800)).done()
        },
        |log| is_in_order(log, (0..300).chain(0..500)),
    );
}

/// Both branches of one read: the credits of the second cannot wait for the first.
#[test]
fn concat_of_a_read_with_itself() {
    in_all_ways(
        Arrangement::InOrder,
        |sink| {
            let mut build = Build::new().numbers(200, 3);
            let op = concat(vec![0, 67], vec![0, 200], vec![vec![200], vec![200]]);
            build.node("concat", op, &[0, 0], &numbers(400));
            build.write(sink, true, &numbers(400)).done()
        },
        |log| is_in_order(log, (0..200).chain(0..200)),
    );
}

/// Two writers that want two reads in opposite orders.
#[test]
fn concats_that_wait_for_each_other() {
    in_all_ways(
        Arrangement::InOrder,
        |sink| {
            let mut build = Build::new().numbers(200, 3).numbers(200, 3);
            let op = concat(vec![0, 67], vec![0, 200], vec![vec![200], vec![200]]);
            build.node("concat", op.clone(), &[0, 1], &numbers(400));
            let other = Memory::new(Arrangement::InOrder);
            let mut build = build.write(other, true, &numbers(400));
            build.node("concat", op, &[1, 0], &numbers(400));
            build.write(sink, true, &numbers(400)).done()
        },
        |log| is_in_order(log, (0..200).chain(0..200)),
    );
}

/// A sorted input, whose number of tiles nobody knew, before a read: numbers have a gap.
#[test]
fn concat_with_a_gap() {
    let schema = numbers(0);
    in_all_ways(
        Arrangement::InOrder,
        |sink| {
            let mut build = Build::new().numbers(300, 7).sort(&[(0, true)], Some(250), &schema);
            let sorted = 3;
            build = build.numbers(100, 3);
            let op = concat(vec![0, 1000], vec![0, 250], vec![vec![], vec![100]]);
            build.node("concat", op, &[sorted, 4], &schema);
            build.write(sink, true, &schema).done()
        },
        |log| is_in_order(log, (50..300).rev().chain(0..100)),
    );
}

#[test]
fn the_watch_counts() {
    let sink = Memory::new(Arrangement::InOrder);
    let plan = Build::new().numbers(1000, 10).write(sink, true, &numbers(1000)).done();
    let tally = alone(&plan, 2).unwrap();
    assert_eq!((tally.tiles, tally.rows), (100, 1000));
    assert!(tally.written >= 8000 && tally.seconds > 0.0);
}
