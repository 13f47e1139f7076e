//! Downloads from a server on the loopback that does what servers should not do.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]
mod answers;
mod files;
mod headers;
mod resume;
mod rows;
mod server;
