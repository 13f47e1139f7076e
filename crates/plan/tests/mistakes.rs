//! Every pipeline file in `tests/mistakes/` gives the messages in the `.txt` file beside it.
//! `UPDATE=1 cargo test -p tidemill-plan` writes them anew.
#![allow(clippy::unwrap_used, clippy::panic)]
use base::{Source, render};
use std::path::Path;

#[test]
fn messages_are_golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mistakes");
    // Names in messages are relative, whatever folder the test runs in.
    std::env::set_current_dir(&folder).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(".").unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    assert!(files.len() >= 7, "the cases are there");
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let source = Source::new(name.as_str(), text);
        let (plan, diagnostics) = plan::load(&source, &plan::LoadOptions::default());
        let got = render(&source, &diagnostics, false);
        assert!(plan.is_none(), "{name} has mistakes but makes a plan");
        let golden = file.with_extension("txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&golden, &got).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != got {
            wrong.push(format!("--- {name}: got\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn six_mistakes_have_six_places() {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mistakes/six.yaml"),
    );
    let source = Source::new("six.yaml", text.unwrap());
    let (_, diagnostics) = plan::load(&source, &plan::LoadOptions::default());
    let place = |d: &base::Diagnostic| (source.line_column(d.span.start as usize), d.code.text());
    let places: Vec<_> = diagnostics.iter().map(place).collect();
    assert_eq!(
        places,
        [
            ((4, 21), "E0202"),
            ((6, 15), "E0201"),
            ((7, 10), "E0203"),
            ((8, 10), "E0202"),
            ((9, 5), "E0101"),
            ((11, 5), "E0010"),
        ],
    );
}
