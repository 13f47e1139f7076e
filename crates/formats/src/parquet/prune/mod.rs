//! Which rows of a file may pass tests: row groups by statistics and bloom filters, then pages.

mod bloom;
mod bounds;
#[cfg(test)]
mod properties;

use crate::Ask;
use crate::input::Input;
use crate::rows::cast;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field};
use base::{DType, Value};
use bounds::Bounds;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::basic::Type;
use parquet::errors::ParquetError;
use parquet::file::metadata::page_index::{PageIndex, PageIndexProvider};
use parquet::file::metadata::{
    ColumnChunkMask, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use std::ops::Range;

/// A test of a column of this file.
pub(super) struct FileTest<'a> {
    /// Its only leaf.
    pub(super) leaf: usize,
    /// As the file has it.
    pub(super) field: &'a Field,
    /// As it is read.
    pub(super) dtype: DType,
    pub(super) ask: &'a Ask,
}

/// For each of these row groups the rows that may pass all tests, counted from its first.
pub(super) fn survivors(
    metadata: &ParquetMetaData,
    file: &Input,
    groups: &[usize],
    tests: &[FileTest],
) -> Result<Vec<Vec<Range<u64>>>, ParquetError> {
    let group = |g: &usize| metadata.row_group(*g);
    let mut keep = vec![true; groups.len()];
    for test in tests {
        let bounds = group_bounds(metadata, groups, test)?;
        for (i, bounds) in bounds.iter().enumerate().filter(|(i, _)| keep[*i]).collect::<Vec<_>>() {
            let chunk = group(&groups[i]).column(test.leaf);
            keep[i] = bounds.may_pass(test.ask)
                && bloom::may_pass(chunk, test.field.data_type(), test.ask, file)?;
        }
    }
    let whole = |g: &usize| Range { start: 0, end: group(g).num_rows() as u64 };
    let mut rows: Vec<Vec<Range<u64>>> =
        groups.iter().zip(&keep).map(|(g, k)| k.then(|| whole(g)).into_iter().collect()).collect();
    let kept: Vec<usize> = groups.iter().zip(&keep).filter(|(_, k)| **k).map(|(g, _)| *g).collect();
    if kept.is_empty() {
        return Ok(rows);
    }
    let Some(index) = page_index(metadata, file, &kept, tests)? else { return Ok(rows) };
    for (rows, g) in rows.iter_mut().zip(groups).filter(|(rows, _)| !rows.is_empty()) {
        for test in tests {
            if let Some(pages) = page_bounds(metadata, &index, *g, test)? {
                let live = pages.into_iter().filter(|(_, b)| b.may_pass(test.ask)).map(|(r, _)| r);
                *rows = intersect(rows, &joined(live));
            }
        }
    }
    Ok(rows)
}

/// What the statistics of each row group say.
fn group_bounds(
    metadata: &ParquetMetaData,
    groups: &[usize],
    test: &FileTest,
) -> Result<Vec<Bounds>, ParquetError> {
    let groups: Vec<&RowGroupMetaData> = groups.iter().map(|g| metadata.row_group(*g)).collect();
    let counts = |group: &&RowGroupMetaData| {
        let statistics = group.column(test.leaf).statistics();
        Bounds {
            rows: group.num_rows() as u64,
            nulls: statistics.and_then(|s| s.null_count_opt()),
            ..Bounds::default()
        }
    };
    let mut bounds: Vec<Bounds> = groups.iter().map(counts).collect();
    if !ordered(metadata, test) {
        return Ok(bounds);
    }
    let converter = converter(metadata, test)?;
    let lows = values(converter.row_group_mins(groups.iter().copied())?, test.dtype);
    let highs = values(converter.row_group_maxes(groups.iter().copied())?, test.dtype);
    for (((bounds, group), low), high) in bounds.iter_mut().zip(&groups).zip(lows).zip(highs) {
        let Some(statistics) = group.column(test.leaf).statistics() else { continue };
        // The old kind was ordered by signed bytes, whatever the type.
        if statistics.is_min_max_deprecated() {
            continue;
        }
        let cut = test.dtype == DType::String;
        bounds.exact = !cut || (statistics.min_is_exact() && statistics.max_is_exact());
        (bounds.low, bounds.high) = (low, high);
    }
    Ok(bounds)
}

/// The rows of each page, and what is known of their values.
type Pages = Vec<(Range<u64>, Bounds)>;

