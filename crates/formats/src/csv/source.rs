//! Reading: the rows of all files as one box; types are those that all files have.
use super::dialect::Dialect;
use super::file::{CsvFile, Look, STRIDE, Wanted};
use super::guess::Guess;
use super::values::Builder;
use crate::input::each;
use crate::rows::{bad_option, choose, edges, file_places, in_file, pieces};
use crate::{
    Ahead, FilePlace, FormatError, FormatErrorKind, NotRead, OpenRequest, TileSource, Unread,
};
use base::{
    Attributes, Code, Column, DimMask, Domain, Failure, Region, Schema, Tiling, Warning,
    did_you_mean,
};
use std::path::{Path, PathBuf};

/// An opened input of one or more files.
pub(super) struct CsvSource {
    schema: Schema,
    dialect: Dialect,
    files: Vec<CsvFile>,
    edges: Vec<u64>,
    /// For each column where it stands in the first file, and its type.
    wanted: Vec<Wanted>,
    /// For each column what its values alone say of its type.
    guesses: Vec<Guess>,
    warnings: Vec<Warning>,
    unread: Vec<Unread>,
}

impl CsvSource {
    /// Reads all files once.
    pub(super) fn open(request: &OpenRequest) -> Result<CsvSource, FormatError> {
        let no_files = || FormatError::new(FormatErrorKind::Missing, "there are no files to read");
        let first = request.paths.first().ok_or_else(no_files)?;
        let dialect = Dialect::new(&request.options, first)?;
        let mut files: Vec<CsvFile> = Vec::with_capacity(request.paths.len());
        let mut names: Vec<String> = Vec::new();
        let mut looks: Vec<Look> = Vec::new();
        for (path, file) in request.paths.iter().zip(each(&request.paths, |p| CsvFile::open(p))) {
            let mut file = file?;
            let head = file.head(&dialect)?;
            if files.is_empty() {
                names = head.names.clone();
                looks = names.iter().map(|name| look(name, &dialect, request)).collect();
                check_types(&dialect, &names)?;
            }
            let places = places((first, &names), (path, &head.names), request)?;
            file.index(&dialect, &head, places, (&names, &mut looks))?;
            files.push(file);
        }
        let chosen = choose(&arrow_schema(&names, &looks, request), request.columns.as_deref());
        let chosen = chosen.map_err(|e| in_file(e, first))?;
        let wanted: Vec<Wanted> =
            chosen.iter().map(|(place, f)| (*place, f.name.to_string(), f.dtype)).collect();
        let guess = |(place, _): &(usize, base::Field)| guess_of(&looks[*place]);
        let guesses = chosen.iter().map(guess).collect();
        let fields = chosen.into_iter().map(|(_, f)| f).collect();
        let rows: u64 = files.iter().map(|f| f.rows).sum();
        let edges = edges(files.iter().map(|f| f.rows)).unwrap_or_default();
        let domain = Domain::new([("row", rows)]);
        let schema = Schema { domain, fields, attributes: Attributes::default() };
        let warnings = doubts(first, &names, &looks);
        let unread = unread(&names, request.columns.as_deref());
        Ok(CsvSource { schema, dialect, files, edges, wanted, guesses, warnings, unread })
    }
}

/// What is to be found out of a column.
fn look(name: &String, dialect: &Dialect, request: &OpenRequest) -> Look {
    match request.columns.as_ref().is_none_or(|columns| columns.contains(name)) {
        false => Look::Pass,
        true => match dialect.type_of(name) {
            Some(dtype) => Look::Said(dtype, Guess::new()),
            None => Look::Guess(Guess::new()),
        },
    }
}

fn guess_of(look: &Look) -> Guess {
    match look {
        Look::Pass => Guess::new(),
        Look::Guess(guess) | Look::Said(_, guess) => *guess,
    }
}

/// Refuses types of columns that are not there.
fn check_types(dialect: &Dialect, names: &[String]) -> Result<(), FormatError> {
    let Some((name, _)) = dialect.types.iter().find(|(name, _)| !names.contains(name)) else {
        return Ok(());
    };
    let mut error = bad_option("types", format!("there is no column `{name}` in the file"));
    error.help = did_you_mean(name, names.iter().map(String::as_str));
    Err(error)
}

