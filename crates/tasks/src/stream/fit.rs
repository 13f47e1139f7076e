//! Columns of answers as the types that Tidemill has.
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use base::{DType, DimMask, Field, did_you_mean};
use std::sync::Arc;

/// How the columns of a program's answers become those that are expected.
pub struct Fit {
    /// For each column its place in the answers.
    places: Vec<usize>,
    schema: SchemaRef,
}

impl Fit {
    /// Of answers with this schema, whatever columns they have.
    ///
    /// # Errors
    /// If Tidemill has no type for a column, or two have one name.
    pub fn natural(answers: &Schema) -> Result<Fit, String> {
        let field = |field: &Arc<arrow_schema::Field>| {
            let natural = || {
                let (name, dtype) = (field.name(), field.data_type());
                format!("a column `{name}` of the type {dtype}, which Tidemill does not have")
            };
            let dtype = dtype(field.data_type()).ok_or_else(natural)?;
            let made = Field::new(field.name().as_str(), dtype, DimMask::only(0));
            Ok(Field { nullable: field.is_nullable(), ..made })
        };
        let fields = answers.fields().iter().map(field).collect::<Result<Vec<_>, String>>()?;
        Fit::new(answers, &fields)
    }

    /// Of answers with this schema, which should have these columns.
    ///
    /// # Errors
    /// If they have others, or types whose values these cannot hold.
    pub fn new(answers: &Schema, fields: &[Field]) -> Result<Fit, String> {
        let names = || answers.fields().iter().map(|field| field.name().as_str());
        for (i, name) in names().enumerate() {
            if names().take(i).any(|before| before == name) {
                return Err(format!("two columns `{name}`"));
            }
            if !fields.iter().any(|field| &*field.name == name) {
                let columns: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
                return Err(format!("a column `{name}` beside {}", columns.join(", ")));
            }
        }
        let place = |field: &Field| {
            let place = names().position(|name| name == &*field.name).ok_or_else(|| {
                let near = did_you_mean(&field.name, names()).unwrap_or_default();
                format!("no column `{}` {near}", field.name).trim_end().to_owned()
            })?;
            let from = answers.field(place).data_type();
            match fits(from, field.dtype) {
                true => Ok(place),
                false => Err(format!("`{}` as {from}, not {}", field.name, field.dtype)),
            }
        };
        let places = fields.iter().map(place).collect::<Result<Vec<_>, String>>()?;
        let field = |f: &Field| arrow_schema::Field::new(&*f.name, f.dtype.arrow(), f.nullable);
        let schema = Arc::new(Schema::new(fields.iter().map(field).collect::<Vec<_>>()));
        Ok(Fit { places, schema })
    }

    /// An answer with these columns.
    ///
    /// # Errors
    /// If a value does not fit.
    pub fn batch(&self, answer: &RecordBatch) -> Result<RecordBatch, String> {
        let column = |(place, field): (&usize, &Arc<arrow_schema::Field>)| {
            let array = convert(answer.column(*place), field.data_type())
                .map_err(|why| format!("`{}`: {why}", field.name()))?;
            match array.null_count() {
                n if n > 0 && !field.is_nullable() => {
                    Err(format!("`{}`: missing values, though its schema says none", field.name()))
                }
                _ => Ok(array),
            }
        };
        let columns = self.places.iter().zip(self.schema.fields()).map(column);
        let columns = columns.collect::<Result<Vec<_>, String>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(answer.num_rows()));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        batch.map_err(|e| e.to_string())
    }
}

/// The type that holds all values of an Arrow type; nanoseconds only if they are whole
/// microseconds.
fn dtype(data: &DataType) -> Option<DType> {
    use DataType::*;
    Some(match data {
        Boolean => DType::Bool,
        Int8 | Int16 | Int32 | UInt8 | UInt16 => DType::Int32,
        Int64 | UInt32 => DType::Int64,
        Float16 | Float32 => DType::Float32,
        Float64 => DType::Float64,
        Utf8 | LargeUtf8 | Utf8View => DType::String,
        Date32 | Date64 => DType::Timestamp,
        Timestamp(_, None) => DType::Timestamp,
        Timestamp(_, Some(zone)) if matches!(&**zone, "UTC" | "Z" | "+00:00") => DType::Timestamp,
        Dictionary(_, values) => return dtype(values),
        _ => return None,
    })
}

