//! What went wrong: with one operation, or with the port for good.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::reply::FinalResult;

/// Why an operation failed, and how far it had come.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The module refused a command.
    #[error("the module answered {} with {}", .0.command, .0.result)]
    Refused(Box<Refusal>),
    /// Nothing came in time.
    #[error("no {phase} for {command} within {after:?}")]
    Timeout {
        /// The command's name.
        command: String,
        /// Which of the operation's exchanges it was, counted from 0.
        step: usize,
        /// What was waited for.
        phase: Phase,
        /// How long.
        after: Duration,
        /// How far the operation had come.
        progress: Progress,
    },
    /// The module rebooted.
    #[error("the module rebooted")]
    Reset {
        /// How far the operation had come.
        progress: Progress,
    },
    /// The session to which the deferred result belonged is gone, so the result will not come.
    #[error("the connection was lost before the result of {command} came")]
    Released {
        /// The command's name.
        command: String,
        /// The report that said so, if there was one.
        report: Option<Bytes>,
    },
    /// Nothing was written, because the queue did not come to it in time.
    #[error("the port was not free within {after:?}")]
    NotStarted {
        /// How long the operation waited.
        after: Duration,
    },
    /// Nothing was written, because the result of an earlier command of the same kind is missing.
    #[error("an earlier result of the same kind is missing, so a new one could not be told from it")]
    InDoubt,
    /// The port is gone.
    #[error("the port is gone")]
    Port {
        /// Why.
        #[source]
        error: PortError,
        /// How far the operation had come.
        progress: Progress,
    },
}

impl OperationError {
    /// How much of the operation had been written when it failed.
    pub fn progress(&self) -> Progress {
        match self {
            Self::Refused(refusal) => refusal.progress,
            Self::Timeout { progress, .. } | Self::Reset { progress } | Self::Port { progress, .. } => {
                *progress
            }
            Self::Released { .. } => Progress::Complete,
            Self::NotStarted { .. } | Self::InDoubt => Progress::Nothing,
        }
    }
}

/// A refused command, with what the module said before the final result: a code that precedes `ERROR` is kept.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The command's name, such as `AT+QMTOPEN`.
    pub command: String,
    /// Which of the operation's exchanges it was, counted from 0.
    pub step: usize,
    /// The final result code.
    pub result: FinalResult,
    /// The information responses of this exchange that preceded it.
    pub lines: Vec<Bytes>,
    /// The deferred result, if it preceded the final result.
    pub deferred: Option<Bytes>,
    /// How far the operation had come.
    pub progress: Progress,
}

impl Refusal {
    /// The refusal of an operation of one command, for instance one that was read in a transcript.
    pub fn of_command(command: impl Into<String>, result: FinalResult, lines: Vec<Bytes>) -> Self {
        Self { command: command.into(), step: 0, result, lines, deferred: None, progress: Progress::Begun }
    }
}

/// What an exchange was waiting for.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The transport to take the bytes.
    Write,
    /// The module to ask for data.
    Prompt,
    /// The final result code.
    FinalResult,
    /// The deferred result.
    DeferredResult,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write => "free transport",
            Self::Prompt => "prompt",
            Self::FinalResult => "final result",
            Self::DeferredResult => "deferred result",
        })
    }
}

/// How much of an operation had been written to the port. Later values include earlier ones.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Progress {
    /// Not one byte.
    Nothing,
    /// A command line of an earlier exchange, or part of the last one's.
    Begun,
    /// The last exchange's data in part.
    DataInPart,
    /// Everything, data included.
    Complete,
}

/// Why the port is gone for good. Every waiter and every later call gets the same error.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The other end hung up: a serial port that reads nothing was unplugged.
    #[error("the port hung up")]
    HungUp,
    /// Reading or writing failed.
    #[error("the port failed")]
    Io(#[source] Arc<io::Error>),
    /// No probe was answered.
    #[error("the module does not answer")]
    Unresponsive {
        /// How many probes were sent in vain.
        probes: u32,
        /// Whether any byte was received since the port was opened.
        heard_anything: bool,
    },
    /// The transport took no byte for too long.
    #[error("the port takes no data")]
    Stalled {
        /// How long.
        after: Duration,
    },
    /// Bytes without a line end, or lines of one answer, came without end.
    #[error("the port delivers bytes without end")]
    Garbage {
        /// How many bytes came since the last line, or in the answer.
        bytes: usize,
    },
    /// [`Port::close`](crate::Port::close) was called, or every handle was dropped.
    #[error("the port was closed")]
    Closed,
    /// The driver's future was dropped before its end.
    #[error("the driver of the port was dropped")]
    DriverGone,
}

impl From<io::Error> for PortError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Box<Refusal> {
        Box::new(Refusal {
            command: "AT+QMTOPEN".to_owned(),
            step: 0,
            result: FinalResult::Error,
            lines: Vec::new(),
            deferred: None,
            progress: Progress::Complete,
        })
    }

    #[test]
    fn every_error_is_one_clause_without_its_cause() {
        let command = || "AT+QMTPUB".to_owned();
        let after = Duration::from_secs(5);
        let timeout = |phase| OperationError::Timeout {
            command: command(),
            step: 0,
            phase,
            after,
            progress: Progress::Begun,
        };
        let errors = [
            (OperationError::Refused(refusal()), "the module answered AT+QMTOPEN with ERROR"),
            (timeout(Phase::Write), "no free transport for AT+QMTPUB within 5s"),
            (timeout(Phase::Prompt), "no prompt for AT+QMTPUB within 5s"),
            (timeout(Phase::FinalResult), "no final result for AT+QMTPUB within 5s"),
            (timeout(Phase::DeferredResult), "no deferred result for AT+QMTPUB within 5s"),
            (OperationError::Reset { progress: Progress::Begun }, "the module rebooted"),
            (
                OperationError::Released { command: command(), report: None },
                "the connection was lost before the result of AT+QMTPUB came",
            ),
            (OperationError::NotStarted { after }, "the port was not free within 5s"),
            (
                OperationError::InDoubt,
                "an earlier result of the same kind is missing, so a new one could not be told from it",
            ),
            (
                OperationError::Port { error: PortError::HungUp, progress: Progress::Nothing },
                "the port is gone",
            ),
        ];
        for (error, text) in errors {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn every_end_of_the_port_is_one_clause_without_its_cause() {
        let io = io::Error::other("a fuse has blown");
        let errors = [
            (PortError::HungUp, "the port hung up"),
            (io.into(), "the port failed"),
            (PortError::Unresponsive { probes: 4, heard_anything: false }, "the module does not answer"),
            (PortError::Stalled { after: Duration::from_secs(30) }, "the port takes no data"),
            (PortError::Garbage { bytes: 65536 }, "the port delivers bytes without end"),
            (PortError::Closed, "the port was closed"),
            (PortError::DriverGone, "the driver of the port was dropped"),
        ];
        for (error, text) in errors {
            assert_eq!(error.to_string(), text);
        }
        let failed = PortError::from(io::Error::other("a fuse has blown"));
        assert_eq!(
            std::error::Error::source(&failed).map(ToString::to_string).as_deref(),
            Some("a fuse has blown")
        );
    }

    #[test]
    fn progress_says_how_much_was_written() {
        assert_eq!(OperationError::Refused(refusal()).progress(), Progress::Complete);
        assert_eq!(OperationError::InDoubt.progress(), Progress::Nothing);
        let released = OperationError::Released { command: String::new(), report: None };
        assert_eq!(released.progress(), Progress::Complete);
        assert!(Progress::Nothing < Progress::Begun && Progress::DataInPart < Progress::Complete);
    }
}
