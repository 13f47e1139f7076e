//! What comes of programs that end well.
use crate::*;
use base::DType;
use tasks::call::{Stdout, Waits};

#[test]
fn a_program_gives_its_end_its_time_and_both_of_its_outputs() {
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "a.sh", "echo \"<$1>\"; echo oops >&2; exit 3");
    let done = run(Spec { ok: vec![0, 3], ..spec(&[&program, "{}"]) }, texts(&["x"])).well();
    assert_eq!(done.texts("stdout"), [Some("<x>")]);
    assert_eq!(done.texts("stderr"), [Some("oops\n")]);
    assert_eq!((done.ints("exit"), done.ints("attempts")), (vec![Some(3)], vec![Some(1)]));
    assert!((0.0001..60.0).contains(&done.floats("seconds")[0].unwrap()));
}

#[test]
fn an_argument_is_one_whatever_is_in_it() {
    for odd in ["a b", "'\"", "a\nb\n", "-rf", "$HOME `id` $(id) *;&|", "ü 日本", "", "a\\"] {
        let done = run(
            Spec {
                stdout: Stdout::Json(vec![("args".into(), DType::String)]),
                ..python(
                    "import json, sys; print(json.dumps({'args': '|'.join(sys.argv[1:])}))",
                    &["{}", "x{}"],
                )
            },
            texts(&[odd]),
        )
        .well();
        assert_eq!(done.texts("args"), [Some(&*format!("{odd}|x{odd}"))]);
    }
}

fn python(code: &str, more: &[&str]) -> Spec {
    spec(&[&["python3", "-c", code][..], more].concat())
}

#[test]
fn input_environment_and_folder_are_those_of_the_row() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("in x")).unwrap();
    script(dir.path(), "here.sh", "pwd; echo \"$GREETING\"; cat");
    let spec = Spec {
        stdin: Some(template("some {}")),
        env: vec![("GREETING".into(), template("hello {}"))],
        folder: Some(template(&format!("{}/in {{}}", dir.path().display()))),
        ..spec(&["../here.sh"])
    };
    let done = run(spec, texts(&["x"])).well();
    let folder = dir.path().canonicalize().unwrap().join("in x");
    let expected = format!("{}\nhello x\nsome x", folder.display());
    assert_eq!(done.texts("stdout"), [Some(&*expected)]);
}

#[test]
fn much_input_and_output_pass_each_other() {
    let text = "0123456789abcde\n".repeat(1 << 16);
    let done = run(Spec { stdin: Some(template(&text)), ..spec(&["cat"]) }, numbers(1)).well();
    assert_eq!(done.texts("stdout")[0].unwrap().len(), text.len() - 1);
}

#[test]
fn lines_are_rows() {
    let words = ["printf", "%s\\n", "a", "b c", ""];
    let done = run(Spec { stdout: Stdout::Lines, ..spec(&words) }, numbers(1)).well();
    assert_eq!(done.texts("line"), [Some("a"), Some("b c"), Some("")]);
    assert_eq!(done.answer.repeats, Some(vec![3]));
    assert_eq!(done.ints("exit"), [Some(0); 3]);
    let none = run(Spec { stdout: Stdout::Lines, ..spec(&["true"]) }, numbers(1)).well();
    assert_eq!((none.texts("line"), &none.answer.repeats), (vec![], &Some(vec![0])));
}

#[test]
fn a_batch_is_one_start_with_the_words_of_all_rows() {
    let batch = |words: &[&str]| Spec { batch: 100, stdout: Stdout::Lines, ..spec(words) };
    let column = Arc::new(StringArray::from(vec![Some("a"), None, Some("b c")])) as ArrayRef;
    let numbers = Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef;
    let rows = rows(vec![column, numbers]);
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "a.sh", "echo \"$*\"; echo \"$#\"");
    let done = run(batch(&[&program, "-x", "{}", "=", "{1}-{}", "y"]), rows.clone());
    assert_eq!(done.answer.errors, [None, Some("a value is missing".to_owned()), None]);
    assert_eq!(done.texts("line"), [Some("-x a b c = 1-a 3-b c y"), None, Some("7")]);
    assert_eq!(done.ints("exit"), [Some(0), None, Some(0)]);
    let input = Spec { stdin: Some(template("{}")), stdout: Stdout::Text, ..batch(&["cat"]) };
    let done = run(input, rows.clone());
    assert_eq!(done.texts("stdout"), [Some("a\nb c"), None, Some("a\nb c")]);
    let differs = run(batch(&["{1}", "{}"]), rows);
    assert!(
        differs.answer.errors[2].as_deref().unwrap().contains("another one than that of the first")
    );
}

#[test]
fn the_output_of_a_batch_has_a_line_for_each_row_or_all_fail() {
    let spec = |words: &[&str]| Spec { batch: 3, stdout: Stdout::Float64, ..spec(words) };
    let done = run(spec(&["printf", "%s.5\\n", "{}"]), numbers(3)).well();
    assert_eq!(done.floats("stdout"), [Some(0.5), Some(1.5), Some(2.5)]);
    let done = run(spec(&["printf", "1\\n", "{}"]), numbers(3));
    assert_eq!(done.answer.errors.iter().flatten().count(), 3);
    assert!(done.why().contains("1 rows, and the start 3"), "{}", done.why());
}

#[test]
fn a_program_that_fails_is_started_again_until_it_ends_well() {
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "a.sh", "echo x >> count; test $(wc -l < count) = 3");
    let spec = |retries| Spec {
        retries,
        folder: Some(template(dir.path().to_str().unwrap())),
        waits: Waits { first: Duration::from_millis(2), most: Duration::from_millis(5) },
        ..spec(&[&program])
    };
    let failed = run(spec(1), numbers(1));
    assert!(failed.why().contains("exit code 1"), "{}", failed.why());
    assert_eq!((failed.ints("attempts"), failed.ints("exit")), (vec![Some(2)], vec![Some(1)]));
    assert_eq!(run(spec(5), numbers(1)).well().ints("attempts"), [Some(1)]);
    std::fs::remove_file(dir.path().join("count")).unwrap();
    assert_eq!(run(spec(5), numbers(1)).well().ints("attempts"), [Some(3)]);
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let columns = vec![("exit".into(), DType::Int64)];
    let why = Call::new(Spec { stdout: Stdout::Json(columns), ..spec(&["true"]) }).unwrap_err();
    assert_eq!(why, "two columns of a call have the name `exit`");
}
