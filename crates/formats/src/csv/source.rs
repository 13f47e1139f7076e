//! Reading: the rows of all files as one box; types are those that all files have.
use super::dialect::Dialect;
use super::file::{CsvFile, STRIDE, Wanted};
use super::guess::{Builder, Guess};
use crate::rows::{choose, edges, file_places, pieces};
use crate::{FilePlace, FormatError, FormatErrorKind, OpenRequest, TileSource};
use base::{Attributes, Column, DimMask, Domain, Failure, Region, Schema, Tiling};
use std::path::PathBuf;

/// An opened input of one or more files.
pub(super) struct CsvSource {
    schema: Schema,
    dialect: Dialect,
    files: Vec<CsvFile>,
    edges: Vec<u64>,
    /// For each column where it stands in a record, and its type.
    wanted: Vec<Wanted>,
    /// For each column what its values alone say of its type.
    guesses: Vec<Guess>,
}

impl CsvSource {
    /// Reads all files once.
    pub(super) fn open(request: &OpenRequest) -> Result<CsvSource, FormatError> {
        let no_files = || FormatError::new(FormatErrorKind::Missing, "there are no files to read");
        let first = request.paths.first().ok_or_else(no_files)?;
        let dialect = Dialect::new(&request.options, first)?;
        let mut files: Vec<CsvFile> = Vec::with_capacity(request.paths.len());
        let mut names: Vec<String> = Vec::new();
        let mut guesses: Vec<Option<Guess>> = Vec::new();
        for path in &request.paths {
            let mut file = CsvFile::open(path)?;
            let head = file.head(&dialect)?;
            if files.is_empty() {
                names = head.names.clone();
                let wanted = |n| request.columns.as_ref().is_none_or(|c| c.contains(n));
                guesses = names.iter().map(|n| wanted(n).then(Guess::new)).collect();
            } else if names != head.names {
                let (a, b) = (first.display(), path.display());
                let message = format!("{a} and {b} differ: they do not have the same columns");
                return Err(FormatError::new(FormatErrorKind::Corrupt, message));
            }
            file.index(&dialect, &head, &mut guesses)?;
            files.push(file);
        }
        let chosen = choose(&arrow_schema(&names, &guesses, request), request.columns.as_deref());
        let chosen = chosen.map_err(|mut e| {
            e.message = format!("{}: {}", first.display(), e.message);
            e
        })?;
        let wanted = chosen.iter().map(|(place, f)| (*place, f.dtype)).collect();
        let guess = |(place, _): &(usize, base::Field)| guesses[*place].unwrap_or_else(Guess::new);
        let guessed = chosen.iter().map(guess).collect();
        let fields = chosen.into_iter().map(|(_, f)| f).collect();
        let rows: u64 = files.iter().map(|f| f.rows).sum();
        let edges = edges(files.iter().map(|f| f.rows)).unwrap_or_default();
        let domain = Domain::new([("row", rows)]);
        let schema = Schema { domain, fields, attributes: Attributes::default() };
        Ok(CsvSource { schema, dialect, files, edges, wanted, guesses: guessed })
    }
}

/// All columns of the files; those that nobody wants have any type.
fn arrow_schema(
    names: &[String],
    guesses: &[Option<Guess>],
    request: &OpenRequest,
) -> arrow_schema::Schema {
    let like = |name: &String| {
        let place = request.columns.as_ref()?.iter().position(|column| column == name)?;
        request.types.get(place).copied()
    };
    let field = |(name, guess): (&String, &Option<Guess>)| {
        let guess = guess.unwrap_or_else(Guess::new);
        let dtype = guess.dtype_like(like(name));
        arrow_schema::Field::new(name, dtype.arrow(), guess.nullable(dtype))
    };
    arrow_schema::Schema::new(names.iter().zip(guesses).map(field).collect::<Vec<_>>())
}

impl TileSource for CsvSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Any cut will do, but rows that the index knows are found at once.
    fn tiling(&self, points: u64) -> Option<Tiling> {
        let step = if points < STRIDE { points } else { points - points % STRIDE };
        Some(Tiling::even(&self.schema.domain, &[step]))
    }

    fn tiling_by_file(&self, points: u64) -> Option<Tiling> {
        let step = if points < STRIDE { points } else { points - points % STRIDE };
        let cuts = self.edges.windows(2).flat_map(|file| (file[0]..file[1]).step_by(step as usize));
        let mut cuts: Vec<u64> = cuts.chain(self.edges.last().copied()).collect();
        if cuts.first() != Some(&0) {
            cuts.insert(0, 0);
        }
        Some(Tiling::at(cuts))
    }

    fn files(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }

    fn places(&self, region: &Region) -> Option<Vec<FilePlace>> {
        Some(file_places(&self.edges, region))
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let (start, rows) = (region.origin[0], region.shape[0]);
        let wanted: Vec<Wanted> = columns.iter().map(|c| self.wanted[*c]).collect();
        let mut builders: Vec<Builder> =
            wanted.iter().map(|(_, dtype)| Builder::new(*dtype, rows)).collect();
        for (file, skip, take) in pieces(&self.edges, start, start + rows as u64) {
            let range = (skip as u64, take);
            self.files[file].read(&self.dialect, range, &wanted, &mut builders)?;
        }
        let column = |b: Builder| Column { mask: DimMask::only(0), array: b.finish() };
        Ok(builders.into_iter().map(column).collect())
    }

    fn guesses(&self) -> Option<&[Guess]> {
        Some(&self.guesses)
    }

    fn describe(&self) -> String {
        let rows = self.edges.last().copied().unwrap_or(0);
        let first = self.files.first().map(|f| f.path.display().to_string()).unwrap_or_default();
        match self.files.len() {
            1 => format!("csv {first}: {rows} rows"),
            n => format!("csv {first} … ({n} files): {rows} rows"),
        }
    }
}
