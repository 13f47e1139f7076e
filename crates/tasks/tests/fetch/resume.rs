//! Going on with what has come: within a run, and after its end.
use crate::rows::{batch, names, one, spec, text, to_file};
use crate::server::{Request, Server, bytes, ok, ranged, send, stall};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tasks::fetch::{Fetch, Spec};
use tasks::work::{Rows, Work};
use tasks::{Template, runtime};
use tokio::sync::watch;

const LENGTH: usize = 3_000_000;

/// Checked by its sum too.
fn summed(body: &[u8]) -> Spec {
    let sum: String = Sha256::digest(body).iter().map(|b| format!("{b:02x}")).collect();
    Spec { sha256: Some(Template::text(sum)), ..to_file() }
}

/// Where each request began.
fn begins(server: &Server) -> Vec<Option<usize>> {
    server.requests().iter().map(Request::from).collect()
}

#[test]
fn a_body_that_is_cut_is_gone_on_with() {
    let body = bytes(LENGTH, 1);
    let sent = body.clone();
    let server = Server::new(move |r, s| ranged(r, s, &sent, "\"a\"", 1_000_000));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("x");
    let row = one(summed(&body), &server.url("/x"), &to);
    assert_eq!((row.error.as_deref(), row.attempts), (None, Some(3)));
    assert_eq!((row.status, row.bytes), (Some(206), Some(LENGTH as i64)));
    assert!(fs::read(&to).unwrap() == body);
    assert_eq!(begins(&server), [None, Some(1_000_000), Some(2_000_000)]);
    assert!(server.requests()[1..].iter().all(|r| r.header("if-range") == "\"a\""));
    assert_eq!(names(folder.path()), ["x"]);
}

#[test]
fn texts_are_gone_on_with_too() {
    let server = Server::new(|r, s| ranged(r, s, &[b'x'; 1000], "\"a\"", 400));
    let row = text(spec(), &server.url("/x"));
    assert_eq!((row.error.as_deref(), row.attempts), (None, Some(3)));
    assert_eq!(row.body.unwrap(), "x".repeat(1000));
    assert_eq!(begins(&server), [None, Some(400), Some(800)]);
}

