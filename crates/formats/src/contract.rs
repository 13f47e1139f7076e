//! The one contract of all formats.
use crate::csv::Guess;
use crate::{Memo, OptionKey, Options, Replace, RowTest, Survivors};
use base::{Attributes, Column, DType, Entry, Failure, Region, Schema, Tile, Tiling, Warning};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tasks::store::Hold;

/// A file format: an entry of the table [`crate::FORMATS`].
pub trait Format: Entry + Send + Sync {
    /// The file endings that mean this format, without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// Options that may stand beside `read:`.
    fn read_options(&self) -> &'static [OptionKey];

    /// Whether with these options each of several files is read as if it were alone, so that the
    /// rows of one do not depend on what others there are.
    fn reads_each(&self, _options: &Options) -> bool {
        true
    }

    /// Options that may stand beside `write:`.
    fn write_options(&self) -> &'static [OptionKey];

    /// Whether each tile becomes a file of its own, so that tiles should not be small.
    fn writes_parts(&self) -> bool {
        false
    }

    /// Whether each tile becomes a chunk of the file with these options, so that tiles should be
    /// of one shape and not small.
    fn writes_chunks(&self, _options: &Options) -> bool {
        false
    }

    /// Opens inputs and finds out what they hold; reads headers only where it can.
    ///
    /// # Errors
    /// If a file is missing, is not of this format, lacks a column, or an option is wrong.
    fn open(&self, request: &OpenRequest) -> Result<Arc<dyn TileSource>, FormatError>;

    /// Prepares an output; touches no file yet.
    ///
    /// # Errors
    /// If the format cannot hold such columns or dimensions, or an option is wrong.
    fn sink(&self, request: WriteRequest) -> Result<Arc<dyn Sink>, FormatError>;
}

/// What to open.
#[derive(Clone, Debug, Default)]
pub struct OpenRequest {
    /// The files, in the order of their rows; never empty.
    pub paths: Vec<PathBuf>,
    /// The columns to read, in this order; all of them if `None`.
    pub columns: Option<Vec<String>>,
    /// Options of the format.
    pub options: Options,
    /// Where the file does not say what is in it (CSV): the types of `columns` in other files that
    /// are read with these. A column whose values can be read so is of that type.
    pub types: Vec<DType>,
    /// What [`TileSource::memo`] said of some of the files: they are taken to be as they were then.
    pub memos: HashMap<PathBuf, Memo>,
}

/// An opened input: a box of points with columns. Shared by all workers of a process.
pub trait TileSource: Send + Sync {
    /// The domain (always a box) and the columns; attributes as in the file, less those that
    /// say how values are packed (`_FillValue`, `missing_value`, `scale_factor`, `add_offset`).
    /// Columns are decoded: scaled, and null where missing.
    fn schema(&self) -> &Schema;

    /// How the file itself is cut (chunks, row groups), into tiles of at most about
    /// `points` points; `None` if any cut is as good.
    fn tiling(&self, points: u64) -> Option<Tiling>;

    /// The values of some columns (positions in the schema) in a box of the domain, each
    /// row-major over the dimensions of its mask, of exactly the schema's type.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged; names the file.
    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure>;

    /// Whether its bytes lie elsewhere, so that reading waits for them.
    fn is_remote(&self) -> bool {
        false
    }

    /// Asks for the bytes that [`TileSource::read`] of these will need, and does not wait for them.
    fn ahead(&self, _region: &Region, _columns: &[usize]) -> Ahead {
        Ahead::default()
    }

    /// As [`TileSource::tiling`], but no tile has rows of two files: a change of one file leaves
    /// the tiles of the others as they are.
    fn tiling_by_file(&self, points: u64) -> Option<Tiling> {
        self.tiling(points)
    }

    /// The files that it reads, if it can say so.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// What a region reads of which files; `None` if any of them may count, wherever. The values of
    /// all columns in it follow from that, coordinates included.
    fn places(&self, _region: &Region) -> Option<Vec<FilePlace>> {
        None
    }

    /// The rows that may pass all tests, as the file's own statistics say; `None` if it has none
    /// that help. The source must be a table: one dimension, rows.
    fn survivors(&self, _tests: &[RowTest]) -> Option<Survivors> {
        None
    }

    /// Where the files do not say what is in them (CSV): what the values of each column say.
    fn guesses(&self) -> Option<&[Guess]> {
        None
    }

    /// Of one file what must be known to put it beside others, as long as it may be replaced, or
    /// become bad, before that is done: its columns, and the values of its coordinates. `None` if
    /// there is no such thing, or it is no use.
    ///
    /// # Errors
    /// As [`TileSource::read`].
    fn memo(&self) -> Result<Option<Memo>, Failure> {
        Ok(None)
    }

