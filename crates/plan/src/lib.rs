//! From a pipeline file to a checked, rewritten, physical plan

pub mod yaml;
