//! The tidemill launcher
fn main() {}
