//! Makes whole output tiles of blocks and sources.
use super::audit::Doubt;
use super::data::{Loaded, Points, read, settle};
use super::hoist::{Sources, load, masked};
use super::run::blocks;
use super::{Program, Runner};
use crate::Values;
use crate::kernels::{Arg, Buffer, Register};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use base::{Column, DType, DimMask, Failure, Tile};
use std::sync::Arc;

/// The output tile of an input tile, and what is to be looked at again.
pub fn tile(
    program: &Program,
    runner: &mut Runner,
    input: &Tile,
) -> Result<(Tile, Doubt), Failure> {
    let sources = load(program, input)?;
    let mut doubt = Doubt { blocks: Vec::new(), hoisted: sources.doubtful };
    let mut rows = 0;
    let mut columns = growing(program, input);
    if !program.computed.is_empty() || program.filtered() {
        let (schedule, scratch) = (&program.tile_schedule, &mut runner.tile);
        let mut consume = |block: &super::Block| {
            rows += block.len;
            for (i, column) in columns.iter_mut().enumerate() {
                column.append(block.arg(i), block.len);
            }
            Ok(())
        };
        doubt.blocks = blocks(program, schedule, &sources, scratch, input, None, &mut consume)?;
    }
    let mut arrays = columns.into_iter().map(Growing::finish).collect::<Result<Vec<_>, _>>()?;
    if program.filtered() {
        let index = if program.keep_index { arrays.pop() } else { None };
        let column = |array| Column { mask: DimMask::only(0), array };
        let tile = Tile {
            number: input.number,
            origin: vec![0],
            shape: vec![rows],
            columns: arrays.into_iter().map(column).collect(),
            index: index.map(|i| i.as_primitive().clone()),
        };
        return Ok((tile, doubt));
    }
    let mut computed = program.computed.iter().zip(arrays).peekable();
    let mut columns = Vec::with_capacity(program.outputs.len());
    for (i, id) in program.outputs.iter().enumerate() {
        let mask = program.dag.nodes[*id].mask;
        let array = match computed.next_if(|(c, _)| **c == i) {
            Some((_, array)) => narrow(array, mask, input)?,
            None => whole(program, &sources, input, i)?,
        };
        columns.push(Column { mask, array });
    }
    Ok((Tile { columns, ..without_columns(input) }, doubt))
}

fn without_columns(input: &Tile) -> Tile {
    Tile {
        number: input.number,
        origin: input.origin.clone(),
        shape: input.shape.clone(),
        columns: Vec::new(),
        index: input.index.clone(),
    }
}

/// A column computed at every point although it varies along fewer dimensions: its first values.
fn narrow(array: ArrayRef, mask: DimMask, input: &Tile) -> Result<ArrayRef, Failure> {
    if array.len() == mask.points(&input.shape) {
        return Ok(array);
    }
    Err(Failure::internal("a column of few dimensions was computed at every point"))
}

/// A column that is there whole: from the input, hoisted, or given.
fn whole(
    program: &Program,
    sources: &Sources,
    input: &Tile,
    output: usize,
) -> Result<ArrayRef, Failure> {
    let node = program.outputs[output];
    let dtype = program.dag.nodes[node].dtype;
    let found = program.sources.iter().position(|s| s.node == node);
    let loaded = found.and_then(|i| sources.list.get(i));
    let loaded = loaded.ok_or_else(|| Failure::internal("an output has no source"))?;
    if let Some(super::place::From::Column(i)) = found.map(|i| program.sources[i].from) {
        return Ok(input.columns[i].array.clone());
    }
    let mask = program.dag.nodes[node].mask;
    Ok(cut(loaded, mask, &input.shape, dtype))
}

/// The values of a source over the dimensions in the mask of the tile.
pub(super) fn cut(loaded: &Loaded, mask: DimMask, shape: &[usize], dtype: DType) -> ArrayRef {
    let len = mask.points(shape);
    let mut register = Register::new(dtype);
    if len > 0 {
        let layout = masked(loaded, mask, shape);
        let points = Points::Range { start: 0, len };
        let place = read(&loaded.data, &layout, points, &mut register);
        settle(&loaded.data, &mut register, place, len);
    }
    let validity = register.nullable.then_some(register.validity);
    register.values.into_array(dtype, validity)
}

/// An output column while blocks are appended.
struct Growing {
    dtype: DType,
    values: Buffer,
    /// Strings are joined at the end.
    strings: Vec<ArrayRef>,
    validity: Vec<bool>,
    len: usize,
}

fn growing(program: &Program, input: &Tile) -> Vec<Growing> {
    let capacity = if program.filtered() { 0 } else { input.points() };
    let dtype = |i: &usize| match program.outputs.get(*i) {
        Some(id) => program.dag.nodes[*id].dtype,
        None => DType::Int64,
    };
    program.computed.iter().map(|i| Growing::new(dtype(i), capacity)).collect()
}

impl Growing {
    fn new(dtype: DType, capacity: usize) -> Growing {
        let mut values = Buffer::new(dtype);
        values.reserve(capacity);
        Growing { dtype, values, strings: Vec::new(), validity: Vec::new(), len: 0 }
    }

    fn append(&mut self, block: Arg, rows: usize) {
        match block.values {
            Values::String(array) => self.strings.push(with_validity(array, block.validity)),
            values => self.values.append(values),
        }
        if let Some(validity) = block.validity {
            self.validity.resize(self.len, true);
            self.validity.extend_from_slice(validity);
        }
        self.len += rows;
    }

    fn finish(mut self) -> Result<ArrayRef, Failure> {
        if !self.strings.is_empty() {
            let parts: Vec<&dyn Array> = self.strings.iter().map(|a| &**a).collect();
            return arrow_select::concat::concat(&parts)
                .map_err(|e| Failure::internal(format!("strings cannot be joined: {e}")));
        }
        let nullable = !self.validity.is_empty();
        if nullable {
            self.validity.resize(self.len, true);
        }
        Ok(self.values.into_array(self.dtype, nullable.then_some(self.validity)))
    }
}

fn with_validity(array: &arrow_array::StringArray, validity: crate::Validity) -> ArrayRef {
    match validity {
        None => Arc::new(array.clone()),
        Some(v) => Buffer::String(array.clone()).into_array(DType::String, Some(v.to_vec())),
    }
}
