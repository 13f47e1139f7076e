//! A run of several processes that were each started by something else, perhaps on several hosts:
//! the launcher of process 0 leads, the others follow.
use crate::job::Job;
use crate::launch::{self, Spread};
use crate::machine;
use crate::run::child_program;
use crate::signals::Signals;
use crate::verbs::End;
use base::{Failure, FailureKind};
use engine::links::{Member, PROTOCOL, Secret, listen};
use engine::supervisor::{Agent, Group, gather, turn_away};
use plan::Plan;

/// What the launcher of process 0 has found out when all have joined.
pub struct Led {
    /// The plan.
    pub plan: Plan,
    /// The processes.
    pub group: Group,
    /// Threads of each.
    pub threads: usize,
}

/// In process 0: waits for all others. `load` makes the plan; if it fails, the others are told.
/// `asked` is the number of threads that the user wants.
///
/// # Errors
/// What `load` says; or that a process is missing, or does not fit.
pub fn lead(
    spread: &Spread,
    job: &Job,
    asked: Option<usize>,
    signals: &Signals,
    load: impl FnOnce() -> Result<Plan, End>,
) -> Result<Led, End> {
    let at = spread.addresses.first().map_or("", String::as_str);
    let (listener, address) = listen(&launch::listening(at))?;
    let (secret, posted) = spread.meeting.post(&spread.reached, address.port())?;
    let plan = load();
    let me = member(spread, job, asked, secret);
    let stop = || signals.failure();
    let joined = gather(listener, &me, &spread.addresses, spread.deadline, &stop)?;
    drop(posted);
    let plan = match plan {
        Ok(plan) => plan,
        Err(end) => {
            turn_away(joined, &in_words(&end, &job.name));
            return Err(end);
        }
    };
    let least = joined.iter().map(|j| j.cores).fold(cores(spread), usize::min);
    let threads = asked.unwrap_or(least);
    let (host, reached) = (Some(spread.host.clone()), spread.reached.clone());
    let group = Group { here: 1, joined, host, reached, deadline: spread.deadline };
    Ok(Led { plan, group, threads })
}

/// In the other processes: joins process 0, and stays until the run ends.
///
/// # Errors
/// Why the run ended, the same in all processes.
pub fn follow(
    spread: &Spread,
    job: &Job,
    asked: Option<usize>,
    signals: &Signals,
) -> Result<(), Failure> {
    let stop = || signals.failure();
    let (hub, secret) = spread.meeting.find(spread.deadline, &stop)?;
    let (program, arguments) = child_program()?;
    let rank = spread.ranks.rank;
    let at = spread.addresses.get(rank).map_or("", String::as_str);
    let agent = Agent {
        me: member(spread, job, asked, secret),
        hub,
        host: spread.host.clone(),
        cores: cores(spread),
        listen: launch::listening(at),
        program,
        arguments,
        deadline: spread.deadline,
        grace: spread.grace,
    };
    agent.attend(&stop)
}

fn member(spread: &Spread, job: &Job, asked: Option<usize>, secret: Secret) -> Member {
    Member {
        index: spread.ranks.rank,
        processes: spread.ranks.size,
        threads: asked.unwrap_or(0),
        // Process 0 names the run when all have joined.
        run_id: String::new(),
        plan: job.digest(),
        secret,
        protocol: PROTOCOL,
    }
}

/// The cores of this process.
fn cores(spread: &Spread) -> usize {
    spread.ranks.share(machine::cores().count, machine::all_cores())
}

/// What the others are told where this process has told its user more.
fn in_words(end: &End, file: &str) -> Failure {
    match end {
        End::Failure(failure) => failure.clone(),
        End::Told(code) => {
            let kinds = [FailureKind::Pipeline, FailureKind::Data];
            let kind = kinds.into_iter().find(|k| k.exit_code() == *code);
            let message = format!("process 0 has found mistakes in {file} or its inputs");
            Failure::new(kind.unwrap_or(FailureKind::Internal), message)
        }
    }
}
