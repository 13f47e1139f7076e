//! Where the values of a variable lie, and how they are fetched without the library where it can.
use super::chunks::Chunks;
use crate::netcdf::hdf5::{H5File, Layout};
use crate::netcdf::library::{NcFile, Raw, RawVariable};
use crate::netcdf::slab;
use arrow_buffer::MutableBuffer;
use rustix::io::Errno;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// How the values of a variable are fetched.
#[derive(Debug)]
pub(super) enum Storage {
    /// In one piece from this byte on.
    Contiguous { offset: u64, swap: bool },
    /// In chunks with filters that we know.
    Chunked(Box<Chunks>),
    /// By the library, under its lock.
    Library,
}

/// A box of a variable, to be read.
pub(super) struct Wanted<'a> {
    pub(super) variable: &'a RawVariable,
    pub(super) origin: &'a [u64],
    pub(super) shape: &'a [usize],
}

impl Storage {
    /// Finds out where a variable of numbers lies; whatever is unusual is left to the library.
    pub(super) fn find(path: &Path, variable: &RawVariable) -> Storage {
        find(path, variable).unwrap_or(Storage::Library)
    }

    /// The values of a box in the machine's byte order.
    ///
    /// # Errors
    /// If the file ends too early or a chunk is damaged.
    pub(super) fn read(
        &self,
        file: &File,
        library: &NcFile,
        wanted: &Wanted,
    ) -> Result<MutableBuffer, String> {
        let (variable, width) = (wanted.variable, wanted.variable.raw.width());
        let len = wanted.shape.iter().product::<usize>() * width;
        if let Storage::Contiguous { offset, swap } = self {
            let mut out = read_runs(file, *offset, wanted, len)?;
            swap_if(*swap, &mut out, width);
            return Ok(out);
        }
        let mut out = MutableBuffer::from_len_zeroed(len);
        let found = match self {
            Storage::Chunked(chunks) => chunks.read(file, wanted, &mut out)?,
            Storage::Contiguous { .. } | Storage::Library => false,
        };
        if !found {
            // Chunks that were never written hold the fill value, which the library knows.
            library.read(variable, wanted.origin, wanted.shape, &mut out)?;
        }
        Ok(out)
    }
}

fn find(path: &Path, variable: &RawVariable) -> Option<Storage> {
    let file = H5File::open(path, false).filter(|f| !f.has_user_block())?;
    let sizes: Vec<u64> = variable.dims.iter().map(|d| d.size).collect();
    let width = variable.raw.width();
    let dataset = file.dataset(&variable.path)?;
    let (bytes, big) = dataset.value();
    // A dimension without a variable has a dataset too; so what we found must fit.
    if dataset.sizes()? != sizes || bytes != width || variable.raw == Raw::Char {
        return None;
    }
    let swap = big != cfg!(target_endian = "big") && width > 1;
    match dataset.layout(sizes.len()) {
        Layout::Contiguous { offset, bytes } => {
            let values = sizes.iter().try_fold(width as u64, |n, s| n.checked_mul(*s))?;
            (bytes == values).then_some(Storage::Contiguous { offset, swap })
        }
        Layout::Chunked(shape) => {
            let chunks = Chunks::find(dataset, &shape, width, swap)?;
            Some(Storage::Chunked(Box::new(chunks)))
        }
        Layout::Other => None,
    }
}

/// Reads the `len` bytes of a box, without writing zeros there first.
fn read_runs(
    file: &File,
    offset: u64,
    wanted: &Wanted,
    len: usize,
) -> Result<MutableBuffer, String> {
    let sizes: Vec<u64> = wanted.variable.dims.iter().map(|d| d.size).collect();
    let width = wanted.variable.raw.width();
    let mut out = MutableBuffer::with_capacity(len);
    let mut filled = 0;
    slab::runs(&sizes, wanted.origin, wanted.shape, |start, count| {
        let end = filled + count * width;
        let mut from = offset.saturating_add(start * width as u64);
        while filled < end {
            // SAFETY: `end` is at most `len`, for which there is room behind what is filled.
            let place = unsafe {
                let first = out.as_mut_ptr().add(filled).cast::<MaybeUninit<u8>>();
                std::slice::from_raw_parts_mut(first, end.min(len) - filled)
            };
            match rustix::io::pread(file, place, from) {
                Ok(([], _)) => return Err(ENDS.to_string()),
                Ok((read, _)) => {
                    filled += read.len();
                    from += read.len() as u64;
                }
                Err(Errno::INTR) => {}
                Err(e) => return Err(std::io::Error::from(e).to_string()),
            }
        }
        Ok(())
    })?;
    if filled != len {
        return Err("a box was read in part".to_string());
    }
    // SAFETY: so many bytes have been read.
    unsafe { out.set_len(len) };
    Ok(out)
}

const ENDS: &str = "the file ends before its values do";

pub(super) fn read_exact(file: &File, place: &mut [u8], offset: u64) -> Result<(), String> {
    file.read_exact_at(place, offset).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => ENDS.to_string(),
        _ => e.to_string(),
    })
}

pub(super) fn swap_if(swap: bool, bytes: &mut [u8], width: usize) {
    if swap {
        bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}
