//! Cases of YAML in `yaml/`: each file and what is said about it. `UPDATE=1` rewrites the answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use base::{Source, render};
use plan::yaml::{Kind, Node, read};
use std::fs;
use std::path::Path;

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/yaml");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.sort();
    assert!(paths.len() >= 20);
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        let source = Source::new(name.clone(), fs::read_to_string(&path).unwrap());
        let (tree, found) = read(&source);
        assert!(tree.is_some() || !found.is_empty(), "{name}");
        let mut answer = render(&source, &found, false);
        answer += &tree.map_or("no tree".into(), |tree| format!("tree: {}", show(&tree)));
        answer.push('\n');
        let file = path.with_extension("txt");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, &answer).unwrap();
        }
        assert_eq!(answer, fs::read_to_string(&file).unwrap_or_default(), "{name}");
    }
}

/// A tree on one line, each value in its own words.
fn show(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "nothing".into(),
        Kind::Scalar(s) if s.quoted => format!("{:?}", s.text.text),
        Kind::Scalar(s) => format!("<{}>", s.text.text),
        Kind::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => {
            let entries =
                entries.iter().map(|(key, value)| format!("{}: {}", key.name, show(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// For each character of the scalar, what the file holds for it.
fn mapped(text: &str) -> Vec<(String, String)> {
    let source = Source::new("test", text);
    let (tree, found) = read(&source);
    assert!(found.is_empty(), "{found:?}");
    let tree = tree.unwrap();
    let scalar = tree.get("a").unwrap().scalar().unwrap();
    let read = &scalar.text.text;
    let places = read.char_indices().map(|(i, c)| {
        let span = scalar.text.span(i, i + c.len_utf8());
        (c.to_string(), text[span.range()].to_string())
    });
    places.collect()
}

/// Characters that the file holds in another way than the scalar.
fn unlike(text: &str) -> Vec<(String, String)> {
    mapped(text).into_iter().filter(|(read, file)| read != file).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
}

#[test]
fn plain_text_maps_to_its_bytes() {
    assert_eq!(unlike("a: x > ü + 3\n"), []);
    assert_eq!(unlike("a: x +\n    y +\n  z\n"), pairs(&[(" ", "\n    "), (" ", "\n  ")]));
    assert_eq!(unlike("a: x +\r\n    y\r\n"), pairs(&[(" ", "\r\n    ")]));
}

#[test]
fn quoted_text_maps_to_its_bytes() {
    assert_eq!(unlike("a: 'it''s x'\n"), pairs(&[("'", "''")]));
    assert_eq!(unlike("ü: 1\na: \"x\\ny\"\n"), pairs(&[("\n", "\\n")]));
    assert_eq!(
        unlike("a: \"\\u00e9 > \\\"b\\\"\"\n"),
        pairs(&[("é", "\\u00e9"), ("\"", "\\\""), ("\"", "\\\"")])
    );
    assert_eq!(unlike("a: \"\\ud83d\\ude00x\"\n"), pairs(&[("😀", "\\ud83d\\ude00")]));
    assert_eq!(unlike("a: \"x\n   y\"\n"), pairs(&[(" ", "\n   ")]));
    assert_eq!(unlike("a: 'x  \r\n   y'\n"), pairs(&[(" ", "  \r\n   ")]));
    assert_eq!(mapped("a: \"x \\\n   y\"\n").last(), Some(&("y".to_string(), "y".to_string())));
}

#[test]
fn blocks_map_to_their_bytes() {
    let solid = |text| mapped(text).into_iter().filter(|(c, _)| !c.trim().is_empty());
    for text in [
        "a: |\n   hello >\n     there\n\n   x\n",
        "a: |2\n   hello >\n     there\n",
        "a: |\n\n\n  late\n",
        "a: >\n  one\n  two\n\n  three\n    four\n  five\n",
        "a: >-\r\n  one\r\n  two\r\n",
        "a: >+\n  one\n\n\n",
    ] {
        let places: Vec<_> = solid(text).collect();
        assert!(places.len() > 2);
        assert!(places.iter().all(|(read, file)| read == file), "{places:?}");
    }
}

#[test]
fn nodes_know_their_places() {
    let text = "\u{feff}é: 1\nsteps:\n  - map: { y: 'z', w: [1, 2] }\n    b:\n      c: |\n        t\n\n  - x\n\nlast: ~\n";
    let source = Source::new("test", text);
    let tree = read(&source).0.unwrap();
    let at = |node: &Node| text[node.span.range()].to_string();
    assert_eq!(&text[tree.map().unwrap()[0].0.span.range()], "é");
    let steps = tree.get("steps").unwrap();
    assert!(at(steps).starts_with("- map") && at(steps).ends_with("- x"));
    let step = &steps.list().unwrap()[0];
    assert!(at(step).starts_with("map:") && at(step).ends_with("  t"));
    assert_eq!(at(step.get("map").unwrap()), "{ y: 'z', w: [1, 2] }");
    assert_eq!(at(step.get("map").unwrap().get("y").unwrap()), "'z'");
    assert_eq!(at(step.get("map").unwrap().get("w").unwrap()), "[1, 2]");
    assert_eq!(at(step.get("b").unwrap().get("c").unwrap()), "t");
    assert_eq!(at(tree.get("last").unwrap()), "~");
}

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % sides
    }
}

const VALID: &str = "title: 'It''s slow'\nparams: &p { n: 1e8, d: \"9\\u00e9\\n\" }\nsteps:\n  - range: { k: 1..=n }\n  - filter: not has(k, d) # why\n  - map:\n      y: >\n        a +\n        ü\n      z: |\n        b\n    by: [a, month(t)]\n  - show: *p\ntests:\n  - with: { <<: *p, n: 10 }\n    expect: ~\n";

#[test]
fn nothing_panics() {
    let pieces = [
        "\t", "\n", "\r\n", " ", "  ", ":", ": ", "-", "- ", ",", "#", " #", "'", "\"", "\\",
        "\\u", "{", "}", "[", "]", "(", ")", "*", "*p", "&", "!", "!!int ", "%", "@", "`", "|",
        ">", "> 3", "?", "? ", "---\n", "...\n", "<<: ", "é", "😀", "\u{feff}", "\u{0}", "\u{85}",
        "no", "x:y", "~",
    ];
    let mut dice = Dice(7);
    for _ in 0..4000 {
        let mut text: Vec<char> = VALID.chars().collect();
        for _ in 0..1 + dice.roll(4) {
            let at = dice.roll(text.len().max(1)).min(text.len());
            match dice.roll(4) {
                0 => drop(text.drain(at..(at + 1 + dice.roll(9)).min(text.len()))),
                1 => text.truncate(at.max(1)),
                _ => drop(text.splice(at..at, pieces[dice.roll(pieces.len())].chars())),
            }
        }
        let text: String = text.into_iter().collect();
        let source = Source::new("test", text.clone());
        let (tree, found) = read(&source);
        assert!(tree.is_some() || !found.is_empty(), "{text}");
        assert!(!render(&source, &found, false).contains("\u{1b}"));
        if let Some(tree) = tree {
            inside(&tree, &text);
        }
    }
}

/// Every place lies in the text, on whole characters.
fn inside(node: &Node, text: &str) {
    assert!(text.get(node.span.range()).is_some(), "{:?} in {text:?}", node.span);
    match &node.kind {
        Kind::Null => {}
        Kind::Scalar(s) => {
            for (i, c) in s.text.text.char_indices() {
                assert!(
                    text.get(s.text.span(i, i + c.len_utf8()).range()).is_some(),
                    "{s:?} in {text:?}"
                );
            }
        }
        Kind::List(items) => items.iter().for_each(|item| inside(item, text)),
        Kind::Map(entries) => entries.iter().for_each(|(_, value)| inside(value, text)),
    }
}
