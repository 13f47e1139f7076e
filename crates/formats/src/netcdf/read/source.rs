//! An opened NetCDF file as a source of tiles.
use super::choose::{Choice, Chosen, Content, choose};
use super::chunks;
use super::many::{self, Facts};
use super::met::{self, Met};
use super::storage::{Storage, Wanted};
use super::unkept;
use crate::input::Input;
use crate::netcdf::file::NcFile;
use crate::netcdf::slab;
use crate::{
    Ahead, FilePlace, FormatError, FormatErrorKind, Memo, OpenRequest, OptionValue, TileSource,
    Unkept, Unread,
};
use arrow_array::{ArrayRef, StringArray};
use arrow_buffer::MutableBuffer;
use base::{Column, Domain, Failure, Region, Schema, Tiling, Value, Warning};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tasks::store::{Hold, is_remote};

/// Opens a file, or several that follow each other.
pub(in crate::netcdf) fn open(request: &OpenRequest) -> Result<Arc<dyn TileSource>, FormatError> {
    let text = |name: &str, wanted: &str| match request.options.get(name) {
        None => Ok(None),
        Some(OptionValue::One(Value::Str(text))) => Ok(Some(text.clone())),
        Some(_) => {
            let kind = FormatErrorKind::BadOption(name.to_string());
            Err(FormatError::new(kind, format!("{wanted} is expected")))
        }
    };
    let decode_times = match request.options.get("decode_times") {
        None => false,
        Some(OptionValue::One(Value::Bool(yes))) => *yes,
        Some(_) => {
            let kind = FormatErrorKind::BadOption("decode_times".to_string());
            return Err(FormatError::new(kind, "true or false is expected"));
        }
    };
    let wanted = Request {
        group: text("group", "the path of a group")?.unwrap_or_default().to_string(),
        columns: request.columns.clone(),
        decode_times,
        met: Arc::new(Met::new(place(&request.paths))),
    };
    let along = text("along", "the name of a dimension")?;
    match (&request.paths[..], &along) {
        ([path], None) => Ok(Arc::new(one(path, &wanted)?)),
        (paths, along) => many::open(paths, &request.memos, wanted, along.as_deref()),
    }
}

/// What messages call the files.
fn place(paths: &[PathBuf]) -> String {
    let first = paths.first().map(|p| p.display().to_string()).unwrap_or_default();
    match paths.len() {
        0 | 1 => first,
        n => format!("{first} and {} more", n - 1),
    }
}

/// What is wanted of a file.
pub(super) struct Request {
    /// What reading it shows is noted here.
    pub(super) met: Arc<Met>,
    group: String,
    columns: Option<Vec<String>>,
    decode_times: bool,
}

/// Opens one file.
pub(super) fn one(path: &Path, request: &Request) -> Result<NetCdfSource, FormatError> {
    let missing = |e: std::io::Error| {
        let message = format!("{}: {}", path.display(), plain(&e));
        FormatError::new(FormatErrorKind::Missing, message)
    };
    let named_so = path.to_path_buf();
    let path = match is_remote(path) {
        true => path.to_path_buf(),
        false => std::path::absolute(path).map_err(missing)?,
    };
    let input = Input::open(&path).map_err(missing)?;
    let corrupt = |e: String| corrupt(&path, &e);
    let header = NcFile::of(&input).map_err(corrupt)?;
    let named =
        |e: FormatError| FormatError { message: format!("{}: {}", path.display(), e.message), ..e };
    let columns = request.columns.as_deref();
    let choice = choose(&header, &request.group, columns, request.decode_times).map_err(named)?;
    let storage = choice.chosen.iter().map(|_| OnceLock::new()).collect();
    let (warnings, met) = (met::unread(&named_so, &choice), request.met.clone());
    Ok(NetCdfSource { path, input, header, choice, storage, warnings, met })
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_string(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_string(),
        _ => error.to_string(),
    }
}

