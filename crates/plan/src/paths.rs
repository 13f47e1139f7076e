//! File names of inputs and outputs: patterns, folders, what is there already.
use crate::build::Builder;
use crate::spec::wrong_shape;
use crate::yaml::{Kind, Node};
use base::{Code, Diagnostic, Span};
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
    let beside = beside.map(|p| p.join(text));
    let candidates = [Some(PathBuf::from(text)), beside.filter(|p| p.as_os_str() != text)];
    if !text.contains(['*', '?', '[']) {
        let found = candidates.into_iter().flatten().find(|p| p.exists());
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
    for pattern in candidates.into_iter().flatten() {
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

/// The files that match a pattern whose folders may hold wildcards too, sorted.
fn matches(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        if !name.contains(['*', '?', '[']) {
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

/// The final name of an output; a mistake if it is there already or cannot be made.
pub fn output(b: &mut Builder, text: &str, span: Span) -> PathBuf {
    let path = match &b.options.out {
        Some(out) => out.join(text),
        None => PathBuf::from(text),
    };
    if let Some((_, first)) = b.outputs.iter().find(|(p, _)| *p == path) {
        let message = format!("two steps write `{}`", path.display());
        let d =
            Diagnostic::error(Code::DuplicateOutput, span, message).other(*first, "the first one");
        b.error(d);
    } else if text.is_empty() || path.file_name().is_none() {
        b.error(Diagnostic::error(Code::OutputUnwritable, span, "this is not the name of a file"));
    } else if path.exists() && !b.may_replace(&path) {
        let message = format!("`{}` exists already", path.display());
        b.error(
            Diagnostic::error(Code::OutputExists, span, message)
                .help("say `--overwrite` to replace it, or `--out DIR` to write elsewhere"),
        );
    } else if let Some(message) = unwritable(&path) {
        b.error(Diagnostic::error(Code::OutputUnwritable, span, message));
    }
    b.outputs.push((path.clone(), span));
    path
}

/// Why nothing can be made at a path, if so: the nearest folder that is there decides.
fn unwritable(path: &Path) -> Option<String> {
    let mut folder = path.parent()?;
    while !folder.as_os_str().is_empty() && !folder.exists() {
        folder = folder.parent()?;
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !folder.is_dir() {
        return Some(format!(
            "cannot write `{}`: `{}` is not a folder",
            path.display(),
            folder.display()
        ));
    }
    let access =
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
    access.err().map(|e| {
        format!("cannot write `{}`: `{}`: {}", path.display(), folder.display(), reason(&e.into()))
    })
}

/// An error of the operating system in words, without its number.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
