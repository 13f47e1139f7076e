//! Values of a file's Arrow type as values of ours, checked: nothing overflows in silence.
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_cast::CastOptions;
use arrow_schema::{ArrowError, DataType, TimeUnit};
use base::DType;
use std::sync::Arc;

const DAY: i64 = 86_400_000_000;

/// The array as one of `dtype`. Timestamps keep their instant whatever their zone;
/// nanoseconds are cut to microseconds, downwards.
pub(crate) fn cast(array: &ArrayRef, dtype: DType) -> Result<ArrayRef, ArrowError> {
    let target = dtype.arrow();
    match array.data_type() {
        same if *same == target => Ok(array.clone()),
        DataType::Dictionary(_, values) => {
            let options = CastOptions { safe: false, ..CastOptions::default() };
            cast(&arrow_cast::cast_with_options(array, values, &options)?, dtype)
        }
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => scaled::<TimestampSecondType>(array, 1_000_000),
            TimeUnit::Millisecond => scaled::<TimestampMillisecondType>(array, 1_000),
            TimeUnit::Microsecond => scaled::<TimestampMicrosecondType>(array, 1),
            TimeUnit::Nanosecond => {
                let values = array.as_primitive::<TimestampNanosecondType>();
                Ok(Arc::new(values.unary::<_, TimestampMicrosecondType>(|ns| ns.div_euclid(1000))))
            }
        },
        DataType::UInt64 => {
            let values = array.as_primitive::<UInt64Type>();
            let signed = |value: u64| i64::try_from(value).map_err(|_| above(value));
            Ok(Arc::new(values.try_unary::<_, Int64Type, _>(signed)?))
        }
        DataType::Date32 => scaled::<Date32Type>(array, DAY),
        DataType::Date64 => scaled::<Date64Type>(array, 1_000),
        _ => {
            let options = CastOptions { safe: false, ..CastOptions::default() };
            arrow_cast::cast_with_options(array, &target, &options)
        }
    }
}

fn above(value: u64) -> ArrowError {
    let largest = i64::MAX;
    ArrowError::CastError(format!("{value} is above {largest}, the largest int64"))
}

fn scaled<T: ArrowPrimitiveType>(array: &ArrayRef, factor: i64) -> Result<ArrayRef, ArrowError>
where
    T::Native: Into<i64>,
{
    let microseconds = |value: T::Native| {
        let value: i64 = value.into();
        value.checked_mul(factor).ok_or_else(|| {
            ArrowError::CastError(format!("the time {value} does not fit into microseconds"))
        })
    };
    let values: &PrimitiveArray<T> = array.as_primitive();
    Ok(Arc::new(values.try_unary::<_, TimestampMicrosecondType, _>(microseconds)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use arrow_array::*;

    fn times(array: ArrayRef) -> Vec<Option<i64>> {
        let cast = cast(&array, DType::Timestamp).unwrap();
        cast.as_primitive::<TimestampMicrosecondType>().iter().collect()
    }

    #[test]
    fn times_of_any_unit() {
        let zoned = TimestampMillisecondArray::from(vec![Some(1), None]).with_timezone("+05:00");
        assert_eq!(times(Arc::new(zoned)), [Some(1000), None]);
        assert_eq!(
            times(Arc::new(TimestampNanosecondArray::from(vec![-1, 1999]))),
            [Some(-1), Some(1)]
        );
        assert_eq!(times(Arc::new(Date32Array::from(vec![1]))), [Some(DAY)]);
        let late: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX / 10]));
        assert!(cast(&late, DType::Timestamp).is_err());
    }

    #[test]
    fn numbers_and_text() {
        let big: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
        assert!(cast(&big, DType::Int64).is_err());
        let words: DictionaryArray<types::Int8Type> =
            vec![Some("a"), None, Some("a")].into_iter().collect();
        let words: ArrayRef = Arc::new(words);
        let plain = cast(&words, DType::String).unwrap();
        assert_eq!(
            plain.as_string::<i32>().iter().collect::<Vec<_>>(),
            [Some("a"), None, Some("a")]
        );
        let money: ArrayRef =
            Arc::new(Decimal128Array::from(vec![125]).with_precision_and_scale(9, 2).unwrap());
        assert_eq!(
            cast(&money, DType::Float64).unwrap().as_primitive::<types::Float64Type>().value(0),
            1.25
        );
    }
}