fn corrupt(path: &Path, error: &str) -> FormatError {
    let message = format!("{}: not a whole NetCDF file: {error}", path.display());
    let help = "it may be cut off or damaged, or of another format".to_string();
    FormatError { kind: FormatErrorKind::Corrupt, message, help: Some(help) }
}

/// An open file; where each variable lies is found out when it is first read.
pub(super) struct NetCdfSource {
    path: PathBuf,
    input: Input,
    header: NcFile,
    choice: Choice,
    storage: Vec<OnceLock<Result<Storage, String>>>,
    /// What its header says that its columns do not.
    pub(super) warnings: Vec<Warning>,
    met: Arc<Met>,
}

impl TileSource for NetCdfSource {
    fn schema(&self) -> &Schema {
        &self.choice.schema
    }

    fn tiling(&self, points: u64) -> Option<Tiling> {
        Some(tiles(&self.choice.schema.domain, &self.chunk()?, points))
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

    fn places(&self, region: &Region) -> Option<Vec<FilePlace>> {
        Some(vec![FilePlace { file: 0, region: region.clone() }])
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let read = |i: &usize| {
            let chosen = self.choice.chosen.get(*i).zip(self.choice.schema.fields.get(*i));
            let (chosen, field) =
                chosen.ok_or_else(|| Failure::internal(format!("there is no column {i}")))?;
            let named = |e: String| {
                let name = &chosen.variable.name;
                Failure::data(format!("{}: variable `{name}`: {e}", self.path.display()))
            };
            let array = self.column(*i, chosen, region).map_err(named)?;
            Ok(Column { mask: field.mask, array })
        };
        columns.iter().map(read).collect()
    }

    fn is_remote(&self) -> bool {
        self.input.is_remote()
    }

    fn ahead(&self, region: &Region, columns: &[usize]) -> Ahead {
        Ahead(columns.iter().filter_map(|i| self.ask(*i, region)).collect())
    }

    fn memo(&self) -> Result<Option<Memo>, Failure> {
        Facts::of(self, &self.path).map(|facts| Some(Memo::new(facts)))
    }

    fn along(&self) -> Option<usize> {
        None
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut list = self.warnings.clone();
        list.extend(met::emptied(&self.path.display().to_string(), &self.choice.schema));
        list
    }

    fn unread(&self) -> Vec<Unread> {
        self.choice.unread.clone()
    }

    fn unkept(&self) -> Vec<Unkept> {
        unkept::unkept(&self.choice)
    }

    fn met(&self) -> Vec<Warning> {
        self.met.all()
    }

    fn memory(&self, columns: &[usize]) -> u64 {
        let chosen = columns.iter().filter_map(|i| self.choice.chosen.get(*i));
        chosen.map(|c| chunks::memory(&c.variable)).sum()
    }

    fn describe(&self) -> String {
        let format = if self.header.is_hdf5() { "NetCDF-4" } else { "classic NetCDF" };
        let chunks = self.choice.chosen.iter().filter_map(|c| c.variable.chunks.as_ref());
        let layout = match chunks.max_by_key(|c| c.len()) {
            None => "contiguous".to_string(),
            Some(shape) => {
                let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
                format!("chunks of {}", sizes.join(" × "))
            }
        };
        let left_out = match &self.choice.left_out[..] {
            [] => String::new(),
            names => {
                let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
                format!(", without {}", names.join(", "))
            }
        };
        format!("{format} {}, {layout}{left_out}", self.path.display())
    }
}

/// A domain cut into chunks, or into several chunks each.
pub(super) fn tiles(domain: &Domain, chunk: &[u64], points: u64) -> Tiling {
    let sizes = domain.sizes();
    let chunk = chunk.iter().zip(&sizes).map(|(chunk, size)| (*chunk).min(*size).max(1));
    Tiling::even(domain, &fit(chunk.collect(), &sizes, points.max(1)))
}

/// Grows a chunk to a tile of at most about `points` points, whole trailing dimensions first; or,
/// if the chunk alone is much larger, cuts it, leading dimensions first.
fn fit(mut shape: Vec<u64>, sizes: &[u64], points: u64) -> Vec<u64> {
    let chunk: u64 = shape.iter().product();
    let mut over = chunk.div_ceil(points);
    if over > 2 {
        for step in &mut shape {
            let parts = over.min(*step);
            *step = step.div_ceil(parts);
            over = over.div_ceil(parts);
        }
        return shape;
    }
    for i in (0..shape.len()).rev() {
        let rest = shape.iter().product::<u64>() / shape[i];
        let most = (points / rest.max(1) / shape[i]).max(1);
        shape[i] = shape[i].saturating_mul(most).min(sizes[i].max(1));
        if shape[i] < sizes[i] {
            break;
        }
    }
    shape
}

impl NetCdfSource {
    /// The shape of the chunks along all dimensions, if the file is cut into chunks.
    pub(super) fn chunk(&self) -> Option<Vec<u64>> {
        let chosen = self.choice.chosen.iter().filter(|c| c.variable.chunks.is_some());
        // The variable with most dimensions decides; the others are small beside it.
        let main = chosen.reduce(|a, b| if b.dims.len() > a.dims.len() { b } else { a })?;
        let most = self.choice.chosen.iter().map(|c| c.dims.len()).max()?;
        let chunks = main.variable.chunks.as_ref().filter(|_| main.dims.len() == most)?;
        let mut shape = vec![1u64; self.choice.schema.domain.dims.len()];
        for (dim, chunk) in main.dims.iter().zip(chunks) {
            shape[*dim] = *chunk;
        }
        Some(shape)
    }

