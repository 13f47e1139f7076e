//! Several files along a dimension are one.
use super::*;
use arrow_array::{Array, Int32Array, TimestampMicrosecondArray};
use base::DType;

/// A file of days `from..from + days` since `since`, over two places, and what is the same in all.
fn days(path: &Path, since: &str, from: i32, days: usize, places: &[f64]) {
    let mut file = netcdf::create(path).unwrap();
    file.add_dimension("place", places.len()).unwrap();
    file.add_dimension("time", days).unwrap();
    let mut v = file.add_variable::<i32>("time", &["time"]).unwrap();
    v.put_attribute("units", format!("days since {since}")).unwrap();
    v.put_values(&(from..from + days as i32).collect::<Vec<_>>(), ..).unwrap();
    let mut v = file.add_variable::<f64>("place", &["place"]).unwrap();
    v.put_values(places, ..).unwrap();
    let mut v = file.add_variable::<i32>("x", &["place", "time"]).unwrap();
    let x = |p: usize| (0..days as i32).map(move |d| 100 * p as i32 + from + d);
    v.put_values(&(0..places.len()).flat_map(x).collect::<Vec<_>>(), ..).unwrap();
    file.close().unwrap();
}

fn request(paths: &[&Path], options: &[(&str, Value)]) -> OpenRequest {
    OpenRequest {
        paths: paths.iter().map(|p| p.to_path_buf()).collect(),
        columns: None,
        options: Options(
            options.iter().map(|(n, v)| (n.to_string(), OptionValue::One(v.clone()))).collect(),
        ),
        ..OpenRequest::default()
    }
}

fn ints(source: &dyn TileSource, name: &str) -> Vec<i32> {
    column(source, name).as_any().downcast_ref::<Int32Array>().unwrap().values().to_vec()
}

#[test]
fn files_follow_each_other_in_the_order_of_their_coordinate() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a.nc", "b.nc", "c.nc"].map(|name| dir.path().join(name));
    days(&a, "2000-01-01", 5, 2, &[1.0, 2.0]);
    days(&b, "2000-01-01", 0, 3, &[1.0, 2.0]);
    days(&c, "2000-01-01", 3, 2, &[1.0, 2.0]);
    let source = NETCDF.open(&request(&[&a, &b, &c], &[])).unwrap();
    assert_eq!(source.schema().domain.sizes(), [2, 7]);
    assert_eq!(ints(&*source, "time"), [0, 1, 2, 3, 4, 5, 6]);
    let row = |p: i32| (0..7).map(move |d| 100 * p + d);
    assert_eq!(ints(&*source, "x"), row(0).chain(row(1)).collect::<Vec<_>>());
    assert_eq!(floats(&*source, "place"), [1.0, 2.0]);
    // No tile has days of two files.
    let tiling = source.tiling(1 << 18).unwrap();
    let tiles: Vec<_> = (0..tiling.count()).map(|i| tiling.region(i)).collect();
    let cuts: Vec<_> = tiles.iter().map(|r| (r.origin[1], r.shape[1])).collect();
    assert_eq!(cuts, [(0, 3), (3, 2), (5, 2)]);
    // A box across their ends.
    let x = source.schema().position("x").unwrap();
    let part = source.read(&Region { origin: vec![1, 2], shape: vec![1, 4] }, &[x]).unwrap();
    let part = part[0].array.as_any().downcast_ref::<Int32Array>().unwrap().values().to_vec();
    assert_eq!(part, [102, 103, 104, 105]);
}

