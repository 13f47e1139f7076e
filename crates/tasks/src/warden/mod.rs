//! No program outlives the process that called it, even if that is killed.
//!
//! Beside the process stands another one, the warden: the same program with a hidden verb, begun with
//! the first call. It reads from a pipe which process groups begin and end, and which files are
//! staged. The end of that pipe is the end of the process, however it came about: the warden then
//! ends all groups that it knows of, and, on Linux, every process that has [`VARIABLE`] with the
//! random [`identity`] of this process in its environment, as all that the programs have started
//! have; and it removes what is staged. A warden that dies is begun again.
mod client;
mod messages;
mod process;
mod scan;

pub use client::provide;
pub use process::main;

pub(crate) use client::{begun, ended, ready, staged, unstaged};

use std::sync::OnceLock;

/// The variable by which programs that were called, and all that they start, are known.
pub const VARIABLE: &str = "TIDEMILL_CALL";

/// What is random for this process, as 32 hexadecimal digits.
pub fn identity() -> &'static str {
    static IDENTITY: OnceLock<String> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let mut bytes = [0; 16];
        if getrandom::fill(&mut bytes).is_err() {
            // No other process that lives has this number.
            bytes[..4].copy_from_slice(&std::process::id().to_le_bytes());
        }
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    })
}
