//! Texts with values of a row in them.
use crate::format::Format;
use crate::work::Rows;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// The same for all rows.
    Text(String),
    /// The value of a column of the batch.
    Column {
        /// Its position in the batch.
        at: usize,
        /// How it is written.
        format: Format,
    },
}

/// A text with values of a row in it. The plan has made a column of each expression in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template(pub Vec<Piece>);

impl Template {
    /// A text that is the same for all rows.
    pub fn text(text: impl Into<String>) -> Template {
        Template(vec![Piece::Text(text.into())])
    }

    /// The text, if it is the same for all rows.
    pub fn constant(&self) -> Option<&str> {
        match &self.0[..] {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text for row `row` of the batch of these rows.
    ///
    /// # Errors
    /// If a value is missing, or a format does not fit it: a sentence.
    pub fn render(&self, rows: &Rows, row: usize) -> Result<String, String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Column { at, format } => {
                    format.write(rows.batch.column(*at), row, &mut out)?
                }
            }
        }
        Ok(out)
    }
}
