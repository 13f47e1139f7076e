//! Rows by the plan for all of them give the bits that plans of their own give.
#![allow(clippy::unwrap_used, clippy::panic)]
use super::EachWork;
use crate::spill::{Budget, Folder};
use crate::{Options, Watch, run};
use base::Source;
use plan::each::Each;
use plan::physical::{Op, Physical, TaskWork};
use plan::{LoadOptions, load};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn physical(text: &str) -> Physical {
    let (plan, mistakes) = load(&Source::new("p.yaml", text), &LoadOptions::default());
    plan.unwrap_or_else(|| panic!("{mistakes:#?}\n{text}")).physical
}

fn each(plan: &Physical) -> Arc<Each> {
    let task = plan.nodes.iter().find_map(|node| match &node.op {
        Op::Task(task) => Some(task.work.clone()),
        _ => None,
    });
    let Some(TaskWork::Each(each)) = task else { panic!("no `each` in the plan") };
    each
}

/// The plan with every row planned anew.
fn anew(mut plan: Physical) -> Physical {
    let work = EachWork {
        planned_once: false,
        ..EachWork::new(each(&plan), Budget::new(u64::MAX, Folder::new(std::env::temp_dir())), 2)
    };
    let mut work = Some(work);
    for node in &mut plan.nodes {
        if let Op::Task(task) = &mut node.op {
            task.work = TaskWork::Ready(Arc::new(work.take().unwrap()));
        }
    }
    plan
}

/// All that a run shows, to the bit.
fn shown(plan: Physical, threads: usize) -> String {
    let options = Options::of(&plan, threads);
    let tally = run(Arc::new(plan), options, Arc::new(Watch::new())).unwrap();
    let text = |(name, schema, batches): &(String, base::Schema, Vec<_>)| {
        let all = arrow_select::concat::concat_batches(&schema.arrow(), batches).unwrap();
        format!("{name} {all:?}")
    };
    tally.results.iter().map(text).collect()
}

/// Runs a pipeline in both ways; `once` says whether its rows can go by one plan.
fn agrees(text: &str, once: bool) {
    let plan = physical(text);
    assert_eq!(each(&plan).template.is_some(), once, "{text}");
    let first = shown(plan, 1);
    assert_eq!(shown(physical(text), 3), first, "three threads\n{text}");
    assert_eq!(shown(anew(physical(text)), 2), first, "plans of their own\n{text}");
}

/// The head of pipelines over numbers.
const NUMBERS: &str = "params: { gain: 1000, shift: 0.5 }
functions: { scaled(x): x * gain }
steps:
  - range: { n: 1..=40 }
  - map: { gain: float32(n) / 3, who: 'where(n % 2 == 0, \"even\", \"odd\")' }
  - each:
";

