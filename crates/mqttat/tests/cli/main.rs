//! The command line as its users see it: processes, exit codes, one line for each failure, and no secret anywhere.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are tests")]

mod bench;
mod console;
mod demo;
mod doctor;
mod killed;
mod mistakes;
mod payloads;
mod replay;
mod secrets;
mod sim;
mod subscribing;
mod support;
mod terminal;
mod tools;
#[cfg(feature = "tui")]
mod top;
