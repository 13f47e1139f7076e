//! From a pipeline file to a checked, rewritten, physical plan
