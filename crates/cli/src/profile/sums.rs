//! What all workers of all processes did: sums for each operator, and shares of the time.
use super::Profiled;
use engine::profile::{Amount, Profile};
use serde_json::{Value, json};

/// What an operator did in all workers.
pub struct Line {
    /// The step and what is done for it.
    pub name: String,
    /// The same kind of work has the same colour.
    pub kind: String,
    /// Seconds in it, all workers together.
    pub seconds: f64,
    /// How often it was called.
    pub activations: u64,
    /// What came in.
    pub taken: Amount,
    /// What went out.
    pub given: Amount,
    /// Seconds in it in each worker.
    pub workers: Vec<f64>,
}

/// Shares of the workers' time, from 0 to 1; together 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// In operators that read, compute and write.
    pub work: f64,
    /// In operators that send and receive tiles.
    pub exchange: f64,
    /// Between operators.
    pub engine: f64,
    /// With nothing to do.
    pub wait: f64,
}

/// The name of an operator.
pub fn name(step: &str, kind: &str) -> String {
    if step == kind { step.to_owned() } else { format!("{step}: {kind}") }
}

/// A line for each operator, in the order of the plan.
pub fn lines(profiles: &[Profile]) -> Vec<Line> {
    let operators = profiles.first().map_or(&[][..], |p| &p.operators);
    let line = |(at, operator): (usize, &engine::profile::Operator)| {
        let mut line = Line {
            name: name(&operator.step, &operator.kind),
            kind: operator.kind.clone(),
            seconds: 0.0,
            activations: 0,
            taken: Amount::default(),
            given: Amount::default(),
            workers: Vec::new(),
        };
        for counts in profiles.iter().flat_map(|p| &p.workers).filter_map(|w| w.counts.get(at)) {
            let seconds = counts.nanoseconds as f64 / 1e9;
            line.seconds += seconds;
            line.workers.push(seconds);
            line.activations += counts.activations;
            line.taken.add(counts.taken);
            line.given.add(counts.given);
        }
        line
    };
    operators.iter().enumerate().map(line).collect()
}

impl Shares {
    /// Those of a run.
    pub fn of(profiles: &[Profile]) -> Shares {
        let mut shares = Shares::default();
        for profile in profiles {
            for worker in &profile.workers {
                shares.wait += worker.wait as f64;
                shares.engine += worker.engine as f64;
                for (operator, counts) in profile.operators.iter().zip(&worker.counts) {
                    let time = counts.nanoseconds as f64;
                    match operator.exchanges() {
                        true => shares.exchange += time,
                        false => shares.work += time,
                    }
                }
            }
        }
        let all = shares.work + shares.exchange + shares.engine + shares.wait;
        let share = |time: f64| if all > 0.0 { time / all } else { 0.0 };
        Shares {
            work: share(shares.work),
            exchange: share(shares.exchange),
            engine: share(shares.engine),
            wait: share(shares.wait),
        }
    }

    fn json(&self) -> Value {
        let Shares { work, exchange, engine, wait } = self;
        json!({ "work": work, "exchange": exchange, "engine": engine, "wait": wait })
    }
}

/// All sums as JSON: times in seconds, for programs that read a profile.
pub fn json(profiled: &Profiled) -> Value {
    let amount = |a: Amount| json!({ "tiles": a.tiles, "rows": a.rows, "bytes": a.bytes });
    let line = |l: &Line| {
        json!({
            "name": l.name, "kind": l.kind, "seconds": l.seconds, "activations": l.activations,
            "in": amount(l.taken), "out": amount(l.given), "workers": l.workers,
        })
    };
    let lines = lines(profiled.profiles);
    let operators: Vec<Value> = lines.iter().map(line).collect();
    let workers: Vec<Value> = profiled
        .profiles
        .iter()
        .enumerate()
        .flat_map(|(process, profile)| profile.workers.iter().map(move |w| (process, w)))
        .map(|(process, w)| {
            let busy: u64 = w.counts.iter().map(|c| c.nanoseconds).sum();
            let seconds = |n: u64| n as f64 / 1e9;
            json!({
                "process": process, "worker": w.index, "seconds": seconds(w.end - w.start),
                "operators": seconds(busy), "engine": seconds(w.engine), "wait": seconds(w.wait),
                "merged_within": seconds(w.grain),
            })
        })
        .collect();
    json!({
        "title": profiled.title,
        "version": env!("CARGO_PKG_VERSION"),
        "seconds": profiled.summary.seconds,
        "tiles": profiled.summary.tiles,
        "processes": profiled.summary.processes,
        "shares": Shares::of(profiled.profiles).json(),
        "operators": operators,
        "workers": workers,
    })
}

/// The earliest time 0 of the processes, in microseconds since 1970.
pub fn origin(profiles: &[Profile]) -> u64 {
    profiles.iter().map(|p| p.origin).min().unwrap_or(0)
}
