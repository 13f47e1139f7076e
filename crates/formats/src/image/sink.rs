//! Writing: one file, by one worker; any worker makes bytes of its values.
use super::header::Kind;
use super::layout::Layout;
use super::write::{Rows, bytes};
use crate::ended::Ended;
use crate::stage::{Stage, cannot_write, cannot_write_because};
use crate::summed::Appended;
use crate::{Arrangement, FormatError, Sink, TileWriter, WriteRequest, Written};
use ::image::codecs::jpeg::JpegEncoder;
use ::image::codecs::tiff::TiffEncoder;
use ::image::{ExtendedColorType, ImageEncoder, ImageResult};
use ::png::{BitDepth, ColorType, Compression, DeflateCompression, Encoder, StreamWriter};
use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryArray};
use arrow_schema::DataType;
use base::{Column, DimMask, Failure, Tile};
use std::cell::RefCell;
use std::error::Error;
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Bytes of a PNG that are written at a time.
const BLOCK: usize = 1 << 16;

/// An output file.
pub(super) struct ImageSink {
    stage: Stage,
    ended: Ended,
    layout: Arc<Layout>,
}

impl ImageSink {
    /// Checks the columns and the options.
    pub(super) fn new(request: WriteRequest) -> Result<ImageSink, FormatError> {
        Ok(ImageSink {
            layout: Arc::new(Layout::new(&request)?),
            stage: Stage::new(&request.path, &request.run_id, request.replace).by(&request.maker),
            ended: Ended::default(),
        })
    }
}

impl Sink for ImageSink {
    fn arrangement(&self) -> Arrangement {
        Arrangement::InOrder
    }

    fn create(&self) -> Result<(), Failure> {
        self.stage.create_file().map(drop)
    }

    /// Turns the values into bytes: one column, of them all.
    fn prepare(&self, tile: Tile) -> Result<Tile, Failure> {
        let bytes = bytes(&self.layout, &tile)
            .map_err(|e| Failure::data(format!("cannot write {}: {e}", self.path().display())))?;
        let array = Arc::new(BinaryArray::from_vec(vec![&bytes]));
        let columns = vec![Column { mask: DimMask::SCALAR, array }];
        Ok(Tile { columns, index: None, ..tile })
    }

    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        let file = Shared(Rc::new(RefCell::new(self.stage.append()?)));
        let encoder = match self.layout.kind {
            Kind::Png => {
                let rows = png(&self.layout, file.clone());
                Encode::Rows(Box::new(rows.map_err(|e| cannot_write_because(self.path(), &e))?))
            }
            Kind::Jpeg | Kind::Tiff => Encode::Whole(Vec::new()),
        };
        Ok(Box::new(ImageWriter {
            file,
            encoder,
            rows: Rows::default(),
            written: 0,
            ended: self.ended.clone(),
            stage: self.stage.clone(),
            layout: self.layout.clone(),
        }))
    }

    fn commit(&self) -> Result<Written, Failure> {
        let bytes = self.ended.check(&self.stage)?;
        self.stage.publish()?;
        Ok(Written { path: self.path().to_path_buf(), files: 1, bytes })
    }

    fn staged(&self) -> Option<&Path> {
        Some(self.stage.staged())
    }

    fn abandon(&self) {
        self.stage.abandon();
    }

    fn path(&self) -> &Path {
        self.stage.target()
    }

    /// The values as bytes, and rows that are put together.
    fn memory(&self, tile_bytes: u64) -> u64 {
        tile_bytes
    }

    fn memory_of_all(&self) -> u64 {
        match self.layout.kind {
            Kind::Png => BLOCK as u64,
            // The pixels, and the file that is made of them.
            Kind::Jpeg | Kind::Tiff => self.layout.bytes().saturating_mul(2),
        }
    }

    fn describe(&self) -> String {
        let Layout { kind, height, width, bands, bits, .. } = &*self.layout;
        format!(
            "{} {}: {height} × {width}, {bands} of {bits} bits a pixel",
            kind.name(),
            self.path().display()
        )
    }
}

