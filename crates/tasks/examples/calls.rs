//! What a start of a program costs: many short ones, and many that wait.
#![allow(clippy::unwrap_used)]
use arrow_array::{Int64Array, RecordBatch};
use futures::StreamExt;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;
use tasks::call::{Call, Spec};
use tasks::{Rows, Template, Work, runtime, warden};
use tokio::sync::watch;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("warden") {
        return warden::main();
    }
    warden::provide(std::env::current_exe().unwrap(), ["warden".into()]);
    // Given a number: only those with so many in flight.
    let only: Option<usize> = std::env::args().nth(1).and_then(|word| word.parse().ok());
    for (count, in_flight, words) in
        [(5000, 2, &["true"][..]), (5000, 4, &["true"][..]), (1000, 100, &["sleep", "0.1"][..])]
    {
        if only.is_some_and(|only| only != in_flight) {
            continue;
        }
        let begun = Instant::now();
        runtime::handle().unwrap().block_on(all(count, in_flight, words));
        let seconds = begun.elapsed().as_secs_f64();
        let each = seconds * 1e3 / count as f64;
        let mut out = std::io::stdout();
        writeln!(
            out,
            "{count} × {words:?}, {in_flight} in flight: {seconds:.3} s, {each:.3} ms each"
        )
        .unwrap();
    }
}

async fn all(count: usize, in_flight: usize, words: &[&str]) {
    let words = words.iter().map(|word| Template::text(*word)).collect();
    let call = Arc::new(Call::new(Spec::new(words)).unwrap());
    let column = Arc::new(Int64Array::from_iter_values(0..count as i64)) as _;
    let batch = Arc::new(RecordBatch::try_from_iter([("k", column)]).unwrap());
    let (_stop, stop) = watch::channel(false);
    let one = |first| {
        let (call, batch, stop) = (call.clone(), batch.clone(), stop.clone());
        tokio::spawn(async move { call.run(Rows { batch, first, count: 1 }, stop).await })
    };
    let mut answers = futures::stream::iter(0..count).map(one).buffer_unordered(in_flight);
    while let Some(answer) = answers.next().await {
        assert!(answer.unwrap().errors.is_empty());
    }
}
