//! What single values lose when they are read, counted: headers do not tell.
use super::kinds::has_nanoseconds;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, ArrayRef};
use base::{Code, Field, Warning};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// For each column how many of its values so far were not read as they are.
pub(crate) struct Losses(Vec<AtomicU64>);

impl Losses {
    /// Of so many columns.
    pub(crate) fn new(columns: usize) -> Losses {
        Losses((0..columns).map(|_| AtomicU64::new(0)).collect())
    }

    /// Counts the times of an array of a column that are cut to microseconds.
    pub(crate) fn see(&self, column: usize, array: &ArrayRef) {
        if !has_nanoseconds(array.data_type()) {
            return;
        }
        let times = array.as_primitive::<TimestampNanosecondType>();
        let cut = match times.null_count() {
            0 => times.values().iter().filter(|ns| *ns % 1000 != 0).count(),
            _ => times.iter().flatten().filter(|ns| ns % 1000 != 0).count(),
        };
        if cut > 0 {
            self.0[column].fetch_add(cut as u64, Ordering::Relaxed);
        }
    }

    /// As warnings about a file, or several of which this is the first.
    pub(crate) fn warnings(&self, path: &Path, fields: &[Field]) -> Vec<Warning> {
        let warning = |(count, field): (&AtomicU64, &Field)| {
            let count = count.load(Ordering::Relaxed);
            let (path, name) = (path.display(), &field.name);
            let text =
                format!("{path}: {{n}} value{{s}} of `{name}` lost digits below a microsecond");
            (count > 0).then(|| Warning::new(Code::TypeNarrowed, text).count(count))
        };
        self.0.iter().zip(fields).filter_map(warning).collect()
    }
}
