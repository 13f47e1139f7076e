//! What came of some rows, together.
use super::alone::Shown;
use arrow_array::{ArrayRef, new_empty_array, new_null_array};
use arrow_select::concat::concat;
use base::{Failure, Field};
use tasks::{Answer, Made};

/// What came of the rows so far.
pub struct Answers<'a> {
    fields: &'a [Field],
    one: bool,
    /// For each column its pieces.
    columns: Vec<Vec<ArrayRef>>,
    repeats: Vec<u32>,
    errors: Vec<Option<String>>,
    made: Vec<Made>,
}

impl Answers<'_> {
    /// Of rows that get these columns, `one` value of each or rows of their own.
    pub fn new(fields: &[Field], one: bool) -> Answers<'_> {
        let columns = fields.iter().map(|_| Vec::new()).collect();
        let (repeats, errors, made) = (Vec::new(), Vec::new(), Vec::new());
        Answers { fields, one, columns, repeats, errors, made }
    }

    /// What came of a row.
    ///
    /// # Errors
    /// If that is something else than the plan says.
    pub fn row(&mut self, shown: Shown, made: Vec<Made>) -> Result<(), Failure> {
        let mut count = usize::from(self.one);
        let mut all: Vec<Vec<ArrayRef>> = Vec::with_capacity(self.fields.len());
        for field in self.fields {
            let found =
                shown.iter().find_map(|(schema, rows)| Some((schema.position(&field.name)?, rows)));
            let lost = || Failure::internal(format!("the row made no column `{}`", field.name));
            let (at, rows) = found.ok_or_else(lost)?;
            let pieces: Vec<ArrayRef> = rows.iter().map(|batch| batch.column(at).clone()).collect();
            let rows: usize = pieces.iter().map(|piece| piece.len()).sum();
            if pieces.iter().any(|piece| *piece.data_type() != field.dtype.arrow()) {
                return Err(lost());
            }
            if self.one && rows != 1 {
                return Err(Failure::internal(format!("a row made {rows} values, not one")));
            }
            count = rows;
            all.push(pieces);
        }
        self.columns.iter_mut().zip(all).for_each(|(column, pieces)| column.extend(pieces));
        self.ended(count, None);
        self.made.extend(made);
        Ok(())
    }

    /// A row failed, for this reason.
    pub fn failed(&mut self, why: String) {
        for (column, field) in self.columns.iter_mut().zip(self.fields) {
            column.push(new_null_array(&field.dtype.arrow(), 1));
        }
        self.ended(1, Some(why));
    }

    fn ended(&mut self, rows: usize, error: Option<String>) {
        self.repeats.push(rows as u32);
        self.errors.push(error);
    }

    /// All of them.
    pub fn answer(self) -> Answer {
        let column = |(pieces, field): (&Vec<ArrayRef>, &Field)| {
            let pieces: Vec<&dyn arrow_array::Array> = pieces.iter().map(|p| &**p).collect();
            // Their types were looked at.
            concat(&pieces).unwrap_or_else(|_| new_empty_array(&field.dtype.arrow()))
        };
        let none = self.errors.iter().all(Option::is_none);
        Answer {
            columns: self.columns.iter().zip(self.fields).map(column).collect(),
            repeats: (!self.one).then_some(self.repeats),
            errors: if none { Vec::new() } else { self.errors },
            made: self.made,
        }
    }
}
