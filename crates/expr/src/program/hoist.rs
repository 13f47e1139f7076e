//! Evaluates nodes that vary along few dimensions over just those: once, or once per tile.
use super::data::{Data, Loaded, Points, arg, read};
use super::layout::{Layout, strides};
use super::place::{From, points};
use super::{Given, Program};
use crate::dag::{NodeId, Op, constant_register, run};
use crate::kernels::{Arg, Register};
use base::{DimMask, Failure, Tile};
use std::sync::Arc;

/// The values of nodes evaluated once, over the whole domain.
#[derive(Clone, Debug)]
pub struct Tables {
    list: Vec<Arc<Register>>,
    /// Whether one of them may have met an exception.
    doubtful: bool,
}

/// A box of the domain: a tile, or all of it.
struct Place<'a> {
    origin: Vec<u64>,
    shape: Vec<usize>,
    tile: Option<&'a Tile>,
}

/// Everything that blocks of a tile read.
#[derive(Debug)]
pub struct Sources {
    /// In the order of the program's sources; those that are not there yet are empty.
    pub list: Vec<Loaded>,
    /// The index of each point in the domain.
    pub index: Loaded,
    /// Whether a hoisted node may have met an exception.
    pub doubtful: bool,
}

/// Loads the sources of a tile, evaluating hoisted nodes on the way.
pub fn load(program: &Program, tile: &Tile) -> Result<Sources, Failure> {
    check(program, tile)?;
    let place = Place { origin: tile.origin.clone(), shape: tile.shape.clone(), tile: Some(tile) };
    let tables = program.tables.get_or_init(|| tables(program)).clone()?;
    let index = index(program, &place)?;
    let mut list = gather(program, &place, &tables, &index)?;
    let mut doubtful = tables.doubtful;
    for (i, node) in program.per_tile.iter().enumerate() {
        let register = evaluate(program, &place, &list, *node, &mut doubtful)?;
        let mask = program.dag.nodes[*node].mask;
        let data = Data::Own(Arc::new(register));
        let loaded = Loaded::new(data, 0, strides(mask, &place.shape), &place.shape);
        set(program, &mut list, From::Tile(i), loaded);
    }
    Ok(Sources { list, index, doubtful })
}

/// Evaluates what is evaluated once.
fn tables(program: &Program) -> Result<Tables, Failure> {
    let mut tables = Tables { list: Vec::new(), doubtful: false };
    if program.once.is_empty() {
        return Ok(tables);
    }
    let sizes = program.input.domain.sizes();
    let shape: Vec<usize> = sizes.iter().map(|s| *s as usize).collect();
    let place = Place { origin: vec![0; sizes.len()], shape, tile: None };
    let index = index(program, &place)?;
    let mut list = gather(program, &place, &tables, &index)?;
    for (i, node) in program.once.iter().enumerate() {
        let register = evaluate(program, &place, &list, *node, &mut tables.doubtful)?;
        let register = Arc::new(register);
        tables.list.push(register.clone());
        let mask = program.dag.nodes[*node].mask;
        let data = Data::Own(register);
        let loaded = Loaded::new(data, 0, strides(mask, &place.shape), &place.shape);
        set(program, &mut list, From::Once(i), loaded);
    }
    forget_intermediate(program, &mut tables);
    Ok(tables)
}

/// Keeps only tables that something else than a table needs.
fn forget_intermediate(program: &Program, tables: &mut Tables) {
    let mut used = vec![false; program.dag.nodes.len()];
    for (id, node) in program.dag.nodes.iter().enumerate() {
        let reads = matches!(program.places[id], super::Place::Tile | super::Place::Point { .. });
        node.arguments.iter().filter(|_| reads).for_each(|a| used[*a] = true);
    }
    program.outputs.iter().chain(&program.predicates).for_each(|id| used[*id] = true);
    for (table, node) in tables.list.iter_mut().zip(&program.once) {
        if !used[*node] {
            *table = Arc::new(Register::new(program.dag.nodes[*node].dtype));
        }
    }
}

fn set(program: &Program, list: &mut [Loaded], from: From, loaded: Loaded) {
    let source = program.sources.iter().position(|s| s.from == from);
    if let Some(place) = source.and_then(|i| list.get_mut(i)) {
        *place = loaded;
    }
}

/// The columns have the lengths that their masks say.
fn check(program: &Program, tile: &Tile) -> Result<(), Failure> {
    let fits = tile.shape.len() == program.input.domain.dims.len()
        && tile.origin.len() == tile.shape.len()
        && tile.columns.len() == program.needed.len()
        && tile.index.as_ref().is_none_or(|i| arrow_array::Array::len(i) == tile.points())
        && program.needed.iter().zip(&tile.columns).all(|(i, column)| {
            let mask = program.input.fields[*i].mask;
            column.mask == mask && column.array.len() == mask.points(&tile.shape)
        });
    if fits {
        return Ok(());
    }
    let message = format!("tile {} does not have the shape that its schema says", tile.number);
    Err(Failure::internal(message))
}

