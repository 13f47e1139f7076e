//! How a pipeline's time falls with threads and processes: a table, JSON, and a picture.
mod plot;

pub use plot::{MARK, plot};

use crate::numbers::time;
use crate::profile::Shares;
use crate::report::{Report, Table, harmless, json_row};
use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::{Alignment, Padding, Style};

/// Runs with so many threads and processes.
#[derive(Clone, Debug, Default)]
pub struct Combination {
    /// Threads in each process.
    pub threads: usize,
    /// Processes.
    pub processes: usize,
    /// Seconds of each run.
    pub times: Vec<f64>,
    /// What the time of all its workers went into, of each run.
    shares: Vec<Shares>,
    /// The results of the first run, as text that tells all bits apart.
    results: Option<String>,
    /// Whether all its runs had the same results.
    steady: bool,
}

impl Combination {
    /// None run yet.
    pub fn new(threads: usize, processes: usize) -> Combination {
        Combination { threads, processes, steady: true, ..Combination::default() }
    }

    /// All workers.
    pub fn workers(&self) -> usize {
        self.threads * self.processes
    }

    /// Adds a run.
    pub fn add(&mut self, report: &Report) {
        self.times.push(report.summary.seconds);
        self.shares.push(Shares::of(&report.profiles));
        let rows = |t: &Table| t.rows().map(|row| json_row(&t.columns, &row)).collect::<String>();
        let results: String = report.tables.iter().map(rows).collect();
        self.steady &= *self.results.get_or_insert(results.clone()) == results;
    }

    /// The median of the times.
    pub fn median(&self) -> f64 {
        median(self.times.clone())
    }

    fn share(&self, of: fn(&Shares) -> f64) -> f64 {
        median(self.shares.iter().map(of).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// All combinations of a pipeline.
pub struct Scaling {
    /// The pipeline's title.
    pub title: String,
    /// In the order in which they were asked for.
    pub combinations: Vec<Combination>,
}

impl Scaling {
    /// How many times faster than with the fewest workers, times those.
    pub fn speedup(&self, combination: &Combination) -> f64 {
        let base = self.combinations.iter().min_by_key(|c| (c.workers(), c.processes));
        base.map_or(f64::NAN, |b| b.median() * b.workers() as f64 / combination.median())
    }

    /// Whether all runs had the same results, to the bit.
    pub fn agrees(&self) -> bool {
        let mut all = self.combinations.iter();
        let first = all.next().map(|c| &c.results);
        self.combinations.iter().all(|c| c.steady) && all.all(|c| Some(&c.results) == first)
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut builder = Builder::default();
        builder.push_record([
            "processes",
            "threads",
            "time",
            "min",
            "max",
            "speed-up",
            "efficiency",
            "exchange",
            "wait",
        ]);
        for c in &self.combinations {
            let speedup = self.speedup(c);
            let (low, high) = c.range();
            builder.push_record([
                c.processes.to_string(),
                c.threads.to_string(),
                time(c.median()),
                time(low),
                time(high),
                format!("{speedup:.2}"),
                percent(speedup / c.workers() as f64),
                percent(c.share(|s| s.exchange)),
                percent(c.share(|s| s.wait)),
            ]);
        }
        let mut table = builder.build();
        table.with(Style::blank()).with(Padding::new(0, 1, 0, 0));
        table.modify(Columns::new(..).intersect(Rows::new(..)), Alignment::right());
        let text = table.to_string();
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// For programs.
    pub fn json(&self) -> String {
        let one = |c: &Combination| {
            let speedup = self.speedup(c);
            json!({
                "processes": c.processes,
                "threads": c.threads,
                "seconds": c.median(),
                "times": c.times,
                "speedup": speedup,
                "efficiency": speedup / c.workers() as f64,
                "exchange": c.share(|s| s.exchange),
                "wait": c.share(|s| s.wait),
            })
        };
        let all: Vec<Value> = self.combinations.iter().map(one).collect();
        let agrees = self.agrees();
        let all = json!({ "title": self.title, "same_results": agrees, "combinations": all });
        harmless(all.to_string())
    }
}

impl Combination {
    fn range(&self) -> (f64, f64) {
        let fold = |f: fn(f64, f64) -> f64, start| self.times.iter().copied().fold(start, f);
        (fold(f64::min, f64::INFINITY), fold(f64::max, 0.0))
    }
}

fn percent(share: f64) -> String {
    format!("{:.*} %", usize::from(share < 0.0995), 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaling() -> Scaling {
        let timed = |threads, processes, times: &[f64]| Combination {
            times: times.to_vec(),
            shares: vec![Shares { wait: 0.25, ..Shares::default() }],
            ..Combination::new(threads, processes)
        };
        let combinations = vec![timed(1, 1, &[2.0, 4.0, 3.0]), timed(2, 1, &[2.0, 1.0])];
        Scaling { title: "A <series>".into(), combinations }
    }

    #[test]
    fn medians_speed_up_and_efficiency() {
        insta::assert_snapshot!(scaling().table(), @r"
        processes  threads    time     min     max  speed-up  efficiency  exchange  wait
                1        1  3.00 s  2.00 s  4.00 s      1.00       100 %     0.0 %  25 %
                1        2  1.50 s  1.00 s  2.00 s      2.00       100 %     0.0 %  25 %
        ");
    }

    #[test]
    fn other_results_are_noticed() {
        let mut scaling = scaling();
        assert!(scaling.agrees());
        scaling.combinations[1].results = Some("[]".into());
        assert!(!scaling.agrees());
    }

    #[test]
    fn a_picture_has_every_combination() {
        let svg = plot(&scaling());
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("A &lt;series&gt;"));
    }
}
