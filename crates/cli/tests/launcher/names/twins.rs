//! Names that stand for one thing, or for none.
use super::{COPY, Place};
use crate::bench::BINARY;
use crate::canary::Canary;
use std::fs::{self, create_dir_all, hard_link, read_to_string, write};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

#[test]
fn two_outputs_are_never_one_thing() {
    let place = Place::new();
    let at = |name: &str| place.work().join(name);
    write(at("one.csv"), "").unwrap();
    hard_link(at("one.csv"), at("two.csv")).unwrap();
    create_dir_all(at("there")).unwrap();
    let cases = [
        ("x.csv", "x.csv", "two steps write `x.csv`"),
        ("x.csv", "./x.csv", "`./x.csv` and `x.csv` are one file"),
        ("x.csv", "there/../x.csv", "are one file"),
        ("x.csv", "none/../x.csv", "are one file"),
        ("x.csv", "linked/x.csv", "are one file"),
        ("new/x.csv", "linked/new/x.csv", "are one file"),
        ("x.csv", "../work/x.csv", "are one file"),
        ("x.csv", "x.csv/", "two steps write"),
        ("one.csv", "two.csv", "are one file"),
        ("io.parquet", "io.parquet/part-00000.parquet", "lies inside of `io.parquet`"),
        ("io.parquet/x.csv", "linked/io.parquet", "lies inside of `linked/io.parquet`"),
        ("x.csv", ".tidemill/x.csv/lock.csv", "the folder of the run's ledger"),
        (".tidemill/y.csv", "x.csv", ""),
        ("x.csv", "X.csv", ""),
        ("a/x.csv", "b/x.csv", ""),
        ("x.csv", "x.csv.csv", ""),
    ];
    let alive = Canary::of(place.base(), &["a/b/work/q.yaml"]);
    for (one, two, words) in cases {
        let steps = format!("steps:\n  - rows: [{{ k: 1 }}]\n  - write: {one}\n  - write: {two}\n");
        write(at("q.yaml"), steps).unwrap();
        let (said, code) = place.run("check q.yaml --overwrite");
        match words {
            // The ledger is made only by a run.
            "the folder of the run's ledger" => {
                place.refused("run q.yaml --overwrite", words);
            }
            "" => assert_eq!(code, 0, "{said}"),
            _ => {
                assert!(code == 2 && said.contains(words), "{one}, {two}: {said}");
                place.refused("run q.yaml --overwrite", words);
                place.refused("run q.yaml -n 2 --overwrite", words);
                place.refused("bench q.yaml", words);
            }
        }
        alive.assert_alive(&format!("{one}, {two}"));
    }
}

/// An output that is not there yet and that the next run would take for an input.
#[test]
fn outputs_do_not_become_inputs() {
    let place = Place::new();
    let at = |name: &str| place.work().join(name);
    create_dir_all(at("data")).unwrap();
    create_dir_all(at("beside")).unwrap();
    write(at("data/one.csv"), "k\n1\n").unwrap();
    write(at("beside/t.csv"), "k\n1\n").unwrap();
    place.good("run p.yaml --set o=parts --set f=parquet");
    let cases = [
        ("data/*.csv", "data/new.csv", true),
        ("data/*.csv", "linked/data/new.csv", true),
        ("dat*/*.csv", "data/../data/new.csv", true),
        ("data/*.csv", "data/new.nc", false),
        ("data/*.csv", "data/.new.csv", false),
        ("data/*.csv", "new.csv", false),
        ("data/*.csv", "data/deep/new.csv", false),
        ("parts", "parts/part-00000.parquet", true),
        ("parts", "parts/part-00009.parquet", true),
        ("parts", "linked/parts/deep/x.parquet", true),
        ("parts/part-00000.parquet", "parts", true),
        ("parts/*.parquet", "parts", true),
        ("parts", "parts", true),
        ("parts", "parts2", false),
        // Found beside the pipeline; one in the working folder would come first.
        ("t.csv", "t.csv", true),
        ("t.csv", "./t.csv", true),
        ("t.csv", "data/t.csv", false),
    ];
    write(at("beside/q.yaml"), COPY).unwrap();
    let alive = Canary::of(place.base(), &[]);
    for (read, written, refused) in cases {
        let format = |name: &str| match name.contains("parts") {
            true => "parquet",
            false => "csv",
        };
        let format = format(written);
        let sets = format!("--overwrite --set i={read} --set o={written} --set f={format}");
        let (said, code) = place.run(&format!("check beside/q.yaml {sets}"));
        match refused {
            false => assert_eq!(code, 0, "{read}, {written}: {said}"),
            true => {
                assert!(code == 2 && said.contains("E04"), "{read}, {written}: {said}");
                place.refused(&format!("run beside/q.yaml {sets}"), "E04");
            }
        }
        alive.assert_alive(&format!("{read}, {written}"));
    }
}

#[test]
fn names_that_no_file_can_have_are_mistakes() {
    let place = Place::new();
    let long = "x".repeat(250);
    for (name, words) in [
        ("\"a\\0b.csv\"", "cannot hold the character NUL"),
        ("\"\"", "not the name of a file"),
        ("/", "not the name of a file"),
        (&*format!("{long}.csv"), "the name has 254 bytes"),
    ] {
        let steps = format!("steps:\n  - rows: [{{ k: 1 }}]\n  - write: {name}\n    format: csv\n");
        write(place.work().join("q.yaml"), steps).unwrap();
        for verb in ["check", "run", "run -n 2 --overwrite"] {
            place.refused(&format!("{verb} q.yaml"), words);
        }
    }
}

#[test]
fn folders_that_are_not_text_are_told() {
    let place = Place::new();
    let name = std::ffi::OsStr::from_bytes(b"d\xff");
    let run = |arguments: &str| {
        let mut command = Command::new(BINARY);
        command.current_dir(place.work()).args(arguments.split_whitespace());
        let output = command.arg("--out").arg(name).output().unwrap();
        (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code())
    };
    let (said, code) = run("run p.yaml -n 2");
    assert!(code == Some(2) && said.contains("not UTF-8 text"), "{said}");
    assert!(!place.work().join(name).join("x.csv").exists());
    let (said, code) = run("run p.yaml --no-state");
    assert_eq!(code, Some(0), "{said}");
    assert!(place.work().join(name).join("x.csv").exists());
}

#[test]
fn a_pipeline_file_may_have_any_name() {
    let place = Place::new();
    let name = std::ffi::OsStr::from_bytes(b"p\xff.yaml");
    fs::rename(place.work().join("p.yaml"), place.work().join(name)).unwrap();
    for verb in ["check", "run", "test"] {
        let mut command = Command::new(BINARY);
        let output = command.current_dir(place.work()).arg(verb).arg(name).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(read_to_string(place.work().join("x.csv")).unwrap(), "k\n1\n2\n");
}
