//! Damaged files end in an error, and take no more memory than they are worth.
use super::{made, open, values, whole};
use crate::FormatErrorKind;
use base::Region;
use std::path::Path;

/// What comes of a file with these bytes: its values, or a message.
fn outcome(path: &Path, bytes: &[u8]) -> Result<Vec<i32>, String> {
    std::fs::write(path, bytes).unwrap();
    let source = open(path).map_err(|e| e.message)?;
    values(&*source, &whole(&*source))
}

#[test]
fn files_that_are_cut_off_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for name in ["grey.png", "interlaced.png", "palette.png", "grey.jpg", "progressive.jpg"] {
        let bytes = std::fs::read(made(name)).unwrap();
        assert!(outcome(&path, &bytes).is_ok());
        for length in 0..bytes.len() {
            let message = outcome(&path, &bytes[..length]).unwrap_err();
            assert!(message.contains("cut: "), "{name} at {length}: {message}");
        }
    }
    // The directory of a TIFF may stand at the end or before the pixels.
    let bytes = std::fs::read(made("rgb.tif")).unwrap();
    for length in 0..bytes.len() / 2 {
        outcome(&path, &bytes[..length]).unwrap_err();
    }
}

#[test]
fn no_bytes_bring_a_reader_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad");
    let mut dice = 1u64;
    let mut roll = |n: usize| {
        dice = dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (dice >> 33) as usize % n
    };
    let mut errors = 0;
    for name in [
        "rgb.png",
        "interlaced.png",
        "palette_alpha.png",
        "grey16.tif",
        "rgb.tif",
        "pages.tif",
        "progressive.jpg",
        "grey.jpg",
    ] {
        let bytes = std::fs::read(made(name)).unwrap();
        for _ in 0..150 {
            let mut bytes = bytes.clone();
            for _ in 0..=roll(4) {
                let at = roll(bytes.len());
                bytes[at] = roll(256) as u8;
            }
            errors += usize::from(outcome(&path, &bytes).is_err());
        }
    }
    assert!(errors > 600, "{errors}");
}

#[test]
fn rows_above_the_damage_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.png");
    let pixels: Vec<u8> =
        (0..200 * 1000).map(|i: u32| (i.wrapping_mul(2654435761) >> 24) as u8).collect();
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, 200, 1000);
    encoder.set_compression(::png::Compression::NoCompression);
    let mut header = encoder.write_header().unwrap();
    let mut writer = header.stream_writer_with_size(10_000).unwrap();
    std::io::Write::write_all(&mut writer, &pixels).unwrap();
    writer.finish().unwrap();
    header.finish().unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&path, &bytes).unwrap();
    let source = open(&path).unwrap();
    let rows = |first: u64, n: usize| Region { origin: vec![first, 0], shape: vec![n, 200] };
    let expected: Vec<i32> = pixels[..300 * 200].iter().map(|p| i32::from(*p)).collect();
    assert_eq!(values(&*source, &rows(0, 300)).unwrap(), expected);
    assert!(values(&*source, &rows(300, 700)).unwrap_err().contains("half.png"));
    // An error does not spoil what is good.
    assert_eq!(values(&*source, &rows(100, 200)).unwrap(), expected[100 * 200..]);
}

#[test]
fn an_image_that_says_it_is_huge_takes_no_memory_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb");
    // Two thousand million rows of two thousand million pixels.
    let mut png = std::fs::read(made("rgb.png")).unwrap();
    png[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    assert!(outcome(&path, &png).is_err());
    let mut encoded = Vec::new();
    // Interlaced, 60000 × 60000: 3.6 GB.
    let mut encoder = ::png::Encoder::new(&mut encoded, 60_000, 60_000);
    encoder.set_color(::png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_chunk(::png::chunk::IDAT, &[0x78, 1, 3, 0, 0, 0, 0, 1]).unwrap();
    drop(writer);
    encoded[28] = 1;
    let crc = crc(&encoded[12..29]);
    encoded[29..33].copy_from_slice(&crc.to_be_bytes());
    std::fs::write(&path, &encoded).unwrap();
    let error = open(&path).err().unwrap();
    assert!(
        error.message.contains("are too few for its 60000 × 60000 pixels"),
        "{}",
        error.message
    );
    // Long enough for them.
    encoded.resize(1 << 18, 0);
    std::fs::write(&path, &encoded).unwrap();
    let error = open(&path).err().unwrap();
    assert_eq!(error.kind, FormatErrorKind::Unsupported(None), "{}", error.message);
    assert!(error.message.contains("3434 MiB"), "{}", error.message);
    // A JPEG of 65535 × 65535.
    let mut jpeg = std::fs::read(made("rgb.jpg")).unwrap();
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert!(outcome(&path, &jpeg).unwrap_err().contains("are too few for its 65535 × 65535"));
    jpeg.resize(1 << 24, 0);
    assert!(outcome(&path, &jpeg).unwrap_err().contains("only be decoded whole"));
}

/// The checksum of a chunk (PNG, annex D), slowly.
fn crc(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| {
                if c & 1 == 1 { 0xedb8_8320 ^ c >> 1 } else { c >> 1 }
            })
        };
    !bytes.iter().fold(u32::MAX, step)
}
