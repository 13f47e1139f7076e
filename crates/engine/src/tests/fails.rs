//! Everything that can go wrong ends the run, at once and with its cause.
use super::plans::{Build, fold, numbers, points, table};
use super::sinks::Memory;
use super::{LONG, alone, both, in_time, options, pair};
use crate::deal::Asking;
use crate::{Mesh, Options, Watch, run};
use base::{DType, Failure, FailureKind};
use formats::Arrangement;
use plan::physical::{FoldKind, Physical, Route};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Counts numbers whose source does `bad` at tile `at`.
fn plan(at: u64, bad: fn() -> Failure) -> Arc<Physical> {
    let schema = numbers(1000);
    let out = table(1, &[("count", DType::Int64)]);
    Build::new()
        .made(&schema, base::Tiling::even(&schema.domain, &[10]), move |r| {
            if r.origin[0] == at * 10 { Err(bad()) } else { Ok(vec![points(r)]) }
        })
        .reduce(fold(&schema, &[("count", 0)], FoldKind::All), Route::Gather, &schema, &out)
        .show(&out)
}

fn fine() -> Arc<Physical> {
    plan(u64::MAX / 10, || Failure::data("never"))
}

#[test]
fn an_error_in_the_first_and_in_the_last_tile() {
    for at in [0, 99] {
        for threads in [1, 2, 5] {
            let failure = alone(&plan(at, || Failure::data("bad")), threads).unwrap_err();
            assert_eq!((failure.kind, &*failure.message), (FailureKind::Data, "bad"));
            assert_eq!(failure.context, [format!("step \"read\", tile {at}")]);
        }
    }
}

#[test]
fn a_panic_in_a_worker() {
    for threads in [1, 2] {
        let failure = alone(&plan(50, || panic!("oh")), threads).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Internal);
        assert!(failure.message.ends_with("oh"), "{failure}");
    }
}

#[test]
fn after_a_failure_the_next_run_is_fine() {
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get());
    assert!(alone(&plan(3, || panic!("oh")), threads).is_err());
    assert!(alone(&fine(), threads).is_ok());
}

#[test]
fn a_sink_that_fails() {
    for arrangement in [Arrangement::Anywhere, Arrangement::Gathered, Arrangement::InOrder] {
        for fail in ["prepare", "open", "write", "finish", "panic"] {
            for threads in [1, 2] {
                let sink = Memory::failing(arrangement, fail);
                let gather = arrangement != Arrangement::Anywhere;
                let schema = numbers(1000);
                let plan = Build::new().numbers(1000, 10).write(sink, gather, &schema).done();
                let failure = alone(&plan, threads).unwrap_err();
                assert!(failure.message.contains(fail), "{failure}");
                assert!(failure.context.iter().any(|c| c.contains("step")), "{failure}");
            }
        }
    }
}

/// One worker is idle, for there is one tile, and the other panics in it.
#[test]
fn a_panic_beside_idle_workers() {
    let schema = numbers(1);
    let bad = Build::new()
        .made(&schema, base::Tiling::even(&schema.domain, &[1]), |_| {
            std::thread::sleep(Duration::from_millis(200));
            panic!("late")
        })
        .show(&schema);
    assert!(alone(&bad, 4).unwrap_err().message.ends_with("late"));
    let [a, b] = both([&bad, &bad], 2, 1);
    // The process that has the tile knows the cause, the other one has lost its peer.
    assert_eq!(a.unwrap_err().kind, FailureKind::Internal);
    assert_eq!(b.unwrap_err().kind, FailureKind::Peer);
}

#[test]
fn an_error_in_one_of_two_processes() {
    for threads in [1, 2] {
        let [a, b] = both([&fine(), &plan(1, || Failure::data("bad"))], threads, 2);
        assert_eq!(b.unwrap_err().kind, FailureKind::Data);
        assert_eq!(a.unwrap_err().kind, FailureKind::Peer);
    }
}

#[test]
fn a_stop_ends_a_run_that_would_go_on() {
    let schema = numbers(1_000_000);
    let slow = Build::new()
        .made(&schema, base::Tiling::even(&schema.domain, &[1]), |r| {
            std::thread::sleep(Duration::from_millis(1));
            Ok(vec![points(r)])
        })
        .show(&schema);
    let watch = Arc::new(Watch::new());
    let (seen, start) = (watch.clone(), Instant::now());
    let stop = std::thread::spawn(move || {
        while seen.tiles_done() < 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
        seen.request_stop(Failure::new(FailureKind::Interrupted, "interrupted"));
    });
    let failure = in_time(move || run(slow, options(2, 2), watch)).unwrap_err();
    stop.join().unwrap();
    assert_eq!(failure.kind, FailureKind::Interrupted);
    assert!(start.elapsed() < LONG / 4);
}

/// The peer never starts its part, and then its socket closes: it died.
#[test]
fn a_peer_that_dies() {
    for threads in [1, 2] {
        let [sockets, there] = pair();
        let plan = fine();
        let run = std::thread::spawn(move || {
            let asking = Asking::new(|_| ());
            let mesh = Some(Mesh { index: 0, processes: 2, sockets, asking });
            let options = Options { mesh, ..options(threads, 2) };
            run(plan, options, Arc::new(Watch::new()))
        });
        std::thread::sleep(Duration::from_millis(100));
        there.iter().flatten().for_each(|s| s.shutdown(Shutdown::Both).unwrap());
        let failure = in_time(move || run.join().unwrap()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Peer);
        assert!(failure.message.contains("process 1"), "{failure}");
    }
}
