//! From values as the file has them to values as they are meant: scaled, and null where missing.
use crate::netcdf::header::{Raw, RawAttribute, RawVariable};
use crate::netcdf::write::{FILL_BYTE, FILL_DOUBLE, FILL_FLOAT, FILL_INT, FILL_INT64};
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use base::DType;
use std::sync::Arc;

/// Attributes that say how values are packed; the schema does not have them.
pub(super) const PACKING: [&str; 5] =
    ["_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned"];

/// Attributes of packed values that no longer hold once they are unpacked.
pub(super) const PACKED_RANGE: [&str; 4] =
    ["valid_range", "valid_min", "valid_max", "actual_range"];

/// How the values of one variable are decoded.
#[derive(Clone, Debug)]
pub(super) struct Decoding {
    raw: Raw,
    /// The type after decoding.
    pub(super) dtype: DType,
    /// `scale_factor` and `add_offset`, if either is there.
    scale: Option<(f64, f64)>,
    /// Values that stand for missing ones.
    missing: Vec<Number>,
    /// The least and the greatest value that is valid, as the file has it.
    range: (Option<Number>, Option<Number>),
    /// Attributes that cannot be used as they are written.
    pub(super) ignored: Vec<&'static str>,
}

/// Values, and how many of them were outside of the valid range.
pub(super) type Decoded = (ArrayRef, u64);

#[derive(Clone, Copy, Debug)]
enum Number {
    Int(i128),
    Float(f64),
}

impl Decoding {
    /// What the header says of a variable; `None` for texts and types of the file's own. Of one
    /// that `fills` the library's own fill value marks what was never written.
    ///
    /// # Errors
    /// If it says that values are packed, but not how.
    pub(super) fn of(variable: &RawVariable, fills: bool) -> Result<Option<Decoding>, String> {
        let sign = variable.text("_Unsigned").map(str::to_ascii_lowercase);
        let raw = match sign.as_deref() {
            Some("true") => variable.raw.unsigned(),
            Some("false") => signed(variable.raw),
            _ => variable.raw,
        };
        let Some(stored) = stored_type(raw) else { return Ok(None) };
        let mut found = Numbers { raw, turned: raw != variable.raw, ignored: Vec::new() };
        let fill = found.all(variable, "_FillValue");
        let bool = raw == Raw::I8 && variable.text("dtype") == Some("bool");
        let mut missing = found.all(variable, "missing_value");
        match variable.attribute("_FillValue") {
            Some(_) => missing.extend(fill),
            None if fills && !bool => missing.extend(never_written(variable.raw, raw)),
            None => {}
        }
        let range = found.range(variable);
        let ignored = found.ignored;
        let (scale, offset) = (number(variable, "scale_factor")?, number(variable, "add_offset")?);
        if scale.is_none() && offset.is_none() {
            let dtype = if bool { DType::Bool } else { stored };
            return Ok(Some(Decoding { raw, dtype, scale: None, missing, range, ignored }));
        }
        let single = [scale, offset].iter().flatten().all(|(_, single)| *single);
        let dtype = if single && raw.width() <= 2 { DType::Float32 } else { DType::Float64 };
        let scale = Some((scale.map_or(1.0, |s| s.0), offset.map_or(0.0, |o| o.0)));
        Ok(Some(Decoding { raw, dtype, scale, missing, range, ignored }))
    }

    /// Whether values are unpacked.
    pub(super) fn unpacks(&self) -> bool {
        self.scale.is_some()
    }

    /// Whether values are scaled or moved.
    pub(super) fn is_packed(&self) -> bool {
        self.scale.is_some()
    }

    /// Whether values may be missing.
    pub(super) fn nullable(&self) -> bool {
        !self.missing.is_empty() || self.ranged()
    }

    fn ranged(&self) -> bool {
        self.range.0.is_some() || self.range.1.is_some()
    }

