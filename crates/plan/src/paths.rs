//! File names of inputs: patterns, folders, what is there.
use crate::build::Builder;
use crate::inputs::Input;
use crate::spec::wrong_shape;
use crate::yaml::{Kind, Node};
use base::{Code, Diagnostic};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// The names that stand behind `read:`, and the files that they mean, at least one.
pub fn inputs(b: &mut Builder, node: &Node) -> Option<(Vec<String>, Vec<PathBuf>)> {
    let nodes: Vec<&Node> = match &node.kind {
        Kind::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    let beside = Path::new(&*b.source.name).parent();
    let (mut names, mut paths, mut good) = (Vec::new(), Vec::new(), true);
    for node in nodes {
        let Some(text) = b.text(node, "the name of a file is expected here") else {
            good = false;
            continue;
        };
        match find(beside, &text).and_then(all_ordinary) {
            Ok(found) => {
                b.inputs.push(Input::new(&text, node.span, places(beside, &text), &found));
                paths.extend(found);
                names.push(text);
            }
            Err(message) => {
                b.error(Diagnostic::error(Code::MissingInput, node.span, message));
                good = false;
            }
        }
    }
    if good && paths.is_empty() {
        b.error(wrong_shape(node, "the name of a file is expected here"));
    }
    (good && !paths.is_empty()).then_some((names, paths))
}

/// The files of a name or pattern, in the folder of the command or beside the pipeline file.
pub fn find(beside: Option<&Path>, text: &str) -> Result<Vec<PathBuf>, String> {
    let candidates = places(beside, text);
    if !is_pattern(text) {
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
fn places(beside: Option<&Path>, text: &str) -> Vec<PathBuf> {
    let beside = beside.map(|p| p.join(text)).filter(|p| p.as_os_str() != text);
    [Some(PathBuf::from(text)), beside].into_iter().flatten().collect()
}

/// Whether it is a pattern, not a name.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The files that match a pattern whose folders may hold wildcards too, sorted.
pub fn matches(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        if !is_pattern(&name) {
            found.iter_mut().for_each(|p| p.push(part));
            continue;
        }
        let glob = globset::Glob::new(&name).map_err(|e| format!("`{name}`: {}", e.kind()))?;
        let matcher = glob.compile_matcher();
        let mut next = Vec::new();
        for folder in found {
            let folder_or_here =
                if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
            let Ok(entries) = std::fs::read_dir(folder_or_here) else { continue };
            for entry in entries.flatten() {
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                if matcher.is_match(entry.file_name()) && (!hidden || name.starts_with('.')) {
                    next.push(folder.join(entry.file_name()));
                }
            }
        }
        next.sort();
        found = next;
    }
    Ok(found.into_iter().filter(|p| p.exists()).collect())
}

/// An error of the operating system in words, without its number.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
