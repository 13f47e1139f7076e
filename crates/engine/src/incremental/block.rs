//! Columns that can be compared and put into an order: by what lies in memory.
use crate::hash;
use arrow_array::Array;
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::DataType;
use base::Tile;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// So many bytes of each buffer tell most blocks apart; the rest is looked at if they do not.
const TOLD: usize = 256;

/// Some columns of equal length. Two are equal if all that lies in memory is, as it is if they were
/// made by the same steps from equal columns.
#[derive(Debug)]
pub struct Block {
    tile: Tile,
    /// Lengths, and names of fields.
    shape: Vec<u8>,
    buffers: Vec<Buffer>,
    word: u64,
}

impl Block {
    /// Of a tile's columns, none of which is a piece of a longer one.
    pub fn new(tile: Tile) -> Block {
        let (mut shape, mut buffers) = (Vec::new(), Vec::new());
        for column in &tile.columns {
            gather(&column.array.to_data(), &mut shape, &mut buffers);
        }
        let told = |buffer: &Buffer| hash::bytes(&buffer[..buffer.len().min(TOLD)]);
        let mix = |word: u64, buffer| hash::word(word.rotate_left(5) ^ told(buffer));
        let word = buffers.iter().fold(hash::bytes(&shape), mix);
        Block { tile, shape, buffers, word }
    }

    /// The columns.
    pub fn tile(&self) -> &Tile {
        &self.tile
    }

    /// Bytes of memory.
    pub fn held(&self) -> usize {
        let columns = self.tile.columns.iter().map(|c| c.array.get_array_memory_size());
        let own = self.buffers.len() * size_of::<Buffer>() + self.shape.len() + size_of::<Block>();
        columns.sum::<usize>() + own
    }
}

/// All that tells an array from others of its type. Of a struct the names of its fields do, too:
/// not all of them are always there.
fn gather(data: &ArrayData, shape: &mut Vec<u8>, buffers: &mut Vec<Buffer>) {
    let lengths = [data.len(), data.offset(), usize::from(data.nulls().is_some())];
    shape.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
    if let DataType::Struct(fields) = data.data_type() {
        fields.iter().for_each(|field| shape.extend(field.name().bytes().chain([0])));
    }
    buffers.extend(data.nulls().map(|nulls| nulls.buffer().clone()));
    buffers.extend(data.buffers().iter().cloned());
    data.child_data().iter().for_each(|child| gather(child, shape, buffers));
}

fn bytes(block: &Block) -> impl Iterator<Item = &[u8]> {
    block.buffers.iter().map(Buffer::as_slice)
}

impl PartialEq for Block {
    fn eq(&self, other: &Block) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Block {}

impl PartialOrd for Block {
    fn partial_cmp(&self, other: &Block) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Block {
    fn cmp(&self, other: &Block) -> Ordering {
        if std::ptr::eq(self, other) {
            return Ordering::Equal;
        }
        let told = (self.word, &self.shape).cmp(&(other.word, &other.shape));
        told.then_with(|| bytes(self).cmp(bytes(other)))
    }
}

impl Hash for Block {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.word.hash(state);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::nodes::fold::rows;
    use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
    use arrow_schema::Field;
    use std::sync::Arc;

    fn block(array: impl Array + 'static) -> Block {
        Block::new(rows(vec![Arc::new(array)]))
    }

    #[test]
    fn blocks_are_told_apart_by_all_their_bits() {
        let named = |name: &str| {
            let child: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
            let field = Arc::new(Field::new(name, child.data_type().clone(), true));
            StructArray::from(vec![(field, child)])
        };
        let long = |last: i64| Int64Array::from_iter_values((0..1000).chain([last]));
        let make: [&dyn Fn() -> Block; 11] = [
            &|| block(Float64Array::from(vec![0.0, f64::NAN])),
            &|| block(Float64Array::from(vec![-0.0, f64::NAN])),
            &|| block(Float64Array::from(vec![0.0, -f64::NAN])),
            &|| block(Float64Array::from(vec![Some(0.0), None])),
            &|| block(StringArray::from(vec!["ab", "c"])),
            &|| block(StringArray::from(vec!["a", "bc"])),
            &|| block(named("a")),
            &|| block(named("b")),
            &|| block(long(1)),
            &|| block(long(2)),
            &|| block(Int64Array::from(Vec::<i64>::new())),
        ];
        for (i, a) in make.iter().enumerate() {
            for (j, b) in make.iter().enumerate() {
                assert_eq!(a() == b(), i == j, "{i} {j}");
                assert_eq!(a().cmp(&b()), b().cmp(&a()).reverse());
            }
        }
    }
}
