//! What operators use to check their step and to add nodes to the plan.
use crate::each::Row;
use crate::graph::{Graph, NodeId, PlanNode, PlanOp, after};
use crate::inputs::Input;
use crate::load::LoadOptions;
use crate::operator::{Inputs, Shape};
use crate::outputs::Output;
use crate::place;
use crate::spec::{Step, bad_name, is_name, names_of, wrong_shape};
use crate::yaml::{Key, Kind, Node, Scalar};
use base::{
    Code, DType, Diagnostic, Diagnostics, Field, Schema, Severity, Source, Span, Text, Value,
    Warning, did_you_mean,
};
use expr::{Exception, Expr, Given, Scope, Typed, UserFunction};
use formats::{Known, Replace, Unkept, Unread};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tasks::store::is_remote;

/// Says of outputs whether an earlier run has made them for rows.
pub type Replaced = Arc<dyn Fn(&Path) -> bool + Send + Sync>;

/// The plan as far as it is built, the names that hold everywhere, and the mistakes so far.
pub struct Builder<'a> {
    /// The pipeline file.
    pub source: &'a Source,
    /// What the launcher was told.
    pub options: &'a LoadOptions,
    /// The title, for outputs.
    pub title: String,
    /// Whether the file has a title of its own.
    pub titled: bool,
    /// `params:` with the values of this run.
    pub params: Vec<(String, Value)>,
    /// `functions:`.
    pub functions: Vec<UserFunction>,
    /// The warnings that the file does not want to hear of.
    pub allow: Vec<Code>,
    /// The mistakes so far.
    pub diagnostics: Diagnostics,
    /// The nodes so far.
    pub graph: Graph,
    /// For each step its node, if it was built.
    pub made: Vec<Option<NodeId>>,
    /// What is read.
    pub inputs: Vec<Input>,
    /// What is written.
    pub outputs: Vec<Output>,
    /// The columns of inputs that are not read.
    pub unread: Vec<Unread>,
    /// What inputs say of columns and dimensions that an output of their format will not say, each
    /// with the column.
    pub unkept: Vec<(Unkept, Option<Field>)>,
    /// The attributes that columns of inputs have.
    pub described: Vec<(String, Vec<String>)>,
    /// The columns that inputs have as a type that no column has, and as which type they are read.
    pub stored: Vec<(String, String, DType)>,
    /// Names of columns that inputs have and reads leave out.
    pub left_out: BTreeSet<String>,
    /// Which outputs earlier runs have made for rows: they may be replaced.
    pub replaced: Option<Replaced>,
    /// The row that all of this is done for, inside of `each`.
    pub row: Option<Row>,
    /// The parameters that something has used.
    pub used: RefCell<BTreeSet<String>>,
    /// SHA-256 of the file and its parameters, as hexadecimal digits.
    pub hash: String,
    /// The same as bytes.
    pub digest: [u8; 32],
}

impl<'a> Builder<'a> {
    /// Of a pipeline without a title, parameters or steps.
    pub fn new(source: &'a Source, options: &'a LoadOptions) -> Builder<'a> {
        Builder {
            source,
            options,
            title: String::new(),
            titled: false,
            params: Vec::new(),
            functions: Vec::new(),
            allow: Vec::new(),
            diagnostics: Diagnostics::new(),
            graph: Graph::default(),
            made: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            unread: Vec::new(),
            stored: Vec::new(),
            unkept: Vec::new(),
            described: Vec::new(),
            left_out: BTreeSet::new(),
            replaced: None,
            row: None,
            used: RefCell::default(),
            hash: String::new(),
            digest: [0; 32],
        }
    }
}

