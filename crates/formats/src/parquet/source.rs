//! Reading: the rows of all files as one box, cut at row groups.
use super::inputs::{files, left_out};
use super::part::{Part, Piece};
use super::prune::joined;
use crate::input::each;
use crate::rows::{
    Losses, bad_option, columns_of, cuts, cuts_by_file, edges, file_attributes, file_places,
    integers, losses, pieces, stored_otherwise, together, unread_of_all,
};
use crate::{
    Ahead, FilePlace, FormatError, FormatErrorKind, OpenRequest, RowTest, Survivors, TileSource,
    Unread,
};
use arrow_array::ArrayRef;
use base::{Column, Domain, Failure, Field, Region, Schema, Tiling, Warning};
use std::path::PathBuf;

/// An opened input of one or more files.
pub(super) struct ParquetSource {
    schema: Schema,
    parts: Vec<Part>,
    groups: Vec<Group>,
    /// The first row of each group, and the number of all rows at the end.
    edges: Vec<u64>,
    /// What values lost so far.
    lost: Losses,
    /// Whether all columns were asked for.
    all: bool,
    /// About folders that are not read.
    left_out: Vec<Warning>,
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
        let open = |p: &PathBuf| Part::open(p, request.columns.as_deref());
        let mut parts: Vec<Part> = each(&paths, open).into_iter().collect::<Result<_, _>>()?;
        together(&mut parts.iter_mut().map(|p| &mut p.columns).collect::<Vec<_>>(), request)?;
        let Some(first) = parts.first() else {
            return Err(FormatError::new(FormatErrorKind::Missing, "there are no files to read"));
        };
        let mut fields = first.columns.fields.clone();
        for (i, field) in fields.iter_mut().enumerate() {
            field.nullable = parts.iter().any(|p| p.columns.fields[i].nullable);
        }
        let attributes = file_attributes(first.file_metadata());
        let (groups, edges) = groups(&parts, integers(&request.options, "row_groups")?)?;
        let domain = Domain::new([("row", edges.last().copied().unwrap_or(0))]);
        let (lost, all) = (Losses::new(fields.len()), request.columns.is_none());
        let (left_out, schema) = (left_out(&request.paths), Schema { domain, fields, attributes });
        Ok(ParquetSource { schema, parts, groups, edges, lost, all, left_out })
    }

    /// The first row of each file, and the number of all rows.
    fn firsts(&self) -> Vec<u64> {
        let before = |part| self.groups.partition_point(|group| group.part < part);
        (0..=self.parts.len()).map(|part| self.edges[before(part)]).collect()
    }

    /// The pieces of row groups in `start..end`, those of one file together.
    fn pieces(&self, start: u64, end: u64) -> Vec<(&Part, Vec<Piece>)> {
        let mut out: Vec<(usize, Vec<Piece>)> = Vec::new();
        for (i, skip, take) in pieces(&self.edges, start, end) {
            let piece = Piece { group: self.groups[i].index, skip, take };
            match out.last_mut() {
                Some((part, pieces)) if *part == self.groups[i].part => pieces.push(piece),
                _ => out.push((self.groups[i].part, vec![piece])),
            }
        }
        out.into_iter().map(|(part, pieces)| (&self.parts[part], pieces)).collect()
    }
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
    let chosen = |i: usize| wanted.as_ref().is_none_or(|w| w.contains(&i));
    let chosen = all.into_iter().enumerate().filter(|(i, _)| chosen(*i)).map(|(_, g)| g);
    let (groups, rows): (Vec<Group>, Vec<u64>) = chosen.unzip();
    let huge = || FormatError::new(FormatErrorKind::Corrupt, "there are too many rows");
    Ok((groups, edges(rows).ok_or_else(huge)?))
}

