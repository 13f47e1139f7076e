//! What an operation was given at one point of a tile, in words: on the way to a failure.
use super::audit::{Audit, Event};
use super::hoist::Sources;
use super::run::{Scratch, blocks};
use super::schedule::{Parts, Schedule};
use super::{BLOCK, Block};
use crate::Values;
use crate::dag::Op;
use base::{Failure, Tile};

/// `7 // 0`, or `int64(nan)`.
///
/// # Errors
/// If the graph does not hold together.
pub fn operands(
    audit: &Audit,
    event: &Event,
    tile: &Tile,
    sources: &Sources,
    point: usize,
) -> Result<String, Failure> {
    let program = &audit.program;
    let node = &program.dag.nodes[event.node];
    let Op::Call(call) = &node.op else { return Ok(String::new()) };
    let (dag, places, sources_of) = (&program.dag, &program.places[..], &program.sources[..]);
    let parts = Parts { dag, places, sources: sources_of, quick: &[] };
    let filters = &program.predicates[..event.stage.min(program.predicates.len())];
    let schedule = Schedule::new(&parts, filters, &node.arguments, &[])?;
    let number = [point / BLOCK];
    let only = program.selector.is_none().then_some(&number[..]);
    let mut values: Vec<String> = Vec::new();
    let mut scratch = Scratch::new(&schedule);
    blocks(program, &schedule, sources, &mut scratch, tile, only, &mut |block| {
        if let Some(row) = row(block, point) {
            let each = 0..node.arguments.len();
            values = each.map(|i| value(block.values(i), row)).collect();
        }
        Ok(())
    })?;
    let symbol = !call.name.starts_with(|c: char| c.is_alphabetic());
    Ok(match &values[..] {
        [x, y] if symbol => format!("{x} {} {y}", call.name),
        [x] if symbol => format!("{}{x}", call.name),
        values => format!("{}({})", call.name, values.join(", ")),
    })
}

/// The row of a block that is a point of the tile, if it is there.
fn row(block: &Block, point: usize) -> Option<usize> {
    match block.positions() {
        Some(positions) => positions.binary_search(&(point as u32)).ok(),
        None => point.checked_sub(block.start).filter(|row| *row < block.len),
    }
}

fn value(values: Values, row: usize) -> String {
    match values {
        Values::Bool(v) => if v[row] { "True" } else { "False" }.into(),
        Values::Int32(v) => v[row].to_string(),
        Values::Int64(v) => v[row].to_string(),
        Values::Float32(v) => format!("{:?}", v[row]).to_lowercase(),
        Values::Float64(v) => format!("{:?}", v[row]).to_lowercase(),
        Values::String(v) => format!("{:?}", v.value(row)),
    }
}
