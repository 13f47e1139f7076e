//! Under which names outputs are written, and what they never take the place of.
use crate::bench::BINARY;
use crate::canary::{Canary, is_root, plant};
use std::fs::{
    self, Permissions, create_dir_all, hard_link, read_to_string, set_permissions, write,
};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Copies a file.
const COPY: &str = "params: { i: in.csv, o: x.csv, f: csv }
steps:
  - read: $i
  - write: $o
    format: $f
tests:
  - then: [{ reduce: { n: count() } }]
    expect: { n: 2 }
";

/// Who is `nobody` on all common systems.
const NOBODY: u32 = 65534;

/// A working folder with all kinds of things around it; links to itself and to its files inside.
struct Place {
    base: TempDir,
    user: Option<u32>,
}

impl Place {
    fn new() -> Place {
        let place = Place { base: tempfile::tempdir().unwrap(), user: None };
        create_dir_all(place.work()).unwrap();
        let at = |name: &str| place.work().join(name);
        write(at("p.yaml"), COPY).unwrap();
        write(at("in.csv"), "k\n1\n2\n").unwrap();
        hard_link(at("in.csv"), at("in_hard.csv")).unwrap();
        hard_link(at("p.yaml"), at("p_hard.csv")).unwrap();
        symlink(".", at("linked")).unwrap();
        place
    }

    /// The same, all of it owned by an ordinary user, who runs the binary, if that can be.
    fn of_nobody() -> Option<Place> {
        if !is_root() {
            return None;
        }
        let place = Place { user: Some(NOBODY), ..Place::new() };
        set_permissions(place.base(), Permissions::from_mode(0o755)).unwrap();
        let reach = |path: &Path| {
            Command::new(BINARY).arg("list").current_dir(path).uid(NOBODY).gid(NOBODY).output()
        };
        reach(&place.work()).is_ok_and(|o| o.status.success()).then_some(place)
    }

    /// Gives all that is there to the user who runs the binary.
    fn give(&self) {
        let Some(user) = self.user else { return };
        let mut folders = vec![self.base().to_owned()];
        while let Some(folder) = folders.pop() {
            lchown(&folder, Some(user), Some(user)).unwrap();
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                lchown(&path, Some(user), Some(user)).unwrap();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                }
            }
        }
    }

    fn base(&self) -> &Path {
        self.base.path()
    }

    fn work(&self) -> PathBuf {
        self.base().join("a/b/work")
    }

    /// What a run says, and its exit code.
    fn run(&self, arguments: &str) -> (String, i32) {
        let mut command = Command::new(BINARY);
        command.current_dir(self.work()).args(arguments.split_whitespace());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&said).into_owned(), output.status.code().unwrap_or(-1))
    }

    fn good(&self, arguments: &str) -> String {
        let (said, code) = self.run(arguments);
        assert_eq!(code, 0, "{arguments}: {said}");
        said
    }

    /// A run that must be refused before it begins, for a reason with these words.
    fn refused(&self, arguments: &str, words: &str) {
        let (said, code) = self.run(arguments);
        assert_eq!(code, 2, "{arguments}: {said}");
        assert!(said.contains(words), "{arguments}: {said}");
    }
}

/// Names under which something is that no output replaces, and words of the reason.
fn precious(planted: &[&str]) -> Vec<(String, &'static str)> {
    let mut all: Vec<(String, &str)> =
        planted.iter().map(|name| (format!("../canary/{name}"), "E0408")).collect();
    let names = [
        ("..", "E0404"),
        (".", "E0404"),
        ("../..", "E0404"),
        ("../work", "E0408"),
        ("../../b", "working folder or one above it"),
        ("../../../a", "working folder or one above it"),
        ("linked", "E0408"),
    ];
    all.extend(names.map(|(name, words)| (name.to_owned(), words)));
    all
}

