//! Steps → graph → places → schedules.
use super::audit::{self, Audit};
use super::place::{From, Place, Source, places, stages};
use super::schedule::{Parts, Schedule};
use super::{Checks, Given, Program, Step};
use crate::Selector;
use crate::check::is_row_column;
use crate::dag::{Dag, NodeId, Op, Typed};
use base::{DType, DimMask, Domain, Failure, Field, Schema};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// The graph of a chain while its steps are added.
struct Chain {
    dag: Dag,
    domain: DimMask,
    /// The columns after the steps so far.
    columns: Vec<(Field, NodeId)>,
    /// Where each of them stands, by name.
    places: HashMap<Arc<str>, usize>,
    /// The columns of the row that all is done for, which no step changes.
    row: HashMap<Arc<str>, NodeId>,
    filters: Vec<NodeId>,
    selector: Option<Arc<Selector>>,
}

pub fn compile(
    input: &Schema,
    given: Vec<Given>,
    steps: &[Step],
    keep_index: bool,
    checks: &Checks,
) -> Result<Program, Failure> {
    if given.len() != input.fields.len() {
        return Err(Failure::internal("a program knows of more or fewer columns than it reads"));
    }
    let mut chain = Chain::new(input);
    for (place, step) in steps.iter().enumerate() {
        chain.step(place, step)?;
    }
    let filtered = chain.filtered();
    let keep_index = keep_index && filtered;
    let mut outputs: Vec<NodeId> = chain.columns.iter().map(|(_, id)| *id).collect();
    let output = chain.output(input);
    let Chain { mut dag, filters, selector, domain, .. } = chain;
    if keep_index {
        outputs.push(dag.index(domain));
    }
    let stages = stages(&dag, &filters, &outputs);
    let places = places(&dag, &stages, input, &given);
    let at =
        |place| -> Vec<NodeId> { (0..dag.nodes.len()).filter(|id| places[*id] == place).collect() };
    let (once, per_tile) = (at(Place::Once), at(Place::Tile));
    let (sources, needed) = sources(&dag, &places, input, &given, &once, &per_tile)?;
    let count = outputs.len() - usize::from(keep_index);
    // Without a filter, what is read or hoisted goes through whole.
    let point = |id: NodeId| filtered || matches!(places[id], Place::Point { .. });
    let computed: Vec<usize> = (0..outputs.len()).filter(|i| point(outputs[*i])).collect();
    let pick: Vec<NodeId> = computed.iter().map(|i| outputs[*i]).collect();
    let quick = audit::quick(&dag, &stages, checks);
    let parts = Parts { dag: &dag, places: &places, sources: &sources, quick: &quick };
    let schedule = |outputs: &[NodeId]| Schedule::new(&parts, &filters, outputs, &[]);
    let (tile_schedule, block_schedule) = (schedule(&pick)?, schedule(&outputs[..count])?);
    outputs.truncate(count);
    let mut program = Program {
        input: input.clone(),
        output,
        given,
        needed,
        sources,
        places,
        outputs,
        predicates: filters,
        selector,
        keep_index,
        once,
        tables: OnceLock::new(),
        per_tile,
        computed,
        tile_schedule,
        block_schedule,
        dag,
        quick,
        audit: None,
    };
    program.audit = Audit::new(&program, &stages, checks)?.map(Box::new);
    Ok(program)
}

impl Chain {
    fn new(input: &Schema) -> Chain {
        let mut dag = Dag::default();
        let column = |f: &Field| {
            let id = dag.column(f.name.clone(), f.dtype, f.nullable, f.mask);
            (f.clone(), id)
        };
        let (row, columns): (Vec<_>, Vec<_>) =
            input.fields.iter().map(column).partition(|(field, _)| is_row_column(field));
        let row = row.into_iter().map(|(field, id)| (field.name, id)).collect();
        let domain = input.domain.full();
        let named = columns.iter().enumerate().rev();
        let places = named.map(|(i, (f, _)): (_, &(Field, _))| (f.name.clone(), i)).collect();
        Chain { dag, domain, columns, places, row, filters: Vec::new(), selector: None }
    }

    /// Whether points are left out, so that rows come out.
    fn filtered(&self) -> bool {
        self.selector.is_some() || !self.filters.is_empty()
    }

