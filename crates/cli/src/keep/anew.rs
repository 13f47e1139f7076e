//! The whole plan is run anew at each change, since nothing of it can be kept.
use super::scan::Scan;
use super::task::{Next, Task};
use crate::job::{Job, new_run_id, now};
use crate::numbers::count;
use engine::Options;
use engine::ledger::Book;
use plan::physical::Op;
use std::sync::Arc;

/// The files as they were when it was run, or when it could not be.
#[derive(Default)]
pub struct Anew {
    seen: Option<Scan>,
    /// Where it is noted what has been done for rows, so that a change repeats only what it reaches.
    book: Option<Arc<Book>>,
}

impl Anew {
    /// Whether files have changed since.
    pub fn differs(&self, found: &Scan) -> bool {
        self.seen.as_ref() != Some(found)
    }

    /// What is known of rows.
    pub fn book(&self) -> Option<Arc<Book>> {
        self.book.clone()
    }

    /// The whole plan, made for these files.
    pub fn update(&mut self, task: &Task, found: Scan) -> Next {
        let words = count(found.len() as u64, "file");
        self.seen = Some(found);
        let job = Job { run_id: new_run_id(), now: now(), ..task.job.clone() };
        let mut physical = match task.signals.promptly(|| job.load()) {
            Ok((Some(plan), _)) => plan.physical,
            Ok((None, mistakes)) => {
                task.complain_of(&mistakes);
                return Next::Wait;
            }
            Err(failure) => {
                task.complain(&failure);
                return Next::Wait;
            }
        };
        if task.how.changes {
            engine::incremental::show_all(&mut physical);
        }
        if self.book.is_none() && physical.nodes.iter().any(|n| matches!(n.op, Op::Task(_))) {
            let folder = physical.state.as_deref();
            let book = folder.map(|folder| Book::of_answers(folder, &job.run_id, &physical));
            match book.transpose() {
                Ok(book) => self.book = book.map(Arc::new),
                Err(failure) => task.complain(&failure),
            }
        }
        let options = Options::of(&physical, job.threads);
        Next::Run((Arc::new(physical), options), words)
    }
}
