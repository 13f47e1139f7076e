//! Source → Spec: the keys of a pipeline file, its steps and how they feed each other.
use crate::operator::Operator;
use crate::operators::operator;
use crate::steps::steps;
use crate::yaml::{Key, Kind, Node, Scalar};
use base::{Code, Diagnostic, Diagnostics, Span, did_you_mean};

/// A pipeline file that has the right keys; expressions and files are not looked at yet.
pub struct Spec {
    /// The title, or `None`.
    pub title: Option<String>,
    /// A longer text.
    pub description: Option<String>,
    /// `params:` name and default.
    pub params: Vec<(Key, Node)>,
    /// `functions:` `name(a, b)` and expression.
    pub functions: Vec<(Key, Node)>,
    /// The steps in the order of the file.
    pub steps: Vec<Step>,
    /// An order in which every step comes after those that feed it.
    pub order: Vec<usize>,
    /// `allow:` the warnings that are not told.
    pub allow: Vec<Code>,
    /// `tests:`, not looked at yet.
    pub tests: Vec<Node>,
}

/// One step.
pub struct Step {
    /// What it does.
    pub operator: &'static Operator,
    /// Its name: `as:`, or the operator's name, with `_2`, `_3` … where that is taken.
    pub name: String,
    /// Where the operator's name stands.
    pub span: Span,
    /// What stands under it.
    pub head: Node,
    /// What stands beside it, less `as` and `from`.
    pub options: Vec<(Key, Node)>,
    /// The steps that feed it.
    pub inputs: Vec<usize>,
}

impl Step {
    /// What stands under a key beside the operator.
    pub fn option(&self, name: &str) -> Option<&Node> {
        self.options.iter().find(|(k, _)| k.name == name).map(|(_, n)| n)
    }
}

/// The keys a file may have, with their docs.
pub const TOP_KEYS: &[(&str, &str)] = &[
    ("title", "What the pipeline is called in reports and outputs."),
    ("description", "What it is for, in as many words as it takes."),
    (
        "params",
        "Named values that `--set name=value` replaces. A name without a value must be set.",
    ),
    ("functions", "Named expressions: `area(r): pi * r**2`."),
    ("steps", "The steps, each fed by the one before unless `from:` says otherwise."),
    ("allow", "The codes of warnings that are not told, such as `[W0102]`."),
    ("tests", "Runs with small parameters and what must come out; `tidemill test` runs them."),
];

/// Reads the keys of the file. Mistakes go to `diagnostics`; what can be understood comes back.
pub fn spec(root: &Node, diagnostics: &mut Diagnostics) -> Option<Spec> {
    let Kind::Map(entries) = &root.kind else {
        let message =
            format!("a pipeline file is a mapping with `steps:`, but this is {}", root.describe());
        diagnostics.push(Diagnostic::error(Code::WrongShape, root.span, message));
        return None;
    };
    for (key, _) in entries {
        if !TOP_KEYS.iter().any(|(k, _)| *k == key.name) {
            let names = TOP_KEYS.iter().map(|(k, _)| *k);
            diagnostics.push(
                Diagnostic::error(
                    Code::UnknownKey,
                    key.span,
                    format!("unknown key `{}`", key.name),
                )
                .maybe_help(misplaced(&key.name).or_else(|| did_you_mean(&key.name, names))),
            );
        }
    }
    let mut text = |name: &str| root.get(name).and_then(|n| plain_text(n, name, diagnostics));
    let (title, description) = (text("title"), text("description"));
    let params = named(root.get("params"), "params", diagnostics);
    let functions = named(root.get("functions"), "functions", diagnostics);
    let (steps, order) = steps(root, diagnostics);
    let allow = allowed(root.get("allow"), diagnostics);
    let tests = list(root.get("tests"), "tests", diagnostics).to_vec();
    Some(Spec { title, description, params, functions, steps, order, allow, tests })
}

/// A step where a key of the file is expected.
fn misplaced(name: &str) -> Option<String> {
    let step = operator(name).is_some() || base::synonyms::operator(name).is_some();
    step.then(|| "steps stand under `steps:`, each after a `- `".to_owned())
}

fn allowed(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Vec<Code> {
    let names = node.and_then(|node| names_of(node, diagnostics)).unwrap_or_default();
    let mut codes = Vec::new();
    for (name, span) in names {
        match Code::from_text(&name).filter(|code| code.is_warning()) {
            Some(code) => codes.push(code),
            None => diagnostics.push(
                Diagnostic::error(
                    Code::BadValue,
                    span,
                    format!("no warning has the code `{name}`"),
                )
                .help("`allow` takes the codes of warnings, such as [W0102]"),
            ),
        }
    }
    codes
}

fn plain_text(node: &Node, what: &str, diagnostics: &mut Diagnostics) -> Option<String> {
    match node.scalar() {
        Some(scalar) => Some(scalar.text.text.to_string()),
        None => {
            diagnostics.push(wrong_shape(node, &format!("`{what}` is text")));
            None
        }
    }
}

/// A mistake about the shape of a value.
pub fn wrong_shape(node: &Node, expected: &str) -> Diagnostic {
    let message = format!("{expected}, but this is {}", node.describe());
    Diagnostic::error(Code::WrongShape, node.span, message)
}

fn named(node: Option<&Node>, what: &str, diagnostics: &mut Diagnostics) -> Vec<(Key, Node)> {
    match node.map(|n| (&n.kind, n)) {
        None => Vec::new(),
        Some((_, node)) if node.is_nothing() => Vec::new(),
        Some((Kind::Map(entries), _)) => entries.clone(),
        Some((_, node)) => {
            diagnostics
                .push(wrong_shape(node, &format!("`{what}` is a mapping of names to values")));
            Vec::new()
        }
    }
}

/// The items of a list; of nothing, none.
pub fn list<'a>(node: Option<&'a Node>, what: &str, diagnostics: &mut Diagnostics) -> &'a [Node] {
    match node.map(|n| (&n.kind, n)) {
        None => &[],
        Some((_, node)) if node.is_nothing() => &[],
        Some((Kind::List(items), _)) => items,
        Some((_, node)) => {
            diagnostics
                .push(wrong_shape(node, &format!("`{what}` is a list, each item after a `- `")));
            &[]
        }
    }
}

/// Whether text is a name: a letter or `_`, then letters, digits or `_`.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

/// The mistake of a name that is none.
pub fn bad_name(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::BadName, span, format!("`{name}` is not a name"))
        .help("a name is a letter or `_`, then letters, digits or `_`")
}

/// One name or a list of names.
pub fn names_of(node: &Node, diagnostics: &mut Diagnostics) -> Option<Vec<(String, Span)>> {
    let one = |s: &Scalar, span| (s.text.text.to_string(), span);
    match &node.kind {
        Kind::Scalar(scalar) => Some(vec![one(scalar, node.span)]),
        Kind::List(items) => {
            let mut names = Vec::new();
            for item in items {
                match item.scalar() {
                    Some(scalar) => names.push(one(scalar, item.span)),
                    None => diagnostics.push(wrong_shape(item, "a name is expected here")),
                }
            }
            Some(names)
        }
        _ => {
            diagnostics.push(wrong_shape(node, "a name or a list of names is expected here"));
            None
        }
    }
}
