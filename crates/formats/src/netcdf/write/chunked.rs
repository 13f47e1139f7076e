//! Chunks that the workers compress and one writer puts in place.
//!
//! A prepared tile has, for each variable in chunks, one binary value: for each chunk its first
//! point (8 bytes per dimension), its length (8 bytes), its bytes; all in the machine's order.
use super::encode;
use super::layout::{Layout, Variable};
use super::placed::PlacedWriter;
use crate::TileWriter;
use crate::netcdf::codec::{Codec, Packer};
use crate::netcdf::hdf5::{Dataset, H5File};
use crate::netcdf::slab::{self, Part};
use arrow_array::{Array, BinaryArray};
use arrow_buffer::OffsetBuffer;
use base::{Column, DimMask, Failure, Tile};
use std::path::{Path, PathBuf};
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
    target: PathBuf,
    layout: Arc<Layout>,
    /// The variables in chunks; `None` for the others.
    datasets: Vec<Option<Dataset>>,
    file: Arc<H5File>,
    placed: PlacedWriter,
}

impl ChunkedWriter {
    pub(super) fn open(
        staged: &Path,
        target: &Path,
        layout: Arc<Layout>,
        placed: PlacedWriter,
    ) -> Result<ChunkedWriter, Failure> {
        let wrong = |what: &str| Failure::output(format!("{}: {what}", staged.display()));
        let file = H5File::open(staged, true).ok_or_else(|| wrong("it cannot be opened"))?;
        let dataset = |variable: &Variable| match layout.in_chunks(variable) {
            false => Ok(None),
            true => match file.dataset(&format!("/{}", variable.name)) {
                None => Err(wrong(&format!("`{}` is not in it", variable.name))),
                found => Ok(found),
            },
        };
        let datasets: Result<Vec<_>, Failure> = layout.variables.iter().map(dataset).collect();
        let (datasets, target) = (datasets?, target.to_path_buf());
        Ok(ChunkedWriter { target, layout, datasets, file, placed })
    }

    fn full(&self) -> Failure {
        Failure::output(format!("cannot write {}: the disk may be full", self.target.display()))
    }

    fn put(&self, dataset: &Dataset, rank: usize, mut chunks: &[u8]) -> Result<(), Failure> {
        let damaged = || Failure::internal("a prepared tile is damaged");
        while !chunks.is_empty() {
            let head = chunks.split_at_checked((rank + 1) * 8).ok_or_else(damaged)?;
            let words = head.0.as_chunks::<8>().0;
            let mut words: Vec<u64> = words.iter().map(|w| u64::from_ne_bytes(*w)).collect();
            let len = words.pop().and_then(|n| usize::try_from(n).ok()).ok_or_else(damaged)?;
            let (chunk, rest) = head.1.split_at_checked(len).ok_or_else(damaged)?;
            if !dataset.write_chunk(&words, chunk) {
                return Err(self.full());
            }
            chunks = rest;
        }
        Ok(())
    }
}

impl TileWriter for ChunkedWriter {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        for (dataset, column) in self.datasets.iter().zip(&tile.columns) {
            let Some(dataset) = dataset else { continue };
            let array = column.array.as_any().downcast_ref::<BinaryArray>();
            let array = array.filter(|a| a.len() == 1);
            let array = array.ok_or_else(|| Failure::internal("a tile was not prepared"))?;
            self.put(dataset, self.layout.dims.len(), array.value(0))?;
        }
        self.placed.write(tile)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.datasets.clear();
        match self.file.flush() {
            true => Ok(()),
            false => Err(self.full()),
        }
    }
}