    fn column(&self, i: usize, chosen: &Chosen, region: &Region) -> Result<ArrayRef, String> {
        let origin: Vec<u64> = chosen.dims.iter().map(|d| region.origin[*d]).collect();
        let shape: Vec<usize> = chosen.dims.iter().map(|d| region.shape[*d]).collect();
        match &chosen.content {
            Content::Numbers(decoding) => {
                let width = chosen.variable.raw.width();
                let mut bytes = self.bytes(i, chosen, &origin, &shape)?;
                if let Some(order) = order(&chosen.dims) {
                    let mut turned = MutableBuffer::from_len_zeroed(bytes.len());
                    slab::transpose(&bytes, &shape, &order, width, &mut turned);
                    bytes = turned;
                }
                let (numbers, outside) = decoding.decode(bytes.into())?;
                self.met.outside(&chosen.variable.name, outside);
                match &chosen.times {
                    Some(times) => times.decode(&numbers),
                    None => Ok(numbers),
                }
            }
            Content::Texts => {
                let texts = self.texts(i, chosen, &origin, &shape)?;
                let replaced = texts.iter().filter(|t| t.contains('\u{FFFD}')).count();
                self.met.replaced(&chosen.variable.name, replaced as u64);
                Ok(Arc::new(StringArray::from(reorder(texts, &shape, &chosen.dims))))
            }
            Content::Letters | Content::Letter => {
                let texts = self.letters(i, chosen, &origin, &shape)?;
                Ok(Arc::new(StringArray::from(reorder(texts, &shape, &chosen.dims))))
            }
        }
    }

    /// The values of a box as the variable has them.
    fn bytes(
        &self,
        i: usize,
        chosen: &Chosen,
        origin: &[u64],
        shape: &[usize],
    ) -> Result<MutableBuffer, String> {
        let variable = &chosen.variable;
        self.storage(i, chosen)?.read(&self.input, &Wanted { variable, origin, shape })
    }

    fn storage(&self, i: usize, chosen: &Chosen) -> Result<&Storage, String> {
        let find = || Storage::find(&self.header, &chosen.variable);
        self.storage[i].get_or_init(find).as_ref().map_err(String::clone)
    }

