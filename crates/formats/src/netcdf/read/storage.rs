//! How the values of a variable are fetched from where they lie.
use super::chunks::Chunks;
use crate::input::Input;
use crate::netcdf::file::NcFile;
use crate::netcdf::header::RawVariable;
use crate::netcdf::slab;
use crate::netcdf::stored::{Place, Stored};
use arrow_buffer::MutableBuffer;
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::ops::Range;

/// How the values of a variable are fetched.
#[derive(Debug)]
pub(super) enum Storage {
    /// As the header says.
    Simple,
    /// In chunks.
    Chunked(Box<Chunks>),
}

/// A box of a variable, to be read.
pub(super) struct Wanted<'a> {
    pub(super) variable: &'a RawVariable,
    pub(super) origin: &'a [u64],
    pub(super) shape: &'a [usize],
}

impl Storage {
    /// Finds out where the chunks of a variable are.
    ///
    /// # Errors
    /// If their index is damaged, or they are compressed in a way that is not read.
    pub(super) fn find(file: &NcFile, variable: &RawVariable) -> Result<Storage, String> {
        match &variable.stored.place {
            Place::Chunks(layout) => {
                let chunks = Chunks::of(&variable.stored, layout, file.chunks(variable)?)?;
                Ok(Storage::Chunked(Box::new(chunks)))
            }
            Place::Unread(why) => Err(why.clone()),
            _ => Ok(Storage::Simple),
        }
    }

    /// The values of a box, numbers in the machine's byte order.
    ///
    /// # Errors
    /// If the file ends too early or a chunk is damaged.
    pub(super) fn read(&self, file: &Input, wanted: &Wanted) -> Result<MutableBuffer, String> {
        let ranges = if file.is_remote() { self.ranges(wanted) } else { Vec::new() };
        let _held = file.hold(&ranges)?;
        let out = self.read_held(file, wanted);
        // What lies between small pieces is of other tiles.
        let large = ranges.into_iter().filter(|range| range.end - range.start >= LARGE);
        large.for_each(|range| file.release(range));
        out
    }

    /// Where the bytes of a box lie; those of chunks that are still known are not among them.
    pub(super) fn ranges(&self, wanted: &Wanted) -> Vec<Range<u64>> {
        let stored = &wanted.variable.stored;
        match (self, &stored.place) {
            (Storage::Chunked(chunks), _) => chunks.ranges(wanted),
            (Storage::Simple, Place::Piece(offset)) => {
                runs_of(*offset, &stored.sizes, wanted, stored.width)
            }
            (Storage::Simple, Place::Records { begin, stride }) => {
                let (Some(first), Some(count)) = (wanted.origin.first(), wanted.shape.first())
                else {
                    return Vec::new();
                };
                let record = in_record(wanted);
                let at = |i| stride.saturating_mul(i).saturating_add(*begin);
                let of = |i| runs_of(at(i), &stored.sizes[1..], &record, stored.width);
                (*first..first + *count as u64).flat_map(of).collect()
            }
            (Storage::Simple, _) => Vec::new(),
        }
    }

    fn read_held(&self, file: &Input, wanted: &Wanted) -> Result<MutableBuffer, String> {
        let stored = &wanted.variable.stored;
        let len = wanted.shape.iter().product::<usize>() * stored.width;
        let mut out = match (self, &stored.place) {
            (Storage::Chunked(chunks), _) => {
                let mut out = MutableBuffer::from_len_zeroed(len);
                chunks.read(file, wanted, &mut out)?;
                return Ok(out);
            }
            (Storage::Simple, Place::Piece(offset)) => {
                read_runs(file, *offset, &stored.sizes, wanted, len)?
            }
            (Storage::Simple, Place::Records { begin, stride }) => {
                read_records(file, (*begin, *stride), wanted, len)?
            }
            (Storage::Simple, Place::Header(bytes)) => from_header(bytes, wanted, len)?,
            (Storage::Simple, _) => return Ok(filled(stored, len)),
        };
        swap_if(stored.swap, &mut out, stored.width);
        Ok(out)
    }
}

