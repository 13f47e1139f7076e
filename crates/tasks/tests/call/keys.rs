//! What answers depend on.
use crate::*;
use base::DType;
use std::fs;
use tasks::Key;
use tasks::call::Stdout;

fn key(spec: &Spec, rows: Rows) -> Option<Key> {
    Call::new(spec.clone()).unwrap().key(&rows)
}

#[test]
fn the_key_changes_with_all_that_the_answer_depends_on() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    script(dir.path(), "run", "cat");
    fs::write(dir.path().join("code.py"), "1").unwrap();
    fs::write(dir.path().join("x"), "data").unwrap();
    let plain = Spec {
        folder: Some(template(folder)),
        inputs: vec![template("{}.more")],
        ..spec(&["./run", "code.py", "{}"])
    };
    let rows = || texts(&["x"]);
    let call = Call::new(plain.clone()).unwrap();
    let first = call.key(&rows()).unwrap();
    assert_eq!((call.key(&rows()), key(&plain, rows())), (Some(first), Some(first)));
    let mut seen = vec![first];
    let mut differs = |other: Option<Key>| {
        assert!(!seen.contains(&other.unwrap()));
        seen.extend(other);
    };
    differs(key(&plain, texts(&["y"])));
    differs(key(&Spec { ok: vec![0, 1], ..plain.clone() }, rows()));
    differs(key(&Spec { stdin: Some(template("")), ..plain.clone() }, rows()));
    differs(key(&Spec { stdout: Stdout::Float64, ..plain.clone() }, rows()));
    let columns = vec![("a".into(), DType::Int64)];
    differs(key(&Spec { stdout: Stdout::Csv(columns), ..plain.clone() }, rows()));
    differs(key(&Spec { env: vec![("A".into(), template("b"))], ..plain.clone() }, rows()));
    differs(key(&Spec { outputs: vec![template("code.py")], ..plain.clone() }, rows()));
    // The same call sees that files have changed.
    fs::write(dir.path().join("x"), "other data").unwrap();
    differs(call.key(&rows()));
    fs::write(dir.path().join("x.more"), "more").unwrap();
    differs(call.key(&rows()));
    fs::write(dir.path().join("code.py"), "2").unwrap();
    differs(call.key(&rows()));
    script(dir.path(), "run", "cat; true");
    differs(call.key(&rows()));
    // How often it is tried changes no answer.
    let patient = Spec { retries: 3, timeout: None, ..plain };
    assert_eq!(key(&patient, rows()), call.key(&rows()));
}

#[test]
fn what_cannot_be_written_or_found_has_no_key() {
    assert_eq!(key(&spec(&["no-such-program-here"]), numbers(1)), None);
    let missing = rows(vec![Arc::new(StringArray::from(vec![None::<&str>])) as ArrayRef]);
    assert_eq!(key(&spec(&["echo", "{}"]), missing), None);
}

#[test]
fn a_script_that_keeps_its_time_of_change_is_seen_to_be_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("code.py");
    let spec = spec(&["python3", path.to_str().unwrap()]);
    let call = Call::new(spec).unwrap();
    let time = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    let write = |text: &str| {
        fs::write(&path, text).unwrap();
        fs::File::options().append(true).open(&path).unwrap().set_times(time).unwrap();
        call.key(&numbers(1)).unwrap()
    };
    assert_ne!(write("print(1)"), write("print(2)"));
    assert_eq!(write("print(2)"), write("print(2)"));
}
