//! The steps of a pipeline file: their operators, names, and how they feed each other.
use crate::operator::{Inputs, Operator};
use crate::operators::{OPERATORS, operator};
use crate::spec::{Step, bad_name, is_name, list, names_of, wrong_shape};
use crate::yaml::{Key, Kind, Node};
use base::{Code, Diagnostic, Diagnostics, Span, did_you_mean};

/// A step whose inputs are still names.
struct Draft {
    step: Step,
    given_name: Option<Span>,
    from: Option<Vec<(String, Span)>>,
}

/// The steps, in the order of the file, and an order in which they can be built.
pub fn steps(root: &Node, diagnostics: &mut Diagnostics) -> (Vec<Step>, Vec<usize>) {
    let items = list(root.get("steps"), "steps", diagnostics);
    if items.is_empty() && !diagnostics.has_errors() {
        diagnostics.push(
            Diagnostic::error(Code::NoSteps, root.span, "the pipeline has no steps").help(
                "begin with a source, such as `steps:` and below it `  - range: { k: 1..=10 }`",
            ),
        );
    }
    // A step that cannot be read keeps its place, so that its neighbours are not misjudged.
    let drafts: Vec<Option<Draft>> = items.iter().map(|n| draft(n, diagnostics)).collect();
    let names = name(&drafts, diagnostics);
    let inputs: Vec<Option<Vec<Option<usize>>>> =
        (0..drafts.len()).map(|i| resolve(&drafts, &names, i, diagnostics)).collect();
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
        let near = base::nearest(&key.name, names());
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
        .maybe_help(did_you_mean(&key.name, names()))
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
    Diagnostic::error(Code::UnknownKey, span, format!("`{}` has no key `{name}`", operator.name))
        .maybe_help(did_you_mean(name, names))
}

fn name(drafts: &[Option<Draft>], diagnostics: &mut Diagnostics) -> Vec<String> {
    let mut names: Vec<String> = vec![String::new(); drafts.len()];
    for (i, draft) in drafts.iter().enumerate() {
        let Some((draft, span)) = draft.as_ref().and_then(|d| Some((d, d.given_name?))) else {
            continue;
        };
        if let Some(j) = names.iter().position(|n| *n == draft.step.name) {
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
    }
    for (i, draft) in drafts.iter().enumerate() {
        let Some(draft) = draft.as_ref().filter(|d| d.given_name.is_none()) else { continue };
        let base = &draft.step.name;
        let free = |n: &String| !names.contains(n);
        let next = (2..).map(|k| format!("{base}_{k}"));
        names[i] = std::iter::once(base.clone()).chain(next).find(free).unwrap_or_default();
    }
    names
}

/// The inputs of step `i`, each `None` if it could not be read.
fn resolve(
    drafts: &[Option<Draft>],
    names: &[String],
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
        match names.iter().position(|n| n == name && !n.is_empty()) {
            Some(j) => inputs.push(Some(j)),
            None => {
                let others = names.iter().map(String::as_str).filter(|n| !n.is_empty());
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

/// Every step after those that feed it; a circle is a mistake and its steps are left out.
fn order(steps: &[Step], diagnostics: &mut Diagnostics) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    loop {
        let ready = |i: &usize| {
            let inputs = &steps[*i].inputs;
            !order.contains(i) && inputs.iter().all(|j| *j >= steps.len() || order.contains(j))
        };
        match (0..steps.len()).find(ready) {
            Some(i) => order.push(i),
            None => break,
        }
    }
    if let Some(i) = (0..steps.len()).find(|i| !order.contains(i)) {
        // Walk back along unready inputs until a step comes again: that is the circle.
        let mut path = vec![i];
        while let Some(next) = steps[path[path.len() - 1]]
            .inputs
            .iter()
            .copied()
            .find(|j| *j < steps.len() && !order.contains(j))
        {
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
    order
}