/// A staged file that an encoder writes and its owner asks.
#[derive(Clone)]
struct Shared(Rc<RefCell<Appended>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

enum Encode {
    /// Rows are encoded as they come.
    Rows(Box<StreamWriter<'static, Shared>>),
    /// All of them are at the end.
    Whole(Vec<u8>),
}

fn png(
    layout: &Layout,
    file: Shared,
) -> Result<StreamWriter<'static, Shared>, ::png::EncodingError> {
    let mut encoder = Encoder::new(file, layout.width as u32, layout.height as u32);
    encoder.set_depth(if layout.bits == 16 { BitDepth::Sixteen } else { BitDepth::Eight });
    encoder.set_color(match layout.bands {
        1 => ColorType::Grayscale,
        2 => ColorType::GrayscaleAlpha,
        3 => ColorType::Rgb,
        _ => ColorType::Rgba,
    });
    match layout.level {
        None => encoder.set_compression(Compression::Fast),
        Some(0) => encoder.set_compression(Compression::NoCompression),
        Some(level) => encoder.set_deflate_compression(DeflateCompression::Level(level)),
    }
    encoder.write_header()?.into_stream_writer_with_size(BLOCK)
}

struct ImageWriter {
    file: Shared,
    encoder: Encode,
    rows: Rows,
    /// Bytes of whole rows.
    written: u64,
    ended: Ended,
    stage: Stage,
    layout: Arc<Layout>,
}

impl ImageWriter {
    fn failed(&self, error: &(dyn Error + 'static)) -> Failure {
        cannot_write_because(self.stage.target(), error)
    }

    fn put(&mut self, tile: &Tile, bytes: &[u8]) -> Result<(), Failure> {
        let Some(rows) = self.rows.put(&self.layout, tile, bytes) else { return Ok(()) };
        self.written += rows.len() as u64;
        let done = match &mut self.encoder {
            Encode::Rows(encoder) => encoder.write_all(&rows),
            Encode::Whole(all) => {
                all.extend_from_slice(&rows);
                Ok(())
            }
        };
        done.map_err(|e| cannot_write(self.stage.target(), &e))
    }
}

impl TileWriter for ImageWriter {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        match &tile.columns[..] {
            // What `prepare` has made; columns to be written never hold bytes.
            [one] if *one.array.data_type() == DataType::Binary => {
                self.put(tile, one.array.as_binary::<i32>().value(0))
            }
            _ => {
                let bytes = bytes(&self.layout, tile).map_err(|e| {
                    let path = self.stage.target().display();
                    Failure::data(format!("cannot write {path}: {e}"))
                })?;
                self.put(tile, &bytes)
            }
        }
    }

    /// An image that lacks rows, because the run ends before its time, is not ended and so gets no name.
    fn finish(&mut self) -> Result<(), Failure> {
        if self.written != self.layout.bytes() {
            return Ok(());
        }
        let done = match std::mem::replace(&mut self.encoder, Encode::Whole(Vec::new())) {
            Encode::Rows(encoder) => encoder.finish().map_err(|e| self.failed(&e)),
            Encode::Whole(pixels) => {
                let encoded = whole(&self.layout, &pixels).map_err(|e| self.failed(&e))?;
                self.file.write_all(&encoded).map_err(|e| self.failed(&e))
            }
        };
        done?;
        let mut file = self.file.0.borrow_mut();
        self.ended
            .note(&mut file)
            .and_then(|()| file.sync_all())
            .map_err(|e| cannot_write(self.stage.target(), &e))
    }
}

/// The bytes of a JPEG or TIFF file.
fn whole(layout: &Layout, pixels: &[u8]) -> ImageResult<Vec<u8>> {
    let colour = match (layout.bands, layout.bits) {
        (1, 8) => ExtendedColorType::L8,
        (1, _) => ExtendedColorType::L16,
        (3, 8) => ExtendedColorType::Rgb8,
        (3, _) => ExtendedColorType::Rgb16,
        (_, 8) => ExtendedColorType::Rgba8,
        _ => ExtendedColorType::Rgba16,
    };
    let (width, height) = (layout.width as u32, layout.height as u32);
    let mut out = Vec::new();
    match layout.kind {
        Kind::Jpeg => JpegEncoder::new_with_quality(&mut out, layout.quality)
            .write_image(pixels, width, height, colour)?,
        _ => TiffEncoder::new(Cursor::new(&mut out)).write_image(pixels, width, height, colour)?,
    }
    Ok(out)
}
