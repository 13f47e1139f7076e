//! Answers on their way to a worker.
use super::lock;
use crate::work::Answer;
use std::sync::{Arc, Mutex};

/// Answers for one worker.
pub struct Inbox {
    ended: Mutex<Vec<(u64, Option<Answer>)>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Inbox {
    /// Empty; `wake` is called when it is so no more.
    pub fn new(wake: Box<dyn Fn() + Send + Sync>) -> Arc<Inbox> {
        Arc::new(Inbox { ended: Mutex::default(), wake })
    }

    /// What has come since the last call: tickets and answers; `None`: enough had come before.
    pub fn take(&self) -> Vec<(u64, Option<Answer>)> {
        std::mem::take(&mut *lock(&self.ended))
    }

    pub(super) fn put(&self, ticket: u64, answer: Option<Answer>) {
        let first = {
            let mut ended = lock(&self.ended);
            ended.push((ticket, answer));
            ended.len() == 1
        };
        if first {
            (self.wake)();
        }
    }
}
