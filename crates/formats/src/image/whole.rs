//! Images that are decoded whole: once, by whoever asks first.
use super::header::{Header, Kind};
use super::{jpeg, png, tiff};
use crate::input::Input;
use crate::rows::guarded;
use std::sync::{Arc, OnceLock};

/// The most bytes of such an image.
pub(super) const MOST: u64 = 1 << 30;

/// The pixels of a file.
#[derive(Default)]
pub(super) struct Whole(OnceLock<Result<Arc<Vec<u8>>, String>>);

impl Whole {
    /// All bytes, decoded when they are asked for the first time.
    ///
    /// # Errors
    /// If the file is damaged.
    pub(super) fn bytes(&self, input: &Input, header: &Header) -> Result<Arc<Vec<u8>>, String> {
        self.0.get_or_init(|| guarded(|| decode(input, header))).clone()
    }
}

fn decode(input: &Input, header: &Header) -> Result<Arc<Vec<u8>>, String> {
    let bytes = usize::try_from(header.bytes().min(MOST)).map_err(|e| e.to_string())?;
    let _held = input.hold(std::slice::from_ref(&(0..input.len())))?;
    let mut pixels = vec![0; bytes];
    match header.kind {
        Kind::Png => png::whole(input, &mut pixels)?,
        Kind::Jpeg => jpeg::whole(input, &mut pixels)?,
        Kind::Tiff => tiff::whole(input, &mut pixels)?,
    }
    Ok(Arc::new(pixels))
}
