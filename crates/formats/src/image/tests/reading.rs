//! Files that Pillow has made.
use super::{all, made, open, values, whole};
use crate::image::IMAGE;
use crate::{Format, FormatErrorKind, OpenRequest};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use base::{Attribute, DType, Region, Value};

/// What Pillow says of a file.
struct Judged {
    name: String,
    /// How far a value may be off: JPEG does not say to the bit what decoders make of it.
    near: i32,
    sizes: Vec<u64>,
    values: Vec<i32>,
}

fn judged() -> Vec<Judged> {
    let text = std::fs::read_to_string(made("values.txt")).unwrap();
    let line = |line: &str| {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap().to_string();
        let (name, near) = (word(), word().parse().unwrap());
        let sizes = word().split('x').map(|n| n.parse().unwrap()).collect();
        Judged { name, near, sizes, values: words.map(|v| v.parse().unwrap()).collect() }
    };
    text.lines().map(line).collect()
}

#[test]
fn all_kinds_read_as_pillow_reads_them() {
    let judged = judged();
    assert!(judged.len() > 15);
    for Judged { name, near, sizes, values: expected } in judged {
        let source = open(&made(&name)).unwrap();
        assert_eq!(source.schema().domain.sizes(), sizes, "{name}");
        let read = values(&*source, &whole(&*source)).unwrap();
        assert_eq!(read.len(), expected.len(), "{name}");
        let off = read.iter().zip(&expected).map(|(a, b)| (a - b).abs()).max().unwrap();
        assert!(off <= near, "{name} is off by {off}");
    }
}

#[test]
fn boxes_are_parts_of_the_whole_in_whatever_order_they_are_read() {
    for name in ["grey.png", "rgb.png", "rgb16.png", "interlaced.png", "rgba.tif", "rgb.jpg"] {
        let source = open(&made(name)).unwrap();
        let (whole_values, whole) = (all(&made(name)), whole(&*source));
        let bands = whole.shape.get(2).copied().unwrap_or(1);
        // Down, up, and twice the same.
        for (y, x, band) in
            [(0, 3, 0), (4, 0, 0), (8, 7, bands - 1), (2, 5, 0), (2, 5, 0), (10, 12, 0)]
        {
            let shape = [(11 - y).min(3), (13 - x).min(4), bands - band];
            let dims = whole.shape.len();
            let origin = [y as u64, x as u64, band as u64][..dims].to_vec();
            let region = Region { origin, shape: shape[..dims].to_vec() };
            let mut expected = Vec::new();
            for row in y..y + shape[0] {
                for column in x..x + shape[1] {
                    let at = (row * 13 + column) * bands;
                    expected.extend_from_slice(&whole_values[at + band..at + bands]);
                }
            }
            assert_eq!(values(&*source, &region).unwrap(), expected, "{name} {region:?}");
        }
    }
}

#[test]
fn rows_columns_and_bands_are_numbered() {
    let source = open(&made("rgb.png")).unwrap();
    let names: Vec<&str> = source.schema().names().collect();
    assert_eq!(names, ["y", "x", "band", "v"]);
    let region = Region { origin: vec![4, 2, 1], shape: vec![3, 1, 2] };
    let columns = source.read(&region, &[0, 1, 2]).unwrap();
    let numbers: Vec<Vec<i64>> =
        columns.iter().map(|c| c.array.as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(numbers, [vec![4, 5, 6], vec![2], vec![1, 2]]);
    let field = source.schema().field("v").unwrap();
    assert_eq!(field.dtype, DType::Int32);
    assert_eq!(field.attributes.get("bits"), Some(&Attribute::Ints(vec![8])));
    assert_eq!(field.attributes.get("colour"), Some(&Attribute::Text("RGB".to_string())));
    assert_eq!(open(&made("grey.jpg")).unwrap().schema().domain.to_string(), "y: 11 × x: 13");
}

#[test]
fn columns_are_chosen_by_name() {
    let request = |columns: &[&str]| OpenRequest {
        paths: vec![made("grey.png")],
        columns: Some(columns.iter().map(|c| c.to_string()).collect()),
        ..OpenRequest::default()
    };
    let source = IMAGE.open(&request(&["v", "x"])).unwrap();
    assert_eq!(source.schema().names().collect::<Vec<_>>(), ["v", "x"]);
    assert_eq!(values(&*source, &whole(&*source)).unwrap(), all(&made("grey.png")));
    let error = IMAGE.open(&request(&["band"])).err().unwrap();
    assert_eq!(error.kind, FormatErrorKind::UnknownColumn("band".to_string()));
}

#[test]
fn what_is_not_read_is_told() {
    let told = |name: &str| -> Vec<String> {
        open(&made(name)).unwrap().warnings().into_iter().map(|w| w.message).collect()
    };
    assert!(told("grey.png").is_empty() && told("grey.tif").is_empty());
    assert!(told("pages.tif")[0].ends_with("holds several images, of which the first is read"));
    assert!(told("animated.png")[0].ends_with("is an animation of 2 images, of which one is read"));
    assert!(told("turned.jpg")[0].contains("EXIF orientation 6"), "{:?}", told("turned.jpg"));
}

#[test]
fn the_kind_is_told_by_what_is_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    std::fs::copy(made("grey.tif"), &path).unwrap();
    assert_eq!(all(&path), all(&made("grey.tif")));
}

#[test]
fn pixels_that_no_column_has_are_refused() {
    for name in ["float.tif", "int32.tif", "grey_alpha.tif"] {
        let error = open(&made(name)).err().unwrap();
        assert_eq!(error.kind, FormatErrorKind::Unsupported(None), "{name}: {}", error.message);
        assert!(error.message.contains("8 or 16 bits"), "{}", error.message);
    }
    let two = OpenRequest { paths: vec![made("grey.png"); 2], ..OpenRequest::default() };
    let error = IMAGE.open(&two).err().unwrap();
    assert!(error.message.contains("2 images are named"), "{}", error.message);
    let option = ("bits".to_string(), crate::OptionValue::One(Value::Int(8)));
    let options = crate::Options(vec![option]);
    let request = OpenRequest { paths: vec![made("grey.png")], options, ..OpenRequest::default() };
    assert!(matches!(IMAGE.open(&request).err().unwrap().kind, FormatErrorKind::BadOption(_)));
}
