//! A result as it is now, on its way to where changes are told.
use arrow_array::RecordBatch;
use base::{DType, DimMask, Failure, Field, Schema};
use engine::incremental::Rows;
use serde_json::{Value, json};

/// The rows of a table.
pub struct Shown {
    /// The step that shows or writes it.
    pub step: String,
    /// Its columns.
    pub schema: Schema,
    /// Its rows.
    pub rows: Rows,
}

impl Shown {
    /// From what the engine collected.
    ///
    /// # Errors
    /// Never, for the types that columns have.
    pub fn of(
        (step, schema, batches): &(String, Schema, Vec<RecordBatch>),
    ) -> Result<Shown, Failure> {
        let rows = Rows::of(schema, batches)?;
        Ok(Shown { step: step.clone(), schema: schema.clone(), rows })
    }

    /// Whether it is the same table as another, with other rows perhaps.
    pub fn is_of(&self, other: &Shown) -> bool {
        let columns = |shown: &Shown| -> Vec<_> {
            shown.schema.fields.iter().map(|f| (f.name.clone(), f.dtype)).collect()
        };
        self.step == other.step && columns(self) == columns(other)
    }

    /// For another process: what [`Shown::decode`] makes the same of.
    pub fn encode(&self) -> Value {
        let fields = self.schema.fields.iter();
        let columns: Vec<Value> = fields.map(|f| json!([&*f.name, f.dtype.name()])).collect();
        json!({ "step": self.step, "columns": columns, "rows": self.rows.encode() })
    }

    /// What [`Shown::encode`] made.
    pub fn decode(json: &Value) -> Option<Shown> {
        let field = |c: &Value| {
            let dtype = DType::from_name(c[1].as_str()?).unwrap_or(DType::Binary);
            Some(Field { nullable: true, ..Field::new(c[0].as_str()?, dtype, DimMask::SCALAR) })
        };
        let fields = json["columns"].as_array()?.iter().map(field).collect::<Option<_>>()?;
        Some(Shown {
            step: json["step"].as_str()?.to_owned(),
            schema: Schema { fields, ..Schema::default() },
            rows: Rows::decode(json["rows"].as_str()?)?,
        })
    }
}
