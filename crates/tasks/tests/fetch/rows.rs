//! Runs downloads for rows and reads what comes of them.
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tasks::fetch::{Fetch, Spec};
use tasks::work::{Answer, Made, Rows, Work};
use tasks::{Piece, Template, format::Format, runtime};
use tokio::sync::watch;

/// What has come of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub status: Option<i64>,
    pub bytes: Option<i64>,
    pub attempts: Option<i64>,
    pub seconds: f64,
    pub body: Option<String>,
    pub error: Option<String>,
    pub made: Vec<Made>,
}

impl Row {
    pub fn error(&self) -> &str {
        self.error.as_deref().unwrap_or("no error")
    }
}

/// A template of a column.
pub fn column(at: usize) -> Template {
    Template(vec![Piece::Column { at, format: Format::default() }])
}

/// A quick and patient client: short waits, four retries.
pub fn spec() -> Spec {
    Spec {
        url: column(0),
        wait: Duration::from_millis(1),
        stall: Duration::from_millis(500),
        ..Spec::default()
    }
}

/// The same, into the file of a second column.
pub fn to_file() -> Spec {
    Spec { to: Some(column(1)), ..spec() }
}

pub fn batch(rows: &[(&str, &Path)]) -> Arc<RecordBatch> {
    let url: ArrayRef = Arc::new(rows.iter().map(|(url, _)| Some(*url)).collect::<StringArray>());
    let to: StringArray = rows.iter().map(|(_, to)| Some(to.to_str().unwrap())).collect();
    let columns = [("url", url), ("to", Arc::new(to) as ArrayRef)];
    Arc::new(RecordBatch::try_from_iter(columns).unwrap())
}

/// Runs all rows side by side, each as a start of its own.
pub fn run(spec: Spec, rows: &[(&str, &Path)]) -> Vec<Row> {
    run_with(Fetch::new(spec), rows)
}

pub fn run_with(fetch: Fetch, rows: &[(&str, &Path)]) -> Vec<Row> {
    let fetch = Arc::new(fetch);
    let batch = batch(rows);
    let (_stop, stopped) = watch::channel(false);
    let handle = runtime::handle().unwrap();
    let starts: Vec<_> = (0..rows.len())
        .map(|first| {
            let (fetch, stopped) = (fetch.clone(), stopped.clone());
            let rows = Rows { batch: batch.clone(), first, count: 1 };
            handle.spawn(async move { fetch.run(rows, stopped).await })
        })
        .collect();
    let wait = async {
        let mut answers = Vec::new();
        for start in starts {
            answers.push(read(&start.await.unwrap()));
        }
        answers
    };
    handle.block_on(async { tokio::time::timeout(Duration::from_secs(100), wait).await }).unwrap()
}

/// Runs a row.
pub fn one(spec: Spec, url: &str, to: &Path) -> Row {
    run(spec, &[(url, to)]).remove(0)
}

/// Runs a row into a text.
pub fn text(spec: Spec, url: &str) -> Row {
    one(spec, url, Path::new(""))
}

pub fn read(answer: &Answer) -> Row {
    let int = |i: usize| {
        let column = answer.columns[i].as_primitive::<Int64Type>();
        column.is_valid(0).then(|| column.value(0))
    };
    let body = answer.columns.get(4).map(|column| column.as_string::<i32>());
    Row {
        status: int(0),
        seconds: answer.columns[1].as_primitive::<Float64Type>().value(0),
        bytes: int(2),
        attempts: int(3),
        body: body.filter(|b| b.is_valid(0)).map(|b| b.value(0).to_owned()),
        error: answer.errors.first().cloned().flatten(),
        made: answer.made.clone(),
    }
}

/// The names in a folder, hidden ones too.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
