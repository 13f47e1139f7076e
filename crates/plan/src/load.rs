//! From a pipeline file to a plan: the driver, which reads as the order of the stages.
use crate::build::Builder;
use crate::files::KnownFiles;
use crate::graph::Graph;
use crate::graph::PlanOp;
use crate::lower::lower;
use crate::operators::implicit_show;
use crate::outputs;
use crate::params;
use crate::physical::Physical;
use crate::rules::{Rewrite, rewrite};
use crate::spec::{Spec, spec};
use crate::tests::Test;
use crate::yaml::{self, Kind, Node};
use base::{Code, Diagnostic, Diagnostics, Severity, Source, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What the launcher was told, as far as the plan depends on it. Equal in all processes of a run.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// `--set name=value`, the last one of a name holds.
    pub sets: Vec<(String, String)>,
    /// `--out DIR`: where outputs go; the current folder if none.
    pub out: Option<PathBuf>,
    /// `--tile`.
    pub tile: Option<TileRequest>,
    /// `--without`: the names of rules that are switched off.
    pub without: Vec<&'static str>,
    /// `--overwrite`.
    pub overwrite: bool,
    /// Nothing will be written: what stands under the names of outputs is not in the way.
    pub dry: bool,
    /// All outputs go into this folder, whatever their names say: those of tests and measurements,
    /// which are thrown away.
    pub scratch: Option<PathBuf>,
    /// Whether files may come and change behind the plan: of those that are there nothing is taken
    /// for granted but the types of their columns.
    pub follow: bool,
    /// Files that are not looked at again.
    pub known: KnownFiles,
    /// Outputs that may be replaced without it: those that an earlier run of the pipeline made.
    pub replace: Vec<PathBuf>,
    /// Where the run keeps its state.
    pub state: State,
    /// What is staged carries this in its name, unless it carries the name of the state.
    pub run_id: String,
    /// `--deny warnings`: what would be a warning is an error.
    pub deny_warnings: bool,
    /// `--strict`: arithmetic that meets an exception, such as `x // 0`, is an error.
    pub strict: bool,
    /// `--no-calls`: no programs and no addresses are used.
    pub no_calls: bool,
    /// The time of the run, ISO 8601, for `history`.
    pub now: String,
}

impl LoadOptions {
    /// What a run of these options does not put up with: one that puts up with more has done tiles
    /// of which nothing is known.
    pub(crate) fn wary(&self) -> Option<String> {
        let (deny, strict) = (self.deny_warnings, self.strict);
        (deny || strict).then(|| format!("deny {deny} strict {strict}\n"))
    }
}

/// Where a run keeps its state: what it has finished.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Nowhere.
    #[default]
    Nowhere,
    /// Beside the first output, in `.tidemill/NAME`; nowhere if there is no output.
    Beside,
    /// In this folder.
    In(PathBuf),
}

impl State {
    /// The folder of a pipeline whose first output is this.
    pub fn folder(&self, output: Option<&Path>) -> Option<PathBuf> {
        match self {
            State::Nowhere => None,
            State::Beside => {
                let output = output?;
                Some(output.with_file_name(".tidemill").join(output.file_name()?))
            }
            State::In(folder) => Some(folder.clone()),
        }
    }
}

/// How the user wants tiles cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TileRequest {
    /// About so many points.
    Points(u64),
    /// So many points along these dimensions, all along the others.
    Shape(Vec<(String, u64)>),
}

impl TileRequest {
    /// Reads `65536` or `lat=10,lon=100`.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn parse(text: &str) -> Result<TileRequest, String> {
        let bad =
            |t: &str| format!("`{t}` is not a number of points from 1 on, such as 65536 or 1e6");
        let number = |t: &str| {
            let value = params::literal(t.trim(), false).as_i64().filter(|v| *v > 0);
            value.map(|v| v as u64).ok_or_else(|| bad(t))
        };
        if !text.contains('=') {
            return number(text).map(TileRequest::Points);
        }
        let part = |p: &str| match p.split_once('=') {
            Some((name, size)) => Ok((name.trim().to_owned(), number(size)?)),
            None => Err(format!("`{p}` is not of the form dimension=points")),
        };
        text.split(',').map(part).collect::<Result<_, _>>().map(TileRequest::Shape)
    }
}

/// A plan that has no mistakes: as the steps make it, after each rule, and as it will run.
pub struct Plan {
    /// The pipeline file, for places in it.
    pub source: Source,
    /// What the pipeline is called.
    pub title: String,
    /// Parameters with the values of this run.
    pub params: Vec<(String, Value)>,
    /// As the steps make it.
    pub written: Graph,
    /// What each rule made of it.
    pub rewrites: Vec<Rewrite>,
    /// As it will run.
    pub physical: Physical,
    /// What is to be said of it, and again at the end of its run.
    pub warnings: Vec<Diagnostic>,
    /// The warnings that the file does not want to hear of.
    pub allow: Vec<Code>,
}

/// Reads, checks and plans a pipeline. All mistakes and warnings come back, in the order of the
/// file; the plan is there if none of them is an error.
pub fn load(source: &Source, options: &LoadOptions) -> (Option<Plan>, Vec<Diagnostic>) {
    load_with(source, options, &[])
}

