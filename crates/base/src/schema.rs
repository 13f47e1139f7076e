//! Schemas: the domain and the columns of a collection of tiles.
use crate::{Attributes, DType, DimMask, Domain};
use std::collections::HashMap;
use std::sync::Arc;

/// A named column.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name, unique in its schema.
    pub name: Arc<str>,
    /// The type of its values.
    pub dtype: DType,
    /// Whether values may be missing.
    pub nullable: bool,
    /// The dimensions it varies along.
    pub mask: DimMask,
    /// Units, long_name, …
    pub attributes: Attributes,
}

impl Field {
    /// A column without attributes, none of whose values is missing.
    pub fn new(name: impl Into<Arc<str>>, dtype: DType, mask: DimMask) -> Field {
        Field { name: name.into(), dtype, nullable: false, mask, attributes: Attributes::default() }
    }
}

/// The domain and the columns of a collection of tiles. A column that has the name of a
/// dimension and varies along it alone is that dimension's coordinate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// The box, or the rows.
    pub domain: Domain,
    /// The columns, in the order users see.
    pub fields: Vec<Field>,
    /// What the input file said of itself (title, history, …).
    pub attributes: Attributes,
}

impl Schema {
    /// The position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| &*f.name == name)
    }

    /// A column.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| &*f.name == name)
    }

    /// The positions of all columns, for whoever asks for many.
    pub fn positions(&self) -> HashMap<Arc<str>, usize> {
        self.fields.iter().enumerate().map(|(i, f)| (f.name.clone(), i)).rev().collect()
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|f| &*f.name)
    }

    /// Whether field `i` is the coordinate of one of the dimensions, and of which.
    pub fn coordinate(&self, i: usize) -> Option<usize> {
        let field = &self.fields[i];
        let dim = self.domain.position(&field.name)?;
        (field.mask == DimMask::only(dim)).then_some(dim)
    }

    /// The same columns as rows: one dimension `row`, of the domain's size if it is a box.
    pub fn to_rows(&self) -> Schema {
        let mut rows = Domain::rows();
        rows.dims[0].size = self.domain.points();
        let field = |f: &Field| Field { mask: DimMask::only(0), ..f.clone() };
        let fields = self.fields.iter().map(field).collect();
        Schema { domain: rows, fields, attributes: self.attributes.clone() }
    }

    /// The columns as an Arrow schema, for rows.
    pub fn arrow(&self) -> arrow_schema::SchemaRef {
        let field = |f: &Field| arrow_schema::Field::new(&*f.name, f.dtype.arrow(), f.nullable);
        Arc::new(arrow_schema::Schema::new(self.fields.iter().map(field).collect::<Vec<_>>()))
    }
}
