//! Runs a physical plan on timely dataflow workers