    /// The dimension along which several files follow each other, where there may be several.
    fn along(&self) -> Option<usize> {
        (self.schema().domain.dims.len() == 1).then_some(0)
    }

    /// Bytes of memory that reading a tile of these columns needs beside the tile itself, in each
    /// worker, where that is more than a little.
    fn memory(&self, _columns: &[usize]) -> u64 {
        0
    }

    /// Bytes of memory that reading needs in a process, whatever its workers, where that is more
    /// than a little.
    fn memory_of_all(&self) -> u64 {
        0
    }

    /// What the user should know of how the files are read: what is left out or narrowed.
    fn warnings(&self) -> Vec<Warning> {
        Vec::new()
    }

    /// What reading has met so far that the user should know of, and headers did not tell; asked
    /// for once, when all tiles that this process reads have been read.
    fn met(&self) -> Vec<Warning> {
        Vec::new()
    }

    /// The columns of the files that are not read, so that an expression that names one is told why.
    fn unread(&self) -> Vec<Unread> {
        Vec::new()
    }

    /// What the files say of columns and dimensions that an output of this format will not say.
    fn unkept(&self) -> Vec<Unkept> {
        Vec::new()
    }

    /// Columns that the files have as a type that no column has, though all its values are held:
    /// their names, and what the files call the type.
    fn stored_otherwise(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// One line for `explain`: format, file, how it is stored.
    fn describe(&self) -> String;
}

/// What has been asked for of a tile that will be read soon; it stays until this is dropped.
#[derive(Default)]
pub struct Ahead(pub(crate) Vec<Hold>);

impl Ahead {
    /// How many bytes that are.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(Hold::bytes).sum()
    }
}

/// What a file says of a column or a dimension that an output of the same format will not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unkept {
    /// The column or the dimension.
    pub name: String,
    /// What it is in the file, such as `packed as int16` or `unlimited`.
    pub what: String,
    /// Whether it is a dimension.
    pub dimension: bool,
}

/// A column of a file that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its name.
    pub name: String,
    /// Why it is not read.
    pub why: NotRead,
}

/// Why a column of a file is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRead {
    /// Others were asked for.
    NotNamed,
    /// No column can hold its type, which the file calls so.
    Kind(String),
    /// For this reason, a clause.
    Because(String),
}

impl Unread {
    /// What the file calls its type, if no column can hold it.
    pub fn kind(&self) -> Option<&str> {
        match &self.why {
            NotRead::Kind(kind) => Some(kind),
            NotRead::NotNamed | NotRead::Because(_) => None,
        }
    }
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// The file's position in [`TileSource::files`].
    pub file: usize,
    /// What of the file's own box.
    pub region: Region,
}

/// What to write.
#[derive(Clone, Debug)]
pub struct WriteRequest {
    /// The final name.
    pub path: PathBuf,
    /// What is staged beside the target carries this in its name.
    pub run_id: String,
    /// The columns to write, in order; what they vary along; their attributes.
    pub schema: Schema,
    /// How the domain is cut, if it is a box.
    pub tiling: Option<Tiling>,
    /// Attributes of the file: Conventions, title, history, source, …
    pub attributes: Attributes,
    /// Options of the format.
    pub options: Options,
    /// Whether tiles without rows count, as those of `partition` do: a format of parts writes them.
    pub empty_tiles: bool,
    /// Whether an existing output may be replaced (at [`Sink::commit`], not before).
    pub replace: Replace,
    /// What marks a file as made by this pipeline, see [`tasks::mark`]; `None`: it is not marked.
    pub maker: Option<String>,
}

/// Which workers may write which tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// Every worker of every process writes its own tiles, in any order.
    Anywhere,
    /// All tiles go to one writer (worker 0), in any order.
    Gathered,
    /// All tiles go to one writer (worker 0), by ascending number.
    InOrder,
}

/// An output. The order of calls: `create` once, in process 0, before any other process goes on;
/// then in every worker that writes `writer`, `write` …, `finish`; then `commit` once, in
/// process 0, after every writer of every process has finished; or, if anything failed, `abandon`.
/// Until `commit` nothing exists under the final name; what is staged lies beside it as
/// `NAME.partial-RUNID` (a file or a directory).
pub trait Sink: Send + Sync {
    /// Which workers write.
    fn arrangement(&self) -> Arrangement;

    /// Makes the staged output. Fails early where writing must fail.
    ///
    /// # Errors
    /// If the place cannot be written or has no room.
    fn create(&self) -> Result<(), Failure>;

    /// Whether what is staged can be gone on with after a run was cut short, a tile at a time.
    /// One that takes tiles in order has a file that each is appended to.
    fn resumable(&self) -> bool {
        false
    }

