//! What one worker has counted.
use super::spans::Spans;
use super::{Amount, Counts, Worker};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

/// A span shorter than this, in nanoseconds, in which no tile moved is not worth being kept.
const BRIEF: u64 = 10_000;

/// Collects in one worker.
#[derive(Clone)]
pub struct Recorder(Rc<RefCell<State>>);

struct State {
    origin: Instant,
    worker: Worker,
    spans: Spans,
    /// Time in operators so far, and how often any was called.
    busy: u64,
    calls: u64,
    /// Whether a tile has moved since the operator that runs was called.
    moved: bool,
}

impl Recorder {
    /// For a worker, with so many operators; `origin` is time 0.
    pub fn new(index: usize, operators: usize, origin: Instant) -> Recorder {
        let worker = Worker {
            index,
            start: nanoseconds(origin),
            counts: vec![Counts::default(); operators],
            ..Worker::default()
        };
        let spans = Spans::default();
        Recorder(Rc::new(RefCell::new(State {
            origin,
            worker,
            spans,
            busy: 0,
            calls: 0,
            moved: false,
        })))
    }

    /// What has been counted.
    pub fn end(&self) -> Worker {
        let mut state = self.0.borrow_mut();
        let end = nanoseconds(state.origin);
        let (spans, grain) = std::mem::take(&mut state.spans).end();
        Worker { end, spans, grain, ..std::mem::take(&mut state.worker) }
    }

    pub(super) fn took(&self, operator: usize, amount: Amount) {
        let mut state = self.0.borrow_mut();
        state.moved = true;
        if let Some(counts) = state.worker.counts.get_mut(operator) {
            counts.taken.add(amount);
        }
    }

    pub(super) fn gave(&self, operator: usize, amount: Amount) {
        let mut state = self.0.borrow_mut();
        state.moved = true;
        if let Some(counts) = state.worker.counts.get_mut(operator) {
            counts.given.add(amount);
        }
    }

    pub(super) fn ran(&self, operator: usize, begun: Instant) {
        let mut state = self.0.borrow_mut();
        let time = nanoseconds(begun);
        state.busy += time;
        state.calls += 1;
        if let Some(counts) = state.worker.counts.get_mut(operator) {
            counts.nanoseconds += time;
            counts.activations += 1;
        }
        let moved = std::mem::take(&mut state.moved);
        if moved || time >= BRIEF {
            let start = begun.duration_since(state.origin).as_nanos() as u64;
            state.spans.push(operator as u32, start, time);
        }
    }
}

/// A turn of the worker: it calls operators, or waits. Counted when this value goes.
pub struct Turn {
    recorder: Recorder,
    begun: Instant,
    busy: u64,
    calls: u64,
}

impl Turn {
    /// Begins now.
    pub fn new(recorder: &Recorder) -> Turn {
        let (busy, calls) = {
            let state = recorder.0.borrow();
            (state.busy, state.calls)
        };
        Turn { recorder: recorder.clone(), begun: Instant::now(), busy, calls }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.recorder.0.borrow_mut();
        let rest = nanoseconds(self.begun).saturating_sub(state.busy - self.busy);
        match state.calls == self.calls {
            true => state.worker.wait += rest,
            false => state.worker.engine += rest,
        }
    }
}

fn nanoseconds(since: Instant) -> u64 {
    since.elapsed().as_nanos() as u64
}