/// Strides and first offset of values that are there for the whole domain.
fn over_domain(program: &Program, place: &Place, mask: DimMask) -> (Vec<usize>, usize) {
    let sizes: Vec<usize> = program.input.domain.sizes().iter().map(|s| *s as usize).collect();
    let strides = strides(mask, &sizes);
    let base = strides.iter().zip(&place.origin).map(|(s, o)| s * *o as usize).sum();
    (strides, base)
}

fn index(program: &Program, place: &Place) -> Result<Loaded, Failure> {
    let full = program.input.domain.full();
    if let Some(index) = place.tile.and_then(|t| t.index.as_ref()) {
        let array: arrow_array::ArrayRef = Arc::new(index.clone());
        let data = Data::of_array(&array, base::DType::Int64)?;
        return Ok(Loaded::new(data, 0, strides(full, &place.shape), &place.shape));
    }
    let (strides, base) = over_domain(program, place, full);
    Ok(Loaded::new(Data::Affine { start: 0, step: 1 }, base, strides, &place.shape))
}

/// All sources but the hoisted nodes of this place.
fn gather(
    program: &Program,
    place: &Place,
    tables: &Tables,
    index: &Loaded,
) -> Result<Vec<Loaded>, Failure> {
    let empty = || Loaded::new(Data::Affine { start: 0, step: 0 }, 0, vec![], &[]);
    let mut list = Vec::with_capacity(program.sources.len());
    for source in &program.sources {
        let node = &program.dag.nodes[source.node];
        let whole = |data| {
            let (strides, base) = over_domain(program, place, source.mask);
            Loaded::new(data, base, strides, &place.shape)
        };
        list.push(match source.from {
            From::Column(i) => match place.tile {
                Some(tile) => {
                    let data = Data::of_array(&tile.columns[i].array, node.dtype)?;
                    Loaded::new(data, 0, strides(source.mask, &place.shape), &place.shape)
                }
                None => empty(),
            },
            From::Given(i) => whole(given(program, i)?),
            From::Index => index.clone(),
            From::Once(i) => match tables.list.get(i) {
                Some(table) => whole(Data::Own(table.clone())),
                None => empty(),
            },
            From::Tile(_) => empty(),
            From::Constant => match &node.op {
                Op::Constant(value) => {
                    let register = constant_register(value, node.dtype);
                    let data = Data::Own(Arc::new(register));
                    Loaded::new(data, 0, vec![0; place.shape.len()], &place.shape)
                }
                _ => empty(),
            },
        });
    }
    Ok(list)
}

fn given(program: &Program, i: usize) -> Result<Data, Failure> {
    let field = &program.input.fields[i];
    match &program.given[i] {
        Given::Counter { start, step } => Ok(Data::Affine { start: *start, step: *step }),
        Given::Table(array)
            if Some(array.len() as u64) == points(&program.input.domain, field.mask) =>
        {
            Data::of_array(array, field.dtype)
        }
        _ => Err(Failure::internal(format!("the table of `{}` has a wrong length", field.name))),
    }
}

/// The values of a node over the dimensions that it varies along. Whether it may have met an
/// exception is added to `doubtful`.
fn evaluate(
    program: &Program,
    place: &Place,
    list: &[Loaded],
    id: NodeId,
    doubtful: &mut bool,
) -> Result<Register, Failure> {
    let node = &program.dag.nodes[id];
    let Op::Call(call) = &node.op else { return Err(Failure::internal("only calls are hoisted")) };
    let len = node.mask.points(&place.shape);
    let mut out = Register::new(node.dtype);
    if len == 0 {
        return Ok(out);
    }
    let mut scratch: Vec<Register> = Vec::new();
    let mut reads = Vec::new();
    for argument in &node.arguments {
        let source = program.sources.iter().position(|s| s.node == *argument);
        let loaded = source.and_then(|i| list.get(i));
        let loaded = loaded.ok_or_else(|| Failure::internal("a hoisted node reads what is not"))?;
        let mut register = Register::new(program.dag.nodes[*argument].dtype);
        let layout = masked(loaded, node.mask, &place.shape);
        let points = Points::Range { start: 0, len };
        reads.push((&loaded.data, read(&loaded.data, &layout, points, &mut register)));
        scratch.push(register);
    }
    let arguments: Vec<Arg> =
        reads.iter().zip(&scratch).map(|((data, at), r)| arg(data, r, *at, len)).collect();
    if let Some(Some(quick)) = program.quick.get(id) {
        *doubtful |= quick.fails(&arguments, len)?;
    }
    run(call, &arguments, &mut out, len)?;
    Ok(out)
}

/// The layout of a source over only the dimensions in a mask.
pub fn masked(loaded: &Loaded, mask: DimMask, shape: &[usize]) -> Layout {
    let shape: Vec<usize> = mask.iter().map(|i| shape[i]).collect();
    let strides: Vec<usize> = mask.iter().map(|i| loaded.strides[i]).collect();
    Layout::new(loaded.base, &shape, &strides)
}
