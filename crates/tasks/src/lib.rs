//! Work that waits: programs, downloads, object stores; and the event loop that it waits in.
//!
//! | module | what it has |
//! |---|---|
//! | [`work`] | what a row of a batch asks for, and what comes of it: the contract [`Work`] |
//! | [`template`] | texts with values of a row in them: arguments, addresses, names of files |
//! | [`format`] | how a value is written into a text: Python's format specification |
//! | [`lane`] | work of one step in one process: what waits, what is in flight, what has ended |
//! | [`call`] | programs |
//! | [`fetch`] | downloads |
//! | [`mark`] | marks on files that say who has made them |
//! | [`rename`] | giving files names in one step |
//! | `waits` | waits before something is tried again |
//! | [`warden`] | ends programs when the process that called them is killed |
//! | [`stream`] | a program that batches go through |
//! | [`runtime`] | the event loop of the process |
//! | [`slots`] | how many the open files allow |
//! | [`store`] | files in object stores and on web servers: their bytes, and putting them there |
pub mod call;
pub mod fetch;
pub mod format;
pub mod lane;
pub mod mark;
mod parts;
pub mod rename;
pub mod runtime;
pub mod slots;
pub mod store;
pub mod stream;
pub mod template;
mod waits;
pub mod warden;
pub mod work;

pub use template::{Piece, Template};
pub use work::{Answer, IsMade, Key, KeyHasher, Made, Rows, Setting, Stop, Work};
