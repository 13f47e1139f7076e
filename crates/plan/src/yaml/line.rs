//! A line of the file, cut into indentation, key and value.

/// The text in quotes, as YAML would take it: single ones where they are easiest to read.
pub fn quote(text: &str) -> String {
    if text.contains('\'') && !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}
