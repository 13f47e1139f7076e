//! Small plans, put together by hand.
use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use base::{Column, DType, DimMask, Domain, Failure, Field, Region, Schema, Tiling, Value};
use expr::reduce::reduction;
use expr::{Given, Program, Step};
use formats::{Sink, TileSource};
use plan::physical::*;
use std::sync::Arc;

/// A source whose values are computed by a function of the points in a region.
pub struct Made<F> {
    schema: Schema,
    values: F,
}

impl<F> TileSource for Made<F>
where
    F: Fn(&Region) -> Result<Vec<ArrayRef>, Failure> + Send + Sync,
{
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn tiling(&self, _points: u64) -> Option<Tiling> {
        None
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let arrays = (self.values)(region)?;
        let column =
            |c: &usize| Column { mask: self.schema.fields[*c].mask, array: arrays[*c].clone() };
        Ok(columns.iter().map(column).collect())
    }

    fn describe(&self) -> String {
        "made".into()
    }
}

/// A plan in the making; nodes feed the next unless said otherwise.
#[derive(Default)]
pub struct Build {
    nodes: Vec<Node>,
}

impl Build {
    pub fn new() -> Build {
        Build::default()
    }

    pub fn node(&mut self, step: &str, op: Op, inputs: &[usize], schema: &Schema) -> usize {
        let (step, inputs, schema) = (step.to_string(), inputs.to_vec(), schema.clone());
        self.nodes.push(Node { step, place: String::new(), op, inputs, schema });
        self.nodes.len() - 1
    }

    /// The nodes of another plan beside these, which read from nothing.
    pub fn beside(mut self, other: Build) -> Build {
        self.nodes.extend(other.nodes);
        self
    }

    fn last(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Reads what a function makes of regions.
    pub fn made(
        mut self,
        schema: &Schema,
        tiling: Tiling,
        values: impl Fn(&Region) -> Result<Vec<ArrayRef>, Failure> + Send + Sync + 'static,
    ) -> Build {
        let source = Arc::new(Made { schema: schema.clone(), values });
        let columns = (0..schema.fields.len()).collect();
        let offset = vec![0; schema.domain.dims.len()];
        let read = Read {
            source: Some(source),
            files: None,
            offset,
            columns,
            tiling,
            survivors: None,
            place: String::new(),
            program: None,
        };
        self.node("read", Op::Read(read), &[], schema);
        self
    }

    /// Reads the numbers `0..n` as column `n`, in tiles of `step`.
    pub fn numbers(self, n: u64, step: u64) -> Build {
        let schema = numbers(n);
        let tiling = Tiling::even(&schema.domain, &[step]);
        self.made(&schema, tiling, |region| Ok(vec![points(region)]))
    }

    /// Adds a node that reads from the last.
    pub fn then(mut self, step: &str, op: Op, schema: &Schema) -> Build {
        let last = self.last();
        self.node(step, op, &[last], schema);
        self
    }

    pub fn exchange(self, route: Route, schema: &Schema) -> Build {
        self.then("exchange", Op::Exchange(route), schema)
    }

    /// A reduction with the exchange between its halves.
    pub fn reduce(self, reduce: Reduce, route: Route, input: &Schema, output: &Schema) -> Build {
        self.then("reduce", Op::Partial(reduce.clone()), input).exchange(route, output).then(
            "reduce",
            Op::Final(reduce),
            output,
        )
    }

    /// All rows, in the order of tiles and places.
    pub fn sort(self, keys: &[(usize, bool)], limit: Option<u64>, schema: &Schema) -> Build {
        let keys = keys.iter().map(|(column, d)| SortKey { column: *column, descending: *d });
        let order = Order { keys: keys.collect(), limit, tile_rows: 100 };
        if limit.is_some() {
            return self.reduce(Reduce::Order(order), Route::Gather, schema, schema);
        }
        self.then("sort", Op::Partial(Reduce::Order(order.clone())), schema)
            .exchange(Route::Address, schema)
            .then("sort", Op::Split(order.clone()), schema)
            .exchange(Route::Address, schema)
            .then("sort", Op::Final(Reduce::Order(order)), schema)
            .exchange(Route::Address, schema)
            .then("sort", Op::Assemble(100), schema)
            .exchange(Route::Gather, schema)
    }

    pub fn write(self, sink: Arc<dyn Sink>, gather: bool, schema: &Schema) -> Build {
        let built = self.then("encode", Op::Encode(sink.clone()), schema);
        let built = if gather { built.exchange(Route::Gather, schema) } else { built };
        built.then("write", Op::Write(sink), schema)
    }

    pub fn show(self, schema: &Schema) -> Arc<Physical> {
        self.then("show", Op::Show(Show { name: "show".into(), most: None }), schema).done()
    }

    pub fn done(self) -> Arc<Physical> {
        let (title, hash, memory) = ("test".to_string(), [0; 32], Memory::default());
        let (nodes, meanings, state) = (self.nodes, Vec::new(), None);
        let allow = Vec::new();
        Arc::new(Physical { title, hash, nodes, meanings, state, memory, allow })
    }
}

/// The points of a one-dimensional region, as int64.
pub fn points(region: &Region) -> ArrayRef {
    let first = region.origin[0] as i64;
    Arc::new(Int64Array::from_iter_values(first..first + region.shape[0] as i64))
}

pub fn floats(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

pub fn texts(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Rows of a box `row` of `n` points with these columns.
pub fn table(n: u64, columns: &[(&str, DType)]) -> Schema {
    let field = |(name, dtype): &(&str, DType)| Field {
        nullable: true,
        ..Field::new(*name, *dtype, DimMask::only(0))
    };
    let fields = columns.iter().map(field).collect();
    Schema { domain: Domain::new([("row", n)]), fields, ..Schema::default() }
}

pub fn numbers(n: u64) -> Schema {
    table(n, &[("n", DType::Int64)])
}

/// A program that leaves tiles of this schema as they are.
pub fn same(schema: &Schema) -> Apply {
    apply(schema, &[])
}

/// Steps as a program over tiles whose columns are loaded.
pub fn apply(schema: &Schema, steps: &[Step]) -> Apply {
    let given = schema.fields.iter().map(|_| Given::Loaded).collect();
    let program = Program::compile(schema, given, steps, true).unwrap();
    let columns = program.needed().to_vec();
    Apply { program: Arc::new(program), columns }
}

/// Aggregates by name of a column's position.
pub fn fold(input: &Schema, aggregates: &[(&str, usize)], kind: FoldKind) -> Reduce {
    let aggregate = |(name, column): &(&str, usize)| Aggregate {
        reduction: reduction(name).unwrap(),
        columns: (*name != "count").then_some(*column).into_iter().collect(),
        constants: Vec::<Value>::new(),
        place: String::new(),
        once: Vec::new(),
    };
    let aggregates = aggregates.iter().map(aggregate).collect();
    Reduce::Fold(Fold { apply: same(input), aggregates, kind })
}
