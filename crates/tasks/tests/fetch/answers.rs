//! What servers answer: statuses, silence, bodies of all kinds.
use crate::rows::{Row, run, spec, text, to_file};
use crate::server::{Server, bytes, ok, send, stall};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tasks::fetch::Spec;

#[test]
fn a_body_becomes_a_text() {
    let server = Server::new(|_, s| ok(s, "grüße\n".as_bytes()));
    let row = text(spec(), &server.url("/x"));
    let expected = Row {
        status: Some(200),
        bytes: Some(8),
        attempts: Some(1),
        body: Some("grüße\n".to_owned()),
        error: None,
        made: Vec::new(),
        seconds: row.seconds,
    };
    assert_eq!(row, expected);
    assert!(row.seconds > 0.0 && row.seconds < 60.0);
    let request = &server.requests()[0];
    assert_eq!(request.header("accept-encoding"), "identity");
    assert!(request.header("user-agent").starts_with("tidemill/"));
}

#[test]
fn what_passes_is_tried_again_and_what_does_not_is_told() {
    let server = Server::new(|r, s| match (&r.path[1..], r.n) {
        ("500" | "503" | "429" | "408" | "425" | "202", 1 | 2) => {
            send(s, &format!("{} No\r\nContent-Length: 2", &r.path[1..]), b"no")
        }
        ("reset", 1 | 2) => (),
        ("garbage", 1 | 2) => drop(s.write_all(b"\x16\x03 what?\r\n\r\n")),
        ("always" | "always?token=secret", _) => {
            send(s, "502 Bad Gateway\r\nContent-Length: 0", b"")
        }
        ("missing", _) => send(s, "404 Not Found\r\nContent-Length: 0", b""),
        ("odd", _) => send(s, "499 Whatever\r\nContent-Length: 0", b""),
        ("unasked", _) => send(s, "206 Partial Content\r\nContent-Length: 1", b"x"),
        _ => ok(s, b"yes"),
    });
    for path in ["/500", "/503", "/429", "/408", "/425", "/202", "/reset", "/garbage"] {
        let row = text(spec(), &server.url(path));
        assert_eq!((row.attempts, row.body.as_deref()), (Some(3), Some("yes")), "{path}: {row:?}");
        assert_eq!(row.status, Some(200));
    }
    for (path, status, attempts, end) in [
        ("/always", 502, 5, "/always: status 502 Bad Gateway (5 attempts)"),
        ("/missing", 404, 1, "/missing: status 404 Not Found"),
        ("/odd", 499, 1, "/odd: status 499"),
        ("/unasked", 206, 1, "/unasked: a part was sent where all was asked for"),
    ] {
        let row = text(spec(), &server.url(path));
        assert_eq!(row.error(), format!("{}{end}", server.base));
        assert_eq!((row.status, row.attempts), (Some(status), Some(attempts)), "{path}");
        assert_eq!(row.body, None);
    }
    let never = Spec { retries: 0, ..spec() };
    let row = text(never, &server.url("/always?token=secret"));
    assert_eq!(row.error(), format!("{}/always?…: status 502 Bad Gateway", server.base));
}

#[test]
fn the_server_says_when_to_come_back() {
    let server = Server::new(|r, s| match (&*r.path, r.n) {
        ("/seconds", 1) => send(s, "503 Later\r\nRetry-After: 1\r\nContent-Length: 0", b""),
        ("/date", 1) => {
            let dates = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                         Retry-After: Sun, 06 Nov 1994 08:49:38 GMT";
            send(s, &format!("429 Slow\r\n{dates}\r\nContent-Length: 0"), b"")
        }
        ("/tomorrow", 1) => send(s, "503 Later\r\nRetry-After: 86400\r\nContent-Length: 0", b""),
        _ => ok(s, b"yes"),
    });
    for path in ["/seconds", "/date"] {
        let row = text(spec(), &server.url(path));
        assert_eq!((row.error.as_deref(), row.attempts), (None, Some(2)));
        assert!(row.seconds >= 1.0, "{path}: {}", row.seconds);
    }
    let soon = Spec { longest_wait: Duration::from_millis(50), ..spec() };
    let row = text(soon, &server.url("/tomorrow"));
    assert_eq!((row.error.as_deref(), row.attempts), (None, Some(2)));
}

#[test]
fn silence_ends_before_and_within_the_body() {
    let server = Server::new(|r, s| match &*r.path {
        "/head" => stall(),
        "/body" => {
            send(s, "200 OK\r\nContent-Length: 10", b"half");
            stall();
        }
        "/once" if r.n == 1 => stall(),
        _ => ok(s, b"yes"),
    });
    let once = Spec { retries: 1, ..spec() };
    let rows = ["/head", "/body", "/once"].map(|path| server.url(path));
    let rows = run(once, &rows.each_ref().map(|url| (&**url, Path::new(""))));
    let base = &server.base;
    assert_eq!(rows[0].error(), format!("{base}/head: no answer for 0.5 s (2 attempts)"));
    let text = format!("{base}/body: nothing came for 0.5 s, after 4 of 10 B (2 attempts)");
    assert_eq!(rows[1].error(), text);
    assert_eq!((rows[2].body.as_deref(), rows[2].attempts), (Some("yes"), Some(2)));
}

