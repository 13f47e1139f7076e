//! The program as a worker sees it: batches in, batches out, and nothing here waits.
use super::driver::drive;
use super::process::kill;
use super::program::Program;
use crate::runtime;
use arrow_array::RecordBatch;
use rustix::process::Pid;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Called when an answer has come, or the program has ended.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// What a program left to say when it had ended well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// So many lines went to its standard error.
    pub lines: u64,
    /// The last of them.
    pub last: String,
    /// So often it had to be started again.
    pub again: u64,
    /// Whether it went on when its input had ended, and was ended.
    pub forced: bool,
}

/// A program that runs, or will when the first batch comes. Dropped, it is ended at once.
pub struct Runner {
    link: Arc<Link>,
}

impl Runner {
    /// For this program.
    ///
    /// # Errors
    /// If there is no event loop: a sentence.
    pub fn new(program: Arc<Program>, wake: Wake) -> Result<Runner, String> {
        let link = Arc::new(Link { state: Mutex::default(), news: Notify::new(), wake });
        runtime::handle()?.spawn(drive(program, link.clone()));
        Ok(Runner { link })
    }

    /// Gives it a batch.
    pub fn send(&self, batch: RecordBatch) {
        self.link.change(|state| state.todo.push_back(batch));
    }

    /// The next answer, if it has come; they come in the order of the batches.
    pub fn take(&self) -> Option<RecordBatch> {
        self.link.lock().done.pop_front()
    }

    /// Whether there is an answer to take.
    pub fn has_answer(&self) -> bool {
        !self.link.lock().done.is_empty()
    }

    /// Whether there is an answer to take, or none will come any more.
    pub fn has(&self) -> bool {
        let state = self.link.lock();
        !state.done.is_empty() || state.end.is_some()
    }

    /// No more batches come.
    pub fn close(&self) {
        self.link.change(|state| state.closing = true);
    }

    /// How it ended, if it has: well, after [`Runner::close`], or with a sentence, and the end of
    /// its standard error, that say why not.
    pub fn end(&self) -> Option<Result<Said, String>> {
        self.link.lock().end.clone()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.link.change(|state| {
            state.stop = true;
            state.group.into_iter().for_each(kill);
        });
    }
}

/// What the worker and the event loop share.
pub(super) struct Link {
    state: Mutex<State>,
    news: Notify,
    wake: Wake,
}

#[derive(Default)]
struct State {
    todo: VecDeque<RecordBatch>,
    done: VecDeque<RecordBatch>,
    closing: bool,
    stop: bool,
    /// The process group, as long as there may be one.
    group: Option<Pid>,
    end: Option<Result<Said, String>>,
}

impl Link {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.news.notify_one();
    }

    /// Waits until the worker has changed something since the last time.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// The next batch that the program is to be given.
    pub fn next(&self) -> Option<RecordBatch> {
        self.lock().todo.pop_front()
    }

    /// Whether no more batches come than those that are there.
    pub fn closing(&self) -> bool {
        let state = self.lock();
        state.closing && state.todo.is_empty()
    }

    /// Whether the program is to be ended at once.
    pub fn stopped(&self) -> bool {
        self.lock().stop
    }

    /// A program runs in this process group, or none does any more. It is ended if that was asked
    /// for meanwhile.
    pub fn group(&self, group: Option<Pid>) {
        let mut state = self.lock();
        state.group = group;
        if state.stop {
            group.into_iter().for_each(kill);
        }
    }

    /// An answer has come.
    pub fn answer(&self, batch: RecordBatch) {
        self.lock().done.push_back(batch);
        (self.wake)();
    }

    /// Nothing more comes.
    pub fn end(&self, end: Result<Said, String>) {
        self.lock().end = Some(end);
        (self.wake)();
    }
}
