//! How files follow each other along a coordinate: in one order, and none over another.
use super::many::Facts;
use crate::{FormatError, FormatErrorKind};
use arrow_array::{Array, ArrayRef, Float64Array};
use arrow_schema::DataType;

/// Files in the order of their coordinate; as they are named where it has no numbers.
///
/// # Errors
/// If what one file has of the coordinate lies between what another has, or files run in other
/// directions.
pub(super) fn in_order(files: Vec<Facts>, dim: usize) -> Result<Vec<Facts>, FormatError> {
    let ends: Option<Vec<Option<Ends>>> =
        files.iter().map(|f| Ends::of(f.coordinates[dim].as_ref()?)).collect();
    let Some(ends) = ends else { return Ok(files) };
    let (mut empty, mut full) = (Vec::new(), Vec::new());
    for (file, ends) in files.into_iter().zip(ends) {
        match ends {
            None => empty.push(file),
            Some(ends) => full.push((file, ends)),
        }
    }
    let falls = full.iter().any(|(_, e)| e.last < e.first);
    if let Some((back, _)) = full.iter().find(|(_, e)| falls && e.last > e.first) {
        let first = full.iter().find(|(_, e)| e.last < e.first).map_or(back, |(f, _)| f);
        return Err(refused(first, back, dim, "runs forwards in one and backwards in the other"));
    }
    match falls {
        true => full.sort_by(|(_, a), (_, b)| b.most.total_cmp(&a.most)),
        false => full.sort_by(|(_, a), (_, b)| a.least.total_cmp(&b.least)),
    }
    for pair in full.windows(2) {
        let ((one, a), (two, b)) = (&pair[0], &pair[1]);
        let apart = if falls { b.most < a.least } else { a.most < b.least };
        if !apart {
            return Err(refused(one, two, dim, "has values of one between those of the other"));
        }
    }
    // A file without values stands where it does no harm.
    Ok(full.into_iter().map(|(file, _)| file).chain(empty).collect())
}

fn refused(one: &Facts, two: &Facts, dim: usize, what: &str) -> FormatError {
    let name = &one.schema.domain.dims[dim].name;
    let (a, b) = (one.path.display(), two.path.display());
    let help = "leave one of them out, or read each in a step of its own, cut with `slices:`, and \
                put them together with `concat`";
    FormatError {
        kind: FormatErrorKind::Corrupt,
        message: format!("{a} and {b} overlap: `{name}` {what}"),
        help: Some(help.to_string()),
    }
}

/// The range of a coordinate in a file.
struct Ends {
    first: f64,
    last: f64,
    least: f64,
    most: f64,
}

impl Ends {
    /// `None` if the values are no numbers or some are missing; `Some(None)` if there are none.
    fn of(values: &ArrayRef) -> Option<Option<Ends>> {
        let whole = match values.data_type() {
            DataType::Timestamp(..) => arrow_cast::cast(values, &DataType::Int64).ok()?,
            _ => values.clone(),
        };
        let numbers = arrow_cast::cast(&whole, &DataType::Float64).ok()?;
        let numbers = numbers.as_any().downcast_ref::<Float64Array>()?;
        if numbers.null_count() > 0 || whole.data_type() == &DataType::Utf8 {
            return None;
        }
        let list = numbers.values();
        let (Some(first), Some(last)) = (list.first(), list.last()) else { return Some(None) };
        let least = list.iter().copied().fold(f64::INFINITY, f64::min);
        let most = list.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Some(Ends { first: *first, last: *last, least, most }))
    }
}
