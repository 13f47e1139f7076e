//! A file as a part of a reader's rows.
use super::codec::Codec;
use crate::ledger::States;
use arrow_array::ArrayRef;
use base::{Failure, Region, Schema};
use formats::TileSource;
use plan::Print;
use plan::physical::{Op, Physical};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a piece is known by: a reader and a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PieceId {
    /// The node that reads it.
    pub read: usize,
    /// The file.
    pub path: PathBuf,
}

/// A file whose rows are to be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Which one.
    pub id: PieceId,
    /// The place of its first row among those of all files.
    pub first: u64,
    /// What its contents are known by.
    pub print: Print,
    /// The sizes of its box.
    pub sizes: Vec<u64>,
    /// How many tiles it has.
    pub tiles: u64,
    /// What a ledger has of it: states of tiles, for the reduction of this number.
    pub noted: Vec<(u32, States)>,
    /// Tiles whose states, for the reduction of this number, are among those that are noted of
    /// another piece.
    pub elsewhere: Vec<(u32, u64)>,
}

/// A piece that could not be taken, and why.
pub type Refused = (PieceId, String);

impl Piece {
    /// The tiles of which states of a reduction are noted.
    pub(crate) fn covered(&self, head: usize) -> HashSet<u64> {
        let of_head = self.noted.iter().filter(|(of, _)| *of as usize == head);
        let noted = of_head.flat_map(|(_, states)| &states.of).map(|tile| *tile as u64);
        let elsewhere = self.elsewhere.iter().filter(|(of, _)| *of as usize == head);
        noted.chain(elsewhere.map(|(_, tile)| *tile)).collect()
    }

    /// The same, of which a ledger has nothing.
    pub(crate) fn plain(self) -> Piece {
        Piece { noted: Vec::new(), elsewhere: Vec::new(), ..self }
    }
}

impl PieceId {
    /// By what results are known that are of this file alone.
    pub(crate) fn print(&self) -> Print {
        file_print(&self.path)
    }

    /// A number for it, the same in every process.
    pub(crate) fn number(&self) -> u64 {
        let start = 0xcbf2_9ce4_8422_2325 ^ self.read as u64;
        let bytes = self.path.as_os_str().as_encoded_bytes().iter();
        let word = bytes.fold(start, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
        word ^ (word >> 29)
    }
}

/// By what results are known that are of one file alone.
pub(crate) fn file_print(path: &Path) -> Print {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    Print::of([path.as_os_str().as_encoded_bytes()])
}

/// Opens a file as one more of those that a reader reads.
///
/// # Errors
/// If it is not whole, or does not have the columns that the plan was made for.
pub(crate) fn open(
    physical: &Physical,
    read: usize,
    path: &Path,
) -> Result<Arc<dyn TileSource>, Failure> {
    let node = physical.nodes.get(read).map(|node| &node.op);
    let Some(Op::Read(read)) = node else { return Err(foreign()) };
    let (Some(files), Some(all)) = (&read.files, &read.source) else { return Err(foreign()) };
    let source = files.open(path).map_err(|e| Failure::data(e.message))?;
    match misfit(&**all, &*source)? {
        None => Ok(source),
        Some(what) => Err(Failure::data(format!("{}: {what}", path.display()))),
    }
}

/// What of a file the plan was not made for.
fn misfit(all: &dyn TileSource, one: &dyn TileSource) -> Result<Option<String>, Failure> {
    let (a, b) = (all.schema(), one.schema());
    let names = |s: &Schema| s.domain.dims.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
    if names(a) != names(b) || a.fields.len() != b.fields.len() {
        return Ok(Some("it does not have the columns of the other files".into()));
    }
    for (dim, (a, b)) in a.domain.dims.iter().zip(&b.domain.dims).enumerate() {
        if all.along() != Some(dim) && a.size != b.size {
            return Ok(Some(format!("`{}` has other points than in the other files", a.name)));
        }
    }
    for (i, (a_field, b_field)) in a.fields.iter().zip(&b.fields).enumerate() {
        let name = &a_field.name;
        if name != &b_field.name || a_field.mask != b_field.mask {
            return Ok(Some(format!("it lacks the column `{name}` of the other files")));
        }
        if a_field.dtype != b_field.dtype {
            let (a, b) = (a_field.dtype, b_field.dtype);
            return Ok(Some(format!("column `{name}` is {b}, and {a} in the other files")));
        }
        let Some(dim) = a.coordinate(i).filter(|_| a.domain.dims.len() > 1) else { continue };
        let other = match all.along() == Some(dim) {
            true => a_field.attributes.get("units") != b_field.attributes.get("units"),
            false => values(all, i, dim)? != values(one, i, dim)?,
        };
        if other {
            return Ok(Some(format!("`{name}` is not that of the other files")));
        }
    }
    Ok(None)
}

/// What the box of all files together depends on of one of them: its sizes, and the coordinate of
/// the dimension along which they follow each other.
pub(crate) fn domain(
    physical: &Physical,
    read: usize,
    source: &dyn TileSource,
) -> Result<Print, Failure> {
    let schema = source.schema();
    let sizes: Vec<u8> = schema.domain.sizes().iter().flat_map(|size| size.to_le_bytes()).collect();
    let mut parts = vec![sizes];
    let along = match physical.nodes.get(read).map(|node| &node.op) {
        Some(Op::Read(read)) => read.source.as_ref().and_then(|source| source.along()),
        _ => None,
    };
    let column = (0..schema.fields.len()).find(|i| {
        along.is_some() && schema.coordinate(*i) == along && schema.domain.dims.len() > 1
    });
    if let (Some(i), Some(dim)) = (column, along) {
        let codec = Codec::new(&schema.fields[i..=i])?;
        let values = values(source, i, dim)?;
        let rows = values.first().map_or(0, |array| array.len());
        parts.extend(codec.encode(&values, rows)?);
    }
    Ok(Print::of(parts))
}

/// The values of a coordinate.
fn values(source: &dyn TileSource, column: usize, dim: usize) -> Result<Vec<ArrayRef>, Failure> {
    let dims = &source.schema().domain.dims;
    let mut region = Region { origin: vec![0; dims.len()], shape: vec![1; dims.len()] };
    region.shape[dim] = dims[dim].size.unwrap_or(0) as usize;
    Ok(source.read(&region, &[column])?.into_iter().map(|c| c.array).collect())
}

fn foreign() -> Failure {
    Failure::internal("a piece of what is not read from files")
}
