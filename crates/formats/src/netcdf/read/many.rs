//! Several NetCDF files, one after the other along a dimension, as one source.
//!
//! Only some are open at a time: a source of thousands would not find as many file handles.
use super::source::{self, NetCdfSource, Request};
use crate::{FilePlace, FormatError, FormatErrorKind, Memo, TileSource};
use arrow_array::{Array, ArrayRef, Float64Array};
use base::{Column, Failure, Region, Schema, Tiling, along};
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Files that are open at a time, at most.
const OPEN: usize = 32;

/// Opens files that follow each other along the dimension that `along` names, or in which alone
/// they differ. Of which there are memos those are not opened.
pub(super) fn open(
    paths: &[PathBuf],
    memos: &HashMap<PathBuf, Memo>,
    request: Request,
    along: Option<&str>,
) -> Result<Arc<dyn TileSource>, FormatError> {
    let mut files = Vec::new();
    for path in paths {
        files.push(match memos.get(path).and_then(Memo::get::<Facts>) {
            Some(facts) => Facts { path: path.clone(), remembered: true, ..(*facts).clone() },
            None => {
                let corrupt =
                    |f: Failure| FormatError::new(FormatErrorKind::Corrupt, f.to_string());
                Facts::of(&source::one(path, &request)?, path).map_err(corrupt)?
            }
        });
    }
    let dim = dimension(&files, along)?;
    for other in &files[1..] {
        agree(&files[0], other, dim)?;
    }
    let files = in_order(files, dim);
    let mut schema = files[0].schema.clone();
    for (i, field) in schema.fields.iter_mut().enumerate() {
        field.nullable = files.iter().any(|f| f.schema.fields[i].nullable);
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for file in &files {
        let size = file.size(dim);
        let coordinates = file.remembered.then(|| file.coordinates.clone());
        let (path, chunk) = (file.path.clone(), file.chunk.clone());
        parts.push(Part { path, start, size, chunk, coordinates: coordinates.unwrap_or_default() });
        start += size;
    }
    schema.domain.dims[dim].size = Some(start);
    let describe = files[0].describe.clone();
    let open = Mutex::default();
    Ok(Arc::new(Series { schema, dim, parts, request, describe, open }))
}

/// What must be known of a file to put it beside others.
#[derive(Clone)]
pub(super) struct Facts {
    path: PathBuf,
    schema: Schema,
    /// The values of each dimension's coordinate, if it has one.
    coordinates: Vec<Option<ArrayRef>>,
    chunk: Option<Vec<u64>>,
    describe: String,
    /// Whether it was not looked at again.
    remembered: bool,
}

impl Facts {
    pub(super) fn of(file: &NetCdfSource, path: &Path) -> Result<Facts, Failure> {
        let schema = file.schema().clone();
        let mut coordinates = vec![None; schema.domain.dims.len()];
        for (i, dim) in (0..schema.fields.len()).filter_map(|i| Some((i, schema.coordinate(i)?))) {
            let mut region =
                Region { origin: vec![0; coordinates.len()], shape: vec![1; coordinates.len()] };
            region.shape[dim] = schema.domain.dims[dim].size.unwrap_or(0) as usize;
            let column = file.read(&region, &[i])?.pop();
            coordinates[dim] = column.map(|c| c.array);
        }
        let (chunk, describe) = (file.chunk(), file.describe());
        let path = path.to_path_buf();
        Ok(Facts { path, schema, coordinates, chunk, describe, remembered: false })
    }

    fn size(&self, dim: usize) -> u64 {
        self.schema.domain.dims[dim].size.unwrap_or(0)
    }

    /// The first and the last value of a coordinate.
    fn ends(&self, dim: usize) -> Option<(f64, f64)> {
        let values =
            arrow_cast::cast(self.coordinates[dim].as_ref()?, &arrow_schema::DataType::Float64);
        let values = values.ok()?;
        let values = values.as_any().downcast_ref::<Float64Array>()?;
        let last = values.len().checked_sub(1)?;
        (values.null_count() == 0).then(|| (values.value(0), values.value(last)))
    }
}

fn differ(one: &Facts, two: &Facts, what: &str) -> FormatError {
    let (a, b) = (one.path.display(), two.path.display());
    FormatError::new(FormatErrorKind::Corrupt, format!("{a} and {b} differ: {what}"))
}

/// The position of the dimension along which files follow each other.
fn dimension(files: &[Facts], along: Option<&str>) -> Result<usize, FormatError> {
    let first = &files[0];
    let dims = &first.schema.domain.dims;
    let names = |list: &[usize]| {
        list.iter().map(|d| format!("`{}`", dims[*d].name)).collect::<Vec<_>>().join(", ")
    };
    if let Some(name) = along {
        return first.schema.domain.position(name).ok_or_else(|| FormatError {
            kind: FormatErrorKind::BadOption("along".to_string()),
            message: format!("{} has no dimension `{name}`", first.path.display()),
            help: Some(format!("it has {}", names(&(0..dims.len()).collect::<Vec<_>>()))),
        });
    }
    files[1..].iter().try_for_each(|other| same_dimensions(first, other))?;
    let differs = |dim: &usize| {
        files[1..].iter().any(|other| {
            other.size(*dim) != first.size(*dim)
                || other.coordinates[*dim] != first.coordinates[*dim]
        })
    };
    let found: Vec<usize> = (0..dims.len()).filter(differs).collect();
    let message = match &found[..] {
        [one] => return Ok(*one),
        [] => "no dimension tells how the files follow each other".to_string(),
        several => {
            format!("the files differ in {}, and can follow each other along one", names(several))
        }
    };
    let help = Some("say along which one: `along: time`".to_string());
    Err(FormatError { kind: FormatErrorKind::Unsupported(None), message, help })
}

/// Whether another file has dimensions of the same names, in the same order.
fn same_dimensions(first: &Facts, other: &Facts) -> Result<(), FormatError> {
    let names = |f: &Facts| f.schema.domain.dims.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
    match names(first) == names(other) {
        true => Ok(()),
        false => Err(differ(first, other, "they have other dimensions")),
    }
}

/// Whether another file has the same columns, and the same box but for one dimension.
fn agree(first: &Facts, other: &Facts, along: usize) -> Result<(), FormatError> {
    let (one, two) = (&first.schema, &other.schema);
    same_dimensions(first, other)?;
    for (dim, d) in one.domain.dims.iter().enumerate().filter(|(dim, _)| *dim != along) {
        let (a, b) = (first.size(dim), other.size(dim));
        if a != b {
            return Err(differ(first, other, &format!("`{}` has {a} points and {b}", d.name)));
        }
        if first.coordinates[dim] != other.coordinates[dim] {
            return Err(differ(first, other, &format!("`{}` has other values", d.name)));
        }
    }
    for i in 0..one.fields.len().max(two.fields.len()) {
        let (Some(a), Some(b)) = (one.fields.get(i), two.fields.get(i)) else {
            return Err(differ(first, other, "one has more variables; choose with `columns:`"));
        };
        if a.name != b.name || a.dtype != b.dtype || a.mask != b.mask {
            let what =
                format!("`{}` of type {} is `{}` of type {}", a.name, a.dtype, b.name, b.dtype);
            return Err(differ(first, other, &format!("{what}, or varies along other dimensions")));
        }
        let counted = |f: &base::Field| f.attributes.get("units").cloned();
        if one.coordinate(i) == Some(along) && counted(a) != counted(b) {
            let error = differ(first, other, &format!("`{}` has other units", a.name));
            let help =
                Some("times of other units can be put in order with `decode_times: true`".into());
            return Err(FormatError { help, ..error });
        }
    }
    Ok(())
}

/// Files in the order of their coordinate, if that puts all values in order; else as they are named.
fn in_order(files: Vec<Facts>, dim: usize) -> Vec<Facts> {
    let ends: Option<Vec<(f64, f64)>> = files.iter().map(|f| f.ends(dim)).collect();
    let Some(ends) = ends else { return files };
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by(|a, b| ends[*a].0.total_cmp(&ends[*b].0));
    let ascends = |w: &[usize]| ends[w[0]].0 <= ends[w[0]].1 && ends[w[0]].1 < ends[w[1]].0;
    if !order.windows(2).all(ascends) {
        return files;
    }
    let mut files: Vec<_> = ends.into_iter().zip(files).collect();
    files.sort_by(|(a, _), (b, _)| a.0.total_cmp(&b.0));
    files.into_iter().map(|(_, file)| file).collect()
}

/// A file, and what it has of the dimension.
struct Part {
    path: PathBuf,
    start: u64,
    size: u64,
    chunk: Option<Vec<u64>>,
    /// The values of the coordinates, by their dimensions, if they are remembered.
    coordinates: Vec<Option<ArrayRef>>,
}

/// Files one after the other.
struct Series {
    schema: Schema,
    dim: usize,
    parts: Vec<Part>,
    request: Request,
    describe: String,
    /// Files that are open, the one used last at the end.
    open: Mutex<VecDeque<(usize, Arc<NetCdfSource>)>>,
}

impl Series {
    fn file(&self, part: usize) -> Result<Arc<NetCdfSource>, Failure> {
        let lock = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut open = lock();
            if let Some(at) = open.iter().position(|(p, _)| *p == part)
                && let Some(known) = open.remove(at)
            {
                open.push_back(known.clone());
                return Ok(known.1);
            }
        }
        let path = &self.parts[part].path;
        let file = source::one(path, &self.request).map_err(|e| Failure::data(e.message))?;
        let size = file.schema().domain.dims.get(self.dim).and_then(|d| d.size);
        if size != Some(self.parts[part].size) {
            let message = format!("{} has been changed since the run began", path.display());
            return Err(Failure::data(message));
        }
        let file = Arc::new(file);
        let mut open = lock();
        open.push_back((part, file.clone()));
        if open.len() > OPEN {
            open.pop_front();
        }
        Ok(file)
    }

    /// Columns in a region of a file; it is not opened for coordinates that are remembered.
    fn values(
        &self,
        part: usize,
        region: &Region,
        columns: &[usize],
    ) -> Result<Vec<Column>, Failure> {
        let remembered = |i: &usize| {
            let dim = self.schema.coordinate(*i)?;
            let array = self.parts[part].coordinates.get(dim)?.as_ref()?;
            let array = array.slice(region.origin[dim] as usize, region.shape[dim]);
            Some(Column { mask: self.schema.fields[*i].mask, array })
        };
        match columns.iter().map(remembered).collect() {
            Some(columns) => Ok(columns),
            None => self.file(part)?.read(region, columns),
        }
    }

    /// What a region has of a file.
    fn cut(&self, part: &Part, region: &Region) -> Option<Region> {
        let (from, to) =
            (region.origin[self.dim], region.origin[self.dim] + region.shape[self.dim] as u64);
        let (from, to) = (from.max(part.start), to.min(part.start + part.size));
        let mut cut = region.clone();
        cut.origin[self.dim] = from.checked_sub(part.start)?;
        cut.shape[self.dim] = to.checked_sub(from).filter(|n| *n > 0)? as usize;
        Some(cut)
    }
}