    /// Decodes values in the machine's byte order.
    ///
    /// # Errors
    /// If a value does not fit the type.
    pub(super) fn decode(&self, bytes: Buffer) -> Result<Decoded, String> {
        match self.raw {
            Raw::I8 => self.values::<i8>(bytes),
            Raw::U8 => self.values::<u8>(bytes),
            Raw::I16 => self.values::<i16>(bytes),
            Raw::U16 => self.values::<u16>(bytes),
            Raw::I32 => self.values::<i32>(bytes),
            Raw::U32 => self.values::<u32>(bytes),
            Raw::I64 => self.values::<i64>(bytes),
            Raw::U64 => self.values::<u64>(bytes),
            Raw::F32 => self.values::<f32>(bytes),
            Raw::F64 => self.values::<f64>(bytes),
            Raw::Char | Raw::Text | Raw::Other => Err("it does not hold numbers".to_string()),
        }
    }

    fn values<T: Element>(&self, bytes: Buffer) -> Result<Decoded, String> {
        let len = bytes.len() / size_of::<T>();
        let values = ScalarBuffer::<T>::new(bytes.clone(), 0, len);
        let missing: Vec<T> = self.missing.iter().filter_map(|m| T::from_number(*m)).collect();
        let (nulls, outside) = match self.ranged() {
            false => (nulls(&values, &missing), 0),
            true => {
                let end = |n: Option<Number>| n.and_then(T::from_number);
                valid(&values, &missing, (end(self.range.0), end(self.range.1)))
            }
        };
        let array: ArrayRef = match (self.dtype, self.scale) {
            (DType::Float32, Some((scale, offset))) => {
                let (scale, offset) = (scale as f32, offset as f32);
                let decoded = values.iter().map(|v| v.f64() as f32 * scale + offset);
                array::<Float32Type>(decoded.collect(), nulls)
            }
            (_, Some((scale, offset))) => {
                let decoded = values.iter().map(|v| v.f64() * scale + offset);
                array::<Float64Type>(decoded.collect(), nulls)
            }
            (DType::Bool, None) => {
                let bits = BooleanBuffer::collect_bool(len, |i| values[i].f64() != 0.0);
                Arc::new(BooleanArray::new(bits, nulls))
            }
            (DType::Float64, None) => array::<Float64Type>(as_stored(bytes), nulls),
            (DType::Float32, None) => array::<Float32Type>(as_stored(bytes), nulls),
            (DType::Int32, None) if size_of::<T>() == 4 => {
                array::<Int32Type>(as_stored(bytes), nulls)
            }
            (DType::Int32, None) => {
                array::<Int32Type>(values.iter().map(|v| v.f64() as i32).collect(), nulls)
            }
            (_, None) if self.raw == Raw::U64 => {
                let fits = |(i, v): (usize, &T)| match v.i64() {
                    None if nulls.as_ref().is_none_or(|n| n.is_valid(i)) => {
                        Err(format!("the value {v:?} is too large for int64"))
                    }
                    fitting => Ok(fitting.unwrap_or(0)),
                };
                let decoded: Result<Vec<i64>, _> = values.iter().enumerate().map(fits).collect();
                array::<Int64Type>(decoded?.into(), nulls)
            }
            (_, None) => {
                let decoded = values.iter().map(|v| v.i64().unwrap_or(0));
                array::<Int64Type>(decoded.collect(), nulls)
            }
        };
        Ok((array, outside))
    }
}

fn array<A: ArrowPrimitiveType>(
    values: ScalarBuffer<A::Native>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    Arc::new(PrimitiveArray::<A>::new(values, nulls))
}

/// The same bytes under the type that the file has.
fn as_stored<T: ArrowNativeType>(bytes: Buffer) -> ScalarBuffer<T> {
    let len = bytes.len() / size_of::<T>();
    ScalarBuffer::new(bytes, 0, len)
}

