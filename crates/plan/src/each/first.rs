//! The first row of what a node makes, as far as a look into its source tells.
use crate::graph::{Fused, Graph, NodeId, PlanOp, ReadPlan, after};
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::ArrowError;
use base::{Column, Region, Schema, Tile};
use expr::{Given, Program, Step};
use std::sync::Arc;

/// Points of the first look, and of all looks together.
const FIRST: u64 = 1 << 10;
const MOST: u64 = 1 << 22;

/// The first row that a node makes, as a batch of one; `None` if that takes more than a look into
/// its source: what is behind reductions, sorts and joins, or behind filters that keep nothing for long.
pub fn first_row(graph: &Graph, node: NodeId) -> Option<RecordBatch> {
    let (mut id, mut chain): (NodeId, Vec<&[Step]>) = (node, Vec::new());
    let read = loop {
        match &graph.nodes[id].op {
            PlanOp::Read(read) => break read,
            PlanOp::Apply(steps) => chain.push(steps),
            _ => return None,
        }
        id = *graph.nodes[id].inputs.first()?;
    };
    chain.reverse();
    let steps: Vec<Step> = chain.concat();
    let source = &graph.nodes[id];
    let (schema, given) = (&source.schema, &source.given);
    let sizes = schema.domain.sizes();
    let row: u64 = sizes.iter().skip(1).product::<u64>().max(1);
    let along = sizes.first().copied()?;
    let (mut begin, mut count) = (0, (FIRST / row).max(1));
    while begin < along && begin.saturating_mul(row) <= MOST {
        let size = count.min(along - begin);
        let tile = tile(read, schema, given, begin, size)?;
        let row = passed(graph, schema, &steps, tile)?;
        if row.num_rows() > 0 {
            return Some(row.slice(0, 1));
        }
        (begin, count) = (begin + size, count.saturating_mul(4));
    }
    None
}

/// The first part of the source's box along its first dimension, with all columns.
fn tile(read: &ReadPlan, schema: &Schema, given: &[Given], begin: u64, size: u64) -> Option<Tile> {
    let mut shape: Vec<usize> = schema.domain.sizes().iter().map(|s| *s as usize).collect();
    *shape.first_mut()? = size as usize;
    let mut origin = vec![0; shape.len()];
    origin[0] = begin;
    let whole = Tile { number: 0, origin, shape, columns: Vec::new(), index: None };
    let mut region = Region { origin: read.offset.clone(), shape: whole.shape.clone() };
    *region.origin.first_mut()? += begin;
    let column = |i: usize| {
        let mask = schema.fields[i].mask;
        let array: ArrayRef = match (&given[i], read.columns[i], &read.source) {
            (Given::Table(all) | Given::Loose(all), ..) if mask.has(0) => {
                let inner: usize = mask.iter().skip(1).map(|d| whole.shape[d]).product();
                all.slice(begin as usize * inner, size as usize * inner)
            }
            (Given::Table(all) | Given::Loose(all), ..) => all.clone(),
            (Given::Counter { start, step }, ..) => {
                let first = start.wrapping_add(step.wrapping_mul(begin as i64));
                let value = |i: u64| first.wrapping_add(step.wrapping_mul(i as i64));
                Arc::new(Int64Array::from_iter_values((0..size).map(value)))
            }
            (Given::Loaded, Some(column), Some(source)) => {
                source.read(&region, &[column]).ok()?.pop()?.array
            }
            _ => return None,
        };
        Some(Column { mask, array })
    };
    let columns = (0..schema.fields.len()).map(column).collect::<Option<Vec<_>>>()?;
    Some(Tile { columns, ..whole })
}

/// The rows that come of a tile.
fn passed(graph: &Graph, schema: &Schema, steps: &[Step], mut tile: Tile) -> Option<RecordBatch> {
    let loaded = vec![Given::Loaded; schema.fields.len()];
    let (made, _) = after(schema, &loaded, steps);
    let fused = Fused { schema: schema.clone(), given: loaded, steps: steps.to_vec() };
    let (schema, given) = graph.before(&fused);
    let program = Program::compile(&schema, given, steps, false).ok()?;
    let column = |i: &usize| tile.columns.get(*i).cloned();
    tile.columns = program.needed().iter().map(column).collect::<Option<_>>()?;
    let tile = program.tile(&mut program.runner(), &tile).ok()?;
    let rows: Result<RecordBatch, ArrowError> = tile.to_batch(&made.to_rows());
    rows.ok()
}
