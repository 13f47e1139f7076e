//! Writing values straight to the bytes where the library has made room for them.
use super::encode;
use super::layout::{Layout, Variable, short_runs};
use crate::netcdf::hdf5::{H5File, Layout as Stored};
use crate::netcdf::slab;
use crate::stage::cannot_write;
use base::{Column, Failure, Tile};
use memmap2::MmapOptions;
use rustix::fs::{FallocateFlags, fallocate, fstatfs, fstatvfs};
use rustix::io::Errno;
use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where each variable starts in the file; `None` for those in chunks.
pub(super) type Places = Vec<Option<u64>>;

/// Asks the staged file where its variables lie, and checks that they lie there in one piece.
pub(super) fn places(staged: &Path, layout: &Layout) -> Result<Places, Failure> {
    let wrong = |what: &str| Failure::output(format!("{}: {what}", staged.display()));
    let file = H5File::open(staged, false);
    let file = file.ok_or_else(|| wrong("the staged file is not there or not whole"))?;
    let len = std::fs::metadata(staged).map_err(|e| cannot_write(staged, &e))?.len();
    let place = |variable: &Variable| {
        if layout.in_chunks(variable) {
            return Ok(None);
        }
        let name = &variable.name;
        let dataset = file.dataset(&format!("/{name}"));
        let dataset = dataset.ok_or_else(|| wrong(&format!("`{name}` is not in it")))?;
        let ours = (variable.width(), cfg!(target_endian = "big") && variable.width() > 1);
        match dataset.layout(variable.dims.len()) {
            Stored::Contiguous { offset, bytes }
                if bytes == variable.bytes()
                    && dataset.value() == ours
                    && offset.checked_add(bytes).is_some_and(|end| end <= len) =>
            {
                Ok(Some(offset))
            }
            found => Err(wrong(&format!("`{name}` lies in it as {found:?}"))),
        }
    };
    layout.variables.iter().map(place).collect()
}

/// Sees to it that the disk has room for the file: takes all of it, or, in memory, only looks how
/// much is free. There to take a page costs more than to write it, so the workers do both at once;
/// files that are `mapped` need it before, since a full disk would be a signal and not an error.
///
/// # Errors
/// If there is not so much.
pub(super) fn reserve(staged: &Path, target: &Path, mapped: bool) -> Result<(), Failure> {
    let failed = |e: std::io::Error| cannot_write(target, &e);
    let file = OpenOptions::new().write(true).open(staged).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let len = metadata.len();
    let free = || fstatvfs(&file).map_or(u64::MAX, |s| s.f_bavail.saturating_mul(s.f_frsize));
    let full = if in_memory(&file) && !mapped {
        len.saturating_sub(metadata.blocks() * 512) > free()
    } else {
        // A file system that cannot reserve: a full disk shows when values are written.
        let taken = fallocate(&file, FallocateFlags::empty(), 0, len);
        matches!(taken, Err(Errno::NOSPC | Errno::DQUOT | Errno::FBIG))
    };
    if !full {
        return Ok(());
    }
    let (path, need, free) = (target.display(), size(len), size(free()));
    let message = format!("no room on the disk for {path}: it needs {need}, {free} are free");
    Err(Failure::output(message))
}

/// Bytes in words.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{bytes} bytes"),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// The staged file, open for one worker.
pub(super) struct PlacedWriter {
    target: PathBuf,
    file: File,
    layout: Arc<Layout>,
    places: Arc<Places>,
    mappable: bool,
}

impl PlacedWriter {
    pub(super) fn open(
        staged: &Path,
        target: &Path,
        layout: Arc<Layout>,
        places: Arc<Places>,
    ) -> Result<PlacedWriter, Failure> {
        let file = OpenOptions::new().read(true).write(true).open(staged);
        let file = file.map_err(|e| cannot_write(target, &e))?;
        let mappable = layout.mapped && mappable(&file);
        Ok(PlacedWriter { target: target.to_path_buf(), file, layout, places, mappable })
    }