fn load_with(
    source: &Source,
    options: &LoadOptions,
    then: &[Node],
) -> (Option<Plan>, Vec<Diagnostic>) {
    let (mut root, mistakes) = yaml::read(source);
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(mistakes);
    if let Some(Node { kind: Kind::Map(entries), .. }) = &mut root
        && let Some((_, steps)) = entries.iter_mut().find(|(k, _)| k.name == "steps")
        && let Kind::List(steps) = &mut steps.kind
    {
        steps.extend(then.iter().cloned());
    }
    let spec = root.as_ref().and_then(|root| spec(root, &mut diagnostics));
    let Some(spec) = spec else { return (None, diagnostics.sorted()) };
    let mut builder = builder(source, options, &spec, diagnostics);
    let plan = plan(&spec, &mut builder);
    crate::tests::check(&spec, &mut builder);
    crate::unread::explain(&builder.unread, &mut builder.diagnostics);
    let good = !builder.diagnostics.has_errors();
    // After a mistake it is often the right use of a parameter that is missing.
    if good {
        params::unused(&spec, &mut builder);
    }
    let said = builder.diagnostics.settle(&spec.allow, options.deny_warnings);
    let good = !said.has_errors();
    let said = said.sorted();
    let plan = plan.filter(|_| good).map(|plan| Plan {
        warnings: said.iter().filter(|d| d.severity == Severity::Warning).cloned().collect(),
        allow: spec.allow,
        ..plan
    });
    (plan, said)
}

/// The tests of a pipeline file, or its mistakes.
///
/// # Errors
/// The mistakes, if any of them is an error; they are those of the file with its own parameters,
/// less what only a run would need: outputs are not looked for.
pub fn load_tests(source: &Source) -> Result<Vec<Test>, Vec<Diagnostic>> {
    let options = LoadOptions { dry: true, ..LoadOptions::default() };
    let (root, mistakes) = yaml::read(source);
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(mistakes);
    let Some(spec) = root.as_ref().and_then(|root| spec(root, &mut diagnostics)) else {
        return Err(diagnostics.sorted());
    };
    let mut builder = builder(source, &options, &spec, diagnostics);
    let tests = crate::tests::read(&spec, &mut builder);
    match builder.diagnostics.has_errors() {
        true => Err(builder.diagnostics.sorted()),
        false => Ok(tests),
    }
}

/// As [`load`], for the run of a test: with its parameters, and its steps after the last one.
pub fn load_test(
    source: &Source,
    test: &Test,
    options: &LoadOptions,
) -> (Option<Plan>, Vec<Diagnostic>) {
    let mut options = options.clone();
    options.sets.extend(test.sets.iter().cloned());
    load_with(source, &options, &test.then)
}

fn builder<'a>(
    source: &'a Source,
    options: &'a LoadOptions,
    spec: &Spec,
    mut diagnostics: Diagnostics,
) -> Builder<'a> {
    let params = params::params(spec, &options.sets, &mut diagnostics);
    let functions = params::functions(spec, &mut diagnostics);
    let title = spec.title.clone().unwrap_or_else(|| source.name.to_string());
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(source.text.as_bytes());
    for (name, value) in &params {
        hash.update(format!("{name}={value:?};"));
    }
    for rule in &options.without {
        hash.update(format!("without {rule};"));
    }
    if options.strict {
        hash.update("strict;");
    }
    let digest: [u8; 32] = hash.finalize().into();
    Builder {
        title,
        titled: spec.title.is_some(),
        params,
        functions,
        allow: spec.allow.clone(),
        diagnostics,
        made: vec![None; spec.steps.len()],
        hash: digest.iter().map(|b| format!("{b:02x}")).collect(),
        digest,
        ..Builder::new(source, options)
    }
}

fn plan(spec: &Spec, builder: &mut Builder) -> Option<Plan> {
    for i in &spec.order {
        builder.made[*i] = builder.step(&spec.steps[*i]);
    }
    implicit_show(spec, builder);
    outputs::check(builder);
    if builder.diagnostics.has_errors() {
        return None;
    }
    let written = builder.graph.clone();
    let sinks = |op: &PlanOp| matches!(op, PlanOp::Write(_) | PlanOp::Show(_));
    if !written.nodes.iter().any(|n| sinks(&n.op)) {
        return None;
    }
    let rewrites = rewrite(written.clone(), &builder.options.without);
    let last = rewrites.last().map_or(&written, |r| &r.graph);
    let physical = lower(last, builder)?;
    let (title, params) = (builder.title.clone(), builder.params.clone());
    let (warnings, allow) = (Vec::new(), Vec::new());
    let source = builder.source.clone();
    Some(Plan { source, title, params, written, rewrites, physical, warnings, allow })
}

/// The mistake of a pipeline file that cannot be read.
pub fn unreadable(name: &str, error: &std::io::Error) -> (Source, Diagnostic) {
    let message = format!("cannot read `{name}`: {}", crate::paths::reason(error));
    let diagnostic = Diagnostic::error(Code::Unreadable, base::Span::default(), message);
    (Source::new(name, ""), diagnostic)
}

/// The mistake of a pipeline file that is not UTF-8, at the first byte that does not belong to it.
pub fn not_text(name: &str, bytes: &[u8]) -> (Source, Diagnostic) {
    let good = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), str::len);
    // The line is shown as far as it is text.
    let rest = bytes[good..].split(|b| *b == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes[..good]) + String::from_utf8_lossy(rest);
    let source = Source::new(name, &*text);
    let span = base::Span::new(good, good + '\u{fffd}'.len_utf8());
    let byte = bytes.get(good).copied().unwrap_or_default();
    let message = format!("`{name}` is not UTF-8 text: here is the byte 0x{byte:02x}");
    let diagnostic = Diagnostic::error(Code::Unreadable, span, message);
    (source, diagnostic.help("save the file as UTF-8"))
}
