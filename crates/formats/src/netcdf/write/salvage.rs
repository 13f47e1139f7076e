//! Going on with a compressed file after a kill: what it holds of chunks is taken into a new one.
use super::chunk_log::{self, Chunk, ChunkLog, Told};
use super::chunked::ChunkedWriter;
use super::layout::Layout;
use super::placed::{PlacedWriter, Places};
use super::sink::begin;
use crate::TileWriter;
use crate::stage::cannot_write;
use base::Failure;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Bytes that are copied at a time.
const BLOCK: u64 = 1 << 20;

/// Takes the chunks of the tiles that are `written` into a new data file of the staged folder, which
/// then counts instead of the one before. False if they are not all there.
///
/// # Errors
/// If the place cannot be written.
pub(super) fn salvage(
    folder: &Path,
    target: &Path,
    layout: &Arc<Layout>,
    written: &BTreeSet<u64>,
) -> Result<bool, Failure> {
    let failed = |e: io::Error| cannot_write(target, &e);
    let Some(told) = chunk_log::read(folder, layout.dims.len()) else { return Ok(false) };
    let path = chunk_log::data(folder, told.number);
    let (Ok(old), true) = (File::open(&path), fits(&told, layout, written)) else {
        return Ok(false);
    };
    let number = told.number + 1;
    let next = chunk_log::data(folder, number);
    let places = begin(&next, target, layout)?;
    let log = ChunkLog::create(folder, number, &places).map_err(failed)?;
    let copied = copy_placed((&old, &told.places), (&next, &places), layout);
    let placed = PlacedWriter::open(&next, target, layout.clone(), Arc::new(places))?;
    let mut writer = ChunkedWriter::open(&next, placed, layout.clone(), log)?;
    let mut whole = copied.map_err(failed)?;
    for (tile, chunks) in told.tiles.iter().filter(|(tile, _)| written.contains(tile)) {
        let Ok(data) = chunks.iter().map(|c| bytes(&old, c)).collect::<io::Result<Vec<_>>>() else {
            whole = false;
            break;
        };
        let chunks = chunks.iter().zip(&data);
        writer
            .take(*tile, chunks.map(|(c, data)| Ok((c.variable, c.origin.clone(), &data[..]))))?;
    }
    writer.finish()?;
    drop(writer);
    if whole {
        chunk_log::name(folder).map_err(failed)?;
        fs::remove_file(&path).map_err(failed)?;
    }
    Ok(whole)
}

/// Whether what is told is of such a file, with all these tiles.
fn fits(told: &Told, layout: &Layout, written: &BTreeSet<u64>) -> bool {
    let in_chunks =
        |c: &Chunk| layout.variables.get(c.variable).is_some_and(|v| layout.in_chunks(v));
    let tile = |tile| told.tiles.get(tile).is_some_and(|chunks| chunks.iter().all(in_chunks));
    told.places.len() == layout.variables.len() && written.iter().all(tile)
}

fn bytes(file: &File, chunk: &Chunk) -> io::Result<Vec<u8>> {
    let end = chunk.offset.checked_add(chunk.bytes);
    if end.is_none_or(|end| file.metadata().is_ok_and(|m| m.len() < end)) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut bytes = vec![0; chunk.bytes as usize];
    file.read_exact_at(&mut bytes, chunk.offset)?;
    Ok(bytes)
}

/// Copies the variables that lie in one piece; false if the old file does not hold them.
fn copy_placed(
    (old, from): (&File, &Places),
    (new, to): (&Path, &Places),
    layout: &Layout,
) -> io::Result<bool> {
    let new = OpenOptions::new().write(true).open(new)?;
    let mut block = Vec::new();
    for ((variable, from), to) in layout.variables.iter().zip(from).zip(to) {
        let (Some(from), Some(to)) = (from, to) else {
            if from != to {
                return Ok(false);
            }
            continue;
        };
        for start in (0..variable.bytes()).step_by(BLOCK as usize) {
            block.resize(BLOCK.min(variable.bytes() - start) as usize, 0);
            if old.read_exact_at(&mut block, from + start).is_err() {
                return Ok(false);
            }
            new.write_all_at(&block, to + start)?;
        }
    }
    Ok(true)
}
