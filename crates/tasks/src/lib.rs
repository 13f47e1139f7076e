//! Work that waits: programs, downloads, object stores; and the event loop that it waits in.
//!
//! | module | what it has |
//! |---|---|
//! | [`work`] | what a row of a batch asks for, and what comes of it: the contract [`Work`] |
//! | [`template`] | texts with values of a row in them: arguments, addresses, names of files |
//! | [`format`] | how a value is written into a text: Python's format specification |
//! | [`lane`] | work of one step in one process: what waits, what is in flight, what has ended |
//! | [`runtime`] | the event loop of the process |
//! | [`store`] | files in object stores and on web servers: their bytes, and putting them there |
pub mod format;
pub mod lane;
pub mod runtime;
pub mod store;
pub mod template;
pub mod work;

pub use template::{Piece, Template};
pub use work::{Answer, Key, KeyHasher, Made, Rows, Stop, Work};
