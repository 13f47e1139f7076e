//! Work that moves between processes, and runs that are to stop.
use super::plans::{Build, numbers, points};
use super::sinks::Memory;
use super::{both, in_time, options, pair_of};
use crate::{Watch, run};
use base::{Failure, FailureKind, Tiling};
use formats::Arrangement;
use plan::physical::Physical;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

/// Writes the numbers `0..n`, a tile each, of which each takes `time`.
fn slowly(n: u64, time: Duration, sink: &Arc<Memory>) -> Arc<Physical> {
    let schema = numbers(n);
    let gather = sink.arrangement != Arrangement::Anywhere;
    let made = Build::new().made(&schema, Tiling::even(&schema.domain, &[1]), move |region| {
        sleep(time);
        Ok(vec![points(region)])
    });
    made.write(sink.clone(), gather, &schema).done()
}

#[test]
fn a_process_four_times_as_fast_takes_about_four_times_as_many_tiles() {
    for arrangement in [Arrangement::Anywhere, Arrangement::InOrder] {
        let sink = Memory::new(arrangement);
        let plan = |millis| slowly(300, Duration::from_millis(millis), &sink);
        let [slow, fast] = both([&plan(8), &plan(2)], 1, 4);
        let (slow, fast) = (slow.unwrap().tiles, fast.unwrap().tiles);
        assert_eq!(slow + fast, 300);
        // A writer that keeps the order holds the fast one back: it has only so many credits.
        let anywhere = arrangement == Arrangement::Anywhere;
        assert!(!anywhere || slow * 2 < fast, "{slow} and {fast}");
        let mut values = sink.log.lock().unwrap().values.clone();
        if anywhere {
            values.sort_unstable();
        }
        assert!(values.into_iter().eq(0..300));
    }
}

#[test]
fn fewer_tiles_than_processes() {
    for n in [0, 1, 2, 3] {
        let sink = Memory::new(Arrangement::Anywhere);
        let plan = slowly(n, Duration::ZERO, &sink);
        let [a, b] = both([&plan, &plan], 2, 1).map(|tally| tally.unwrap().tiles);
        assert_eq!(a + b, n);
    }
}

fn terminated() -> Failure {
    Failure::new(FailureKind::Terminated, "terminated")
}

/// Asks the first of these runs to stop when it has done some tiles, and the others after it.
fn stop_soon(watches: &[Arc<Watch>]) {
    let watches = watches.to_vec();
    std::thread::spawn(move || {
        while watches.iter().map(|w| w.tiles_done()).sum::<u64>() < 5 {
            sleep(Duration::from_millis(1));
        }
        for watch in watches {
            watch.request_stop(terminated());
            sleep(Duration::from_millis(30));
        }
    });
}

#[test]
fn a_stop_lets_what_is_in_flight_reach_its_sink() {
    for arrangement in [Arrangement::Anywhere, Arrangement::Gathered, Arrangement::InOrder] {
        for processes in [1, 2] {
            let sink = Memory::new(arrangement);
            let plan = slowly(100_000, Duration::from_millis(2), &sink);
            let watches: Vec<_> = (0..processes).map(|_| Arc::new(Watch::new())).collect();
            stop_soon(&watches);
            let (ours, same) = (watches.clone(), plan.clone());
            let ends: Vec<_> = in_time(move || match processes {
                1 => vec![run(plan, options(2, 2), ours[0].clone())],
                _ => pair_of([plan, same], &options(1, 2), &ours).into(),
            });
            for (end, watch) in ends.into_iter().zip(&watches) {
                let failure = end.unwrap_err();
                assert_eq!(failure.kind, FailureKind::Terminated, "{failure}");
                assert!(failure.message.ends_with("of 100,000 tiles"), "{failure}");
                assert_eq!(watch.tiles_done(), watch.tiles_taken());
            }
            let log = sink.log.lock().unwrap();
            let taken: u64 = watches.iter().map(|w| w.tiles_taken()).sum();
            // A writer that keeps the order may miss some.
            let whole = arrangement != Arrangement::InOrder || processes == 1;
            assert!(!whole || log.tiles.len() as u64 == taken, "{arrangement:?}");
            assert_eq!(log.writers, log.finished);
        }
    }
}

#[test]
fn a_stop_in_the_middle_of_a_sort_or_a_fold() {
    let schema = numbers(100_000);
    for sorts in [true, false] {
        let made = Build::new().made(&schema, Tiling::even(&schema.domain, &[1]), |region| {
            sleep(Duration::from_millis(1));
            Ok(vec![points(region)])
        });
        let plan = match sorts {
            true => made.sort(&[(0, true)], None, &schema).show(&schema),
            false => made.sort(&[(0, true)], Some(3), &schema).show(&schema),
        };
        let watches: Vec<_> = (0..2).map(|_| Arc::new(Watch::new())).collect();
        stop_soon(&watches);
        let ends = in_time(move || pair_of([plan.clone(), plan], &options(2, 2), &watches));
        for end in ends {
            assert_eq!(end.unwrap_err().kind, FailureKind::Terminated);
        }
    }
}

#[test]
fn a_tile_that_takes_too_long_is_left_behind() {
    let sink = Memory::new(Arrangement::Anywhere);
    let plan = slowly(10, Duration::from_secs(1), &sink);
    let watch = Arc::new(Watch::new());
    watch.request_stop(terminated());
    let options = crate::Options { grace: Duration::from_millis(100), ..options(1, 1) };
    let start = std::time::Instant::now();
    let failure = in_time(move || run(plan, options, watch)).unwrap_err();
    assert_eq!(failure.message, "terminated after 0 of 10 tiles");
    assert!(start.elapsed() < Duration::from_secs(6));
}
