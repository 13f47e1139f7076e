//! From values as the file has them to values as they are meant: scaled, and null where missing.
use crate::netcdf::header::{Raw, RawAttribute, RawVariable};
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use base::DType;
use std::sync::Arc;

/// Attributes that say how values are packed; the schema does not have them.
pub(super) const PACKING: [&str; 5] =
    ["_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned"];

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
}

#[derive(Clone, Copy, Debug)]
enum Number {
    Int(i128),
    Float(f64),
}

impl Decoding {
    /// What the header says of a variable of numbers; `None` for texts and types of the file's own.
    pub(super) fn of(variable: &RawVariable) -> Option<Decoding> {
        let mut raw = variable.raw;
        if variable.text("_Unsigned").is_some_and(|t| t.eq_ignore_ascii_case("true")) {
            raw = raw.unsigned();
        }
        let stored = stored_type(raw)?;
        let missing = ["_FillValue", "missing_value"];
        let missing = missing.iter().filter_map(|n| variable.attribute(n)).flat_map(numbers);
        let missing = missing.collect();
        let scale = number(variable, "scale_factor");
        let offset = number(variable, "add_offset");
        if scale.is_none() && offset.is_none() {
            let bool = raw == Raw::I8 && variable.text("dtype") == Some("bool");
            let dtype = if bool { DType::Bool } else { stored };
            return Some(Decoding { raw, dtype, scale: None, missing });
        }
        let single = [scale, offset].iter().flatten().all(|(_, single)| *single);
        let dtype = if single && raw.width() <= 2 { DType::Float32 } else { DType::Float64 };
        let scale = Some((scale.map_or(1.0, |s| s.0), offset.map_or(0.0, |o| o.0)));
        Some(Decoding { raw, dtype, scale, missing })
    }

    /// Whether values may be missing.
    pub(super) fn nullable(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Decodes values in the machine's byte order.
    ///
    /// # Errors
    /// If a value does not fit the type.
    pub(super) fn decode(&self, bytes: Buffer) -> Result<ArrayRef, String> {
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

    fn values<T: Element>(&self, bytes: Buffer) -> Result<ArrayRef, String> {
        let len = bytes.len() / size_of::<T>();
        let values = ScalarBuffer::<T>::new(bytes.clone(), 0, len);
        let missing: Vec<T> = self.missing.iter().filter_map(|m| T::from_number(*m)).collect();
        let nulls = nulls(&values, &missing);
        Ok(match (self.dtype, self.scale) {
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
                        Err(format!("the value {} is too large for int64", v.f64()))
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
        })
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

fn stored_type(raw: Raw) -> Option<DType> {
    Some(match raw {
        Raw::I8 | Raw::U8 | Raw::I16 | Raw::U16 | Raw::I32 => DType::Int32,
        Raw::U32 | Raw::I64 | Raw::U64 => DType::Int64,
        Raw::F32 => DType::Float32,
        Raw::F64 => DType::Float64,
        Raw::Char | Raw::Text | Raw::Other => return None,
    })
}

fn numbers(attribute: &RawAttribute) -> Vec<Number> {
    match attribute {
        RawAttribute::Text(_) => Vec::new(),
        RawAttribute::Ints(list) => list.iter().map(|i| Number::Int(*i)).collect(),
        RawAttribute::Floats(list, _) => list.iter().map(|x| Number::Float(*x)).collect(),
    }
}

/// The one number of an attribute, and whether it is in single precision.
fn number(variable: &RawVariable, name: &str) -> Option<(f64, bool)> {
    match variable.attribute(name)? {
        RawAttribute::Ints(list) => Some((*list.first()? as f64, false)),
        RawAttribute::Floats(list, single) => Some((*list.first()?, *single)),
        RawAttribute::Text(_) => None,
    }
}

/// A number as a file has it.
trait Element: ArrowNativeType {
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
                // `_Unsigned` variables give their fill value as a signed number.
                let turned = whole + if whole < 0 && <$t>::MIN == 0 { 1i128 << <$t>::BITS } else { 0 };
                <$t>::try_from(turned).ok()
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
