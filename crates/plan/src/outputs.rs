//! What a pipeline writes: which names may be written, and which stand for one thing.
use crate::build::Builder;
use crate::elsewhere;
use crate::inputs::{Id, id, real, with_entries};
use crate::paths::reason;
use base::{Code, Diagnostic, Span};
use formats::{Format, Replace, refusal};
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use tasks::store;

/// What stands between the name of what is staged and that of its run.
const STAGED: &str = ".partial-";
/// The most bytes of a file's name (`NAME_MAX` of all common file systems).
const LONGEST: usize = 255;

/// An output.
pub struct Output {
    /// Where it is written.
    pub path: PathBuf,
    /// Its final name; another one only where outputs are thrown away.
    name: PathBuf,
    /// The same, links followed.
    real: PathBuf,
    /// Where it stands in the pipeline file.
    span: Span,
    /// What is wrong with the name, or in the way; told by [`check`].
    mistake: Option<Diagnostic>,
}

/// Where an output is written. That it cannot be, or that something is in the way which may not be
/// replaced, is noted. The format says whether it is a folder of parts.
pub fn output(
    b: &mut Builder,
    text: &str,
    span: Span,
    format: Option<&'static dyn Format>,
) -> PathBuf {
    if let Some(name) = elsewhere::output(b.options.out.as_deref(), text) {
        return remote(b, name, span);
    }
    let file = store::local(text).ok().flatten().map(|path| path.to_string_lossy().into_owned());
    let text = file.as_deref().unwrap_or(text);
    let name: PathBuf = match &b.options.out {
        // An address has its folder only there.
        Some(out) if store::is_remote(Path::new(text)) => {
            out.join(Path::new(text).file_name().unwrap_or_default()).components().collect()
        }
        Some(out) => out.join(text).components().collect(),
        None => Path::new(text).components().collect(),
    };
    let name = without_detours(name);
    let last = name.file_name().unwrap_or_default();
    let path = match &b.options.scratch {
        Some(folder) => folder.join(b.outputs.len().to_string()).join(last),
        None => name.clone(),
    };
    let mistake = match no_name(b, text, &name) {
        Some(message) => Some(Diagnostic::error(Code::OutputUnwritable, span, message)),
        None if b.options.dry || b.options.scratch.is_some() => None,
        None => in_the_way(b, &path, span, format),
    };
    b.outputs.push(Output { real: real(&name), path: path.clone(), name, span, mistake });
    path
}

/// An output in a store: nothing of it can be staged beside it.
fn remote(b: &mut Builder, name: PathBuf, span: Span) -> PathBuf {
    let path = match &b.options.scratch {
        Some(folder) => {
            let last = name.file_name().unwrap_or_default();
            folder.join(b.outputs.len().to_string()).join(last)
        }
        None => name.clone(),
    };
    let free = b.options.dry || b.options.scratch.is_some() || b.replace(&name) == Replace::Always;
    let mistake = elsewhere::unwritable(&name, !free).map(|(code, message)| {
        let mistake = Diagnostic::error(code, span, message);
        match code {
            Code::OutputExists => mistake.help("say `--overwrite` to replace it"),
            _ => mistake,
        }
    });
    b.outputs.push(Output { real: name.clone(), path: path.clone(), name, span, mistake });
    path
}

/// Without `none/..`, where the folder is not there: the system does not know such names.
fn without_detours(name: PathBuf) -> PathBuf {
    let detour = |folder: &Path| {
        folder.components().any(|part| part == Component::ParentDir) && !folder.exists()
    };
    match (name.parent(), name.file_name()) {
        (Some(folder), Some(last)) if detour(folder) => real(folder).join(last),
        _ => name,
    }
}

/// Why this cannot be the name of an output, wherever it is.
fn no_name(b: &Builder, text: &str, name: &Path) -> Option<String> {
    let Some(last) = name.file_name().filter(|_| !text.is_empty()) else {
        return Some("this is not the name of a file".to_owned());
    };
    if text.contains('\0') {
        return Some("the name of a file cannot hold the character NUL".to_owned());
    }
    let most = LONGEST - STAGED.len() - b.options.run_id.len().max(8);
    (last.len() > most).then(|| {
        format!("the name has {} bytes; while it is written it may have {most}", last.len())
    })
}

