//! Chunks that the workers compress and one writer puts in place.
//!
//! A prepared tile has, for each variable in chunks, one binary value: for each chunk its first
//! point (8 bytes per dimension), its length (8 bytes), its bytes; all in the machine's order.
use super::chunk_log::{Chunk, ChunkLog};
use super::encode;
use super::layout::{Layout, Variable};
use super::placed::PlacedWriter;
use crate::TileWriter;
use crate::netcdf::codec::{Codec, Packer};
use crate::netcdf::hdf5::{Dataset, H5File};
use crate::netcdf::slab::{self, Part};
use crate::stage::cannot_write;
use arrow_array::{Array, BinaryArray};
use arrow_buffer::OffsetBuffer;
use base::{Column, DimMask, Failure, Tile};
use std::path::Path;
use std::sync::Arc;

/// Compresses the chunks of a tile.
pub(super) fn prepare(
    layout: &Layout,
    chunk: &[u64],
    codec: Codec,
    mut tile: Tile,
) -> Result<Tile, Failure> {
    let shape: Vec<usize> = chunk.iter().map(|n| *n as usize).collect();
    for (i, variable) in layout.variables.iter().enumerate() {
        if !layout.in_chunks(variable) {
            continue;
        }
        let chunks = compress(variable, &shape, codec, &tile, &tile.columns[i])?;
        if i32::try_from(chunks.len()).is_err() {
            return Err(Failure::output(
                "a tile of more than 2 GB cannot be compressed; cut the \
                                        domain into smaller tiles with --tile",
            ));
        }
        let ends = OffsetBuffer::from_lengths([chunks.len()]);
        let array = Arc::new(BinaryArray::new(ends, chunks.into(), None));
        tile.columns[i] = Column { mask: DimMask::SCALAR, array };
    }
    Ok(tile)
}

fn compress(
    variable: &Variable,
    chunk: &[usize],
    codec: Codec,
    tile: &Tile,
    column: &Column,
) -> Result<Vec<u8>, Failure> {
    let array = encode::values(variable, tile, column)?;
    let bytes = encode::bytes(variable, &array)?;
    if (0..chunk.len()).any(|i| !tile.origin[i].is_multiple_of(chunk[i] as u64)) {
        return Err(Failure::internal(format!("tile {} cuts a chunk", tile.number)));
    }
    let width = variable.width();
    let points: usize = chunk.iter().product();
    let sizes: Vec<u64> = tile.shape.iter().map(|n| *n as u64).collect();
    // Whether a whole chunk is one piece of the tile.
    let piece = slab::run_length(&sizes, chunk) == points;
    let zeros = vec![0; chunk.len()];
    let (mut values, mut out) = (Vec::new(), Vec::new());
    let counts: Vec<usize> = tile.shape.iter().zip(chunk).map(|(s, c)| s.div_ceil(*c)).collect();
    Packer::with(codec, |packer| {
        slab::points(&counts, |at| {
            let start: Vec<usize> = at.iter().zip(chunk).map(|(a, c)| a * c).collect();
            let taken: Vec<usize> =
                (0..chunk.len()).map(|i| chunk[i].min(tile.shape[i] - start[i])).collect();
            let source = Part { sizes: &tile.shape, origin: &start };
            let first = source.start(&zeros) * width;
            let packed = if piece && taken == chunk {
                packer.pack(&bytes[first..first + points * width], width)?
            } else {
                values.resize(points * width, 0);
                if taken != chunk {
                    values.fill(0);
                }
                let target = Part { sizes: chunk, origin: &zeros };
                slab::copy_box((&bytes, &source), (&mut values, &target), &taken, width);
                packer.pack(&values, width)?
            };
            for (first, step) in tile.origin.iter().zip(&start) {
                out.extend((first + *step as u64).to_ne_bytes());
            }
            out.extend((packed.len() as u64).to_ne_bytes());
            out.extend(packed);
            Ok(())
        })
    })
    .map_err(Failure::internal)?;
    Ok(out)
}