#[test]
fn a_body_that_changes_between_attempts_begins_anew() {
    let bodies = [bytes(LENGTH, 1), bytes(LENGTH, 2)];
    let second = bodies[1].clone();
    // It changes after the first request.
    let server = Server::new(move |r, s| match r.n {
        1 => ranged(r, s, &bodies[0], "\"a\"", 1_000_000),
        _ => ranged(r, s, &bodies[1], "\"b\"", 2_000_000),
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("x");
    let row = one(to_file(), &server.url("/x"), &to);
    assert_eq!((row.error.as_deref(), row.attempts), (None, Some(3)));
    assert!(fs::read(&to).unwrap() == second);
    assert_eq!(begins(&server), [None, Some(1_000_000), Some(2_000_000)]);
}

#[test]
fn a_server_that_sends_the_rest_of_something_else_is_not_believed() {
    let body = bytes(LENGTH, 2);
    let sent = body.clone();
    // Each of these is wrong in its own way, where the rest is asked for.
    let server = Server::new(move |r, s| {
        let (first, rest) = (bytes(LENGTH, 1), &sent[1_000_000..]);
        let part = |tag: &str, range: &str| {
            format!(
                "206 Partial Content\r\nETag: {tag}\r\nContent-Range: bytes {range}\r\n\
                 Content-Length: {}",
                rest.len()
            )
        };
        match (&*r.path, r.from()) {
            (_, None) if r.n == 1 => ranged(r, s, &first, "\"a\"", 1_000_000),
            (_, None) => ok(s, &sent),
            ("/tag", _) => send(s, &part("\"b\"", "1000000-2999999/3000000"), rest),
            ("/start", _) => send(s, &part("\"a\"", "1000001-2999999/3000000"), &rest[1..]),
            ("/total", _) => send(s, &part("\"a\"", "1000000-2999999/4000000"), rest),
            ("/nothing", _) => send(s, "206 Partial Content\r\nContent-Length: 0", b""),
            ("/416", _) => send(s, "416 No\r\nContent-Length: 0", b""),
            _ => ok(s, &sent),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    for path in ["/tag", "/start", "/total", "/nothing", "/416", "/200"] {
        let to = folder.path().join(&path[1..]);
        let row = one(to_file(), &server.url(path), &to);
        assert_eq!((row.error.as_deref(), row.attempts), (None, Some(2)), "{path}");
        assert!(fs::read(&to).unwrap() == body, "{path}");
    }
    assert_eq!(names(folder.path()).len(), 6);
}

#[test]
fn parts_that_do_not_fit_are_found_by_the_sum_and_fetched_again() {
    let body = bytes(LENGTH, 2);
    let sent = body.clone();
    // The tag stays, though the body does not.
    let server = Server::new(move |r, s| match r.n {
        1 => ranged(r, s, &bytes(LENGTH, 1), "\"a\"", 1_000_000),
        _ => ranged(r, s, &sent, "\"a\"", LENGTH),
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("x");
    let row = one(summed(&body), &server.url("/x"), &to);
    assert_eq!((row.error.as_deref(), row.attempts), (None, Some(3)));
    assert!(fs::read(&to).unwrap() == body);
    assert_eq!(begins(&server), [None, Some(1_000_000), None]);
}

#[test]
fn without_a_strong_validator_all_begins_anew() {
    let body = bytes(LENGTH, 1);
    let sent = body.clone();
    let server = Server::new(move |r, s| {
        let validator = match &*r.path {
            "/weak" => "ETag: W/\"a\"\r\n",
            // It may have changed again within the second.
            "/fresh" => {
                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                 Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            }
            _ => "",
        };
        let most = if r.n < 3 { 1_000_000 } else { LENGTH };
        send(s, &format!("200 OK\r\n{validator}Content-Length: {LENGTH}"), &sent[..most]);
    });
    let folder = tempfile::tempdir().unwrap();
    for path in ["/weak", "/fresh", "/none"] {
        let to = folder.path().join(&path[1..]);
        let row = one(to_file(), &server.url(path), &to);
        assert_eq!((row.error.as_deref(), row.attempts), (None, Some(3)), "{path}");
        assert!(fs::read(&to).unwrap() == body);
    }
    assert!(begins(&server).iter().all(Option::is_none));
}

#[test]
fn an_old_date_is_a_validator() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let server = Server::new(move |r, s| {
        let dates = format!("Date: Mon, 07 Nov 1994 00:00:00 GMT\r\nLast-Modified: {date}");
        match r.from() {
            Some(from) if r.header("if-range") == date => {
                let range = format!("Content-Range: bytes {from}-999/1000");
                let head = format!("206 Partial Content\r\n{dates}\r\n{range}");
                send(s, &head, &vec![b'x'; 1000 - from]);
            }
            _ => send(s, &format!("200 OK\r\n{dates}\r\nContent-Length: 1000"), &[b'x'; 300]),
        }
    });
    let row = text(spec(), &server.url("/x"));
    assert_eq!((row.error.as_deref(), row.attempts), (None, Some(2)));
    assert_eq!(row.body.unwrap(), "x".repeat(1000));
}

/// A server that sends the first part of a body and then nothing, until it is told to send all.
fn hesitant(body: &[u8], first: usize) -> (Server, Arc<AtomicUsize>) {
    let (body, good) = (body.to_vec(), Arc::new(AtomicUsize::new(0)));
    let told = good.clone();
    let server = Server::new(move |r, s| match told.load(SeqCst) {
        0 => {
            ranged(r, s, &body, "\"a\"", first);
            stall();
        }
        _ => ranged(r, s, &body, "\"a\"", LENGTH),
    });
    (server, good)
}

/// Runs a row, and stops it when so many bytes are in its staged file.
fn stopped(spec: Spec, url: &str, to: &Path, bytes: u64) -> String {
    let (stop, told) = watch::channel(false);
    let rows = Rows { batch: batch(&[(url, to)]), first: 0, count: 1 };
    let fetch = Fetch::new(spec);
    let staged = to.with_file_name(".x.partial-fetch");
    runtime::handle().unwrap().block_on(async {
        let wait = async {
            while fs::metadata(&staged).map_or(0, |m| m.len()) < bytes {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            stop.send(true).unwrap();
        };
        let both = async { tokio::join!(fetch.run(rows, told), wait) };
        let (answer, ()) = tokio::time::timeout(Duration::from_secs(60), both).await.unwrap();
        answer.errors[0].clone().unwrap()
    })
}

#[test]
fn a_later_run_goes_on() {
    let body = bytes(LENGTH, 1);
    for sum in [true, false] {
        let (server, good) = hesitant(&body, 2_000_000);
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("x");
        let spec = || if sum { summed(&body) } else { to_file() };
        let patient = Spec { stall: Duration::from_secs(60), ..spec() };
        let why = stopped(patient, &server.url("/x"), &to, 1_500_000);
        assert_eq!(why, format!("{}/x: stopped before its end", server.base));
        assert_eq!(names(folder.path()), [".x.partial-fetch", ".x.partial-fetch.from"]);
        good.store(1, SeqCst);
        // The thread that writes may hold it for a moment longer.
        std::thread::sleep(Duration::from_millis(100));
        let row = one(spec(), &server.url("/x"), &to);
        assert_eq!((row.error.as_deref(), row.attempts), (None, Some(1)));
        assert!(fs::read(&to).unwrap() == body);
        assert!(begins(&server)[1] >= Some(1_500_000), "{:?}", begins(&server));
        assert_eq!(names(folder.path()), ["x"]);
    }
}

/// What a run that was killed has left: of another address, of another start of the system, longer
/// than the whole, damaged, whole but without its name.
#[test]
fn what_is_left_is_used_only_if_it_is_of_this() {
    let body = bytes(LENGTH, 1);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("x");
    let at = |end: &str| folder.path().join(format!(".x.partial-fetch{end}"));
    let (server, good) = hesitant(&body, 2_000_000);
    let patient = Spec { stall: Duration::from_secs(60), ..summed(&body) };
    stopped(patient, &server.url("/x"), &to, 1_500_000);
    good.store(1, SeqCst);
    std::thread::sleep(Duration::from_millis(100));
    let note = fs::read_to_string(at(".from")).unwrap();
    let part = fs::read(at("")).unwrap();
    let long = [&body[..], b"x"].concat();
    let field = |name: &str| {
        let mut note: serde_json::Value = serde_json::from_str(&note).unwrap();
        note[name] = "other".into();
        note.to_string()
    };
    let whole = Some(LENGTH - 1);
    let damaged = [b"damage", &part[6..]].concat();
    for (what, note, part, begin) in [
        ("as it was", note.clone(), &part, Some(part.len())),
        ("whole", note.clone(), &body, whole),
        ("of another row", field("of"), &part, None),
        ("of another start", field("boot"), &part, None),
        ("too long", note.clone(), &long, None),
        ("no note", "{".to_owned(), &part, None),
        ("empty", note.clone(), &Vec::new(), None),
        ("of another body", field("validator"), &part, Some(part.len())),
    ] {
        fs::write(at(".from"), note).unwrap();
        fs::write(at(""), part).unwrap();
        let before = server.requests().len();
        let row = one(summed(&body), &server.url("/x"), &to);
        assert_eq!((row.error.as_deref(), row.attempts), (None, Some(1)), "{what}");
        assert_eq!(begins(&server)[before], begin, "{what}");
        assert!(fs::read(&to).unwrap() == body, "{what}");
        assert_eq!(names(folder.path()), ["x"], "{what}");
        fs::remove_file(&to).unwrap();
    }
    fs::write(at(".from"), &note).unwrap();
    fs::write(at(""), damaged).unwrap();
    let row = one(summed(&body), &server.url("/x"), &to);
    assert_eq!((row.error.as_deref(), row.attempts), (None, Some(2)), "damaged");
    assert!(fs::read(&to).unwrap() == body);
}

#[test]
fn what_another_process_writes_is_left_to_it() {
    let body = bytes(LENGTH, 1);
    let sent = body.clone();
    let server = Server::new(move |r, s| ranged(r, s, &sent, "\"a\"", LENGTH));
    let folder = tempfile::tempdir().unwrap();
    let (to, staged) = (folder.path().join("x"), folder.path().join(".x.partial-fetch"));
    let theirs = fs::File::create(&staged).unwrap();
    theirs.lock().unwrap();
    let row = one(Spec { retries: 1, ..to_file() }, &server.url("/x"), &to);
    assert!(row.error().contains("another download is being written to `"), "{row:?}");
    assert_eq!(names(folder.path()), [".x.partial-fetch"]);
    drop(theirs);
    assert_eq!(one(to_file(), &server.url("/x"), &to).error, None);
    assert!(fs::read(&to).unwrap() == body);
}

#[test]
fn a_row_that_is_stopped_while_it_waits_ends_at_once() {
    let server = Server::new(|_, s| {
        send(s, "503 Later\r\nRetry-After: 100\r\nContent-Length: 0", b"");
    });
    let (stop, told) = watch::channel(false);
    let rows = Rows { batch: batch(&[(&*server.url("/x"), Path::new(""))]), first: 0, count: 1 };
    let fetch = Fetch::new(spec());
    let (begun, handle) = (std::time::Instant::now(), runtime::handle().unwrap());
    handle.block_on(async {
        let later = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            stop.send(true).unwrap();
        };
        tokio::join!(fetch.run(rows, told), later)
    });
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(server.requests().len(), 1);
}
