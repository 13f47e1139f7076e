//! What attributes mean: valid ranges, what was never written, bounds of times, letters.
use super::*;
use arrow_array::{Array, Int32Array, StringArray, TimestampMicrosecondArray};
use base::{Attribute, Code, DType, Warning};
use netcdf::AttributeValue;

const DAY: i64 = 86_400_000_000;

fn decoded(
    path: &Path,
    columns: Option<&[&str]>,
) -> Result<Arc<dyn TileSource>, crate::FormatError> {
    let times = ("decode_times".to_string(), OptionValue::One(Value::Bool(true)));
    NETCDF.open(&OpenRequest {
        paths: vec![path.to_path_buf()],
        columns: columns.map(|c| c.iter().map(|n| n.to_string()).collect()),
        options: Options(vec![times]),
        ..OpenRequest::default()
    })
}

fn codes(list: &[Warning]) -> Vec<(Code, u64)> {
    list.iter().map(|w| (w.code, w.count)).collect()
}

fn some_ints(source: &dyn TileSource, name: &str) -> Vec<Option<i32>> {
    column(source, name).as_any().downcast_ref::<Int32Array>().unwrap().iter().collect()
}

fn some_floats(source: &dyn TileSource, name: &str) -> Vec<Option<f64>> {
    column(source, name).as_any().downcast_ref::<Float64Array>().unwrap().iter().collect()
}

/// The expected values are those that netCDF4-python reads.
#[test]
fn values_outside_of_the_valid_range_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut file = netcdf::create(&path).unwrap();
    file.add_dimension("x", 4).unwrap();
    let mut add = |name: &str, attributes: &[(&str, AttributeValue)]| {
        let mut v = file.add_variable::<i16>(name, &["x"]).unwrap();
        for (name, value) in attributes {
            v.put_attribute(name, value.clone()).unwrap();
        }
        v.put_values(&[100i16, 150, 200, 250], ..).unwrap();
    };
    let packed: (&str, AttributeValue) = ("scale_factor", 0.01f64.into());
    let range: (&str, AttributeValue) = ("valid_range", vec![100i16, 200].into());
    add("range", &[packed.clone(), range.clone()]);
    add("least", &[packed.clone(), ("valid_min", 150i16.into())]);
    add("most", &[("valid_max", 150i16.into())]);
    add("unfit", &[("valid_max", 1.5f64.into()), ("valid_min", 70_000i32.into())]);
    file.close().unwrap();
    let source = open(&path, None, &[]);
    let range = [Some(1.0), Some(1.5), Some(2.0), None];
    assert_eq!(some_floats(&*source, "range"), range);
    assert_eq!(some_floats(&*source, "least"), [None, Some(1.5), Some(2.0), Some(2.5)]);
    assert_eq!(some_ints(&*source, "most"), [Some(100), Some(150), None, None]);
    assert_eq!(some_ints(&*source, "unfit"), [100, 150, 200, 250].map(Some));
    assert_eq!(codes(&source.met()), [1, 1, 2].map(|n| (Code::OutOfValidRange, n)));
    assert!(
        source.met()[0].message.contains("x.nc") && source.met()[0].message.contains("`range`")
    );
    // The range of packed values says nothing of unpacked ones; that of others stays.
    let attribute =
        |name: &str, at: &str| source.schema().field(name).unwrap().attributes.get(at).cloned();
    assert_eq!(attribute("range", "valid_range"), None);
    assert_eq!(attribute("least", "valid_min"), None);
    assert_eq!(attribute("most", "valid_max"), Some(Attribute::Ints(vec![150])));
    assert_eq!(codes(&source.warnings()), [(Code::AttributeIgnored, 1); 2]);
    assert!(source.warnings()[0].message.contains("`valid_min` of `unfit`"));
}

