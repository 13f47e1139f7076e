//! Reading: the rows of all files as one box, cut at row groups.
use super::inputs::files;
use super::part::{Part, Piece};
use crate::rows::{bad_option, columns_of, file_attributes, integers};
use crate::{FormatError, FormatErrorKind, OpenRequest, TileSource};
use arrow_array::ArrayRef;
use base::{Column, Domain, Failure, Field, Region, Schema, Tiling};

/// An opened input of one or more files.
pub(super) struct ParquetSource {
    schema: Schema,
    parts: Vec<Part>,
    groups: Vec<Group>,
    /// The first row of each group, and the number of all rows at the end.
    edges: Vec<u64>,
}

/// A row group that is to be read.
struct Group {
    part: usize,
    /// Its place in its file.
    index: usize,
}

impl ParquetSource {
    /// Reads the metadata of all files.
    pub(super) fn open(request: &OpenRequest) -> Result<ParquetSource, FormatError> {
        let paths = files(&request.paths)?;
        let open = |p: &std::path::PathBuf| Part::open(p, request.columns.as_deref());
        let mut parts: Vec<Part> = Vec::with_capacity(paths.len());
        for path in &paths {
            let mut part = open(path)?;
            if let Some(first) = parts.first() {
                agree(first, &mut part, request.columns.is_none())?;
            }
            parts.push(part);
        }
        let Some(first) = parts.first() else {
            return Err(FormatError::new(FormatErrorKind::Missing, "there are no files to read"));
        };
        let mut fields = first.fields.clone();
        for (i, field) in fields.iter_mut().enumerate() {
            field.nullable = parts.iter().any(|p| p.fields.get(i).is_some_and(|f| f.nullable));
        }
        let attributes = file_attributes(first.file_metadata());
        let (groups, edges) = groups(&parts, integers(&request.options, "row_groups")?)?;
        let domain = Domain::new([("row", edges.last().copied().unwrap_or(0))]);
        Ok(ParquetSource { schema: Schema { domain, fields, attributes }, parts, groups, edges })
    }

    /// The pieces of row groups in `start..end`, those of one file together.
    fn pieces(&self, start: u64, end: u64) -> Vec<(&Part, Vec<Piece>)> {
        let mut out: Vec<(usize, Vec<Piece>)> = Vec::new();
        let first = self.edges.partition_point(|e| *e <= start).saturating_sub(1);
        for (i, group) in self.groups.iter().enumerate().skip(first) {
            let (low, high) = (self.edges[i].max(start), self.edges[i + 1].min(end));
            if self.edges[i] >= end {
                break;
            }
            if low >= high {
                continue;
            }
            let skip = (low - self.edges[i]) as usize;
            let piece = Piece { group: group.index, skip, take: (high - low) as usize };
            match out.last_mut() {
                Some((part, pieces)) if *part == group.part => pieces.push(piece),
                _ => out.push((group.part, vec![piece])),
            }
        }
        out.into_iter().map(|(part, pieces)| (&self.parts[part], pieces)).collect()
    }
}

/// Checks that a file has the columns of the first one; brings its fields into their order.
fn agree(first: &Part, part: &mut Part, all: bool) -> Result<(), FormatError> {
    let differ = |what: String| {
        let (a, b) = (first.path.display(), part.path.display());
        Err(FormatError::new(FormatErrorKind::Corrupt, format!("{a} and {b} differ: {what}")))
    };
    let extra = |f: &&Field| !first.fields.iter().any(|g| g.name == f.name);
    if let Some(f) = part.fields.iter().find(extra).filter(|_| all) {
        return differ(format!("only the second has a column `{}`", f.name));
    }
    let mut order = Vec::with_capacity(first.fields.len());
    for f in &first.fields {
        let Some(i) = part.fields.iter().position(|g| g.name == f.name) else {
            return differ(format!("only the first has a column `{}`", f.name));
        };
        let other = part.fields[i].dtype;
        if other != f.dtype {
            let name = &f.name;
            return differ(format!(
                "column `{name}` is {} in one and {other} in the other",
                f.dtype
            ));
        }
        order.push(i);
    }
    part.reorder(&order);
    Ok(())
}

