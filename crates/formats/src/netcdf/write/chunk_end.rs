//! The index of a compressed file: prepared when the file is made, written when all chunks are there.
//!
//! The library makes the root of each variable's index, for a chunk of a few bytes that nobody reads;
//! at the end the whole index takes its place, and the library is asked whether it finds each chunk
//! where it lies. If not (another version may keep other indices), it is handed all chunks.
use super::chunk_index::{Index, find};
use super::chunk_log::{self, Chunk, Space};
use super::layout::Layout;
use super::placed;
use super::sink::begin;
use crate::netcdf::hdf5::{Dataset, H5File};
use crate::stage::cannot_write;
use base::Failure;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What stands for a chunk until all are there.
const SEED: &[u8] = b"a chunk.";

/// Bytes that are copied at a time.
const BLOCK: u64 = 1 << 20;

/// Defines a compressed file in an empty staged folder, with room for its chunks.
pub(super) fn prepare(folder: &Path, target: &Path, layout: &Layout) -> Result<(), Failure> {
    let failed = |e: io::Error| cannot_write(target, &e);
    let data = chunk_log::data(folder);
    begin(&data, target, layout)?;
    let rank = layout.dims.len();
    let mut seeds = Vec::new();
    {
        let file = open(&data, true)?;
        for (variable, dataset) in datasets(&file, layout)? {
            let origin = vec![0; rank];
            let place = dataset.write_chunk(&origin, SEED).then(|| dataset.chunk_place(&origin));
            seeds.push((variable, place.flatten()));
        }
    }
    let file = File::open(&data).map_err(failed)?;
    let mut roots = vec![None; layout.variables.len()];
    for (variable, place) in seeds {
        if let Some((at, len)) = place {
            roots[variable] = find(&file, rank, at, len as u32).map_err(failed)?;
        }
    }
    let end = file.metadata().map_err(failed)?.len();
    Space::create(folder, end, &roots).map_err(failed)
}

/// Makes the file whole; which file of the folder it is.
pub(super) fn finish(
    folder: &Path,
    target: &Path,
    layout: &Layout,
    shape: &[u64],
) -> Result<PathBuf, Failure> {
    let failed = |e: io::Error| cannot_write(target, &e);
    let tiles = chunk_log::read(folder, layout.dims.len()).map_err(failed)?;
    let mut chunks: Vec<Vec<&Chunk>> = vec![Vec::new(); layout.variables.len()];
    for chunk in tiles.values().flatten() {
        let list = chunks.get_mut(chunk.variable);
        list.ok_or_else(|| Failure::internal("a chunk of no variable"))?.push(chunk);
    }
    let expected: u64 =
        layout.dims.iter().zip(shape).map(|((_, n), s)| n.unwrap_or(0).div_ceil(*s)).product();
    for (variable, chunks) in layout.variables.iter().zip(&mut chunks) {
        chunks.sort_unstable_by(|a, b| a.origin.cmp(&b.origin));
        chunks.dedup_by(|a, b| a.origin == b.origin);
        if layout.in_chunks(variable) && chunks.len() as u64 != expected {
            let (name, found) = (&variable.name, chunks.len());
            return Err(Failure::internal(format!("`{name}` has {found} of {expected} chunks")));
        }
    }
    let end = chunks.iter().flatten().map(|chunk| chunk.offset.saturating_add(chunk.bytes)).max();
    let data = chunk_log::data(folder);
    if data.metadata().map_err(failed)?.len() < end.unwrap_or(0) {
        let (target, data) = (target.display(), data.display());
        let message =
            format!("cannot write {target}: {data} is shorter than it was written: run again");
        return Err(Failure::output(message));
    }
    let indexed = index(folder, layout, shape, &chunks).map_err(failed)?;
    match indexed && is_right(folder, layout, &chunks)? {
        true => Ok(chunk_log::data(folder)),
        false => copy(folder, target, layout, &chunks),
    }
}

fn open(path: &Path, write: bool) -> Result<Arc<H5File>, Failure> {
    H5File::open(path, write)
        .ok_or_else(|| Failure::output(format!("{}: it cannot be opened", path.display())))
}