#[test]
fn a_file_of_which_there_is_a_memo_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a.nc", "b.nc", "c.nc"].map(|name| dir.path().join(name));
    days(&a, "2000-01-01", 5, 2, &[1.0, 2.0]);
    days(&b, "2000-01-01", 0, 3, &[1.0, 2.0]);
    days(&c, "2000-01-01", 3, 2, &[1.0, 2.0]);
    let mut request = request(&[&a, &b, &c], &[]);
    let whole = NETCDF.open(&request).unwrap();
    for path in [&a, &b] {
        let one = OpenRequest { paths: vec![path.clone()], ..OpenRequest::default() };
        let memo = NETCDF.open(&one).unwrap().memo().unwrap().unwrap();
        request.memos.insert(path.clone(), memo);
        std::fs::write(path, "no longer good").unwrap();
    }
    let source = NETCDF.open(&request).unwrap();
    assert_eq!(source.schema(), whole.schema());
    assert_eq!(source.files(), whole.files());
    assert_eq!(source.describe(), whole.describe());
    let cuts = |source: &dyn TileSource| {
        let tiling = source.tiling(1 << 18).unwrap();
        (0..tiling.count()).map(|i| tiling.region(i)).collect::<Vec<_>>()
    };
    assert_eq!(cuts(&*source), cuts(&*whole));
    assert_eq!(ints(&*source, "time"), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(floats(&*source, "place"), [1.0, 2.0]);
    let time = source.schema().position("time").unwrap();
    let part = source.read(&Region { origin: vec![0, 2], shape: vec![1, 4] }, &[time]).unwrap();
    let part = part[0].array.as_any().downcast_ref::<Int32Array>().unwrap().values().to_vec();
    assert_eq!(part, [2, 3, 4, 5]);
    // All else is in the files.
    let x = source.schema().position("x").unwrap();
    let read = |from| source.read(&Region { origin: vec![0, from], shape: vec![2, 1] }, &[x]);
    assert!(read(3).is_ok());
    let error = read(0).unwrap_err();
    assert!(error.message.contains("b.nc: not a whole NetCDF file"), "{}", error.message);
}

#[test]
fn times_of_other_units_are_decoded() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a.nc", "b.nc"].map(|name| dir.path().join(name));
    days(&a, "2000-01-01", 0, 2, &[1.0]);
    days(&b, "2000-02-01", 0, 1, &[1.0]);
    let error = NETCDF.open(&request(&[&a, &b], &[])).err().unwrap();
    assert!(error.message.contains("`time` has other units"), "{}", error.message);
    let options = [("decode_times", Value::Bool(true))];
    let source = NETCDF.open(&request(&[&a, &b], &options)).unwrap();
    let field = source.schema().field("time").unwrap();
    assert_eq!(field.dtype, DType::Timestamp);
    let times = column(&*source, "time");
    let times = times.as_any().downcast_ref::<TimestampMicrosecondArray>().unwrap();
    let day = 86_400_000_000i64;
    assert_eq!(times.values().to_vec(), [10_957, 10_958, 10_988].map(|d| d * day));
    assert_eq!(times.null_count(), 0);
}

#[test]
fn files_that_do_not_fit_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a.nc", "b.nc", "c.nc"].map(|name| dir.path().join(name));
    days(&a, "2000-01-01", 0, 2, &[1.0, 2.0]);
    days(&b, "2000-01-01", 2, 2, &[1.0, 3.0]);
    days(&c, "2000-01-01", 0, 2, &[1.0, 2.0]);
    let message = |paths: &[&Path], options: &[(&str, Value)]| {
        NETCDF.open(&request(paths, options)).err().unwrap().message
    };
    let several = message(&[&a, &b], &[]);
    assert!(several.contains("`place`, `time`"), "{several}");
    let along = ("along", Value::Str("time".to_string()));
    let other = message(&[&a, &b], std::slice::from_ref(&along));
    assert!(other.contains("`place` has other values") && other.contains("b.nc"), "{other}");
    assert!(message(&[&a, &c], &[]).contains("no dimension tells"));
    let over = message(&[&a, &c], std::slice::from_ref(&along));
    assert!(over.contains("overlap") && over.contains("`time`"), "{over}");
    let twice = message(&[&a, &a], std::slice::from_ref(&along));
    assert!(twice.contains("a.nc is named twice"), "{twice}");
    let link = dir.path().join("link.nc");
    std::os::unix::fs::symlink(&a, &link).unwrap();
    assert!(message(&[&a, &link], &[along]).contains("are the same file"));
    let nowhere = [("along", Value::Str("tim".to_string()))];
    assert!(message(&[&a, &c], &nowhere).contains("no dimension `tim`"));
}

