//! Pages and files that are made or kept by hand say what is so.
use crate::bench::Bench;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The targets of Markdown links to files, `[text](target)`.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|t| !t.is_empty() && !t.contains("://")).map(str::to_owned).collect()
}

#[test]
fn pages_have_no_dead_links() {
    for page in ["README.md", "ARCHITECTURE.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let links = links(&text);
        assert!(links.len() > 3, "{page} has links");
        for link in links {
            assert!(root().join(&link).exists(), "{page}: {link}");
        }
    }
}

#[test]
fn the_schema_beside_the_examples_is_the_printed_one() {
    let (printed, _, code) = Bench::new("").run("schema");
    assert_eq!(code, 0);
    let kept = std::fs::read_to_string(root().join("pipelines/tidemill.schema.json")).unwrap();
    assert!(kept == printed, "run `tidemill schema > pipelines/tidemill.schema.json`");
}

#[test]
fn the_first_pipeline_of_the_readme_runs() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let yaml = readme.split("```yaml\n").nth(1).and_then(|r| r.split("```").next()).unwrap();
    let (out, err, code) = Bench::new(yaml).run("run p.yaml --set n=1000 --format json");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("\"terms\": 729"), "{out}");
}
