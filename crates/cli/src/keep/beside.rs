//! The files beside those that are reduced: of tables that are joined with them, or that are read
//! behind the reductions.
use super::reductions::Reductions;
use super::scan::{Scan, scan};
use super::task::Task;
use base::Failure;
use engine::incremental::PieceId;
use std::sync::Arc;

/// What has become of them.
pub enum Beside {
    /// They are as they were.
    Same,
    /// They have changed and were read.
    New,
    /// They are just changing: they are looked at again.
    Changing,
    /// They cannot be read.
    Bad,
    /// They need another plan.
    Other,
}

impl Reductions {
    /// Reads what stands beside the files that are reduced, if it has changed.
    pub(super) fn look_beside(
        &mut self,
        task: &Task,
        beside: Scan,
        changing: &[PieceId],
    ) -> Result<Beside, Failure> {
        let some_change = beside.iter().any(|(id, _)| changing.contains(id));
        if self.beside.as_ref() == Some(&beside) || some_change && self.beside.is_some() {
            return Ok(Beside::Same);
        }
        let split = self.kept.split();
        if !split.beside.is_empty() || split.joins() {
            let read = self.read_beside(task, &beside)?;
            if !matches!(read, Beside::New) {
                return Ok(read);
            }
        }
        Ok(match self.beside.replace(beside) {
            Some(_) => Beside::New,
            None => Beside::Same,
        })
    }

    /// Makes the right sides of joins, and the plan of what is behind the reductions.
    fn read_beside(&mut self, task: &Task, beside: &Scan) -> Result<Beside, Failure> {
        let (whole, mistakes) = self.load(task, false)?;
        let (Some(fresh), Some(whole)) = (self.load(task, true)?.0, whole) else {
            task.complain_of(&mistakes);
            return Ok(Beside::Bad);
        };
        let Some(aside) = self.kept.aside(&fresh.physical) else { return Ok(Beside::Other) };
        if whole.physical.nodes.len() != self.physical.nodes.len() {
            return Ok(Beside::Other);
        }
        let options = self.kept.options();
        match crate::run::on_threads(&aside.physical, options, None, task.signals, &mut |_| ()) {
            Ok(_) => {}
            Err(failure) if task.signals.failure().is_some() => return Err(failure),
            Err(failure) => {
                task.complain(&failure);
                return Ok(Beside::Bad);
            }
        }
        if scan(&self.physical, &self.kept.split().beside) != *beside {
            return Ok(Beside::Changing);
        }
        for read in self.kept.take_sides(aside, beside)? {
            *self.versions.entry(read).or_default() += 1;
        }
        self.physical = Arc::new(whole.physical);
        Ok(Beside::New)
    }
}
