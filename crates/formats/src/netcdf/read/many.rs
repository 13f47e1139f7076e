//! Several NetCDF files, one after the other along a dimension, as one source.
//!
//! Only some are open at a time: a source of thousands would not find as many file handles.
use super::agree::{agree, align, same_dimensions, units_differ};
use super::follow::in_order;
use super::met;
use super::source::{self, NetCdfSource, Request};
use crate::input::each;
use crate::{Ahead, FilePlace, FormatError, FormatErrorKind, Memo, TileSource, Unkept, Unread};
use arrow_array::ArrayRef;
use base::{Column, DType, Failure, Region, Schema, Tiling, Warning, along};
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tasks::store::is_remote;

/// Files that are open at a time, at most.
const OPEN: usize = 32;
/// The same of files that lie elsewhere.
const OPEN_ELSEWHERE: usize = 256;

/// Opens files that follow each other along the dimension that `along` names, or in which alone
/// they differ. Of which there are memos those are not opened.
pub(super) fn open(
    paths: &[PathBuf],
    memos: &HashMap<PathBuf, Memo>,
    request: Request,
    along: Option<&str>,
) -> Result<Arc<dyn TileSource>, FormatError> {
    // Those that lie elsewhere stay open: to open them again would wait again.
    let open: Mutex<HashMap<PathBuf, Arc<NetCdfSource>>> = Mutex::default();
    let facts = |path: &PathBuf| match memos.get(path).and_then(Memo::get::<Facts>) {
        Some(facts) => Ok(Facts { path: path.clone(), remembered: true, ..(*facts).clone() }),
        None => {
            let corrupt = |f: Failure| FormatError::new(FormatErrorKind::Corrupt, f.to_string());
            let file = source::one(path, &request)?;
            let facts = Facts::of(&file, path).map_err(corrupt)?;
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            if file.is_remote() && open.len() < OPEN_ELSEWHERE {
                open.insert(path.clone(), Arc::new(file));
            }
            Ok(facts)
        }
    };
    let mut files = each(paths, facts).into_iter().collect::<Result<Vec<_>, FormatError>>()?;
    twice(&files)?;
    if let Some((first, others)) = files.split_first_mut() {
        others.iter_mut().try_for_each(|other| align(first, other))?;
    }
    let dim = dimension(&files, along)?;
    for other in &files[1..] {
        agree(&files[0], other, dim)?;
    }
    let files = in_order(files, dim)?;
    let mut warnings = files[0].warnings.clone();
    warnings.extend(units_differ(&files, dim));
    let mut schema = files[0].schema.clone();
    for (i, field) in schema.fields.iter_mut().enumerate() {
        field.nullable = files.iter().any(|f| f.schema.fields[i].nullable);
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for file in &files {
        let size = file.size(dim);
        let coordinates = file.remembered.then(|| file.coordinates.clone());
        let (path, chunk, order) = (file.path.clone(), file.chunk.clone(), file.order.clone());
        let coordinates = coordinates.unwrap_or_default();
        parts.push(Part { path, start, size, chunk, order, coordinates });
        start += size;
    }
    schema.domain.dims[dim].size = Some(start);
    let describe = files[0].describe.clone();
    let mut known = open.into_inner().unwrap_or_else(PoisonError::into_inner);
    let still = |(i, part): (usize, &Part)| Some((i, known.remove(&part.path)?));
    let open: VecDeque<_> = parts.iter().enumerate().filter_map(still).collect();
    let most = if open.is_empty() { OPEN } else { OPEN_ELSEWHERE };
    let (open, unread) = (Mutex::new(open), files[0].unread.clone());
    Ok(Arc::new(Series { schema, dim, parts, request, describe, warnings, unread, most, open }))
}

/// Refuses a file that is named twice: its values would count twice.
fn twice(files: &[Facts]) -> Result<(), FormatError> {
    let mut known = HashMap::new();
    for file in files {
        let path = file.path.canonicalize().unwrap_or_else(|_| file.path.clone());
        if let Some(other) = known.insert(path, &file.path) {
            let (one, two) = (other.display(), file.path.display());
            let message = match *other == file.path {
                true => format!("{one} is named twice"),
                false => format!("{one} and {two} are the same file"),
            };
            let help = Some("its values would count twice: name it once".to_string());
            return Err(FormatError { kind: FormatErrorKind::Unsupported(None), message, help });
        }
    }
    Ok(())
}

/// What must be known of a file to put it beside others.
#[derive(Clone)]
pub(super) struct Facts {
    pub(super) path: PathBuf,
    pub(super) schema: Schema,
    /// The values of each dimension's coordinate, if it has one.
    pub(super) coordinates: Vec<Option<ArrayRef>>,
    /// Which column of the file each column of the first one is.
    pub(super) order: Vec<usize>,
    /// What its header says that its columns do not.
    warnings: Vec<Warning>,
    unread: Vec<Unread>,
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
        let (path, warnings) = (path.to_path_buf(), file.warnings.clone());
        let order = (0..schema.fields.len()).collect();
        let remembered = false;
        let unread = file.unread();
        Ok(Facts {
            path,
            schema,
            coordinates,
            order,
            warnings,
            unread,
            chunk,
            describe,
            remembered,
        })
    }

    /// The column that is the coordinate of a dimension.
    pub(super) fn coordinate(&self, dim: usize) -> Option<&base::Field> {
        let own = (0..self.schema.fields.len()).find(|i| self.schema.coordinate(*i) == Some(dim));
        own.map(|i| &self.schema.fields[i])
    }

    /// The units and the calendar of a coordinate that is not decoded.
    fn counted(&self, dim: usize) -> Option<(Option<&str>, Option<&str>)> {
        let field = self.coordinate(dim).filter(|f| f.dtype != DType::Timestamp)?;
        let text = |name| field.attributes.get(name).and_then(base::Attribute::text);
        Some((text("units"), text("calendar")))
    }

    /// Whether a dimension's coordinate is a time.
    fn in_time(&self, dim: usize) -> bool {
        let since = |units: &str| units.contains(" since ");
        let counted = self.counted(dim).and_then(|(units, _)| units).is_some_and(since);
        counted || self.coordinate(dim).is_some_and(|f| f.dtype == DType::Timestamp)
    }

    pub(super) fn size(&self, dim: usize) -> u64 {
        self.schema.domain.dims[dim].size.unwrap_or(0)
    }
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
                || other.counted(*dim) != first.counted(*dim)
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
    let likely = found.iter().copied().find(|d| first.in_time(*d));
    let likely = likely.or_else(|| (0..dims.len()).find(|d| first.in_time(*d)));
    let help = match likely.or(found.first().copied()).or((!dims.is_empty()).then_some(0)) {
        Some(dim) => format!("say along which one, such as `along: {}`", dims[dim].name),
        None => "they have no dimensions: read them one by one".to_string(),
    };
    Err(FormatError { kind: FormatErrorKind::Unsupported(None), message, help: Some(help) })
}

