//! The state of a run: what earlier runs have finished, and where this one notes what it does.
use crate::job::Job;
use crate::pipeline::tell;
use crate::progress::rows;
use crate::report::warnings::line;
use crate::report::{Output, Report, Table};
use crate::say;
use crate::trials::{Believes, Follows, Resumes, stages};
use crate::verbs::End;
use base::{Code, Diagnostic, Failure, FailureKind, Severity, Span, Warning};
use engine::ledger::{
    Book, Folder, Inputs, Kept, Lock, Reason, Record, Survey, compact, is_own, output_print,
    remove_staged, staged,
};
use plan::Plan;
use plan::physical::{Node, Op, Physical};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// Time between two looks at inputs that are being changed, and how many there are.
const PAUSE: Duration = Duration::from_millis(30);
const LOOKS: usize = 100;

/// How many there are where no ledger is kept.
const FEW: usize = 3;

/// With more files of records than this, a watch begins by making one of them.
const FILES: usize = 8;

/// A run that is about to begin.
pub struct Begun {
    /// What it does.
    pub plan: Plan,
    /// The files that it is going to read, as they were when it was planned.
    pub inputs: Inputs,
    /// What it keeps, if it does.
    pub state: Option<State>,
}

/// What a launcher or a process knows of a run that keeps state.
pub struct State {
    folder: PathBuf,
    inputs: Inputs,
    /// What is left to do.
    pub survey: Survey,
    whole: Physical,
    /// What earlier runs have staged: some of it is gone on with.
    staged: BTreeSet<PathBuf>,
    /// Held by the launcher, once there is a folder.
    lock: Option<Lock>,
}

/// Takes the lock of a ledger, for as long as the value lives, and tells what of the ledger is set
/// aside. If it has become many files of records, it keeps what is of use for `plans`.
///
/// # Errors
/// If another run is at work, or the folder cannot be made.
pub fn hold(folder: &Path, plans: impl FnOnce() -> Vec<Physical>) -> Result<Lock, Failure> {
    let lock = Lock::take(folder)?;
    let known = Folder::read(folder, None, true)?;
    warn(&known);
    if known.files.len() > FILES {
        let inputs = |plan: Physical| {
            let inputs = Inputs::of(&plan, SystemTime::now()).ok()??;
            Some((plan, inputs))
        };
        let plans: Vec<(Physical, Inputs)> = plans().into_iter().filter_map(inputs).collect();
        let plans: Vec<(&Physical, &Inputs)> = plans.iter().map(|(p, i)| (p, i)).collect();
        compact(folder, &plans)?;
    }
    Ok(lock)
}

fn warn(known: &Folder) {
    let code = Code::LedgerSetAside.text();
    known.warnings.iter().for_each(|line| say::line(&format!("warning[{code}]: {line}")));
}

/// The plan of a job, and its state if it keeps one. Outputs that are in the way are looked at in
/// the light of the ledger.
///
/// # Errors
/// If the pipeline has mistakes, which are told; if another run is at work on the same outputs.
pub fn begin(job: &mut Job) -> Result<Begun, End> {
    let (plan, inputs) = match load(job)? {
        (Some(plan), inputs, diagnostics) => {
            tell(&job.source(), &diagnostics);
            (plan, inputs)
        }
        (None, _, diagnostics) => {
            job.replace = ours(job, &diagnostics)?;
            let told = match job.replace.is_empty() {
                true => (None, Inputs::default(), diagnostics),
                false => load(job)?,
            };
            tell(&job.source(), &told.2);
            let plan = told.0.ok_or_else(|| crate::pipeline::mistaken(&told.2))?;
            (plan, told.1)
        }
    };
    let Some(folder) = plan.physical.state.clone() else {
        return Ok(Begun { plan, inputs, state: None });
    };
    let lock = folder.exists().then(|| Lock::take(&folder)).transpose()?;
    let known = Folder::read(&folder, None, true)?;
    let mut plan = plan;
    set_aside(job, &mut plan, &known.warnings)?;
    let trial = Resumes::default();
    let all = inputs;
    let survey = Survey::of(&plan.physical, &all, &known, &trial);
    job.stages = stages(&survey, &job.run_id, &trial);
    set_aside(job, &mut plan, &trial.warnings())?;
    let whole = plan.physical.clone();
    let beside = folders(&whole);
    let staged = staged(&known, &|path| path.parent().is_some_and(|p| beside.contains(p)));
    let inputs = survey.inputs.clone();
    let state = State { folder, inputs: all, survey, whole, staged, lock };
    Ok(Begun { plan, inputs, state: Some(state) })
}

/// Tells what of a ledger is not used, at once and at the end of the run.
///
/// # Errors
/// If warnings are to be errors.
fn set_aside(job: &Job, plan: &mut Plan, lines: &[String]) -> Result<(), End> {
    if plan.allow.contains(&Code::LedgerSetAside) {
        return Ok(());
    }
    let warning = |line: &String| Warning::new(Code::LedgerSetAside, line.clone());
    let mut told: Vec<Diagnostic> =
        lines.iter().map(|w| warning(w).diagnostic(Span::default())).collect();
    for diagnostic in &mut told {
        if job.deny_warnings {
            diagnostic.severity = Severity::Error;
        }
        say::line(&line(diagnostic, &job.source()));
    }
    if job.deny_warnings && !told.is_empty() {
        return Err(End::Told(FailureKind::Pipeline.exit_code()));
    }
    plan.warnings.extend(told);
    Ok(())
}

