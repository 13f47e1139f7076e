//! Mirrors of objects in a store in memory that answers late.
#![allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]
use super::*;
use crate::store::wait;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStoreExt, PutPayload};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

const LATENCY: Duration = Duration::from_millis(50);

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 % 251) as u8).collect()
}

fn put(store: &Arc<dyn ObjectStore>, content: Vec<u8>) -> About {
    let store = store.clone();
    let meta = wait(async move {
        store.put(&Key::from("k"), PutPayload::from(content)).await.unwrap();
        store.head(&Key::from("k")).await.unwrap()
    });
    About::of(&meta.unwrap())
}

fn mirror(len: usize) -> (Arc<Mirror>, Arc<dyn ObjectStore>) {
    let late = ThrottleConfig { wait_get_per_call: LATENCY, ..ThrottleConfig::default() };
    let store: Arc<dyn ObjectStore> = Arc::new(ThrottledStore::new(InMemory::new(), late));
    let about = put(&store, bytes(len));
    (Mirror::over(store.clone(), Key::from("k"), "mem://k".into(), about).unwrap(), store)
}

fn read(mirror: &Mirror, range: Range<u64>) -> Vec<u8> {
    let mut out = vec![0; (range.end - range.start) as usize];
    mirror.file().read_exact_at(&mut out, range.start).unwrap();
    out
}

#[test]
fn what_is_held_is_here_and_nothing_else_takes_room() {
    let len = 10_000_003;
    let (mirror, _) = mirror(len);
    let all = bytes(len);
    for range in [0..10, 5_000_000..5_200_000, len as u64 - 1..len as u64 + 9] {
        let held = mirror.hold(std::slice::from_ref(&range)).unwrap();
        let range = range.start..range.end.min(len as u64);
        assert_eq!(read(&mirror, range.clone()), all[range.start as usize..range.end as usize]);
        drop(held);
    }
    let used = mirror.file().metadata().unwrap().blocks() * 512;
    assert!(used <= 200_000 + 8 * BLOCK, "{used}");
}

#[test]
fn many_ranges_wait_once() {
    let (mirror, _) = mirror(60_000_000);
    let ranges: Vec<Range<u64>> = (0..50).map(|i| i * 1_200_000..i * 1_200_000 + 9).collect();
    let begun = Instant::now();
    let held = mirror.hold(&ranges).unwrap();
    assert!(begun.elapsed() < LATENCY * 25, "{:?}", begun.elapsed());
    assert_eq!(held.bytes() / BLOCK, 50);
}

#[test]
fn what_is_let_go_of_takes_no_room_once_nobody_uses_it() {
    let len = 4_000_000;
    let (mirror, _) = mirror(len);
    let room = || mirror.file().metadata().unwrap().blocks() * 512;
    let (one, two) = (mirror.hold(&[0..3_000_000]).unwrap(), mirror.hold(&[1_000_000..4_000_000]));
    let two = two.unwrap();
    mirror.release(0..len as u64);
    drop(one);
    assert!(room() >= 3_000_000 && read(&mirror, 1_000_000..4_000_000) == bytes(len)[1_000_000..]);
    drop(two);
    assert!(room() <= BLOCK, "{}", room());
    drop(mirror.hold(&[0..4_000_000]).unwrap());
    assert_eq!(read(&mirror, 0..4_000_000), bytes(len));
}

#[test]
fn an_object_that_changes_is_an_error() {
    let (mirror, store) = mirror(3_000_000);
    mirror.hold(&[0..10]).unwrap();
    put(&store, bytes(3_000_001));
    let error = mirror.hold(&[2_000_000..2_000_010]).err().unwrap();
    assert!(error.contains("changed while it was read"), "{error}");
    // What is here already is of the object as it was.
    mirror.hold(&[0..10]).unwrap();
}

#[test]
fn many_threads_read_what_one_of_them_asked_for() {
    let len = 20_000_000u64;
    let (mirror, _) = mirror(len as usize);
    let all = bytes(len as usize);
    let ahead = mirror.ask(&[0..len]);
    std::thread::scope(|scope| {
        for worker in 0..4u64 {
            let (mirror, all) = (&mirror, &all);
            scope.spawn(move || {
                for tile in (worker..200).step_by(4) {
                    let range = tile * 100_000..(tile + 1) * 100_000;
                    let _held = mirror.hold(std::slice::from_ref(&range)).unwrap();
                    let there = read(mirror, range.clone());
                    assert!(there == all[range.start as usize..range.end as usize]);
                    mirror.release(range);
                }
            });
        }
    });
    drop(ahead);
}
