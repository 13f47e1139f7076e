//! Progress on standard error: a bar on a terminal, a plain line now and then elsewhere.
use crate::numbers::{count, time};
use crate::say;
use base::grouped;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

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

/// Shows how many tiles of all are done.
pub struct Progress {
    total: u64,
    start: Instant,
    next: Duration,
    bar: Option<ProgressBar>,
    plain: bool,
}

impl Progress {
    /// Nothing done yet of `total` tiles.
    pub fn new(style: Style, total: u64) -> Progress {
        let tty = stderr().is_terminal();
        let bar = matches!((style, tty), (Style::Bar, _) | (Style::Auto, true));
        let plain = matches!((style, tty), (Style::Plain, _) | (Style::Auto, false));
        Progress {
            total,
            start: Instant::now(),
            next: FIRST_LINE,
            bar: bar.then(|| new_bar(total)),
            plain,
        }
    }

    /// So many are done. Cheap: call it often.
    pub fn show(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done.min(self.total));
        }
        let elapsed = self.start.elapsed();
        if self.plain && elapsed >= self.next {
            self.next = elapsed + NEXT_LINE;
            say::line(&line(done, self.total, elapsed.as_secs_f64()));
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

fn new_bar(total: u64) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let form = "{elapsed_precise} {wide_bar} {percent}% {human_pos}/{human_len} tiles, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar
}

fn line(done: u64, total: u64, seconds: f64) -> String {
    let rate = done as f64 / seconds;
    let left = match total.checked_sub(done) {
        Some(left) if done > 0 => format!(", {} left", time(left as f64 / rate)),
        _ => String::new(),
    };
    let percent = (100 * done).checked_div(total).unwrap_or(100);
    let of = count(total, "tile");
    format!("{percent}%: {} of {of}, {rate:.1} a second{left}", grouped(done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_rate_and_time_left() {
        assert_eq!(line(1000, 4000, 2.0), "25%: 1,000 of 4,000 tiles, 500.0 a second, 6.00 s left");
        assert_eq!(line(0, 10, 2.0), "0%: 0 of 10 tiles, 0.0 a second");
    }
}