/// Names of what is read, and of the pipeline.
const READ: [(&str, &str); 9] = [
    ("in.csv", "is read and written"),
    ("./in.csv", "E0409"),
    ("none/../in.csv", "E0409"),
    ("../work/in.csv", "E0409"),
    ("linked/linked/in.csv", "E0409"),
    ("in_hard.csv", "which is read"),
    ("p.yaml", "is the pipeline file"),
    ("linked/p.yaml", "is the pipeline file"),
    ("p_hard.csv", "is the pipeline file"),
];

fn nothing_is_harmed(place: &Place) {
    let canary = place.base().join("a/b/canary");
    create_dir_all(&canary).unwrap();
    let planted = plant(&canary);
    place.give();
    let alive = Canary::of(place.base(), &[]);
    let refused = |arguments: &str, words| {
        place.refused(arguments, words);
        alive.assert_alive(arguments);
    };
    for (name, words) in precious(&planted) {
        for verb in ["check", "run -q", "run -q --no-state -w 2", "run -q -n 2", "watch"] {
            refused(&format!("{verb} p.yaml --overwrite --set o={name}"), words);
        }
        refused(&format!("run p.yaml --set o={name}"), words);
        for format in ["parquet", "arrow", "netcdf"] {
            for verb in ["check", "run"] {
                let arguments =
                    format!("{verb} p.yaml --overwrite --set o={name} --set f={format}");
                refused(&arguments, if words.starts_with('E') { words } else { "E0408" });
            }
        }
    }
    for (name, words) in READ {
        for verb in ["check", "run", "run -n 2", "watch", "bench", "explain"] {
            refused(&format!("{verb} p.yaml --overwrite --set o={name}"), words);
            refused(&format!("{verb} p.yaml --set o={name}"), words);
        }
        refused(&format!("run p.yaml --overwrite --set o={name} --set f=parquet"), "E04");
    }
    // A file is no place for a folder, nor the other way round.
    for name in ["file.csv", "hard.csv", "read_only.csv"] {
        let name = format!("run p.yaml --overwrite --set o=../canary/{name} --set f=parquet");
        refused(&name, "is a file: a folder of parts");
    }
    refused("run p.yaml --overwrite --set o=../canary/empty_folder", "is a folder: a file");
    refused("run p.yaml --set o=../canary/file.csv", "exists already");
}

#[test]
fn whatever_is_no_earlier_output_stays() {
    nothing_is_harmed(&Place::new());
}

#[test]
fn whatever_is_no_earlier_output_stays_for_an_ordinary_user() {
    if let Some(place) = Place::of_nobody() {
        nothing_is_harmed(&place);
    }
}

/// Wherever the names point to, with and without what would be replaced there.
#[test]
fn tests_and_measurements_stay_in_their_folder() {
    for place in [Some(Place::new()), Place::of_nobody()].into_iter().flatten() {
        let canary = place.base().join("a/b/canary");
        create_dir_all(&canary).unwrap();
        let planted = plant(&canary);
        let pipeline = place.work().join("p.yaml");
        let mut names: Vec<String> = planted.iter().map(|n| format!("../canary/{n}")).collect();
        names.extend(["../canary/file.csv", "../../../new/er.csv", "new/x.csv"].map(String::from));
        names.extend(["file.csv", "parts", "new"].map(|n| canary.join(n).display().to_string()));
        for name in names {
            for format in ["csv", "parquet"] {
                let text = COPY.replace("o: x.csv", &format!("o: {name}"));
                write(&pipeline, text.replace("f: csv", &format!("f: {format}"))).unwrap();
                place.give();
                let alive = Canary::of(place.base(), &[]);
                for verb in ["test p.yaml", "bench p.yaml --runs 1 -w 1 -n 1,2 -q"] {
                    place.good(verb);
                    alive.assert_alive(&format!("{verb}: {name}"));
                }
            }
        }
        write(&pipeline, COPY.replace("o: x.csv", "o: in.csv")).unwrap();
        place.refused("test p.yaml", "is read and written");
    }
}

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
