//! The verbs: one file each, and one line in the table here.
use crate::say;
use base::Failure;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser};

mod bench;
mod check;
mod clean;
mod doc;
mod explain;
mod list;
mod new;
mod process;
mod run;
mod schema;
mod slurm;
mod status;
mod test;
mod watch;

pub use process::PROCESS_VERB;

/// All verbs, in the order of `--help`.
static VERBS: &[Verb] = &[
    Verb::of::<run::Run>(),
    Verb::of::<watch::Watch>(),
    Verb::of::<check::Check>(),
    Verb::of::<explain::Explain>(),
    Verb::of::<status::Status>(),
    Verb::of::<clean::Clean>(),
    Verb::of::<test::Test>(),
    Verb::of::<bench::Bench>(),
    Verb::of::<list::List>(),
    Verb::of::<doc::Doc>(),
    Verb::of::<schema::Schema>(),
    Verb::of::<new::New>(),
    Verb::of::<slurm::Slurm>(),
    Verb::of::<process::Process>(),
];

/// What a verb's file provides beside its arguments.
trait Act: Parser {
    /// Does it.
    ///
    /// # Errors
    /// Why it did not come to its end.
    fn act(self) -> Result<(), End>;
}

/// Why a verb did not come to its end.
pub enum End {
    /// For this reason, still to be told.
    Failure(Failure),
    /// The reason has been told; the exit code.
    Told(u8),
}

impl End {
    /// Tells the reason on standard error, unless that was done.
    pub fn tell(&self) {
        if let End::Failure(failure) = self {
            say::error(&failure.message);
            failure.context.iter().for_each(|place| say::line(&format!("  in {place}")));
        }
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            End::Failure(failure) => failure.kind.exit_code(),
            End::Told(code) => *code,
        }
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> End {
        End::Failure(failure)
    }
}

/// An entry of the table.
struct Verb {
    command: fn() -> Command,
    act: fn(&ArgMatches) -> Result<(), End>,
}

impl Verb {
    const fn of<V: Act>() -> Verb {
        Verb { command: <V as CommandFactory>::command, act: act::<V> }
    }
}

fn act<V: Act>(matches: &ArgMatches) -> Result<(), End> {
    <V as FromArgMatches>::from_arg_matches(matches).unwrap_or_else(|e| e.exit()).act()
}

/// The whole command line.
pub fn command() -> Command {
    Command::new("tidemill")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs numeric batch work declared in a pipeline file, with the same bits on any number of cores")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(VERBS.iter().map(|v| (v.command)()))
}

/// Runs the verb that was named.
pub fn dispatch(matches: &ArgMatches) -> Result<(), End> {
    let Some((name, arguments)) = matches.subcommand() else { return Err(End::Told(2)) };
    match VERBS.iter().find(|v| (v.command)().get_name() == name) {
        Some(verb) => (verb.act)(arguments),
        None => Err(End::Told(2)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
