//! Headers: redirects, logins, secrets, encodings, heads without end.
use crate::rows::{batch, spec, text};
use crate::server::{Server, ok, send};
use std::io::Write;
use std::path::Path;
use tasks::Template;
use tasks::fetch::{Fetch, Spec};
use tasks::work::{Rows, Work};

fn redirect(stream: &mut std::net::TcpStream, status: u16, to: &str) {
    send(stream, &format!("{status} Moved\r\nLocation: {to}\r\nContent-Length: 4"), b"gone");
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let server = Server::new(|r, s| match &r.path[1..] {
        "301" => redirect(s, 301, "/302"),
        "302" => redirect(s, 302, "303"),
        "303" => redirect(s, 303, "./307"),
        "307" => redirect(s, 307, "?308"),
        "loop" => redirect(s, 302, "/loop"),
        "file" => redirect(s, 302, "file:///etc/passwd"),
        "ftp" => redirect(s, 302, "ftp://me:secret@host/x"),
        "broken" => redirect(s, 302, "http://me:secret@[/x"),
        "nowhere" => send(s, "302 Moved\r\nContent-Length: 0", b""),
        _ => ok(s, r.path.as_bytes()),
    });
    let row = text(spec(), &server.url("/301"));
    assert_eq!((row.body.as_deref(), row.attempts), (Some("/307?308"), Some(1)), "{row:?}");
    for (path, part) in [
        ("/loop", "more than 10 redirects, the last one to http://127.0.0.1:"),
        ("/file", "cannot follow a redirect: it is a file"),
        ("/ftp", "cannot follow a redirect: `ftp://host/x`"),
        ("/broken", "cannot follow a redirect: invalid"),
        ("/nowhere", "status 302 Found"),
    ] {
        let row = text(spec(), &server.url(path));
        assert!(row.error().contains(part) && !row.error().contains("secret"), "{path}: {row:?}");
        assert_eq!(row.attempts, Some(1));
    }
    let loops = server.requests().iter().filter(|r| r.path == "/loop").count();
    assert_eq!(loops, 11);
}

#[test]
fn logins_and_secrets_stay_with_their_host() {
    let other = Server::new(|_, s| ok(s, b"yes"));
    let there = other.url("/there");
    let server = Server::new(move |r, s| match &*r.path {
        "/away" => redirect(s, 302, &there),
        "/home" => redirect(s, 302, "/here"),
        _ => send(s, "401 Unauthorized\r\nContent-Length: 0", b""),
    });
    let headers = ["X-Api-Key", "Accept"].map(|name| (name.to_owned(), Template::text("secret")));
    let keyed = || Spec { headers: headers.to_vec(), ..spec() };
    let login = |path: &str| server.url(path).replace("//", "//me:secret@");
    assert_eq!(text(keyed(), &login("/away")).body.as_deref(), Some("yes"));
    let sent = &other.requests()[0];
    assert_eq!((sent.header("authorization"), sent.header("x-api-key")), ("", ""));
    assert_eq!(sent.header("accept"), "secret");
    let row = text(keyed(), &login("/home"));
    assert_eq!(
        row.error(),
        format!("{}/here: status 401 Unauthorized", server.base).replace("here", "home")
    );
    // printf me:secret | base64
    for sent in server.requests() {
        assert_eq!(sent.header("authorization"), "Basic bWU6c2VjcmV0", "{}", sent.path);
        assert_eq!(sent.header("x-api-key"), "secret");
    }
}

#[test]
fn a_header_that_cannot_be_sent_shows_no_secret() {
    for (name, value, part) in [
        ("X-Key", "se\ncret", "header `X-Key`: the value has a character"),
        ("X Key", "secret", "header `X Key`: this is not the name"),
        ("Range", "bytes=0-1", "header `Range`: it is set by the download"),
    ] {
        let headers = vec![(name.to_owned(), Template::text(value))];
        let row = text(Spec { headers, ..spec() }, "http://127.0.0.1:1/x");
        assert!(row.error().contains(part) && !row.error().contains("cret"), "{row:?}");
        assert_eq!((row.attempts, row.bytes), (Some(0), None));
    }
}

#[test]
fn a_body_that_comes_encoded_is_not_decoded_in_silence() {
    let gzip = b"\x1f\x8b\x08\x00not really";
    let head = format!("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}", gzip.len());
    let server = Server::new(move |_, s| send(s, &head, gzip));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("x.gz");
    let row = crate::rows::one(crate::rows::to_file(), &server.url("/x"), &to);
    assert!(row.error().contains("encoded as `gzip`, though asked not to"), "{row:?}");
    assert!(crate::rows::names(folder.path()).is_empty());
    let headers = vec![("Accept-Encoding".to_owned(), Template::text("gzip"))];
    let asked = Spec { headers, ..crate::rows::to_file() };
    let row = crate::rows::one(asked, &server.url("/x"), &to);
    assert_eq!(row.error, None);
    assert_eq!(std::fs::read(to).unwrap(), gzip);
}

#[test]
fn a_head_without_end_is_not_kept() {
    let server = Server::new(|r, s| {
        let line = format!("X-Long: {}\r\n", "x".repeat(1000));
        drop(s.write_all(b"HTTP/1.1 200 OK\r\n"));
        let lines = if r.path == "/much" { 20 } else { usize::MAX };
        let _ = (0..lines).try_for_each(|_| s.write_all(line.as_bytes()));
        drop(s.write_all(b"Content-Length: 3\r\nConnection: close\r\n\r\nyes"));
    });
    let once = || Spec { retries: 1, ..spec() };
    assert_eq!(text(once(), &server.url("/much")).body.as_deref(), Some("yes"));
    let row = text(once(), &server.url("/endless"));
    assert!(row.error().contains("/endless: no answer: "), "{row:?}");
}

#[test]
fn the_key_is_of_what_is_asked_for_and_not_of_who_asks() {
    let rows =
        |url: &str, to: &str| Rows { batch: batch(&[(url, Path::new(to))]), first: 0, count: 1 };
    let key = |spec: Spec, url: &str, to: &str| Fetch::new(spec).key(&rows(url, to)).unwrap();
    let file = crate::rows::to_file;
    let header = |name: &str, value: &str| Spec {
        headers: vec![(name.to_owned(), Template::text(value))],
        ..file()
    };
    let first = key(file(), "http://me:a@host/x", "x");
    assert_eq!(first, key(file(), "http://me:b@host/x", "x"));
    assert_eq!(first, key(header("Authorization", "Bearer 1"), "http://host/x", "x"));
    let sum = Spec { sha256: Some(Template::text("0".repeat(64))), ..file() };
    let others = [
        key(file(), "http://host/y", "x"),
        key(file(), "http://host/x", "y"),
        key(header("Accept", "text/csv"), "http://host/x", "x"),
        key(sum, "http://host/x", "x"),
        key(spec(), "http://host/x", "x"),
    ];
    for (i, other) in others.iter().enumerate() {
        assert!(*other != first && !others[..i].contains(other), "{i}");
    }
    // What cannot be done has none, and neither has a value that is missing.
    assert_eq!(Fetch::new(file()).key(&rows("nothing", "x")), None);
}
