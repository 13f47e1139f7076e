//! What is said to a program: its words, with the values of the rows of one start.
use super::spec::Spec;
use crate::{Rows, Template};
use std::path::{Path, PathBuf};

/// What is said to a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Start {
    /// As it was asked for.
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    pub(super) stdin: Option<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) folder: Option<String>,
    pub(super) outputs: Vec<String>,
    pub(super) inputs: Vec<String>,
}

/// The rows of a start of which all words could be written, and why the others could not.
pub(super) struct Rendered {
    pub(super) start: Start,
    /// Of each row of the start.
    pub(super) errors: Vec<Option<String>>,
}

impl Start {
    /// A name of a file as the program finds it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        match &self.folder {
            Some(folder) => Path::new(folder).join(name),
            None => PathBuf::from(name),
        }
    }
}

/// Writes the words. A row with a missing value fails alone.
pub(super) fn render(spec: &Spec, rows: &Rows) -> Rendered {
    let starts: Vec<_> = (rows.first..rows.first + rows.count)
        .map(|row| one(spec, rows, row).and_then(|start| if_sound(spec, start)))
        .collect();
    let mut whole: Option<Start> = None;
    let mut errors = Vec::with_capacity(starts.len());
    for start in starts {
        let joined = start.and_then(|start| match &mut whole {
            Some(whole) => join(spec, whole, start),
            None => {
                whole = Some(start);
                Ok(())
            }
        });
        errors.push(joined.err());
    }
    Rendered { start: whole.unwrap_or_default(), errors }
}

/// The words of one row alone.
fn one(spec: &Spec, rows: &Rows, row: usize) -> Result<Start, String> {
    let render = |template: &Template| template.render(rows, row);
    let all = |templates: &[Template]| templates.iter().map(render).collect::<Result<Vec<_>, _>>();
    let mut arguments = all(&spec.command)?.into_iter();
    let mut stdin = spec.stdin.as_ref().map(render).transpose()?;
    if spec.batch > 1 && spec.stdin.as_ref().is_some_and(|t| t.constant().is_none()) {
        stdin.iter_mut().for_each(end_line);
    }
    let env = spec.env.iter().map(|(name, value)| Ok((name.clone(), render(value)?)));
    Ok(Start {
        program: arguments.next().unwrap_or_default(),
        arguments: arguments.collect(),
        stdin,
        env: env.collect::<Result<_, String>>()?,
        folder: spec.folder.as_ref().map(render).transpose()?,
        outputs: all(&spec.outputs)?,
        inputs: all(&spec.inputs)?,
    })
}

/// What no program can be told, and names that are none.
fn if_sound(spec: &Spec, start: Start) -> Result<Start, String> {
    let words = [&start.program].into_iter().chain(&start.arguments).chain(&start.folder);
    let mut words = words.chain(start.env.iter().map(|(_, value)| value));
    if let Some(word) = words.find(|word| word.contains('\0')) {
        return Err(format!("an argument cannot have a byte 0 in it: {word:?}"));
    }
    if start.program.is_empty() {
        return Err("the name of the program is empty".to_owned());
    }
    if start.outputs.iter().any(|name| Path::new(name).file_name().is_none()) {
        return Err("the name of an output is empty, or that of no file".to_owned());
    }
    if spec.folder.is_some() && start.folder.as_deref() == Some("") {
        return Err("the name of the folder is empty".to_owned());
    }
    drop(words);
    Ok(start)
}

/// Adds a row to a start.
fn join(spec: &Spec, whole: &mut Start, row: Start) -> Result<(), String> {
    let same = |is: bool, what: &str| match is {
        true => Ok(()),
        false => Err(format!("{what} is another one than that of the first row of its start")),
    };
    same(whole.program == row.program, "the program")?;
    same(whole.folder == row.folder, "the folder")?;
    for ((name, a), (_, b)) in whole.env.iter().zip(&row.env) {
        same(a == b, &format!("the variable {name}"))?;
    }
    whole.outputs.extend(row.outputs);
    whole.inputs.extend(row.inputs);
    if let (Some(template), Some(a), Some(b)) = (&spec.stdin, &mut whole.stdin, row.stdin)
        && template.constant().is_none()
    {
        a.push_str(&b);
    }
    // Each argument's words stand together: those of the rows so far, then that of this one.
    let mut so_far = std::mem::take(&mut whole.arguments).into_iter();
    let varying = spec.command.iter().skip(1).filter(|t| t.constant().is_none()).count();
    let constant = spec.command.len().saturating_sub(1) - varying;
    let rows = so_far.len().saturating_sub(constant).checked_div(varying).unwrap_or(0);
    for (template, word) in spec.command.iter().skip(1).zip(row.arguments) {
        let count = if template.constant().is_some() { 1 } else { rows };
        whole.arguments.extend(so_far.by_ref().take(count));
        if template.constant().is_none() {
            whole.arguments.push(word);
        }
    }
    Ok(())
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}