/// The one writer of a compressed file.
pub(super) struct ChunkedWriter {
    layout: Arc<Layout>,
    /// The variables in chunks; `None` for the others.
    datasets: Vec<Option<Dataset>>,
    file: Arc<H5File>,
    placed: PlacedWriter,
    log: ChunkLog,
}

impl ChunkedWriter {
    pub(super) fn open(
        path: &Path,
        placed: PlacedWriter,
        layout: Arc<Layout>,
        log: ChunkLog,
    ) -> Result<ChunkedWriter, Failure> {
        let wrong = |what: &str| Failure::output(format!("{}: {what}", path.display()));
        let file = H5File::open(path, true).ok_or_else(|| wrong("it cannot be opened"))?;
        let dataset = |variable: &Variable| match layout.in_chunks(variable) {
            false => Ok(None),
            true => match file.dataset(&format!("/{}", variable.name)) {
                None => Err(wrong(&format!("`{}` is not in it", variable.name))),
                found => Ok(found),
            },
        };
        let datasets: Result<Vec<_>, Failure> = layout.variables.iter().map(dataset).collect();
        Ok(ChunkedWriter { layout, datasets: datasets?, file, placed, log })
    }

    fn full(&self) -> Failure {
        let target = self.placed.target().display();
        Failure::output(format!("cannot write {target}: the disk may be full"))
    }

    /// Puts a chunk in place; where it lies then.
    fn put(&self, variable: usize, origin: Vec<u64>, data: &[u8]) -> Result<Chunk, Failure> {
        let dataset = self.datasets.get(variable).and_then(Option::as_ref);
        let dataset = dataset.ok_or_else(|| Failure::internal("a chunk of no variable"))?;
        let place = dataset.write_chunk(&origin, data).then(|| dataset.chunk_place(&origin));
        let (offset, bytes) = place.flatten().ok_or_else(|| self.full())?;
        Ok(Chunk { variable, origin, offset, bytes })
    }

    /// Puts the chunks of a tile in place, of each the variable, the first point and the bytes.
    pub(super) fn take<'a>(
        &mut self,
        tile: u64,
        chunks: impl Iterator<Item = Result<(usize, Vec<u64>, &'a [u8]), Failure>>,
    ) -> Result<(), Failure> {
        let put = |chunk: Result<(usize, Vec<u64>, &[u8]), Failure>| {
            let (variable, origin, data) = chunk?;
            self.put(variable, origin, data)
        };
        let chunks = chunks.map(put).collect::<Result<Vec<Chunk>, Failure>>()?;
        self.log.note(tile, &chunks).map_err(|e| cannot_write(self.placed.target(), &e))
    }
}

/// The chunks in a value of a prepared tile: first point, bytes.
fn parts(
    rank: usize,
    mut bytes: &[u8],
) -> impl Iterator<Item = Result<(Vec<u64>, &[u8]), Failure>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let mut part = || {
            let (head, rest) = bytes.split_at_checked((rank + 1) * 8)?;
            let words = head.as_chunks::<8>().0.iter().map(|w| u64::from_ne_bytes(*w));
            let mut words: Vec<u64> = words.collect();
            let (chunk, rest) = rest.split_at_checked(words.pop()?.try_into().ok()?)?;
            bytes = rest;
            Some((words, chunk))
        };
        Some(part().ok_or_else(|| Failure::internal("a prepared tile is damaged")))
    })
}

impl TileWriter for ChunkedWriter {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        let rank = self.layout.dims.len();
        let mut chunks = Vec::new();
        for (variable, column) in tile.columns.iter().enumerate() {
            if self.datasets.get(variable).is_none_or(Option::is_none) {
                continue;
            }
            let array = column.array.as_any().downcast_ref::<BinaryArray>();
            let array = array.filter(|a| a.len() == 1);
            let array = array.ok_or_else(|| Failure::internal("a tile was not prepared"))?;
            let parts = parts(rank, array.value(0));
            chunks.extend(parts.map(|part| part.map(|(origin, data)| (variable, origin, data))));
        }
        self.placed.write(tile)?;
        self.take(tile.number, chunks.into_iter())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.datasets.clear();
        match self.file.flush() {
            true => Ok(()),
            false => Err(self.full()),
        }
    }
}
