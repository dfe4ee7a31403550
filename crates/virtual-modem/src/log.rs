//! What the module understood, answered and suffered, for the assertions of tests.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::machine::command::Command;

/// One thing that happened in the module.
///
/// [`VirtualModem`](crate::VirtualModem) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Time since the module was built, by tokio's clock.
    pub at: Duration,
    /// What happened.
    pub entry: Entry,
}

/// The kinds of [`Record`].
///
/// [`VirtualModem`](crate::VirtualModem) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// A command line was read as this command, before it was obeyed or refused.
    Understood(Command),
    /// A line that is no command, without its carriage return.
    NotACommand(Bytes),
    /// The data the host wrote after a prompt of the command with this number.
    Data {
        /// The command that asked for the data.
        serial_no: u64,
        /// The bytes, complete.
        bytes: Bytes,
    },
    /// The answer to a command went out: information lines and final result, line ends included.
    Answered {
        /// The command that was answered.
        serial_no: u64,
        /// The bytes as written.
        bytes: Bytes,
    },
    /// A deferred result went out.
    Result {
        /// The command that it belongs to.
        serial_no: u64,
        /// The line without its line ends.
        line: Bytes,
    },
    /// An unsolicited line went out.
    Urc(Bytes),
    /// A fault of the plan struck.
    Fault(String),
    /// Something a person wants to know, for instance why a TLS handshake failed.
    Note(String),
    /// The module restarted.
    Reboot,
}

/// A command with the data that followed its prompt.
///
/// [`VirtualModem`](crate::VirtualModem) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// The command.
    pub command: Command,
    /// What the host wrote after the prompt, if the command had one and got it.
    pub payload: Option<Bytes>,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10.3} ", self.at.as_secs_f64())?;
        match &self.entry {
            Entry::Understood(command) => write!(f, "#{} {command}", command.serial_no),
            Entry::NotACommand(line) => write!(f, "no command: {}", line.escape_ascii()),
            Entry::Data { serial_no, bytes } => write!(f, "#{serial_no} data: {}", bytes.escape_ascii()),
            Entry::Answered { serial_no, bytes } => {
                write!(f, "#{serial_no} answer: {}", bytes.escape_ascii())
            }
            Entry::Result { serial_no, line } => write!(f, "#{serial_no} result: {}", line.escape_ascii()),
            Entry::Urc(line) => write!(f, "urc: {}", line.escape_ascii()),
            Entry::Fault(text) => write!(f, "fault: {text}"),
            Entry::Note(text) => write!(f, "note: {text}"),
            Entry::Reboot => f.write_str("reboot"),
        }
    }
}

/// Joins commands and their data.
pub(crate) fn understood<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Understood> {
    let mut list: Vec<Understood> = Vec::new();
    for record in records {
        match &record.entry {
            Entry::Understood(command) => list.push(Understood { command: command.clone(), payload: None }),
            Entry::Data { serial_no, bytes } => {
                let owner = list.iter_mut().rev().find(|entry| entry.command.serial_no == *serial_no);
                if let Some(owner) = owner {
                    owner.payload = Some(bytes.clone());
                }
            }
            _ => {}
        }
    }
    list
}
