//! State that outgrows its memory: who may hold how much of it, and the files for the rest.
//!
//! | file | what it has |
//! |---|---|
//! | `budget` | the bytes of state that a process may hold, and who holds them |
//! | `folder` | where the files are |
//! | `store` | a file of chunks: columns as Arrow IPC, compressed |
//! | `buckets` | rows in chunks, those with equal keys in one bucket |
//! | `freed` | memory that the allocator keeps goes back to the system |
mod buckets;
mod budget;
mod folder;
mod freed;
mod store;

pub use buckets::{Bucket, Buckets};
pub use budget::{Budget, Loan, Share, Weigh};
pub use folder::{Choice, Folder, choose};
pub use freed::give_back;
pub use store::{Chunk, Store, joined, size, width};
