//! Conversations with a scripted module, in the order of the wire and in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "these are tests")]

mod cancelling;
#[path = "../common/mod.rs"]
mod common;
mod data_echo;
mod deferred;
mod ending;
mod exchanges;
mod fence;
mod late_replies;
mod load;
mod marks;
mod prompts;
mod secrets;
mod session;
mod spans;
mod succession;
