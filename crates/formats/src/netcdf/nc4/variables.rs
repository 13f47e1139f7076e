//! The variables of NetCDF-4 files: what their headers say, and where their values lie.
use super::{Nc4, Node, attributes, leaf, text, types};
use crate::netcdf::header::{Raw, RawVariable};
use crate::netcdf::stored::{ChunkLayout, Place, Stored, bytes};
use hdf5_reader::messages::HdfMessage;
use hdf5_reader::messages::fill_value::{FillTime, FillValueMessage};
use hdf5_reader::messages::filter_pipeline::FilterDescription;
use hdf5_reader::messages::layout::DataLayout;
use hdf5_reader::{ByteOrder, Dataset};
use std::sync::Arc;

/// Before the name of a variable that is called as a dimension, but does not vary along it.
const NO_COORDINATE: &str = "_nc4_non_coord_";

/// The messages of a dataset's header.
#[derive(Default)]
struct Messages {
    layout: Option<DataLayout>,
    fill: Option<FillValueMessage>,
    filters: Vec<FilterDescription>,
    external: bool,
    empty: bool,
}

impl Nc4 {
    pub(super) fn variable(
        &self,
        node: &Node,
        group: usize,
        dataset: &Dataset,
    ) -> Result<RawVariable, String> {
        let messages = self.messages(dataset)?;
        let dims = self.scales.dims(group, dataset)?;
        let raw = || dataset.raw_attributes();
        let attributes = attributes::of(&dataset.attributes(), &raw, &node.group)?;
        let stored = self.stored(dataset, &messages)?;
        let name = leaf(dataset.name());
        let chunks = match &stored.place {
            Place::Chunks(layout) if !dims.is_empty() => Some(layout.shape.clone()),
            _ => None,
        };
        let filled = messages.fill.is_some_and(|fill| is_filled(&fill));
        let raw = if messages.empty { Raw::Other } else { types::raw(dataset.dtype()) };
        let other =
            || if messages.empty { "empty".into() } else { types::describe(dataset.dtype()) };
        Ok(RawVariable {
            name: name.strip_prefix(NO_COORDINATE).unwrap_or(name).to_string(),
            raw,
            kind: (raw == Raw::Other).then(other),
            dims,
            attributes,
            chunks,
            filled,
            stored: Arc::new(stored),
        })
    }

    fn messages(&self, dataset: &Dataset) -> Result<Messages, String> {
        use hdf5_reader::messages::dataspace::DataspaceType;
        let header = self.file.get_or_parse_header(dataset.address()).map_err(text)?;
        let mut found = Messages::default();
        for message in &header.messages {
            match message {
                HdfMessage::DataLayout(layout) => found.layout = Some(layout.layout.clone()),
                HdfMessage::FilterPipeline(pipeline) => found.filters = pipeline.filters.clone(),
                HdfMessage::ExternalFiles(_) => found.external = true,
                HdfMessage::Dataspace(space) => {
                    found.empty = space.dataspace_type == DataspaceType::Null;
                }
                // The old message and the new one say the same, if both are there.
                HdfMessage::FillValue(fill) if fill.value.is_some() || found.fill.is_none() => {
                    found.fill = Some(fill.clone());
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn stored(&self, dataset: &Dataset, messages: &Messages) -> Result<Stored, String> {
        let kind = dataset.dtype();
        let far = types::is_far(kind);
        let width = types::width(kind, self.file.superblock().offset_size).unwrap_or(0);
        // Letters have no order.
        let big = types::order(kind) == ByteOrder::BigEndian;
        let swap = big != cfg!(target_endian = "big") && types::raw(kind).width() > 1;
        let fill = messages.fill.as_ref().and_then(|f| f.value.clone());
        let mut fill = fill.filter(|f| f.len() == width && !far).unwrap_or_default();
        if swap {
            fill.reverse();
        }
        let beyond = if fill.is_empty() { types::raw(kind).default_fill() } else { fill.clone() };
        let place = match width {
            0 => Place::Unread("it is of a type that is not read".to_string()),
            _ => self.place(dataset, messages, width)?,
        };
        let sizes = dataset.shape().to_vec();
        Ok(Stored { sizes, width, swap, far, fill, beyond, place })
    }

    fn place(&self, dataset: &Dataset, messages: &Messages, width: usize) -> Result<Place, String> {
        let sizes = dataset.shape();
        let all = bytes(sizes, width).ok_or("it is larger than any file")?;
        let unset = match self.file.superblock().offset_size {
            8 => u64::MAX,
            size => (1 << (8 * u32::from(size))) - 1,
        };
        if messages.external {
            return Ok(Place::Unread("its values are in another file".to_string()));
        }
        match messages.layout.as_ref().ok_or("its header does not say where its values are")? {
            DataLayout::Compact { data } if data.len() as u64 >= all => {
                Ok(Place::Header(data.clone()))
            }
            DataLayout::Compact { .. } => Err("its values are cut off".to_string()),
            DataLayout::Contiguous { address, .. } if *address == unset => Ok(Place::Nowhere),
            DataLayout::Contiguous { address, size } => {
                let begin = address.checked_add(self.base);
                let begin = begin.filter(|b| b.checked_add(all).is_some_and(|e| e <= self.len));
                let begin = begin.ok_or("its values lie behind the end of the file")?;
                match *size == 0 || *size >= all {
                    true => Ok(Place::Piece(begin)),
                    false => Err("its values are cut off".to_string()),
                }
            }
            DataLayout::Chunked { address, dims, chunk_indexing, .. } => {
                let rank = sizes.len();
                let shape: Vec<u64> = dims.iter().take(rank).map(|n| u64::from(*n)).collect();
                let whole = shape.len() == rank && !shape.contains(&0);
                let chunk = bytes(&shape, width).filter(|n| *n < 1 << 32 && whole);
                chunk.ok_or("the shape of its chunks is damaged")?;
                Ok(Place::Chunks(ChunkLayout {
                    shape,
                    filters: messages.filters.clone(),
                    address: Some(*address).filter(|a| *a != unset),
                    kind: chunk_indexing.clone(),
                    max_sizes: dataset.max_dims().map(<[u64]>::to_vec),
                }))
            }
        }
    }
}

/// Whether cells that were never written have a value that somebody has set: HDF5's own zeros are
/// values like any other. The parser takes the fill times of the format (0 on allocation, 1 never,
/// 2 if set; HDF5 file format specification, IV.A.2.f) for others: what it calls `Always` is never.
fn is_filled(fill: &FillValueMessage) -> bool {
    fill.defined && fill.value.is_some() && fill.fill_time != FillTime::Always
}
