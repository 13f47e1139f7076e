//! The `tidemill` launcher: reads the command line, runs one verb, ends with its exit code.
//!
//! What a program may want to read, results, goes to standard output; all else to standard error.

mod budget;
mod catalogue;
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
mod scaling;
mod signals;
mod spread;
mod state;
mod trials;
mod verbs;

use base::{Failure, FailureKind};
use expr::isa::Isa;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: memory::LargePages = memory::LargePages;

fn main() -> ExitCode {
    memory::keep_freed();
    let matches = verbs::command().get_matches();
    let asked = Isa::asked().map_err(|e| verbs::End::from(Failure::new(FailureKind::Pipeline, e)));
    match asked.and_then(|_| verbs::dispatch(&matches)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(end) => {
            end.tell();
            ExitCode::from(end.exit_code())
        }
    }
}
