//! The command line on a virtual module, with a real mosquitto behind it.
//!
//! Built only with the feature `mosquitto-tests`, because it needs mosquitto and its clients: where it is asked for,
//! their absence is a failure.

#![allow(
    unreachable_pub,
    missing_debug_implementations,
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod delivery;
mod gateway;
mod recovery;
mod refusals;
mod support;
mod tls;

/// What the tests need to know of each vendor's module.
pub struct Kind {
    pub vendor: &'static str,
    /// The longest payload, in bytes.
    pub longest: usize,
    /// Whether an empty payload can be published.
    pub empty: bool,
}

pub const KINDS: &[Kind] = &[
    Kind { vendor: "quectel", longest: 1500, empty: false },
    Kind { vendor: "simcom", longest: 10_240, empty: true },
    Kind { vendor: "fibocom", longest: 1024, empty: false },
    Kind { vendor: "neoway", longest: 10_240, empty: false },
];