/// Where the columns of the first file stand in another one.
fn places(
    first: (&Path, &[String]),
    other: (&Path, &[String]),
    request: &OpenRequest,
) -> Result<Vec<Option<usize>>, FormatError> {
    let differ = |what: String| {
        let (a, b) = (first.0.display(), other.0.display());
        FormatError::new(FormatErrorKind::Corrupt, format!("{a} and {b} differ: {what}"))
    };
    // Equal names stand where they stand, and are refused if they are read.
    if first.1 == other.1 {
        return Ok((0..first.1.len()).map(Some).collect());
    }
    let wanted = |name: &String| request.columns.as_ref().is_none_or(|c| c.contains(name));
    if let Some(more) = other.1.iter().find(|name| wanted(name) && !first.1.contains(name)) {
        return Err(differ(format!("only the second has a column `{more}`")));
    }
    let place = |name: &String| match other.1.iter().position(|n| n == name) {
        None if wanted(name) => Err(differ(format!("only the first has a column `{name}`"))),
        place => Ok(place),
    };
    first.1.iter().map(place).collect()
}

fn unread(names: &[String], columns: Option<&[String]>) -> Vec<Unread> {
    let left = names.iter().filter(|name| columns.is_some_and(|c| !c.contains(name)));
    left.map(|name| Unread { name: name.clone(), why: NotRead::NotNamed }).collect()
}

/// What the values of columns leave open; of a file all of whose values stand in quotes, that
/// they do.
fn doubts(path: &Path, names: &[String], looks: &[Look]) -> Vec<Warning> {
    let guessed = names.iter().zip(looks).filter_map(|(name, look)| match look {
        Look::Guess(guess) => Some((name, guess)),
        _ => None,
    });
    let path = path.display();
    let (mut warnings, mut quoted, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for (name, guess) in guessed {
        open.extend(guess.is_open().then_some(name.as_str()));
        if let Some((what, help)) = guess.doubt(name) {
            let text = format!("{path}: column `{name}` {what}");
            warnings.push(Warning::new(Code::TypeGuessed, text).help(help));
        }
        if guess.cuts_times() {
            let text = format!("{path}: times of `{name}` are cut to whole microseconds");
            warnings.push(Warning::new(Code::TypeNarrowed, text));
        }
        quoted.extend(guess.quoted_numbers().then_some(name.as_str()));
    }
    if let Some(name) = open.first() {
        let names = open.join("`, `");
        let text = format!("{path}: there are no values of `{names}`, read as float64");
        let help = format!("say `types: {{ {name}: string }}` where they are texts");
        warnings.push(Warning::new(Code::TypeGuessed, text).help(help));
    }
    let bare = looks.iter().any(|look| guess_of(look).has_bare());
    if let (Some(name), false) = (quoted.first(), bare) {
        let names = quoted.join("`, `");
        let text = format!("{path}: all values stand in quotes, so that `{names}` is text");
        let help = format!("say `types: {{ {name}: float64 }}` where they are numbers");
        warnings.push(Warning::new(Code::TypeGuessed, text).help(help));
    }
    warnings
}

/// All columns of the files; those that nobody wants have any type.
fn arrow_schema(names: &[String], looks: &[Look], request: &OpenRequest) -> arrow_schema::Schema {
    let like = |name: &String| {
        let place = request.columns.as_ref()?.iter().position(|column| column == name)?;
        request.types.get(place).copied()
    };
    let field = |(name, look): (&String, &Look)| {
        let guess = guess_of(look);
        let dtype = match look {
            Look::Said(dtype, _) => *dtype,
            _ => guess.dtype_like(like(name)),
        };
        arrow_schema::Field::new(name, dtype.arrow(), guess.nullable(dtype))
    };
    arrow_schema::Schema::new(names.iter().zip(looks).map(field).collect::<Vec<_>>())
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
        let wanted: Vec<Wanted> = columns.iter().map(|c| self.wanted[*c].clone()).collect();
        let mut builders: Vec<Builder> =
            wanted.iter().map(|(_, _, dtype)| Builder::new(*dtype, rows)).collect();
        for (file, skip, take) in pieces(&self.edges, start, start + rows as u64) {
            let range = (skip as u64, take);
            self.files[file].read(&self.dialect, range, &wanted, &mut builders)?;
        }
        let column = |b: Builder| Column { mask: DimMask::only(0), array: b.finish() };
        Ok(builders.into_iter().map(column).collect())
    }

    fn is_remote(&self) -> bool {
        self.files.iter().any(CsvFile::is_remote)
    }

    fn ahead(&self, region: &Region, _columns: &[usize]) -> Ahead {
        let (start, rows) = (region.origin[0], region.shape[0] as u64);
        let pieces = pieces(&self.edges, start, start + rows).into_iter();
        Ahead(pieces.filter_map(|(i, skip, take)| self.files[i].ask(skip as u64, take)).collect())
    }

    fn guesses(&self) -> Option<&[Guess]> {
        Some(&self.guesses)
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }

    fn unread(&self) -> Vec<Unread> {
        self.unread.clone()
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
