//! `read`: columns of files.
use crate::build::Builder;
use crate::files::Files;
use crate::graph::{NodeId, PlanOp, ReadPlan};
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::options::options;
use crate::paths;
use crate::spec::{Step, names_of};
use crate::yaml::Node;
use base::{Code, Diagnostic, Region, Schema, Span, did_you_mean};
use expr::Given;
use formats::{Format, FormatError, FormatErrorKind, OpenRequest, TileSource};
use std::path::Path;
use std::sync::Arc;

/// The operator.
pub static READ: Operator = Operator {
    name: "read",
    doc: "Reads columns of files.\n\
          A file, a list of files or a pattern with `*`; `${param}` is replaced. The format \
          follows the name. NetCDF variables make a box with their dimensions and coordinates, \
          Parquet, Arrow and CSV files rows; an image is a box of its pixels. `**` in a pattern stands for any folders, `data/**/*.csv`; \
          what begins with `.` or `_` is passed over. Names are looked up in the folder the command is \
          run in, then beside the pipeline file. `s3://bucket/name`, `https://…` and `file://…` are \
          read too, in parts.",
    head: Shape::Texts,
    keys: &[
        Key {
            name: "columns",
            doc: "The columns to read; all where none are named.",
            shape: Shape::Names,
        },
        Key {
            name: "slices",
            doc: "Parts of dimensions by position: `{ time: 0..12, lat: 5 }`.",
            shape: Shape::Slices,
        },
        Key {
            name: "format",
            doc: "The format, where the name does not tell.",
            shape: Shape::Text,
        },
    ],
    inputs: Inputs::None,
    example: "- read: data/stations.csv\n  columns: [station, t]",
    build,
};

/// The coordinates of a file are held in memory up to this many points.
const MAX_COORDINATE: u64 = 1 << 20;

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (named, paths) = paths::inputs(b, &step.head)?;
    let span = step.head.span;
    let format = format(b, step.option("format"), &paths[0].to_string_lossy(), span)?;
    b.inputs.iter_mut().filter(|i| i.is_of(step.head.span)).for_each(|i| i.format = Some(format));
    let columns = step.option("columns").and_then(|n| names_of(n, &mut b.diagnostics));
    let known = ["columns", "slices", "format"];
    let (options, option_spans) = options(b, step, &known, format, format.read_options());
    let names = columns.as_ref().map(|c| c.iter().map(|(n, _)| n.clone()).collect());
    let mut asked = format!("{} {:?} {names:?}", format.name(), options.0);
    let each = format.reads_each(&options);
    let (paths, memos) = b.options.known.choose(&asked, paths);
    let of_each = asked.clone();
    // Inside of `each` like the file of the first row.
    let alike = b.row.as_ref().and_then(|row| row.alike.get(&step.name)).cloned();
    let (names, types) = match alike {
        Some((names, types)) => (Some(names), types),
        None => (names, Vec::new()),
    };
    let request = OpenRequest { paths, columns: names, options, types, memos };
    let source = match format.open(&request) {
        Ok(source) => source,
        Err(error) => {
            b.error(open_error(error, span, columns.unwrap_or_default(), &option_spans));
            return None;
        }
    };
    source.warnings().iter().for_each(|warning| b.error(warning.diagnostic(span)));
    let unread = source.unread();
    b.left_out.extend(unread.iter().map(|unread| unread.name.clone()));
    b.unread.extend(unread);
    crate::unkept::note(b, &*source);
    for (name, kind) in source.stored_otherwise() {
        let dtype = source.schema().field(&name).map(|field| field.dtype);
        b.stored.extend(dtype.map(|dtype| (name, kind, dtype)));
    }
    for warning in paths::keys_of_folders(&named, &request.paths, source.schema()) {
        b.error(warning.diagnostic(span));
    }
    let mut schema = source.schema().clone();
    let offset = match step.option("slices") {
        Some(node) => {
            let offset = slices(b, node, &mut schema);
            asked += &format!(" {:?}", schema.domain.sizes());
            offset
        }
        None => vec![0; schema.domain.dims.len()],
    };
    if b.options.follow {
        schema.fields.iter_mut().for_each(|field| field.nullable = true);
    }
    let given = match given(&*source, &schema, &offset) {
        Ok(given) if b.options.follow => given.into_iter().map(loose).collect(),
        Ok(given) => given,
        Err(failure) => {
            b.error(Diagnostic::error(Code::BadInput, span, failure.to_string()));
            return None;
        }
    };
    let files = Files {
        names: named,
        beside: Path::new(&*b.source.name).parent().map(Path::to_path_buf),
        format: Some(format),
        columns: source.schema().names().map(str::to_owned).collect(),
        types: source.schema().fields.iter().map(|field| field.dtype).collect(),
        options: request.options,
        asked: of_each,
        each,
    };
    let read = ReadPlan {
        place: String::new(),
        describe: source.describe(),
        request: asked,
        files: Some(Arc::new(files)),
        columns: (0..schema.fields.len()).map(Some).collect(),
        source: Some(source),
        offset,
        fused: None,
        survivors: None,
    };
    Some(b.node(step, PlanOp::Read(read), Vec::new(), schema, given))
}

