//! From a look at the files to outputs that are up to date.
use super::how::How;
use super::pieces::{Known, Work, domains, missing, types, work};
use super::scan::{Scan, Stamp, fresh, readers, scan, settled, stamps};
use super::told::{Console, Told};
use crate::job::{Job, new_run_id, now};
use crate::numbers::{bytes, count, time};
use crate::outputs::Outputs;
use crate::signals::Signals;
use base::{DType, Failure};
use engine::Options;
use engine::incremental::{Kept, PieceId, Split, Updated};
use engine::ledger::{Folder, Record, input_print};
use plan::physical::{Op, Physical};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Time between two looks at signals.
const GLANCE: Duration = Duration::from_millis(50);

/// Why a keeper has ended, if not by a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The pipeline file has been changed.
    Pipeline,
    /// The files that are there now need another plan.
    Plan,
}

/// Keeps the outputs of one plan up to date.
pub struct Keeper<'a> {
    job: &'a Job,
    how: &'a How,
    console: &'a dyn Console,
    signals: &'a Signals,
    /// A plan for the files that are there.
    physical: Arc<Physical>,
    /// Which columns it takes to have missing values.
    missing: Option<BTreeMap<usize, Vec<bool>>>,
    reads: Vec<usize>,
    kept: Option<Kept>,
    known: BTreeMap<PieceId, Known>,
    /// Files beside those that are reduced, as they were when they were read: of tables that are
    /// joined with them, or that are read behind.
    beside: Option<Scan>,
    /// What the boxes of all files together depended on, as far as it counts.
    boxes: Vec<(PieceId, Stamp)>,
    /// For each reader which of these its rows are joined with, counted.
    versions: BTreeMap<usize, u64>,
    /// Files that cannot be taken as they are.
    bad: BTreeMap<PieceId, Stamp>,
    /// The files as they were when all of the plan was run, or when nothing could be done.
    seen: Option<Scan>,
    pipeline: Option<Stamp>,
    /// The ledger, until it has been looked at for the files that are there.
    ledger: Option<PathBuf>,
    /// Whether it has been told that no more is noted.
    warned: bool,
}

