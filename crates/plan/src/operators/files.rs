//! `files`: a row for each file that patterns match.
use crate::build::Builder;
use crate::files::Files;
use crate::graph::{NodeId, PlanOp, ReadPlan};
use crate::inputs::Input;
use crate::listing::{Listed, Listing};
use crate::operator::{Inputs, Operator, Shape};
use crate::paths::places;
use crate::spec::{Step, wrong_shape};
use crate::yaml::{Kind, Node};
use arrow_array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use base::{Attributes, Code, DType, Diagnostic, DimMask, Domain, Field, Schema};
use expr::Given;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The operator.
pub static FILES: Operator = Operator {
    name: "files",
    doc: "Makes a row for each file that patterns match.\n\
          A name, a pattern with `*`, `?`, `[…]` or `{a,b}`, or a list of them; `**` stands for any \
          folders, `scans/**/*.jpg`. The columns are `path`; `folder` (`.` for none), `name`, and \
          of that `stem` and `suffix` (`.gz` of `a.tar.gz`), as Python's pathlib has them; `size` \
          in bytes; `modified`, a timestamp. Rows stand in the order of the bytes of `path`, each \
          file once. As in a shell `*` passes over names that begin with `.`, and `**` does not go \
          through links; a link to a file is that file, under the link's name. Patterns are looked \
          up in the folder the command is run in, then beside the pipeline file. The files are not \
          read, and are listed before the run.",
    head: Shape::Texts,
    keys: &[],
    inputs: Inputs::None,
    example: "- files: [\"scans/**/*.png\", \"scans/**/*.jpg\"]\n- filter: size > 0",
    build,
};

/// The most bytes of all names.
const MOST: usize = i32::MAX as usize;

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (names, listing) = listed(b, &step.head)?;
    let files = &listing.files;
    if files.iter().map(|file| file.path.len()).sum::<usize>() > MOST {
        let message = format!("the names of {} files take more than 2 GiB", files.len());
        b.error(Diagnostic::error(Code::BadDomain, step.head.span, message));
        return None;
    }
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns(files).into_iter().unzip();
    let schema = Schema {
        domain: Domain::new([("row", files.len() as u64)]),
        fields,
        attributes: Attributes::default(),
    };
    let read = ReadPlan {
        place: String::new(),
        source: None,
        offset: vec![0],
        columns: vec![None; schema.fields.len()],
        describe: format!("{} files of {}", files.len(), names.join(", ")),
        request: format!("files {names:?}"),
        files: Some(Arc::new(Files::listed(names, beside(b)))),
        fused: None,
        survivors: None,
    };
    let given = arrays.into_iter().map(Given::Table).collect();
    Some(b.node(step, PlanOp::Read(read), Vec::new(), schema, given))
}

fn beside(b: &Builder) -> Option<PathBuf> {
    Path::new(&*b.source.name).parent().map(Path::to_path_buf)
}

/// The names and patterns of a step, and the files that they mean.
fn listed(b: &mut Builder, node: &Node) -> Option<(Vec<String>, Listing)> {
    let nodes: Vec<&Node> = match &node.kind {
        Kind::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    let expected = "the name of a file or a pattern is expected here";
    let (beside, mut names, mut listing) = (beside(b), Vec::new(), Listing::default());
    for node in &nodes {
        let Some(text) = b.text(node, expected) else { continue };
        let before = listing.files.len();
        if let Err(none) = listing.add(beside.as_deref(), &text) {
            let mistake = Diagnostic::error(Code::MissingInput, node.span, none.message);
            b.error(mistake.maybe_help(none.help));
            continue;
        }
        let found: Vec<PathBuf> =
            listing.files[before..].iter().map(|file| PathBuf::from(&file.path)).collect();
        b.inputs.push(Input::listed(&text, node.span, places(beside.as_deref(), &text), &found));
        names.push(text);
    }
    if nodes.is_empty() {
        b.error(wrong_shape(node, expected));
    }
    listing.sort();
    listing.warnings().iter().for_each(|warning| b.error(warning.diagnostic(node.span)));
    (!nodes.is_empty() && names.len() == nodes.len()).then_some((names, listing))
}

fn columns(files: &[Listed]) -> Vec<(Field, ArrayRef)> {
    let field = |name: &str, dtype| Field::new(name, dtype, DimMask::only(0));
    let text = |name: &str, of: fn(&str) -> &str| {
        let values = StringArray::from_iter_values(files.iter().map(|file| of(&file.path)));
        (field(name, DType::String), Arc::new(values) as ArrayRef)
    };
    let size = Int64Array::from_iter_values(files.iter().map(|file| file.size));
    let times = files.iter().map(|file| file.modified);
    let modified = TimestampMicrosecondArray::from_iter_values(times);
    vec![
        text("path", |path| path),
        text("folder", folder),
        text("name", name),
        text("stem", |path| split(name(path)).0),
        text("suffix", |path| split(name(path)).1),
        (field("size", DType::Int64), Arc::new(size)),
        (field("modified", DType::Timestamp), Arc::new(modified)),
    ]
}

fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Never empty: `${folder}/x` is beside the file.
fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        None => ".",
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
    }
}

/// A name in front of its last dot, and from there on; a dot at either end is none.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 && at + 1 < name.len() => name.split_at(at),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_as_pathlib_does() {
        let cases = [
            ("a.txt", ".", "a", ".txt"),
            ("/a", "/", "a", ""),
            ("x/y/a.tar.gz", "x/y", "a.tar", ".gz"),
            ("x/.hidden", "x", ".hidden", ""),
            ("x/..hidden", "x", ".", ".hidden"),
            ("x/.a.b", "x", ".a", ".b"),
            ("dot.", ".", "dot.", ""),
            ("./a b\n.é", ".", "a b\n", ".é"),
        ];
        for (path, in_folder, stem, suffix) in cases {
            let split = split(name(path));
            assert_eq!((folder(path), split), (in_folder, (stem, suffix)), "{path}");
        }
    }
}