    fn step(&mut self, place: usize, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Map(list) => {
                let imported: Result<Vec<NodeId>, Failure> =
                    list.iter().map(|(_, typed)| self.import(typed)).collect();
                for ((field, _), id) in list.iter().zip(imported?) {
                    match self.places.get(&field.name) {
                        Some(place) => self.columns[*place] = (field.clone(), id),
                        None => {
                            self.places.insert(field.name.clone(), self.columns.len());
                            self.columns.push((field.clone(), id));
                        }
                    }
                }
            }
            Step::Filter(predicate) => {
                if predicate.dtype != DType::Bool {
                    return Err(Failure::internal("a filter by what is not a bool"));
                }
                let id = self.import(predicate)?;
                self.filters.push(id);
            }
            Step::Prune { selector, .. } if place == 0 && self.domain.count() == 1 => {
                self.selector = Some(selector.clone());
            }
            Step::Prune { .. } => {
                return Err(Failure::internal("what is not a range was pruned as one"));
            }
            Step::Project(list) => {
                let pick = |(i, field): &(usize, Field)| {
                    let (_, id) = self.columns.get(*i)?;
                    Some((field.clone(), *id))
                };
                let picked: Option<Vec<_>> = list.iter().map(pick).collect();
                self.columns = picked.ok_or_else(|| {
                    Failure::internal("a projection of a column that is not there")
                })?;
                let named = self.columns.iter().enumerate().rev();
                self.places = named.map(|(i, (f, _))| (f.name.clone(), i)).collect();
            }
        }
        Ok(())
    }

    /// Adds an expression over the current columns to the graph.
    fn import(&mut self, typed: &Typed) -> Result<NodeId, Failure> {
        let needed = typed.dag.needed([typed.root]);
        let mut new: HashMap<NodeId, NodeId> = HashMap::new();
        for (id, node) in typed.dag.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
            let made = match &node.op {
                Op::Column(name) => self.column(name, node.dtype)?,
                Op::Index => self.dag.index(self.domain),
                Op::Constant(value) => self.dag.constant(value.clone(), node.dtype),
                Op::Call(call) => {
                    let arguments = node.arguments.iter().map(|a| new[a]).collect();
                    let id = self.dag.insert(call.clone(), arguments, node.dtype, node.span);
                    self.dag.quiet(id)?
                }
            };
            if matches!(node.op, Op::Call(_)) && self.dag.nodes[made].step.is_none() {
                self.dag.nodes[made].step = node.step.clone();
            }
            new.insert(id, made);
        }
        Ok(new[&typed.root])
    }

    fn column(&self, name: &str, dtype: DType) -> Result<NodeId, Failure> {
        let found = match self.places.get(name) {
            Some(place) => Some(self.columns[*place].1),
            None => self.row.get(name).copied(),
        };
        match found {
            Some(id) if self.dag.nodes[id].dtype == dtype => Ok(id),
            Some(_) => {
                Err(Failure::internal(format!("the column `{name}` is not of type {dtype}")))
            }
            None => Err(Failure::internal(format!("the column `{name}` is not there"))),
        }
    }

    /// The schema of what comes out.
    fn output(&self, input: &Schema) -> Schema {
        let filtered = self.filtered();
        let field = |(field, id): &(Field, NodeId)| {
            let node = &self.dag.nodes[*id];
            let mask = if filtered { DimMask::only(0) } else { node.mask };
            Field { dtype: node.dtype, nullable: node.nullable, mask, ..field.clone() }
        };
        let domain = if filtered { Domain::rows() } else { input.domain.clone() };
        let fields = self.columns.iter().map(field).collect();
        Schema { domain, fields, attributes: input.attributes.clone() }
    }
}

/// All that blocks may read, and the loaded columns among it.
pub(super) fn sources(
    dag: &Dag,
    places: &[Place],
    input: &Schema,
    given: &[Given],
    once: &[NodeId],
    per_tile: &[NodeId],
) -> Result<(Vec<Source>, Vec<usize>), Failure> {
    let mut needed: Vec<usize> = Vec::new();
    let mut sources = Vec::new();
    let positions = input.positions();
    // Both are in the order of the nodes.
    let position = |list: &[NodeId], id| list.binary_search(&id).unwrap_or(0);
    for (node, place) in places.iter().enumerate() {
        let from = match (&dag.nodes[node].op, place) {
            (_, Place::Unused | Place::Point { .. }) => continue,
            (_, Place::Once) => From::Once(position(once, node)),
            (_, Place::Tile) => From::Tile(position(per_tile, node)),
            (Op::Index, _) => From::Index,
            (Op::Column(name), _) => {
                let i = positions.get(name).copied();
                let i = i.ok_or_else(|| Failure::internal("a lost column"))?;
                if given[i].is_loaded() { From::Column(i) } else { From::Given(i) }
            }
            _ => From::Constant,
        };
        if let From::Column(i) = from {
            needed.push(i);
        }
        sources.push(Source { node, mask: dag.nodes[node].mask, from });
    }
    needed.sort_unstable();
    for source in &mut sources {
        if let From::Column(i) = source.from {
            source.from = From::Column(needed.partition_point(|n| *n < i));
        }
    }
    Ok((sources, needed))
}
