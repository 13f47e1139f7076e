//! Under which names outputs are written, and what they never take the place of.
mod replaced;
mod twins;

use crate::bench::BINARY;
use crate::canary::{Canary, is_root, plant};
use std::fs::{self, Permissions, create_dir_all, hard_link, set_permissions, write};
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