impl Builder<'_> {
    /// The folder of the run's state, if it keeps one.
    pub fn state(&self) -> Option<PathBuf> {
        let state = &self.options.state;
        let mut local = self.outputs.iter().filter(|output| !is_remote(&output.path));
        if let Some(output) = local.next() {
            return state.folder(Some(&output.path));
        }
        // What was done for rows is to be known again, though nothing is written.
        let tasks = self.graph.nodes.iter().any(|node| matches!(node.op, PlanOp::Task(_)));
        let file = Path::new(&*self.source.name).file_stem().filter(|_| tasks);
        let own = file.map(|file| self.options.out.clone().unwrap_or_default().join(file));
        state.folder(own.as_deref())
    }

    /// Whether an output that exists may be replaced.
    pub fn replace(&self, path: &Path) -> Replace {
        let same = |p: &PathBuf| std::path::absolute(p).ok() == std::path::absolute(path).ok();
        match () {
            () if self.options.overwrite => Replace::Always,
            () if self.options.replace.iter().any(same) && is_remote(path) => Replace::Always,
            () if self.options.replace.iter().any(same)
                || self.replaced.as_ref().is_some_and(|made| made(path))
                || self.is_of_a_row(path) =>
            {
                Known::at(path).map_or(Replace::Never, Replace::Known)
            }
            () => Replace::Never,
        }
    }

    /// Whether a file was made for a row of this pipeline, and is as it was made.
    fn is_of_a_row(&self, path: &Path) -> bool {
        let maker = self.row.as_ref().and_then(|_| crate::task::maker(self));
        maker.is_some_and(|maker| tasks::mark::is_of(path, &maker))
    }

    /// Builds one step, or at least finds the mistakes in it that show without its inputs.
    pub fn step(&mut self, step: &Step) -> Option<NodeId> {
        let ready = step.inputs.iter().all(|i| self.made.get(*i).copied().flatten().is_some());
        if ready && (step.operator.inputs == Inputs::None || !step.inputs.is_empty()) {
            return (step.operator.build)(self, step);
        }
        self.syntax(&step.head, step.operator.head);
        for (key, node) in &step.options {
            if let Some(key) = step.operator.keys.iter().find(|k| k.name == key.name) {
                self.syntax(node, key.shape);
            }
        }
        None
    }

    /// The nodes that feed a step.
    pub fn inputs(&self, step: &Step) -> Vec<NodeId> {
        step.inputs.iter().filter_map(|i| self.made.get(*i).copied().flatten()).collect()
    }

    /// The one node that feeds a step, and what it makes.
    pub fn input(&self, step: &Step) -> Option<(NodeId, Schema)> {
        let id = *self.inputs(step).first()?;
        Some((id, self.graph.nodes[id].schema.clone()))
    }

    /// The value of a parameter, or of a column of the row that all is done for.
    pub fn param(&self, name: &str) -> Option<&Value> {
        let known = self.row.as_ref().map_or(&self.params, |row| &row.constants);
        known.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// Notes a mistake.
    pub fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Notes a mistake if this cannot be the name of a column.
    pub fn check_name(&mut self, name: &str, span: Span) {
        if !is_name(name) {
            self.error(bad_name(name, span));
        }
    }

    /// Adds a node for a step.
    pub fn add(&mut self, step: &Step, op: PlanOp, inputs: Vec<NodeId>, schema: Schema) -> NodeId {
        let given = vec![Given::Loaded; schema.fields.len()];
        self.node(step, op, inputs, schema, given)
    }

    /// Adds a node that applies expression steps to the tiles of another.
    pub fn apply(&mut self, step: &Step, input: NodeId, mut steps: Vec<expr::Step>) -> NodeId {
        let name: Arc<str> = step.name.as_str().into();
        for typed in steps.iter_mut().flat_map(expressions) {
            typed.set_step(&name);
            for (met, span) in typed.exceptions() {
                self.diagnostics.extend(self.exception(*met, *span, &name));
            }
        }
        let from = &self.graph.nodes[input];
        let (schema, given) = after(&from.schema, &from.given, &steps);
        let op = PlanOp::Apply(steps);
        self.node(step, op, vec![input], schema, given)
    }

    /// Adds a node of which some columns are known coordinates.
    pub fn node(
        &mut self,
        step: &Step,
        op: PlanOp,
        inputs: Vec<NodeId>,
        schema: Schema,
        given: Vec<Given>,
    ) -> NodeId {
        let place = place::step(self.source, &step.name, step.span);
        let node = PlanNode::new(&step.name, op, inputs, schema, given);
        self.graph.add(PlanNode { place, ..node })
    }

    /// What constants of a step have met.
    fn exception(&self, met: Exception, span: Span, step: &str) -> Option<Diagnostic> {
        let said = Warning::new(met.code()?, format!("{}, in step `{step}`", met.counted()));
        let said = said.help(met.help()).diagnostic(span);
        let refused = self.options.strict && !self.allow.contains(&said.code);
        let severity = if refused { Severity::Error } else { said.severity };
        Some(Diagnostic { severity, ..said })
    }

    /// An expression, parsed.
    pub fn expr(&mut self, node: &Node) -> Option<Expr> {
        let scalar = self.scalar(node, "an expression is expected here")?;
        let expr = self.diagnostics.take(expr::parse(&scalar.text))?;
        for (name, _) in expr.names() {
            self.used.borrow_mut().insert(name.to_string());
        }
        Some(expr)
    }

    /// An expression over the columns of a schema.
    pub fn typed(&mut self, node: &Node, schema: &Schema) -> Option<Typed> {
        let expr = self.expr(node)?;
        self.check(&expr, schema)
    }

    /// The names that expressions over the columns of a schema may use.
    pub fn scope<'s>(&'s self, schema: &'s Schema) -> Scope<'s> {
        let row = self.row.as_ref().map_or(&[][..], |row| &row.fields);
        Scope { schema, row, params: &self.params, functions: &self.functions }
    }

    /// A parsed expression, checked against the columns of a schema.
    pub fn check(&mut self, expr: &Expr, schema: &Schema) -> Option<Typed> {
        let result = expr::check(expr, &self.scope(schema));
        let typed = self.diagnostics.take(result)?;
        self.diagnostics.extend(typed.notes.iter().cloned());
        self.shadows(expr, schema);
        Some(typed)
    }

    /// Tells of names that mean one of several things here.
    pub fn shadows(&mut self, expr: &Expr, schema: &Schema) {
        for (name, span) in expr.names() {
            let column = schema.field(name).is_some();
            let param = self.params.iter().any(|(n, _)| n == name);
            let constant = expr::CONSTANTS.iter().find(|(n, _)| *n == name);
            let note = |message| Diagnostic::note(Code::ShadowedName, span, message);
            let row = self.row.as_ref().is_some_and(|row| row.has(name));
            let d = match (column, param, constant) {
                (true, _, _) if row => {
                    note(format!("`{name}` is the column, not that of the row which `each` takes"))
                        .help("give one of them another name")
                }
                (true, true, _) => {
                    note(format!("`{name}` is the column, not the parameter `{name}`"))
                        .help("give one of them another name")
                }
                (true, false, Some((_, value))) => {
                    note(format!("`{name}` is the column, not the constant {value}"))
                }
                (false, false, Some((_, value))) if self.left_out.contains(name) => {
                    let message = format!(
                        "`{name}` is the constant {value}: the column `{name}` was left out before"
                    );
                    Diagnostic::warning(Code::ShadowedName, span, message)
                        .help("keep the column if it is meant")
                }
                _ => continue,
            };
            self.diagnostics.push(d);
        }
    }

    /// A value known before the run.
    pub fn constant(&mut self, text: &Text) -> Option<Value> {
        let expr = self.diagnostics.take(expr::parse(text))?;
        self.constant_expr(&expr)
    }

    /// The value of a parsed expression that no column may stand in.
    pub fn constant_expr(&mut self, expr: &Expr) -> Option<Value> {
        for (name, _) in expr.names() {
            self.used.borrow_mut().insert(name.to_string());
            self.depends(name);
        }
        let result = match &self.row {
            Some(row) => expr::constant(expr, &row.constants, &self.functions),
            None => expr::constant(expr, &self.params, &self.functions),
        };
        self.diagnostics.take(result)
    }

    /// Notes that the plan itself depends on a name, should it be that of a column of the row.
    pub fn depends(&self, name: &str) {
        if let Some(row) = self.row.as_ref().filter(|row| row.has(name)) {
            row.fixed.set(true);
        }
    }

    /// An integer known before the run, not below `least`.
    pub fn integer(&mut self, node: &Node, what: &str, least: i64) -> Option<i64> {
        let text = self.scalar(node, &format!("{what} is a whole number"))?.text.clone();
        let value = self.constant(&text)?;
        match value.as_i64().filter(|v| *v >= least) {
            Some(value) => Some(value),
            None => {
                let message = format!("{what} is a whole number from {least} on, not {value}");
                self.error(Diagnostic::error(Code::BadValue, node.span, message));
                None
            }
        }
    }

    /// Text with `${param}` and `$param` replaced.
    pub fn text(&mut self, node: &Node, expected: &str) -> Option<String> {
        let text = self.scalar(node, expected)?.text.clone();
        crate::template::constant(self, &text)
    }

    /// The single value of a node, or a mistake that says what is expected.
    pub fn scalar<'n>(&mut self, node: &'n Node, expected: &str) -> Option<&'n Scalar> {
        let scalar = node.scalar();
        if scalar.is_none() {
            self.error(wrong_shape(node, expected));
        }
        scalar
    }

    /// The entries of a mapping, or a mistake that says what is expected.
    pub fn map<'n>(&mut self, node: &'n Node, expected: &str) -> &'n [(Key, Node)] {
        match node.map() {
            Some(entries) if !entries.is_empty() => entries,
            _ => {
                self.error(wrong_shape(node, expected));
                &[]
            }
        }
    }

    /// The positions of named columns.
    pub fn columns(&mut self, node: &Node, schema: &Schema) -> Vec<(usize, Span)> {
        let names = names_of(node, &mut self.diagnostics).unwrap_or_default();
        let mut columns = Vec::new();
        for (name, span) in names {
            columns.extend(self.column(&name, span, schema).map(|i| (i, span)));
        }
        columns
    }

    /// The position of a named column.
    pub fn column(&mut self, name: &str, span: Span, schema: &Schema) -> Option<usize> {
        let position = schema.position(name);
        if position.is_none() {
            self.error(unknown_column(name, span, schema));
        }
        position
    }

    /// Finds calls of functions that are not there.
    fn calls(&mut self, expr: &Expr) {
        for (name, span) in expr.calls() {
            let known = expr::function(name).is_some()
                || expr::reduce::reduction(name).is_some()
                || self.functions.iter().any(|f| f.name == name);
            if !known {
                let message = format!("no function named `{name}`");
                if let Some(help) = base::synonyms::function(name) {
                    let d = Diagnostic::error(Code::UnknownFunction, span, message);
                    self.diagnostics.push(d.help(help));
                    continue;
                }
                let names = expr::FUNCTIONS.iter().map(|f| f.name);
                let near = did_you_mean(name, names.chain(self.functions.iter().map(|f| &*f.name)));
                self.diagnostics
                    .push(Diagnostic::error(Code::UnknownFunction, span, message).maybe_help(near));
            }
        }
    }

    /// Finds the mistakes of syntax in what cannot be checked further.
    fn syntax(&mut self, node: &Node, shape: Shape) {
        match (shape, &node.kind) {
            (Shape::Expr | Shape::Constant, Kind::Scalar(_)) => {
                if let Some(expr) = self.expr(node) {
                    self.calls(&expr);
                }
            }
            (Shape::Text, Kind::Scalar(_)) => {
                self.text(node, "");
            }
            (Shape::Exprs | Shape::Keys, Kind::Map(entries)) => {
                for (_, node) in entries {
                    self.syntax(node, Shape::Expr);
                }
            }
            (Shape::Keys, Kind::List(items)) => {
                for item in items {
                    self.syntax(item, Shape::Expr);
                }
            }
            (Shape::Keys, Kind::Scalar(_)) => self.syntax(node, Shape::Expr),
            _ => {}
        }
    }
}

