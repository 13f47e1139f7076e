//! The ledger: what of a run is finished, so that nothing finished is done twice.
//!
//! A *fragment* is what becomes of a reader's tiles until it lasts: the reader and what is applied
//! to its tiles, up to a writer that takes tiles in any order or appends each to its file, or to the
//! first half of a fold. The ledger notes which tiles of which fragment are done, and keeps the
//! states of folds. What lies behind is cheap, and done again from them. docs/ledger.md describes
//! the files.
//!
//! | file | what it has |
//! |---|---|
//! | `frame` | records in a file: lengths and checksums, and what a torn end is |
//! | `record` | what records say |
//! | `stamp` | by what a file is known to be unchanged |
//! | `folder` | the folder of a run's state: all records of earlier runs, and what is set aside |
//! | `home` | that folder, open, as all others come to its files |
//! | `lock` | one run at a time |
//! | `fragment` | the fragments of a plan, and the keys of their tiles |
//! | `survey` | what of a plan is done, and what is left |
//! | `outputs`, `staged`, `states` | outputs that are whole, tiles that are staged, states of folds |
//! | `reason` | why a tile is to be done |
//! | `page` | a file that records are added to |
//! | `book` | notes what is done while a run goes on |
//! | `written`, `stages` | the ends of fragments, a writer or a fold, which tell the book |
//! | `allowance` | the time that notes may take |
//! | `status`, `clean` | what a ledger tells without its plan; its end |
//! | `compact` | the records that are still of use, in one file |
mod allowance;
mod answers;
mod book;
mod clean;
mod compact;
mod folder;
mod fragment;
mod frame;
mod home;
mod lock;
mod outputs;
mod page;
mod reason;
mod record;
mod staged;
mod stages;
mod stamp;
mod states;
mod status;
mod survey;
#[cfg(test)]
mod tests;
mod written;

pub use book::{Book, Known, Stages};
pub use clean::{Cleaned, clean, remove_staged, staged};
pub use compact::compact;
pub use folder::{Folder, forget};
pub use fragment::lasting;
pub(crate) use fragment::{Standing, key, meaning, moves};
pub(crate) use frame::Frame;
pub use lock::{Lock, Share};
pub(crate) use outputs::commit;
pub use outputs::{Kept, is_own};
pub use page::Page;
pub use reason::Reason;
pub use record::Record;
pub use staged::{Tiles, Trial};
pub use stages::wrap;
pub use stamp::{Inputs, TICK, changed, found_print, input_print, output_print};
pub(crate) use states::{States, noted, pack, unpack};
pub use status::Status;
pub use survey::{Progress, Survey};
pub(crate) use written::Written;
