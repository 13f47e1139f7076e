//! A NetCDF file as an output.
use super::by_library::{LibraryWriter, failed};
use super::chunked::{self, ChunkedWriter};
use super::define::define;
use super::layout::{Layout, Way};
use super::placed::{self, PlacedWriter, Places};
use crate::netcdf::library::NcFile;
use crate::stage::{Stage, cannot_write};
use crate::{Arrangement, FormatError, Sink, TileWriter, WriteRequest, Written};
use base::{DType, Failure, Tile};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Checks the schema and the options; touches no file.
pub(in crate::netcdf) fn sink(request: WriteRequest) -> Result<Arc<dyn Sink>, FormatError> {
    let layout = Arc::new(Layout::new(&request)?);
    // The library takes some relative names for web addresses.
    let path = std::path::absolute(&request.path).unwrap_or(request.path.clone());
    let stage = Stage::new(&path, &request.run_id, request.overwrite);
    Ok(Arc::new(NetCdfSink { layout, stage, places: OnceLock::new() }))
}

struct NetCdfSink {
    layout: Arc<Layout>,
    stage: Stage,
    /// Asked from the staged file once in each process.
    places: OnceLock<Result<Arc<Places>, Failure>>,
}

impl NetCdfSink {
    fn placed(&self) -> Result<PlacedWriter, Failure> {
        let (staged, layout) = (self.stage.staged(), self.layout.clone());
        let places = || placed::places(staged, &self.layout).map(Arc::new);
        let places = self.places.get_or_init(places).clone()?;
        PlacedWriter::open(staged, self.stage.target(), layout, places)
    }

    fn grows(&self) -> bool {
        self.layout.dims.iter().any(|(_, size)| size.is_none())
    }
}

impl Sink for NetCdfSink {
    fn arrangement(&self) -> Arrangement {
        match self.layout.way {
            Way::Placed => Arrangement::Anywhere,
            Way::ByLibrary { .. } if self.grows() => Arrangement::InOrder,
            Way::Chunked { .. } | Way::ByLibrary { .. } => Arrangement::Gathered,
        }
    }

    fn create(&self) -> Result<(), Failure> {
        let (staged, target) = (self.stage.staged(), self.stage.target());
        drop(self.stage.create_file()?);
        define(staged, &self.layout).map_err(|e| failed(target, &e))?;
        if !matches!(self.layout.way, Way::ByLibrary { .. }) {
            placed::places(staged, &self.layout)?;
            placed::reserve(staged, target, self.layout.mapped)?;
        }
        Ok(())
    }

    fn resumable(&self) -> bool {
        self.layout.way == Way::Placed
    }

    /// The file has been whole but for values since `create`: it is asked where they lie.
    fn resume(&self, _written: &dyn Fn(u64) -> bool) -> Result<bool, Failure> {
        Ok(self.stage.is_there() && placed::places(self.stage.staged(), &self.layout).is_ok())
    }

    fn durable(&self, _tiles: &[u64]) -> Result<(), Failure> {
        let file = File::open(self.stage.staged()).and_then(|file| file.sync_data());
        file.map_err(|e| cannot_write(self.stage.target(), &e))
    }

    fn staged(&self) -> Option<&Path> {
        Some(self.stage.staged())
    }

    fn prepare(&self, tile: Tile) -> Result<Tile, Failure> {
        match &self.layout.way {
            Way::Chunked { shape, codec } => chunked::prepare(&self.layout, shape, *codec, tile),
            Way::Placed | Way::ByLibrary { .. } => Ok(tile),
        }
    }

    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        let (staged, target, layout) = (self.stage.staged(), self.stage.target(), &self.layout);
        Ok(match layout.way {
            Way::Placed => Box::new(self.placed()?),
            Way::Chunked { .. } => {
                let placed = self.placed()?;
                Box::new(ChunkedWriter::open(staged, target, layout.clone(), placed)?)
            }
            Way::ByLibrary { .. } => Box::new(LibraryWriter::open(staged, target, layout.clone())?),
        })
    }

    fn commit(&self) -> Result<Written, Failure> {
        let (staged, path) = (self.stage.staged(), self.stage.target());
        // The library must still find a whole file: its length stands in its header.
        NcFile::open(staged).map_err(|e| {
            Failure::output(format!("{}: the staged file is not whole: {e}", staged.display()))
        })?;
        self.stage.publish()?;
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
        let converted = |v: &super::layout::Variable| v.fill || v.dtype == DType::Bool;
        match self.layout.way {
            Way::Placed if self.layout.variables.iter().any(converted) => tile_bytes,
            Way::Placed => 0,
            // The values of a chunk twice, and its compressed bytes.
            Way::Chunked { .. } => tile_bytes + (16 << 20),
            // The library's cache of chunks.
            Way::ByLibrary { .. } => tile_bytes + (64 << 20),
        }
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

impl TileWriter for PlacedWriter {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        PlacedWriter::write(self, tile)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}
