//! Kept results as tables.
use super::cells;
use super::head::{Cells, Head};
use super::kept::Kept;
use super::parts;
use super::piece::file_key;
use super::record::{Adder, Codec, Outcome, Shelving};
use super::table::Table;
use crate::nodes::fold::keys;
use arrow_array::{ArrayRef, new_empty_array};
use arrow_schema::ArrowError;
use base::{Column, Failure, Field, along};
use plan::physical::{Fold, FoldKind, Node, Op, Physical, Reduce};
use std::borrow::Cow;
use std::collections::BTreeMap;

impl Kept {
    /// The results of a reduction, as a plan has them that is one for the files that are there.
    pub(super) fn table(&self, whole: &Physical, number: usize) -> Result<Table, Failure> {
        let head = &self.split.heads[number];
        let place = |failure: Failure| {
            failure.context(format!("step \"{}\"", self.physical.nodes[head.last].step))
        };
        let results = &self.results[number];
        let in_parts = self.shared.shelving.0.is_some() && keys(&head.fold) > 0;
        match &head.cells {
            None if in_parts => parted(&whole.nodes[head.last], results),
            None => rows(head, &whole.nodes[head.last], results),
            Some(Cells::Shared) => shared(head, &whole.nodes[head.last], results),
            Some(Cells::Own(dim)) => own(head, *dim, whole, results),
        }
        .map_err(place)
    }
}

type Results = BTreeMap<Vec<u8>, Outcome>;

fn good(outcome: &Outcome) -> Result<Cow<'_, [u8]>, Failure> {
    outcome.as_ref().map_err(|message| Failure::data(message.clone()))?.bytes()
}

/// The results of a block of cells.
fn block(outcome: &Outcome) -> Result<Vec<Column>, Failure> {
    Ok(cells::columns(&good(outcome)?)?.0)
}

/// Rows for keys that are kept in parts.
fn parted(node: &Node, results: &Results) -> Result<Table, Failure> {
    let parts = results.values().map(|outcome| parts::columns(&good(outcome)?));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let arrays = joined(&node.schema.fields, &parts)?;
    let rows = arrays.first().map_or(0, |array| array.len());
    Ok(Table::rows(&node.schema, arrays, rows))
}

/// A row for each key.
fn rows(head: &Head, node: &Node, results: &Results) -> Result<Table, Failure> {
    let schema = &node.schema;
    let (key_fields, result_fields) = schema.fields.split_at(keys(&head.fold));
    let nothing = match results.is_empty() && matches!(head.fold.kind, FoldKind::All) {
        true => {
            Some((Vec::new(), Adder::new(&head.fold, result_fields, Shelving(None))?.nothing()?))
        }
        false => None,
    };
    let all = || results.iter().chain(nothing.iter().map(|(key, outcome)| (key, outcome)));
    let rows = all().map(|(_, outcome)| good(outcome)).collect::<Result<Vec<_>, _>>()?;
    let mut arrays = Codec::new(key_fields)?.decode(all().map(|(key, _)| &key[..]))?;
    arrays.extend(Codec::new(result_fields)?.decode(rows.iter().map(|row| &row[..]))?);
    Ok(Table::rows(schema, arrays, rows.len()))
}

/// The cells that all files have.
fn shared(head: &Head, node: &Node, results: &Results) -> Result<Table, Failure> {
    let cells = node.schema.domain.points().unwrap_or(0) as usize;
    let nothing = match results.is_empty() {
        true => Some(cells::Adder::new(&head.fold, Shelving(None))?.empty(cells)?),
        false => None,
    };
    let blocks = results.values().chain(&nothing).map(block);
    let blocks = blocks.collect::<Result<Vec<_>, _>>()?;
    cut(head, node, joined(fields(head, node), &blocks)?, cells)
}

/// The cells of one file after those of the other, in the order that they have in a run.
fn own(head: &Head, dim: usize, whole: &Physical, results: &Results) -> Result<Table, Failure> {
    let node = &whole.nodes[head.last];
    let source = match &whole.nodes[head.read].op {
        Op::Read(read) => read.source.as_ref().ok_or_else(changed)?,
        _ => return Err(changed()),
    };
    let mut files: Vec<Vec<ArrayRef>> = Vec::new();
    for path in source.files() {
        let start = file_key(&path);
        let mine = results.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
        let blocks = mine.map(|(_, outcome)| block(outcome));
        files.push(joined(fields(head, node), &blocks.collect::<Result<Vec<_>, _>>()?)?);
    }
    let sizes = node.schema.domain.sizes();
    let outer: u64 = sizes[..dim].iter().product();
    let column = |i: usize| {
        let files: Vec<ArrayRef> =
            files.iter().filter_map(|columns| columns.get(i)).cloned().collect();
        along(&files, outer as usize).map_err(internal)
    };
    let arrays = (0..fields(head, node).len()).map(column).collect::<Result<_, _>>()?;
    cut(head, node, arrays, sizes.iter().product::<u64>() as usize)
}

/// The columns of a box of so many cells, cut as in a run.
fn cut(head: &Head, node: &Node, arrays: Vec<ArrayRef>, cells: usize) -> Result<Table, Failure> {
    if arrays.iter().any(|array| array.len() != cells)
        || head.keep().len() != node.schema.domain.dims.len()
    {
        return Err(changed());
    }
    match &node.op {
        Op::Final(Reduce::Fold(Fold { kind: FoldKind::Over { tiling, .. }, .. })) => {
            Ok(Table::cells(&node.schema, arrays, tiling))
        }
        _ => Err(changed()),
    }
}

/// The columns of the results: coordinates, which stand behind them, are known.
fn fields<'a>(head: &Head, node: &'a Node) -> &'a [Field] {
    let results = head.fold.aggregates.len().min(node.schema.fields.len());
    &node.schema.fields[..results]
}

/// Blocks one after the other.
fn joined(fields: &[Field], blocks: &[Vec<Column>]) -> Result<Vec<ArrayRef>, Failure> {
    let column = |(i, field): (usize, &Field)| {
        let arrays: Vec<ArrayRef> =
            blocks.iter().filter_map(|columns| Some(columns.get(i)?.array.clone())).collect();
        match arrays.is_empty() {
            true => Ok(new_empty_array(&field.dtype.arrow())),
            false => along(&arrays, 1).map_err(internal),
        }
    };
    fields.iter().enumerate().map(column).collect()
}

fn internal(error: ArrowError) -> Failure {
    Failure::internal(format!("results of files: {error}"))
}

/// The files are others than those that the plan was made for.
fn changed() -> Failure {
    Failure::data("the files have changed while results were put together")
}