/// The folders of a plan's outputs: what is staged anywhere else is none of its business.
fn folders(physical: &Physical) -> HashSet<PathBuf> {
    let folder = |node: &Node| match &node.op {
        Op::Write(sink) => Some(std::path::absolute(sink.path()).ok()?.parent()?.to_path_buf()),
        _ => None,
    };
    physical.nodes.iter().filter_map(folder).collect()
}

/// The plan of a job and the input files that it was made of, which stayed as they are meanwhile.
type Loaded = (Option<Plan>, Inputs, Vec<Diagnostic>);

fn load(job: &Job) -> Result<Loaded, Failure> {
    for look in 0..LOOKS {
        let now = SystemTime::now();
        let (plan, diagnostics) = job.load()?;
        let Some(plan) = plan else { return Ok((None, Inputs::default(), diagnostics)) };
        if let Some(inputs) = Inputs::of(&plan.physical, now)? {
            return Ok((Some(plan), inputs, diagnostics));
        }
        if plan.physical.state.is_none() && look >= FEW {
            // The clock of their host may be another one; whether they change is asked at the end.
            let inputs = Inputs::now(&plan.physical)?;
            return Ok((Some(plan), inputs, diagnostics));
        }
        sleep(PAUSE);
    }
    Err(Failure::data("the input files are being changed all the time"))
}

/// If nothing is wrong but that outputs exist, and earlier runs of the same pipeline made all of
/// them, and nobody has changed them: these. Else it tells why the ledger cannot say so, if it is
/// the ledger's fault.
fn ours(job: &Job, diagnostics: &[Diagnostic]) -> Result<Vec<PathBuf>, Failure> {
    let mut errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
    if job.state == plan::State::Nowhere || !errors.all(|d| d.code == Code::OutputExists) {
        return Ok(Vec::new());
    }
    let plan = (Job { overwrite: true, ..job.clone() }).load()?.0;
    let Some((plan, folder)) = plan.and_then(|p| p.physical.state.clone().map(|f| (p, f))) else {
        return Ok(Vec::new());
    };
    if let Some(own) = own(&plan.physical)? {
        return Ok(own);
    }
    if !plan.allow.contains(&Code::LedgerSetAside) {
        for why in Folder::read(&folder, None, false)?.faults() {
            let why = format!("{why}: it does not say whose the outputs are that exist already");
            let warning = Warning::new(Code::LedgerSetAside, why).diagnostic(Span::default());
            say::line(&line(&warning, &job.source()));
        }
    }
    Ok(Vec::new())
}

/// The outputs of a plan that are there, if earlier runs made all of them, and nobody has changed
/// them.
///
/// # Errors
/// If the ledger cannot be read.
pub fn own(physical: &Physical) -> Result<Option<Vec<PathBuf>>, Failure> {
    let path = |node: &Node| match &node.op {
        Op::Write(sink) => Some(sink.path().to_path_buf()),
        _ => None,
    };
    let paths = physical.nodes.iter().filter_map(path);
    // Of an object in a store its print says whether it is there.
    let there: Vec<PathBuf> =
        paths.filter(|path| path.exists() || output_print(path).is_some()).collect();
    let Some(folder) = &physical.state else { return Ok(there.is_empty().then_some(there)) };
    let known = Folder::read(folder, None, false)?;
    let own = |path: &PathBuf| is_own(physical, path, &known);
    Ok(there.iter().all(own).then_some(there))
}

impl State {
    /// In a process of a run: what its launcher has found out, found out again.
    ///
    /// # Errors
    /// If the ledger cannot be read, or inputs are gone.
    pub fn join(
        job: &Job,
        physical: &Physical,
        loaded: SystemTime,
    ) -> Result<Option<State>, Failure> {
        let Some(folder) = physical.state.clone() else { return Ok(None) };
        let changed = || Failure::data("the inputs have changed while the processes were starting");
        let inputs = Inputs::of(physical, loaded)?.ok_or_else(changed)?;
        let known = Folder::read(&folder, Some(&job.run_id), false)?;
        let survey = Survey::of(physical, &inputs, &known, &Follows(&job.stages));
        let whole = physical.clone();
        Ok(Some(State { folder, inputs, survey, whole, staged: BTreeSet::new(), lock: None }))
    }

    /// In the launcher, before anything is written.
    ///
    /// # Errors
    /// If another run has begun meanwhile, or the folder cannot be made.
    pub fn make_sure(&mut self) -> Result<(), Failure> {
        if self.lock.is_none() {
            self.lock = Some(Lock::take(&self.folder)?);
        }
        Ok(())
    }