#[test]
fn what_was_never_written_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut file = netcdf::create(&path).unwrap();
    file.add_dimension("x", 4).unwrap();
    macro_rules! halves {
        ($($t:ty),*) => { $(
            let mut v = file.add_variable::<$t>(stringify!($t), &["x"]).unwrap();
            v.put_values(&[1 as $t, 3 as $t], ..2).unwrap();
        )* };
    }
    halves!(i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);
    let mut v = file.add_variable::<i32>("unfilled", &["x"]).unwrap();
    // SAFETY: all values are written below.
    unsafe { v.set_nofill() }.unwrap();
    v.put_values(&[1i32, -2_147_483_647, 3, 4], ..).unwrap();
    file.close().unwrap();
    let source = open(&path, None, &[]);
    for name in ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"] {
        let values = column(&*source, name);
        assert_eq!((values.null_count(), values.is_valid(1)), (2, true), "{name}");
    }
    // Whoever said that nothing is filled means the value.
    assert_eq!(some_ints(&*source, "unfilled"), [1, -2_147_483_647, 3, 4].map(Some));
}

#[test]
fn signs_and_texts_in_place_of_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut file = netcdf::create(&path).unwrap();
    file.add_dimension("x", 4).unwrap();
    let mut v = file.add_variable::<u8>("turned", &["x"]).unwrap();
    v.put_attribute("_Unsigned", "false").unwrap();
    v.put_values(&[1u8, 255, 128, 2], ..).unwrap();
    for (name, missing) in [("number", "-999"), ("word", "none")] {
        let mut v = file.add_variable::<i16>(name, &["x"]).unwrap();
        v.put_attribute("missing_value", missing).unwrap();
        v.put_values(&[1i16, -999, 3, 4], ..).unwrap();
    }
    let mut v = file.add_variable::<i16>("scaled", &["x"]).unwrap();
    v.put_attribute("scale_factor", "0.01").unwrap();
    v.put_values(&[1i16, 2, 3, 4], ..).unwrap();
    file.close().unwrap();
    let source = open(&path, None, &[]);
    assert_eq!(some_ints(&*source, "turned"), [Some(1), None, Some(-128), Some(2)]);
    assert_eq!(some_ints(&*source, "number"), [Some(1), None, Some(3), Some(4)]);
    assert_eq!(some_ints(&*source, "word"), [1, -999, 3, 4].map(Some));
    let told = source.warnings();
    assert_eq!(codes(&told), [(Code::ColumnsLeftOut, 1), (Code::AttributeIgnored, 1)]);
    assert!(told[0].message.contains("`scaled` (its `scale_factor` is the text \"0.01\""));
    assert!(told[1].message.contains("`missing_value` of `word`"));
    let by_name = OpenRequest {
        paths: vec![path],
        columns: Some(vec!["scaled".to_string()]),
        ..OpenRequest::default()
    };
    assert!(NETCDF.open(&by_name).err().unwrap().message.contains("is the text \"0.01\""));
}

/// A file of daily means of two days, with bounds.
fn means(path: &Path, units: &str) {
    let mut file = netcdf::create(path).unwrap();
    file.add_dimension("time", 2).unwrap();
    file.add_dimension("nv", 2).unwrap();
    let mut v = file.add_variable::<f64>("time", &["time"]).unwrap();
    v.put_attribute("units", units).unwrap();
    v.put_attribute("bounds", "time_bnds").unwrap();
    v.put_values(&[0.5, 1.5], ..).unwrap();
    let mut v = file.add_variable::<f64>("time_bnds", &["time", "nv"]).unwrap();
    v.put_values(&[0.0, 1.0, 1.0, 2.0], ..).unwrap();
    let mut v = file.add_variable::<f64>("v", &["time"]).unwrap();
    v.put_values(&[1.0, 2.0], ..).unwrap();
    file.close().unwrap();
}

