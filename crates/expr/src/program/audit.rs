//! Looks again at blocks in which something may have met an arithmetic exception: counts the rows
//! at which it did and its value is of use, or finds the first of them.
//!
//! Blocks run as always, beside a quick test of one argument where that is next to nothing. What it
//! finds doubtful is looked at here, row by row. A strict program looks at all blocks.
use super::counts::{Counts, index, row};
use super::guards::{Guards, When};
use super::hoist::{Sources, load};
use super::operands::operands;
use super::place::{From, Place};
use super::run::{Scratch, blocks};
use super::schedule::{Parts, Schedule};
use super::{Checks, Program, compile};
use crate::dag::{Dag, NodeId, Op};
use crate::exceptions::{self, Exception, Quick, exact};
use base::{Failure, Schema, Span, Tile, Warning};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// What may be met, and the program that looks for it: its `block_schedule` counts.
#[derive(Debug)]
pub struct Audit {
    pub program: Program,
    events: Vec<Event>,
    /// Whether all blocks are looked at, and the first event ends the run.
    strict: bool,
    /// Whether what is counted is told.
    told: bool,
}

/// An exception that a node may meet.
#[derive(Debug)]
pub struct Event {
    /// The node, and the number of filters before it.
    pub node: NodeId,
    pub stage: usize,
    exception: Exception,
    step: Arc<str>,
    span: Span,
    /// The place for a failure: step, line, expression.
    place: String,
    /// Whether the node is evaluated once for the run or for a tile.
    hoisted: bool,
    /// The dimensions along which its value stays: it is counted at the first place of them.
    still: Vec<usize>,
}

/// Blocks of a tile in which something may have met an exception.
#[derive(Debug, Default)]
pub struct Doubt {
    /// Their numbers.
    pub blocks: Vec<usize>,
    /// Whether something evaluated once for the run or the tile may have.
    pub hoisted: bool,
}

/// For each node what tells whether a block may meet an exception in it; nothing where all blocks
/// are looked at anyway.
pub fn quick(dag: &Dag, stages: &[usize], checks: &Checks) -> Vec<Option<Quick>> {
    let of = |id: NodeId| {
        let used = stages[id] != usize::MAX && !checks.strict;
        let all = if used { exceptions::of(dag, id) } else { Vec::new() };
        let mut all = all.into_iter().filter(|exception| checks.wants(*exception));
        all.find_map(|exception| Quick::of(exception, dag, &dag.nodes[id]))
    };
    (0..dag.nodes.len()).map(of).collect()
}

impl Audit {
    /// Of a program; none if nothing can be met that it looks for.
    ///
    /// # Errors
    /// If the graph does not hold together.
    pub fn new(
        program: &Program,
        stages: &[usize],
        checks: &Checks,
    ) -> Result<Option<Audit>, Failure> {
        let risks = risks(program, stages, checks);
        if risks.is_empty() {
            return Ok(None);
        }
        let mut dag = program.dag.clone();
        let mut events = Vec::new();
        let mut counted = Vec::new();
        for (id, exception, when) in add(&mut dag, program, stages, &risks) {
            let event = Event::new(program, &dag, (id, exception, when), stages[id], checks);
            events.push(event);
            counted.push((stages[id], when));
        }
        if events.is_empty() {
            return Ok(None);
        }
        let program = looking(program, dag, &counted)?;
        Ok(Some(Audit { program, events, strict: checks.strict, told: checks.told }))
    }

    /// Looks at the doubtful blocks of a tile, and adds what it counts to `met`.
    ///
    /// # Errors
    /// At what ends the run, with step, line, expression and row.
    pub fn look(
        &self,
        scratch: &mut Option<Scratch>,
        tile: &Tile,
        doubt: &Doubt,
        met: &mut Vec<u64>,
    ) -> Result<(), Failure> {
        let all = self.strict || doubt.hoisted && self.is_place_of_hoisted(&tile.origin);
        if !all && doubt.blocks.is_empty() {
            return Ok(());
        }
        let scratch = scratch.get_or_insert_with(|| Scratch::new(&self.program.block_schedule));
        scratch.counts = self.counts(tile);
        let sources = load(&self.program, tile)?;
        let only = (!all).then_some(&doubt.blocks[..]);
        let schedule = &self.program.block_schedule;
        blocks(&self.program, schedule, &sources, scratch, tile, only, &mut |_| Ok(()))?;
        if let Some((point, event)) = scratch.counts.first {
            return Err(self.failure(tile, &sources, point, &self.events[event]));
        }
        met.resize(self.events.len(), 0);
        met.iter_mut().zip(&scratch.counts.met).for_each(|(met, more)| *met += more);
        Ok(())
    }

    /// Whether what is hoisted and doubtful may count in a tile that begins here.
    fn is_place_of_hoisted(&self, origin: &[u64]) -> bool {
        let first = |event: &Event| event.still.iter().all(|d| origin.get(*d) == Some(&0));
        self.events.iter().any(|event| event.hoisted && first(event))
    }

    fn counts(&self, tile: &Tile) -> Counts {
        let fatal = |event: &Event| self.strict || event.exception.code().is_none();
        let events = self.events.iter().map(|event| (event.still.clone(), fatal(event)));
        Counts::new(events, tile)
    }

    fn failure(&self, tile: &Tile, sources: &Sources, point: usize, event: &Event) -> Failure {
        let given = operands(self, event, tile, sources, point).unwrap_or_default();
        let row = row(&self.program.input, index(sources, point));
        let (place, number) = (&event.place, tile.number);
        Failure::data(event.exception.sentence())
            .context(format!("{place}: {given}, tile {number}, {row}"))
    }