    /// The book of a process of a run.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn book(&self, job: &Job, process: usize) -> Result<Arc<Book>, Failure> {
        Book::begin(&self.folder, &job.run_id, process, &self.survey, &job.stages).map(Arc::new)
    }

    /// In process 0: notes the run, and stages the outputs.
    ///
    /// # Errors
    /// If one cannot be staged.
    pub fn open(&self, book: &Book, job: &Job) -> Result<(), Failure> {
        let run = Record::Run {
            title: self.whole.title.clone(),
            pipeline: job.name.clone(),
            now: job.now.clone(),
            tiles: self.survey.tiles,
            left: self.survey.tiles_left(),
            rows: rows(&self.whole).unwrap_or(0),
        };
        book.open(run, &self.inputs, &self.survey.stages)
    }

    /// How much is left to do, if not all.
    pub fn line(&self) -> Option<String> {
        let (left, all) = (self.survey.tiles_left(), self.survey.tiles);
        let done = |word: &str| Some(format!("{word}: {left} of {all} tiles to do"));
        match self.survey.is_done() {
            true => done("up to date"),
            false if left < all => done("resuming"),
            false => None,
        }
    }

    /// What of the report is known already, put in its place.
    ///
    /// # Errors
    /// If rows of the ledger do not fit the plan.
    pub fn complete(&self, report: &mut Report) -> Result<(), Failure> {
        let mut tables = std::mem::take(&mut report.tables).into_iter();
        let mut outputs = std::mem::take(&mut report.outputs).into_iter();
        for (at, node) in self.whole.nodes.iter().enumerate() {
            let kept = self.survey.kept.iter().find(|kept| kept.node() == at);
            match (&node.op, kept) {
                (Op::Show(show), Some(Kept::Table { tiles, .. })) => {
                    let batches = tiles.iter().map(|tile| tile.to_batch(&node.schema));
                    let batches = batches.collect::<Result<Vec<_>, _>>();
                    let batches = batches.map_err(|e| Failure::internal(e.to_string()))?;
                    report.tables.push(Table::new(&show.name, &node.schema, &batches, show.most));
                }
                (Op::Write(_), Some(Kept::Output { path, files, bytes, .. })) => {
                    let (path, files, bytes) = (path.clone(), *files, *bytes);
                    report.outputs.push(Output { path, files, bytes, kept: true });
                }
                (Op::Show(_), _) => report.tables.extend(tables.next()),
                (Op::Write(_), _) => report.outputs.extend(outputs.next()),
                _ => {}
            }
        }
        Ok(())
    }

    /// When all is done: removes what is still staged. A run that was killed when its outputs had
    /// just got their names has left something.
    ///
    /// # Errors
    /// If the file system does not let it.
    pub fn unstage(&self) -> Result<(), Failure> {
        remove_staged(&self.staged).map(drop)
    }

    /// After a run that ended well: keeps what is of use of the ledger.
    ///
    /// # Errors
    /// If the file system does not let it.
    pub fn tidy(&self) -> Result<(), Failure> {
        compact(&self.folder, &[(&self.whole, &self.inputs)])
    }
}

/// Which tiles a run would do, and why: for each step at which tiles come to last.
///
/// # Errors
/// If the pipeline has mistakes, which are told, or keeps no ledger.
pub fn explain(job: &Job) -> Result<String, End> {
    let (plan, inputs, diagnostics) = load(job)?;
    tell(&job.source(), &diagnostics);
    let plan = plan.ok_or_else(|| crate::pipeline::mistaken(&diagnostics))?;
    let Some(path) = plan.physical.state.as_ref() else {
        return Ok("no ledger is kept: the pipeline has no output\n".to_owned());
    };
    let folder = Folder::read(path, None, false)?;
    let survey = Survey::of(&plan.physical, &inputs, &folder, &Believes);
    let (left, all) = (survey.tiles_left(), survey.tiles);
    let mut text = format!("ledger {}: {left} of {all} tiles to do\n", path.display());
    for kept in &survey.kept {
        let step = &plan.physical.nodes[kept.node()].step;
        let what = match kept {
            Kept::Output { path, .. } => path.display().to_string(),
            Kept::Table { .. } => "its rows".to_owned(),
        };
        text += &format!("{step}: nothing to do, {what} is as it should be\n");
    }
    for progress in &survey.fragments {
        let step = &survey.physical.nodes[progress.node()].step;
        let reasons = survey.reasons(progress, &folder);
        text += &format!("{step}: {} of {} tiles to do\n", reasons.len(), progress.tiles());
        let mut counts: BTreeMap<Reason, usize> = BTreeMap::new();
        reasons.into_iter().for_each(|(_, reason)| *counts.entry(reason).or_default() += 1);
        for (reason, tiles) in counts {
            text += &format!("  {tiles}: {reason}\n");
        }
    }
    for (at, node) in survey.physical.nodes.iter().enumerate() {
        let open = matches!(&node.op, Op::Read(_)) && !survey.fragments.iter().any(|p| p.reads(at));
        if let (true, Op::Read(read)) = (open, &node.op) {
            let tiles = read.tiling.count();
            let why = "what is done with them does not last tile by tile";
            text += &format!("{}: {tiles} of {tiles} tiles to do\n  {tiles}: {why}\n", node.step);
        }
    }
    Ok(text)
}
