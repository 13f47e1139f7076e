//! The plan in words: as the steps make it, after each rule, and as it will run.
use crate::draw::verb;
use crate::graph::{FoldPlanKind, Fused, Graph, JoinPlanKind, PlanNode, PlanOp};
use crate::load::Plan;
use crate::physical::{Dealt, Node, Op, Physical, Reduce};
use base::{Schema, grouped};
use expr::{NodeReport, Place, Program, Step};
use std::fmt::Write;

/// Explains a plan for so many workers in a process.
pub fn explain(plan: &Plan, workers: u64) -> String {
    let mut out = format!("pipeline: {}\n", plan.title);
    if !plan.params.is_empty() {
        let params: Vec<String> = plan.params.iter().map(|(n, v)| format!("{n} = {v}")).collect();
        let _ = writeln!(out, "params:   {}", base::without_logins(&params.join(", ")));
    }
    out.push_str("\nplan, as written\n");
    graph(&plan.written, &mut out);
    for rewrite in &plan.rewrites {
        let _ = writeln!(out, "\nrule {}: {}", rewrite.rule.name, rewrite.rule.doc);
        match (rewrite.off, rewrite.changed) {
            (true, _) => out.push_str("  switched off by --without\n"),
            (_, true) => graph(&rewrite.graph, &mut out),
            (_, false) => out.push_str("  nothing to do\n"),
        }
    }
    out.push_str("\nplan, as it runs on the workers\n");
    physical(&plan.physical, &mut out);
    programs(&plan.physical, &mut out);
    memory(&plan.physical, workers, &mut out);
    out
}

fn graph(graph: &Graph, out: &mut String) {
    for (i, node) in graph.nodes.iter().enumerate() {
        let inputs: Vec<String> = node.inputs.iter().map(|i| format!("#{i}")).collect();
        let from =
            if inputs.is_empty() { String::new() } else { format!(" ← {}", inputs.join(", ")) };
        let _ = writeln!(out, "  #{i} {}: {}{from}", node.step, node_text(node));
        for line in steps_of(node) {
            let _ = writeln!(out, "        {line}");
        }
        let _ = writeln!(out, "        → {}", schema_text(&node.made()));
    }
}

fn node_text(node: &PlanNode) -> String {
    match &node.op {
        PlanOp::Read(read) => format!("Read {}", read.describe),
        PlanOp::Apply(_) => "Apply".to_owned(),
        PlanOp::Fold(fold) => {
            let calls: Vec<&str> = fold.calls.iter().map(|c| c.text.as_str()).collect();
            let over = match &fold.kind {
                FoldPlanKind::All => "of everything".to_owned(),
                FoldPlanKind::By(keys) => format!("by {} keys", keys.len()),
                FoldPlanKind::Over(keep) => format!("keeping {} dimensions", keep.len()),
            };
            format!("Reduce {} {over}", calls.join(", "))
        }
        PlanOp::Order(order) => match order.limit {
            Some(limit) => format!("Reduce to the first {limit} rows in order"),
            None => "Reduce to rows in order".to_owned(),
        },
        PlanOp::Concat => "Concat".to_owned(),
        PlanOp::Join(join) => match &join.kind {
            JoinPlanKind::Keys { left, how, .. } => {
                format!("Join {} by {} keys", how.name(), left.len())
            }
            JoinPlanKind::Dimensions { dims, .. } => {
                format!("Join by {} shared dimensions", dims.len())
            }
        },
        PlanOp::Partition(plan) => {
            let how = if plan.by == Dealt::Hash { "hash" } else { "range" };
            format!("Partition into {} parts by {how}", plan.into)
        }
        PlanOp::Task(task) => format!("Task {}", task.describe()),
        PlanOp::Stream(plan) => format!("Stream through `{}`", plan.program.shown()),
        PlanOp::Write(write) => format!("Write {}", write.path.display()),
        PlanOp::Show(show) => format!("Write to the report as `{}`", show.name),
    }
}