/// Nothing was written: all is fill value.
fn filled(stored: &Stored, len: usize) -> MutableBuffer {
    let mut out = MutableBuffer::from_len_zeroed(len);
    repeat(&stored.fill, &mut out);
    out
}

/// Puts a value into all places of an array; zeros if there is none.
pub(super) fn repeat(value: &[u8], to: &mut [u8]) {
    match value {
        [] => to.fill(0),
        value => to.chunks_exact_mut(value.len()).for_each(|place| place.copy_from_slice(value)),
    }
}

fn from_header(bytes: &[u8], wanted: &Wanted, len: usize) -> Result<MutableBuffer, String> {
    let mut out = MutableBuffer::with_capacity(len);
    let width = wanted.variable.stored.width;
    slab::runs(&wanted.variable.stored.sizes, wanted.origin, wanted.shape, |start, count| {
        let start = start as usize * width;
        out.extend_from_slice(bytes.get(start..start + count * width).ok_or(ENDS)?);
        Ok::<(), String>(())
    })?;
    Ok(out)
}

/// A piece of at least so many bytes is let go of when it has been read.
const LARGE: u64 = 128 << 10;

/// Where the runs of a box lie.
fn runs_of(offset: u64, sizes: &[u64], wanted: &Wanted, width: usize) -> Vec<Range<u64>> {
    let mut out: Vec<Range<u64>> = Vec::new();
    let all = slab::runs(sizes, wanted.origin, wanted.shape, |start, count| {
        let start = offset.saturating_add(start * width as u64);
        let end = start.saturating_add((count * width) as u64);
        match out.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => out.push(start..end),
        }
        Ok::<(), std::convert::Infallible>(())
    });
    let Ok(()) = all;
    out
}

/// A box without its records.
fn in_record<'a>(wanted: &Wanted<'a>) -> Wanted<'a> {
    Wanted { variable: wanted.variable, origin: &wanted.origin[1..], shape: &wanted.shape[1..] }
}

/// Reads a box of a variable in records, one record after the other.
fn read_records(
    file: &Input,
    (begin, stride): (u64, u64),
    wanted: &Wanted,
    len: usize,
) -> Result<MutableBuffer, String> {
    let mut out = MutableBuffer::with_capacity(len);
    let (Some(first), Some(count)) = (wanted.origin.first(), wanted.shape.first()) else {
        return Err("a variable in records has no dimension".to_string());
    };
    let record = in_record(wanted);
    let sizes = &wanted.variable.stored.sizes[1..];
    for i in 0..*count as u64 {
        let at = stride.checked_mul(first + i).and_then(|n| n.checked_add(begin)).ok_or(ENDS)?;
        let values = read_runs(file, at, sizes, &record, len / count)?;
        out.extend_from_slice(&values);
    }
    Ok(out)
}

/// Reads the `len` bytes of a box, without writing zeros there first.
fn read_runs(
    file: &Input,
    offset: u64,
    sizes: &[u64],
    wanted: &Wanted,
    len: usize,
) -> Result<MutableBuffer, String> {
    let width = wanted.variable.stored.width;
    let mut out = MutableBuffer::with_capacity(len);
    let mut filled = 0;
    slab::runs(sizes, wanted.origin, wanted.shape, |start, count| {
        let end = filled + count * width;
        let mut from = offset.saturating_add(start * width as u64);
        while filled < end {
            // SAFETY: `end` is at most `len`, for which there is room behind what is filled.
            let place = unsafe {
                let first = out.as_mut_ptr().add(filled).cast::<MaybeUninit<u8>>();
                std::slice::from_raw_parts_mut(first, end.min(len) - filled)
            };
            match rustix::io::pread(file.file(), place, from) {
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

pub(super) fn read_exact(file: &Input, place: &mut [u8], offset: u64) -> Result<(), String> {
    file.read_exact(place, offset).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => ENDS.to_string(),
        _ => e.to_string(),
    })
}

pub(super) fn swap_if(swap: bool, bytes: &mut [u8], width: usize) {
    if swap {
        bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}
