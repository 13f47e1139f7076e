//! The JSON Schema of pipeline files, for editors, made from the table of operators.
use crate::operator::{Inputs, Operator, Shape};
use crate::operators::OPERATORS;
use crate::spec::TOP_KEYS;
use base::Entry;
use serde_json::{Map, Value, json};

/// The schema (JSON Schema, draft 2020-12), pretty-printed.
pub fn schema_json() -> String {
    let doc = |name: &str| TOP_KEYS.iter().find(|(k, _)| *k == name).map_or("", |(_, d)| *d);
    let steps: Vec<Value> = OPERATORS.iter().map(|o| step(o)).collect();
    let scalars = json!(["string", "number", "boolean", "null"]);
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tidemill pipeline",
        "type": "object",
        "additionalProperties": false,
        "required": ["steps"],
        "properties": {
            "title": { "type": "string", "description": doc("title") },
            "description": { "type": "string", "description": doc("description") },
            "params": {
                "type": "object", "description": doc("params"),
                "additionalProperties": { "type": scalars }
            },
            "functions": {
                "type": "object", "description": doc("functions"),
                "additionalProperties": { "$ref": "#/$defs/expression" }
            },
            "steps": {
                "type": "array", "description": doc("steps"), "minItems": 1,
                "items": { "$ref": "#/$defs/step" }
            },
            "tests": {
                "type": "array", "description": doc("tests"),
                "items": { "$ref": "#/$defs/test" }
            }
        },
        "$defs": {
            "expression": {
                "type": ["string", "number", "boolean"],
                "description": "An expression as in Python and NumPy."
            },
            "step": { "oneOf": steps },
            "test": test(),
        }
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn test() -> Value {
    let mut properties = Map::new();
    for (key, doc) in crate::tests::KEYS {
        properties.insert((*key).to_owned(), json!({ "description": doc }));
    }
    json!({
        "type": "object", "additionalProperties": false, "required": ["expect"],
        "properties": properties
    })
}

fn step(operator: &Operator) -> Value {
    let mut properties = Map::new();
    let mut head = shape(operator.head);
    head["description"] = json!(operator.summary());
    properties.insert(operator.name.to_owned(), head);
    for key in operator.keys {
        let mut value = shape(key.shape);
        value["description"] = json!(key.doc);
        properties.insert(key.name.to_owned(), value);
    }
    if operator.keys_of_formats() {
        for format in formats::FORMATS {
            let options = match operator.inputs {
                Inputs::None => format.read_options(),
                _ => format.write_options(),
            };
            for option in options {
                let doc = format!("{}: {}", format.name(), option.doc);
                properties.insert(option.name.to_owned(), json!({ "description": doc }));
            }
        }
    }
    properties
        .insert("as".to_owned(), json!({ "type": "string", "description": "The step's name." }));
    if operator.inputs != Inputs::None {
        let mut from = shape(Shape::Names);
        from["description"] = json!("The steps that feed it; the one before where none is named.");
        properties.insert("from".to_owned(), from);
    }
    json!({
        "type": "object", "additionalProperties": false,
        "required": [operator.name], "properties": properties
    })
}

fn shape(shape: Shape) -> Value {
    let expression = json!({ "$ref": "#/$defs/expression" });
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Texts | Shape::Names => json!({
            "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
        }),
        Shape::Constant => json!({ "type": ["string", "number", "null"] }),
        Shape::Expr => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Exprs => json!({ "type": "object", "additionalProperties": expression }),
        Shape::Keys => json!({
            "oneOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } },
                { "type": "object", "additionalProperties": expression }
            ]
        }),
        Shape::Renames => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Shape::Slices => json!({
            "type": "object", "additionalProperties": { "type": ["string", "integer"] }
        }),
        Shape::Attributes | Shape::Axes => json!({ "type": "object" }),
        Shape::Rows => json!({ "type": "array", "items": { "type": "object" } }),
        Shape::Steps => json!({ "type": "array", "items": { "$ref": "#/$defs/step" } }),
        Shape::Any => json!({}),
    }
}
