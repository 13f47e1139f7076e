//! `Show`: collects rows for the report.
use super::{Out, Shown, Stage};
use crate::parcel::Parcel;
use crate::watch::lock;
use base::{Failure, Schema};

/// Collects rows, on worker 0.
pub struct Show {
    node: usize,
    schema: Schema,
    shown: Shown,
}

impl Show {
    /// Of the node at this position.
    pub fn new(node: usize, schema: &Schema, shown: Shown) -> Show {
        Show { node, schema: schema.clone(), shown }
    }
}

impl Stage for Show {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        let batch = parcel.tile.to_batch(&self.schema);
        let batch = batch.map_err(|e| Failure::internal(format!("rows cannot be shown: {e}")))?;
        if batch.num_rows() > 0 {
            lock(&self.shown).push((self.node, parcel.tile.number, batch));
        }
        Ok(())
    }
}