/// Whether a type has a value for each of an Arrow type's.
fn fits(from: &DataType, to: DType) -> bool {
    use DType::*;
    match (dtype(from), to) {
        (None, _) => *from == DataType::Null,
        (Some(Int32), Int64 | Float64) | (Some(Float32), Float64) => true,
        (Some(natural), to) => natural == to,
    }
}

fn convert(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, String> {
    if array.data_type() == to {
        return Ok(array.clone());
    }
    if let DataType::Timestamp(TimeUnit::Nanosecond, _) = array.data_type() {
        let times = array.as_primitive::<TimestampNanosecondType>();
        if let Some(time) = times.iter().flatten().find(|time| time % 1000 != 0) {
            return Err(format!("a time of {time} ns, which is not a whole microsecond"));
        }
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, to, &options).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{
        DictionaryArray, Int8Array, LargeStringArray, NullArray, TimestampNanosecondArray,
        UInt32Array, UInt64Array,
    };

    fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(
            columns.iter().map(|(name, array)| (*name, array.clone(), true)),
        )
        .unwrap()
    }

    #[test]
    fn each_type_becomes_the_smallest_that_holds_it() {
        let words: DictionaryArray<arrow_array::types::Int8Type> =
            vec!["a", "b", "a"].into_iter().collect();
        let answer = batch(&[
            ("i", Arc::new(Int8Array::from(vec![1, -2, 3]))),
            ("u", Arc::new(UInt32Array::from(vec![1, 2, u32::MAX]))),
            ("s", Arc::new(LargeStringArray::from(vec!["x", "y", "z"]))),
            ("d", Arc::new(words)),
            ("t", Arc::new(TimestampNanosecondArray::from(vec![Some(5000), None, Some(-1000)]))),
        ]);
        let made = Fit::natural(&answer.schema()).unwrap().batch(&answer).unwrap();
        let types: Vec<DType> =
            made.columns().iter().map(|c| DType::from_arrow(c.data_type()).unwrap()).collect();
        use DType::*;
        assert_eq!(types, [Int32, Int64, String, String, Timestamp]);
        assert_eq!(
            made.column(1).as_primitive::<arrow_array::types::Int64Type>().value(2),
            4294967295
        );
        assert_eq!(made.column(3).as_string::<i32>().value(1), "b");
    }

    #[test]
    fn what_would_lose_something_is_refused() {
        let wide = batch(&[("n", Arc::new(UInt64Array::from(vec![1])))]);
        let why = Fit::natural(&wide.schema()).err().unwrap();
        assert!(why.contains("`n`") && why.contains("UInt64"), "{why}");
        let fine = batch(&[("t", Arc::new(TimestampNanosecondArray::from(vec![1])))]);
        let why = Fit::natural(&fine.schema()).unwrap().batch(&fine).err().unwrap();
        assert!(why.contains("not a whole microsecond"), "{why}");
    }

    #[test]
    fn declared_columns_are_found_by_name_and_widened() {
        let answer = batch(&[
            ("b", Arc::new(NullArray::new(2))),
            ("a", Arc::new(Int8Array::from(vec![1, 2]))),
        ]);
        let field = |name: &str, dtype| Field {
            nullable: true,
            ..Field::new(name, dtype, DimMask::only(0))
        };
        let fields = [field("a", DType::Float64), field("b", DType::String)];
        let made = Fit::new(&answer.schema(), &fields).unwrap().batch(&answer).unwrap();
        assert_eq!(made.column(0).as_primitive::<arrow_array::types::Float64Type>().value(1), 2.0);
        assert_eq!(made.column(1).null_count(), 2);
        for (fields, part) in [
            (vec![field("a", DType::Float64)], "a column `b` beside a"),
            (vec![field("a", DType::String), field("b", DType::String)], "`a` as Int8, not string"),
            (vec![fields[0].clone(), fields[1].clone(), field("c", DType::Bool)], "no column `c`"),
        ] {
            let why = Fit::new(&answer.schema(), &fields).err().unwrap();
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn missing_values_where_there_should_be_none_are_told() {
        let answer = batch(&[("a", Arc::new(Int8Array::from(vec![Some(1), None])))]);
        let fields = [Field::new("a", DType::Int32, DimMask::only(0))];
        let fit = Fit::new(&answer.schema(), &fields).unwrap();
        assert!(fit.batch(&answer).err().unwrap().contains("missing values"));
    }
}
