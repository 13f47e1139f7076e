//! A program that batches go through, for tests of `stream`: rows of which a column is `k`, an int64.
//!
//! `half`: every second row. `twice`: each row twice. `none`: no rows. `two`: two answers to each
//! batch. `log =FILE`: as it came, and a line for each batch in a file
//! (`=`, since what is done depends on the contents of files that arguments name). `fail N`: it ends on reading
//! its N-th batch, with a message. `once N MARK`: the same, unless the file MARK is there, which it
//! then makes. `slow MS =FILE`: as `log`, after so many milliseconds.
#![allow(clippy::unwrap_used, clippy::panic)]
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use std::fs::OpenOptions;
use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let number = |at: usize| word(at).parse::<u64>().unwrap_or(0);
    let mut writer = None;
    for (i, batch) in StreamReader::try_new(stdin().lock(), None).unwrap().enumerate() {
        let batch = batch.unwrap();
        let last = i as u64 + 1 == number(1);
        match word(0) {
            "fail" if last => end(),
            "once" if last && !Path::new(word(2)).exists() => {
                std::fs::write(word(2), "").unwrap();
                end();
            }
            "log" => log(word(1), batch.num_rows()),
            "slow" => {
                std::thread::sleep(Duration::from_millis(number(1)));
                log(word(2), batch.num_rows());
            }
            _ => {}
        }
        let answer = match word(0) {
            "half" => of(&batch, |k| (k % 2 == 0).then_some(1)),
            "twice" => of(&batch, |_| Some(2)),
            "none" => batch.slice(0, 0),
            _ => batch,
        };
        let writer = writer
            .get_or_insert_with(|| StreamWriter::try_new(stdout(), &answer.schema()).unwrap());
        (0..if word(0) == "two" { 2 } else { 1 }).for_each(|_| writer.write(&answer).unwrap());
        writer.flush().unwrap();
    }
    if let Some(mut writer) = writer {
        writer.finish().unwrap();
    }
}

fn end() {
    let said = b"Traceback (most recent call last):\nValueError: no such value\n";
    std::io::stderr().write_all(said).unwrap();
    std::process::exit(7);
}

fn log(file: &str, rows: usize) {
    let file = file.trim_start_matches('=');
    let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(format!("{rows}\n").as_bytes()).unwrap();
}

/// The column `k`, each value as often as is said.
fn of(batch: &RecordBatch, times: impl Fn(i64) -> Option<usize>) -> RecordBatch {
    let k = batch.column_by_name("k").unwrap().as_primitive::<Int64Type>().values();
    let times = |k: &i64| std::iter::repeat_n(*k, times(*k).unwrap_or(0));
    let k: ArrayRef = Arc::new(k.iter().flat_map(times).collect::<Int64Array>());
    RecordBatch::try_from_iter([("k", k)]).unwrap()
}
