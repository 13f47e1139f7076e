//! Several files as one input: they must have the same columns.
use crate::{FormatError, FormatErrorKind};
use base::Field;
use std::path::Path;

/// Where the columns of the first file stand among those of another one.
///
/// # Errors
/// Names both files if a column is not in both, or has another type; if `all` columns are
/// wanted, the other one must not have more of them.
pub(crate) fn agree(
    first: (&Path, &[Field]),
    other: (&Path, &[Field]),
    all: bool,
) -> Result<Vec<usize>, FormatError> {
    let differ = |what: String| {
        let (a, b) = (first.0.display(), other.0.display());
        FormatError::new(FormatErrorKind::Corrupt, format!("{a} and {b} differ: {what}"))
    };
    let extra = |f: &&Field| !first.1.iter().any(|g| g.name == f.name);
    if let Some(f) = other.1.iter().find(extra).filter(|_| all) {
        return Err(differ(format!("only the second has a column `{}`", f.name)));
    }
    let place = |f: &Field| {
        let Some(i) = other.1.iter().position(|g| g.name == f.name) else {
            return Err(differ(format!("only the first has a column `{}`", f.name)));
        };
        let (name, one, two) = (&f.name, f.dtype, other.1[i].dtype);
        match one == two {
            true => Ok(i),
            false => {
                Err(differ(format!("column `{name}` is {one} in the first, {two} in the second")))
            }
        }
    };
    first.1.iter().map(place).collect()
}
