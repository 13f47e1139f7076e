//! The `tidemill` launcher: reads the command line, runs one verb, ends with its exit code.
//!
//! What a program may want to read, results, goes to standard output; all else to standard error.

mod catalogue;
mod job;
mod machine;
mod numbers;
mod outputs;
mod pipeline;
mod progress;
mod report;
mod run;
mod signals;
mod verbs;

use std::process::ExitCode;

fn main() -> ExitCode {
    let matches = verbs::command().get_matches();
    match verbs::dispatch(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(end) => {
            end.tell();
            ExitCode::from(end.exit_code())
        }
    }
}
