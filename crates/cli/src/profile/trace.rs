//! The profile in the Trace Event Format (JSON object form): a process for each process, a thread
//! for each worker, a complete event (`X`) for each time an operator ran, in microseconds.
//!
//! Beside `traceEvents`, under `tidemill`, stand the sums for programs that read them.
use super::Profiled;
use super::sums::{self, name};
use engine::profile::{Profile, Worker};
use serde_json::{Value, json};

/// By this a file is known as a trace of this kind.
pub const MARK: &str = r#""otherData":{"generator":"tidemill""#;

/// The trace of a run.
pub fn trace(profiled: &Profiled) -> String {
    let origin = sums::origin(profiled.profiles);
    let mut events = Vec::new();
    for (process, profile) in profiled.profiles.iter().enumerate() {
        let name = format!("tidemill process {process}");
        events.push(meta("process_name", process, 0, json!({ "name": name })));
        events.push(meta("process_sort_index", process, 0, json!({ "sort_index": process })));
        for worker in &profile.workers {
            let thread = json!({ "name": format!("worker {}", worker.index) });
            events.push(meta("thread_name", process, worker.index, thread));
            let order = json!({ "sort_index": worker.index });
            events.push(meta("thread_sort_index", process, worker.index, order));
            runs(profile, process, worker, origin, &mut events);
        }
    }
    let merged = profiled.profiles.iter().flat_map(|p| &p.workers).map(|w| w.grain).max();
    let note = match merged {
        Some(grain) if grain > 0 => format!(
            "there were too many events: those of an operator within {} µs are merged into one, \
             laid one after the other; no time is lost",
            grain.div_ceil(1000)
        ),
        _ => "every event is here".to_owned(),
    };
    let trace = json!({
        "displayTimeUnit": "ms",
        "otherData": { "generator": "tidemill", "title": profiled.title, "note": note },
        "tidemill": sums::json(profiled),
        "traceEvents": events,
    });
    trace.to_string() + "\n"
}

fn meta(name: &str, process: usize, thread: usize, args: Value) -> Value {
    json!({ "ph": "M", "name": name, "pid": process, "tid": thread, "ts": 0, "args": args })
}

fn runs(profile: &Profile, process: usize, worker: &Worker, origin: u64, events: &mut Vec<Value>) {
    let shift = (profile.origin - origin) as f64;
    for span in &worker.spans {
        let Some(operator) = profile.operators.get(span.operator as usize) else { continue };
        events.push(json!({
            "ph": "X",
            "name": name(&operator.step, &operator.kind),
            "cat": operator.kind,
            "pid": process,
            "tid": worker.index,
            "ts": shift + span.start as f64 / 1e3,
            "dur": span.time as f64 / 1e3,
            "args": { "calls": span.calls },
        }));
    }
}
