//! The profile as one HTML file that asks for nothing else: the data and what draws them.
use super::Profiled;
use super::sums;
use engine::profile::Worker;
use serde_json::{Value, json};

/// The page without data.
const PAGE: &str = include_str!("page.html");

/// By this a file is known as such a page.
pub const MARK: &str = "<title>Tidemill profile</title>";

/// The page of a run.
pub fn page(profiled: &Profiled) -> String {
    let origin = sums::origin(profiled.profiles);
    let track = |process: usize, shift: u64, worker: &Worker| {
        // Microseconds are as fine as anyone can see; whole numbers keep the file short.
        let at = |nanoseconds: u64| (shift * 1000 + nanoseconds) as f64 / 1e3;
        let span = |s: &engine::profile::Span| {
            json!([s.operator, round(at(s.start)), round(s.time as f64 / 1e3), s.calls])
        };
        json!({
            "name": format!("worker {}", worker.index),
            "process": process,
            "start": round(at(worker.start)),
            "end": round(at(worker.end)),
            "spans": worker.spans.iter().map(span).collect::<Vec<Value>>(),
        })
    };
    let tracks: Vec<Value> = profiled
        .profiles
        .iter()
        .enumerate()
        .flat_map(|(process, profile)| {
            let shift = profile.origin - origin;
            profile.workers.iter().map(move |worker| track(process, shift, worker))
        })
        .collect();
    let data = json!({ "sums": sums::json(profiled), "tracks": tracks }).to_string();
    // Nothing in a title may end the script that holds the data.
    PAGE.replacen("/*DATA*/", &data.replace('<', "\\u003c"), 1)
}

fn round(microseconds: f64) -> f64 {
    (microseconds * 10.0).round() / 10.0
}
