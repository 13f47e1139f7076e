//! A NetCDF file as an output.
use super::by_library::{LibraryWriter, failed};
use super::chunk_end;
use super::chunk_log;
use super::chunked::ChunkedWriter;

use super::define::define;
use super::layout::{Layout, Way};
use super::placed::{self, PlacedWriter, Places};
use crate::netcdf::file::NcFile;
use crate::stage::{Stage, cannot_write};
use crate::{Arrangement, FormatError, Piece, Sink, TileWriter, WriteRequest, Written};
use base::{Code, DType, Failure, Tile, Warning};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Checks the schema and the options; touches no file.
pub(in crate::netcdf) fn sink(request: WriteRequest) -> Result<Arc<dyn Sink>, FormatError> {
    let layout = Arc::new(Layout::new(&request)?);
    // The library takes some relative names for web addresses.
    let path = std::path::absolute(&request.path).unwrap_or(request.path.clone());
    let stage = Stage::new(&path, &request.run_id, request.replace).by(&request.maker);
    Ok(Arc::new(NetCdfSink { layout, stage, places: OnceLock::new() }))
}

struct NetCdfSink {
    layout: Arc<Layout>,
    stage: Stage,
    /// Asked from the staged file once in each process.
    places: OnceLock<Result<Arc<Places>, Failure>>,
}

impl NetCdfSink {
    /// The file that is written: staged itself, or in a folder that is, beside the logs of its
    /// chunks.
    fn file(&self) -> PathBuf {
        let staged = self.stage.staged();
        match self.in_chunks() {
            true => chunk_log::data(staged),
            false => staged.to_path_buf(),
        }
    }

    fn in_chunks(&self) -> bool {
        matches!(self.layout.way, Way::Chunked { .. })
    }

    fn placed(&self, file: &Path) -> Result<PlacedWriter, Failure> {
        let layout = self.layout.clone();
        let places = || placed::places(file, &self.layout).map(Arc::new);
        let places = self.places.get_or_init(places).clone()?;
        PlacedWriter::open(file, self.stage.target(), layout, places)
    }

    fn grows(&self) -> bool {
        self.layout.dims.iter().any(|(_, size)| size.is_none())
    }
}

impl Sink for NetCdfSink {
    fn arrangement(&self) -> Arrangement {
        match self.layout.way {
            Way::Placed | Way::Chunked { .. } => Arrangement::Anywhere,
            Way::ByLibrary { .. } if self.grows() => Arrangement::InOrder,
            Way::ByLibrary { .. } => Arrangement::Gathered,
        }
    }

    fn create(&self) -> Result<(), Failure> {
        let (staged, target) = (self.stage.staged(), self.stage.target());
        if self.in_chunks() {
            self.stage.create_directory()?;
            return chunk_end::prepare(staged, target, &self.layout);
        }
        drop(self.stage.create_file()?);
        match self.layout.way {
            Way::ByLibrary { .. } => define(staged, &self.layout).map_err(|e| failed(target, &e)),
            _ => begin(staged, target, &self.layout).map(drop),
        }
    }

    fn resumable(&self) -> bool {
        !matches!(self.layout.way, Way::ByLibrary { .. })
    }

    /// The file has been whole but for values since `create`: it is asked where they lie.
    fn resume(&self, written: &BTreeMap<u64, Piece>) -> Result<bool, Failure> {
        let (staged, target) = (self.stage.staged(), self.stage.target());
        if !self.stage.is_there() || placed::places(&self.file(), &self.layout).is_err() {
            return Ok(false);
        }
        match self.in_chunks() {
            true => {
                chunk_log::keep(staged, self.layout.dims.len(), &written.keys().copied().collect())
                    .map_err(|e| cannot_write(target, &e))
            }
            false => Ok(true),
        }
    }

    fn durable(&self, _tiles: &[u64]) -> Result<(), Failure> {
        let staged = self.stage.staged();
        match self.in_chunks() {
            true => chunk_log::sync(staged),
            false => File::open(staged).and_then(|file| file.sync_data()),
        }
        .map_err(|e| cannot_write(self.stage.target(), &e))
    }

