//! The bodies of the fuzz targets. libFuzzer runs them through `fuzz_targets/`, and `cargo test` runs them over the
//! corpus through `tests/corpus/`.
//!
//! A target takes any bytes and panics when a promise is broken.

mod args;
mod codec;
mod dialects;
mod esp_module;
mod line;
mod modules;
mod session;
mod source;

pub use args::args_encode;
pub use codec::{codec_bytes, codec_splits};
pub use dialects::{esp, fibocom, neoway, quectel, simcom};
pub use modules::{modem_input, transcript};
pub use session::session_ops;

/// What runs one input.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("codec_bytes", codec_bytes),
    ("codec_splits", codec_splits),
    ("quectel", quectel),
    ("simcom", simcom),
    ("fibocom", fibocom),
    ("neoway", neoway),
    ("esp", esp),
    ("args_encode", args_encode),
    ("session_ops", session_ops),
    ("modem_input", modem_input),
    ("transcript", transcript),
];

/// Runs a future in virtual time, and everything that it started.
fn in_virtual_time<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime can be had").block_on(future)
}
