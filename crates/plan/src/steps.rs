//! The steps of a pipeline file: their operators, names, and how they feed each other.
use crate::operator::{Inputs, Operator};
use crate::operators::{OPERATORS, operator};
use crate::spec::{Step, bad_name, is_name, list, names_of, wrong_shape};
use crate::yaml::{Key, Kind, Node};
use base::{Code, Diagnostic, Diagnostics, Span, did_you_mean, synonyms};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// A step whose inputs are still names.
struct Draft {
    step: Step,
    given_name: Option<Span>,
    from: Option<Vec<(String, Span)>>,
}

/// The steps, in the order of the file, and an order in which they can be built.
pub fn steps(root: &Node, diagnostics: &mut Diagnostics) -> (Vec<Step>, Vec<usize>) {
    steps_of(root.get("steps"), "steps", root.span, diagnostics)
}

/// The same of a list of steps, which is called `what`.
pub fn steps_of(
    node: Option<&Node>,
    what: &str,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> (Vec<Step>, Vec<usize>) {
    let items = list(node, what, diagnostics);
    if items.is_empty() && !diagnostics.has_errors() {
        diagnostics.push(Diagnostic::error(Code::NoSteps, span, "the pipeline has no steps").help(
            format!(
                "begin with a source, such as `{what}:` and below it `  - range: {{ k: 1..=10 }}`",
            ),
        ));
    }
    // A step that cannot be read keeps its place, so that its neighbours are not misjudged.
    let drafts: Vec<Option<Draft>> = items.iter().map(|n| draft(n, diagnostics)).collect();
    let names = name(&drafts, diagnostics);
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (i, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        by_name.entry(name).or_insert(i);
    }
    let inputs: Vec<Option<Vec<Option<usize>>>> =
        (0..drafts.len()).map(|i| resolve(&drafts, &by_name, i, diagnostics)).collect();
    // Steps after one that could not be read are dropped with it: nothing sure can be said of them.
    let mut place = vec![None; drafts.len()];
    let mut steps = Vec::new();
    for (i, (draft, inputs)) in drafts.into_iter().zip(inputs).enumerate() {
        let Some(draft) = draft else { continue };
        let inputs = inputs.unwrap_or_default().into_iter().map(|i| i.unwrap_or(usize::MAX));
        place[i] = Some(steps.len());
        steps.push(Step { name: names[i].clone(), inputs: inputs.collect(), ..draft.step });
    }
    for step in &mut steps {
        for input in &mut step.inputs {
            *input = place.get(*input).copied().flatten().unwrap_or(usize::MAX);
        }
    }
    let order = order(&steps, diagnostics);
    (steps, order)
}

fn draft(node: &Node, diagnostics: &mut Diagnostics) -> Option<Draft> {
    let Kind::Map(entries) = &node.kind else {
        let mut d = wrong_shape(node, "a step is a mapping such as `filter: x > 0`");
        if let Some(scalar) = node.scalar()
            && let Some(op) = operator(&scalar.text.text)
        {
            d = d.help(format!("write `- {}: …`", op.name));
        }
        diagnostics.push(d);
        return None;
    };
    let heads: Vec<usize> =
        (0..entries.len()).filter(|i| operator(&entries[*i].0.name).is_some()).collect();
    // `select:` and the like can be keys of other operators: the first key that names one rules.
    let Some(&head) = heads.first() else {
        diagnostics.push(no_operator(node, entries));
        return None;
    };
    let operator = operator(&entries[head].0.name)?;
    let mut step = Step {
        operator,
        name: operator.name.to_owned(),
        span: entries[head].0.span,
        head: entries[head].1.clone(),
        options: Vec::new(),
        inputs: Vec::new(),
    };
    let (mut given_name, mut from) = (None, None);
    for (i, (key, value)) in entries.iter().enumerate() {
        match key.name.as_str() {
            _ if i == head => {}
            "as" => {
                if let Some(scalar) = value.scalar().filter(|s| is_name(&s.text.text)) {
                    step.name = scalar.text.text.to_string();
                    given_name = Some(value.span);
                } else {
                    let text = value.scalar().map_or("", |s| &*s.text.text);
                    diagnostics.push(bad_name(text, value.span));
                }
            }
            "from" => from = names_of(value, diagnostics),
            name if operator.keys.iter().any(|k| k.name == name) || operator.keys_of_formats() => {
                step.options.push((key.clone(), value.clone()));
            }
            name => diagnostics.push(unknown_key(operator, name, key.span, heads.contains(&i))),
        }
    }
    Some(Draft { step, given_name, from })
}

fn no_operator(node: &Node, entries: &[(Key, Node)]) -> Diagnostic {
    let names = || OPERATORS.iter().map(|o| o.name);
    let mut best = None;
    for (key, _) in entries.iter().filter(|(k, _)| !["as", "from"].contains(&k.name.as_str())) {
        let near = match synonyms::operator(&key.name) {
            Some(_) => Some(""),
            None => base::nearest(&key.name, names()),
        };
        if best.is_none() || near.is_some() {
            best = Some((key, near));
        }
        if near.is_some() {
            break;
        }
    }
    match best {
        Some((key, _)) => Diagnostic::error(
            Code::UnknownOperator,
            key.span,
            format!("unknown operator `{}`", key.name),
        )
        .maybe_help(match synonyms::operator(&key.name) {
            Some(help) => Some(help.to_owned()),
            None => did_you_mean(&key.name, names()),
        })
        .help("`tidemill list operators` lists them"),
        None => Diagnostic::error(Code::NoOperator, node.span, "this step names no operator"),
    }
}

fn unknown_key(operator: &Operator, name: &str, span: Span, is_operator: bool) -> Diagnostic {
    if is_operator {
        let message =
            format!("a step has one operator, but here stand `{}` and `{name}`", operator.name);
        return Diagnostic::error(Code::NoOperator, span, message)
            .help(format!("begin a new step: `- {name}: …`"));
    }
    let names = operator.keys.iter().map(|k| k.name).chain(["as", "from"]);
    let error = format!("`{}` has no key `{name}`", operator.name);
    let error = Diagnostic::error(Code::UnknownKey, span, error);
    match synonyms::key(name).filter(|help| fits(operator, help)) {
        Some(help) => error.help(help),
        None if base::nearest(name, names.clone()).is_none()
            && synonyms::operator(name).is_some() =>
        {
            error.help("an operator begins a step of its own: `- `, and then its name")
        }
        None => error.maybe_help(did_you_mean(name, names)),
    }
}

/// Whether the operator has the key that a hint tells to write.
fn fits(operator: &Operator, help: &str) -> bool {
    let has = |name: &str| operator.keys.iter().any(|k| k.name == name);
    match help.split('`').nth(1).and_then(|text| text.split(':').next()) {
        Some("by") => has("by"),
        Some("how") => has("how"),
        Some("reduce") => operator.name == "reduce",
        Some("join") => operator.name == "join",
        _ => true,
    }
}

fn name(drafts: &[Option<Draft>], diagnostics: &mut Diagnostics) -> Vec<String> {
    let mut names: Vec<String> = vec![String::new(); drafts.len()];
    let mut taken: HashMap<String, usize> = HashMap::new();
    for (i, draft) in drafts.iter().enumerate() {
        let Some((draft, span)) = draft.as_ref().and_then(|d| Some((d, d.given_name?))) else {
            continue;
        };
        if let Some(&j) = taken.get(&draft.step.name) {
            let mut d = Diagnostic::error(
                Code::DuplicateName,
                span,
                format!("two steps have the name `{}`", draft.step.name),
            );
            if let Some(first) = drafts[j].as_ref().and_then(|d| d.given_name) {
                d = d.other(first, "the first one");
            }
            diagnostics.push(d);
        }
        names[i] = draft.step.name.clone();
        taken.entry(names[i].clone()).or_insert(i);
    }
    // For each operator the last number that was given.
    let mut last: HashMap<&str, u64> = HashMap::new();
    for (i, draft) in drafts.iter().enumerate() {
        let Some(draft) = draft.as_ref().filter(|d| d.given_name.is_none()) else { continue };
        let base = &draft.step.name;
        let number = last.entry(base).or_insert(0);
        loop {
            *number += 1;
            names[i] = if *number == 1 { base.clone() } else { format!("{base}_{number}") };
            if !taken.contains_key(&names[i]) {
                break;
            }
        }
        taken.insert(names[i].clone(), i);
    }
    names
}

/// The inputs of step `i`, each `None` if it could not be read.
fn resolve(
    drafts: &[Option<Draft>],
    names: &HashMap<&str, usize>,
    i: usize,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Option<usize>>> {
    let draft = drafts[i].as_ref()?;
    let (step, wants) = (&draft.step, draft.step.operator.inputs);
    let wrong = |message: String| Diagnostic::error(Code::WrongInputs, step.span, message);
    let Some(from) = &draft.from else {
        return match (wants, i) {
            (Inputs::None, _) => Some(Vec::new()),
            (Inputs::Many | Inputs::Two, _) => {
                let count = if wants == Inputs::Two { "two inputs" } else { "two inputs or more" };
                let message = format!("`{}` needs {count}", step.operator.name);
                diagnostics.push(wrong(message).help("name them: `from: [a, b]`"));
                None
            }
            (Inputs::One, 0) => {
                let message = format!("`{}` has no step before it", step.operator.name);
                diagnostics.push(
                    wrong(message).help(
                        "the first step is a source (range, grid, read, rows), or says `from:`",
                    ),
                );
                None
            }
            (Inputs::One, _) => Some(vec![drafts[i - 1].as_ref().map(|_| i - 1)]),
        };
    };
    let mut inputs = Vec::new();
    for (name, span) in from {
        match names.get(name.as_str()) {
            Some(j) => inputs.push(Some(*j)),
            None => {
                // In the order of the file, as `there are: …` lists them.
                let mut others: Vec<(usize, &str)> = names.iter().map(|(n, i)| (*i, *n)).collect();
                others.sort_unstable();
                let others = others.into_iter().map(|(_, name)| name);
                diagnostics.push(
                    Diagnostic::error(
                        Code::UnknownStep,
                        *span,
                        format!("no step is called `{name}`"),
                    )
                    .maybe_help(did_you_mean(name, others)),
                );
                inputs.push(None);
            }
        }
    }
    let fits = match wants {
        Inputs::None => false,
        Inputs::One => inputs.len() == 1,
        Inputs::Two => inputs.len() == 2,
        Inputs::Many => inputs.len() >= 2,
    };
    if !fits {
        let expected = match wants {
            Inputs::None => "is a source and takes no input",
            Inputs::One => "takes one input",
            Inputs::Two => "takes two inputs, the left and the right one",
            Inputs::Many => "needs two inputs or more",
        };
        diagnostics.push(wrong(format!("`{}` {expected}", step.operator.name)));
        return None;
    }
    Some(inputs)
}

/// Every step after those that feed it, else as in the file; a circle is a mistake and its steps
/// are left out.
fn order(steps: &[Step], diagnostics: &mut Diagnostics) -> Vec<usize> {
    let feeds = |i: usize| steps[i].inputs.iter().filter(|j| **j < steps.len());
    let mut waiting: Vec<usize> = (0..steps.len()).map(|i| feeds(i).count()).collect();
    let mut fed: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    (0..steps.len()).for_each(|i| feeds(i).for_each(|j| fed[*j].push(i)));
    let mut order: Vec<usize> = Vec::new();
    let first = (0..steps.len()).filter(|i| waiting[*i] == 0).map(Reverse);
    let mut ready: BinaryHeap<Reverse<usize>> = first.collect();
    while let Some(Reverse(i)) = ready.pop() {
        order.push(i);
        for j in &fed[i] {
            waiting[*j] -= 1;
            ready.extend((waiting[*j] == 0).then_some(Reverse(*j)));
        }
    }
    if let Some(i) = (0..steps.len()).find(|i| waiting[*i] > 0) {
        circle(steps, &waiting, i, diagnostics);
    }
    order
}

/// Walks back from a step along those that wait until one comes again: that is the circle.
fn circle(steps: &[Step], waiting: &[usize], i: usize, diagnostics: &mut Diagnostics) {
    let mut path = vec![i];
    let waits = |j: &usize| waiting.get(*j).is_some_and(|n| *n > 0);
    while let Some(next) = steps[path[path.len() - 1]].inputs.iter().copied().find(waits) {
        if let Some(at) = path.iter().position(|p| *p == next) {
            path.drain(..at);
            break;
        }
        path.push(next);
    }
    path.reverse();
    let names: Vec<&str> = path.iter().chain(&path[..1]).map(|p| &*steps[*p].name).collect();
    let message = format!("steps feed each other in a circle: {}", names.join(" → "));
    diagnostics.push(Diagnostic::error(Code::Cycle, steps[path[0]].span, message));
}
