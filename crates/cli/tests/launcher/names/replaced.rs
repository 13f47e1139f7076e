//! What is replaced, and what is not although it may be.
use super::Place;
use crate::bench::BINARY;
use crate::canary::{Canary, plant};
use std::fs::{self, create_dir_all, read_to_string, write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Takes its time.
const SLOW: &str = "params: { f: csv }
steps:
  - range: { k: 1..=3000000 }
  - map: { y: sin(k) }
  - write: out
    format: $f
";

#[test]
fn earlier_outputs_are_replaced_and_nothing_beside_them() {
    let place = Place::new();
    let at = |name: &str| place.work().join(name);
    for (name, format) in [("x.csv", "csv"), ("x.arrow", "arrow"), ("x.nc", "netcdf")] {
        write(at(name), "old").unwrap();
        place.refused(&format!("run p.yaml --set o={name} --set f={format}"), "exists already");
        place.good(&format!("run p.yaml --overwrite --set o={name} --set f={format}"));
        assert_ne!(fs::read(at(name)).unwrap(), b"old");
    }
    let parts = |words: &str| format!("run p.yaml --set o=x.parquet --set f=parquet {words}");
    place.good(&parts(""));
    place.good(&parts("--overwrite --no-state"));
    write(at("x.parquet/notes.txt"), "mine").unwrap();
    let alive = Canary::of(place.base(), &[]);
    for words in ["", "--overwrite", "--overwrite --no-state", "--overwrite -n 2"] {
        place.refused(&parts(words), "the folder `x.parquet` holds `notes.txt`");
        alive.assert_alive(words);
    }
    // Nor if the ledger knows that the folder is its own.
    write(at("in.csv"), "k\n1\n2\n3\n").unwrap();
    place.refused(&parts(""), "the folder `x.parquet` holds `notes.txt`");
    fs::remove_file(at("x.parquet/notes.txt")).unwrap();
    create_dir_all(at("x.parquet/year=2021")).unwrap();
    place.refused(&parts("--overwrite"), "holds `year=2021`");
    fs::remove_dir(at("x.parquet/year=2021")).unwrap();
    symlink("part-00000.parquet", at("x.parquet/part-00001.parquet")).unwrap();
    place.refused(&parts("--overwrite"), "holds `part-00001.parquet`");
    fs::remove_file(at("x.parquet/part-00001.parquet")).unwrap();
    place.good(&parts("--overwrite"));
    fs::remove_dir_all(at("x.parquet")).unwrap();
    create_dir_all(at("x.parquet")).unwrap();
    place.good(&parts("--overwrite"));
}

/// What somebody does to a name.
type Come = fn(&Path);

/// What comes under the name of an output while the run is at work.
#[test]
fn what_comes_during_a_run_stays() {
    let comes: [(&str, Come); 5] = [
        ("parquet", |out| {
            create_dir_all(out.join("year=2021")).unwrap();
            write(out.join("year=2021/part-00000.parquet"), "mine").unwrap();
        }),
        ("parquet", |out| symlink("canary", out).unwrap()),
        ("csv", |out| symlink("canary/file.csv", out).unwrap()),
        ("csv", |out| create_dir_all(out).unwrap()),
        ("csv", |out| drop(UnixListener::bind(out).unwrap())),
    ];
    for (format, come) in comes {
        for arguments in ["", "-n 2 -w 1"] {
            let place = Place::new();
            plant(&place.work().join("canary"));
            write(place.work().join("q.yaml"), SLOW).unwrap();
            let mut command = Command::new(BINARY);
            let set = format!("f={format}");
            let run = ["run", "q.yaml", "-q", "--no-state", "--overwrite", "--set", &*set];
            command.args(run.into_iter().chain(arguments.split_whitespace()));
            let child = command.current_dir(place.work()).stderr(Stdio::piped()).spawn().unwrap();
            let staged = || {
                let mut entries = fs::read_dir(place.work()).unwrap();
                entries.any(|e| e.unwrap().file_name().to_string_lossy().contains(".partial-"))
            };
            while !staged() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let (out, free) = (place.work().join("out"), staged_name(&place.work()));
            come(&out);
            let alive = Canary::of(place.base(), &[&free]);
            let ended = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(1), "{format}: {said}");
            assert!(said.contains("out"), "{format}: {said}");
            alive.assert_alive(format);
            assert!(!staged(), "{format}");
        }
    }
}

/// The name of what is staged in a folder, as a canary takes it.
fn staged_name(work: &Path) -> String {
    let entries = fs::read_dir(work).unwrap();
    let mut names = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    let name = names.find(|name| name.contains(".partial-")).unwrap();
    format!("a/b/work/{name}")
}

/// Profiles and pictures are no outputs of the pipeline, and replace only their like.
#[test]
fn profiles_and_pictures_replace_only_their_like() {
    let place = Place::new();
    let at = |name: &str| place.work().join(name);
    let canary = place.base().join("a/b/canary");
    create_dir_all(&canary).unwrap();
    plant(&canary);
    write(at("mine.html"), "<title>Mine</title>").unwrap();
    write(at("mine.svg"), "<svg/>").unwrap();
    symlink("mine.html", at("link.html")).unwrap();
    fs::copy(at("p.yaml"), at("p.json")).unwrap();
    let profile = |name: &str| format!("run p.yaml --no-state --set o=y.csv --profile {name}");
    for name in ["link.html", "p.json"] {
        let alive = Canary::of(place.base(), &[]);
        for words in ["", " --overwrite"] {
            let run = profile(name).replace("p.yaml", "p.json") + words;
            let (said, code) = place.run(&run);
            assert_eq!(code, 2, "{run}: {said}");
            alive.assert_alive(&run);
        }
    }
    let alive = Canary::of(place.base(), &[]);
    place.refused(&profile("mine.html"), "is no profile of Tidemill");
    place.refused(&profile("z.html").replace("y.csv", "z.html"), "is written by the pipeline");
    place.refused("bench p.yaml --runs 1 -w 1 -q --plot mine.svg", "is no picture of Tidemill");
    place.refused("watch p.yaml --changes=in.csv", "is read by the pipeline");
    place.refused("watch p.yaml --changes=p.yaml", "is the pipeline file");
    alive.assert_alive("refusals");
    place.good(&profile("mine.html --overwrite"));
    assert!(read_to_string(at("mine.html")).unwrap().contains("Tidemill profile"));
    for name in ["t.json", "t.html"] {
        for _ in 0..2 {
            place.good(&(profile(name) + " --overwrite"));
        }
        fs::remove_file(at("y.csv")).unwrap();
        place.good(&profile(name));
        fs::remove_file(at("y.csv")).unwrap();
    }
    for _ in 0..2 {
        place.good("bench p.yaml --runs 1 -w 1 -q --plot s.svg");
    }
    place.good("bench p.yaml --runs 1 -w 1 -q --plot mine.svg --overwrite");
}
