//! Kept results as tables.
use super::cells;
use super::head::{Cells, Head};
use super::kept::Kept;
use super::piece::file_print;
use super::record::{Key, Outcome, Shelving};
use super::table::Table;
use crate::nodes::fold::keys;
use arrow_array::{ArrayRef, new_empty_array};
use arrow_schema::ArrowError;
use base::{Failure, Field, Tile, along};
use plan::Print;
use plan::physical::{Fold, FoldKind, Node, Op, Physical, Reduce};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

type Results = BTreeMap<Key, Outcome>;

impl Kept {
    /// The results of the reduction of this number, as a plan has them that is one for the files
    /// that are there; `None` if that plan does not need them.
    pub(super) fn table(
        &self,
        whole: &Physical,
        number: usize,
    ) -> Result<Option<Arc<Table>>, Failure> {
        let head = self.split.heads.get(number);
        let last = *self.split.ends().get(number).ok_or_else(changed)?;
        let place = |failure: Failure| {
            failure.context(format!("step \"{}\"", self.physical.nodes[last].step))
        };
        let node = &whole.nodes[last];
        let of = |file| blocks(&self.results, number as u32, file);
        let all = || of(Print::default());
        if !self.split.needed[number] {
            // But what is made of them is wrong if one of them is.
            return all().map(|_| None).map_err(place);
        }
        let table = || match head.map(|head| (head, &head.cells)) {
            Some((head, Some(Cells::Own(dim)))) => own(head, *dim, whole, &of),
            Some((head, Some(Cells::Shared))) => cut(head, node, flat(&head.fold, node, all()?)?.0),
            _ => {
                let Op::Final(Reduce::Fold(fold)) = &node.op else { return Err(changed()) };
                let (arrays, rows) = flat(fold, node, all()?)?;
                Ok(Table::rows(&node.schema, arrays, rows))
            }
        };
        table().map(|table| Some(Arc::new(table))).map_err(place)
    }
}

/// The blocks of a reduction, of a file or of all.
fn blocks(results: &Results, head: u32, file: Print) -> Result<Vec<Cow<'_, Tile>>, Failure> {
    let (first, last) = (Key { head, file, part: 0 }, Key { head, file, part: u64::MAX });
    results.range(first..=last).map(|(_, outcome)| good(outcome)).collect()
}

fn good(outcome: &Outcome) -> Result<Cow<'_, Tile>, Failure> {
    outcome.as_ref().map_err(|message| Failure::data(message.clone()))?.tile()
}

/// The groups, or the cells that all files have, one block after the other, and how many there are.
fn flat(
    fold: &Fold,
    node: &Node,
    mut blocks: Vec<Cow<Tile>>,
) -> Result<(Vec<ArrayRef>, usize), Failure> {
    if blocks.is_empty() && keys(fold) == 0 {
        let cells = node.schema.domain.points().unwrap_or(0) as usize;
        blocks.push(Cow::Owned(cells::Adder::new(fold, Shelving(None))?.empty(cells)?));
    }
    let rows = blocks.iter().map(|block| block.points()).sum();
    Ok((joined(fields(fold, node), &blocks)?, rows))
}

/// The cells of one file after those of the other, in the order that they have in a run.
fn own<'a>(
    head: &Head,
    dim: usize,
    whole: &Physical,
    of: &dyn Fn(Print) -> Result<Vec<Cow<'a, Tile>>, Failure>,
) -> Result<Table, Failure> {
    let node = &whole.nodes[head.last];
    let source = match &whole.nodes[head.read].op {
        Op::Read(read) => read.source.as_ref().ok_or_else(changed)?,
        _ => return Err(changed()),
    };
    let files = source.files();
    let files = files.iter().map(|path| joined(fields(&head.fold, node), &of(file_print(path))?));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let outer: u64 = node.schema.domain.sizes()[..dim].iter().product();
    let column = |i: usize| {
        let files: Vec<ArrayRef> =
            files.iter().filter_map(|columns| columns.get(i)).cloned().collect();
        along(&files, outer as usize).map_err(internal)
    };
    cut(head, node, (0..fields(&head.fold, node).len()).map(column).collect::<Result<_, _>>()?)
}

/// The columns of a box, cut as in a run.
fn cut(head: &Head, node: &Node, arrays: Vec<ArrayRef>) -> Result<Table, Failure> {
    let cells = node.schema.domain.points().unwrap_or(0) as usize;
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

/// The columns of keys and results: coordinates, which stand behind them, are known.
fn fields<'a>(fold: &Fold, node: &'a Node) -> &'a [Field] {
    let columns = keys(fold) + fold.aggregates.len();
    &node.schema.fields[..columns.min(node.schema.fields.len())]
}

/// Blocks one after the other.
fn joined(fields: &[Field], blocks: &[Cow<Tile>]) -> Result<Vec<ArrayRef>, Failure> {
    let column = |(i, field): (usize, &Field)| {
        let arrays: Vec<ArrayRef> =
            blocks.iter().filter_map(|block| Some(block.columns.get(i)?.array.clone())).collect();
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