    /// What a column has in a region, in the variable's own dimensions.
    fn boxed(&self, chosen: &Chosen, region: &Region) -> (Vec<u64>, Vec<usize>) {
        let mut origin: Vec<u64> = chosen.dims.iter().map(|d| region.origin[*d]).collect();
        let mut shape: Vec<usize> = chosen.dims.iter().map(|d| region.shape[*d]).collect();
        if let (Content::Letters, Some(length)) = (&chosen.content, chosen.variable.dims.last()) {
            origin.push(0);
            shape.push(length.size as usize);
        }
        (origin, shape)
    }

    fn ask(&self, i: usize, region: &Region) -> Option<Hold> {
        let chosen = self.choice.chosen.get(i)?;
        let (origin, shape) = self.boxed(chosen, region);
        let wanted = Wanted { variable: &chosen.variable, origin: &origin, shape: &shape };
        // What is wrong with it is told when it is read.
        self.input.ask(&self.storage(i, chosen).ok()?.ranges(&wanted))
    }

    /// Texts of any length.
    fn texts(
        &self,
        i: usize,
        chosen: &Chosen,
        origin: &[u64],
        shape: &[usize],
    ) -> Result<Vec<String>, String> {
        let bytes = self.bytes(i, chosen, origin, shape)?;
        let values = bytes.chunks_exact(chosen.variable.stored.width.max(1));
        values.map(|value| self.header.text(&chosen.variable, value)).collect()
    }

    /// Texts of fixed length, less the blanks and zeros behind them; or one letter each.
    fn letters(
        &self,
        i: usize,
        chosen: &Chosen,
        origin: &[u64],
        shape: &[usize],
    ) -> Result<Vec<String>, String> {
        let points: usize = shape.iter().product();
        let (mut origin, mut shape) = (origin.to_vec(), shape.to_vec());
        let joined = matches!(chosen.content, Content::Letters);
        let length = chosen.variable.dims.last().filter(|_| joined).map(|d| d.size as usize);
        if let Some(length) = length {
            origin.push(0);
            shape.push(length);
        }
        let length = length.unwrap_or(1);
        let letters = self.bytes(i, chosen, &origin, &shape)?;
        let encoding = chosen.variable.text("_Encoding").map(str::to_ascii_lowercase);
        let latin = encoding.is_some_and(|e| LATIN.contains(&&*e));
        let blanks: &[char] = if joined { &['\0', ' '] } else { &['\0'] };
        let mut replaced = 0;
        let mut text = |i: usize| {
            let bytes = &letters[i * length..(i + 1) * length];
            let text = match std::str::from_utf8(bytes) {
                Ok(text) if !latin => Cow::Borrowed(text),
                _ if latin => bytes.iter().map(|b| char::from(*b)).collect(),
                _ => {
                    replaced += 1;
                    String::from_utf8_lossy(bytes)
                }
            };
            text.trim_end_matches(blanks).to_string()
        };
        let texts = (0..points).map(&mut text).collect();
        self.met.replaced(&chosen.variable.name, replaced);
        Ok(texts)
    }
}

/// Names of ISO 8859-1, whose bytes are the first letters of Unicode.
const LATIN: [&str; 6] = ["latin1", "latin-1", "latin_1", "iso-8859-1", "iso8859-1", "iso_8859-1"];

/// How the variable's dimensions are to be ordered to stand as in the domain; `None` if they do.
fn order(dims: &[usize]) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = (0..dims.len()).collect();
    order.sort_by_key(|i| dims[*i]);
    (!order.is_sorted()).then_some(order)
}

fn reorder(texts: Vec<String>, shape: &[usize], dims: &[usize]) -> Vec<String> {
    let Some(order) = order(dims) else {
        return texts;
    };
    let places: Vec<u8> = (0..texts.len() as u64).flat_map(u64::to_ne_bytes).collect();
    let mut turned = vec![0; places.len()];
    slab::transpose(&places, shape, &order, 8, &mut turned);
    let place = |bytes: &[u8; 8]| texts[u64::from_ne_bytes(*bytes) as usize].clone();
    turned.as_chunks::<8>().0.iter().map(place).collect()
}
