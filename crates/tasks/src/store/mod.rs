//! Files in object stores and on web servers: what they are, their bytes, and putting them there.
//!
//! | file | what it has |
//! |---|---|
//! | `location` | addresses: `s3://bucket/key`, `https://host/path` |
//! | `profile` | the profile files of AWS |
//! | `client` | clients of stores, with credentials from the usual places |
//! | `wait` | waiting, in a worker, for what runs in the event loop |
//! | `fault` | what went wrong, in words and without secrets |
//! | `about` | what an object is known by: length, ETag, when it was changed |
//! | `list` | the objects of a pattern or a folder |
//! | `many` | doing things that wait side by side |
//! | `blocks` | which blocks of an object are here, asked for, in use |
//! | `pieces` | which requests fetch them |
//! | `mirror` | an object as a sparse local file, filled as it is read |
//! | `upload` | putting whole local files into a store |
mod about;
mod blocks;
mod client;
mod fault;
mod list;
mod location;
mod many;
mod mirror;
mod pieces;
mod profile;
mod upload;
mod wait;

pub use about::{About, about, about_now, all_about_now};
pub use blocks::BLOCK;
pub use list::{list, standing};
pub use location::{Location, is_remote, local, scheme};
pub use many::side_by_side;
pub use mirror::{Hold, Mirror};
pub use upload::{Replaces, remove, upload};
pub use wait::wait;