/// A file, and what it has of the dimension.
struct Part {
    path: PathBuf,
    start: u64,
    size: u64,
    chunk: Option<Vec<u64>>,
    /// Which of its columns each column is.
    order: Vec<usize>,
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
    warnings: Vec<Warning>,
    unread: Vec<Unread>,
    /// How many files are open at a time, at most.
    most: usize,
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
        if open.len() > self.most {
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
            None => {
                let missing = || Failure::internal("there is no such column");
                let order = &self.parts[part].order;
                let own = columns.iter().map(|i| order.get(*i).copied().ok_or_else(missing));
                self.file(part)?.read(region, &own.collect::<Result<Vec<_>, _>>()?)
            }
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

    fn is_remote(&self) -> bool {
        self.parts.iter().any(|part| is_remote(&part.path))
    }

    /// Of files that are open.
    fn ahead(&self, region: &Region, columns: &[usize]) -> Ahead {
        let mut ahead = Ahead::default();
        for (at, part) in self.parts.iter().enumerate() {
            let Some(cut) = self.cut(part, region) else { continue };
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let file = open.iter().find(|(p, _)| *p == at).map(|(_, file)| file.clone());
            drop(open);
            let own = columns.iter().filter(|i| self.schema.fields[**i].mask.has(self.dim));
            let own: Vec<usize> = own.filter_map(|i| part.order.get(*i).copied()).collect();
            ahead.0.extend(file.into_iter().flat_map(|file| file.ahead(&cut, &own).0));
        }
        ahead
    }

    fn along(&self) -> Option<usize> {
        Some(self.dim)
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut list = self.warnings.clone();
        let first = self.parts.first().map(|p| p.path.display().to_string()).unwrap_or_default();
        list.extend(met::emptied(&first, &self.schema));
        list
    }

    fn unread(&self) -> Vec<Unread> {
        self.unread.clone()
    }

    fn unkept(&self) -> Vec<Unkept> {
        // The files are of one kind.
        self.file(0).map_or(Vec::new(), |file| file.unkept())
    }

    fn met(&self) -> Vec<Warning> {
        self.request.met.all()
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