    /// What was met so often.
    pub fn warnings(&self, met: &mut [u64]) -> Vec<Warning> {
        let mut list = Vec::new();
        for (event, count) in self.events.iter().zip(met) {
            let count = std::mem::take(count);
            if let (true, Some(code)) = (count > 0 && self.told, event.exception.code()) {
                let message = format!("{}, in step `{}`", event.exception.counted(), event.step);
                let warning = Warning::new(code, message).help(event.exception.help());
                list.push(warning.count(count).at(event.span));
            }
        }
        list
    }
}

impl Event {
    /// Of a node's exception, which is where a bool of the graph is true.
    fn new(
        program: &Program,
        dag: &Dag,
        (id, exception, when): (NodeId, Exception, NodeId),
        stage: usize,
        checks: &Checks,
    ) -> Event {
        let node = &dag.nodes[id];
        let (full, mask) = (program.input.domain.full(), dag.nodes[when].mask);
        // Behind a filter there are rows, and along one dimension points are rows.
        let rows = stage > 0 || program.selector.is_some() || full.count() < 2;
        let still = full.iter().filter(|d| !rows && !mask.has(*d)).collect();
        let step = node.step.clone().unwrap_or_default();
        let place = (checks.place)(&step, node.span);
        let hoisted = matches!(program.places[id], Place::Once | Place::Tile);
        Event { node: id, stage, exception, step, span: node.span, place, hoisted, still }
    }
}

/// What the nodes in use may meet of what is looked for.
fn risks(program: &Program, stages: &[usize], checks: &Checks) -> Vec<(NodeId, Exception)> {
    let dag = &program.dag;
    let used = (0..dag.nodes.len()).filter(|id| stages[*id] != usize::MAX);
    let of = |id: NodeId| exceptions::of(dag, id).into_iter().map(move |e| (id, e));
    let looked_for = |(id, exception): &(NodeId, Exception)| {
        checks.wants(*exception)
            && (checks.strict || Quick::of(*exception, dag, &dag.nodes[*id]).is_some())
    };
    used.flat_map(of).filter(looked_for).collect()
}

/// Adds for each risk the bool that is true at the rows at which it is met and of use.
fn add(
    dag: &mut Dag,
    program: &Program,
    stages: &[usize],
    risks: &[(NodeId, Exception)],
) -> Vec<(NodeId, Exception, NodeId)> {
    let mut risky = vec![false; dag.nodes.len()];
    risks.iter().for_each(|(id, _)| risky[*id] = true);
    let used: Vec<bool> = stages.iter().map(|stage| *stage != usize::MAX).collect();
    let mut guards = Guards::new(dag, &used, &risky, &program.predicates, &program.outputs);
    let mut of_stage: HashMap<usize, Vec<When>> = HashMap::new();
    let mut made = Vec::new();
    for (id, exception) in risks {
        let when =
            of_stage.entry(stages[*id]).or_insert_with_key(|stage| guards.of_stage(*stage))[*id];
        let node = &guards.dag.nodes[*id];
        let Op::Call(call) = &node.op else { continue };
        let mut arguments = node.arguments.clone();
        if *exception == Exception::NanMade {
            arguments.push(*id);
        }
        let met = guards.insert(exact(*exception, call.name), arguments);
        if let When::If(event) = guards.and(met, when) {
            made.push((*id, *exception, event));
        }
    }
    made
}

/// The program that evaluates events at all points, each behind so many filters.
fn looking(program: &Program, dag: Dag, counted: &[(usize, NodeId)]) -> Result<Program, Failure> {
    let last = counted.iter().map(|(stage, _)| *stage).max().unwrap_or(0);
    let filters = &program.predicates[..last.min(program.predicates.len())];
    let places = places(&dag, filters, counted);
    let (mut sources, needed) =
        compile::sources(&dag, &places, &program.input, &program.given, &[], &[])?;
    for source in &mut sources {
        if let From::Column(i) = &mut source.from {
            let place = program.needed.iter().position(|field| *field == needed[*i]);
            *i =
                place.ok_or_else(|| Failure::internal("a column is looked at that is not read"))?;
        }
    }
    let parts = Parts { dag: &dag, places: &places, sources: &sources, quick: &[] };
    let block_schedule = Schedule::new(&parts, filters, &[], counted)?;
    Ok(Program {
        input: program.input.clone(),
        output: Schema::default(),
        given: program.given.clone(),
        needed: program.needed.clone(),
        predicates: filters.to_vec(),
        selector: program.selector.clone(),
        dag,
        sources,
        places,
        block_schedule,
        outputs: Vec::new(),
        keep_index: false,
        once: Vec::new(),
        tables: OnceLock::new(),
        per_tile: Vec::new(),
        computed: Vec::new(),
        tile_schedule: Schedule::default(),
        quick: Vec::new(),
        audit: None,
    })
}

/// Where each node is evaluated: at every point, as early as something needs it.
fn places(dag: &Dag, filters: &[NodeId], counted: &[(usize, NodeId)]) -> Vec<Place> {
    let mut stages = vec![usize::MAX; dag.nodes.len()];
    let filters = filters.iter().copied().enumerate();
    for (stage, id) in filters.chain(counted.iter().copied()) {
        stages[id] = stages[id].min(stage);
    }
    for id in (0..dag.nodes.len()).rev() {
        for argument in &dag.nodes[id].arguments {
            stages[*argument] = stages[*argument].min(stages[id]);
        }
    }
    let place = |(node, stage): (&crate::dag::Node, usize)| match node.op {
        _ if stage == usize::MAX => Place::Unused,
        Op::Constant(_) => Place::Constant,
        Op::Column(_) | Op::Index => Place::Read,
        Op::Call(_) => Place::Point { stage },
    };
    dag.nodes.iter().zip(stages).map(place).collect()
}