/// The rows of each page of a row group, and what the column index says of them; `None` if there
/// is no index.
fn page_bounds(
    metadata: &ParquetMetaData,
    index: &PageIndex,
    group: usize,
    test: &FileTest,
) -> Result<Option<Pages>, ParquetError> {
    let (Some(offsets), Some(_)) =
        (index.offset_index(group, test.leaf), index.column_index(group, test.leaf))
    else {
        return Ok(None);
    };
    let all = metadata.row_group(group).num_rows();
    let starts = offsets.page_locations().iter().map(|l| l.first_row_index);
    let edges: Vec<i64> = starts.chain([all]).collect();
    if edges.first() != Some(&0) || !edges.is_sorted() {
        return Ok(None);
    }
    let converter = converter(metadata, test)?;
    let nulls = converter.data_page_null_counts(index, [&group])?;
    let (lows, highs) = match ordered(metadata, test) {
        true => (
            values(converter.data_page_mins(index, [&group])?, test.dtype),
            values(converter.data_page_maxes(index, [&group])?, test.dtype),
        ),
        false => (vec![None; nulls.len()], vec![None; nulls.len()]),
    };
    if [nulls.len(), lows.len(), highs.len()] != [edges.len() - 1; 3] {
        return Ok(None);
    }
    let page = |(i, (low, high)): (usize, (Option<Value>, Option<Value>))| {
        let rows = edges[i] as u64..edges[i + 1] as u64;
        let nulls = nulls.is_valid(i).then(|| nulls.value(i));
        let exact = test.dtype != DType::String;
        (rows.clone(), Bounds { low, high, exact, nulls, rows: rows.end - rows.start })
    };
    Ok(Some(lows.into_iter().zip(highs).enumerate().map(page).collect()))
}

fn converter<'a>(
    metadata: &'a ParquetMetaData,
    test: &FileTest<'a>,
) -> Result<StatisticsConverter<'a>, ParquetError> {
    let schema = metadata.file_metadata().schema_descr();
    let converter = StatisticsConverter::from_column_index(test.leaf, test.field, schema)?;
    Ok(converter.with_missing_null_counts_as_zero(false))
}

/// The page index of the tested columns in some row groups; `None` if the file has none.
fn page_index(
    metadata: &ParquetMetaData,
    file: &Input,
    groups: &[usize],
    tests: &[FileTest],
) -> Result<Option<PageIndex>, ParquetError> {
    let leaves = tests.iter().map(|t| t.leaf);
    let mask = ColumnChunkMask::row_groups_and_columns(groups.iter().copied(), leaves);
    let reader = ParquetMetaDataReader::new_with_metadata(metadata.clone())
        .with_page_index_policy(PageIndexPolicy::Optional)
        .with_page_index_mask(mask);
    Ok(reader.read_page_index_and_finish(file)?.1)
}

/// Whether the order of stored values is that of the values read, so that bounds are bounds.
fn ordered(metadata: &ParquetMetaData, test: &FileTest) -> bool {
    let schema = metadata.file_metadata().schema_descr();
    match schema.column(test.leaf).physical_type() {
        Type::BOOLEAN | Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE => true,
        Type::BYTE_ARRAY => test.dtype == DType::String,
        Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY => false,
    }
}

/// Statistics as values of the type that is read; all unknown if one of them does not fit.
fn values(array: ArrayRef, dtype: DType) -> Vec<Option<Value>> {
    let unknown = vec![None; array.len()];
    let Ok(array) = cast(&array, dtype) else { return unknown };
    if *array.data_type() == DataType::Null {
        return unknown;
    }
    let value = |i: usize| match dtype {
        DType::Bool => Value::Bool(array.as_boolean().value(i)),
        DType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(i).into()),
        DType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(i)),
        DType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(i).into()),
        DType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(i)),
        DType::String => Value::Str(array.as_string::<i32>().value(i).to_string()),
        DType::Timestamp => {
            Value::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(i))
        }
        DType::Binary => Value::Null,
    };
    (0..array.len()).map(|i| array.is_valid(i).then(|| value(i))).collect()
}

/// Ascending ranges, those that touch as one.
pub(super) fn joined(ranges: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut out: Vec<Range<u64>> = Vec::new();
    for range in ranges.into_iter().filter(|r| !r.is_empty()) {
        match out.last_mut() {
            Some(last) if last.end >= range.start => last.end = range.end.max(last.end),
            _ => out.push(range),
        }
    }
    out
}

/// What is in both.
fn intersect(a: &[Range<u64>], b: &[Range<u64>]) -> Vec<Range<u64>> {
    let both = |a: &Range<u64>| {
        let a = a.clone();
        b.iter().map(move |b| a.start.max(b.start)..a.end.min(b.end))
    };
    joined(a.iter().flat_map(both))
}

#[cfg(test)]
mod tests {
    use super::{intersect, joined};

    #[test]
    fn ranges_are_joined_and_cut() {
        assert_eq!(joined([0..2, 2..3, 3..3, 5..6]), [0..3, 5..6]);
        assert_eq!(intersect(&[0..3, 5..9], &[1..6, 8..20]), [1..3, 5..6, 8..9]);
        assert_eq!(intersect(&[], &[1..6, 7..8]), []);
    }
}
