//! Work of one step in one process: what waits, what is in flight, what has ended.
//!
//! Workers of the dataflow hand in rows and go on; they are woken when answers have come. Work that
//! waits runs on the event loop, so many starts at a time; work that computes runs on threads.
mod counts;
mod inbox;
mod limits;
#[cfg(test)]
mod tests;

pub use counts::{Counted, Counts};
pub use inbox::Inbox;
pub use limits::{Limits, Needs};

use crate::runtime;
use crate::work::{Answer, Key, Made, Rows, Stop, Work};
use futures::FutureExt;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Answers of earlier runs, and of this one for later runs.
pub trait Memory: Send + Sync {
    /// The answer to this, if it is known.
    fn recall(&self, key: &Key) -> Option<Answer>;

    /// Keeps an answer.
    fn note(&self, key: Key, answer: &Answer);

    /// Keeps that a row has failed.
    fn failed(&self, key: Key) {
        let _ = key;
    }

    /// Whether one of the answers is of this file, as it is.
    fn is_made(&self, file: &Made) -> bool {
        let _ = file;
        false
    }
}

/// What a lane is made of.
pub struct Setup {
    /// What is done.
    pub work: Arc<dyn Work>,
    /// Starts in flight in this process, at least 1.
    pub limit: usize,
    /// What each start takes.
    pub needs: Needs,
    /// Of what.
    pub limits: Arc<Limits>,
    /// Answers of earlier runs.
    pub memory: Option<Arc<dyn Memory>>,
    /// The lane is closed to further starts when so many rows have ended well.
    pub first: Option<u64>,
}

/// The work of a step in one process.
pub struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    setup: Setup,
    state: Mutex<State>,
    /// For threads that compute: there is something to do, or all is over.
    more: Condvar,
    stop: watch::Sender<bool>,
    counts: Counts,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Start>,
    running: usize,
    threads: usize,
    closed: bool,
}

