//! Something for each row: what goes on, in which order, and what becomes of rows that fail.
use super::plans::{Build, numbers, table};
use super::{alone, both, rows, shown};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use base::{DType, DimMask, Domain, Field, Schema, Tiling};
use futures::future::BoxFuture;
use plan::physical::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tasks::lane::Needs;
use tasks::{Answer, Key, Rows, Stop, Work};

/// Squares a number after a while that has nothing to do with its order; multiples of 7 fail.
struct Square {
    fields: Vec<Field>,
    most: u64,
    many: bool,
    computes: bool,
    running: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Work for Square {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn computes(&self) -> bool {
        self.computes
    }

    fn key(&self, _: &Rows) -> Option<Key> {
        None
    }

    fn run<'a>(&'a self, rows: Rows, mut stop: Stop) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            self.peak.fetch_max(self.running.fetch_add(1, SeqCst) + 1, SeqCst);
            let k = rows.batch.column(0).as_primitive::<Int64Type>().value(rows.first);
            if !self.computes {
                let while_ = Duration::from_micros(crate::hash::word(k as u64) % self.most);
                tokio::select! {
                    () = tokio::time::sleep(while_) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                }
            }
            self.running.fetch_sub(1, SeqCst);
            if k % 7 == 0 {
                return Answer::failed(1, "a seventh");
            }
            let copies = if self.many { (k % 3) as usize } else { 1 };
            let array: ArrayRef = Arc::new(Int64Array::from(vec![k * k; copies]));
            let repeats = self.many.then(|| vec![copies as u32]);
            Answer { columns: vec![array], repeats, ..Answer::default() }
        })
    }
}

fn square(most: u64, many: bool, computes: bool) -> Square {
    let fields = vec![Field::new("square", DType::Int64, DimMask::only(0))];
    let (running, peak) = (Arc::default(), Arc::default());
    Square { fields, most, many, computes, running, peak }
}

fn task(work: Square, on_error: OnError) -> Task {
    Task {
        many: work.many,
        work: TaskWork::Ready(Arc::new(work)),
        keep: vec![0],
        concurrency: Some(8),
        needs: Needs::default(),
        any_order: false,
        first: None,
        on_error,
        identity: "square".into(),
        uses: Vec::new(),
        sizes: vec![1000],
        keep_index: false,
    }
}

/// Rows `n`, `square`, `error` of the numbers below `n`.
fn plan(n: u64, task: Task) -> Arc<Physical> {
    let before = numbers(n);
    let mut after = table(n, &[("n", DType::Int64), ("square", DType::Int64)]);
    if task.many || task.first.is_some() {
        after.domain = Domain::rows();
    }
    if task.on_error != OnError::Stop {
        after.fields.push(Field::new("error", DType::String, DimMask::only(0)));
    }
    after.fields.iter_mut().for_each(|field| field.nullable = true);
    let processes = if task.first.is_some() { 1 } else { 8 };
    let route = Route::Tasks { processes, stay: true };
    let build = Build::new().numbers(n, 3).exchange(route, &before);
    let build = build.then("task", Op::Task(Box::new(task)), &after);
    build.exchange(Route::Gather, &after).show(&after)
}

fn column(rows: &RecordBatch, i: usize) -> Vec<Option<i64>> {
    rows.column(i).as_primitive::<Int64Type>().iter().collect()
}

#[test]
fn rows_keep_their_order_whoever_is_done_first() {
    for computes in [false, true] {
        let rows = shown(&plan(1000, task(square(3000, false, computes), OnError::Keep)));
        assert!(column(&rows, 0).into_iter().eq((0..1000).map(Some)));
        let squares = (0..1000).map(|k| (k % 7 != 0).then_some(k * k));
        assert!(column(&rows, 1).into_iter().eq(squares));
        let errors = rows.column(2).as_string::<i32>();
        let expected = (0..1000).map(|k| (k % 7 == 0).then_some("a seventh"));
        assert!(errors.iter().eq(expected));
    }
}

