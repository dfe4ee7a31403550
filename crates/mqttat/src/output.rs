//! What goes to stdout: data, and nothing else.

use std::io::{self, Write};

use serde::Serialize;

use crate::failure::Failure;
use mqtt_at::Fault;

/// Writes to stdout with `write`, and flushes. `false` says that nobody reads any more.
pub(crate) fn print(
    write: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>,
) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::failed(format!("stdout cannot be written: {error}"), Fault::Caller)
            .remedy("check the disk or the program that reads it")),
    }
}

/// Prints an object on a line of its own.
pub(crate) fn print_json(object: &impl Serialize) -> Result<bool, Failure> {
    print(|out| {
        serde_json::to_writer(&mut *out, object)?;
        out.write_all(b"\n")
    })
}
