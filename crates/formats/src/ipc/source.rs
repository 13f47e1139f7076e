//! Reading: the rows of all files as one box, cut at batches.
use super::decoded::Decoded;
use super::file::ArrowFile;
use crate::input::each;
use crate::rows::{
    Losses, columns_of, cuts, cuts_by_file, edges, file_places, losses, owned_slice, pieces,
    stored_otherwise, together, unread_of_all,
};
use crate::{Ahead, FilePlace, FormatError, FormatErrorKind, OpenRequest, TileSource, Unread};
use arrow_array::ArrayRef;
use base::{Column, Domain, Failure, Field, Region, Schema, Tiling, Warning};
use std::path::PathBuf;

/// An opened input of one or more files.
pub(super) struct ArrowSource {
    schema: Schema,
    files: Vec<ArrowFile>,
    /// Of each batch its file and its place there.
    batches: Vec<(usize, usize)>,
    edges: Vec<u64>,
    decoded: Decoded,
    /// What values lost so far.
    lost: Losses,
    /// Whether all columns were asked for.
    all: bool,
}

impl ArrowSource {
    /// Reads the footers of all files.
    pub(super) fn open(request: &OpenRequest) -> Result<ArrowSource, FormatError> {
        let open = |path: &PathBuf| ArrowFile::open(path, request.columns.as_deref());
        let mut files: Vec<ArrowFile> =
            each(&request.paths, open).into_iter().collect::<Result<_, _>>()?;
        together(&mut files.iter_mut().map(|f| &mut f.columns).collect::<Vec<_>>(), request)?;
        let Some(first) = files.first() else {
            return Err(FormatError::new(FormatErrorKind::Missing, "there are no files to read"));
        };
        let mut fields = first.columns.fields.clone();
        for (i, field) in fields.iter_mut().enumerate() {
            field.nullable = files.iter().any(|f| f.columns.fields[i].nullable);
        }
        let attributes = first.attributes();
        let places = |(i, f): (usize, &ArrowFile)| (0..f.rows().len()).map(move |b| (i, b));
        let batches = files.iter().enumerate().flat_map(places).collect();
        let huge = || FormatError::new(FormatErrorKind::Corrupt, "there are too many rows");
        let edges = edges(files.iter().flat_map(|f| f.rows().iter().copied())).ok_or_else(huge)?;
        let domain = Domain::new([("row", edges.last().copied().unwrap_or(0))]);
        let (lost, all) = (Losses::new(fields.len()), request.columns.is_none());
        let schema = Schema { domain, fields, attributes };
        let decoded = Decoded::default();
        Ok(ArrowSource { schema, files, batches, edges, decoded, lost, all })
    }
}

impl ArrowSource {
    /// The first row of each file, and the number of all rows.
    fn firsts(&self) -> Vec<u64> {
        let before = |file| self.batches.partition_point(|batch| batch.0 < file);
        (0..=self.files.len()).map(|file| self.edges[before(file)]).collect()
    }
}

impl TileSource for ArrowSource {
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
        self.files.iter().map(|file| file.columns.path.clone()).collect()
    }

    fn places(&self, region: &Region) -> Option<Vec<FilePlace>> {
        Some(file_places(&self.firsts(), region))
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let (start, rows) = (region.origin[0], region.shape[0] as u64);
        let fields: Vec<&Field> = columns.iter().map(|c| &self.schema.fields[*c]).collect();
        let mut arrays: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
        let mut name = None;
        for (i, skip, take) in pieces(&self.edges, start, start + rows) {
            let (file, batch) = (&self.files[self.batches[i].0], self.batches[i].1);
            let path = &file.columns.path;
            name = Some(path);
            let damaged = |e: String| Failure::data(format!("cannot read {}: {e}", path.display()));
            let read = self.decoded.get(i, columns, || file.batch(batch, columns));
            let read = read.map_err(damaged)?;
            for ((all, array), column) in arrays.iter_mut().zip(&*read).zip(columns) {
                // A copy: a tile must not hold on to the whole mapped file, or batch.
                let rows = owned_slice(array, skip, take).map_err(|e| damaged(e.to_string()))?;
                self.lost.see(*column, &rows);
                all.push(rows);
            }
            // Values that are not compressed are copied only now.
            file.whole().map_err(damaged)?;
            if skip as u64 + take as u64 == file.rows()[batch] {
                file.release(batch);
            }
        }
        columns_of(arrays, &fields).map_err(|e| match name {
            Some(path) => Failure::data(format!("cannot read {}: {e}", path.display())),
            None => Failure::internal(e),
        })
    }

    fn is_remote(&self) -> bool {
        self.files.iter().any(ArrowFile::is_remote)
    }

    fn ahead(&self, region: &Region, columns: &[usize]) -> Ahead {
        let (start, rows) = (region.origin[0], region.shape[0] as u64);
        let pieces = pieces(&self.edges, start, start + rows).into_iter();
        let ask = |(i, _, _): (usize, _, _)| {
            let (file, batch) = self.batches[i];
            self.files[file].ask(batch, columns)
        };
        Ahead(pieces.filter_map(ask).collect())
    }

    fn warnings(&self) -> Vec<Warning> {
        losses(self.files.iter().map(|f| &f.columns), self.all)
    }

    fn met(&self) -> Vec<Warning> {
        let first = self.files.first().map(|f| &f.columns.path);
        first.map(|path| self.lost.warnings(path, &self.schema.fields)).unwrap_or_default()
    }

    fn unread(&self) -> Vec<Unread> {
        unread_of_all(self.files.iter().map(|f| &f.columns))
    }

    fn memory(&self, columns: &[usize]) -> u64 {
        // What reads no columns of the file reads nothing of it.
        if columns.is_empty() {
            return 0;
        }
        self.files.iter().map(ArrowFile::memory).max().unwrap_or(0)
    }

    fn stored_otherwise(&self) -> Vec<(String, String)> {
        stored_otherwise(self.files.iter().map(|f| &f.columns))
    }

    fn describe(&self) -> String {
        let rows = self.edges.last().copied().unwrap_or(0);
        let batches = self.batches.len();
        let more = match self.files.len() {
            1 => String::new(),
            n => format!(" … ({n} files)"),
        };
        let first =
            self.files.first().map(|f| f.columns.path.display().to_string()).unwrap_or_default();
        format!("arrow {first}{more}: {rows} rows, {batches} batches")
    }
}
