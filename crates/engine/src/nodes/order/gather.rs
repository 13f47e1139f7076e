//! The values of rows in a new order.
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_schema::{ArrowError, DataType};
use arrow_select::concat::concat;
use arrow_select::interleave::interleave;
use arrow_select::take::take;

/// Texts of more bytes than this are not put into one array.
const TEXTS: usize = 1 << 30;

/// One column of some tiles, one tile after the other.
pub enum Gather {
    /// In one array.
    Whole(ArrayRef),
    /// As they came, and where each ends.
    Pieces(Vec<ArrayRef>, Vec<usize>),
}

impl Gather {
    /// From the column's arrays in all tiles; there is at least one.
    ///
    /// # Errors
    /// If Arrow cannot put them together.
    pub fn new(arrays: Vec<ArrayRef>) -> Result<Gather, ArrowError> {
        let bytes = || arrays.iter().map(|a| a.get_buffer_memory_size()).sum::<usize>();
        match &arrays[..] {
            [one] => Ok(Gather::Whole(one.clone())),
            [first, ..] if first.data_type() == &DataType::Utf8 && bytes() > TEXTS => {
                Ok(Gather::pieces(arrays))
            }
            _ => {
                let arrays: Vec<&dyn Array> = arrays.iter().map(|a| &**a).collect();
                Ok(Gather::Whole(concat(&arrays)?))
            }
        }
    }

    fn pieces(arrays: Vec<ArrayRef>) -> Gather {
        let ends = arrays.iter().scan(0, |end, a| {
            *end += a.len();
            Some(*end)
        });
        let ends = ends.collect();
        Gather::Pieces(arrays, ends)
    }

    /// The values of these rows.
    ///
    /// # Errors
    /// If Arrow cannot make an array of them.
    pub fn pick(&self, rows: &UInt32Array) -> Result<ArrayRef, ArrowError> {
        match self {
            Gather::Whole(array) => take(array, rows, None),
            Gather::Pieces(arrays, ends) => {
                let place = |row: &u32| {
                    let row = *row as usize;
                    let at = ends.partition_point(|end| *end <= row);
                    (at, row - at.checked_sub(1).map_or(0, |before| ends[before]))
                };
                let places: Vec<(usize, usize)> = rows.values().iter().map(place).collect();
                let arrays: Vec<&dyn Array> = arrays.iter().map(|a| &**a).collect();
                interleave(&arrays, &places)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::StringArray;
    use std::sync::Arc;

    #[test]
    fn pieces_are_as_good_as_a_whole() {
        let text = |texts: &[Option<&str>]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
        let arrays =
            vec![text(&[Some("a"), None]), text(&[]), text(&[Some("b")]), text(&[Some("")])];
        let rows = UInt32Array::from(vec![3, 0, 2, 2, 1]);
        let whole = Gather::new(arrays.clone()).unwrap().pick(&rows).unwrap();
        assert_eq!(&Gather::pieces(arrays).pick(&rows).unwrap(), &whole);
        assert_eq!(&whole, &text(&[Some(""), Some("a"), Some("b"), Some("b"), None]));
    }
}