struct Start {
    ticket: u64,
    rows: Rows,
    inbox: Arc<Inbox>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lane {
    /// An empty lane.
    ///
    /// # Errors
    /// If a start needs more than the process has, or the system gives no threads: a sentence.
    pub fn new(setup: Setup) -> Result<Lane, String> {
        let (needs, has) = (setup.needs, setup.limits.has);
        if needs.cores > has.cores {
            return Err(format!("needs {} cores, and a process has {}", needs.cores, has.cores));
        }
        if needs.memory > has.memory {
            let mb = |bytes: u64| bytes.div_ceil(1_000_000);
            let (needs, has) = (mb(needs.memory), mb(has.memory));
            return Err(format!("needs {needs} MB of memory, and a process has {has} MB"));
        }
        runtime::handle()?;
        let (stop, _) = watch::channel(false);
        let state = Mutex::new(State::default());
        let (more, counts) = (Condvar::new(), Counts::default());
        Ok(Lane { shared: Arc::new(Shared { setup, state, more, stop, counts }) })
    }

    /// Hands in rows of one start; the answer comes to the inbox under the ticket.
    pub fn start(&self, ticket: u64, rows: Rows, inbox: &Arc<Inbox>) {
        let shared = &self.shared;
        shared.counts.taken.fetch_add(rows.count as u64, Relaxed);
        if shared.is_enough() {
            return inbox.put(ticket, None);
        }
        let thread = {
            let mut state = lock(&shared.state);
            state.waiting.push_back(Start { ticket, rows, inbox: inbox.clone() });
            shared.setup.work.computes() && state.threads < shared.setup.limit && {
                state.threads += 1;
                true
            }
        };
        match (shared.setup.work.computes(), thread) {
            (true, false) => shared.more.notify_one(),
            (true, true) => shared.thread(),
            (false, _) => shared.pump(),
        }
    }

    /// What has become of the rows so far.
    pub fn counted(&self) -> Counted {
        self.shared.counts.counted()
    }

    /// Whether so many rows have ended well that no more are wanted.
    pub fn is_enough(&self) -> bool {
        self.shared.is_enough()
    }

    /// Ends what runs, and starts nothing more. Nothing is said of it any more.
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// Whether starts of it still run.
    pub fn is_busy(&self) -> bool {
        lock(&self.shared.state).running > 0
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Shared {
    fn stop(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.more.notify_all();
        self.stop.send_replace(true);
    }

    fn is_enough(&self) -> bool {
        self.setup.first.is_some_and(|first| self.counts.done.load(Relaxed) >= first)
    }

    /// Starts what may be in flight, on the event loop.
    fn pump(self: &Arc<Shared>) {
        let Ok(handle) = runtime::handle() else { return };
        loop {
            let start = {
                let mut state = lock(&self.state);
                if state.closed || state.running >= self.setup.limit {
                    return;
                }
                let Some(start) = state.waiting.pop_front() else { return };
                state.running += 1;
                start
            };
            let shared = self.clone();
            handle.spawn(async move {
                shared.run(start).await;
                lock(&shared.state).running -= 1;
                shared.pump();
            });
        }
    }

    /// A thread that computes, until there is nothing more.
    fn thread(self: &Arc<Shared>) {
        let Ok(handle) = runtime::handle() else { return };
        let (shared, waiter) = (self.clone(), handle.clone());
        let thread = std::thread::Builder::new().name("tasks:compute".into());
        let spawned = thread.spawn(move || {
            while let Some(start) = shared.next() {
                waiter.block_on(shared.run(start));
                lock(&shared.state).running -= 1;
            }
        });
        if spawned.is_err() {
            // Those that there are do it; if there are none, the caller's thread does.
            let alone = {
                let mut state = lock(&self.state);
                state.threads -= 1;
                state.threads == 0
            };
            while let Some(start) = alone.then(|| self.next_now()).flatten() {
                handle.block_on(self.run(start));
                lock(&self.state).running -= 1;
            }
        }
    }

    /// What a thread does next; waits for it. `None`: all is over.
    fn next(&self) -> Option<Start> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            if let Some(start) = state.waiting.pop_front() {
                state.running += 1;
                return Some(start);
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn next_now(&self) -> Option<Start> {
        let mut state = lock(&self.state);
        let start = state.waiting.pop_front()?;
        state.running += 1;
        Some(start)
    }

    async fn run(&self, start: Start) {
        let Start { ticket, rows, inbox } = start;
        let count = rows.count as u64;
        let answer = self.answer(rows).await;
        if lock(&self.state).closed {
            return;
        }
        // What was stopped because enough had come has not failed.
        if self.is_enough() && answer.errors.iter().any(Option::is_some) {
            return inbox.put(ticket, None);
        }
        let failed = answer.errors.iter().flatten().count() as u64;
        // Counted when it is there: once enough are, none of them is still on its way.
        inbox.put(ticket, Some(answer));
        self.counts.failed.fetch_add(failed, Relaxed);
        self.counts.done.fetch_add(count - failed.min(count), Relaxed);
        if self.is_enough() {
            self.leave();
        }
    }

    /// What waits and what runs is of no use any more: whoever waits for it is told.
    fn leave(&self) {
        self.stop.send_replace(true);
        let waiting = std::mem::take(&mut lock(&self.state).waiting);
        waiting.into_iter().for_each(|start| start.inbox.put(start.ticket, None));
    }

    async fn answer(&self, rows: Rows) -> Answer {
        let Some(memory) = &self.setup.memory else { return self.done(rows).await };
        let work = &self.setup.work;
        let keys: Vec<Option<Key>> = (0..rows.count).map(|i| work.key(&rows.row(i))).collect();
        let recall = |key: &Option<Key>| memory.recall(key.as_ref()?);
        let mut parts: Vec<Option<Answer>> = keys.iter().map(recall).collect();
        let open: Vec<usize> = (0..rows.count).filter(|i| parts[*i].is_none()).collect();
        self.counts.recalled.fetch_add((rows.count - open.len()) as u64, Relaxed);
        if !open.is_empty() {
            let Ok(left) = rows.some(&open) else {
                return Answer::failed(rows.count, "the rows cannot be taken apart");
            };
            let answer = self.done(left).await;
            for (i, part) in open.iter().copied().zip(answer.apart(open.len())) {
                match keys[i] {
                    Some(key) if part.errors.is_empty() => memory.note(key, &part),
                    // What was stopped has not failed: it waits for another run.
                    Some(key) if !*self.stop.borrow() => memory.failed(key),
                    _ => {}
                }
                parts[i] = Some(part);
            }
        }
        let parts = parts.into_iter().flatten().collect();
        let all = Answer::together(parts, work.fields());
        all.unwrap_or_else(|e| Answer::failed(rows.count, &format!("a mistake in Tidemill: {e}")))
    }

    /// Does it, as soon as there is room for it.
    async fn done(&self, rows: Rows) -> Answer {
        let Ok(_taken) = self.setup.limits.acquire(self.setup.needs).await else {
            return Answer::failed(rows.count, "what it needs is more than the process has");
        };
        let count = rows.count;
        self.counts.running.fetch_add(count as u64, Relaxed);
        let stop: Stop = self.stop.subscribe();
        let done = AssertUnwindSafe(self.setup.work.run(rows, stop)).catch_unwind().await;
        self.counts.running.fetch_sub(count as u64, Relaxed);
        let answer = done.unwrap_or_else(|panic| Answer::failed(count, &panicked(&*panic)));
        match answer.is_sound(count) {
            true => answer,
            false => Answer::failed(count, "a mistake in Tidemill: an answer is of other rows"),
        }
    }
}

/// The sentence for a panic: a mistake in Tidemill.
fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
    format!("a mistake in Tidemill: {text}")
}