#[test]
fn bounds_go_with_their_times() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("x.nc"), dir.path().join("y.nc"));
    means(&path, "days since 2000-01-01");
    let source = decoded(&path, Some(&["v", "time_bnds"])).unwrap();
    let bounds = column(&*source, "time_bnds");
    let bounds = bounds.as_any().downcast_ref::<TimestampMicrosecondArray>().unwrap();
    let days = [10_957, 10_958, 10_958, 10_959].map(|d| d * DAY);
    assert_eq!(bounds.values().to_vec(), days);
    // Both are written in the units of the input.
    let schema = source.schema().clone();
    let whole = |name: &str| {
        let mask = schema.field(name).unwrap().mask;
        Column { mask, array: column(&*source, name) }
    };
    let columns: Vec<Column> = schema.names().map(whole).collect();
    let tiling = Tiling::even(&schema.domain, &[2, 2]);
    write(request(&copy, &schema, Some(tiling), 0), &columns, false).unwrap();
    let file = netcdf::open(&copy).unwrap();
    for (name, values) in [("time", vec![0.5, 1.5]), ("time_bnds", vec![0.0, 1.0, 1.0, 2.0])] {
        let v = file.variable(name).unwrap();
        assert_eq!(v.get_values::<f64, _>(..).unwrap(), values);
        let units = v.attribute_value("units").unwrap().unwrap();
        assert_eq!(units, AttributeValue::Str("days since 2000-01-01".to_string()));
    }
    let told = open(&path, None, &[]).warnings();
    assert_eq!(codes(&told), [(Code::ColumnsLeftOut, 1)]);
    assert!(told[0].message.contains("`time_bnds` (it bounds the cells of another)"));
}

#[test]
fn dates_before_the_gregorian_calendar_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    means(&path, "days since 1500-01-01");
    let source = decoded(&path, None).unwrap();
    let time = source.schema().position("time").unwrap();
    let region = Region { origin: vec![0], shape: vec![2] };
    let failure = source.read(&region, &[time]).unwrap_err();
    assert!(failure.message.contains("`time`") && failure.message.contains("before 1582-10-15"));
    assert!(failure.message.contains("without `decode_times`"), "{}", failure.message);
    drop(source);
    means(&path, "days since 1582-10-10");
    assert!(decoded(&path, None).err().unwrap().message.contains("cannot be decoded"));
}

/// A byte that the library writes as a letter.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Letter(u8);

// SAFETY: of one byte, and the library takes it as a letter.
unsafe impl netcdf::NcTypeDescriptor for Letter {
    fn type_descriptor() -> netcdf::types::NcVariableType {
        netcdf::types::NcVariableType::Char
    }
}

/// By xarray's rule letters are joined along a dimension that nothing else has.
#[test]
fn letters_at_the_points_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut file = netcdf::create(&path).unwrap();
    for (name, size) in [("profile", 2), ("level", 3), ("length", 4)] {
        file.add_dimension(name, size).unwrap();
    }
    let mut v = file.add_variable::<f32>("t", &["profile", "level"]).unwrap();
    v.put_values(&[1f32, 2.0, 3.0, 4.0, 5.0, 6.0], ..).unwrap();
    let mut chars = |name: &str, dims: &[&str], bytes: &[u8]| {
        let kind = netcdf::types::NcVariableType::Char;
        let mut v = file.add_variable_with_type(name, dims, &kind).unwrap();
        let letters: Vec<Letter> = bytes.iter().map(|b| Letter(*b)).collect();
        v.put_values(&letters, ..).unwrap();
    };
    chars("flag", &["profile", "level"], b"114141");
    chars("direction", &["profile"], b"AD");
    chars("name", &["profile", "length"], b"ab\0\0cd\xe9 ");
    file.close().unwrap();
    let source = open(&path, None, &[]);
    let texts = |name: &str| {
        let array = column(&*source, name);
        let array = array.as_any().downcast_ref::<StringArray>().unwrap().clone();
        array.iter().map(|t| t.unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(texts("flag"), ["1", "1", "4", "1", "4", "1"]);
    assert_eq!(texts("direction"), ["A", "D"]);
    assert_eq!(texts("name"), ["ab", "cd\u{FFFD}"]);
    assert_eq!(source.schema().domain.sizes(), [2, 3]);
    assert_eq!(codes(&source.met()), [(Code::TextReplaced, 1)]);
    assert_eq!(source.schema().field("flag").unwrap().dtype, DType::String);
}

/// Names that NetCDF takes, though CF advises against them.
#[test]
fn names_of_all_letters() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["température", "2t", "t-mean", "a b", "a.b", "_u", "x+y", "温度"];
    let field = |name: &&str| base::Field::new(*name, DType::Float64, base::DimMask::only(0));
    let schema = Schema {
        domain: base::Domain::new([("my x", 4)]),
        fields: names.iter().map(field).collect(),
        ..Schema::default()
    };
    let values = |i: usize| (0..4).map(move |k| (10 * i + k) as f64);
    let array = |i: usize| Arc::new(Float64Array::from_iter_values(values(i))) as ArrayRef;
    let column = |i: usize| Column { mask: base::DimMask::only(0), array: array(i) };
    let whole: Vec<Column> = (0..names.len()).map(column).collect();
    for level in [0, 4] {
        let path = dir.path().join(format!("{level}.nc"));
        let tiling = Tiling::even(&schema.domain, &[2]);
        write(request(&path, &schema, Some(tiling), level), &whole, true).unwrap();
        let source = open(&path, None, &[]);
        for (i, name) in names.iter().enumerate() {
            assert_eq!(floats(&*source, name), values(i).collect::<Vec<_>>(), "{name}");
        }
    }
    for name in ["a/b", "", "end ", "a\nb"] {
        let mut schema = schema.clone();
        schema.fields[0].name = name.into();
        let tiling = Tiling::even(&schema.domain, &[2]);
        let path = dir.path().join("x.nc");
        let error = NETCDF.sink(request(&path, &schema, Some(tiling), 0)).err().unwrap();
        assert!(error.help.unwrap().contains("begins with a letter, a digit or `_`"), "{name}");
    }
}

