//! File names of inputs and outputs: patterns, folders, what is there already.
use crate::build::Builder;
use crate::spec::{is_name, wrong_shape};
use crate::yaml::{Kind, Node};
use base::{Code, Diagnostic, Schema, Span, Warning};
use std::ffi::OsStr;
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
        match find(beside, &text) {
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
    if let Some((scheme, _)) = text.split_once("://").filter(|(scheme, _)| is_name(scheme)) {
        return Err(format!("`{text}` is no local file: only such are read, not `{scheme}://`"));
    }
    let beside = beside.map(|p| p.join(text));
    let candidates = [Some(PathBuf::from(text)), beside.filter(|p| p.as_os_str() != text)];
    if !is_pattern(text) {
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

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// A folder and all folders in it but hidden ones, in the order of their names; links are not
/// followed.
fn all_folders(folder: &Path, found: &mut Vec<PathBuf>) {
    found.push(folder.to_path_buf());
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(here).into_iter().flatten().flatten();
    let folders = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
    let mut names: Vec<_> = folders.map(|e| e.file_name()).filter(|n| !is_hidden(n)).collect();
    names.sort();
    names.iter().for_each(|name| all_folders(&folder.join(name), found));
}

/// Whether a name is that of something which tools put beside data.
fn is_hidden(name: &OsStr) -> bool {
    matches!(name.as_encoded_bytes().first(), Some(b'.' | b'_'))
}

/// The files that match a pattern whose folders may hold wildcards too, sorted.
fn matches(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![PathBuf::new()];
    // What ends with any folders means all files in them.
    let deep = pattern.file_name().is_some_and(|name| name == "**");
    let pattern = if deep { pattern.join("*") } else { pattern.to_path_buf() };
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        if !is_pattern(&name) {
            found.iter_mut().for_each(|p| p.push(part));
            continue;
        }
        if name == "**" {
            let before = std::mem::take(&mut found);
            before.iter().for_each(|folder| all_folders(folder, &mut found));
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
                let hidden = is_hidden(&entry.file_name()) && !name.starts_with(['.', '_']);
                if matcher.is_match(entry.file_name()) && !hidden {
                    next.push(folder.join(entry.file_name()));
                }
            }
        }
        next.sort();
        next.dedup();
        found = next;
    }
    Ok(found.into_iter().filter(|p| if deep { p.is_file() } else { p.exists() }).collect())
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
