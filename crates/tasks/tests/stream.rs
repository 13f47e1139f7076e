//! Programs that batches go through: real ones, and what comes of those that fail.
#![allow(clippy::unwrap_used, clippy::panic)]
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tasks::stream::{Program, Runner, Said};

/// Batches of as many rows as there are numbers, with missing values and texts.
fn batch(from: i64, rows: usize) -> RecordBatch {
    let numbers: Vec<i64> = (from..).take(rows).collect();
    let x: Float64Array =
        numbers.iter().map(|k| (k % 5 != 0).then(|| (*k as f64).sqrt())).collect();
    let s: StringArray = numbers.iter().map(|k| Some("é".repeat((*k % 7) as usize))).collect();
    let columns: [(&str, ArrayRef); 3] =
        [("k", Arc::new(Int64Array::from(numbers))), ("x", Arc::new(x)), ("s", Arc::new(s))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn schema() -> SchemaRef {
    batch(0, 0).schema()
}

fn program(words: &[&str]) -> Program {
    Program {
        file: Path::new("/bin").join(words[0]),
        words: words.iter().map(|w| w.to_string()).collect(),
        arguments: words[1..].iter().map(|w| w.to_string()).collect(),
        takes: schema(),
        gives: None,
        timeout: None,
        retries: 0,
    }
}

fn shell(script: &str) -> Program {
    program(&["sh", "-c", script])
}

struct Talk {
    runner: Runner,
    woken: Receiver<()>,
}

impl Talk {
    fn new(program: Program) -> Talk {
        let (wake, woken) = channel();
        let wake = Box::new(move || wake.send(()).unwrap_or(()));
        Talk { runner: Runner::new(Arc::new(program), wake).unwrap(), woken }
    }

    fn wait(&self) {
        self.woken.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    /// Answers to all of these, three of them in the program at a time.
    fn answers(&self, batches: &[RecordBatch]) -> Result<Vec<RecordBatch>, String> {
        let (mut answers, mut sent) = (Vec::new(), 0);
        while answers.len() < batches.len() {
            while sent < batches.len() && sent < answers.len() + 3 {
                self.runner.send(batches[sent].clone());
                sent += 1;
            }
            match (self.runner.take(), self.runner.end()) {
                (Some(answer), _) => answers.push(answer),
                (None, Some(end)) => return Err(end.unwrap_err()),
                (None, None) => self.wait(),
            }
        }
        Ok(answers)
    }

    fn close(&self) -> Result<Said, String> {
        self.runner.close();
        loop {
            match self.runner.end() {
                Some(end) => return end,
                None => self.wait(),
            }
        }
    }

    fn failed(program: Program) -> String {
        let talk = Talk::new(program);
        match talk.answers(&batches()) {
            Err(why) => why,
            Ok(_) => talk.close().unwrap_err(),
        }
    }
}

fn batches() -> Vec<RecordBatch> {
    (0..6).map(|i| batch(1000 * i, 1000)).collect()
}

#[test]
fn what_goes_through_comes_back_in_order() {
    let talk = Talk::new(program(&["cat"]));
    let mut batches = batches();
    // More than any pipe holds, and nothing at all.
    batches.push(batch(5, 300_000));
    batches.push(batch(0, 0));
    assert_eq!(talk.answers(&batches).unwrap(), batches);
    assert_eq!(talk.close(), Ok(Said::default()));
}

#[test]
fn slices_are_sent_as_what_they_are() {
    let talk = Talk::new(program(&["cat"]));
    let slices: Vec<RecordBatch> = (0..5).map(|i| batch(0, 1000).slice(i * 13, 100 + i)).collect();
    let answers = talk.answers(&slices).unwrap();
    assert_eq!(answers, slices);
    let k = answers[3].column(0).as_primitive::<Int64Type>();
    assert_eq!((k.value(0), k.len()), (39, 103));
    assert!(answers[3].column(1).as_primitive::<Float64Type>().is_valid(0));
}

#[test]
fn a_program_is_started_for_the_first_batch_only() {
    let talk = Talk::new(program(&["no-such-program"]));
    assert_eq!(talk.close(), Ok(Said::default()));
    let why = Talk::failed(program(&["no-such-program"]));
    assert!(why.contains("cannot start `no-such-program`"), "{why}");
}

#[test]
fn each_way_to_fail_is_told_apart() {
    let cases = [
        ("exit 7", "ended with exit code 7"),
        ("head -c 3000; kill -9 $$", "was ended by signal 9 in the middle of an answer"),
        ("head -c 3000", "ended with exit code 0 in the middle of an answer"),
        ("exec >&-; sleep 60", "closed its pipes before it had answered"),
        ("exec <&-; sleep 60", "closed its pipes before it had answered"),
        ("echo hello, world; cat", "wrote what is no Arrow stream, `hello, world\\n"),
        ("head -c 20000 /dev/urandom; cat", "no Arrow stream"),
        ("head -c 2000 /dev/zero; cat", "wrote more behind the end of its stream"),
        ("cat; exit 3", "ended with exit code 3, though all was answered"),
    ];
    for (script, part) in cases {
        let why = Talk::failed(shell(script));
        assert!(why.contains(part), "{script}: {why}");
    }
}

#[test]
fn one_answer_too_many_is_an_error_though_it_comes_last() {
    // The whole stream twice over is no stream; so the last batch is told apart by its length.
    let one = batch(0, 500);
    let folder = tempfile::tempdir().unwrap();
    let stream = folder.path().join("stream");
    let file = std::fs::File::create(&stream).unwrap();
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(file, &schema()).unwrap();
    (0..3).for_each(|_| writer.write(&one).unwrap());
    writer.finish().unwrap();
    let script = format!("cat {}; cat > /dev/null", stream.display());
    let talk = Talk::new(shell(&script));
    talk.answers(&[one.clone(), one]).unwrap();
    let why = talk.close().unwrap_err();
    assert!(why.contains("each batch has exactly one"), "{why}");
}

#[test]
fn the_end_of_standard_error_is_told() {
    let why = Talk::failed(shell("echo first >&2; seq 100000 >&2; echo last words >&2; exit 1"));
    assert!(why.starts_with("ended with exit code 1"), "{why}");
    assert!(
        why.contains(" bytes before]\n") && why.ends_with("99999\n100000\nlast words"),
        "{why}"
    );
    assert!(!why.contains("first") && why.len() < 10_000);
}

#[test]
fn a_flood_on_standard_error_holds_nothing_up() {
    let talk = Talk::new(shell("seq 1000000 >&2; cat"));
    assert_eq!(talk.answers(&batches()).unwrap(), batches());
    let said = talk.close().unwrap();
    assert_eq!((said.lines, said.last.as_str()), (1_000_000, "1000000"));
}

#[test]
fn silence_ends_after_its_time() {
    let begin = Instant::now();
    let timeout = Some(Duration::from_millis(300));
    let why = Talk::failed(Program { timeout, ..shell("head -c 3000; sleep 60") });
    assert!(why.contains("was silent for 0.3 s"), "{why}");
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_batch_is_tried_again_in_a_new_process() {
    let folder = tempfile::tempdir().unwrap();
    let marks = folder.path().join("marks");
    // Fails twice in the middle of its answers, then works.
    let script = format!(
        "echo x >> {0}; if [ $(wc -l < {0}) -lt 3 ]; then head -c 40000; exit 5; fi; cat",
        marks.display()
    );
    let talk = Talk::new(Program { retries: 2, ..shell(&script) });
    assert_eq!(talk.answers(&batches()).unwrap(), batches());
    assert_eq!(talk.close().unwrap().again, 2);
    std::fs::remove_file(&marks).unwrap();
    let why = Talk::failed(Program {
        retries: 1,
        ..shell(&format!("echo x >> {}; exit 5", marks.display()))
    });
    assert!(why.contains("exit code 5") && why.ends_with("(2 attempts)"), "{why}");
    assert_eq!(std::fs::read_to_string(&marks).unwrap().lines().count(), 2);
}

/// Whether a process runs, and has not merely not been waited for.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

#[test]
fn what_is_dropped_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script =
        format!("trap '' TERM HUP; sleep 600 & echo $! $$ > {}; cat; wait", pids.display());
    let talk = Talk::new(shell(&script));
    talk.answers(&[batch(0, 10)]).unwrap();
    let pids = std::fs::read_to_string(&pids).unwrap();
    assert!(pids.split_whitespace().count() == 2 && pids.split_whitespace().all(runs), "{pids}");
    drop(talk);
    let end = Instant::now() + Duration::from_secs(20);
    while pids.split_whitespace().any(runs) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!pids.split_whitespace().any(runs), "{pids}");
}

#[test]
fn a_program_is_asked_for_its_columns() {
    let fields = program(&["cat"]).trial().unwrap();
    let names: Vec<String> = fields.iter().map(|f| format!("{}: {}", f.name, f.dtype)).collect();
    assert_eq!(names, ["k: int64", "x: float64", "s: string"]);
    let why = shell("echo no such module >&2; exit 1").trial().unwrap_err();
    assert!(why.contains("exit code 1") && why.ends_with("no such module"), "{why}");
    let timeout = Some(Duration::from_millis(200));
    let why = Program { timeout, ..shell("sleep 60") }.trial().unwrap_err();
    assert!(why.contains("was silent for 0.2 s"), "{why}");
}
