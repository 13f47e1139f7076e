//! The `tidemill` launcher: reads the command line, runs one verb, ends with its exit code.
//!
//! What a program may want to read, results, goes to standard output; all else to standard error.

mod budget;
mod catalogue;
mod clock;
mod job;
mod keep;
mod launch;
mod ledgers;
mod machine;
mod memory;
mod numbers;
mod outputs;
mod pipeline;
mod profile;
mod progress;
mod report;
mod run;
mod say;
mod scaling;
mod scratch;
mod side_file;
mod signals;
mod spread;
mod state;
mod trials;
mod verbs;

use base::{Failure, FailureKind};
use clap::ArgMatches;
use clap::error::ErrorKind;
use engine::panics;
use expr::isa::Isa;
use rustix::process::{Resource, getrlimit};
use std::process::ExitCode;
use std::thread;

#[global_allocator]
static MEMORY: memory::LargePages = memory::LargePages;

/// The least stack on which all works, however deep a file is.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    memory::prepare();
    panics::install();
    match getrlimit(Resource::Stack).current {
        Some(bytes) if bytes < STACK as u64 => on_larger_stack(),
        _ => launch(),
    }
}

/// In a thread of its own, since the first one's stack is limited to less.
fn on_larger_stack() -> ExitCode {
    let thread = thread::Builder::new().name("launcher".into()).stack_size(STACK).spawn(launch);
    match thread.map(|thread| thread.join()) {
        Ok(Ok(code)) => code,
        // It has told all that it could.
        Ok(Err(_)) => ExitCode::from(FailureKind::Internal.exit_code()),
        Err(_) => launch(),
    }
}

/// Does what the command line says; a panic is a mistake in Tidemill, told like any other failure.
fn launch() -> ExitCode {
    panics::enter(panics::Role::Worker);
    let done = panics::catch(|| Ok(work())).unwrap_or_else(|failure| Err(failure.into()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(end) => {
            end.tell();
            ExitCode::from(end.exit_code())
        }
    }
}

fn work() -> Result<(), verbs::End> {
    let matches = match verbs::command().try_get_matches() {
        Ok(matches) => matches,
        Err(e) => return say_of_itself(&e),
    };
    watch_signals(&matches)?;
    Isa::asked().map_err(|e| Failure::new(FailureKind::Pipeline, e))?;
    verbs::dispatch(&matches)
}

/// Whatever else it does, a launcher that gets a signal ends with its exit code.
fn watch_signals(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand_name() == Some(verbs::PROCESS_VERB) {
        true => signals::Signals::ignore(),
        false => signals::Signals::watch().map(drop),
    }
}

/// Help and versions are results; what is wrong with the command line is not.
fn say_of_itself(about: &clap::Error) -> Result<(), verbs::End> {
    let text = about.render().ansi().to_string();
    match about.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(say::help(&text)?),
        _ => {
            say::styled(&text);
            Err(verbs::End::Told(FailureKind::Pipeline.exit_code()))
        }
    }
}
