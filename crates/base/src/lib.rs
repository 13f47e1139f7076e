//! The words that all of Tidemill shares, and the map of the workspace. No code here.
//!
//! ```text
//! pipeline file → Source → Spec → Plan → optimised Plan → Physical → dataflow on the workers → Tally → Report
//!                 base     plan   plan   plan (rules)      plan       engine                    engine  cli
//! ```
//!
//! | crate | what it is for |
//! |---|---|
//! | `base` (this one) | spans and diagnostics, data types, schemas, domains, tiles, tables of entries |
//! | `expr` | expressions: parse → check → optimise → block program → kernels; exact reductions |
//! | `formats` | NetCDF, Parquet, Arrow IPC, CSV: probe, read tiles, write tiles |
//! | `plan` | file → checked plan → rewrite rules → physical plan; one file per operator |
//! | `engine` | timely workers, exchange, credits, links between processes |
//! | `cli` | the `tidemill` launcher: one file per verb |

mod along;
mod attributes;
mod code;
mod diagnostic;
mod domain;
mod dtype;
mod failure;
mod grouped;
mod render;
mod schema;
mod size;
mod source;
mod suggest;
pub mod synonyms;
mod table;
mod tile;
mod tiling;
mod value;
mod visible;
mod warning;

pub use along::along;
pub use attributes::{Attribute, Attributes};
pub use code::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use domain::{Dim, DimMask, Domain, MAX_DIMS};
pub use dtype::DType;
pub use failure::{Failure, FailureKind};
pub use grouped::grouped;
pub use render::render;
pub use schema::{Field, Schema};
pub use size::bytes_of;
pub use source::{Source, Span, Text};
pub use suggest::{did_you_mean, nearest};
pub use table::Entry;
pub use tile::{Column, Tile};
pub use tiling::{Region, Tiling};
pub use value::Value;
pub use visible::{steers, visible, visible_lines, without_logins};
pub use warning::Warning;
