//! Objects of JSON as rows (RFC 8259).
use super::{excerpt, values};
use base::{DType, Value};
use serde_json::{Deserializer, Map, Value as Json};
use std::sync::Arc;

/// The values of each column. Keys that no column has are not read; a column without its key is
/// missing in that row.
pub(super) fn read(bytes: &[u8], columns: &[(Arc<str>, DType)]) -> Result<Vec<Vec<Value>>, String> {
    let mut table = vec![Vec::new(); columns.len()];
    let mut rows = 0;
    for json in Deserializer::from_slice(bytes).into_iter::<Json>() {
        let json = json.map_err(|e| not_json(bytes, &e))?;
        let objects = match json {
            Json::Array(objects) => objects,
            one => vec![one],
        };
        for object in objects {
            rows += 1;
            let Json::Object(object) = object else {
                return Err(format!(
                    "its output is JSON, but not an object with the columns: `{}`",
                    excerpt(&object.to_string())
                ));
            };
            push(&object, rows, columns, &mut table)?;
        }
    }
    if rows == 0 && !bytes.contains(&b'[') {
        return Err("its output is empty, and would be a JSON object".to_owned());
    }
    Ok(table)
}

fn push(
    object: &Map<String, Json>,
    row: usize,
    columns: &[(Arc<str>, DType)],
    table: &mut [Vec<Value>],
) -> Result<(), String> {
    for ((name, dtype), values) in columns.iter().zip(table) {
        let json = object.get(&**name).unwrap_or(&Json::Null);
        let value = values::of_json(json, *dtype).ok_or_else(|| {
            let shown = excerpt(&json.to_string());
            format!("its output has `{shown}` for `{name}` in object {row}, which is no {dtype}")
        })?;
        values.push(value);
    }
    Ok(())
}

fn not_json(bytes: &[u8], why: &serde_json::Error) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
    let line = text.lines().nth(why.line().saturating_sub(1)).unwrap_or(&text);
    let rest = line.get(why.column().saturating_sub(2)..).unwrap_or_default();
    let hint = match rest.trim_start_matches(['"', ' ', ':', '-', '\u{fffd}']) {
        s if s.starts_with("NaN") || s.starts_with("aN") || s.starts_with("Inf") => {
            "; JSON has no NaN and no Infinity: `null` or the string \"nan\" would do"
        }
        _ if why.is_eof() => "; it breaks off",
        _ => "",
    };
    format!("its output is not JSON, at line {}: `{}`{hint}", why.line(), excerpt(line))
}
