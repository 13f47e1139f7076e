//! Work of one step in one process.
