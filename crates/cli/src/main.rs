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
use std::path::Path;
use std::process::ExitCode;
use std::thread;

#[global_allocator]
static MEMORY: memory::LargePages = memory::LargePages;

/// The least stack on which all works, however deep a file is.
const STACK: usize = 8 << 20;

/// The hidden verb of the process that ends programs if their caller is killed.
const WARDEN_VERB: &str = "warden-of-calls";

fn main() -> ExitCode {
    // Before all else: it has to be there soon, and needs nothing of a launcher.
    if std::env::args_os().nth(1).is_some_and(|verb| verb == WARDEN_VERB) {
        tasks::warden::main();
        return ExitCode::SUCCESS;
    }
    provide_warden();
    memory::prepare();
    panics::install();
    match getrlimit(Resource::Stack).current {
        Some(bytes) if bytes < STACK as u64 => on_larger_stack(),
        _ => launch(),
    }
}

/// The warden is this very program, even if its file has been replaced since.
fn provide_warden() {
    let own = Path::new("/proc/self/exe");
    let program = if own.exists() { Ok(own.to_path_buf()) } else { std::env::current_exe() };
    if let Ok(program) = program {
        tasks::warden::provide(program, [WARDEN_VERB.into()]);
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
