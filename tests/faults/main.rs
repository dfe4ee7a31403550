//! The fault catalogue: every row as a test, by the public API against the virtual module, in virtual time.
//!
//! A test is named after its row; `docs/TESTING.md` lists all of them, also those of the crates below.

#![allow(
    unreachable_pub,
    missing_debug_implementations,
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod answers;
mod line;
mod module;
mod payload;
mod placements;
mod port;
mod results;
mod scene;
#[path = "../api/support.rs"]
#[expect(dead_code, reason = "other tests need the rest")]
mod support;
mod wire;