#[test]
fn a_slow_trickle_ends_with_the_time_of_the_row() {
    let server = Server::new(|_, s| {
        send(s, "200 OK\r\nContent-Length: 1000", b"");
        while s.write_all(b"x").is_ok() {
            sleep(Duration::from_millis(50));
        }
    });
    let brief = Spec { timeout: Some(Duration::from_secs(1)), ..spec() };
    let begun = Instant::now();
    let row = text(brief, &server.url("/x"));
    assert!(row.error().contains("timed out after 1 s, after "), "{row:?}");
    assert!(row.error().ends_with("of 1.0 kB") && row.bytes > Some(0), "{row:?}");
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let once = Spec { retries: 1, ..spec() };
    let row = text(once, &format!("http://me:secret@127.0.0.1:{port}/x"));
    let base = format!("http://127.0.0.1:{port}");
    assert_eq!(row.error(), format!("{base}/x: cannot connect: connection refused (2 attempts)"));
    assert_eq!((row.status, row.bytes), (None, Some(0)));
}

#[test]
fn a_body_that_is_no_text_or_too_long_is_refused() {
    let server = Server::new(|r, s| match &*r.path {
        "/latin" => ok(s, b"gr\xfc\xdfe"),
        "/long" => ok(s, &[b'x'; 1001]),
        "/endless" => {
            send(s, "200 OK", b"");
            while s.write_all(&[b'x'; 100]).is_ok() {}
        }
        _ => ok(s, &[b'x'; 1000]),
    });
    let short = || Spec { longest_body: 1000, ..spec() };
    let row = text(short(), &server.url("/latin"));
    assert!(
        row.error().ends_with("is no UTF-8 text (from byte 2 on): give `to:` a file"),
        "{row:?}"
    );
    for path in ["/long", "/endless"] {
        let row = text(short(), &server.url(path));
        assert!(
            row.error().ends_with("the body is longer than 1.0 kB: give `to:` a file"),
            "{row:?}"
        );
        assert_eq!(row.attempts, Some(1));
    }
    assert_eq!(text(short(), &server.url("/right")).body.unwrap().len(), 1000);
}

#[test]
fn chunks_come_together_and_broken_ones_are_told() {
    let server = Server::new(|r, s| {
        let body: &[u8] = match &*r.path {
            "/cut" => b"5\r\nhello\r\n6\r\n wo",
            "/broken" => b"5\r\nhello\r\nzz\r\n world\r\n0\r\n\r\n",
            _ => b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        };
        send(s, "200 OK\r\nTransfer-Encoding: chunked", body);
    });
    let once = || Spec { retries: 1, ..spec() };
    assert_eq!(text(once(), &server.url("/x")).body.as_deref(), Some("hello world"));
    for path in ["/cut", "/broken"] {
        let row = text(once(), &server.url(path));
        assert!(row.error().contains("the connection was cut after"), "{row:?}");
        assert!(row.error().ends_with("(2 attempts)") && row.body.is_none(), "{row:?}");
    }
}

#[test]
fn an_empty_body_is_a_body() {
    let server = Server::new(|r, s| match &*r.path {
        "/204" => send(s, "204 No Content", b""),
        _ => ok(s, b""),
    });
    let folder = tempfile::tempdir().unwrap();
    for (path, status) in [("/204", 204), ("/200", 200)] {
        let row = text(spec(), &server.url(path));
        assert_eq!((row.status, row.body.as_deref()), (Some(status), Some("")));
        let to = folder.path().join(&path[1..]);
        let row = crate::rows::one(to_file(), &server.url(path), &to);
        assert_eq!((row.error.as_deref(), row.bytes), (None, Some(0)));
        assert_eq!(std::fs::read(to).unwrap(), b"");
    }
}

#[test]
fn requests_keep_their_pace() {
    let server = Server::new(|_, s| ok(s, b"yes"));
    let slow = Spec { per_second: Some(20.0), ..spec() };
    let url = server.url("/x");
    let begun = Instant::now();
    let rows = run(slow, &[(&*url, Path::new("")); 21]);
    assert!(rows.iter().all(|row| row.error.is_none()));
    assert!(begun.elapsed() >= Duration::from_millis(990), "{:?}", begun.elapsed());
}

#[test]
fn many_rows_wait_side_by_side() {
    let server = Server::new(|r, s| {
        sleep(Duration::from_millis(300));
        ok(s, r.path.as_bytes());
    });
    let patient = Spec { stall: Duration::from_secs(30), ..spec() };
    let urls: Vec<String> = (0..100).map(|i| server.url(&format!("/{i}"))).collect();
    let rows: Vec<(&str, &Path)> = urls.iter().map(|url| (&**url, Path::new(""))).collect();
    let begun = Instant::now();
    for (i, row) in run(patient, &rows).into_iter().enumerate() {
        assert_eq!(row.body, Some(format!("/{i}")));
    }
    // One after the other they would take 30 s.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn large_bodies_of_unknown_length_come_whole() {
    let body = bytes(3_000_000, 1);
    let sent = body.clone();
    let server = Server::new(move |_, s| send(s, "200 OK", &sent));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("x");
    let row = crate::rows::one(to_file(), &server.url("/x"), &to);
    assert_eq!((row.error.as_deref(), row.bytes), (None, Some(3_000_000)));
    assert!(std::fs::read(to).unwrap() == body);
}
