//! Outputs that are kept up to date by several processes: the first one looks at the files, all
//! read those that have changed, and the first one writes the outputs.
use super::console::{Console, Terminal};
use super::how::How;
use super::keeper::{Ended, Keeper, files};
use super::shown::Shown;
use super::task::Task;
use crate::job::Job;
use crate::run::child_program;
use crate::say;
use crate::signals::Signals;
use base::Failure;
use engine::deal::Dealer;
use engine::incremental::{Kept, Ledger, Scale, Split, serve};
use engine::links::digest;
use engine::supervisor::{Child, Crew, Group, News, Word, supervise};
use engine::{GRACE, Mesh, Options, Watch};
use plan::physical::{Op, Physical};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::Arc;

/// Keeps outputs up to date in several processes, which this one only supervises.
///
/// # Errors
/// The first failure of any of them, or a signal.
pub fn together(
    job: &Job,
    physical: &Physical,
    processes: usize,
    signals: &Signals,
    terminal: &Terminal,
) -> Result<Ended, Failure> {
    let (program, arguments) = child_program()?;
    let crew = Crew {
        group: Group::here(processes),
        run_id: job.run_id.clone(),
        job: job.assignment(physical)?,
        program,
        arguments,
        dealer: Dealer::new(physical, &[], processes, job.threads),
        grace: GRACE,
        accept: None,
    };
    let failed: RefCell<Option<Failure>> = RefCell::default();
    let mut news = |news| match news {
        News::Done(_) => {}
        News::Line { process, line, .. } => say::line(&format!("[{process}] {line}")),
        News::Print(text) => {
            if let Err(failure) = terminal.print(&text) {
                failed.borrow_mut().get_or_insert(failure);
            }
        }
        News::Tables(tables) => {
            let shown = decode(&tables).and_then(|tables| terminal.tables(tables));
            if let Err(failure) = shown {
                failed.borrow_mut().get_or_insert(failure);
            }
        }
        News::Note(line) => terminal.note(&line),
    };
    let stop = || failed.borrow().clone().or_else(|| signals.failure());
    let outcome = supervise(crew, &stop, &mut news);
    if let Some(failure) = failed.take() {
        return Err(failure);
    }
    let outcome = outcome?;
    let plan = outcome.finished.first().is_some_and(|said| said["ended"] == "plan");
    Ok(if plan { Ended::Plan } else { Ended::Pipeline })
}

/// Tables that a child has said.
fn decode(tables: &Value) -> Result<Vec<Shown>, Failure> {
    let list = tables.as_array().and_then(|list| list.iter().map(Shown::decode).collect());
    list.ok_or_else(|| Failure::internal("a process has said what are no tables"))
}

/// The launcher of a child.
struct Launcher<'a>(&'a Child);

impl Console for Launcher<'_> {
    fn print(&self, text: &str) -> Result<(), Failure> {
        self.0.say(&Word::Print(text.to_owned()));
        Ok(())
    }

    fn tables(&self, tables: Vec<Shown>) -> Result<(), Failure> {
        self.0.say(&Word::Tables(tables.iter().map(Shown::encode).collect()));
        Ok(())
    }

    fn note(&self, line: &str) {
        self.0.say(&Word::Note(line.to_owned()));
    }
}

/// Does the part of one process.
///
/// # Errors
/// The first failure.
pub fn obey(child: &Child, watch: &Arc<Watch>, job: &Job, how: &How) -> Result<(), Failure> {
    let changed = || Failure::data("the inputs have changed while the processes were starting");
    let loose = job.load_to(true)?.0.ok_or_else(changed)?;
    child.planned();
    let assignment = child.assignment();
    let physical = Arc::new(loose.physical);
    let mesh = Mesh {
        index: assignment.index,
        processes: assignment.processes,
        sockets: child.link(job.threads, meaning(&physical))?,
        asking: Child::asking(),
    };
    let options = Options { mesh: Some(mesh), ..Options::of(&physical, job.threads) };
    let options = job.budget.options(options, &physical, job.out.as_deref())?;
    let (run, process) = (job.run_id.clone(), assignment.index);
    let ledger = physical.state.clone().map(|folder| Ledger { folder, run, process });
    // The same in all of them, whatever files have come meanwhile.
    let scale = Scale { files: how.files, on_disk: how.on_disk };
    let said = if assignment.index == 0 {
        let whole = Arc::new(job.load()?.0.ok_or_else(changed)?.physical);
        let kept = Kept::start(
            physical,
            scale,
            options,
            ledger.as_ref(),
            watch.clone(),
            Box::new(|| None),
        )?;
        let (console, signals) = (Launcher(child), Signals::default());
        let task = Task { job, how, console: &console, signals: &signals };
        let mut keeper = Keeper::new(task, whole, Some(kept));
        let ended = keeper.keep()?;
        drop(keeper);
        json!({ "ended": if ended == Ended::Plan { "plan" } else { "pipeline" } })
    } else {
        serve(physical, scale, options, ledger.as_ref(), watch.clone())?;
        Value::Null
    };
    child.finish(said, Value::Null, |_| Ok(Value::Null))
}

/// What stands for the plan and the columns of its files, which must be the same everywhere.
fn meaning(physical: &Physical) -> [u8; 32] {
    let mut text = format!("{:?}", physical.hash);
    for node in &physical.nodes {
        if let Op::Read(read) = &node.op
            && let Some(source) = &read.source
        {
            let fields = source.schema().fields.iter();
            fields.for_each(|f| text += &format!("{} {:?} {:?};", f.name, f.dtype, f.mask));
        }
    }
    digest(text.as_bytes())
}

/// Whether several processes can share the work of a plan, or why not.
///
/// # Errors
/// If they cannot.
pub fn shared(physical: &Physical) -> Result<usize, Failure> {
    match Split::of(physical) {
        Ok(_) => Ok(files(physical)),
        Err(why) => Err(Failure::new(
            base::FailureKind::Pipeline,
            format!("a change runs the whole pipeline ({why}): leave out -n"),
        )),
    }
}