#[test]
fn one_plan_gives_the_bits_of_a_plan_for_each_row() {
    for (steps, once) in [
        (
            "- range: { k: 1..=n }\n- map: { v: k * gain + shift }\n- reduce: { s: sum(v), m: mean(v), d: std(v) }",
            true,
        ),
        (
            "- range: { k: n..2*n }\n- map: { v: sin(k) * gain }\n- reduce: { at: argmax(v), one: first(v), p: prod(v), q: 'quantile(v, 0.3)' }",
            true,
        ),
        (
            "- range: { k: 1..=200 }\n- filter: k % n == 0 and who == 'even'\n- reduce: { c: count(), s: sum(scaled(k)) / gain }",
            true,
        ),
        (
            "- range: { k: 0..n }\n- reduce: { s: sum(k) }\n  by: { part: k % 3 }\n- filter: s > n",
            true,
        ),
        ("- range: { k: 0..n }\n- map: { v: cos(k * gain) }\n- sort: -v\n- filter: v > 0", true),
        ("- range: { k: 0..n }\n- map: { v: k % 7 }\n- top: 3\n  by: v", true),
        ("- range: { k: 0..n }\n- show: 2", true),
        ("- range: { k: 0..n }\n- show: n // 10 + 1", false),
        ("- range: { k: 0..n }\n- reduce: { q: 'quantile(k, 1 / n)' }", false),
        (
            "- range: { k: 0..n }\n- map: { v: k * 2 }\n- select: [v]\n- map: { w: v * gain }\n- select: [w]",
            true,
        ),
        (
            "- range: { k: 0..n }\n- map: { v: k * gain, u: k + n }\n- reduce: { s: sum(v) }\n- filter: s > 3",
            true,
        ),
        (
            "- range: { k: 0..n }\n  as: a\n- reduce: { s: sum(k) }\n- reduce: { t: sum(k * gain) }\n  from: a",
            true,
        ),
        (
            "- grid: { x: 'linspace(0, 1, n)', y: [1, 2, 3] }\n- map: { v: x * y + gain }\n- reduce: { s: sum(v), w: sum(y), at: argmax(v) }",
            true,
        ),
        (
            "- grid: { x: [1, 2, 4], y: 'arange(0, 5, 0.5)' }\n- map: { v: sqrt(x) * y + gain }\n- reduce: { s: sum(v), at: argmax(v) }",
            true,
        ),
        (
            "- grid: { x: [1, 2], y: 'linspace(0, n, 5)' }\n- reduce: { s: sum(x * y) }\n  over: y",
            false,
        ),
        (
            "- rows: [{ a: 1, b: x }, { a: 2, b: y }]\n- map: { c: a * gain }\n- filter: b != 'x' or n > 3",
            true,
        ),
        (
            "- range: { k: 0..n }\n  as: l\n- rows: [{ k: 2, z: 5 }, { k: 3, z: 6 }]\n  as: r\n- join: k\n  from: [l, r]\n- map: { v: z * gain }",
            false,
        ),
        (
            "- range: { k: 1..=n }\n- map: { m: k * n }\n- each:\n    - range: { i: 0..m }\n    - reduce: { inner: sum(i) * gain }\n- reduce: { all: sum(inner) }",
            false,
        ),
    ] {
        let steps: String = steps.lines().map(|line| format!("      {line}\n")).collect();
        agrees(&format!("{NUMBERS}{steps}"), once);
    }
}

/// Tables of a few rows, of which each has more than the one before.
fn tables(folder: &Path) {
    for i in 0..20 {
        // Every second file has whole numbers, which are read like the others.
        let end = if i % 2 == 0 { ".25" } else { "" };
        let rows: String = (0..=i).map(|k| format!("{},{}{end}\n", k % 3, k * i)).collect();
        fs::write(folder.join(format!("t{i:02}.csv")), format!("group,t\n{rows}")).unwrap();
    }
}

#[test]
fn files_are_opened_by_one_plan_as_by_their_own() {
    let folder = tempfile::tempdir().unwrap();
    tables(folder.path());
    let head = format!(
        "steps:\n  - range: {{ i: 0..20 }}\n  - map: {{ of: 'where(i < 10, \"{0}/t0\", \"{0}/t\")' }}\n  - each:\n      - read: ${{of}}${{i}}.csv\n",
        folder.path().display()
    );
    for steps in [
        "- reduce: { m: mean(t), n: count() }",
        "- filter: t > i\n- reduce: { m: mean(t * i) }\n  by: group",
        "- map: { u: t - i }\n- sort: [-u, group]",
    ] {
        let steps: String = steps.lines().map(|line| format!("      {line}\n")).collect();
        agrees(&format!("{head}{steps}"), true);
    }
}

#[test]
fn the_tiles_of_a_large_row_are_shared_by_idle_threads() {
    let text = "steps:\n  - rows: [{ n: 3 }, { n: 4300000 }]\n  - each:\n      - range: { k: 0..n }\n      \
                - map: { v: k * 0.1 }\n      - reduce: { s: sum(v), at: argmax(v) }\n";
    agrees(text, true);
}

#[test]
fn a_batch_of_one_hundred_thousand_rows() {
    let text = "steps:\n  - range: { n: 1..=100000 }\n  - each:\n      - range: { k: 1..=n % 10 + 1 }\n      - reduce: { s: sum(k * n) }\n  - reduce: { all: sum(s), rows: count() }\n";
    let sum: u64 = (1..=100_000u64).map(|n| n * (n % 10 + 1) * (n % 10 + 2) / 2).sum();
    let all = shown(physical(text), 2);
    assert!(all.contains(&sum.to_string()) && all.contains("100000"), "{sum}: {all}");
}