/// A file of variables along `time`, in this order: their names, units and values.
fn series(path: &Path, times: &[f64], variables: &[(&str, &str, f64)]) {
    let mut file = netcdf::create(path).unwrap();
    file.add_dimension("time", times.len()).unwrap();
    for (name, units, first) in variables {
        let mut v = file.add_variable::<f64>(name, &["time"]).unwrap();
        v.put_attribute("units", *units).unwrap();
        let values: Vec<f64> = times.iter().map(|t| first + t).collect();
        v.put_values(&values, ..).unwrap();
    }
    let mut v = file.add_variable::<f64>("time", &["time"]).unwrap();
    v.put_values(times, ..).unwrap();
    file.close().unwrap();
}

#[test]
fn columns_are_put_together_by_name_and_units_that_differ_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a.nc", "b.nc", "c.nc"].map(|name| dir.path().join(name));
    series(&a, &[0.0, 1.0], &[("u", "K", 10.0), ("v", "m", 20.0)]);
    series(&b, &[2.0, 3.0], &[("v", "m", 20.0), ("u", "degC", 10.0)]);
    let source = NETCDF.open(&request(&[&a, &b], &[])).unwrap();
    assert_eq!(floats(&*source, "u"), [10.0, 11.0, 12.0, 13.0]);
    assert_eq!(floats(&*source, "v"), [20.0, 21.0, 22.0, 23.0]);
    let told = source.warnings();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].code, base::Code::UnitsDiffer);
    assert!(told[0].message.contains("`u` is in `K`") && told[0].message.contains("`degC`"));
    drop(source);
    series(&c, &[4.0], &[("u", "K", 10.0)]);
    let message = NETCDF.open(&request(&[&a, &c], &[])).err().unwrap().message;
    assert!(message.contains("c.nc has no `v`"), "{message}");
    // Numbers that are times would be other times.
    series(&a, &[0.0, 1.0], &[("seen", "days since 2000-01-01", 0.0)]);
    series(&b, &[2.0, 3.0], &[("seen", "days since 2000-02-01", 0.0)]);
    let message = NETCDF.open(&request(&[&a, &b], &[])).err().unwrap().message;
    assert!(message.contains("`seen` has other units"), "{message}");
}

#[test]
fn files_that_overlap_or_run_in_other_directions_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a.nc", "b.nc"].map(|name| dir.path().join(name));
    let message = |one: &[f64], two: &[f64]| {
        series(&a, one, &[("u", "K", 0.0)]);
        series(&b, two, &[("u", "K", 0.0)]);
        match NETCDF.open(&request(&[&a, &b], &[])) {
            Ok(source) => format!("{:?}", floats(&*source, "time")),
            Err(error) => error.message,
        }
    };
    for (one, two) in [
        (vec![0.0, 1.0, 2.0], vec![2.0, 3.0]),
        (vec![0.0, 1.0, 2.0, 3.0], vec![1.0, 2.0]),
        (vec![0.0, 2.0, 4.0], vec![1.0, 3.0, 5.0]),
        (vec![0.0, 1.0], vec![3.0, 2.0]),
    ] {
        let told = message(&one, &two);
        assert!(
            told.contains("a.nc") && told.contains("b.nc overlap: `time`")
                || told.contains("b.nc and"),
            "{told}"
        );
    }
    assert_eq!(message(&[2.0, 1.0], &[4.0, 3.0]), "[4.0, 3.0, 2.0, 1.0]");
    assert_eq!(message(&[7.0, 9.0], &[1.0, 2.0]), "[1.0, 2.0, 7.0, 9.0]");
}
