//! A file that was cut off or changed gives an error or its values, never a panic.
use super::*;
use crate::FormatErrorKind;
use crate::netcdf::file::NcFile;
use netcdf::Options as Mode;

fn make(path: &Path, mode: Mode, chunked: bool) {
    let mut file = netcdf::create_with(path, mode).unwrap();
    file.add_attribute("title", "whole").unwrap();
    file.add_dimension("y", 20).unwrap();
    file.add_dimension("x", 30).unwrap();
    for name in ["a", "b"] {
        let mut v = file.add_variable::<f64>(name, &["y", "x"]).unwrap();
        if chunked {
            v.set_chunking(&[5, 10]).unwrap();
            v.set_compression(4, true).unwrap();
        }
        v.put_attribute("units", "m").unwrap();
    }
    file.enddef().ok();
    for name in ["a", "b"] {
        let values: Vec<f64> = (0..600).map(f64::from).collect();
        file.variable_mut(name).unwrap().put_values(&values, ..).unwrap();
    }
    file.close().unwrap();
}

/// Opens and reads all; the message of the first error.
fn read_all(path: &Path) -> Result<(), String> {
    let request = OpenRequest { paths: vec![path.to_path_buf()], ..OpenRequest::default() };
    let source = NETCDF.open(&request).map_err(|e| {
        assert_ne!(e.kind, FormatErrorKind::Missing);
        e.message
    })?;
    let sizes = source.schema().domain.sizes();
    if source.schema().domain.points().is_none_or(|p| p > 1 << 20) {
        return Err("absurd size".to_string());
    }
    let region =
        Region { origin: vec![0; sizes.len()], shape: sizes.iter().map(|s| *s as usize).collect() };
    let columns: Vec<usize> = (0..source.schema().fields.len()).collect();
    let columns = source.read(&region, &columns).map_err(|f| f.message)?;
    assert!(!columns.is_empty());
    Ok(())
}

const KINDS: [(Mode, bool); 4] = [
    (Mode::empty(), false),
    (Mode::_64BIT_DATA, false),
    (Mode::NETCDF4, false),
    (Mode::NETCDF4, true),
];

#[test]
fn cut_off_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    for (i, (mode, chunked)) in KINDS.into_iter().enumerate() {
        let whole = dir.path().join(format!("whole{i}.nc"));
        make(&whole, mode, chunked);
        read_all(&whole).unwrap();
        let bytes = std::fs::read(&whole).unwrap();
        for k in 0..60 {
            let len = bytes.len() * k / 60;
            let cut = dir.path().join(format!("cut{i}-{k}.nc"));
            std::fs::write(&cut, &bytes[..len]).unwrap();
            let error = read_all(&cut).expect_err(&format!("kind {i}, {len} bytes"));
            assert!(error.contains(&format!("cut{i}-{k}.nc")), "{error}");
        }
        let last = dir.path().join(format!("last{i}.nc"));
        std::fs::write(&last, &bytes[..bytes.len() - 1]).unwrap();
        read_all(&last).unwrap_err();
    }
}

#[test]
fn cut_off_while_open() {
    let dir = tempfile::tempdir().unwrap();
    for (mode, chunked) in KINDS.into_iter().skip(2) {
        let path = dir.path().join(format!("open{chunked}.nc"));
        make(&path, mode, chunked);
        let source = open(&path, None, &[]);
        let part = Region { origin: vec![0, 0], shape: vec![1, 1] };
        source.read(&part, &[0, 1]).unwrap();
        let len = std::fs::metadata(&path).unwrap().len();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(len / 3).unwrap();
        let all = Region { origin: vec![0, 0], shape: vec![20, 30] };
        let failure = source.read(&all, &[0, 1]).unwrap_err();
        assert!(failure.message.contains("variable `") && failure.message.contains(".nc"));
    }
}

#[test]
fn changed_chunks_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    make(&path, Mode::NETCDF4, true);
    let bytes = std::fs::read(&path).unwrap();
    // Chunks of zlib at this level start with these bytes.
    let chunk = bytes.windows(2).rposition(|w| w == [0x78, 0x5e]).unwrap();
    for at in [chunk, chunk + 1, chunk + 20, chunk + 60] {
        let mut changed = bytes.clone();
        changed[at] ^= 0x55;
        std::fs::write(&path, &changed).unwrap();
        let error = read_all(&path).unwrap_err();
        assert!(error.contains("variable `b`") && error.contains("damaged"), "{error}");
    }
}

#[test]
fn other_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    for content in [&b""[..], b"CDF", b"CDF\x01", b"CDF\x07abcdefgh", b"\x89HDF\r\n\x1a\n", b"text"]
    {
        std::fs::write(&path, content).unwrap();
        assert!(read_all(&path).unwrap_err().contains("not a whole NetCDF file"));
    }
    let request = OpenRequest { paths: vec![dir.path().join("none.nc")], ..OpenRequest::default() };
    assert_eq!(NETCDF.open(&request).err().unwrap().kind, FormatErrorKind::Missing);
    let request = OpenRequest { paths: vec![dir.path().to_path_buf()], ..OpenRequest::default() };
    assert!(NETCDF.open(&request).is_err());
}

#[test]
fn a_part_reads_only_the_chunks_it_needs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    make(&path, Mode::NETCDF4, true);
    let file = NcFile::open(&std::fs::File::open(&path).unwrap()).unwrap();
    let root = file.groups("").unwrap().remove(0);
    let variables = file.variables(&root).unwrap();
    let places = file.chunks(variables.iter().find(|v| v.name == "a").unwrap()).unwrap();
    assert_eq!(places.len(), 12);
    let mut bytes = std::fs::read(&path).unwrap();
    for place in places.iter().filter(|p| p.number != 4 && p.number != 7) {
        bytes[place.offset as usize..][..place.bytes as usize].fill(0xff);
    }
    std::fs::write(&path, &bytes).unwrap();
    let source = open(&path, None, &[]);
    let a = source.schema().position("a").unwrap();
    let read = |origin: [u64; 2], shape: [usize; 2]| {
        source.read(&Region { origin: origin.to_vec(), shape: shape.to_vec() }, &[a])
    };
    for _ in 0..2 {
        let part = read([8, 12], [4, 2]).unwrap().remove(0).array;
        let wanted: Vec<f64> =
            (8..12).flat_map(|y| [y * 30 + 12, y * 30 + 13]).map(f64::from).collect();
        assert_eq!(format!("{part:?}"), format!("{:?}", Float64Array::from(wanted)));
        assert!(read([8, 9], [4, 2]).unwrap_err().message.contains("damaged"));
    }
    assert!(read([5, 10], [5, 10]).is_ok() && read([5, 0], [5, 10]).is_err());
}
