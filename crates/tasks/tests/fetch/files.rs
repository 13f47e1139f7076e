//! Downloads into files: names, checksums, what stands there already.
use crate::rows::{names, one, run, run_with, to_file};
use crate::server::{Server, bytes, ok, send, stall};
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tasks::Template;
use tasks::fetch::{Fetch, Folder, Spec};
use tasks::work::{IsMade, Made, Setting, Work};

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn a_file_is_made_with_its_folders_and_listed() {
    let body = bytes(1_234_567, 1);
    let sent = body.clone();
    let server = Server::new(move |_, s| ok(s, &sent));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("deep/er/x y.bin");
    let spec = Spec { sha256: Some(Template::text(hex(&body).to_uppercase())), ..to_file() };
    let row = one(spec, &server.url("/x"), &to);
    assert_eq!((row.error.as_deref(), row.bytes, row.body), (None, Some(1_234_567), None));
    assert!(fs::read(&to).unwrap() == body);
    assert_eq!(row.made, [Made::at(&to).unwrap()]);
    assert_eq!(names(to.parent().unwrap()), ["x y.bin"]);
}

#[test]
fn nothing_stands_under_the_final_name_that_is_not_whole() {
    let server = Server::new(|r, s| match &*r.path {
        "/cut" => send(s, "200 OK\r\nContent-Length: 5000000", &bytes(2_000_000, 2)),
        "/stall" => {
            send(s, "200 OK\r\nContent-Length: 5000000", &bytes(2_000_000, 2));
            stall();
        }
        "/missing" => send(s, "404 Not Found\r\nContent-Length: 7", b"missing"),
        _ => ok(s, b"other"),
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("new/x");
    for (path, attempts, part) in [
        ("/cut", 3, "/cut: the connection was cut after 2.0 of 5.0 MB (3 attempts)"),
        ("/stall", 3, "/stall: nothing came for 0.5 s, after 2.0 of 5.0 MB (3 attempts)"),
        ("/missing", 1, "/missing: status 404 Not Found"),
        (
            "/sum",
            1,
            "/sum: its SHA-256 is d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa, which",
        ),
    ] {
        let spec = Spec { retries: 2, sha256: Some(Template::text("ab".repeat(32))), ..to_file() };
        let row = one(spec, &server.url(path), &to);
        assert!(row.error().contains(part), "{row:?}");
        assert_eq!((row.attempts, row.made.len()), (Some(attempts), 0));
        assert!(!to.parent().unwrap().exists() || names(to.parent().unwrap()).is_empty(), "{path}");
    }
    let spec = Spec { sha256: Some(Template::text("abc")), ..to_file() };
    assert_eq!(one(spec, "http://x", &to).error(), "sha256: `abc` is not 64 hexadecimal digits");
}

#[test]
fn a_file_that_is_there_stays_unless_it_is_the_same() {
    let server = Server::new(|_, s| ok(s, b"theirs"));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("x");
    for (mine, stays) in [("mine!!", true), ("longer than theirs", true), ("theirs", false)] {
        fs::write(&to, mine).unwrap();
        let before = Made::at(&to).unwrap();
        let row = one(to_file(), &server.url("/x"), &to);
        let text = format!(
            "{}/x: `{}` exists already, with other content, and --overwrite was not given",
            server.base,
            to.display()
        );
        assert_eq!(row.error.as_deref(), stays.then_some(&*text));
        assert_eq!(row.made, if stays { vec![] } else { vec![before.clone()] });
        assert!(before.stands());
        assert_eq!(names(folder.path()), ["x"]);
    }
}

#[test]
fn only_what_may_go_is_replaced() {
    let server = Server::new(|_, s| ok(s, b"new"));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("x");
    fs::write(&to, "old").unwrap();
    let old = Made::at(&to).unwrap();
    let known = |made: Option<Made>| {
        let fetch = Fetch::new(to_file());
        let is_made: IsMade = Arc::new(move |file| Some(file) == made.as_ref());
        fetch.begin(Setting { processes: 1, is_made: Some(is_made) });
        run_with(fetch, &[(&*server.url("/x"), &*to)]).remove(0)
    };
    assert!(known(None).error().contains("exists already"));
    assert_eq!(known(Some(old)).error, None);
    assert_eq!(fs::read(&to).unwrap(), b"new");
    fs::write(&to, "mine").unwrap();
    let always = || Spec { overwrite: true, ..to_file() };
    assert_eq!(one(always(), &server.url("/x"), &to).error, None);
    assert_eq!(fs::read(&to).unwrap(), b"new");
    assert_eq!(names(folder.path()), ["x"]);
}

#[test]
fn what_is_no_file_is_never_replaced() {
    let server = Server::new(|_, s| ok(s, b"new"));
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("folder")).unwrap();
    symlink("elsewhere", at("link")).unwrap();
    fs::write(at("file"), "").unwrap();
    let always = || Spec { overwrite: true, ..to_file() };
    for (name, part) in [
        ("folder", "it is a folder: a file is only put in the place of a file"),
        ("link", "it is a symbolic link"),
        ("file/x", "file` is not a folder"),
        ("folder/", "is not the name of a file"),
        ("..", "is not the name of a file"),
    ] {
        let row = one(always(), &server.url("/x"), &at(name));
        assert!(row.error().contains(part), "{name}: {row:?}");
    }
    let row = one(always(), &server.url("/x"), Path::new(""));
    assert_eq!(row.error(), "to: `` is not the name of a file");
    let long = at(&"ü".repeat(128));
    assert!(one(always(), &server.url("/x"), &long).error().contains("256 bytes"));
    let just = at(&"x".repeat(255));
    assert_eq!(one(always(), &server.url("/x"), &just).error, None);
    assert_eq!(names(folder.path()).len(), 4);
}

#[test]
fn what_another_has_put_in_the_way_is_not_followed() {
    let server = Server::new(|_, s| ok(s, b"new"));
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    symlink(&victim, folder.path().join(".x.partial-fetch")).unwrap();
    let row = one(to_file(), &server.url("/x"), &folder.path().join("x"));
    assert!(row.error().ends_with(".x.partial-fetch` is a symbolic link"), "{row:?}");
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
}

#[test]
fn two_rows_do_not_write_one_file() {
    let server = Server::new(|r, s| ok(s, r.path.as_bytes()));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("x");
    let (one, two) = (server.url("/1"), server.url("/2"));
    let rows = run(to_file(), &[(&*one, &*to), (&*two, &*to), (&*one, &*to)]);
    let bad: Vec<&str> = rows.iter().filter_map(|row| row.error.as_deref()).collect();
    assert!(bad.len() == 1 || bad.len() == 2, "{bad:?}");
    for text in bad {
        assert!(text.contains("another row is written to `"), "{text}");
    }
    assert!(["/1", "/2"].contains(&&*fs::read_to_string(&to).unwrap()));
    assert_eq!(names(folder.path()), ["x"]);
}

#[test]
fn the_same_row_twice_makes_one_file() {
    let server = Server::new(|_, s| ok(s, &bytes(3_000_000, 3)));
    let folder = tempfile::tempdir().unwrap();
    let (to, url) = (folder.path().join("x"), server.url("/x"));
    let patient = Spec { wait: std::time::Duration::from_millis(300), retries: 9, ..to_file() };
    for row in run(patient, &[(&*url, &*to); 3]) {
        assert_eq!(row.error, None);
    }
    assert!(fs::read(&to).unwrap() == bytes(3_000_000, 3));
    assert_eq!(names(folder.path()), ["x"]);
}

#[test]
fn files_of_this_machine_are_copied() {
    let folder = tempfile::tempdir().unwrap();
    let body = bytes(1_000_000, 4);
    fs::write(folder.path().join("a b"), &body).unwrap();
    let to = folder.path().join("out/x");
    let url = format!("file://{}/a%20b", folder.path().display());
    let row = one(to_file(), &url, &to);
    assert_eq!((row.error.as_deref(), row.status, row.bytes), (None, None, Some(1_000_000)));
    assert!(fs::read(&to).unwrap() == body);
    let beside = Spec { beside: Some(folder.path().into()), ..to_file() };
    assert_eq!(one(beside, "file:a%20b", &folder.path().join("out/x")).error, None);
    for (url, part) in [
        (format!("file://{}", folder.path().display()), "it is no regular file"),
        (format!("file://{}/none", folder.path().display()), "cannot open: no such file"),
        ("file:///dev/zero".to_owned(), "it is no regular file"),
    ] {
        let row = one(to_file(), &url, &folder.path().join("y"));
        assert!(row.error().contains(part), "{row:?}");
    }
    assert_eq!(names(&folder.path().join("out")), ["x"]);
}

#[test]
fn names_are_meant_below_the_folder() {
    let server = Server::new(|_, s| ok(s, b"new"));
    let folder = tempfile::tempdir().unwrap();
    let at = PathBuf::from(folder.path());
    let below = Spec { folder: Folder::Of(at.clone()), ..to_file() };
    assert_eq!(one(below, &server.url("/x"), Path::new("a/-x")).error, None);
    assert_eq!(fs::read(at.join("a/-x")).unwrap(), b"new");
    // Of what is thrown away nothing leaves the folder.
    let within = || Spec { folder: Folder::Within(at.join("in")), ..to_file() };
    for name in ["../../b", "/b"] {
        assert_eq!(one(within(), &server.url("/x"), Path::new(name)).made[0].path, at.join("in/b"));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_nothing_is_left() {
    let server = Server::new(|_, s| ok(s, &bytes(3_000_000, 5)));
    let folder = tempfile::tempdir().unwrap();
    // A file system of one megabyte, where one may be mounted.
    let mount = |args: &[&str]| {
        let done = std::process::Command::new(args[0]).args(&args[1..]).output();
        done.is_ok_and(|done| done.status.success())
    };
    let at = folder.path().to_str().unwrap().to_owned();
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", &at]) {
        return;
    }
    let row = one(to_file(), &server.url("/x"), &folder.path().join("x"));
    let left = names(folder.path());
    assert!(mount(&["umount", &at]));
    assert!(row.error().ends_with("/x`: the disk is full"), "{row:?}");
    assert!(left.is_empty(), "{left:?}");
}
