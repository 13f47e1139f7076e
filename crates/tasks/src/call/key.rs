//! What the answer of a call depends on.
use super::contents::{Contents, add_stamp};
use super::spec::{Spec, Stdout};
use super::start::Start;
use crate::{Key, KeyHasher, Template};
use std::path::{Path, PathBuf};

/// Changes when answers of the same call would be others than before.
const VERSION: &str = "call 1";

/// The program and constant arguments that are files, by what they hold; files that arguments with
/// values of the row name, and inputs, by size and time; all words; how the end and the output are
/// judged. `None` if the program is not to be found or read.
pub(super) fn of(spec: &Spec, start: &Start, contents: &Contents) -> Option<Key> {
    let mut key = KeyHasher::default();
    key.part(VERSION);
    let program = contents.program(&start.program, start.folder.as_deref().map(Path::new)).ok()?;
    key.part(program.as_os_str().as_encoded_bytes());
    contents.add(&program, &mut key).ok()?;
    key.part((start.arguments.len() as u64).to_le_bytes());
    let constants: Vec<&str> = spec.command.iter().skip(1).filter_map(|t| t.constant()).collect();
    for word in &start.arguments {
        key.part(word);
        let path = start.path(word);
        if start.outputs.contains(word) {
            continue;
        } else if constants.contains(&&**word) && path.is_file() {
            contents.add(&path, &mut key).ok()?;
        } else {
            add_stamp(&path, &mut key);
        }
    }
    key.part((start.env.len() as u64).to_le_bytes());
    for (name, value) in &start.env {
        key.part(name).part(value);
    }
    for text in [&start.stdin, &start.folder] {
        key.part([u8::from(text.is_some())]).part(text.as_deref().unwrap_or_default());
    }
    key.part((start.outputs.len() as u64).to_le_bytes());
    for name in &start.outputs {
        key.part(name);
    }
    key.part((start.inputs.len() as u64).to_le_bytes());
    for name in &start.inputs {
        key.part(name);
        add_stamp(&start.path(name), &mut key);
    }
    key.part(spec.ok.iter().flat_map(|code| code.to_le_bytes()).collect::<Vec<_>>());
    judged(&spec.stdout, &mut key);
    Some(key.key())
}

/// The same of all rows, as far as it is known before them.
pub(super) fn identity(spec: &Spec, contents: &Contents) -> String {
    let mut key = KeyHasher::default();
    let folder = spec.folder.as_ref().map(|folder| folder.constant());
    let here = |word: &str| match folder {
        Some(Some(folder)) => Some(Path::new(folder).join(word)),
        Some(None) => None,
        None => Some(PathBuf::from(word)),
    };
    let mut words = spec.command.iter().map(Template::constant);
    let program = words.next().flatten().and_then(|name| {
        let folder = folder.flatten().map(Path::new);
        Some(contents.program(name, folder).ok()?.to_path_buf())
    });
    let files = words.flatten().filter_map(here).filter(|path| path.is_file());
    for path in program.into_iter().chain(files) {
        key.part(path.as_os_str().as_encoded_bytes());
        // One that cannot be read is not called either.
        contents.add(&path, &mut key).ok();
    }
    let Spec { command, stdin, env, folder, stdout, ok, outputs, inputs, batch, .. } = spec;
    let said = (command, stdin, env, folder, stdout, ok, outputs, inputs, batch);
    format!("{VERSION} {:?} {said:?}", key.key().0)
}

/// How the output is read.
fn judged(stdout: &Stdout, key: &mut KeyHasher) {
    let (name, columns) = match stdout {
        Stdout::Text => ("text", None),
        Stdout::Lines => ("lines", None),
        Stdout::Float64 => ("float64", None),
        Stdout::Json(columns) => ("json", Some(columns)),
        Stdout::Csv(columns) => ("csv", Some(columns)),
    };
    key.part(name);
    for (name, dtype) in columns.into_iter().flatten() {
        key.part(&**name).part(dtype.name());
    }
}
