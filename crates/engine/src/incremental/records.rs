//! What process 0 notes in the ledger beside states: the watch, what it reads, what it writes.
use super::kept::Kept;
use super::notes::{Slot, absolute};
use super::piece::{Piece, PieceId};
use crate::ledger::{self, Record};
use base::Failure;
use formats::Written;
use plan::Print;
use plan::physical::{Op, Physical};
use std::collections::BTreeMap;
use std::path::PathBuf;

impl Kept {
    /// Notes that a watch has begun, and what it stages.
    pub fn note_run(&self, run: Record, physical: &Physical) {
        let Some(notes) = &self.shared.notes else { return };
        notes.put(Slot::Run, &[(run, Vec::new())]);
        for node in &physical.nodes {
            if let Op::Write(sink) = &node.op
                && let Some(staged) = sink.staged()
            {
                let slot = Slot::Output(staged.to_path_buf());
                let staged = PathBuf::from(staged.file_name().unwrap_or_default());
                let path = sink.path().to_path_buf();
                notes.put(slot, &[(Record::Unstaged { path, staged }, Vec::new())]);
            }
        }
    }

    /// Notes files that have come and gone.
    pub(super) fn note_inputs(&self, come: &[Piece], gone: &[PieceId]) {
        let Some(notes) = &self.shared.notes else { return };
        for piece in come {
            let (path, print) = (absolute(&piece.id.path), piece.print);
            let slot = Slot::Input(path.clone());
            notes.put(slot, &[(Record::Input { path, print }, Vec::new())]);
        }
        gone.iter().for_each(|id| notes.put(Slot::Input(absolute(&id.path)), &[]));
    }

    /// Notes files that are read beside those that are reduced, in place of those before.
    pub fn note_beside(&self, before: &[(PieceId, Print)], now: &[(PieceId, Print)]) {
        let Some(notes) = &self.shared.notes else { return };
        let names = |list: &[(PieceId, Print)]| -> BTreeMap<PathBuf, Print> {
            list.iter().map(|(id, print)| (absolute(&id.path), *print)).collect()
        };
        let (before, now) = (names(before), names(now));
        before
            .keys()
            .filter(|path| !now.contains_key(*path))
            .for_each(|path| notes.put(Slot::Input(path.clone()), &[]));
        for (path, print) in now.into_iter().filter(|(p, print)| before.get(p) != Some(print)) {
            let slot = Slot::Input(path.clone());
            notes.put(slot, &[(Record::Input { path, print }, Vec::new())]);
        }
    }

    /// Gives the outputs of the plan behind the reductions their names, and notes it.
    ///
    /// # Errors
    /// If one of them is not whole or cannot be named.
    pub fn commit(&self, behind: &Physical) -> Result<Vec<Written>, Failure> {
        // Of whatever inputs: that they are those of a run is for that run to find out.
        let whole = |_| self.shared.notes.is_some().then(Print::default);
        ledger::commit(behind, &whole, &mut |record| {
            let path = match &record {
                Record::Output { path, .. } | Record::Naming { path, .. } => path.clone(),
                _ => return,
            };
            if let Some(notes) = &self.shared.notes {
                notes.put(Slot::Output(path), &[(record, Vec::new())]);
            }
        })
    }

    /// Why nothing more is noted by this process, if so.
    pub fn unnoted(&self) -> Option<String> {
        self.shared.notes.as_ref()?.failed()
    }
}
