//! Tests of the `tidemill` binary: what it prints, how it ends, what it leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod calls;
mod canary;
mod cases;
mod downloads;
mod each;
mod edits;
mod endings;
mod exceptions;
mod hosts;
mod images;
mod language;
mod ledger;
mod ledger_trust;
mod limits;
mod listing;
mod mistakes;
mod names;
mod pages;
mod power;
mod profile;
mod programs;
mod results;
mod scaling;
mod spills;
mod stores;
mod streams;
mod tables;
mod verbs;
mod warnings;
mod watch;
