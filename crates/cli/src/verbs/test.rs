//! `test`: runs the tests that stand in pipeline files, on the real engine.
use super::{Act, End};
use crate::job;
use crate::machine;
use crate::numbers::count;
use crate::outputs::Outputs;
use crate::pipeline::{self, RuleArgs};
use crate::run::on_threads;
use crate::say::print;
use crate::scratch::Scratch;
use crate::signals::Signals;
use arrow_array::RecordBatch;
use base::{Failure, FailureKind, Source, grouped};
use clap::Parser;
use engine::Options;
use engine::ledger::Inputs;
use plan::LoadOptions;
use plan::tests::Test as Case;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Runs the tests inside pipeline files
///
/// Outputs go to a temporary folder, whatever their names say, and nothing else is touched. Exit code 3 if a test fails, 2 if a file has mistakes.
#[derive(Parser)]
#[command(name = "test")]
pub struct Test {
    /// Pipeline files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Threads [default: all cores that the job may use]
    #[arg(short = 'w', long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    rules: RuleArgs,
    /// A test fails whose arithmetic goes wrong, as a run with --strict does
    #[arg(long)]
    strict: bool,
    /// Refuses pipelines that start programs of their own
    #[arg(long)]
    no_calls: bool,
}

impl Act for Test {
    fn act(self) -> Result<(), End> {
        let signals = Signals::watch()?;
        let threads = self.threads.map_or_else(|| machine::cores().count, NonZeroUsize::get);
        let without = job::rules(&self.rules.without)?;
        let (strict, no_calls) = (self.strict, self.no_calls);
        let bench = Bench { threads, without, strict, no_calls, signals: &signals };
        let mut score = Score::default();
        for name in &self.files {
            bench.file(name, &mut score)?;
        }
        score.end()
    }
}

/// How tests went so far.
#[derive(Default)]
struct Score {
    passed: u64,
    failed: u64,
    /// Files that could not be tested.
    mistaken: u64,
}

impl Score {
    fn end(&self) -> Result<(), End> {
        let tests = count(self.passed + self.failed, "test");
        let mistaken = match self.mistaken {
            0 => String::new(),
            n => format!(", {} not run for mistakes in the pipeline", grouped(n)),
        };
        print(&format!("{tests}: {} passed, {} failed{mistaken}\n", self.passed, self.failed))?;
        match (self.mistaken, self.failed) {
            (0, 0) => Ok(()),
            (0, _) => Err(End::Told(FailureKind::Data.exit_code())),
            _ => Err(End::Told(FailureKind::Pipeline.exit_code())),
        }
    }
}

/// What all tests run on.
struct Bench<'a> {
    threads: usize,
    without: Vec<&'static str>,
    strict: bool,
    no_calls: bool,
    signals: &'a Signals,
}

impl Bench<'_> {
    fn file(&self, file: &Path, score: &mut Score) -> Result<(), End> {
        let Ok(text) = pipeline::read(file) else {
            score.mistaken += 1;
            return Ok(());
        };
        let source = Source::new(file.to_string_lossy().into_owned(), text);
        let cases = match plan::load_tests(&source) {
            Ok(cases) => cases,
            Err(diagnostics) => {
                pipeline::tell(&source, &diagnostics);
                score.mistaken += 1;
                return Ok(());
            }
        };
        for case in &cases {
            self.case(&source, case, score)?;
        }
        Ok(())
    }

    fn case(&self, source: &Source, case: &Case, score: &mut Score) -> Result<(), End> {
        let scratch = Scratch::new(&std::env::temp_dir(), "test")?;
        let options = self.options(scratch.path());
        let (plan, diagnostics) = plan::load_test(source, case, &options);
        let title = format!("{} … {}", source.name, case.name);
        let Some(plan) = plan else {
            print(&format!("{title}: FAILED\n"))?;
            pipeline::tell(source, &diagnostics);
            score.mistaken += 1;
            return Ok(());
        };
        self.signals.begin();
        let results = self.run(plan.physical);
        self.signals.end();
        let differences = match results {
            Ok(results) => case.differences(&results),
            Err(failure) => vec![failure.to_string()],
        };
        if differences.is_empty() {
            score.passed += 1;
            print(&format!("{title}: ok\n"))?;
        } else {
            score.failed += 1;
            let (line, _) = source.line_column(case.span.start as usize);
            let lines: String = differences.iter().map(|d| format!("    {d}\n")).collect();
            print(&format!("{title}: FAILED (line {line})\n{lines}"))?;
        }
        Ok(())
    }

    fn options(&self, scratch: &Path) -> LoadOptions {
        LoadOptions {
            scratch: Some(scratch.to_owned()),
            without: self.without.clone(),
            strict: self.strict,
            no_calls: self.no_calls,
            run_id: job::new_run_id(),
            now: job::now(),
            ..LoadOptions::default()
        }
    }

    fn run(&self, physical: plan::Physical) -> Result<Vec<(String, Vec<RecordBatch>)>, Failure> {
        let inputs = Inputs::now(&physical)?;
        let outputs = Outputs::of(&physical);
        outputs.create()?;
        let options = Options::of(&physical, self.threads);
        let tally = on_threads(&physical, options, None, self.signals, &mut |_| {})?;
        inputs.check()?;
        outputs.commit()?;
        Ok(tally.results.into_iter().map(|(name, _, batches)| (name, batches)).collect())
    }
}
