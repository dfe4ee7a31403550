//! The library's public API against the virtual module, in virtual time.

#![allow(
    unreachable_pub,
    missing_debug_implementations,
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod bulk;
mod cancellation;
mod clients;
mod delivery;
mod former_host;
mod hostile;
mod input;
mod late_answers;
mod losses;
mod metrics;
mod quirks;
mod recovery;
mod secrets;
mod sharing;
mod support;
mod transcripts;
