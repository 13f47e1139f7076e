//! How the domain of a reader is cut.
use crate::build::Builder;
use crate::graph::{FoldPlanKind, Graph, NodeId, PlanOp, ReadPlan};
use crate::load::TileRequest;
use base::{Code, Diagnostic, Domain, Field, Span, Tiling, did_you_mean};
use formats::TileSource;

/// Points of a tile: large enough that its own cost does not show, small enough for the cache
/// of a core and for tiles to be spread over many workers.
const POINTS: u64 = 1 << 18;
/// A Parquet file is a tile: files of fewer rows than this would be too many and too small.
pub(crate) const PART_ROWS: u64 = 1 << 20;
/// Small domains are cut too, so that all workers have something to do.
const LEAST_POINTS: u64 = 1 << 14;
/// What a tile reads from a file and what is written of it should stay in a core's second cache
/// in between, so long as there are points enough that a tile's own cost does not show.
const CACHED_BYTES: u64 = 2 << 20;
const CACHED_POINTS: u64 = 1 << 15;
/// Into about so many tiles.
const TILES: u64 = 64;
/// A range whose numbers are reduced as they are made has no columns: its tiles can be larger,
const MOST_POINTS: u64 = 1 << 24;
/// and so many are enough to spread them evenly.
const REDUCED_TILES: u64 = 256;

/// Rows that are something to do come in about so many tiles,
const TASK_TILES: u64 = 4096;
/// of so many rows at most.
const TASK_ROWS: u64 = 256;

/// The cuts of a reader's domain: as the user asks, as the file is cut, or as fits.
pub(crate) fn tiling(
    builder: &mut Builder,
    graph: &Graph,
    id: NodeId,
    domain: &Domain,
    read: &ReadPlan,
) -> Tiling {
    match builder.options.tile.clone() {
        Some(TileRequest::Points(points)) => return Tiling::by_points(domain, points),
        Some(TileRequest::Shape(sizes)) => {
            if let Some(tiling) = shape(builder, domain, &sizes) {
                return tiling;
            }
        }
        None => {}
    }
    if let Some(rows) = batch_behind(graph, id) {
        return Tiling::by_points(domain, rows);
    }
    let parts = parts_behind(graph, id);
    let tasks = tasks_behind(graph, id);
    let points = match domain.points() {
        points if tasks => task_rows(points),
        _ if parts => PART_ROWS,
        Some(all) => {
            let points = (all / TILES).clamp(LEAST_POINTS, most_points(graph, id, read));
            let larger = (all / REDUCED_TILES).min(MOST_POINTS);
            if reduced(graph, id, read) { points.max(larger) } else { points }
        }
        None => POINTS,
    };
    let source = read.source.as_deref();
    source
        .and_then(|s| match () {
            () if tasks => s.tiling_by_file(points),
            () if parts => s.tiling(PART_ROWS),
            () => s.tiling_by_file(POINTS),
        })
        .and_then(|t| match source.is_some_and(|s| s.schema().domain.sizes() == domain.sizes()) {
            true => Some(t),
            // Tiles that are chunks of a file must be of one shape.
            false if written_bytes(graph, id).is_none() => None,
            false => Some(t.part(&read.offset, &domain.sizes())),
        })
        .unwrap_or_else(|| Tiling::by_points(domain, points))
}

/// The cuts of a file by itself, where a run that reads it among others makes the same.
pub fn of_file(source: &dyn TileSource) -> Tiling {
    let cut = || Tiling::by_points(&source.schema().domain, POINTS);
    source.tiling_by_file(POINTS).unwrap_or_else(cut)
}

/// Whether the points of a reader are reduced block by block as they are made.
fn reduced(graph: &Graph, id: NodeId, read: &ReadPlan) -> bool {
    let one = |consumer: &NodeId| match &graph.nodes[*consumer].op {
        PlanOp::Fold(fold) => fold.fused.is_some() && !matches!(fold.kind, FoldPlanKind::Over(_)),
        _ => false,
    };
    read.source.is_none()
        && read.fused.is_none()
        && matches!(&graph.consumers(id)[..], [consumer] if one(consumer))
}

/// Points of the largest tile, by the bytes that pass through memory for each point.
fn most_points(graph: &Graph, id: NodeId, read: &ReadPlan) -> u64 {
    let schema = read.source.as_deref().map(|s| s.schema());
    let loaded = |column: &Option<usize>| Some(&schema?.fields[(*column)?]);
    let fields = read.columns.iter().filter_map(loaded);
    let loaded = schema.map_or(0, |s| point_bytes(&s.domain, fields));
    match written_bytes(graph, id).map(|written| loaded + written) {
        None | Some(0) => POINTS,
        Some(bytes) => (CACHED_BYTES / bytes).clamp(CACHED_POINTS, POINTS),
    }
}