#[test]
fn a_row_may_become_any_number_of_rows() {
    let rows = shown(&plan(200, task(square(500, true, false), OnError::Keep)));
    // A row that failed stays one row.
    let times = |k: i64| if k % 7 == 0 { 1 } else { (k % 3) as usize };
    let expected = (0..200).flat_map(|k| vec![Some(k); times(k)]);
    assert!(column(&rows, 0).into_iter().eq(expected));
}

#[test]
fn a_row_that_fails_ends_the_run_unless_it_is_to_be_kept() {
    let plan = plan(100, task(square(500, false, false), OnError::Stop));
    let failure = alone(&plan, 2).unwrap_err();
    assert_eq!(failure.message, "a seventh");
    assert!(failure.context[0].starts_with("the row { n: "), "{failure}");
    assert!(failure.context[1].contains("task"), "{failure}");
}

#[test]
fn never_more_are_in_flight_than_may_be_whatever_the_workers() {
    for (threads, processes) in [(1, 1), (3, 1), (1, 2)] {
        let work = square(4000, false, false);
        let peak = work.peak.clone();
        let plan = plan(300, task(work, OnError::Keep));
        match processes {
            1 => drop(alone(&plan, threads).unwrap()),
            _ => both([&plan, &plan], threads, 2).into_iter().for_each(|run| drop(run.unwrap())),
        }
        let peak = peak.load(SeqCst);
        assert!((2..=8).contains(&peak), "{peak} in flight, {threads} threads");
    }
}

#[test]
fn the_first_that_come_are_enough() {
    let mut task = task(square(2_000_000, false, false), OnError::Skip);
    (task.first, task.any_order, task.concurrency) = (Some(5), true, Some(1000));
    let plan = plan(900, task);
    let begin = Instant::now();
    let rows = rows(&alone(&plan, 2).unwrap());
    assert_eq!(rows.num_rows(), 5);
    let good = |(n, square): (Option<i64>, Option<i64>)| n.map(|n| n * n) == square;
    assert!(column(&rows, 0).into_iter().zip(column(&rows, 1)).all(good));
    // Half of them take more than a second.
    assert!(begin.elapsed() < Duration::from_millis(900), "{:?}", begin.elapsed());
    let [a, b] = both([&plan, &plan], 1, 2);
    let all = super::rows(&a.unwrap()).num_rows() + super::rows(&b.unwrap()).num_rows();
    assert_eq!(all, 5);
}

#[test]
fn a_box_stays_a_box() {
    let domain = Domain::new([("y", 4), ("x", 6)]);
    let field = |name: &str, mask| Field::new(name, DType::Int64, mask);
    let full = domain.full();
    let before = Schema { domain, fields: vec![field("k", full)], ..Schema::default() };
    let mut after = before.clone();
    after.fields.push(Field { nullable: true, ..field("square", full) });
    after.fields.push(Field { nullable: true, ..Field::new("error", DType::String, full) });
    let tiling = Tiling::even(&before.domain, &[2, 3]);
    let build = Build::new().made(&before, tiling, |region| {
        let at = |i: usize| {
            let (y, x) = (i / region.shape[1], i % region.shape[1]);
            ((region.origin[0] as usize + y) * 6 + region.origin[1] as usize + x) as i64
        };
        Ok(vec![Arc::new(Int64Array::from_iter_values((0..region.points()).map(at)))])
    });
    let route = Route::Tasks { processes: 8, stay: true };
    let task = Box::new(task(square(500, false, false), OnError::Keep));
    let build = build.exchange(route, &before).then("task", Op::Task(task), &after);
    let rows = shown(&build.exchange(Route::Gather, &after).show(&after));
    let mut pairs: Vec<_> = column(&rows, 0).into_iter().zip(column(&rows, 1)).collect();
    pairs.sort_unstable();
    assert!(pairs.into_iter().eq((0..24).map(|k| (Some(k), (k % 7 != 0).then_some(k * k)))));
}
