//! How the domain of a reader is cut.
use crate::build::Builder;
use crate::graph::{Graph, NodeId, PlanOp, ReadPlan};
use crate::load::TileRequest;
use base::{Code, Diagnostic, Domain, Span, Tiling, did_you_mean};

/// Points of a tile: large enough that its own cost does not show, small enough for the cache
/// of a core and for tiles to be spread over many workers.
const POINTS: u64 = 1 << 18;
/// A Parquet file is a tile: files of fewer rows than this would be too many and too small.
pub const PART_ROWS: u64 = 1 << 20;
/// Small domains are cut too, so that all workers have something to do.
const LEAST_POINTS: u64 = 1 << 14;
/// Into about so many tiles.
const TILES: u64 = 64;

/// The cuts of a reader's domain: as the user asks, as the file is cut, or as fits.
pub fn tiling(
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
    let parts = parts_behind(graph, id);
    let points = match domain.points() {
        _ if parts => PART_ROWS,
        Some(all) => (all / TILES).clamp(LEAST_POINTS, POINTS),
        None => POINTS,
    };
    let whole = |source: &dyn formats::TileSource| source.schema().domain.sizes() == domain.sizes();
    read.source
        .as_deref()
        .filter(|s| whole(*s))
        .and_then(|s| s.tiling(if parts { PART_ROWS } else { POINTS }))
        .unwrap_or_else(|| Tiling::by_points(domain, points))
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

/// Whether tiles of a reader become the parts of a folder.
pub fn parts_behind(graph: &Graph, id: NodeId) -> bool {
    graph.consumers(id).iter().any(|c| match &graph.nodes[*c].op {
        PlanOp::Write(write) => write.format.writes_parts(),
        PlanOp::Apply(_) => parts_behind(graph, *c),
        _ => false,
    })
}
