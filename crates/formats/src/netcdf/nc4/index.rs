//! Where the chunks of a variable lie, by all kinds of indices that HDF5 has.
use super::{text, tree};
use crate::input::Input;
use crate::netcdf::stored::{Place, Stored, bytes};
use hdf5_reader::Hdf5File;
use hdf5_reader::chunk_index::{
    ChunkEntry, collect_implicit_chunk_entries, collect_v2_chunk_entries_storage,
};
use hdf5_reader::extensible_array::collect_extensible_array_chunk_entries_storage;
use hdf5_reader::fixed_array::collect_fixed_array_chunk_entries_storage;
use hdf5_reader::messages::layout::ChunkIndexing;

/// Where a chunk lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::netcdf) struct ChunkPlace {
    /// Its number among the chunks of the variable, in row-major order.
    pub(in crate::netcdf) number: u64,
    pub(in crate::netcdf) offset: u64,
    pub(in crate::netcdf) bytes: u64,
    /// Filters that were left out, bit by bit.
    pub(in crate::netcdf) mask: u32,
}

/// What all sentences on a damaged index begin with.
pub(super) const DAMAGED: &str = "the index of its chunks is damaged";

/// The chunks of a variable, ascending by their numbers.
pub(super) fn places(
    file: &Hdf5File,
    input: &Input,
    stored: &Stored,
    base: u64,
) -> Result<Vec<ChunkPlace>, String> {
    let len = input.len();
    let Place::Chunks(layout) = &stored.place else { return Ok(Vec::new()) };
    let whole = bytes(&layout.shape, stored.width).ok_or(DAMAGED)?;
    let entries = entries(file, (input, base), stored)?;
    let counts = counts(&stored.sizes, &layout.shape);
    let mut places = Vec::with_capacity(entries.len());
    for entry in entries {
        let number = number(&entry.offsets, &layout.shape, &counts)?;
        let size = if layout.filters.is_empty() { whole } else { entry.size };
        let offset = entry
            .address
            .checked_add(base)
            .filter(|o| o.checked_add(size).is_some_and(|end| end <= len));
        let offset = offset.ok_or(format!("{DAMAGED}: a chunk lies behind the end of the file"))?;
        if layout.filters.is_empty() && ![0, whole].contains(&entry.size) {
            return Err(format!("{DAMAGED}: a chunk claims {} bytes", entry.size));
        }
        places.push(ChunkPlace { number, offset, bytes: size, mask: entry.filter_mask });
    }
    places.sort_unstable_by_key(|p| p.number);
    if places.windows(2).any(|p| p[0].number == p[1].number) {
        return Err(format!("{DAMAGED}: a chunk is there twice"));
    }
    apart(&places)?;
    Ok(places)
}

/// No two chunks can have a byte in common.
fn apart(places: &[ChunkPlace]) -> Result<(), String> {
    let mut by_offset: Vec<(u64, u64)> = places.iter().map(|p| (p.offset, p.bytes)).collect();
    by_offset.sort_unstable();
    match by_offset.windows(2).any(|p| p[0].0 + p[0].1 > p[1].0) {
        true => Err(format!("{DAMAGED}: two chunks lie in one place")),
        false => Ok(()),
    }
}

/// How many chunks there are along each dimension.
pub(in crate::netcdf) fn counts(sizes: &[u64], shape: &[u64]) -> Vec<u64> {
    sizes.iter().zip(shape).map(|(size, chunk)| size.div_ceil(*chunk)).collect()
}

fn number(origin: &[u64], shape: &[u64], counts: &[u64]) -> Result<u64, String> {
    let outside = || format!("{DAMAGED}: a chunk lies outside of the variable");
    let mut number = 0u64;
    for (i, chunk) in shape.iter().enumerate() {
        let at = origin.get(i).ok_or_else(outside)?;
        if at % chunk != 0 || at / chunk >= counts[i] {
            return Err(outside());
        }
        number = number.checked_mul(counts[i]).ok_or_else(outside)? + at / chunk;
    }
    Ok(number)
}

fn entries(
    file: &Hdf5File,
    input: (&Input, u64),
    stored: &Stored,
) -> Result<Vec<ChunkEntry>, String> {
    let Place::Chunks(layout) = &stored.place else { return Ok(Vec::new()) };
    let Some(address) = layout.address else { return Ok(Vec::new()) };
    let sizes = &stored.sizes[..];
    let (storage, block) = (file.storage(), file.superblock());
    let (offset, length) = (block.offset_size, block.length_size);
    let shape: Vec<u32> = layout.shape.iter().map(|n| *n as u32).collect();
    let max = layout.max_sizes.as_deref();
    let found = match &layout.kind {
        None => return tree::chunks((storage, input), address, offset, &layout.shape, sizes),
        Some(ChunkIndexing::SingleChunk { filtered_size, filters }) => Ok(vec![ChunkEntry {
            address,
            size: *filtered_size,
            filter_mask: *filters,
            offsets: vec![0; sizes.len()],
        }]),
        Some(ChunkIndexing::Implicit) => collect_implicit_chunk_entries(
            address,
            sizes,
            &shape,
            stored.width,
            None,
            storage.len(),
        ),
        Some(ChunkIndexing::FixedArray { .. }) => collect_fixed_array_chunk_entries_storage(
            storage, address, offset, length, sizes, &shape, None,
        ),
        Some(ChunkIndexing::ExtensibleArray { .. }) => {
            collect_extensible_array_chunk_entries_storage(
                storage, address, offset, length, sizes, max, &shape, None,
            )
        }
        Some(ChunkIndexing::BTreeV2) => collect_v2_chunk_entries_storage(
            storage,
            address,
            offset,
            length,
            sizes.len() as u32,
            &shape,
            None,
        ),
    };
    found.map_err(|e| format!("{DAMAGED}: {}", text(e)))
}
