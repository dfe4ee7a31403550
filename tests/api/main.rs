//! The library's public API against the virtual module, in virtual time.

#![allow(missing_docs, reason = "a test")]

mod cancellation;
mod clients;
mod delivery;
mod hostile;
mod input;
mod late_answers;
mod losses;
mod secrets;
mod support;
mod transcripts;