fn steps_of(node: &PlanNode) -> Vec<String> {
    let fused: Option<&Fused> = match &node.op {
        PlanOp::Apply(steps) => return steps.iter().flat_map(step_text).collect(),
        PlanOp::Read(read) => read.fused.as_ref(),
        PlanOp::Fold(fold) => fold.fused.as_ref(),
        _ => None,
    };
    fused.map(|f| f.steps.iter().flat_map(step_text).collect()).unwrap_or_default()
}

fn step_text(step: &Step) -> Vec<String> {
    match step {
        Step::Map(columns) => columns.iter().map(|(f, t)| format!("map {}: {t}", f.name)).collect(),
        Step::Filter(condition) => vec![format!("filter {condition}")],
        Step::Prune { selector, condition } => {
            let (some, all) = (grouped(selector.count()), grouped(selector.size()));
            vec![format!("generate {some} of {all} (prune-range: {condition})")]
        }
        Step::Project(columns) => {
            let names: Vec<&str> = columns.iter().map(|(_, f)| &*f.name).collect();
            vec![format!("keep {}", names.join(", "))]
        }
    }
}

fn schema_text(schema: &Schema) -> String {
    let field = |f: &base::Field| {
        let along = match f.mask == schema.domain.full() {
            true => String::new(),
            false => schema.domain.mask_name(f.mask),
        };
        format!("{}{along} {}{}", f.name, f.dtype, if f.nullable { "?" } else { "" })
    };
    let fields: Vec<String> = schema.fields.iter().map(field).collect();
    format!("[{}] {}", schema.domain, fields.join(", "))
}

fn physical(physical: &Physical, out: &mut String) {
    for (i, node) in physical.nodes.iter().enumerate() {
        let inputs: Vec<String> = node.inputs.iter().map(|i| format!("#{i}")).collect();
        let from =
            if inputs.is_empty() { String::new() } else { format!(" ← {}", inputs.join(", ")) };
        let _ = writeln!(out, "  #{i} {}: {}{from}", node.step, verb(&node.op));
        if let Op::Read(read) = &node.op {
            let shape: Vec<String> = read.tiling.largest().iter().map(usize::to_string).collect();
            let _ = writeln!(out, "        tiles of at most {} points", shape.join(" × "));
        }
    }
}

/// The program of a node, if it has one.
fn program(node: &Node) -> Option<&Program> {
    match &node.op {
        Op::Read(read) => read.program.as_deref(),
        Op::Apply(apply) => Some(&apply.program),
        Op::Partial(Reduce::Fold(fold)) => Some(&fold.apply.program),
        _ => None,
    }
}

fn programs(physical: &Physical, out: &mut String) {
    for (i, node) in physical.nodes.iter().enumerate() {
        let Some(program) = program(node) else { continue };
        let report = program.report();
        if report.nodes.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\nblock program of #{i} {}", node.step);
        for node in &report.nodes {
            program_node(node, out);
        }
    }
}

fn program_node(node: &NodeReport, out: &mut String) {
    let count = node.evaluations;
    let place = match node.place {
        Place::Unused | Place::Constant | Place::Read => return,
        Place::Once => "once for the run",
        Place::Tile => "once for each tile",
        Place::Point { stage: 0 } => "at each point",
        Place::Point { .. } => "at each point that filters leave",
    };
    let count = count.map_or(String::new(), |n| format!("{n} × "));
    let shared = if node.uses > 1 { format!(", used {} times", node.uses) } else { String::new() };
    let _ = writeln!(out, "  {count}{}  {} {}, {place}{shared}", node.text, node.dtype, node.dims);
}

fn memory(physical: &Physical, workers: u64, out: &mut String) {
    let memory = &physical.memory;
    let mb = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let _ = writeln!(
        out,
        "\nmemory of a process of {workers} workers: {}",
        mb(memory.process(workers))
    );
    let _ = writeln!(
        out,
        "  {} for the process, {} for each worker, {} for each of {} tiles in flight of a worker",
        mb(memory.per_process),
        mb(memory.per_worker),
        mb(memory.per_tile),
        memory.in_flight
    );
    if memory.state > 0 {
        let _ = writeln!(out, "  {} for rows that are sorted, joined or parted", mb(memory.state));
    }
    for guess in &memory.guesses {
        let _ = writeln!(out, "  and what only the run can tell: {guess}");
    }
}
