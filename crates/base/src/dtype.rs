//! The types that values have.
use arrow_schema::{DataType, TimeUnit};
use std::fmt;

/// The type of a value. Every type has a missing value (Arrow null).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DType {
    /// true or false
    Bool,
    /// 32-bit signed integer
    Int32,
    /// 64-bit signed integer
    Int64,
    /// IEEE 754 binary32
    Float32,
    /// IEEE 754 binary64
    Float64,
    /// UTF-8 text
    String,
    /// Microseconds since 1970-01-01 00:00 UTC, proleptic Gregorian
    Timestamp,
    /// Bytes that only a reduction or a format understands; never seen by users.
    Binary,
}

impl DType {
    /// The types that users may name, in order.
    pub const NAMED: [DType; 7] = [
        DType::Bool,
        DType::Int32,
        DType::Int64,
        DType::Float32,
        DType::Float64,
        DType::String,
        DType::Timestamp,
    ];

    /// The name users know.
    pub fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::Int32 => "int32",
            DType::Int64 => "int64",
            DType::Float32 => "float32",
            DType::Float64 => "float64",
            DType::String => "string",
            DType::Timestamp => "timestamp",
            DType::Binary => "binary",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<DType> {
        DType::NAMED.into_iter().find(|t| t.name() == name)
    }

    /// The one Arrow type that carries it.
    pub fn arrow(self) -> DataType {
        match self {
            DType::Bool => DataType::Boolean,
            DType::Int32 => DataType::Int32,
            DType::Int64 => DataType::Int64,
            DType::Float32 => DataType::Float32,
            DType::Float64 => DataType::Float64,
            DType::String => DataType::Utf8,
            DType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            DType::Binary => DataType::Binary,
        }
    }

    /// The type that exactly this Arrow type carries; other Arrow types must be cast first.
    pub fn from_arrow(data: &DataType) -> Option<DType> {
        DType::NAMED.into_iter().chain([DType::Binary]).find(|t| t.arrow() == *data)
    }

    /// Bytes of one value; a guess for text.
    pub fn width(self) -> usize {
        match self {
            DType::Bool => 1,
            DType::Int32 | DType::Float32 => 4,
            DType::Int64 | DType::Float64 | DType::Timestamp => 8,
            DType::String => 24,
            DType::Binary => 64,
        }
    }

    /// int32 or int64
    pub fn is_integer(self) -> bool {
        matches!(self, DType::Int32 | DType::Int64)
    }

    /// float32 or float64
    pub fn is_float(self) -> bool {
        matches!(self, DType::Float32 | DType::Float64)
    }

    /// Integer or float; bool is not a number here, though arithmetic promotes it.
    pub fn is_number(self) -> bool {
        self.is_integer() || self.is_float()
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}
