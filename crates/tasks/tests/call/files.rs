//! Files that programs make.
use crate::*;
use std::fs;
use tasks::Made;
use tasks::call::Place;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Copies the row's text into `out/X.txt`, in a folder.
fn copy(folder: &Path, script_text: &str) -> Spec {
    let program = script(folder, "make.sh", script_text);
    Spec {
        folder: Some(template(folder.to_str().unwrap())),
        outputs: vec![template("out/{}.txt")],
        ..spec(&[&program, "--to=out/{}.txt", "{}"])
    }
}

const WRITE: &str = "echo \"$2\" > \"${1#--to=}\"; echo \"$1\"; ls -A out";

#[test]
fn an_output_has_its_name_only_when_the_program_has_ended_well() {
    let dir = tempfile::tempdir().unwrap();
    let odd = "a b'\"$(id)";
    let done = run(copy(dir.path(), WRITE), texts(&[odd])).well();
    let said = done.texts("stdout")[0].unwrap();
    assert!(said.contains("--to=out/.a b'\"$(id).partial-") && said.contains(".txt\n"), "{said}");
    let path = dir.path().join("out").join(format!("{odd}.txt"));
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{odd}\n"));
    assert_eq!(names(&dir.path().join("out")), [format!("{odd}.txt")]);
    assert_eq!(done.answer.made, [Made::at(&path).unwrap()]);
    assert!(done.answer.made[0].stands());
}

#[test]
fn a_failed_program_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let half = copy(dir.path(), "echo half > \"${1#--to=}\"; exit 1");
    assert!(run(half.clone(), texts(&["x"])).why().contains("exit code 1"));
    assert!(names(&dir.path().join("out")).is_empty());
    let nothing = run(copy(dir.path(), "true"), texts(&["x"]));
    assert!(nothing.why().contains("has not made `out/x.txt`"), "{}", nothing.why());
    let itself = run(copy(dir.path(), "echo x > \"out/$2.txt\""), texts(&["x"]));
    assert!(itself.why().contains("under that name"), "{}", itself.why());
}

#[test]
fn what_is_there_is_replaced_only_if_that_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out/x.txt");
    fs::create_dir(dir.path().join("out")).unwrap();
    fs::write(&path, "mine").unwrap();
    let refused = run(copy(dir.path(), WRITE), texts(&["x"]));
    assert!(refused.why().contains("`out/x.txt` exists already"), "{}", refused.why());
    assert_eq!(refused.ints("attempts"), [Some(0)]);
    run(Spec { replace: true, ..copy(dir.path(), WRITE) }, texts(&["x"])).well();
    assert_eq!(fs::read_to_string(&path).unwrap(), "x\n");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let folder = run(Spec { replace: true, ..copy(dir.path(), WRITE) }, texts(&["x"]));
    assert!(folder.why().contains("only files are replaced"), "{}", folder.why());
}

#[test]
fn what_came_while_the_program_ran_is_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let late = copy(dir.path(), "echo new > \"${1#--to=}\"; echo mine > \"out/$2.txt\"");
    let done = run(late, texts(&["x"]));
    assert!(done.why().contains("exists already"), "{}", done.why());
    assert_eq!(fs::read_to_string(dir.path().join("out/x.txt")).unwrap(), "mine\n");
    assert_eq!(names(&dir.path().join("out")), ["x.txt"]);
}

#[test]
fn a_folder_is_an_output_too() {
    let dir = tempfile::tempdir().unwrap();
    let make = "mkdir \"${1#--to=}\"; echo a > \"${1#--to=}/part\"";
    let done = run(copy(dir.path(), make), texts(&["x"])).well();
    assert_eq!(names(&dir.path().join("out/x.txt")), ["part"]);
    assert_eq!(done.answer.made.len(), 1);
}

#[test]
fn an_output_of_which_the_program_does_not_hear_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let silent = Spec { outputs: vec![template("{}.out")], ..spec(&["echo", "{}"]) };
    let silent = Spec { folder: Some(template(dir.path().to_str().unwrap())), ..silent };
    let done = run(silent, texts(&["x"]));
    assert!(done.why().contains("`x.out` stands in no argument"), "{}", done.why());
}

#[test]
fn outputs_of_a_batch_are_staged_each() {
    let dir = tempfile::tempdir().unwrap();
    let touch = Spec {
        folder: Some(template(dir.path().to_str().unwrap())),
        outputs: vec![template("{}.x")],
        batch: 3,
        ..spec(&["touch", "{}.x"])
    };
    let done = run(touch, numbers(3)).well();
    assert_eq!(names(dir.path()), ["0.x", "1.x", "2.x"]);
    assert_eq!(done.answer.made.len(), 3);
}

#[test]
fn a_file_is_known_for_what_a_run_has_made_until_it_is_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out/x.txt");
    let by = |maker: &str| Spec { maker: Some(maker.to_owned()), ..copy(dir.path(), WRITE) };
    run(by("one"), texts(&["x"])).well();
    run(by("one"), texts(&["x"])).well();
    assert!(run(by("two"), texts(&["x"])).why().contains("exists already"));
    assert!(run(copy(dir.path(), WRITE), texts(&["x"])).why().contains("exists already"));
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, b"mine").unwrap();
    assert!(run(by("one"), texts(&["x"])).why().contains("exists already"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "x\nmine");
}

#[test]
fn outputs_go_to_the_folder_that_is_meant() {
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().join("there");
    let path = |place: Place, name: &str| {
        let words = ["touch", &format!("./{name}")];
        let spec = Spec { place, outputs: vec![template(name)], ..spec(&words) };
        run(spec, texts(&["x"])).well().answer.made[0].path.clone()
    };
    assert_eq!(path(Place::Of(there.clone()), "a/{}"), there.join("a/x"));
    assert_eq!(path(Place::Within(there.clone()), "../a/../b/{}"), there.join("a/b/x"));
    let away = path(Place::Within(there.clone()), "b/c");
    assert_eq!((away.clone(), names(&there.join("b"))), (there.join("b/c"), vec!["c".to_owned()]));
}