    /// Of tiles that an earlier run has staged, each with what was noted of it, those that are not
    /// there as they were written.
    fn spoiled(&self, _written: &BTreeMap<u64, Piece>) -> Vec<u64> {
        Vec::new()
    }

    /// Instead of `create`, in a later run of an output of the same definition: goes on with what
    /// is staged, of which the tiles `written` are whole. If tiles are appended they are the first
    /// ones, and the file is cut off behind the last of them. False if it cannot.
    ///
    /// # Errors
    /// If the place cannot be written.
    fn resume(&self, _written: &BTreeMap<u64, Piece>) -> Result<bool, Failure> {
        Ok(false)
    }

    /// What writers of this process have staged of tiles that have files of their own.
    fn pieces(&self) -> BTreeMap<u64, Piece> {
        BTreeMap::new()
    }

    /// The same of another process: `commit` is to find it.
    fn expect(&self, _pieces: BTreeMap<u64, Piece>) {}

    /// Makes durable what was written of these tiles, by whatever process of this host.
    ///
    /// # Errors
    /// If the disk cannot take it.
    fn durable(&self, _tiles: &[u64]) -> Result<(), Failure> {
        Ok(())
    }

    /// The name until `commit`, where it is known before.
    fn staged(&self) -> Option<&Path> {
        None
    }

    /// What `commit` gives the final name, if not all that is staged.
    fn named(&self) -> Option<PathBuf> {
        self.staged().map(Path::to_path_buf)
    }

    /// Work on a tile that any worker can do before it goes to the writer, such as compression.
    ///
    /// # Errors
    /// If the values cannot be written in this format.
    fn prepare(&self, tile: Tile) -> Result<Tile, Failure> {
        Ok(tile)
    }

    /// A writer for one worker; opens what `create` (perhaps in another process) has staged.
    ///
    /// # Errors
    /// If the staged output is not there or not as expected.
    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure>;

    /// Checks that all is there as it was written, makes it durable and gives it the final name.
    ///
    /// # Errors
    /// If anything is missing, or the name cannot be given.
    fn commit(&self) -> Result<Written, Failure>;

    /// Removes what is staged; never fails, may be called at any time, and more than once.
    fn abandon(&self);

    /// The final name.
    fn path(&self) -> &Path;

    /// What the user should know of what the file will not hold.
    fn warnings(&self) -> Vec<Warning> {
        Vec::new()
    }

    /// Bytes of memory a writer needs beside the tile itself, for a tile of `tile_bytes`.
    fn memory(&self, tile_bytes: u64) -> u64;

    /// Bytes of memory that the one writer of a process needs beside tiles, where that is more than
    /// a little.
    fn memory_of_all(&self) -> u64 {
        0
    }

    /// One line for `explain`: format, file, layout.
    fn describe(&self) -> String;
}

/// The writer of one worker.
pub trait TileWriter {
    /// Writes a tile whose columns are those of [`WriteRequest::schema`] (or what
    /// [`Sink::prepare`] made of them). May hold no rows.
    ///
    /// # Errors
    /// If the disk is full, or the values cannot be written in this format.
    fn write(&mut self, tile: &Tile) -> Result<(), Failure>;

    /// From now on [`TileWriter::piece`] is asked for, with a checksum.
    fn sum(&mut self) {}

    /// What is known of the last tile, all of it handed to the system, if it has a file of its own
    /// or is appended to one.
    fn piece(&mut self) -> Option<Piece> {
        None
    }

    /// Ends this worker's part.
    ///
    /// # Errors
    /// If the rest cannot be written.
    fn finish(&mut self) -> Result<(), Failure>;
}

/// What is known of a tile that is staged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of its file; of the file up to the tile's end if tiles are appended to one. All ones if
    /// it has neither.
    pub bytes: u64,
    /// A checksum of its bytes (XXH3, 64 bits); 0 if there is none.
    pub sum: u64,
    /// The last eight bytes of its file, or 0: where formats have a footer they tell of it.
    pub tail: u64,
}

/// What was written, for the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The final name.
    pub path: PathBuf,
    /// Files under it, or 1.
    pub files: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// What is wrong with a request to open or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// The kind, which decides the diagnostic's code and place.
    pub kind: FormatErrorKind,
    /// A sentence without a full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

/// The kinds of [`FormatError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatErrorKind {
    /// The file is not there or not readable.
    Missing,
    /// It is not what the format says.
    Corrupt,
    /// A column that is not in the file.
    UnknownColumn(String),
    /// This option is unknown or its value is wrong.
    BadOption(String),
    /// The format cannot hold this column (its name) or these dimensions.
    Unsupported(Option<String>),
}

impl FormatError {
    /// An error without help.
    pub fn new(kind: FormatErrorKind, message: impl Into<String>) -> FormatError {
        FormatError { kind, message: message.into(), help: None }
    }
}