/// Bytes of a point in the outputs that tiles of a reader go to as they are; `None` where a tile
/// is a chunk of a file, which should not be small.
fn written_bytes(graph: &Graph, id: NodeId) -> Option<u64> {
    let left = |consumer: &NodeId| graph.nodes[*consumer].inputs[0] == id;
    let bytes = |consumer: &NodeId| match &graph.nodes[*consumer].op {
        PlanOp::Write(write) if write.format.writes_chunks(&write.options) => None,
        PlanOp::Write(_) => {
            let schema = &graph.nodes[*consumer].schema;
            Some(point_bytes(&schema.domain, schema.fields.iter()))
        }
        PlanOp::Apply(_) => written_bytes(graph, *consumer),
        PlanOp::Join(_) if left(consumer) => written_bytes(graph, *consumer),
        _ => Some(0),
    };
    graph.consumers(id).iter().map(bytes).sum()
}

/// Bytes of a point in the columns that vary along all dimensions.
fn point_bytes<'a>(domain: &Domain, fields: impl Iterator<Item = &'a Field>) -> u64 {
    fields.filter(|f| f.mask == domain.full()).map(|f| f.dtype.width() as u64).sum()
}

/// Tiles of the shape that `--tile lat=10,lon=100` asks for; dimensions of other readers are
/// theirs to know.
fn shape(builder: &mut Builder, domain: &Domain, sizes: &[(String, u64)]) -> Option<Tiling> {
    let mut shape = domain.sizes();
    let mut found = false;
    for (name, size) in sizes {
        match domain.position(name) {
            Some(dim) => {
                shape[dim] = *size;
                found = true;
            }
            None if builder
                .graph
                .nodes
                .iter()
                .any(|n| n.schema.domain.position(name).is_some()) => {}
            None => {
                let names: Vec<&str> = domain.dims.iter().map(|d| &*d.name).collect();
                let message = format!("`--tile {name}=…`: no dimension is called `{name}`");
                let near = did_you_mean(name, names);
                builder.diagnostics.push(
                    Diagnostic::error(Code::UnknownDimension, Span::default(), message)
                        .maybe_help(near),
                );
            }
        }
    }
    found.then(|| Tiling::even(domain, &shape))
}

/// Rows of a tile of which each is something to do: few, so that all workers and processes get
/// their share of them, one by one where there are not many.
pub(crate) fn task_rows(rows: Option<u64>) -> u64 {
    rows.map_or(TASK_ROWS, |rows| rows.div_ceil(TASK_TILES).clamp(1, TASK_ROWS))
}

/// Whether something is done for each row of a node.
pub(crate) fn tasks_behind(graph: &Graph, id: NodeId) -> bool {
    graph.consumers(id).iter().any(|c| match &graph.nodes[*c].op {
        PlanOp::Task(_) => true,
        PlanOp::Apply(_) => tasks_behind(graph, *c),
        PlanOp::Join(_) if graph.nodes[*c].inputs[0] == id => tasks_behind(graph, *c),
        _ => false,
    })
}

/// Whether tiles of a reader become the parts of a folder.
pub(crate) fn parts_behind(graph: &Graph, id: NodeId) -> bool {
    graph.consumers(id).iter().any(|c| match &graph.nodes[*c].op {
        PlanOp::Write(write) => write.format.writes_parts(),
        PlanOp::Apply(_) | PlanOp::Stream(_) => parts_behind(graph, *c),
        PlanOp::Join(_) if graph.nodes[*c].inputs[0] == id => parts_behind(graph, *c),
        _ => false,
    })
}

/// The most rows of a tile that a program behind takes as its batch, if it says so.
pub(crate) fn batch_behind(graph: &Graph, id: NodeId) -> Option<u64> {
    let rows = |c: &NodeId| match &graph.nodes[*c].op {
        PlanOp::Stream(plan) => plan.batch_rows.or_else(|| batch_behind(graph, *c)),
        PlanOp::Apply(_) => batch_behind(graph, *c),
        PlanOp::Join(_) if graph.nodes[*c].inputs[0] == id => batch_behind(graph, *c),
        _ => None,
    };
    graph.consumers(id).iter().filter_map(rows).min()
}
