//! Where the values of a variable lie in a file, as its header says.
use hdf5_reader::messages::filter_pipeline::FilterDescription;
use hdf5_reader::messages::layout::ChunkIndexing;

/// The values of a variable in the file.
#[derive(Debug)]
pub(super) struct Stored {
    /// The size of each dimension that the file has room for; a dimension that grew since may be
    /// larger.
    pub(super) sizes: Vec<u64>,
    /// Bytes of one value.
    pub(super) width: usize,
    /// Whether the bytes of a value are to be reversed.
    pub(super) swap: bool,
    /// Whether a text of it stands elsewhere in the file, and a value names the place.
    pub(super) far: bool,
    /// What stands where nothing was written, in the machine's byte order; empty if that is zeros.
    pub(super) fill: Vec<u8>,
    /// What stands where the variable has not grown to; empty if that is zeros.
    pub(super) beyond: Vec<u8>,
    pub(super) place: Place,
}

/// How values lie.
#[derive(Debug)]
pub(super) enum Place {
    /// In one piece from this byte on.
    Piece(u64),
    /// In one piece for each index of the first dimension, `stride` bytes apart.
    Records { begin: u64, stride: u64 },
    /// In the header itself.
    Header(Vec<u8>),
    /// In chunks.
    Chunks(ChunkLayout),
    /// Nowhere: nothing was written.
    Nowhere,
    /// In a way that is not read, for this reason.
    Unread(String),
}

/// How chunks are found and decoded.
#[derive(Debug)]
pub(super) struct ChunkLayout {
    pub(super) shape: Vec<u64>,
    pub(super) filters: Vec<FilterDescription>,
    /// Where the index of the chunks is; nowhere if nothing was written.
    pub(super) address: Option<u64>,
    /// The kind of index; a B-tree of version 1 if there is none.
    pub(super) kind: Option<ChunkIndexing>,
    /// The most a dimension may grow to, if it may.
    pub(super) max_sizes: Option<Vec<u64>>,
}

impl Stored {
    /// Bytes of the values of a chunk, if there are chunks.
    pub(super) fn chunk_bytes(&self) -> Option<u64> {
        match &self.place {
            Place::Chunks(layout) => bytes(&layout.shape, self.width),
            _ => None,
        }
    }
}

/// Bytes of so many values.
pub(super) fn bytes(sizes: &[u64], width: usize) -> Option<u64> {
    if sizes.contains(&0) {
        return Some(0);
    }
    sizes.iter().try_fold(width as u64, |n, s| n.checked_mul(*s))
}