impl TileSource for ParquetSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn tiling(&self, points: u64) -> Option<Tiling> {
        Some(Tiling::at(cuts(&self.edges, points)))
    }

    fn tiling_by_file(&self, points: u64) -> Option<Tiling> {
        Some(Tiling::at(cuts_by_file(&self.edges, &self.firsts(), points)))
    }

    fn files(&self) -> Vec<PathBuf> {
        self.parts.iter().map(|part| part.path().to_path_buf()).collect()
    }

    fn places(&self, region: &Region) -> Option<Vec<FilePlace>> {
        Some(file_places(&self.firsts(), region))
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let (start, rows) = (region.origin[0], region.shape[0]);
        let mut arrays: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
        let mut last = None;
        if !columns.is_empty() {
            for (part, pieces) in self.pieces(start, start + rows as u64) {
                last = Some(part);
                let read = part.read(&pieces, columns).map_err(|e| damaged(part, &e))?;
                for ((all, more), column) in arrays.iter_mut().zip(read).zip(columns) {
                    more.iter().for_each(|array| self.lost.see(*column, array));
                    all.extend(more);
                }
            }
        }
        let fields: Vec<&Field> = columns.iter().map(|c| &self.schema.fields[*c]).collect();
        columns_of(arrays, &fields).map_err(|e| match last {
            Some(part) => damaged(part, &e),
            None => Failure::internal(e),
        })
    }

    fn is_remote(&self) -> bool {
        self.parts.iter().any(Part::is_remote)
    }

    fn ahead(&self, region: &Region, columns: &[usize]) -> Ahead {
        if columns.is_empty() {
            return Ahead::default();
        }
        let (start, rows) = (region.origin[0], region.shape[0] as u64);
        let pieces = self.pieces(start, start + rows);
        Ahead(pieces.iter().filter_map(|(part, pieces)| part.ask(pieces, columns)).collect())
    }

    fn survivors(&self, tests: &[RowTest]) -> Option<Survivors> {
        let (mut rows, mut kept) = (Vec::new(), 0);
        let mut at = 0;
        for of_part in self.groups.chunk_by(|a, b| a.part == b.part) {
            let part = &self.parts[of_part[0].part];
            let groups: Vec<usize> = of_part.iter().map(|g| g.index).collect();
            let edges = &self.edges[at..at + groups.len() + 1];
            at += groups.len();
            // Damage is told by whoever reads the values.
            let found = part.survivors(&groups, tests).unwrap_or_else(|_| {
                edges.windows(2).map(|e| std::iter::once(0..e[1] - e[0]).collect()).collect()
            });
            for (first, ranges) in edges.iter().zip(found) {
                kept += usize::from(!ranges.is_empty());
                rows.extend(ranges.into_iter().map(|r| r.start + first..r.end + first));
            }
        }
        let rows = joined(rows);
        let left: u64 = rows.iter().map(|r| r.end - r.start).sum();
        let all = self.edges.last().copied().unwrap_or(0);
        let groups = self.groups.len();
        let text = format!("{kept} of {groups} row groups, {left} of {all} rows");
        Some(Survivors { rows, text })
    }

    fn warnings(&self) -> Vec<Warning> {
        let lost = losses(self.parts.iter().map(|p| &p.columns), self.all);
        self.left_out.iter().cloned().chain(lost).collect()
    }

    fn met(&self) -> Vec<Warning> {
        let first = self.parts.first().map(Part::path);
        first.map(|path| self.lost.warnings(path, &self.schema.fields)).unwrap_or_default()
    }

    fn unread(&self) -> Vec<Unread> {
        unread_of_all(self.parts.iter().map(|p| &p.columns))
    }

    fn stored_otherwise(&self) -> Vec<(String, String)> {
        stored_otherwise(self.parts.iter().map(|p| &p.columns))
    }

    fn describe(&self) -> String {
        let rows = self.edges.last().copied().unwrap_or(0);
        let groups = self.groups.len();
        let codec = self.parts.iter().find_map(Part::compression).unwrap_or_default();
        match &self.parts[..] {
            [one] => {
                format!(
                    "parquet {}: {rows} rows, {groups} row groups, {codec}",
                    one.path().display()
                )
            }
            [first, ..] => format!(
                "parquet {} … ({} files): {rows} rows, {groups} row groups, {codec}",
                first.path().display(),
                self.parts.len()
            ),
            [] => "parquet".to_string(),
        }
    }
}

fn damaged(part: &Part, reason: &str) -> Failure {
    Failure::data(format!("cannot read {}: {reason}", part.path().display()))
}
