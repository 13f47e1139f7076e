//! The columns of a file, and several files as one input: they must have the same columns.
use super::fields::{choose, unread};
use super::kinds::{is_open, is_widened, left_out, narrowings, type_name};
use crate::{FormatError, FormatErrorKind, OpenRequest, Unread};
use base::{DType, Field, Warning};
use std::path::{Path, PathBuf};

/// The columns of one file, those that are read and those that are not.
pub(crate) struct FileColumns {
    pub(crate) path: PathBuf,
    /// Where each column that is read stands in the file.
    pub(crate) places: Vec<usize>,
    /// As they are read.
    pub(crate) fields: Vec<Field>,
    /// As the file has them.
    pub(crate) stored: Vec<arrow_schema::Field>,
    pub(crate) unread: Vec<Unread>,
}

impl FileColumns {
    /// Finds the columns to read in what a file has.
    ///
    /// # Errors
    /// Names the file if it lacks one of them, or it cannot be read.
    pub(crate) fn choose(
        path: &Path,
        file: &arrow_schema::Schema,
        wanted: Option<&[String]>,
    ) -> Result<FileColumns, FormatError> {
        let chosen = choose(file, wanted).map_err(|e| in_file(e, path))?;
        let (places, fields): (Vec<usize>, Vec<Field>) = chosen.into_iter().unzip();
        let stored = places.iter().map(|place| file.field(*place).clone()).collect();
        let unread = unread(file, wanted);
        Ok(FileColumns { path: path.to_path_buf(), places, fields, stored, unread })
    }

    /// Brings the columns into this order; leaves out those that it does not name.
    fn reorder(&mut self, order: &[usize]) {
        self.places = order.iter().map(|i| self.places[*i]).collect();
        self.fields = order.iter().map(|i| self.fields[*i].clone()).collect();
        self.stored = order.iter().map(|i| self.stored[*i].clone()).collect();
    }

    /// Gives columns of which the file does not say the type that which they are known to have.
    fn settle(&mut self, known: &[(String, DType)]) {
        let open = self.fields.iter_mut().zip(&self.stored).filter(|(_, stored)| is_open(stored));
        for (field, _) in open {
            let like = known.iter().find(|(name, _)| **name == *field.name);
            field.dtype = like.map_or(field.dtype, |(_, dtype)| *dtype);
        }
    }

    fn kind_of_unread(&self, name: &str) -> Option<&str> {
        self.unread.iter().find(|u| u.name == name)?.kind()
    }
}

/// Brings the columns of all files into the order of the first.
///
/// # Errors
/// Names two files that do not have the same columns, where no columns were asked for, or of which
/// one has another type.
pub(crate) fn together(
    files: &mut [&mut FileColumns],
    request: &OpenRequest,
) -> Result<(), FormatError> {
    let known = known(files, request);
    files.iter_mut().for_each(|file| file.settle(&known));
    let Some((first, others)) = files.split_first_mut() else { return Ok(()) };
    for other in others {
        let order = agree(first, other, request.columns.is_none())?;
        other.reorder(&order);
    }
    Ok(())
}

/// The types of columns as files say them that do, or as is known of others.
fn known(files: &[&mut FileColumns], request: &OpenRequest) -> Vec<(String, DType)> {
    let said = files.iter().flat_map(|file| file.fields.iter().zip(&file.stored));
    let said = said.filter(|(_, stored)| !is_open(stored));
    let said = said.map(|(field, _)| (field.name.to_string(), field.dtype));
    let asked = request.columns.iter().flatten().cloned().zip(request.types.iter().copied());
    said.chain(asked).collect()
}

/// Where the columns of the first file stand among those of another one.
fn agree(first: &FileColumns, other: &FileColumns, all: bool) -> Result<Vec<usize>, FormatError> {
    let differ = |what: String| {
        let (a, b) = (first.path.display(), other.path.display());
        FormatError::new(FormatErrorKind::Corrupt, format!("{a} and {b} differ: {what}"))
    };
    let unreadable = |name: &str, kind: &str, which: &str| {
        differ(format!("column `{name}` is {kind} in the {which}, which cannot be read"))
    };
    let extra = |f: &&Field| !first.fields.iter().any(|g| g.name == f.name);
    if let Some(f) = other.fields.iter().find(extra).filter(|_| all) {
        return Err(match first.kind_of_unread(&f.name) {
            Some(kind) => unreadable(&f.name, kind, "first"),
            None => differ(format!("only the second has a column `{}`", f.name)),
        });
    }
    let place = |f: &Field| {
        let Some(i) = other.fields.iter().position(|g| g.name == f.name) else {
            return Err(match other.kind_of_unread(&f.name) {
                Some(kind) => unreadable(&f.name, kind, "second"),
                None => differ(format!("only the first has a column `{}`", f.name)),
            });
        };
        let (name, one, two) = (&f.name, f.dtype, other.fields[i].dtype);
        match one == two {
            true => Ok(i),
            false => {
                Err(differ(format!("column `{name}` is {one} in the first, {two} in the second")))
            }
        }
    };
    first.fields.iter().map(place).collect()
}

/// What is lost by reading files: the columns that are left out of them if all are `wanted`, and
/// those that are read as other types; each told of the first file where it is so.
pub(crate) fn losses<'a>(
    files: impl Iterator<Item = &'a FileColumns> + Clone,
    wanted: bool,
) -> Vec<Warning> {
    let mut told: Vec<Unread> = Vec::new();
    let mut warnings = Vec::new();
    for file in files.clone().filter(|_| wanted) {
        let new = file.unread.iter().filter(|u| !told.iter().any(|t| t.name == u.name));
        let new: Vec<Unread> = new.cloned().collect();
        warnings.extend(left_out(&file.path, &new));
        told.extend(new);
    }
    // Of an open column some other file may have said the type.
    let said = |name: &str| {
        let mut stored = files.clone().flat_map(|f| &f.stored);
        stored.any(|f| f.name() == name && !is_open(f))
    };
    let mut seen: Vec<&str> = Vec::new();
    for file in files.clone() {
        let lost = narrowings(&file.path, file.stored.iter(), |name| !said(name));
        for (name, warning) in lost {
            if !seen.contains(&name) {
                seen.push(name);
                warnings.push(warning);
            }
        }
    }
    warnings
}

/// The columns that are read of none of the files.
pub(crate) fn unread_of_all<'a>(files: impl Iterator<Item = &'a FileColumns>) -> Vec<Unread> {
    let mut all: Vec<Unread> = Vec::new();
    for unread in files.flat_map(|f| &f.unread) {
        if !all.iter().any(|known| known.name == unread.name) {
            all.push(unread.clone());
        }
    }
    all
}

/// The columns that a file has as a type that no column has, and what it calls it.
pub(crate) fn stored_otherwise<'a>(
    files: impl Iterator<Item = &'a FileColumns>,
) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for field in files.flat_map(|f| &f.stored).filter(|f| is_widened(f)) {
        if !all.iter().any(|(name, _)| name == field.name()) {
            all.push((field.name().clone(), type_name(field)));
        }
    }
    all
}

/// An error that names the file.
pub(crate) fn in_file(mut error: FormatError, path: &Path) -> FormatError {
    error.message = format!("{}: {}", path.display(), error.message);
    error
}