impl<'a> Keeper<'a> {
    /// For a plan and, if its reductions are kept up to date, what keeps them.
    pub fn new(
        job: &'a Job,
        how: &'a How,
        console: &'a dyn Console,
        signals: &'a Signals,
        physical: Arc<Physical>,
        kept: Option<Kept>,
    ) -> Keeper<'a> {
        Keeper {
            job,
            how,
            console,
            signals,
            reads: readers(&physical),
            ledger: physical.state.clone().filter(|_| kept.is_some()),
            warned: false,
            physical,
            missing: None,
            kept,
            known: BTreeMap::new(),
            beside: None,
            versions: BTreeMap::new(),
            boxes: Vec::new(),
            bad: BTreeMap::new(),
            seen: None,
            pipeline: input_print(Path::new(&job.name)),
        }
    }

    /// What is kept up to date, for the first line.
    pub fn promise(physical: &Physical) -> String {
        let files = count(scan(physical, &readers(physical)).len() as u64, "file");
        match Split::of(physical) {
            Ok(split) => {
                let mut steps: Vec<String> =
                    split.steps(physical).iter().map(|step| format!("`{step}`")).collect();
                steps.dedup();
                format!("{files}, of which {} is kept up to date", steps.join(", "))
            }
            Err(why) => format!("{files}; a change runs the whole pipeline: {why}"),
        }
    }

    /// Keeps outputs up to date until something ends it.
    ///
    /// # Errors
    /// A signal, workers that have failed, or changes that cannot be told.
    pub fn keep(&mut self, told: &mut Told) -> Result<Ended, Failure> {
        let mut first = true;
        loop {
            if let Some(ended) = self.look(told, first)? {
                return Ok(ended);
            }
            first = false;
            let start = Instant::now();
            while start.elapsed() < self.how.every {
                let stopped = || self.kept.as_ref().and_then(Kept::stopped);
                if let Some(failure) = self.signals.failure().or_else(stopped) {
                    return Err(failure);
                }
                thread::sleep(GLANCE.min(self.how.every));
            }
            if input_print(Path::new(&self.job.name)) != self.pipeline {
                return Ok(Ended::Pipeline);
            }
        }
    }

    /// Looks at the files once, and does what there is to do.
    fn look(&mut self, told: &mut Told, first: bool) -> Result<Option<Ended>, Failure> {
        let look = || scan(&self.physical, &self.reads);
        let found = look();
        if !first && !self.differs(&found) {
            return Ok(None);
        }
        let (found, changing) = match first {
            true if fresh(&found) => settled(look, found, Duration::ZERO),
            true => (found, Vec::new()),
            false => settled(look, found, self.how.settle),
        };
        let start = Instant::now();
        let done = match self.kept.is_some() {
            true => self.update(&found, &changing)?,
            false => self.run_all(&found),
        };
        let Some((plan, words)) = done else { return Ok(None) };
        let Some(plan) = plan else { return Ok(Some(Ended::Plan)) };
        match self.publish(plan) {
            Ok(tables) => told.tell(&tables, self.how, self.console)?,
            Err(failure) if self.signals.failure().is_some() => return Err(failure),
            Err(failure) => self.complain(&failure),
        }
        if !self.how.quiet {
            let seconds = time(start.elapsed().as_secs_f64());
            let kept = self.kept.as_ref().filter(|_| first);
            let kept = kept.map_or(String::new(), |k| match k.on_disk() {
                0 => format!(", {} kept", bytes(k.bytes())),
                disk => format!(", {} kept and {} on disk", bytes(k.bytes()), bytes(disk)),
            });
            self.console.note(&format!("{words}: up to date in {seconds}{kept}"));
        }
        if let Some(why) = self.kept.as_ref().and_then(Kept::unnoted)
            && !std::mem::replace(&mut self.warned, true)
        {
            self.console.note(&format!("warning: no more is noted in the ledger: {why}"));
        }
        Ok(None)
    }

    /// Whether files have changed since they were taken, or were found to be bad.
    fn differs(&self, found: &Scan) -> bool {
        let seen = self.seen.as_ref() == Some(found);
        if self.kept.is_none() || seen {
            return !seen;
        }
        let same = |(id, stamp): &(PieceId, Stamp)| {
            self.bad.get(id) == Some(stamp) || self.known.get(id).is_some_and(|k| k.stamp == *stamp)
        };
        let (pieces, beside) = self.parted(found);
        let there = stamps(&pieces);
        let gone = |id: &PieceId| !there.contains_key(id);
        !pieces.iter().all(same)
            || self.known.keys().any(gone)
            || self.beside.as_ref().is_some_and(|before| *before != beside)
    }

    /// The files that are reduced one by one, and those beside them.
    fn parted(&self, found: &Scan) -> (Scan, Scan) {
        let beside = self.kept.as_ref().map_or(&[][..], |kept| &kept.split().beside);
        found.iter().cloned().partition(|(id, _)| !beside.contains(&id.read))
    }

    /// Reads what stands beside the files that are reduced, if it has changed.
    fn look_beside(&mut self, found: &Scan, changing: &[PieceId]) -> Result<Beside, Failure> {
        let (_, beside) = self.parted(found);
        let Some(kept) = &mut self.kept else { return Ok(Beside::Same) };
        let some_change = beside.iter().any(|(id, _)| changing.contains(id));
        if self.beside.as_ref() == Some(&beside) || some_change && self.beside.is_some() {
            return Ok(Beside::Same);
        }
        if !kept.split().beside.is_empty() || kept.split().joins() {
            let (whole, diagnostics) = self.job.load()?;
            let (Some(fresh), Some(whole)) = (self.job.load_to(true)?.0, whole) else {
                let text = base::render(&self.job.source(), &diagnostics, false);
                self.console.note(&format!("{text}\nwarning: outputs stay as they are"));
                return Ok(Beside::Bad);
            };
            let Some(aside) = kept.aside(&fresh.physical) else { return Ok(Beside::Other) };
            if whole.physical.nodes.len() != self.physical.nodes.len() {
                return Ok(Beside::Other);
            }
            let plan = &aside.physical;
            match crate::run::on_threads(plan, kept.options(), None, self.signals, &mut |_| ()) {
                Ok(_) => {}
                Err(failure) if self.signals.failure().is_some() => return Err(failure),
                Err(failure) => {
                    self.complain(&failure);
                    return Ok(Beside::Bad);
                }
            }
            let now = scan(&self.physical, &kept.split().beside);
            if now != beside {
                return Ok(Beside::Changing);
            }
            for read in kept.take_sides(aside, &beside)? {
                *self.versions.entry(read).or_default() += 1;
            }
            self.physical = Arc::new(whole.physical);
        }
        Ok(match self.beside.replace(beside) {
            Some(_) => Beside::New,
            None => Beside::Same,
        })
    }

    /// Takes changed files; the plan of what is behind them if there is something new, and what it
    /// was. `None` in place of the plan: another one is needed.
    fn update(&mut self, found: &Scan, changing: &[PieceId]) -> Result<Option<Done>, Failure> {
        let beside = match self.look_beside(found, changing)? {
            Beside::Same => false,
            Beside::New => true,
            Beside::Changing => return Ok(None),
            Beside::Other => return Ok(Some((None, String::new()))),
            Beside::Bad => {
                self.seen = Some(found.clone());
                return Ok(None);
            }
        };
        let (pieces, _) = self.parted(found);
        let Some(kept) = &mut self.kept else { return Ok(None) };
        let reads = kept.split().reads();
        let (bad, versions) = (&self.bad, &self.versions);
        let mut work: Work = work(kept, &self.known, bad, versions, &pieces, changing);
        for (id, stamp, why) in std::mem::take(&mut work.bad) {
            // A plan that was just made is the one for these files.
            let old = !self.known.is_empty() && !self.bad.contains_key(&id);
            if old && self.job.load().is_ok_and(|(plan, _)| plan.is_some()) {
                return Ok(Some((None, String::new())));
            }
            self.bad.insert(id, stamp);
            self.console.note(&format!("warning: {why}: left as it was"));
        }
        let stamps = stamps(&pieces);
        self.bad.retain(|id, _| stamps.contains_key(id));
        // The values that made a column what it is may be gone.
        let plan = &self.physical;
        let other = |(read, types): (usize, Vec<DType>)| types_of(plan, read) != Some(&types);
        if !self.known.is_empty()
            && types(&work.known).into_iter().any(other)
            && self.job.load().is_ok_and(|(plan, _)| plan.is_some())
        {
            return Ok(Some((None, String::new())));
        }
        if !work.is_some() && !beside {
            return Ok(None);
        }
        if work.stuck || work.empties(&reads) {
            self.seen = Some(found.clone());
        }
        if work.stuck {
            return Ok(None);
        }
        if work.empties(&reads) {
            self.console.note("warning: no files are left: outputs stay as they are");
            return Ok(None);
        }
        let mut words = work.words();
        if words.is_empty() {
            words = "a table beside the files is another one".into();
        }
        if let Some(path) = self.ledger.take() {
            kept.recall(&Folder::read(&path, None, false)?, &mut work.come);
            let (tiles, left) = kept.tiles(&work.come);
            let run = Record::Run {
                title: self.physical.title.clone(),
                pipeline: self.job.name.clone(),
                now: now(),
                tiles,
                left,
            };
            kept.note_run(run, &self.physical);
        }
        let still = |id: &PieceId| input_print(&id.path) == stamps.get(id).copied();
        let moved = work.moved;
        let Updated { refused, recalled, read } = kept.update(work.come, work.gone, &still)?;
        if recalled > 0 {
            let all = count(recalled + read, "tile");
            words += &format!(" ({recalled} of {all} from the ledger)");
        }
        for (id, why) in &refused {
            self.console.note(&format!("warning: {why}: left as it was"));
            // Looked at again, whatever has become of it.
            match self.known.get(id) {
                Some(old) => drop(work.known.insert(id.clone(), old.clone())),
                None => drop(work.known.remove(id)),
            }
        }
        self.known = work.known;
        if moved && !refused.is_empty() {
            return Ok(None);
        }
        let now = missing(&self.known);
        let other = self.missing.replace(now.clone()).is_some_and(|before| before != now);
        let boxes = match (kept.split().grows(), kept.split().boxes()) {
            (true, _) => domains(&self.known),
            (_, true) => self.known.keys().map(|id| (id.clone(), Stamp::default())).collect(),
            _ => Vec::new(),
        };
        let grown = self.boxes != boxes;
        self.boxes = boxes;
        if other || grown {
            match self.job.load()? {
                (Some(plan), _) if plan.physical.nodes.len() == self.physical.nodes.len() => {
                    self.physical = Arc::new(plan.physical);
                }
                (Some(_), _) => return Ok(Some((None, words))),
                // A file is bad; what its columns were before will do until it is good.
                (None, _) => {}
            }
        }
        match kept.behind(&self.physical, self.how.changes) {
            Ok(plan) => Ok(Some((Some((Arc::new(plan), kept.options())), words))),
            Err(failure) => {
                self.complain(&failure);
                Ok(None)
            }
        }
    }

    /// The whole plan, made anew.
    fn run_all(&mut self, found: &Scan) -> Option<Done> {
        self.seen = Some(found.clone());
        let job = Job { run_id: new_run_id(), now: now(), ..self.job.clone() };
        let loaded = job.load();
        let plan = match loaded {
            Ok((Some(plan), _)) => plan,
            Ok((None, diagnostics)) => {
                let text = base::render(&job.source(), &diagnostics, false);
                self.console.note(&format!("{text}\nwarning: outputs stay as they are"));
                return None;
            }
            Err(failure) => {
                self.complain(&failure);
                return None;
            }
        };
        let mut physical = plan.physical;
        if self.how.changes {
            engine::incremental::show_all(&mut physical);
        }
        let options = Options::of(&physical, self.job.threads);
        let words = count(found.len() as u64, "file");
        Some((Some((Arc::new(physical), options)), words))
    }

    /// Runs a plan, and gives its outputs their names.
    fn publish(&self, (plan, options): Plan) -> Result<Vec<Shown>, Failure> {
        let outputs = Outputs::of(&plan);
        outputs.create()?;
        let tally = crate::run::on_threads(&plan, options, None, self.signals, &mut |_| ())?;
        match &self.kept {
            Some(kept) => drop(kept.commit(&plan)?),
            None => drop(outputs.commit()?),
        }
        Ok(tally.results)
    }

    fn complain(&self, failure: &Failure) {
        let places: Vec<String> = failure.context.iter().map(|p| format!(" (in {p})")).collect();
        let what = format!("{}{}", failure.message, places.concat());
        self.console.note(&format!("warning: {what}: outputs stay as they are"));
    }
}

/// What has become of the files beside those that are reduced.
enum Beside {
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

type Plan = (Arc<Physical>, Options);
type Done = (Option<Plan>, String);
type Shown = (String, base::Schema, Vec<arrow_array::RecordBatch>);

/// The types of what a reader of files reads, as a plan has them.
fn types_of(physical: &Physical, read: usize) -> Option<&Vec<DType>> {
    match &physical.nodes.get(read)?.op {
        Op::Read(read) => Some(&read.files.as_ref()?.types),
        _ => None,
    }
}

/// About how many files a plan reads.
pub fn files(physical: &Physical) -> usize {
    let files = |node: &plan::physical::Node| match &node.op {
        Op::Read(read) => read.files.as_ref().map_or(0, |files| files.files().len()),
        _ => 0,
    };
    physical.nodes.iter().map(files).max().unwrap_or(0)
}
