//! The right sides of joins below kept reductions: made by a plan of their own when their files
//! have changed, and handed to all workers whole.
use crate::ledger::{pack, unpack};
use crate::watch::lock;
use base::{Failure, Tile};
use formats::{Arrangement, Sink, TileWriter, Written};
use plan::Print;
use plan::physical::{Node, Op, Physical, feeding};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A right side, as a worker has it.
pub struct Side {
    /// Its tiles, by number.
    pub tiles: Vec<Tile>,
    /// What its contents are known by.
    pub print: Print,
    /// Bytes of them.
    pub bytes: u64,
}

impl Side {
    /// From what [`Aside::sides`] has made of it.
    ///
    /// # Errors
    /// If the bytes are something else.
    pub fn of(bytes: &[u8]) -> Result<Side, Failure> {
        let wrong = || Failure::internal("the right side of a join is no list of tiles");
        let (tiles, print) = (unpack(bytes).ok_or_else(wrong)?, Print::of([bytes]));
        Ok(Side { tiles, print, bytes: bytes.len() as u64 })
    }
}

/// A plan that makes right sides.
pub struct Aside {
    /// To be run on the threads of this process.
    pub physical: Physical,
    sinks: Vec<(usize, Arc<Collect>)>,
}

impl Aside {
    /// The part of a plan that makes these nodes' tiles.
    pub(super) fn of(physical: &Physical, sides: &[usize]) -> Aside {
        let mut place = vec![usize::MAX; physical.nodes.len()];
        let mut nodes: Vec<Node> = Vec::new();
        for at in feeding(&physical.nodes, sides) {
            let mut node = physical.nodes[at].clone();
            node.inputs.iter_mut().for_each(|input| *input = place[*input]);
            place[at] = nodes.len();
            nodes.push(node);
        }
        let mut sinks = Vec::new();
        for side in sides {
            let sink = Arc::new(Collect::default());
            let from = &physical.nodes[*side];
            nodes.push(Node {
                step: from.step.clone(),
                place: from.place.clone(),
                op: Op::Write(sink.clone()),
                inputs: vec![place[*side]],
                schema: from.schema.clone(),
            });
            sinks.push((*side, sink));
        }
        let physical = Physical { nodes, meanings: Vec::new(), state: None, ..physical.clone() };
        Aside { physical, sinks }
    }

    /// The right sides as bytes, when the plan has been run.
    ///
    /// # Errors
    /// If Arrow cannot encode a tile.
    pub(super) fn sides(self) -> Result<Vec<(usize, Vec<u8>)>, Failure> {
        let side = |(side, sink): (usize, Arc<Collect>)| {
            let mut tiles = std::mem::take(&mut *lock(&sink.tiles));
            tiles.sort_by_key(|tile| tile.number);
            Ok((side, pack(&tiles)?))
        };
        self.sinks.into_iter().map(side).collect()
    }
}

/// Collects tiles.
#[derive(Default)]
struct Collect {
    tiles: Arc<Mutex<Vec<Tile>>>,
}

struct Collector(Arc<Mutex<Vec<Tile>>>);

impl TileWriter for Collector {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        lock(&self.0).push(tile.clone());
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl Sink for Collect {
    fn arrangement(&self) -> Arrangement {
        Arrangement::Anywhere
    }

    fn create(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        Ok(Box::new(Collector(self.tiles.clone())))
    }

    fn commit(&self) -> Result<Written, Failure> {
        Err(Failure::internal("the right side of a join has no name"))
    }

    fn abandon(&self) {}

    fn path(&self) -> &Path {
        Path::new("")
    }

    fn memory(&self, tile_bytes: u64) -> u64 {
        tile_bytes
    }

    fn describe(&self) -> String {
        "the right side of a join".into()
    }
}

/// Whether two plans of a pipeline are of one shape: the same nodes, columns and joins, whatever
/// files are there.
pub(super) fn alike(one: &Physical, two: &Physical) -> bool {
    let fields = |node: &Node| -> Vec<_> {
        node.schema.fields.iter().map(|f| (f.name.clone(), f.dtype, f.mask)).collect()
    };
    let same = |(a, b): (&Node, &Node)| {
        let ops = match (&a.op, &b.op) {
            (Op::Join(a), Op::Join(b)) => {
                *a == plan::physical::Join { sizes: a.sizes.clone(), ..b.clone() }
            }
            (Op::Overlay(a), Op::Overlay(b)) => a == b,
            (Op::Stream(a), Op::Stream(b)) => a.key() == b.key(),
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        };
        ops && a.inputs == b.inputs && fields(a) == fields(b)
    };
    one.nodes.len() == two.nodes.len() && one.nodes.iter().zip(&two.nodes).all(same)
}
