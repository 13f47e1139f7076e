//! Rows that a table has lost and gained.
use super::codec::Codec;
use arrow_array::RecordBatch;
use base::{Failure, Schema};
use std::collections::HashMap;

/// The rows of a table, to be compared with those that it has later.
#[derive(Default)]
pub struct Rows(Vec<Vec<u8>>);

/// What has become of a table.
pub struct Change {
    /// Rows that are there no longer.
    pub lost: Option<RecordBatch>,
    /// Rows that are new.
    pub gained: Option<RecordBatch>,
}

impl Rows {
    /// Of a table; rows are equal if all their bits are.
    ///
    /// # Errors
    /// Never, for the types that columns have.
    pub fn of(schema: &Schema, batches: &[RecordBatch]) -> Result<Rows, Failure> {
        let codec = Codec::new(&schema.fields)?;
        let rows = batches.iter().map(|b| codec.encode(b.columns(), b.num_rows()));
        Ok(Rows(rows.collect::<Result<Vec<_>, _>>()?.concat()))
    }

    /// For another process: what [`Rows::decode`] makes the same rows of, hexadecimal digits with a
    /// full stop behind each row.
    pub fn encode(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(self.0.iter().map(|row| 2 * row.len() + 1).sum());
        for row in &self.0 {
            for byte in row {
                text.push(char::from(DIGITS[usize::from(byte >> 4)]));
                text.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
            text.push('.');
        }
        text
    }

    /// What [`Rows::encode`] made.
    pub fn decode(text: &str) -> Option<Rows> {
        let digit = |c: u8| char::from(c).to_digit(16);
        let byte = |pair: &[u8]| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        };
        let row = |row: &str| row.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>();
        text.split_terminator('.').map(row).collect::<Option<_>>().map(Rows)
    }

    /// All rows as bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> Vec<Vec<u8>> {
        self.0.clone()
    }

    /// What has changed when the table has these rows now, in the order of the tables.
    ///
    /// # Errors
    /// Never, for the types that columns have.
    pub fn change(&self, now: &Rows, schema: &Schema) -> Result<Change, Failure> {
        let codec = Codec::new(&schema.fields)?;
        let batch = |rows: Vec<&Vec<u8>>| {
            if rows.is_empty() {
                return Ok(None);
            }
            let arrays = codec.decode(rows.into_iter().map(|row| &row[..]))?;
            let batch = RecordBatch::try_new(schema.arrow(), arrays);
            batch.map(Some).map_err(|e| Failure::internal(e.to_string()))
        };
        Ok(Change { lost: batch(minus(&self.0, &now.0))?, gained: batch(minus(&now.0, &self.0))? })
    }
}

/// The rows of one list that are not in another, each as often as it is there more.
fn minus<'a>(rows: &'a [Vec<u8>], others: &[Vec<u8>]) -> Vec<&'a Vec<u8>> {
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    others.iter().for_each(|row| *counts.entry(row).or_default() += 1);
    let mut left = |row: &&Vec<u8>| match counts.get_mut(&row[..]) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    rows.iter().filter(&mut left).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn another_process_has_the_same_rows() {
        let rows = Rows(vec![vec![0, 255, 16, 7], Vec::new(), b"a.b".to_vec()]);
        assert_eq!(rows.encode(), "00ff1007..612e62.");
        assert_eq!(Rows::decode(&rows.encode()).unwrap().0, rows.0);
        assert!(Rows::decode("").unwrap().0.is_empty());
        assert!(Rows::decode("0.").is_none() && Rows::decode("xy.").is_none());
    }
}
