//! Progress on standard error: a bar on a terminal, a plain line now and then elsewhere.
use crate::numbers::{count, time};
use crate::say;
use base::grouped;
use clap::ValueEnum;
use engine::Done;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plan::physical::{Node, Op, Physical};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};
use tasks::lane::Counted;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// A bar on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// A line every ten seconds; none for runs of less than two.
    Plain,
    /// Nothing.
    None,
}

const FIRST_LINE: Duration = Duration::from_secs(2);
const NEXT_LINE: Duration = Duration::from_secs(10);

/// Shows how many tiles of all are done, or rows where something is done for each.
pub struct Progress {
    total: u64,
    /// What is counted.
    noun: &'static str,
    start: Instant,
    next: Duration,
    bar: Option<ProgressBar>,
    plain: bool,
}

impl Progress {
    /// Nothing done yet of a plan: of `tiles` tiles, or of the rows that something is done for.
    pub fn of(style: Style, physical: &Physical, tiles: u64) -> Progress {
        match rows(physical) {
            Some(rows) => Progress::new(style, rows, "row"),
            None => Progress::new(style, tiles, "tile"),
        }
    }

    /// Nothing is shown.
    pub fn none() -> Progress {
        Progress::new(Style::None, 0, "tile")
    }

    fn new(style: Style, total: u64, noun: &'static str) -> Progress {
        let tty = stderr().is_terminal();
        let bar = matches!((style, tty), (Style::Bar, _) | (Style::Auto, true));
        let plain = matches!((style, tty), (Style::Plain, _) | (Style::Auto, false));
        Progress {
            total,
            noun,
            start: Instant::now(),
            next: FIRST_LINE,
            bar: bar.then(|| new_bar(total, noun)),
            plain,
        }
    }

    /// So much is done. Cheap: call it often.
    pub fn show(&mut self, all: Done) {
        let rows = self.noun == "row";
        let done = if rows { all.rows.done + all.rows.failed } else { all.tiles };
        if let Some(bar) = &self.bar {
            bar.set_position(done.min(self.total));
            if rows {
                bar.set_message(of_rows(all.rows));
            }
        }
        let elapsed = self.start.elapsed();
        if self.plain && elapsed >= self.next {
            self.next = elapsed + NEXT_LINE;
            let more = if rows { of_rows(all.rows) } else { String::new() };
            say::line(&(line(done, self.total, self.noun, elapsed.as_secs_f64()) + &more));
        }
    }

    /// A line of a process, beside the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say::line(line)),
            None => say::line(line),
        }
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// What has become of rows, beside those that are done.
fn of_rows(rows: Counted) -> String {
    let Counted { failed, running, recalled, .. } = rows;
    let more = [(failed, "failed"), (running, "in flight"), (recalled, "done before")];
    let more = more.iter().filter(|(n, what)| *n > 0 || *what == "in flight");
    more.map(|(n, what)| format!(", {} {what}", grouped(*n))).collect()
}

/// The rows that something is done for, where the plan can tell.
pub fn rows(physical: &Physical) -> Option<u64> {
    let nodes = &physical.nodes;
    let of = |node: &Node| {
        let mut at = node;
        loop {
            at = nodes.get(*at.inputs.first()?)?;
            match &at.op {
                Op::Read(read) => return Some(read.tiling.points()),
                Op::Apply(_) | Op::Exchange(_) | Op::Task(_) => {}
                _ => return Some(0),
            }
        }
    };
    let tasks: Vec<u64> =
        nodes.iter().filter(|node| matches!(node.op, Op::Task(_))).filter_map(of).collect();
    (!tasks.is_empty()).then(|| tasks.iter().sum())
}

fn new_bar(total: u64, noun: &str) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let form = format!(
        "{{elapsed_precise}} {{wide_bar}} {{percent}}% {{human_pos}}/{{human_len}} {noun}s{{msg}}, \
         {{per_sec}}, {{eta}} left"
    );
    if let Ok(style) = ProgressStyle::with_template(&form) {
        bar.set_style(style);
    }
    bar
}

fn line(done: u64, total: u64, noun: &str, seconds: f64) -> String {
    let rate = done as f64 / seconds;
    let left = match total.checked_sub(done) {
        Some(left) if done > 0 => format!(", {} left", time(left as f64 / rate)),
        _ => String::new(),
    };
    let percent = (100 * done).checked_div(total).unwrap_or(100);
    let of = count(total, noun);
    format!("{percent}%: {} of {of}, {rate:.1} a second{left}", grouped(done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_rate_and_time_left() {
        assert_eq!(
            line(1000, 4000, "tile", 2.0),
            "25%: 1,000 of 4,000 tiles, 500.0 a second, 6.00 s left"
        );
        assert_eq!(line(0, 10, "tile", 2.0), "0%: 0 of 10 tiles, 0.0 a second");
    }
}
