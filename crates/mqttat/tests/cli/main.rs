//! The command line as its users see it: processes, exit codes, one line for each failure, and no secret anywhere.

#![allow(missing_docs, reason = "a test")]

mod demo;
mod mistakes;
mod payloads;
mod secrets;
mod sim;
mod support;