    /// The final name, for errors.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Writes those columns of a tile that lie in one piece.
    pub(super) fn write(&self, tile: &Tile) -> Result<(), Failure> {
        let variables = self.layout.variables.iter().zip(&tile.columns);
        for ((variable, column), place) in variables.zip(self.places.iter()) {
            if let Some(place) = place
                && variable.belongs_to(tile)
            {
                self.column(variable, column, *place, tile)?;
            }
        }
        Ok(())
    }

    fn column(
        &self,
        variable: &Variable,
        column: &Column,
        place: u64,
        tile: &Tile,
    ) -> Result<(), Failure> {
        let array = encode::values(variable, tile, column)?;
        let bytes = encode::bytes(variable, &array)?;
        let (origin, shape) = (variable.origin(tile), variable.shape(tile));
        if shape.contains(&0) {
            return Ok(());
        }
        let inside = |(i, size): (usize, &u64)| origin[i] + shape[i] as u64 <= *size;
        if !variable.sizes.iter().enumerate().all(inside) {
            return Err(Failure::internal(format!("a tile of `{}` is too large", variable.name)));
        }
        let part = Part { variable, place, origin: &origin, shape: &shape };
        if self.mappable && short_runs(variable, &shape) {
            part.copy(&self.file, &bytes)
        } else {
            part.put(&self.file, &bytes)
        }
        .map_err(|e| cannot_write(&self.target, &e))
    }
}

/// The part of a variable that belongs to one tile.
struct Part<'a> {
    variable: &'a Variable,
    /// The variable's first byte in the file.
    place: u64,
    origin: &'a [u64],
    shape: &'a [usize],
}

impl Part<'_> {
    /// Calls `f(byte in the variable, bytes)` for each run.
    fn runs<E>(
        &self,
        bytes: &[u8],
        mut f: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let width = self.variable.width();
        let mut at = 0;
        slab::runs(&self.variable.sizes, self.origin, self.shape, |start, len| {
            let run = &bytes[at..at + len * width];
            at += len * width;
            f(start * width as u64, run)
        })
    }

    fn put(&self, file: &File, bytes: &[u8]) -> std::io::Result<()> {
        self.runs(bytes, |start, run| file.write_all_at(run, self.place + start))
    }

    fn copy(&self, file: &File, bytes: &[u8]) -> std::io::Result<()> {
        let (mut first, mut end) = (u64::MAX, 0);
        let Ok(()) = self.runs(bytes, |start, run| {
            first = first.min(start);
            end = end.max(start + run.len() as u64);
            Ok::<(), Infallible>(())
        });
        let len = (end - first) as usize;
        // SAFETY: the file is staged under a name of this run and nobody cuts it off; all its
        // blocks are there. Bytes of other tiles in the mapping are not touched.
        let mut map =
            unsafe { MmapOptions::new().offset(self.place + first).len(len).map_mut(file)? };
        let Ok(()) = self.runs(bytes, |start, run| {
            let at = (start - first) as usize;
            map[at..at + run.len()].copy_from_slice(run);
            Ok::<(), Infallible>(())
        });
        Ok(())
    }
}

const TMPFS: i64 = 0x0102_1994;

fn in_memory(file: &File) -> bool {
    fstatfs(file).is_ok_and(|s| { s.f_type } == TMPFS)
}

/// Whether the file may be written through a mapping: on a local file system that never moves
/// blocks, and with all blocks there, since a full disk would be a signal and not an error.
fn mappable(file: &File) -> bool {
    const EXT: i64 = 0xEF53;
    const XFS: i64 = 0x5846_5342;
    let local = fstatfs(file).is_ok_and(|s| [EXT, XFS, TMPFS].contains(&{ s.f_type }));
    let whole = file.metadata().is_ok_and(|m| m.blocks() * 512 >= m.len());
    local && whole
}
