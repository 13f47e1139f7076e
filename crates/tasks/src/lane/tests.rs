//! Lanes of work that waits and of work that computes.
#![allow(clippy::unwrap_used)]
use super::*;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use base::{DType, DimMask, Field};
use futures::future::BoxFuture;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// Doubles a number after some time; every tenth fails.
struct Double {
    fields: Vec<Field>,
    computes: bool,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Work for Double {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn computes(&self) -> bool {
        self.computes
    }

    fn key(&self, _: &Rows) -> Option<Key> {
        None
    }

    fn run<'a>(&'a self, rows: Rows, _: Stop) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let now = self.running.fetch_add(1, SeqCst) + 1;
            self.most.fetch_max(now, SeqCst);
            if !self.computes {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            self.running.fetch_sub(1, SeqCst);
            let k = rows.batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
            let k = k.value(rows.first);
            assert!(k != 13, "thirteen");
            if k % 10 == 0 {
                return Answer::failed(1, "a tenth");
            }
            let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![2 * k]))];
            Answer { columns, ..Answer::default() }
        })
    }
}

fn work(computes: bool) -> Arc<Double> {
    let fields = vec![Field::new("twice", DType::Int64, DimMask::only(0))];
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Arc::new(Double { fields, computes, running, most })
}

fn all(work: Arc<Double>, first: Option<u64>) -> (Vec<(u64, Answer)>, Counted) {
    let k: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
    let batch = Arc::new(RecordBatch::try_from_iter([("k", k)]).unwrap());
    let limits = Arc::new(Limits::new(Needs { cores: 2, memory: 1 << 30 }));
    let needs = Needs::default();
    let lane = Lane::new(Setup { work, limit: 7, needs, limits, memory: None, first }).unwrap();
    let inbox = Inbox::new(Box::new(|| ()));
    for i in 0..100 {
        lane.start(i, Rows { batch: batch.clone(), first: i as usize, count: 1 }, &inbox);
    }
    // Every start is told of, also those that are not wanted any more.
    let mut told = Vec::new();
    while told.len() < 100 {
        std::thread::sleep(Duration::from_millis(1));
        told.extend(inbox.take());
    }
    let answers = told.into_iter().filter_map(|(ticket, answer)| Some((ticket, answer?)));
    (answers.collect(), lane.counted())
}

#[test]
fn all_rows_are_answered_and_never_too_many_are_in_flight() {
    for computes in [false, true] {
        let work = work(computes);
        let (mut answers, counted) = all(work.clone(), None);
        answers.sort_by_key(|(ticket, _)| *ticket);
        for (ticket, answer) in answers {
            match ticket {
                13 => assert!(answer.errors[0].as_ref().unwrap().contains("thirteen")),
                t if t % 10 == 0 => assert_eq!(answer.errors[0].as_deref(), Some("a tenth")),
                t => {
                    let twice = answer.columns[0].as_any().downcast_ref::<Int64Array>();
                    assert_eq!(twice.unwrap().value(0), 2 * t as i64);
                }
            }
        }
        assert_eq!((counted.taken, counted.done, counted.failed), (100, 89, 11));
        let most = work.most.load(SeqCst);
        assert!(most <= 7 && (computes || most > 1), "{most} in flight");
    }
}

#[test]
fn no_more_are_started_when_enough_have_come() {
    for computes in [false, true] {
        let (answers, counted) = all(work(computes), Some(5));
        assert!((5..=11).contains(&counted.done), "{counted:?}");
        assert!(answers.len() < 15, "{} were started", answers.len());
    }
}

#[test]
fn a_start_that_needs_more_than_there_is_is_refused() {
    let limits = Arc::new(Limits::new(Needs { cores: 2, memory: 1 << 30 }));
    let needs = Needs { cores: 3, memory: 0 };
    let work = work(false);
    let lane = Lane::new(Setup { work, limit: 1, needs, limits, memory: None, first: None });
    assert_eq!(lane.err().as_deref(), Some("needs 3 cores, and a process has 2"));
}