fn nulls<T: Element>(values: &[T], missing: &[T]) -> Option<NullBuffer> {
    let valid = match missing {
        [] => return None,
        [one] => BooleanBuffer::collect_bool(values.len(), |i| !values[i].same(*one)),
        many => {
            BooleanBuffer::collect_bool(values.len(), |i| !many.iter().any(|m| values[i].same(*m)))
        }
    };
    Some(NullBuffer::new(valid)).filter(|n| n.null_count() > 0)
}

/// What is not missing, and how many values are outside of the range and not missing before.
fn valid<T: Element>(
    values: &[T],
    missing: &[T],
    (least, most): (Option<T>, Option<T>),
) -> (Option<NullBuffer>, u64) {
    let mut outside = 0;
    let valid = BooleanBuffer::collect_bool(values.len(), |i| {
        let value = values[i];
        if missing.iter().any(|m| value.same(*m)) {
            return false;
        }
        let out = least.is_some_and(|l| value < l) || most.is_some_and(|m| value > m);
        outside += u64::from(out);
        !out
    });
    (Some(NullBuffer::new(valid)).filter(|n| n.null_count() > 0), outside)
}

fn stored_type(raw: Raw) -> Option<DType> {
    Some(match raw {
        Raw::I8 | Raw::U8 | Raw::I16 | Raw::U16 | Raw::I32 => DType::Int32,
        Raw::U32 | Raw::I64 | Raw::U64 => DType::Int64,
        Raw::F32 => DType::Float32,
        Raw::F64 => DType::Float64,
        Raw::Char | Raw::Text | Raw::Other => return None,
    })
}

/// The signed type of the same width.
fn signed(raw: Raw) -> Raw {
    match raw {
        Raw::U8 => Raw::I8,
        Raw::U16 => Raw::I16,
        Raw::U32 => Raw::I32,
        Raw::U64 => Raw::I64,
        other => other,
    }
}

/// What the library fills variables of a type with, read as the type that is meant.
fn never_written(stored: Raw, raw: Raw) -> Option<Number> {
    Some(match stored {
        Raw::F32 => Number::Float(f64::from(FILL_FLOAT)),
        Raw::F64 => Number::Float(FILL_DOUBLE),
        Raw::Char | Raw::Text | Raw::Other => return None,
        _ => {
            let fill = match stored {
                Raw::I8 => i128::from(FILL_BYTE),
                Raw::U8 => 255,
                Raw::I16 => -32_767,
                Raw::U16 => 65_535,
                Raw::I32 => i128::from(FILL_INT),
                Raw::U32 => 4_294_967_295,
                Raw::I64 => i128::from(FILL_INT64),
                _ => 18_446_744_073_709_551_614,
            };
            return cast(raw, raw != stored, Number::Int(fill));
        }
    })
}

/// Reads numbers of attributes that mean values of a variable.
struct Numbers {
    raw: Raw,
    /// Whether the file has the values with another sign than is meant.
    turned: bool,
    ignored: Vec<&'static str>,
}

impl Numbers {
    /// The values that an attribute means; those that no value of the variable's type can be are
    /// left out, and the attribute is noted.
    fn all(&mut self, variable: &RawVariable, name: &'static str) -> Vec<Number> {
        let written: Vec<Number> = match variable.attribute(name) {
            None => return Vec::new(),
            Some(RawAttribute::Ints(list)) => list.iter().map(|i| Number::Int(*i)).collect(),
            Some(RawAttribute::Floats(list, _)) => list.iter().map(|x| Number::Float(*x)).collect(),
            Some(RawAttribute::Text(text)) => {
                let text = text.trim();
                let number = text.parse().map(Number::Int);
                let number = number.or_else(|_| text.parse().map(Number::Float));
                number.into_iter().collect()
            }
        };
        let fits = |n: &Number| cast(self.raw, self.turned, *n);
        let found: Vec<Number> = written.iter().filter_map(fits).collect();
        if found.is_empty() || found.len() < written.len() {
            self.ignored.push(name);
        }
        found
    }