/// The variables in chunks.
fn datasets(file: &Arc<H5File>, layout: &Layout) -> Result<Vec<(usize, Dataset)>, Failure> {
    let all = layout.variables.iter().enumerate().filter(|(_, v)| layout.in_chunks(v));
    all.map(|(i, variable)| {
        let dataset = file.dataset(&format!("/{}", variable.name));
        let missing = || Failure::output(format!("the staged file has no `{}`", variable.name));
        Ok((i, dataset.ok_or_else(missing)?))
    })
    .collect()
}

/// Writes the index of each variable; false if one has no root.
fn index(
    folder: &Path,
    layout: &Layout,
    shape: &[u64],
    chunks: &[Vec<&Chunk>],
) -> io::Result<bool> {
    let space = Space::open(folder)?;
    let roots = space.roots(layout.variables.len())?;
    let data = chunk_log::data(folder);
    {
        let file = OpenOptions::new().write(true).open(&data)?;
        for ((variable, chunks), root) in layout.variables.iter().zip(chunks).zip(roots) {
            if !layout.in_chunks(variable) {
                continue;
            }
            let Some(root) = root else { return Ok(false) };
            let at = space.take(0)?;
            let index = Index::of(chunks, shape, variable.width(), at);
            space.take(index.nodes.len() as u64)?;
            file.write_all_at(&index.nodes, at)?;
            file.write_all_at(&index.root, root)?;
        }
        // A writer may have been killed after it had taken room and before it wrote there.
        let end = space.take(0)?;
        if file.metadata()?.len() < end {
            file.set_len(end)?;
        }
    }
    Ok(H5File::open(&data, true).is_some_and(|file| file.take_all()))
}

/// Whether the library finds each chunk, and no others.
fn is_right(folder: &Path, layout: &Layout, chunks: &[Vec<&Chunk>]) -> Result<bool, Failure> {
    let Some(file) = H5File::open(&chunk_log::data(folder), false) else { return Ok(false) };
    let right = |(variable, dataset): &(usize, Dataset)| {
        let chunks = &chunks[*variable];
        let found = |c: &&Chunk| dataset.chunk_place(&c.origin) == Some((c.offset, c.bytes));
        dataset.chunk_count() == Some(chunks.len() as u64) && chunks.iter().all(found)
    };
    Ok(datasets(&file, layout)?.iter().all(right))
}

/// Lets the library put all chunks into a new file, beside the one that the logs tell of.
fn copy(
    folder: &Path,
    target: &Path,
    layout: &Layout,
    chunks: &[Vec<&Chunk>],
) -> Result<PathBuf, Failure> {
    let failed = |e: io::Error| cannot_write(target, &e);
    let (data, new) = (chunk_log::data(folder), chunk_log::copy(folder));
    let from = placed::places(&data, layout)?;
    let to = begin(&new, target, layout)?;
    let old = File::open(&data).map_err(failed)?;
    {
        let new = OpenOptions::new().write(true).open(&new).map_err(failed)?;
        for ((variable, from), to) in layout.variables.iter().zip(from).zip(to) {
            let (Some(from), Some(to)) = (from, to) else { continue };
            for start in (0..variable.bytes()).step_by(BLOCK as usize) {
                let block = read(&old, from + start, BLOCK.min(variable.bytes() - start));
                block.and_then(|b| new.write_all_at(&b, to + start)).map_err(failed)?;
            }
        }
    }
    {
        let file = open(&new, true)?;
        let full =
            || Failure::output(format!("cannot write {}: the disk may be full", target.display()));
        for (variable, dataset) in datasets(&file, layout)? {
            for chunk in &chunks[variable] {
                let bytes = read(&old, chunk.offset, chunk.bytes).map_err(failed)?;
                dataset.write_chunk(&chunk.origin, &bytes).then_some(()).ok_or_else(full)?;
            }
        }
        file.flush().then_some(()).ok_or_else(full)?;
    }
    Ok(new)
}

fn read(file: &File, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}