    fn named(&self) -> Option<PathBuf> {
        Some(self.file())
    }

    fn staged(&self) -> Option<&Path> {
        Some(self.stage.staged())
    }

    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        let (file, target, layout) = (self.file(), self.stage.target(), self.layout.clone());
        Ok(match &self.layout.way {
            Way::Placed => Box::new(self.placed(&file)?),
            Way::Chunked { shape, codec } => {
                let (placed, chunks) = (self.placed(&file)?, (&shape[..], *codec));
                Box::new(ChunkedWriter::open(self.stage.staged(), layout, chunks, placed)?)
            }
            Way::ByLibrary { .. } => Box::new(LibraryWriter::open(&file, target, layout)?),
        })
    }

    fn commit(&self) -> Result<Written, Failure> {
        let path = self.stage.target();
        let staged = match &self.layout.way {
            Way::Chunked { shape, .. } => {
                chunk_end::finish(self.stage.staged(), path, &self.layout, shape)?
            }
            _ => self.file(),
        };
        // It must still be a whole file: its length stands in its header.
        let file = File::open(&staged).map_err(|e| cannot_write(path, &e))?;
        NcFile::open(&file).map_err(|e| {
            Failure::output(format!("{}: the staged file is not whole: {e}", staged.display()))
        })?;
        match self.in_chunks() {
            true => self.stage.publish_file(&staged)?,
            false => self.stage.publish()?,
        }
        let bytes = std::fs::metadata(path).map_err(|e| cannot_write(path, &e))?.len();
        Ok(Written { path: path.to_path_buf(), files: 1, bytes })
    }

    fn abandon(&self) {
        self.stage.abandon();
    }

    fn path(&self) -> &Path {
        self.stage.target()
    }

    fn memory(&self, tile_bytes: u64) -> u64 {
        let converted = |v: &super::layout::Variable| {
            v.fill || matches!(v.dtype, DType::Bool | DType::Timestamp)
        };
        match self.layout.way {
            Way::Placed if self.layout.variables.iter().any(converted) => tile_bytes,
            Way::Placed => 0,
            // The values of a chunk twice, and its compressed bytes.
            Way::Chunked { .. } => tile_bytes + (16 << 20),
            // The library's cache of chunks.
            Way::ByLibrary { .. } => tile_bytes + (64 << 20),
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        let names: Vec<String> = self.layout.dangling.iter().map(ToString::to_string).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let (target, names) = (self.stage.target(), names.join(", "));
        let target = target.file_name().unwrap_or(target.as_os_str()).to_string_lossy();
        let message =
            format!("{target}: {{n}} variable{{s}} that others name will not be there: {names}");
        let warning = Warning::new(Code::DescriptionLost, message);
        let help =
            "the attributes name them no longer; name them in `columns:` of `read` to keep them";
        vec![warning.count(self.layout.dangling.len() as u64).help(help)]
    }

    fn describe(&self) -> String {
        let layout = match &self.layout.way {
            Way::Placed => "contiguous, written in place by all workers".to_string(),
            Way::Chunked { shape, codec } => {
                let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
                format!("chunks of {}, {codec}, compressed by all workers", sizes.join(" × "))
            }
            Way::ByLibrary { codec: None } => "written by one worker".to_string(),
            Way::ByLibrary { codec: Some(codec) } => format!("{codec}, written by one worker"),
        };
        format!("NetCDF-4 {}, {layout}", self.stage.target().display())
    }
}

/// Defines a file whose values are written past the library, with room for those in one piece;
/// where these lie.
pub(super) fn begin(file: &Path, target: &Path, layout: &Layout) -> Result<Places, Failure> {
    define(file, layout).map_err(|e| failed(target, &e))?;
    let places = placed::places(file, layout)?;
    placed::reserve(file, target, layout.mapped)?;
    Ok(places)
}

impl TileWriter for PlacedWriter {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        PlacedWriter::write(self, tile)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}
