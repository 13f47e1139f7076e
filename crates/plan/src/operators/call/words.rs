//! The words of a call: the program, its arguments, and other texts with values of rows in them.
use crate::build::Builder;
use crate::paths::places;
use crate::spec::{Step, wrong_shape};
use crate::template::Templates;
use crate::yaml::{Kind, Node};
use base::{Code, DType, Diagnostic};
use std::path::{Path, absolute};
use tasks::call::{Spec, program};
use tasks::{Piece, Template};

/// Words of a shell, which mean nothing to a program.
const SHELL: [&str; 9] = ["|", ">", ">>", "<", "&&", "||", ";", "&", "2>&1"];

/// Programs whose option `-c` takes a script.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "fish"];

/// The program and its arguments. One that is a file beside the pipeline file, and not in the folder
/// that it is called in, is that file.
pub(super) fn command(b: &mut Builder, step: &Step, t: &mut Templates) -> Option<Vec<Template>> {
    let Kind::List(items) = &step.head.kind else {
        let expected = "`call` is a list of a program and its arguments";
        let error = wrong_shape(&step.head, expected);
        let words = step.head.scalar().map(|s| s.text.text.split_whitespace().collect::<Vec<_>>());
        let list =
            words.map(|words| words.join(", ")).unwrap_or_else(|| "gzip, ${path}".to_owned());
        b.error(error.help(format!("there is no shell: write `[{list}]`")));
        return None;
    };
    if items.is_empty() {
        b.error(Diagnostic::error(Code::BadValue, step.head.span, "no program is named"));
        return None;
    }
    if let Some(word) = items.iter().find(|item| is_of_shell(item)) {
        let message = "this is a word of a shell, and no shell reads it";
        let help = "`stdin`, `stdout` and `outputs` are for what goes in and out; a script of your \
                    own, or `[sh, -c, \"… \\\"$$1\\\" | …\", sh, \"${path}\"]`, for chains of programs";
        b.error(Diagnostic::error(Code::BadValue, word.span, message).help(help));
    }
    let words: Vec<Option<Template>> = items.iter().map(|item| template(b, item, t)).collect();
    let words: Vec<Template> = words.into_iter().collect::<Option<_>>()?;
    scripted(b, items, &words, t);
    if step.option("folder").is_some() {
        return Some(words);
    }
    let beside = Path::new(&*b.source.name).parent();
    Some(words.into_iter().map(|word| existing(beside, word)).collect())
}

fn is_of_shell(node: &Node) -> bool {
    node.scalar().is_some_and(|s| SHELL.contains(&&*s.text.text))
}

/// A text of the row inside of a script would be read as a part of it: a file can have any name.
fn scripted(b: &mut Builder, items: &[Node], words: &[Template], t: &Templates) {
    let program = words.first().and_then(Template::constant).unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    let option = words.iter().position(|word| word.constant() == Some("-c"));
    let (true, Some(script)) = (SHELLS.contains(&program), option.map(|at| at + 1)) else { return };
    let text = |piece: &Piece| match piece {
        Piece::Column { at, .. } => t.dtype(*at) == Some(DType::String),
        Piece::Text(_) => false,
    };
    if words.get(script).is_some_and(|word| word.0.iter().any(text)) {
        let message =
            format!("a text of the row would be read by `{program}` as a part of this script");
        let help = "make it an argument of the script: `\"$$1\"` in it, and behind it `, sh, ${…}`";
        let error = Diagnostic::error(Code::BadValue, items[script].span, message);
        b.error(error.help(help));
    }
}

fn existing(beside: Option<&Path>, word: Template) -> Template {
    let Some(text) = word.constant().filter(|text| text.contains(['.', '/'])) else { return word };
    let mut files = places(beside, text).into_iter().map(|path| (path.is_file(), path));
    match (files.next(), files.next()) {
        (Some((false, _)), Some((true, path))) => {
            absolute(path).ok().and_then(|path| path.to_str().map(Template::text)).unwrap_or(word)
        }
        _ => word,
    }
}

fn template(b: &mut Builder, node: &Node, t: &mut Templates) -> Option<Template> {
    let text = b.scalar(node, "a single text is expected here")?.text.clone();
    t.text(b, &text)
}

/// A text under a key. `None` after a mistake.
pub(super) fn text(
    b: &mut Builder,
    step: &Step,
    key: &str,
    t: &mut Templates,
) -> Option<Option<Template>> {
    match step.option(key) {
        Some(node) => template(b, node, t).map(Some),
        None => Some(None),
    }
}

/// A text or a list of texts under a key. `None` after a mistake.
pub(super) fn list(
    b: &mut Builder,
    step: &Step,
    key: &str,
    t: &mut Templates,
) -> Option<Vec<Template>> {
    let nodes = match step.option(key) {
        Some(Node { kind: Kind::List(items), .. }) => &items[..],
        Some(node) => std::slice::from_ref(node),
        None => &[],
    };
    let all: Vec<Option<Template>> = nodes.iter().map(|node| template(b, node, t)).collect();
    all.into_iter().collect()
}

/// Variables of the environment. `None` after a mistake.
pub(super) fn env(
    b: &mut Builder,
    step: &Step,
    t: &mut Templates,
) -> Option<Vec<(String, Template)>> {
    let Some(node) = step.option("env") else { return Some(Vec::new()) };
    let mut env = Some(Vec::new());
    for (key, value) in b.map(node, "`env` is a mapping of variables to texts").to_vec() {
        if key.name.is_empty() || key.name.contains(['=', '\0']) {
            let message = "a variable has a name without `=`";
            b.error(Diagnostic::error(Code::BadName, key.span, message));
        }
        let value = template(b, &value, t);
        env = env.zip(value).map(|(mut env, value)| {
            env.push((key.name.clone(), value));
            env
        });
    }
    env
}

/// Whether the program is there, as far as that can be told before the run.
pub(super) fn found(b: &mut Builder, step: &Step, spec: &Spec) {
    let Some(name) = spec.command.first().and_then(Template::constant) else { return };
    let folder = spec.folder.as_ref().map(Template::constant);
    if b.options.no_calls || (name.contains('/') && folder == Some(None)) {
        return;
    }
    if let Err(why) = program::find(name, folder.flatten().map(Path::new)) {
        let span = step.head.list().and_then(<[Node]>::first).map_or(step.head.span, |n| n.span);
        b.error(Diagnostic::error(Code::BadProgram, span, why));
    }
}

/// The command as it stands in the file, for people.
pub(super) fn shown(head: &Node) -> String {
    let words = head.list().into_iter().flatten().filter_map(Node::scalar);
    words.map(|scalar| &*scalar.text.text).collect::<Vec<_>>().join(" ")
}
