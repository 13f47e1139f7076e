//! Results that follow their inputs: reductions of the rows of files, kept up to date by
//! differential dataflow while files come, change and go.
//!
//! Its records are partials, never rows: what a reduction holds of the rows of one file, a record
//! for the keys of a part, by their hash. A changed file takes its old records back and brings new
//! ones; differential finds the parts that this touches, and only their states are added up anew. Sums are exact, and no
//! state depends on the order in which it was added up, so the results have the bits of a cold run.
//!
//! Reductions of these results, and of such that are joined by their keys, are kept likewise: of a
//! part that changes the rows are made anew, and what they give to the groups of the next reduction
//! are its records.
//!
//! What a plan does behind these reductions is few rows: it runs anew, on the ordinary engine, over
//! the tables that are kept here.
//!
//! | file | what it has |
//! |---|---|
//! | `split` | which part of a plan is kept up to date, and the plan of what is behind it |
//! | `head` | a reduction that is kept, with all from its reader on |
//! | `above` | one that is made of these |
//! | `side` | what is joined with rows of files below it |
//! | `piece` | a file as a part of a reader's rows |
//! | `reader`, `partials` | from a file to its tiles, and to records: plain code |
//! | `rows` | the same from kept results |
//! | `stages` | what both do with the nodes of a plan |
//! | `record`, `block` | keys, states and results, in columns that can be compared |
//! | `parts`, `cells` | records of many groups, or of many cells |
//! | `flow` | the dataflow: orders in, changes out |
//! | `shared` | what all workers of a process share, and what they are told |
//! | `shelf` | states on disk |
//! | `maker` | a worker's records of files |
//! | `memory` | what they may take |
//! | `notes`, `records` | what is noted in the ledger |
//! | `groups` | files that it has together |
//! | `kept`, `update` | the process that gives the orders and keeps the results; files that come and go |
//! | `answers`, `table` | kept results as tables, and these as sources of tiles |
//! | `changes`, `codec` | rows that a table has lost and gained; rows as bytes |
mod above;
mod answers;
mod block;
mod cells;
mod changes;
mod codec;
mod flow;
mod groups;
mod head;
mod kept;
mod maker;
mod memory;
mod notes;
mod partials;
mod parts;
mod piece;
mod reader;
mod record;
mod records;
mod rows;
mod shared;
mod shelf;
mod side;
mod split;
mod stages;
mod table;
#[cfg(test)]
mod tests;
mod update;

pub use changes::{Change, Rows};
pub use head::Head;
pub use kept::{Kept, Looked, Scale, Stop, serve};
pub use notes::Ledger;
pub use piece::{Piece, PieceId, Refused};
pub use side::Aside;
pub use split::{Split, show_all};
pub use update::Updated;
