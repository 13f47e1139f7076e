//! Chunks that each worker compresses and writes behind what is in the file already. Only when all
//! are there are they entered into the file's index (`chunk_end`).
use super::chunk_log::{self, Chunk, ChunkLog, Space};
use super::encode;
use super::layout::{Layout, Variable};
use super::placed::PlacedWriter;
use crate::TileWriter;
use crate::netcdf::codec::{Codec, Packer};
use crate::netcdf::slab::{self, Part};
use crate::stage::cannot_write;
use base::{Column, Failure, Tile};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// The chunks of a tile, one behind the other.
#[derive(Default)]
struct Packed {
    /// Places are from the first byte on.
    chunks: Vec<Chunk>,
    bytes: Vec<u8>,
}

impl Packed {
    /// Adds the chunks of one variable.
    fn add(
        &mut self,
        (number, variable): (usize, &Variable),
        chunk: &[usize],
        codec: Codec,
        tile: &Tile,
        column: &Column,
    ) -> Result<(), Failure> {
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
        let mut values = Vec::new();
        let counts: Vec<usize> =
            tile.shape.iter().zip(chunk).map(|(s, c)| s.div_ceil(*c)).collect();
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
                self.chunks.push(Chunk {
                    variable: number,
                    origin: tile.origin.iter().zip(&start).map(|(o, s)| o + *s as u64).collect(),
                    offset: self.bytes.len() as u64,
                    bytes: packed.len() as u64,
                });
                self.bytes.extend_from_slice(packed);
                Ok(())
            })
        })
        .map_err(Failure::internal)
    }
}

/// The part of one worker in a compressed file.
pub(super) struct ChunkedWriter {
    layout: Arc<Layout>,
    shape: Vec<usize>,
    codec: Codec,
    file: File,
    space: Space,
    log: ChunkLog,
    placed: PlacedWriter,
    packed: Packed,
}

impl ChunkedWriter {
    /// In a staged folder, for chunks of this shape.
    pub(super) fn open(
        folder: &Path,
        layout: Arc<Layout>,
        (shape, codec): (&[u64], Codec),
        placed: PlacedWriter,
    ) -> Result<ChunkedWriter, Failure> {
        let opened = || {
            let file = OpenOptions::new().write(true).open(chunk_log::data(folder))?;
            Ok((file, Space::open(folder)?, ChunkLog::create(folder)?))
        };
        let failed = |e: io::Error| cannot_write(placed.target(), &e);
        let (file, space, log) = opened().map_err(failed)?;
        let (shape, packed) = (shape.iter().map(|n| *n as usize).collect(), Packed::default());
        Ok(ChunkedWriter { layout, shape, codec, file, space, log, placed, packed })
    }

    /// Writes what is packed and notes where it lies.
    fn put(&mut self, tile: u64) -> io::Result<()> {
        let Packed { chunks, bytes } = &mut self.packed;
        let start = self.space.take(bytes.len() as u64)?;
        self.file.write_all_at(bytes, start)?;
        chunks.iter_mut().for_each(|chunk| chunk.offset += start);
        self.log.note(tile, chunks)
    }
}

impl TileWriter for ChunkedWriter {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        self.packed.chunks.clear();
        self.packed.bytes.clear();
        let layout = self.layout.clone();
        for (variable, column) in layout.variables.iter().enumerate().zip(&tile.columns) {
            if layout.in_chunks(variable.1) {
                self.packed.add(variable, &self.shape, self.codec, tile, column)?;
            }
        }
        self.placed.write(tile)?;
        self.put(tile.number).map_err(|e| cannot_write(self.placed.target(), &e))
    }

    fn finish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}