/// The mistake of writing where something is that may not be replaced, or where nothing can be.
fn in_the_way(
    b: &Builder,
    path: &Path,
    span: Span,
    format: Option<&'static dyn Format>,
) -> Option<Diagnostic> {
    if let Some(message) = format.and_then(|format| refusal(path, format.writes_parts())) {
        let help = "it is left alone, with `--overwrite` too; write to another name, or with \
                    `--out DIR` into another folder";
        return Some(Diagnostic::error(Code::NotReplaced, span, message).help(help));
    }
    if path.symlink_metadata().is_ok() && b.replace(path) == Replace::Never {
        let message = format!("`{}` exists already", path.display());
        let help = "say `--overwrite` to replace it, or `--out DIR` to write elsewhere";
        return Some(Diagnostic::error(Code::OutputExists, span, message).help(help));
    }
    unwritable(path).map(|message| Diagnostic::error(Code::OutputUnwritable, span, message))
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

/// Tells of each output the one thing that is most wrong with it: its name or what stands under it;
/// that it is another output, the run's state or an input, or lies inside of it, by whatever name;
/// that it exists.
pub fn check(b: &mut Builder) {
    let state = b.state().map(|folder| real(&folder));
    let mistake = |(at, output): (usize, &Output)| {
        let (late, early) = match &output.mistake {
            Some(mistake) if mistake.code == Code::OutputExists => (Some(mistake), None),
            mistake => (None, mistake.as_ref()),
        };
        let before = &b.outputs[..at];
        early
            .cloned()
            .or_else(|| before.iter().find_map(|other| together(other, output)))
            .or_else(|| within_state(output, state.as_deref()))
            .or_else(|| is_read(b, output))
            .or_else(|| will_be_read(b, output))
            .or_else(|| late.cloned())
    };
    let mistakes: Vec<Diagnostic> = b.outputs.iter().enumerate().filter_map(mistake).collect();
    mistakes.into_iter().for_each(|d| b.error(d));
}

/// The mistake of two outputs of which one is the other, or lies inside of it.
fn together(first: &Output, second: &Output) -> Option<Diagnostic> {
    let (one, two) = (first.name.display(), second.name.display());
    let there = |output: &Output| output.name.metadata().ok().map(|m| id(&m));
    let message = match () {
        () if first.name == second.name => format!("two steps write `{two}`"),
        () if first.real == second.real => format!("`{two}` and `{one}` are one file"),
        () if there(first).is_some() && there(first) == there(second) => {
            format!("`{two}` and `{one}` are one file")
        }
        () if second.real.starts_with(&first.real) => format!("`{two}` lies inside of `{one}`"),
        () if first.real.starts_with(&second.real) => format!("`{one}` lies inside of `{two}`"),
        () => return None,
    };
    let mistake = Diagnostic::error(Code::DuplicateOutput, second.span, message);
    Some(mistake.other(first.span, "the first one"))
}

/// The mistake of an output that the folder of the run's state lies in, or the other way round.
fn within_state(output: &Output, state: Option<&Path>) -> Option<Diagnostic> {
    let state = state?;
    let apart = !state.starts_with(&output.real) && !output.real.starts_with(state);
    let message =
        || format!("`{}` and the folder of the run's ledger are one", output.name.display());
    (!apart).then(|| Diagnostic::error(Code::OutputUnwritable, output.span, message()))
}

/// The mistake of an output that is there and is read, whatever it is called, or is the pipeline.
fn is_read(b: &Builder, output: &Output) -> Option<Diagnostic> {
    if let Some(input) = b.inputs.iter().find(|input| input.holds(&output.name)) {
        let message = format!("`{}` is read and written", output.name.display());
        return Some(told(input.span, output, message));
    }
    let there: HashSet<Id> = with_entries(&output.name).into_iter().map(|(_, id)| id).collect();
    if there.is_empty() {
        return None;
    }
    let name = output.name.display();
    let pipeline = Path::new(&*b.source.name).metadata().ok().map(|m| id(&m));
    if pipeline.is_some_and(|id| there.contains(&id)) {
        let message = format!("`{name}` is the pipeline file");
        return Some(Diagnostic::error(Code::OutputIsInput, output.span, message));
    }
    b.inputs.iter().find_map(|input| {
        let (path, _) = input.things().find(|(_, id)| there.contains(id))?;
        let message = match path == output.name {
            true => format!("`{name}` is read and written"),
            false => format!("`{name}` is or holds `{}`, which is read", path.display()),
        };
        Some(told(input.span, output, message))
    })
}

/// The mistake of an output that is not there, and that a later run would read.
fn will_be_read(b: &Builder, output: &Output) -> Option<Diagnostic> {
    let input = b.inputs.iter().find(|input| input.would_read(&output.real))?;
    let message = format!("the next run would read `{}`", output.name.display());
    Some(told(input.span, output, message))
}

fn told(read: Span, output: &Output, message: String) -> Diagnostic {
    let help = "an output never takes the place of an input: write to another name, or with \
                `--out DIR` into another folder";
    let mistake = Diagnostic::error(Code::OutputIsInput, output.span, message);
    mistake.other(read, "read here").help(help)
}
