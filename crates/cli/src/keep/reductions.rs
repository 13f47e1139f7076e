//! Reductions that are kept: from files that have changed to the plan of what is behind them.
use super::beside::Beside;
use super::pieces::{Known, Work, domains, empty, files, missing, types, words, work};
use super::scan::{Scan, Stamp, stamps};
use super::task::{Next, Task};
use crate::job::now;
use crate::numbers::count;
use base::{DType, Diagnostic, Failure};
use engine::incremental::{Kept, PieceId, Updated};
use engine::ledger::{Folder, Record, input_print};
use plan::Plan;
use plan::physical::{Op, Physical};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Reductions, and the files that they are of.
pub struct Reductions {
    pub(super) kept: Kept,
    /// A plan for the files that are there.
    pub(super) physical: Arc<Physical>,
    /// Which columns it takes to have missing values.
    missing: Option<BTreeMap<usize, Vec<bool>>>,
    known: BTreeMap<PieceId, Known>,
    /// Files beside those that are reduced, as they were when they were read.
    pub(super) beside: Option<Scan>,
    /// The same as the ledger has it.
    noted: Scan,
    /// What the boxes of all files together depended on, as far as it counts.
    boxes: Vec<(PieceId, Stamp)>,
    /// For each reader which of these its rows are joined with, counted.
    pub(super) versions: BTreeMap<usize, u64>,
    /// Whether files were taken with places of their rows that are others, since one of them could
    /// not be read: results do not hold together.
    moved: bool,
    /// Files that cannot be taken as they are.
    bad: BTreeMap<PieceId, Stamp>,
    /// The files as they were when nothing could be done.
    seen: Option<Scan>,
    /// The ledger, until it has been looked at for the files that are there.
    ledger: Option<PathBuf>,
}

impl Reductions {
    /// Those of a plan, which have no files yet.
    pub fn new(physical: Arc<Physical>, kept: Kept) -> Reductions {
        Reductions {
            kept,
            ledger: physical.state.clone(),
            physical,
            missing: None,
            known: BTreeMap::new(),
            beside: None,
            noted: Scan::new(),
            boxes: Vec::new(),
            versions: BTreeMap::new(),
            moved: false,
            bad: BTreeMap::new(),
            seen: None,
        }
    }

    /// What keeps them.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Whether files have changed since they were taken, or were found to be bad.
    pub fn differs(&self, found: &Scan) -> bool {
        if self.seen.as_ref() == Some(found) {
            return false;
        }
        let same = |(id, stamp): &(PieceId, Stamp)| {
            self.bad.get(id) == Some(stamp) || self.known.get(id).is_some_and(|k| k.stamp == *stamp)
        };
        let (pieces, beside) = self.parted(found);
        let there = stamps(&pieces);
        let gone = |id: &PieceId| !there.contains_key(id);
        self.moved
            || !pieces.iter().all(same)
            || self.known.keys().any(gone)
            || self.beside.as_ref().is_some_and(|before| *before != beside)
    }

    /// The files that are reduced one by one, and those beside them.
    fn parted(&self, found: &Scan) -> (Scan, Scan) {
        let beside = &self.kept.split().beside;
        found.iter().cloned().partition(|(id, _)| !beside.contains(&id.read))
    }

    /// Takes files that have changed; those that are `changing` stay as they were.
    ///
    /// # Errors
    /// A signal, or workers that have failed.
    pub fn update(
        &mut self,
        task: &Task,
        found: &Scan,
        changing: &[PieceId],
    ) -> Result<Next, Failure> {
        let (pieces, beside) = self.parted(found);
        let another = match self.look_beside(task, beside, changing)? {
            Beside::Same => false,
            Beside::New => true,
            Beside::Changing => return Ok(Next::Wait),
            Beside::Other => return Ok(Next::Replan),
            Beside::Bad => {
                self.seen = Some(found.clone());
                return Ok(Next::Wait);
            }
        };
        let again = std::mem::take(&mut self.moved);
        let Reductions { kept, known, bad, versions, .. } = self;
        let mut work = work(kept, known, bad, versions, &pieces, changing);
        if self.set_aside(task, &mut work, &pieces) || self.has_other_types(task, &work) {
            return Ok(Next::Replan);
        }
        if !another && !again && !work.is_some() {
            return Ok(Next::Wait);
        }
        if !self.can(task, &work) {
            (self.seen, self.moved) = (Some(found.clone()), again);
            return Ok(Next::Wait);
        }
        self.recall(task, &mut work)?;
        self.note_beside();
        let (before, more) = self.take(task, work, &pieces)?;
        let mut words = words(&before, &self.known);
        if words.is_empty() {
            words = match (another, again) {
                (true, _) => "a table beside the files is another one".into(),
                (_, true) => "places of rows".into(),
                _ => return Ok(Next::Wait),
            };
        }
        if self.moved || empty(&self.known, &self.kept.split().reads()) {
            return Ok(Next::Wait);
        }
        words += &more;
        if !self.renew(task)? {
            return Ok(Next::Replan);
        }
        match self.kept.behind(&self.physical, task.how.changes) {
            Ok(plan) => Ok(Next::Run((Arc::new(plan), self.kept.options()), words)),
            Err(failure) => {
                task.complain(&failure);
                Ok(Next::Wait)
            }
        }
    }

