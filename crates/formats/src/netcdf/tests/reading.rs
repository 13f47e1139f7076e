//! What other programs write reads as they mean it.
use super::*;
use arrow_array::{Array, BooleanArray, Float32Array, Int32Array, Int64Array, StringArray};
use base::{Attribute, DType, Domain};
use netcdf::Options as Mode;

#[test]
fn packed_values_and_missing_ones() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut file = netcdf::create(&path).unwrap();
    file.add_dimension("x", 4).unwrap();
    let mut add = |name: &str, attributes: &[(&str, netcdf::AttributeValue)]| {
        let mut v = file.add_variable::<i16>(name, &["x"]).unwrap();
        for (name, value) in attributes {
            v.put_attribute(name, value.clone()).unwrap();
        }
        v.put_values(&[0i16, 100, -1, 7], ..).unwrap();
    };
    add("double", &[("scale_factor", 0.01f64.into()), ("_FillValue", (-1i16).into())]);
    add("single", &[("scale_factor", 0.5f32.into()), ("add_offset", 1f32.into())]);
    add("plain", &[("missing_value", vec![100i16, 7].into()), ("units", "K".into())]);
    add("unsigned", &[("_Unsigned", "true".into()), ("_FillValue", (-1i16).into())]);
    let mut v = file.add_variable::<f32>("nan", &["x"]).unwrap();
    v.put_attribute("_FillValue", f32::NAN).unwrap();
    v.put_attribute("missing_value", 1e20f64).unwrap();
    v.put_values(&[1f32, f32::NAN, 1e20, 2.0], ..).unwrap();
    let mut v = file.add_variable::<i8>("flag", &["x"]).unwrap();
    v.put_attribute("dtype", "bool").unwrap();
    v.put_values(&[0i8, 1, 1, 0], ..).unwrap();
    let mut v = file.add_variable::<u64>("large", &["x"]).unwrap();
    v.put_values(&[0u64, 1, 2, u64::MAX], ..).unwrap();
    file.close().unwrap();

    let source = open(&path, None, &[]);
    let debug = |name: &str| format!("{:?}", column(&*source, name));
    let double = Float64Array::from(vec![Some(0.0), Some(1.0), None, Some(7.0 * 0.01)]);
    assert_eq!(debug("double"), format!("{double:?}"));
    assert_eq!(debug("single"), format!("{:?}", Float32Array::from(vec![1.0, 51.0, 0.5, 4.5])));
    let plain = Int32Array::from(vec![Some(0), None, Some(-1), None]);
    assert_eq!(debug("plain"), format!("{plain:?}"));
    let unsigned = Int32Array::from(vec![Some(0), Some(100), None, Some(7)]);
    assert_eq!(debug("unsigned"), format!("{unsigned:?}"));
    let nan = Float32Array::from(vec![Some(1.0), None, None, Some(2.0)]);
    assert_eq!(debug("nan"), format!("{nan:?}"));
    assert_eq!(debug("flag"), format!("{:?}", BooleanArray::from(vec![false, true, true, false])));
    let plain = source.schema().field("plain").unwrap();
    assert_eq!(plain.attributes.0, [("units".to_string(), Attribute::Text("K".into()))]);
    assert!(plain.nullable);
    let large = source.schema().position("large").unwrap();
    let region = |n: usize| Region { origin: vec![0], shape: vec![n] };
    let first = source.read(&region(3), &[large]).unwrap().remove(0).array;
    assert_eq!(format!("{first:?}"), format!("{:?}", Int64Array::from(vec![0, 1, 2])));
    let failure = source.read(&region(4), &[large]).unwrap_err();
    assert!(failure.message.contains("`large`") && failure.message.contains("too large"));
}