#[test]
fn attributes_keep_their_types() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut field = base::Field::new("v", DType::Float64, base::DimMask::only(0));
    let values = [
        ("single", Attribute::Singles(vec![0.1, 2.5])),
        ("double", Attribute::Floats(vec![0.1])),
        ("whole", Attribute::Ints(vec![7])),
        ("text", Attribute::Text("a b".into())),
    ];
    for (name, value) in &values {
        field.attributes.set(*name, value.clone());
    }
    let domain = base::Domain::new([("x", 4)]);
    let schema = Schema { domain, fields: vec![field], ..Schema::default() };
    let array = Arc::new(Float64Array::from_iter_values([1.0, 2.0, 3.0, 4.0])) as ArrayRef;
    let whole = [Column { mask: base::DimMask::only(0), array }];
    let tiling = Tiling::even(&schema.domain, &[2]);
    write(request(&path, &schema, Some(tiling), 0), &whole, true).unwrap();
    let source = open(&path, None, &[]);
    for (name, value) in &values {
        assert_eq!(source.schema().fields[0].attributes.get(name), Some(value), "{name}");
    }
    let file = netcdf::open(&path).unwrap();
    let judged = file.variable("v").unwrap().attribute_value("single").unwrap().unwrap();
    assert_eq!(judged, AttributeValue::Floats(vec![0.1, 2.5]));
}

#[test]
fn what_is_not_written_is_named_by_no_attribute() {
    let dir = tempfile::tempdir().unwrap();
    let mut field = base::Field::new("v", DType::Float64, base::DimMask::only(0));
    field.attributes.set("coordinates", Attribute::Text("height lat".into()));
    field.attributes.set("grid_mapping", Attribute::Text("crs".into()));
    let lat = base::Field::new("lat", DType::Float64, base::DimMask::only(0));
    let domain = base::Domain::new([("x", 2)]);
    let schema = Schema { domain, fields: vec![field, lat], ..Schema::default() };
    let path = dir.path().join("x.nc");
    let tiling = || Some(Tiling::even(&schema.domain, &[2]));
    let sink = NETCDF.sink(request(&path, &schema, tiling(), 0)).unwrap();
    let told = sink.warnings();
    assert_eq!(codes(&told), [(Code::DescriptionLost, 2)]);
    assert!(told[0].message.contains("`height` (coordinates of `v`), `crs` (grid_mapping of `v`)"));
    let array = || Arc::new(Float64Array::from(vec![1.0, 2.0])) as ArrayRef;
    let column = || Column { mask: base::DimMask::only(0), array: array() };
    write(request(&path, &schema, tiling(), 0), &[column(), column()], false).unwrap();
    let read = open(&path, None, &[]);
    let attributes = &read.schema().field("v").unwrap().attributes;
    assert_eq!(attributes.0, [("coordinates".to_string(), Attribute::Text("lat".into()))]);
}