/// The row groups to read, and the rows at their edges.
fn groups(
    parts: &[Part],
    wanted: Option<Vec<usize>>,
) -> Result<(Vec<Group>, Vec<u64>), FormatError> {
    let all = parts.iter().enumerate().flat_map(|(part, p)| {
        p.group_rows().enumerate().map(move |(index, rows)| (Group { part, index }, rows))
    });
    let all: Vec<(Group, u64)> = all.collect();
    if let Some(wrong) = wanted.iter().flatten().find(|w| **w >= all.len()) {
        let count = all.len();
        return Err(bad_option(
            "row_groups",
            format!("there is no row group {wrong}, only {count}"),
        ));
    }
    let (mut groups, mut edges) = (Vec::new(), vec![0u64]);
    for (i, (group, rows)) in all.into_iter().enumerate() {
        if wanted.as_ref().is_none_or(|w| w.contains(&i)) && rows > 0 {
            let last = edges.last().copied().unwrap_or(0);
            let next = last.checked_add(rows).filter(|n| *n < 1 << 63);
            let huge = || FormatError::new(FormatErrorKind::Corrupt, "there are too many rows");
            edges.push(next.ok_or_else(huge)?);
            groups.push(group);
        }
    }
    Ok((groups, edges))
}

/// Cuts at edges of row groups: small groups together, large ones evenly into pieces.
fn cuts(edges: &[u64], points: u64) -> Vec<u64> {
    let points = points.max(1);
    let mut cuts = vec![0u64];
    let mut start = 0;
    for pair in edges.windows(2) {
        let (low, high) = (pair[0], pair[1]);
        if high - start <= points {
            continue;
        }
        if low > start {
            cuts.push(low);
        }
        start = low;
        let pieces = (high - low).div_ceil(points);
        for i in 1..pieces {
            start = low + ((high - low) as u128 * i as u128 / pieces as u128) as u64;
            cuts.push(start);
        }
        if pieces > 1 {
            cuts.push(high);
            start = high;
        }
    }
    let end = edges.last().copied().unwrap_or(0);
    if end > start {
        cuts.push(end);
    }
    cuts
}

impl TileSource for ParquetSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn tiling(&self, points: u64) -> Option<Tiling> {
        Some(Tiling::at(cuts(&self.edges, points)))
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let (start, rows) = (region.origin[0], region.shape[0]);
        let mut arrays: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
        let mut last = None;
        if !columns.is_empty() {
            for (part, pieces) in self.pieces(start, start + rows as u64) {
                last = Some(part);
                let read = part.read(&pieces, columns).map_err(|e| damaged(part, &e))?;
                for (all, more) in arrays.iter_mut().zip(read) {
                    all.extend(more);
                }
            }
        }
        let fields: Vec<&Field> = columns.iter().map(|c| &self.schema.fields[*c]).collect();
        columns_of(arrays, &fields).map_err(|e| match last {
            Some(part) => damaged(part, &e.to_string()),
            None => Failure::internal(e.to_string()),
        })
    }

    fn describe(&self) -> String {
        let rows = self.edges.last().copied().unwrap_or(0);
        let groups = self.groups.len();
        let codec = self.parts.iter().find_map(Part::compression).unwrap_or_default();
        match &self.parts[..] {
            [one] => {
                format!("parquet {}: {rows} rows, {groups} row groups, {codec}", one.path.display())
            }
            [first, ..] => format!(
                "parquet {} … ({} files): {rows} rows, {groups} row groups, {codec}",
                first.path.display(),
                self.parts.len()
            ),
            [] => "parquet".to_string(),
        }
    }
}

fn damaged(part: &Part, reason: &str) -> Failure {
    Failure::data(format!("cannot read {}: {reason}", part.path.display()))
}

#[cfg(test)]
mod tests {
    use super::cuts;

    #[test]
    fn small_groups_go_together_and_large_ones_are_cut() {
        assert_eq!(cuts(&[0], 10), [0]);
        assert_eq!(cuts(&[0, 4, 8, 12], 8), [0, 8, 12]);
        assert_eq!(cuts(&[0, 4, 29, 32], 10), [0, 4, 12, 20, 29, 32]);
        assert_eq!(cuts(&[0, 3, 6, 9], 1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
}