#[test]
fn dimensions_in_another_order_and_columns_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut file = netcdf::create(&path).unwrap();
    for (name, size) in [("x", 3), ("y", 2), ("t", 4), ("nv", 2)] {
        file.add_dimension(name, size).unwrap();
    }
    let mut put = |name: &str, dims: &[&str], n: usize| {
        let mut v = file.add_variable::<f64>(name, dims).unwrap();
        v.put_values(&(0..n).map(|i| i as f64).collect::<Vec<_>>(), ..).unwrap();
    };
    put("x", &["x"], 3);
    put("yx", &["y", "x"], 6);
    put("tyx", &["t", "y", "x"], 24);
    put("xt", &["x", "t"], 12);
    put("x_bounds", &["x", "nv"], 6);
    put("scalar", &[], 1);
    file.variable_mut("x").unwrap().put_attribute("bounds", "x_bounds").unwrap();
    file.close().unwrap();

    let source = open(&path, None, &[]);
    assert_eq!(source.schema().domain, Domain::new([("t", 4u64), ("y", 2), ("x", 3)]));
    let names: Vec<&str> = source.schema().names().collect();
    assert_eq!(names, ["x", "yx", "tyx", "xt", "scalar"]);
    assert!(source.describe().ends_with("without x_bounds"), "{}", source.describe());
    let wanted: Vec<f64> = (0..4).flat_map(|t| (0..3).map(move |x| f64::from(x * 4 + t))).collect();
    assert_eq!(floats(&*source, "xt"), wanted);
    let i = source.schema().position("xt").unwrap();
    let region = Region { origin: vec![1, 0, 1], shape: vec![2, 1, 2] };
    let part = source.read(&region, &[i]).unwrap().remove(0);
    assert_eq!(part.mask, source.schema().fields[i].mask);
    let wanted = Float64Array::from(vec![5.0, 9.0, 6.0, 10.0]);
    assert_eq!(format!("{:?}", part.array), format!("{wanted:?}"));

    let some = open(&path, Some(&["yx"]), &[]);
    assert_eq!(some.schema().names().collect::<Vec<_>>(), ["yx", "x"]);
    assert_eq!(some.schema().coordinate(1), Some(1));
    let bounds = open(&path, Some(&["x_bounds"]), &[]);
    assert_eq!(bounds.schema().domain, Domain::new([("x", 3u64), ("nv", 2)]));

    let unknown = OpenRequest {
        paths: vec![path.clone()],
        columns: Some(vec!["txy".to_string()]),
        ..OpenRequest::default()
    };
    let error = NETCDF.open(&unknown).err().unwrap();
    assert_eq!(error.kind, crate::FormatErrorKind::UnknownColumn("txy".to_string()));
    assert!(error.help.is_some());
    let two = OpenRequest { paths: vec![path.clone(), path], ..OpenRequest::default() };
    assert!(NETCDF.open(&two).err().unwrap().help.is_some());
}

#[test]
fn groups_texts_and_attributes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut file = netcdf::create(&path).unwrap();
    file.add_attribute("title", "outside").unwrap();
    file.add_attribute("version", 3i32).unwrap();
    file.add_dimension("x", 2).unwrap();
    file.add_variable::<i32>("x", &["x"]).unwrap().put_values(&[5i32, 6], ..).unwrap();
    let mut group = file.add_group("deep").unwrap();
    let mut inner = group.add_group("er").unwrap();
    inner.add_attribute("title", "inside").unwrap();
    inner.add_dimension("n", 4).unwrap();
    inner.add_variable::<f32>("v", &["x"]).unwrap().put_values(&[1f32, 2.0], ..).unwrap();
    let mut texts = inner.add_string_variable("s", &["x"]).unwrap();
    texts.put_string("één", 0).unwrap();
    texts.put_string("", 1).unwrap();
    let letters = netcdf::types::NcVariableType::Char;
    let mut c = inner.add_variable_with_type("c", &["x", "n"], &letters).unwrap();
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    struct Letter(u8);
    // SAFETY: of one byte, and the library takes it as a letter.
    unsafe impl netcdf::NcTypeDescriptor for Letter {
        fn type_descriptor() -> netcdf::types::NcVariableType {
            netcdf::types::NcVariableType::Char
        }
    }
    let put = c.put_values(&b"ab\0\0cde ".map(Letter), ..);
    file.close().unwrap();

    let source = open(&path, None, &[("group", "deep/er")]);
    let schema = source.schema();
    assert_eq!(schema.names().collect::<Vec<_>>(), ["v", "s", "c", "x"]);
    assert_eq!(schema.domain, Domain::new([("x", 2u64)]));
    assert_eq!(schema.attributes.get("title"), Some(&Attribute::Text("inside".into())));
    assert_eq!(schema.attributes.get("version"), Some(&Attribute::Ints(vec![3])));
    let debug = |name: &str| format!("{:?}", column(&*source, name));
    assert_eq!(debug("v"), format!("{:?}", Float32Array::from(vec![1.0, 2.0])));
    assert_eq!(debug("s"), format!("{:?}", StringArray::from(vec!["één", ""])));
    if put.is_ok() {
        assert_eq!(debug("c"), format!("{:?}", StringArray::from(vec!["ab", "cde"])));
    }
    assert_eq!(debug("x"), format!("{:?}", Int32Array::from(vec![5, 6])));
    let option = Options(vec![("group".into(), OptionValue::One(Value::Str("dep".into())))]);
    let request = OpenRequest { paths: vec![path], options: option, ..OpenRequest::default() };
    assert_eq!(NETCDF.open(&request).err().unwrap().help.unwrap(), "did you mean `deep`?");
}