#[test]
fn a_box_without_points_loses_nothing_unsaid() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut file = netcdf::create(&path).unwrap();
    file.add_unlimited_dimension("time").unwrap();
    file.add_dimension("x", 3).unwrap();
    file.add_variable::<f64>("t", &["time", "x"]).unwrap();
    file.add_variable::<f64>("w", &["x"]).unwrap().put_values(&[1.0, 2.0, 3.0], ..).unwrap();
    file.close().unwrap();
    let source = open(&path, None, &[]);
    let told = source.warnings();
    assert_eq!(codes(&told), [(Code::ColumnsLeftOut, 1)]);
    assert!(told[0].message.contains("`time` has no points") && told[0].message.contains("`w`"));
    let schema = source.schema();
    let tiling = Some(Tiling::by_points(&schema.domain, 1 << 16));
    let error = NETCDF.sink(request(&dir.path().join("y.nc"), schema, tiling, 0)).err().unwrap();
    assert!(error.message.contains("`time` has no points: `w`"), "{}", error.message);
    assert_eq!(floats(&*open(&path, Some(&["w"]), &[]), "w"), [1.0, 2.0, 3.0]);
}

#[test]
fn times_are_written_in_units_that_all_programs_know() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let times = |units: Option<&str>, values: &[i64]| {
        let mut field = base::Field::new("t", DType::Timestamp, base::DimMask::only(0));
        if let Some(units) = units {
            field.attributes.set("units", Attribute::Text(units.to_string()));
        }
        let domain = base::Domain::new([("x", values.len() as u64)]);
        let schema = Schema { domain, fields: vec![field], ..Schema::default() };
        let array = Arc::new(TimestampMicrosecondArray::from(values.to_vec())) as ArrayRef;
        let column = Column { mask: base::DimMask::only(0), array };
        let tiling = Tiling::even(&schema.domain, &[values.len() as u64]);
        let _ = std::fs::remove_file(&path);
        if let Err(error) = NETCDF.sink(request(&path, &schema, Some(tiling.clone()), 0)) {
            return Err(error.message);
        }
        write(request(&path, &schema, Some(tiling), 0), &[column], false).map_err(|f| f.message)?;
        let file = netcdf::open(&path).unwrap();
        let units = file.variable("t").unwrap().attribute_value("units").unwrap().unwrap();
        let units = String::try_from(units).unwrap();
        let read = decoded(&path, None).unwrap();
        let read = column_of_times(&*read);
        assert_eq!(read, values);
        Ok((units, file.variable("t").unwrap().get_values::<f64, _>(..).unwrap()))
    };
    let day = (10_957 * DAY, 10_957 * DAY + 1_500_000);
    let seconds =
        ("seconds since 1970-01-01 00:00:00".to_string(), vec![946_684_800.0, 946_684_801.5]);
    assert_eq!(times(None, &[day.0, day.1]), Ok(seconds));
    let hours = ("hours since 2000-01-01".to_string(), vec![0.0, 24.0]);
    assert_eq!(times(Some("hours since 2000-01-01"), &[day.0, day.0 + DAY]), Ok(hours));
    let micros = ("microseconds since 2000-01-01".to_string(), vec![1.0]);
    assert_eq!(times(Some("microseconds since 2000-01-01"), &[day.0 + 1]), Ok(micros));
    assert!(times(Some("kelvin"), &[0]).unwrap_err().contains("no units of times"));
    let far = times(Some("days since 0001-01-01"), &[day.0 + 1]).unwrap_err();
    assert!(far.contains("cannot be told exactly") && far.contains("microseconds since"), "{far}");
}

fn column_of_times(source: &dyn TileSource) -> Vec<i64> {
    let times = column(source, "t");
    times.as_any().downcast_ref::<TimestampMicrosecondArray>().unwrap().values().to_vec()
}
