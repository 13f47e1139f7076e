//! Which Arrow types of a file can be read, as which of ours, and what is lost by that.
use crate::Unread;
use arrow_schema::{DataType, Field, TimeUnit};
use base::{Code, DType, Warning};
use std::path::Path;

/// So many columns are named in one warning.
const NAMED: usize = 8;

/// The type that values of an Arrow type are read as; `None` if they cannot be.
pub(crate) fn dtype(data: &DataType) -> Option<DType> {
    use DataType::*;
    Some(match data {
        Boolean => DType::Bool,
        Int8 | Int16 | Int32 | UInt8 | UInt16 => DType::Int32,
        Int64 | UInt32 | UInt64 => DType::Int64,
        Float16 | Float32 => DType::Float32,
        Float64 | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => DType::Float64,
        Utf8 | LargeUtf8 | Utf8View => DType::String,
        Timestamp(..) | Date32 | Date64 => DType::Timestamp,
        // No value says of which type the column would be.
        Null => DType::Float64,
        Dictionary(_, values) => return dtype(values),
        _ => return None,
    })
}

/// Whether the file leaves open of which type the column is.
pub(crate) fn is_open(field: &Field) -> bool {
    *field.data_type() == DataType::Null
}

/// What the file calls the type of a column.
pub(crate) fn type_name(field: &Field) -> String {
    match (extension(field), plain(field.data_type())) {
        (Some(name), stored) => format!("{name}, stored as {stored}"),
        (None, stored) => stored.to_string(),
    }
}

/// A type that another tool has made of one of Arrow's.
fn extension(field: &Field) -> Option<&str> {
    field.metadata().get("ARROW:extension:name").map(String::as_str).filter(|n| !n.is_empty())
}

fn plain(data: &DataType) -> &DataType {
    match data {
        DataType::Dictionary(_, values) => plain(values),
        other => other,
    }
}

/// What is lost of the values of a column that is read, as the end of a sentence.
fn loss(field: &Field) -> Option<String> {
    let dtype = dtype(field.data_type())?;
    Some(match plain(field.data_type()) {
        DataType::Timestamp(_, Some(_)) => "is read as UTC, and its zone is not kept".to_string(),
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => "is read as float64, whose sums are not decimal".to_string(),
        DataType::Null => "has no values: it is read as missing float64".to_string(),
        _ if extension(field).is_some_and(|name| !harmless(name)) => {
            format!("is read as {dtype}, the numbers that stand for its values")
        }
        _ => return None,
    })
}

/// Whether all values are held, but written as those of another type than they were read of.
pub(crate) fn is_widened(field: &Field) -> bool {
    use DataType::*;
    let small = matches!(plain(field.data_type()), Int8 | Int16 | UInt8 | UInt16 | UInt32 | UInt64);
    small || matches!(plain(field.data_type()), Float16 | Date32 | Date64)
}

/// Types made of others whose values stay what they are.
fn harmless(name: &str) -> bool {
    matches!(name, "arrow.json" | "arrow.bool8")
}

/// Warnings about columns of a file that are read as other types; `open` are those whose type no
/// other file tells.
pub(crate) fn narrowings<'a>(
    path: &Path,
    fields: impl Iterator<Item = &'a Field>,
    open: impl Fn(&str) -> bool,
) -> Vec<(&'a str, Warning)> {
    let said = fields.filter(|f| !is_open(f) || open(f.name()));
    let warning = |field: &'a Field| {
        let (path, name) = (path.display(), field.name());
        let text = format!("{path}: column `{name}` ({}) {}", type_name(field), loss(field)?);
        Some((name.as_str(), Warning::new(Code::TypeNarrowed, text)))
    };
    said.filter_map(warning).collect()
}

/// The warning about columns of a file that no column can hold.
pub(crate) fn left_out(path: &Path, unread: &[Unread]) -> Option<Warning> {
    let unread: Vec<&Unread> = unread.iter().filter(|u| u.kind().is_some()).collect();
    let name = |u: &&Unread| Some(format!("`{}` ({})", u.name, u.kind()?));
    let mut names: Vec<String> = unread.iter().take(NAMED).filter_map(name).collect();
    if let Some(more) = unread.len().checked_sub(NAMED + 1) {
        names.push(format!("{} more", more + 1));
    }
    let columns = if unread.len() == 1 { "a column is" } else { "columns are" };
    let message = format!("{}: {columns} left out: {}", path.display(), names.join(", "));
    let help = "name the columns to be read with `columns:`, or `allow` this";
    (!unread.is_empty()).then(|| Warning::new(Code::ColumnsLeftOut, message).help(help))
}

/// Whether values of a column may have digits below a microsecond.
pub(crate) fn has_nanoseconds(data: &DataType) -> bool {
    matches!(data, DataType::Timestamp(TimeUnit::Nanosecond, _))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_and_nothing_else() {
        let period = [("ARROW:extension:name".to_string(), "pandas.period".to_string())];
        let period: arrow_schema::Metadata = period.into_iter().collect();
        let fields = [
            Field::new("i", DataType::Int8, true),
            Field::new("m", DataType::Decimal128(9, 2), true),
            Field::new("z", DataType::Timestamp(TimeUnit::Second, Some("+01:00".into())), true),
            Field::new("ns", DataType::Timestamp(TimeUnit::Nanosecond, None), true),
            Field::new("p", DataType::Int64, true).with_metadata(period),
            Field::new("n", DataType::Null, true),
        ];
        let told = |open: bool| {
            let warnings = narrowings(Path::new("x"), fields.iter(), |_| open);
            warnings.into_iter().map(|(_, w)| w.message).collect::<Vec<_>>()
        };
        let widened = fields.iter().filter(|f| is_widened(f)).map(|f| f.name().as_str());
        assert_eq!(widened.collect::<Vec<_>>(), ["i"]);
        assert_eq!(told(false).len(), 3);
        assert_eq!(
            told(true)[1..],
            [
                "x: column `z` (Timestamp(s, \"+01:00\")) is read as UTC, and its zone is not kept",
                "x: column `p` (pandas.period, stored as Int64) is read as int64, the numbers \
                 that stand for its values",
                "x: column `n` (Null) has no values: it is read as missing float64",
            ]
        );
    }

    #[test]
    fn many_columns_left_out_are_one_warning() {
        let unread = |n: usize| -> Vec<Unread> {
            let one =
                |i| Unread { name: format!("c{i}"), why: crate::NotRead::Kind("Binary".into()) };
            (0..n).map(one).collect()
        };
        assert_eq!(left_out(Path::new("x"), &unread(0)), None);
        let one = left_out(Path::new("x"), &unread(1)).unwrap_or_else(|| unreachable!());
        assert_eq!(one.message, "x: a column is left out: `c0` (Binary)");
        let many = left_out(Path::new("x"), &unread(10)).unwrap_or_else(|| unreachable!());
        assert!(many.message.ends_with("`c7` (Binary), 2 more"), "{}", many.message);
    }
}
