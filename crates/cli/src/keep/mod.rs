//! Outputs that follow their inputs: what `watch` does.
//!
//! | file | what it has |
//! |---|---|
//! | `how` | how it is asked for |
//! | `scan` | the files that are there, and when they were written |
//! | `keeper` | from a look at the files to outputs that are up to date |
//! | `task` | what is to be kept up to date, who is told, what is to be done next |
//! | `reductions` | from files that have changed to the plan of what is behind kept reductions |
//! | `pieces` | which files are taken, which stay as they were |
//! | `beside` | the files beside those that are reduced |
//! | `anew` | the whole plan is run anew |
//! | `console` | where it is told |
//! | `told`, `shown`, `lines` | what has been told, what there is now, what has changed as text |
//! | `processes` | over several processes |
mod anew;
mod beside;
mod console;
mod how;
mod keeper;
mod lines;
mod pieces;
mod processes;
mod reductions;
mod scan;
mod shown;
mod task;
mod told;

pub use console::Terminal;
pub use how::How;
pub use keeper::{Ended, Keeper, files};
pub use lines::ChangeFormat;
pub use processes::{obey, shared, together};
pub use task::Task;
pub use told::Told;
