//! Tests of the supervisor: this very test program plays the children.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::Done;
use crate::Watch;
use crate::deal::{Dealer, Shape, Stack};
use base::{Failure, FailureKind};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Not a test: what a child does, started with these arguments by [`crew`].
#[test]
#[ignore = "is the child of other tests"]
fn as_child() {
    let watch = Arc::new(Watch::new());
    let child = Child::begin(&watch).unwrap();
    let assignment = child.assignment();
    let job = &assignment.job;
    let mine = |act: &str| job[act] == json!(assignment.index);
    child.beat(|| Done { tiles: 1, ..Done::default() });
    let end = play(&child, &mine);
    if let Err(failure) = end {
        child.say(&failure.into());
    }
    std::process::exit(9);
}

fn play(child: &Child, mine: &dyn Fn(&str) -> bool) -> Result<(), Failure> {
    let index = child.assignment().index;
    if mine("fail early") {
        return Err(Failure::data("no good").context("step `read`"));
    }
    let plan = [if mine("other plan") { 1 } else { 0 }; 32];
    let mut sockets = child.link(1, plan)?;
    if mine("die") {
        kill_process(rustix::process::getpid(), Signal::KILL).unwrap();
    }
    if mine("exit") {
        eprintln!("last words");
        std::process::exit(42);
    }
    for socket in sockets.iter_mut().flatten() {
        let mut byte = [0];
        let lost = |e: std::io::Error| Failure::new(FailureKind::Peer, format!("lost: {e}"));
        socket
            .write_all(&[index as u8])
            .and_then(|()| socket.read_exact(&mut byte))
            .map_err(lost)?;
    }
    if mine("sleep") {
        std::thread::sleep(Duration::from_secs(600));
    }
    child.finish(json!({ "index": index, "pid": std::process::id() }), json!(index), |_| {
        if mine("fail late") { Err(Failure::output("disk full")) } else { Ok(json!("written")) }
    })
}

const THREE: Shape = Shape { processes: 3, threads: 1 };

fn crew(job: Value) -> Crew<'static> {
    let arguments = ["supervisor::tests::as_child", "--exact", "--ignored", "--nocapture"];
    Crew {
        group: Group::here(3),
        run_id: "test".into(),
        job,
        program: std::env::current_exe().unwrap(),
        arguments: arguments.map(String::from).into(),
        dealer: Dealer::of(vec![Some(Stack { tiles: 9, in_order: false })], THREE),
        grace: Duration::from_secs(2),
        accept: None,
    }
}

fn fails(job: Value) -> (Failure, Vec<News>) {
    let news = RefCell::new(Vec::new());
    let start = Instant::now();
    let outcome = supervise(crew(job), &|| None, &mut |n| news.borrow_mut().push(n));
    assert!(start.elapsed() < Duration::from_secs(8));
    (outcome.unwrap_err(), news.into_inner())
}

fn said(process: usize, line: &str) -> News {
    News::Line { process, host: None, line: line.into() }
}

#[test]
fn all_finish_and_are_gone() {
    let tiles = Cell::new(0);
    let mut news = |n| {
        if let News::Done(Done { tiles: t, .. }) = n {
            tiles.set(t);
        }
    };
    let outcome = supervise(crew(json!({})), &|| None, &mut news).unwrap();
    assert_eq!(outcome.written, json!("written"));
    assert_eq!(tiles.get(), 3);
    for (i, result) in outcome.finished.iter().enumerate() {
        assert_eq!(result["index"], json!(i));
        let pid = Pid::from_raw(result["pid"].as_i64().unwrap() as i32).unwrap();
        assert!(test_kill_process(pid).is_err(), "process {i} is left");
    }
}

#[test]
fn a_killed_process_is_named() {
    let (failure, _) = fails(json!({ "die": 1, "sleep": 0 }));
    assert_eq!(failure.kind, FailureKind::Peer);
    assert!(failure.message.starts_with("process 1 was killed by signal 9"), "{failure}");
}

#[test]
fn a_process_that_exits_is_named_with_its_last_words() {
    let (failure, news) = fails(json!({ "exit": 2, "sleep": 0 }));
    assert_eq!(failure.kind, FailureKind::Peer);
    assert!(failure.message.starts_with("process 2 ended with exit code 42"), "{failure}");
    assert!(news.contains(&said(2, "last words")), "{news:?}");
}

#[test]
fn a_failure_of_one_is_that_of_the_run() {
    let (failure, _) = fails(json!({ "fail early": 2 }));
    assert_eq!(failure, Failure::data("no good").context("step `read`").context("process 2"));
    let (failure, _) = fails(json!({ "fail late": 0 }));
    assert_eq!(failure, Failure::output("disk full").context("process 0"));
}

#[test]
fn another_plan_is_not_admitted() {
    let (failure, _) = fails(json!({ "other plan": 1 }));
    assert_eq!(failure.kind, FailureKind::Peer);
    assert!(failure.message.contains("has another plan"), "{failure}");
}

#[test]
fn a_stop_ends_it_at_once() {
    let start = Instant::now();
    let stop = || {
        let over = start.elapsed() > Duration::from_millis(500);
        over.then(|| Failure::new(FailureKind::Interrupted, "interrupted"))
    };
    let outcome = supervise(crew(json!({ "sleep": 1 })), &stop, &mut |_| {});
    assert_eq!(outcome.unwrap_err().kind, FailureKind::Interrupted);
    assert!(start.elapsed() < Duration::from_secs(3));
}