    /// Tells of files that cannot be taken, once; whether another plan could take them.
    fn set_aside(&mut self, task: &Task, work: &mut Work, pieces: &Scan) -> bool {
        for (id, stamp, why) in std::mem::take(&mut work.bad) {
            // A plan that was just made is the one for these files.
            let old = !self.known.is_empty() && !self.bad.contains_key(&id);
            if old && task.loads() {
                return true;
            }
            self.bad.insert(id, stamp);
            task.console.note(&format!("warning: {why}: left as it was"));
        }
        let there = stamps(pieces);
        self.bad.retain(|id, _| there.contains_key(id));
        false
    }

    /// Whether the values that made a column what it is are gone, and there is a plan without them.
    fn has_other_types(&self, task: &Task, work: &Work) -> bool {
        let other = |(read, types): (usize, Vec<DType>)| self.types_of(read) != Some(&types);
        !self.known.is_empty() && types(&work.known).into_iter().any(other) && task.loads()
    }

    /// The types of what a reader of files reads, as the plan has them.
    fn types_of(&self, read: usize) -> Option<&Vec<DType>> {
        match &self.physical.nodes.get(read)?.op {
            Op::Read(read) => Some(&read.files.as_ref()?.types),
            _ => None,
        }
    }

    /// Whether work can be done now.
    fn can(&self, task: &Task, work: &Work) -> bool {
        let empties = empty(&work.known, &self.kept.split().reads());
        if empties && !work.stuck {
            task.console.note("warning: no files are left: outputs stay as they are");
        }
        !empties && !work.stuck
    }

    /// Looks into the ledger, the first time, and notes there what is begun.
    fn recall(&mut self, task: &Task, work: &mut Work) -> Result<(), Failure> {
        let Some(path) = self.ledger.take() else { return Ok(()) };
        self.kept.recall(&Folder::read(&path, None, false)?, &mut work.come);
        let (tiles, left) = self.kept.tiles(&work.come);
        let (title, pipeline) = (self.physical.title.clone(), task.job.name.clone());
        let run = Record::Run { title, pipeline, now: now(), tiles, left, rows: 0 };
        self.kept.note_run(run, &self.physical);
        Ok(())
    }

    /// Notes in the ledger the files beside those that are reduced, if they are others.
    fn note_beside(&mut self) {
        let now = self.beside.clone().unwrap_or_default();
        self.kept.note_beside(&self.noted, &now);
        self.noted = now;
    }

    /// Takes files and lets go of others; those that were taken before, and what is to be told of it.
    fn take(
        &mut self,
        task: &Task,
        work: Work,
        pieces: &Scan,
    ) -> Result<(BTreeMap<PieceId, Known>, String), Failure> {
        let there = stamps(pieces);
        let still = |id: &PieceId| input_print(&id.path) == there.get(id).copied();
        self.moved = work.moved;
        let mut known = work.known;
        let Updated { refused, recalled, read } = self.kept.update(work.come, work.gone, &still)?;
        for (id, why) in &refused {
            task.console.note(&format!("warning: {why}: left as it was"));
            // Looked at again only if it has changed meanwhile.
            if let Some(stamp) = there.get(id).filter(|_| still(id)) {
                self.bad.insert(id.clone(), *stamp);
            }
            match self.known.get(id) {
                Some(old) => drop(known.insert(id.clone(), old.clone())),
                None => drop(known.remove(id)),
            }
        }
        self.moved &= !refused.is_empty();
        let more = match recalled {
            0 => String::new(),
            _ => format!(" ({recalled} of {} from the ledger)", count(recalled + read, "tile")),
        };
        Ok((std::mem::replace(&mut self.known, known), more))
    }

    /// A plan of the files as they were taken; of all that are there before any is.
    pub(super) fn load(
        &self,
        task: &Task,
        follow: bool,
    ) -> Result<(Option<Plan>, Vec<Diagnostic>), Failure> {
        let known = files(&self.known, &self.physical);
        task.signals.promptly(|| task.job.load_knowing(follow, known))
    }

    /// Makes the plan anew if it depends on something that is another now; false if it has another
    /// form then.
    fn renew(&mut self, task: &Task) -> Result<bool, Failure> {
        let now = missing(&self.known);
        let other = self.missing.replace(now.clone()).is_some_and(|before| before != now);
        let split = self.kept.split();
        let boxes = match (split.grows(), split.boxes()) {
            (true, _) => domains(&self.known),
            (_, true) => self.known.keys().map(|id| (id.clone(), Stamp::default())).collect(),
            _ => Vec::new(),
        };
        let grown = std::mem::replace(&mut self.boxes, boxes) != self.boxes;
        if !other && !grown {
            return Ok(true);
        }
        match self.load(task, false)? {
            (Some(plan), _) if plan.physical.nodes.len() == self.physical.nodes.len() => {
                self.physical = Arc::new(plan.physical);
                Ok(true)
            }
            (Some(_), _) => Ok(false),
            // A file is bad of which there is no memo; what its columns were before will do until it
            // is good.
            (None, _) => Ok(true),
        }
    }
}
