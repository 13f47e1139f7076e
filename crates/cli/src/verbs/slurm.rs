//! `slurm`: a job script for a pipeline.
use super::{Act, End};
use crate::pipeline::{self, PipelineArgs};
use crate::say::print;
use base::{Failure, grouped};
use clap::Parser;
use plan::Plan;
use plan::physical::{Op, Physical};
use std::num::NonZeroUsize;
use std::path::Path;

/// What one operator takes for a point, in seconds: generously.
const POINT: f64 = 20e-9;
/// What a job takes to start, in seconds: generously.
const START: f64 = 300.0;
/// Times asked for are multiples of this, in seconds.
const STEP: f64 = 300.0;
/// What is asked for beside what the plan reckons with: a quarter.
const SPARE: u64 = 4;
/// Before the wall time, so many seconds, Slurm tells the processes to end in good order.
const WARNING: u64 = 60;

/// Writes a Slurm job script that asks for the cores, memory and time that a pipeline needs
///
/// `tidemill slurm p.yaml -n 8 -w 4 > job.sh && sbatch job.sh`
#[derive(Parser)]
#[command(name = "slurm")]
pub struct Slurm {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Processes, Slurm's tasks
    #[arg(short = 'n', long, value_name = "N", default_value = "1")]
    processes: NonZeroUsize,
    /// Threads in each process, Slurm's CPUs of a task
    #[arg(short = 'w', long, value_name = "N", default_value = "4")]
    threads: NonZeroUsize,
    /// Hosts to spread them over [default: as Slurm likes]
    #[arg(long, value_name = "N")]
    nodes: Option<NonZeroUsize>,
    /// The wall time, as Slurm takes it [default: a generous guess from the plan]
    #[arg(long, value_name = "[D-]H:MM:SS")]
    time: Option<String>,
}

impl Act for Slurm {
    fn act(self) -> Result<(), End> {
        let arguments = arguments(&self.pipeline)?;
        let mut job = self.pipeline.clone().job(self.threads.get())?;
        // Nothing is written now.
        job.dry = true;
        let plan = pipeline::load(&job)?;
        Ok(print(&self.script(&plan, &arguments))?)
    }
}

impl Slurm {
    fn script(&self, plan: &Plan, arguments: &str) -> String {
        let (n, w) = (self.processes.get() as u64, self.threads.get() as u64);
        let memory = megabytes(&plan.physical, w);
        let (time, why) = match &self.time {
            Some(time) => (time.clone(), String::new()),
            None => guess(&plan.physical, n * w),
        };
        let name: String = plan
            .title
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let mut lines = vec![
            "#!/bin/bash".to_owned(),
            format!("#SBATCH --job-name={}", name.trim_matches('-')),
            format!("#SBATCH --ntasks={n}"),
            format!("#SBATCH --cpus-per-task={w}"),
        ];
        lines.extend(self.nodes.map(|nodes| format!("#SBATCH --nodes={nodes}")));
        lines.extend([
            format!("#SBATCH --mem-per-cpu={memory}M"),
            format!("#SBATCH --time={time}{why}"),
            format!("#SBATCH --signal=USR1@{WARNING}"),
        ]);
        for guess in &plan.physical.memory.guesses {
            lines.push(format!("# Not in the memory above, since only the run can tell: {guess}"));
        }
        lines.push(String::new());
        lines.push(
            "# Slurm gives its tasks the cores of the job only if it is told again.".to_owned(),
        );
        lines.push(format!("srun --cpus-per-task={w} tidemill run {arguments}"));
        lines.join("\n") + "\n"
    }
}

/// Megabytes for each thread of a process.
fn megabytes(physical: &Physical, threads: u64) -> u64 {
    let need = physical.memory.process(threads);
    let need = need + need / SPARE;
    // Slurm kills what exceeds its memory at once: not less than 200 MB, in steps of 100.
    need.div_ceil(threads).div_ceil(100_000_000).max(2) * 100
}

/// The wall time to ask for, and a comment on it.
fn guess(physical: &Physical, workers: u64) -> (String, String) {
    let points = |op: &Op| match op {
        Op::Read(read) => {
            let tile: usize = read.tiling.largest().iter().product();
            read.tiling.count().saturating_mul(tile as u64)
        }
        _ => 0,
    };
    let points: u64 =
        physical.nodes.iter().map(|node| points(&node.op)).fold(0, u64::saturating_add);
    let work = points as f64 * physical.nodes.len() as f64 * POINT / workers as f64;
    let seconds = ((START + work) / STEP).ceil() * STEP;
    let minutes = (seconds / 60.0).min(1e7) as u64;
    let time = match minutes / 60 {
        hours @ 0..24 => format!("{hours}:{:02}:00", minutes % 60),
        hours => format!("{}-{:02}:{:02}:00", hours / 24, hours % 24, minutes % 60),
    };
    (time, format!("  # a guess, for {} points at most", grouped(points)))
}

/// The pipeline and what was said with it, as a shell takes it.
fn arguments(pipeline: &PipelineArgs) -> Result<String, Failure> {
    let text = |path: &Path| {
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| Failure::internal(format!("{} is not text", path.display())))
    };
    let mut words = vec![text(&pipeline.file)?];
    for (name, value) in &pipeline.sets {
        words.extend(["--set".to_owned(), format!("{name}={value}")]);
    }
    if let Some(tile) = &pipeline.tile {
        words.extend(["--tile".to_owned(), tile.clone()]);
    }
    if let Some(out) = &pipeline.out {
        words.extend(["--out".to_owned(), text(out)?]);
    }
    for rule in &pipeline.rules.without {
        words.extend(["--without".to_owned(), rule.clone()]);
    }
    if pipeline.overwrite {
        words.push("--overwrite".to_owned());
    }
    if pipeline.deny.is_some() {
        words.push("--deny=warnings".to_owned());
    }
    if pipeline.strict {
        words.push("--strict".to_owned());
    }
    if pipeline.no_calls {
        words.push("--no-calls".to_owned());
    }
    Ok(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
}

/// In quotes, if a shell would take it for anything but a word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_for_a_shell() {
        assert_eq!(quoted("n=1e8"), "n=1e8");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