/// The format that `format:` names, or that the file's name tells.
pub fn format(
    b: &mut Builder,
    option: Option<&Node>,
    path: &str,
    span: Span,
) -> Option<&'static dyn Format> {
    let names = || formats::FORMATS.iter().map(|f| f.name());
    if let Some(node) = option {
        let name = b.text(node, "the name of a format is expected here")?;
        let found = formats::format_named(&name);
        if found.is_none() {
            let message = format!("no format is called `{name}`");
            b.error(
                Diagnostic::error(Code::UnknownFormat, node.span, message)
                    .maybe_help(did_you_mean(&name, names())),
            );
        }
        return found;
    }
    let found = formats::format_for_path(path.as_ref());
    if found.is_none() {
        let known: Vec<String> = formats::FORMATS
            .iter()
            .flat_map(|f| f.extensions().iter().map(|e| format!(".{e}")))
            .collect();
        let message = format!("the name `{path}` does not tell a format");
        b.error(
            Diagnostic::error(Code::UnknownFormat, span, message)
                .help(format!("known endings: {}", known.join(" ")))
                .help(format!(
                    "or say `format:`, one of {}",
                    names().collect::<Vec<_>>().join(", ")
                )),
        );
    }
    found
}

fn open_error(
    error: FormatError,
    span: Span,
    columns: Vec<(String, Span)>,
    options: &[(String, Span)],
) -> Diagnostic {
    let at = |name: &str, list: &[(String, Span)]| {
        list.iter().find(|(n, _)| n == name).map_or(span, |(_, s)| *s)
    };
    let (code, span) = match &error.kind {
        FormatErrorKind::Missing => (Code::MissingInput, span),
        FormatErrorKind::Corrupt => (Code::BadInput, span),
        FormatErrorKind::UnknownColumn(name) => (Code::UnknownColumn, at(name, &columns)),
        FormatErrorKind::BadOption(name) => (Code::BadValue, at(name, options)),
        FormatErrorKind::Unsupported(Some(name)) => (Code::UnsupportedData, at(name, &columns)),
        FormatErrorKind::Unsupported(None) => (Code::UnsupportedData, span),
    };
    Diagnostic::error(code, span, error.message).maybe_help(error.help)
}

/// Cuts the domain to the slices and returns where it begins in the file's.
fn slices(b: &mut Builder, node: &Node, schema: &mut Schema) -> Vec<u64> {
    let mut offset = vec![0; schema.domain.dims.len()];
    for (key, node) in b.map(node, "`slices` is a mapping of dimensions to positions") {
        let Some(dim) = schema.domain.position(&key.name) else {
            let names: Vec<String> =
                schema.domain.dims.iter().map(|d| d.name.to_string()).collect();
            let message = format!("no dimension is called `{}`", key.name);
            b.error(
                Diagnostic::error(Code::UnknownDimension, key.span, message)
                    .maybe_help(did_you_mean(&key.name, names.iter().map(String::as_str))),
            );
            continue;
        };
        let size = schema.domain.dims[dim].size.unwrap_or(0);
        let Some((first, count)) = slice(b, node) else { continue };
        match first.checked_add(count).filter(|end| *end <= size) {
            Some(_) => {
                offset[dim] = first;
                schema.domain.dims[dim].size = Some(count);
            }
            None => {
                let message = format!("`{}` has {size} points, numbered from 0", key.name);
                b.error(Diagnostic::error(Code::BadDomain, node.span, message));
            }
        }
    }
    offset
}

/// `a..b`, `a..=b` or a single position: the first position and how many.
fn slice(b: &mut Builder, node: &Node) -> Option<(u64, u64)> {
    let text = b.scalar(node, "positions are expected here, such as `0..12`")?.text.clone();
    if text.text.contains("..") {
        let bounds = super::axes::range_bounds(b, &text)?;
        if bounds.end < bounds.start {
            let (first, end) = (bounds.start, bounds.end);
            let message = format!("the slice runs backwards, from {first} to {end}");
            let d = Diagnostic::error(Code::BadDomain, node.span, message);
            b.error(d.help("dimensions are read forwards: write the smaller position first"));
            return None;
        }
        return Some((u64::try_from(bounds.start).ok()?, bounds.count(1)?));
    }
    Some((b.integer(node, "a position", 0)? as u64, 1))
}

/// What is known only as long as files stay as they are.
fn loose(given: Given) -> Given {
    match given {
        Given::Table(values) => Given::Loose(values),
        other => other,
    }
}

/// Coordinates are read at once, so that what depends on them alone is computed once.
fn given(
    source: &dyn TileSource,
    schema: &Schema,
    offset: &[u64],
) -> Result<Vec<Given>, base::Failure> {
    let mut given = Vec::new();
    for i in 0..schema.fields.len() {
        let dim = schema.coordinate(i).filter(|d| {
            let rows = &*schema.domain.dims[*d].name == "row";
            !rows && schema.domain.dims[*d].size.is_some_and(|s| (1..=MAX_COORDINATE).contains(&s))
        });
        given.push(match dim {
            None => Given::Loaded,
            Some(dim) => {
                let mut region = Region { origin: offset.to_vec(), shape: vec![1; offset.len()] };
                region.shape[dim] = schema.domain.dims[dim].size.unwrap_or(0) as usize;
                let columns = source.read(&region, &[i])?;
                let array = columns.into_iter().next().map(|c| c.array);
                array.map_or(Given::Loaded, |array| Given::Table(Arc::clone(&array)))
            }
        });
    }
    Ok(given)
}
