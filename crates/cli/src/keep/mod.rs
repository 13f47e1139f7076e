//! Outputs that follow their inputs: what `watch` does.
//!
//! | file | what it has |
//! |---|---|
//! | `how` | how it is asked for |
//! | `scan` | the files that are there, and when they were written |
//! | `keeper` | from a look at the files to outputs that are up to date |
//! | `pieces` | which files are taken, which stay as they were |
//! | `told` | what is printed of it |
//! | `processes` | over several processes |
mod how;
mod keeper;
mod pieces;
mod processes;
mod scan;
mod told;

pub use how::{ChangeFormat, How};
pub use keeper::{Ended, Keeper, files};
pub use processes::{obey, shared, together};
pub use told::{Terminal, Told};