impl TileSource for Series {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn tiling(&self, points: u64) -> Option<Tiling> {
        let tiling = |part: &Part| {
            let mut domain = self.schema.domain.clone();
            domain.dims[self.dim].size = Some(part.size);
            match &part.chunk {
                Some(chunk) => source::tiles(&domain, chunk, points),
                None => Tiling::by_points(&domain, points),
            }
        };
        let parts: Vec<Tiling> = self.parts.iter().map(tiling).collect();
        Some(Tiling::stacked(self.dim, &parts))
    }

    fn files(&self) -> Vec<PathBuf> {
        self.parts.iter().map(|part| part.path.clone()).collect()
    }

    fn places(&self, region: &Region) -> Option<Vec<FilePlace>> {
        let place = |(file, part)| Some(FilePlace { file, region: self.cut(part, region)? });
        let mut places: Vec<FilePlace> = self.parts.iter().enumerate().filter_map(place).collect();
        // All files have the same coordinates of the other dimensions.
        let mut others = 0..self.schema.fields.len();
        if others.any(|i| {
            !self.schema.fields[i].mask.has(self.dim) && self.schema.coordinate(i).is_none()
        }) {
            places.push(FilePlace { file: 0, region: region.clone() });
        }
        Some(places)
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let missing = || Failure::internal("there is no such column");
        let fields = columns.iter().map(|i| self.schema.fields.get(*i).ok_or_else(missing));
        let masks: Vec<_> = fields.map(|f| Ok(f?.mask)).collect::<Result<_, Failure>>()?;
        let mut pieces: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
        for (at, part) in self.parts.iter().enumerate() {
            let Some(cut) = self.cut(part, region) else { continue };
            let wanted = |k: &usize| masks[*k].has(self.dim);
            let along: Vec<usize> = (0..columns.len()).filter(wanted).collect();
            if along.is_empty() {
                break;
            }
            let names: Vec<usize> = along.iter().map(|k| columns[*k]).collect();
            for (k, column) in along.iter().zip(self.values(at, &cut, &names)?) {
                pieces[*k].push(column.array);
            }
        }
        // What does not vary along the dimension is that of the first file.
        let mut first = region.clone();
        (first.origin[self.dim], first.shape[self.dim]) = (0, 1);
        let column = |k: usize| {
            let mask = masks[k];
            if !mask.has(self.dim) {
                return self.values(0, &first, &columns[k..=k])?.pop().ok_or_else(missing);
            }
            let outer =
                mask.iter().take_while(|d| *d < self.dim).map(|d| region.shape[d]).product();
            Ok(Column {
                mask,
                array: along(&pieces[k], outer).map_err(|e| Failure::internal(e.to_string()))?,
            })
        };
        (0..columns.len()).map(column).collect()
    }

    fn along(&self) -> Option<usize> {
        Some(self.dim)
    }

    fn memory(&self, columns: &[usize]) -> u64 {
        // The files are of one kind.
        self.file(0).map_or(0, |file| file.memory(columns))
    }

    fn describe(&self) -> String {
        let name = &self.schema.domain.dims[self.dim].name;
        format!("{} files along {name}, the first one {}", self.parts.len(), self.describe)
    }
}
