//! Tests of the `tidemill` binary: what it prints, how it ends, what it leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod cases;
mod edits;
mod endings;
mod hosts;
mod language;
mod ledger;
mod mistakes;
mod pages;
mod power;
mod profile;
mod results;
mod scaling;
mod spills;
mod verbs;
mod warnings;
mod watch;