#[test]
fn classic_files_other_byte_orders_and_values_never_written() {
    let dir = tempfile::tempdir().unwrap();
    for (i, mode) in [Mode::empty(), Mode::_64BIT_OFFSET, Mode::_64BIT_DATA, Mode::NETCDF4]
        .into_iter()
        .enumerate()
    {
        let path = dir.path().join(format!("{i}.nc"));
        let hdf5 = mode.contains(Mode::NETCDF4);
        let mut file = netcdf::create_with(&path, mode).unwrap();
        file.add_unlimited_dimension("t").unwrap();
        file.add_dimension("x", 3).unwrap();
        file.add_variable::<f64>("r", &["t", "x"]).unwrap();
        file.add_variable::<i16>("s", &["t"]).unwrap();
        file.add_variable::<f64>("fixed", &["x"]).unwrap();
        if hdf5 {
            let mut v = file.add_variable::<f64>("big", &["x"]).unwrap();
            v.set_endianness(netcdf::Endianness::Big).unwrap();
            let mut v = file.add_variable::<i32>("checked", &["t", "x"]).unwrap();
            v.set_chunking(&[1, 2]).unwrap();
        }
        file.enddef().ok();
        file.variable_mut("r").unwrap().put_values(&[1.0, 2.0, 3.0], [0..1, 0..3]).unwrap();
        file.variable_mut("s").unwrap().put_values(&[4i16, 5], 0..2).unwrap();
        file.variable_mut("fixed").unwrap().put_values(&[7.0, 8.0, 9.0], ..).unwrap();
        if hdf5 {
            file.variable_mut("big").unwrap().put_values(&[1.5, 2.5, 3.5], ..).unwrap();
            let mut v = file.variable_mut("checked").unwrap();
            v.put_values(&[1i32, 2, 3], [1..2, 0..3]).unwrap();
        }
        file.close().unwrap();
        let source = open(&path, None, &[]);
        assert_eq!(source.schema().domain, Domain::new([("t", 2u64), ("x", 3)]), "{i}");
        let r = column(&*source, "r");
        assert_eq!((r.len(), r.null_count()), (6, 3), "{i}");
        assert_eq!(floats(&*source, "r")[..3], [1.0, 2.0, 3.0], "{i}");
        assert_eq!(floats(&*source, "fixed"), [7.0, 8.0, 9.0]);
        let s = column(&*source, "s");
        assert_eq!(format!("{s:?}"), format!("{:?}", Int32Array::from(vec![4, 5])));
        if hdf5 {
            assert_eq!(floats(&*source, "big"), [1.5, 2.5, 3.5]);
            let checked = column(&*source, "checked");
            let wanted = Int32Array::from(vec![None, None, None, Some(1), Some(2), Some(3)]);
            assert_eq!(format!("{checked:?}"), format!("{wanted:?}"));
        }
    }
}

#[test]
fn more_chunks_than_an_index_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let mut file = netcdf::create(&path).unwrap();
    file.add_dimension("x", 10_001).unwrap();
    let mut v = file.add_variable::<i64>("v", &["x"]).unwrap();
    v.set_chunking(&[2]).unwrap();
    v.set_compression(1, true).unwrap();
    v.put_values(&(0..10_001).collect::<Vec<i64>>(), ..).unwrap();
    file.close().unwrap();
    let source = open(&path, None, &[]);
    assert_eq!(source.schema().fields[0].dtype, DType::Int64);
    let found = column(&*source, "v");
    let found = found.as_any().downcast_ref::<Int64Array>().unwrap();
    assert!(found.values().iter().copied().eq(0..10_001));
}
