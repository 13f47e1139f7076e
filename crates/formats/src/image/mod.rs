//! Images: read PNG, JPEG and TIFF files as a grid of their pixels, write one from a grid.

mod header;
mod jpeg;
mod layout;
mod pixels;
mod png;
mod rows;
mod samples;
mod sink;
mod source;
#[cfg(test)]
mod tests;
mod tiff;
mod whole;
mod write;

use crate::rows::check_known;
use crate::{Format, FormatError, OpenRequest, OptionKey, Sink, TileSource, WriteRequest};
use base::Entry;
use std::sync::Arc;

/// The entry of the table of formats.
pub static IMAGE: Image = Image;

/// PNG, JPEG and TIFF.
pub struct Image;

const BITS: OptionKey = OptionKey {
    name: "bits",
    doc: "8 (without it): values from 0 to 255. 16: from 0 to 65535, in PNG and TIFF.",
};

const CLIP: OptionKey = OptionKey {
    name: "clip",
    doc: "true: what is below 0 becomes 0, and what is too large the largest value; without it, \
          such a value is an error.",
};

const LEVEL: OptionKey = OptionKey {
    name: "level",
    doc: "How hard a PNG is compressed, 0 (not at all) to 9 (small); without it, in the quick way \
          that is made for images.",
};

const QUALITY: OptionKey = OptionKey {
    name: "quality",
    doc: "What a JPEG keeps of the image, 1 (little) to 100; 90 without it.",
};

impl Entry for Image {
    fn name(&self) -> &'static str {
        "image"
    }

    fn doc(&self) -> &'static str {
        "PNG, JPEG and TIFF files, 8 and 16 bits.\n\
         An input is one file, whatever its ending: a box `y, x` if it is grey, else `y, x, band`, \
         whose one variable `v` is an int32 (0 to 255, or to 65535), with the numbers of rows, \
         columns and bands from 0 on as coordinates. Row 0 is the top one. Bands are red, green, \
         blue, and alpha last, where there is one. Palettes become colours, grey of 1, 2 or 4 bits \
         becomes 8 bits, CMYK becomes RGB, and TIFF files of 32-bit colour floats are float32. \
         Of a file with several images the first is read. An orientation that the file gives \
         (EXIF) is not applied, nor is a colour profile. Of a PNG that is not interlaced only the \
         rows down to the last one wanted are decoded, and few are in memory; all others are \
         decoded whole, up to 1 GiB. \
         An output has rows and columns along the first two dimensions of its box, and 1 (grey), \
         2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha) bands along the third, if there is one; its one \
         variable is of whole numbers. Nothing but the pixels is written. JPEG has 1 or 3 bands, \
         TIFF 1, 3 or 4; both are put together in memory."
    }
}

impl Format for Image {
    fn extensions(&self) -> &'static [&'static str] {
        &["png", "jpg", "jpeg", "tif", "tiff"]
    }

    fn read_options(&self) -> &'static [OptionKey] {
        &[]
    }

    fn write_options(&self) -> &'static [OptionKey] {
        &[BITS, CLIP, LEVEL, QUALITY]
    }

    fn open(&self, request: &OpenRequest) -> Result<Arc<dyn TileSource>, FormatError> {
        check_known(&request.options, self.read_options())?;
        Ok(Arc::new(source::ImageSource::open(request)?))
    }

    fn sink(&self, request: WriteRequest) -> Result<Arc<dyn Sink>, FormatError> {
        check_known(&request.options, self.write_options())?;
        Ok(Arc::new(sink::ImageSink::new(request)?))
    }
}
