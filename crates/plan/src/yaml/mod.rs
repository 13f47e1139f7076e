//! The pipeline file's YAML as a tree that knows where everything stands; YAML's traps explained.
//!
//! | file | what it is for |
//! |---|---|
//! | `tree` | the tree: nodes, keys, scalars |
//! | `read` | from parser events to the tree: anchors, merge keys, duplicate keys |
//! | `align` | which byte of the file each byte of a scalar comes from |
//! | `line` | lines of the file: indentation, the key before a value |
//! | `syntax` | what the parser refuses, in our words |
//! | `misfit` | lines whose indentation fits no line above |
//! | `cut` | expressions that YAML cuts at a comma or a `#`, mended |
//! | `trap` | text that YAML reads otherwise than it looks |

mod align;
mod cut;
mod line;
mod misfit;
mod read;
mod syntax;
mod trap;
mod tree;

pub use read::read;
pub use trap::trap_bool;
pub use tree::{Key, Kind, Node, Scalar};
