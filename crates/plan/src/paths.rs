//! File names of inputs: patterns, folders, what is there.
use crate::build::Builder;
use crate::elsewhere;
use crate::inputs::Input;
use crate::spec::{is_name, wrong_shape};
use crate::walk::{Hidden, Walk, near};
use crate::yaml::{Kind, Node};
use base::{Code, Diagnostic, Schema, Warning};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use tasks::store;

/// The names that stand behind `read:`, and the files that they mean, at least one.
pub fn inputs(b: &mut Builder, node: &Node) -> Option<(Vec<String>, Vec<PathBuf>)> {
    let nodes: Vec<&Node> = match &node.kind {
        Kind::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    let beside = Path::new(&*b.source.name).parent();
    let (mut names, mut paths, mut good) = (Vec::new(), Vec::new(), true);
    let mut texts: Vec<(&Node, String)> = Vec::new();
    for node in nodes {
        match b.text(node, "the name of a file is expected here") {
            Some(text) => texts.push((node, text)),
            None => good = false,
        }
    }
    let all: Vec<String> = texts.iter().map(|(_, text)| text.clone()).collect();
    for ((node, text), found) in texts.into_iter().zip(find_each(beside, &all)) {
        match found.and_then(all_ordinary) {
            Ok(found) => {
                b.inputs.push(Input::new(&text, node.span, places(beside, &text), &found));
                paths.extend(found);
                names.push(text);
            }
            Err(message) => {
                let help = near(Path::new(&text)).filter(|_| !text.contains("://"));
                let mistake = Diagnostic::error(Code::MissingInput, node.span, message);
                b.error(mistake.maybe_help(help));
                good = false;
            }
        }
    }
    if good && paths.is_empty() {
        b.error(wrong_shape(node, "the name of a file is expected here"));
    }
    (good && !paths.is_empty()).then_some((names, paths))
}

/// The files of each of some names or patterns; a store is asked for many at a time.
pub fn find_each(beside: Option<&Path>, texts: &[String]) -> Vec<Result<Vec<PathBuf>, String>> {
    let remote = |text: &String| store::is_remote(Path::new(text));
    match texts.len() > 1 && texts.iter().any(remote) {
        true => store::side_by_side(texts, |text| find(beside, text)),
        false => texts.iter().map(|text| find(beside, text)).collect(),
    }
}

/// The files of a name or pattern, in the folder of the command or beside the pipeline file.
pub fn find(beside: Option<&Path>, text: &str) -> Result<Vec<PathBuf>, String> {
    if let Some(file) = store::local(text)? {
        return find(None, &file.to_string_lossy());
    }
    if store::scheme(text).is_some() {
        return elsewhere::find(text);
    }
    let candidates = places(beside, text);
    // A file may have the name of a pattern, as `scan[1].png` does.
    if !is_pattern(text) || candidates.iter().any(|p| p.is_file()) {
        let found = candidates.into_iter().find(|p| p.exists());
        return match found {
            Some(path) => std::fs::metadata(&path)
                .and_then(
                    |m| if m.is_file() { std::fs::File::open(&path).map(|_| ()) } else { Ok(()) },
                )
                .map(|()| vec![path])
                .map_err(|e| format!("cannot read `{text}`: {}", reason(&e))),
            None => Err(format!("there is no file `{text}`")),
        };
    }
    for pattern in candidates {
        let matches = matches(&pattern)?;
        if !matches.is_empty() {
            return Ok(matches);
        }
    }
    Err(format!("no file matches `{text}`"))
}

fn all_ordinary(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, String> {
    match paths.iter().find_map(|path| Some((path, special(path)?))) {
        Some((path, what)) => Err(format!("cannot read `{}`: {what}", path.display())),
        None => Ok(paths),
    }
}

/// What a name stands for that is neither a file nor a folder. To open such a thing may wait for
/// ever, and what it gives it gives once, while inputs are read in any order and more than once.
pub fn special(path: &Path) -> Option<&'static str> {
    let kind = std::fs::metadata(path).ok()?.file_type();
    if kind.is_fifo() {
        Some("it is a pipe, and a file is needed: write what comes through it into one")
    } else if kind.is_socket() {
        Some("it is a socket, and a file is needed")
    } else if kind.is_char_device() || kind.is_block_device() {
        Some("it is a device, and a file is needed")
    } else {
        None
    }
}

/// Where a name or pattern is looked up, in this order.
pub(crate) fn places(beside: Option<&Path>, text: &str) -> Vec<PathBuf> {
    if store::is_remote(Path::new(text)) {
        return vec![PathBuf::from(text)];
    }
    let text = store::local(text).ok().flatten().unwrap_or_else(|| PathBuf::from(text));
    let beside = beside.map(|p| p.join(&text)).filter(|p| *p != text);
    [Some(text), beside].into_iter().flatten().collect()
}

/// Whether it is a pattern, not a name.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Warnings about keys in the names of folders (`year=2021`) that patterns have found, and that are
/// no columns.
pub fn keys_of_folders(names: &[String], paths: &[PathBuf], schema: &Schema) -> Vec<Warning> {
    let mut keys: Vec<(String, String)> = Vec::new();
    let found = paths.iter().filter(|_| names.iter().any(|name| is_pattern(name)));
    for folder in found.flat_map(|path| path.parent().into_iter().flat_map(Path::components)) {
        let folder = folder.as_os_str().to_string_lossy();
        let Some((key, _)) = folder.split_once('=').filter(|(key, _)| is_name(key)) else {
            continue;
        };
        if schema.position(key).is_none() && !keys.iter().any(|(known, _)| known == key) {
            keys.push((key.to_string(), folder.to_string()));
        }
    }
    let warning = |(key, folder): (String, String)| {
        let text = format!("the key `{key}` of folders such as `{folder}` is not a column");
        let help = "what stands in the names of folders is not read";
        Warning::new(Code::FilesLeftOut, text).help(help)
    };
    keys.into_iter().map(warning).collect()
}

/// The files that match a pattern whose folders may hold wildcards too, sorted.
pub fn matches(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let (mut found, deep) = Walk::new(Hidden::BesideData).names(pattern)?;
    found.sort();
    found.dedup();
    Ok(found.into_iter().filter(|p| if deep { p.is_file() } else { p.exists() }).collect())
}

/// An error of the operating system in words, without its number.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
