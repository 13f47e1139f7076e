//! From a pipeline file to a checked, rewritten, physical plan. Pure: it opens inputs to see what
//! they hold, and changes nothing.
//!
//! | module | what it is for |
//! |---|---|
//! | [`yaml`] | text → tree with places |
//! | `spec`, `steps` | tree → keys, steps, how they feed each other |
//! | [`operator`], [`operators`] | what an operator is; one file each, and their table |
//! | [`each`] | a small pipeline for each row: planned once, run for every row |
//! | `build` | what operators use to check a step and add nodes |
//! | `paths`, `elsewhere`, `walk`, `files`, `listing` | names of files, here and in stores, and the files that a reader reads or lists |
//! | `inputs`, `outputs` | what is read and written: nothing may be both, or be written twice |
//! | [`graph`] | the plan: a small closed set of nodes |
//! | [`rules`] | named rewrites, in order |
//! | `lower`, `sinks`, `tiling`, `size`, `memory` | the last rewrite: exchanges, sinks, tiles, bytes |
//! | [`place`] | places in the pipeline file, in words |
//! | `fingerprint` | what the tiles of a node depend on, in 128 bits |
//! | [`physical`] | what the engine runs |
//! | `load` | the driver: all of it, in order |
//! | `explain`, `draw` | the plan in words and as a drawing |
//! | [`tests`] | `tests:` inside a pipeline file |
//! | `schema_json` | the JSON Schema for editors |

mod build;
mod draw;
pub mod each;
mod elsewhere;
mod explain;
mod files;
mod fingerprint;
pub mod graph;
mod inputs;
mod listing;
mod load;
mod lower;
mod memory;
pub mod operator;
pub mod operators;
mod options;
mod outputs;
mod params;
mod paths;
pub mod physical;
pub mod place;
pub mod rules;
mod schema_json;
mod sinks;
mod size;
mod spec;
mod steps;
mod task;
mod template;
pub mod tests;
pub mod tiling;
mod unkept;
mod unread;
mod walk;
pub mod yaml;

pub use draw::{dot, mermaid};
pub use explain::explain;
pub use files::{Files, KnownFiles};
pub use fingerprint::{Meaning, Print};
pub use inputs::real as real_name;
pub use load::{
    LoadOptions, Plan, State, TileRequest, load, load_test, load_tests, not_text, unreadable,
};
pub use operators::{OPERATORS, operator};
pub use physical::Physical;
pub use schema_json::schema_json;