/// The mistake of naming a column that is not there.
pub fn unknown_column(name: &str, span: Span, schema: &Schema) -> Diagnostic {
    let error =
        Diagnostic::error(Code::UnknownColumn, span, format!("no column is called `{name}`"));
    // A list without its brackets is one name for YAML.
    let parts: Vec<&str> =
        name.split([',', ' ']).map(str::trim).filter(|p| !p.is_empty()).collect();
    let known = |part: &&str| schema.field(part.trim_start_matches('-')).is_some();
    if parts.len() > 1 && name.contains(',') && parts.iter().any(known) {
        return error.help(format!("a list has brackets: `[{}]`", parts.join(", ")));
    }
    match parts[..] {
        [column, order] if known(&column) => match order.to_lowercase().as_str() {
            "desc" | "descending" => error.help(format!("the greatest first: `-{column}`")),
            "asc" | "ascending" => error.help(format!("the least first: `{column}`")),
            _ => error.help("columns stand here, not expressions: `map` it first"),
        },
        _ if name.contains(['*', '+', '/', '(']) && parts.iter().any(known) => {
            error.help("columns stand here, not expressions: `map` it first")
        }
        _ => error.maybe_help(did_you_mean(name, schema.names())),
    }
}

/// The expressions of a step of a chain.
fn expressions(step: &mut expr::Step) -> Vec<&mut Typed> {
    match step {
        expr::Step::Map(columns) => columns.iter_mut().map(|(_, typed)| typed).collect(),
        expr::Step::Filter(condition) | expr::Step::Prune { condition, .. } => vec![condition],
        expr::Step::Project(_) => Vec::new(),
    }
}