    /// The valid range, which `valid_range` tells before the others, as netCDF4-python reads it.
    fn range(&mut self, variable: &RawVariable) -> (Option<Number>, Option<Number>) {
        if variable.attribute("valid_range").is_some() {
            if let [least, most] = self.all(variable, "valid_range")[..] {
                return (Some(least), Some(most));
            }
            if !self.ignored.contains(&"valid_range") {
                self.ignored.push("valid_range");
            }
        }
        let mut end = |name| match self.all(variable, name)[..] {
            [one] => Some(one),
            _ => None,
        };
        (end("valid_min"), end("valid_max"))
    }
}

/// A number as a value of the type that is meant; `None` if it cannot be one.
fn cast(raw: Raw, turned: bool, number: Number) -> Option<Number> {
    let (bits, signed) = match raw {
        Raw::F32 => {
            let x = match number {
                Number::Int(i) => i as f64,
                Number::Float(x) => x,
            };
            let fits = x.is_nan() || x.is_infinite() || (x as f32).is_finite();
            return fits.then_some(Number::Float(x));
        }
        Raw::F64 => return Some(number),
        Raw::Char | Raw::Text | Raw::Other => return None,
        whole => (whole.width() as u32 * 8, whole.unsigned() != whole),
    };
    let whole = match number {
        Number::Int(i) => i,
        Number::Float(x) if x.fract() == 0.0 && x.abs() < 1e30 => x as i128,
        Number::Float(_) => return None,
    };
    let (least, most) = match signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    // With the sign of the stored type it is a number of the other half.
    let whole = match turned {
        true if whole < least => whole + (1i128 << bits),
        true if whole > most => whole - (1i128 << bits),
        _ => whole,
    };
    (least..=most).contains(&whole).then_some(Number::Int(whole))
}

/// The one number of an attribute, and whether it is in single precision.
fn number(variable: &RawVariable, name: &str) -> Result<Option<(f64, bool)>, String> {
    Ok(match variable.attribute(name) {
        None => None,
        Some(RawAttribute::Ints(list)) => list.first().map(|i| (*i as f64, false)),
        Some(RawAttribute::Floats(list, single)) => list.first().map(|x| (*x, *single)),
        Some(RawAttribute::Text(text)) => {
            return Err(format!("its `{name}` is the text {text:?} and no number"));
        }
    })
}

/// A number as a file has it.
trait Element: ArrowNativeType + std::fmt::Debug {
    fn f64(self) -> f64;
    fn i64(self) -> Option<i64>;
    /// Equal, or both NaN.
    fn same(self, other: Self) -> bool;
    /// The value an attribute means in a variable of this type, if there is one.
    fn from_number(number: Number) -> Option<Self>;
}

macro_rules! integers {
    ($($t:ty),*) => { $(
        impl Element for $t {
            fn f64(self) -> f64 {
                self as f64
            }
            fn i64(self) -> Option<i64> {
                i64::try_from(self).ok()
            }
            fn same(self, other: Self) -> bool {
                self == other
            }
            fn from_number(number: Number) -> Option<Self> {
                let whole = match number {
                    Number::Int(i) => i,
                    Number::Float(x) if x.fract() == 0.0 => x as i128,
                    Number::Float(_) => return None,
                };
                <$t>::try_from(whole).ok()
            }
        }
    )* };
}

integers!(i8, u8, i16, u16, i32, u32, i64, u64);

macro_rules! floats {
    ($($t:ty),*) => { $(
        impl Element for $t {
            fn f64(self) -> f64 {
                self as f64
            }
            fn i64(self) -> Option<i64> {
                None
            }
            fn same(self, other: Self) -> bool {
                self == other || (self.is_nan() && other.is_nan())
            }
            fn from_number(number: Number) -> Option<Self> {
                Some(match number {
                    Number::Int(i) => i as $t,
                    Number::Float(x) => x as $t,
                })
            }
        }
    )* };
}

floats!(f32, f64);
