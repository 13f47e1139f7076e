//! Tables on their way between processes: Arrow's stream format, as text in a line.
use super::Table;
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use base::DType;
use serde_json::{Value, json};

impl Table {
    /// What [`Table::decode`] makes the same table of; `None` if its types are none of columns.
    pub fn encode(&self) -> Option<Value> {
        let columns: Vec<_> = self.columns.iter().map(|(n, t)| json!([n, t.name()])).collect();
        let rows = hex(&stream(&self.batches)?);
        let (asked, cut) = (self.asked, self.cut);
        Some(
            json!({ "step": self.step, "columns": columns, "rows": rows, "asked": asked, "cut": cut }),
        )
    }

    /// What [`Table::encode`] made.
    pub fn decode(json: &Value) -> Option<Table> {
        let column = |c: &Value| {
            let dtype = DType::from_name(c[1].as_str()?).unwrap_or(DType::Binary);
            Some((c[0].as_str()?.to_owned(), dtype))
        };
        Some(Table {
            step: json["step"].as_str()?.to_owned(),
            columns: json["columns"].as_array()?.iter().map(column).collect::<Option<_>>()?,
            batches: batches(&bytes(json["rows"].as_str()?)?)?,
            asked: json["asked"].as_bool()?,
            cut: json["cut"].as_bool()?,
        })
    }
}

fn stream(batches: &[RecordBatch]) -> Option<Vec<u8>> {
    let Some(first) = batches.first() else { return Some(Vec::new()) };
    let mut writer = StreamWriter::try_new(Vec::new(), &first.schema()).ok()?;
    batches.iter().try_for_each(|batch| writer.write(batch)).ok()?;
    writer.into_inner().ok()
}

fn batches(stream: &[u8]) -> Option<Vec<RecordBatch>> {
    if stream.is_empty() {
        return Some(Vec::new());
    }
    StreamReader::try_new(stream, None).ok()?.collect::<Result<_, _>>().ok()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
    text
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| (*byte as char).to_digit(16);
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| Some((digit(pair.first()?)? << 4 | digit(pair.get(1)?)?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array};
    use arrow_array::{Int64Array, StringArray, TimestampMicrosecondArray};
    use std::sync::Arc;

    #[test]
    fn tables_survive() {
        let columns: Vec<(&str, ArrayRef, DType)> = vec![
            ("a", Arc::new(BooleanArray::from(vec![Some(true), None])), DType::Bool),
            ("b", Arc::new(Int32Array::from(vec![i32::MIN, 7])), DType::Int32),
            ("c", Arc::new(Int64Array::from(vec![i64::MIN, 7])), DType::Int64),
            ("d", Arc::new(Float32Array::from(vec![f32::NAN, 0.1])), DType::Float32),
            ("e", Arc::new(Float64Array::from(vec![-0.0, f64::INFINITY])), DType::Float64),
            ("f", Arc::new(StringArray::from(vec!["ä\"\n", ""])), DType::String),
            ("g", Arc::new(TimestampMicrosecondArray::from(vec![5, -1])), DType::Timestamp),
        ];
        let arrays = columns.iter().map(|(name, array, _)| (*name, array.clone()));
        let batch = RecordBatch::try_from_iter(arrays).unwrap();
        let columns = columns.iter().map(|(n, _, t)| ((*n).to_owned(), *t)).collect();
        let whole = Table { step: "x".into(), columns, batches: vec![], asked: true, cut: false };
        for batches in [vec![], vec![batch.clone()], vec![batch.slice(1, 1), batch]] {
            let table = Table { batches, cut: true, ..whole.clone() };
            let text = table.encode().unwrap().to_string();
            let back = Table::decode(&serde_json::from_str(&text).unwrap()).unwrap();
            // NaN is not itself: compared as it is written.
            assert_eq!(format!("{back:?}"), format!("{table:?}"));
        }
    }
}
