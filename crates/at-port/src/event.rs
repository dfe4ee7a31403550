//! What the port reports about itself.

use std::fmt;
use std::time::Duration;

use at_codec::{CommandLine, DamageKind};
use bytes::Bytes;

/// How far the link can be trusted.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// Commands and answers are in step.
    Synced,
    /// In doubt: no command is written until a probe has proven the link.
    Suspect,
    /// The module may be waiting for the bytes of a payload: nothing is written at all until it answers or its
    /// patience is over.
    InPayload,
    /// The port is gone, or the module does not answer.
    Dead,
}

/// Something noteworthy about the link, for logs, counters and supervision. It never carries payload bytes.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortEvent {
    /// The state of the link changed.
    Link(LinkState),
    /// An echo came although echo had been switched off: the module has probably rebooted without a word.
    UnexpectedEcho,
    /// The module reported a reboot.
    Reboot,
    /// Bytes that could not be read were dropped.
    Damaged {
        /// What was wrong.
        kind: DamageKind,
        /// How many bytes were dropped.
        got: usize,
        /// How many bytes there should have been; 0 for an ordinary line.
        need: usize,
    },
    /// A line longer than the limit was skipped.
    Overrun {
        /// How many bytes were skipped so far.
        skipped: usize,
    },
    /// A final result code came although no command was in flight.
    OrphanFinal,
    /// A line came that belongs to nothing and nobody.
    UnknownLine {
        /// How long it was, in bytes.
        length: usize,
    },
    /// The module may have been waiting for data without end, past any time that is known of modules; it got bytes that
    /// are no command, and may have published them as the rest of a payload.
    Filled {
        /// How many bytes.
        bytes: usize,
    },
    /// A prompt or a final result came too late; the link was proven again with this many probes.
    Fenced {
        /// How many probes it took.
        probes: u32,
    },
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Synced => "in step",
            Self::Suspect => "in doubt: the module is asked until it answers in step",
            Self::InPayload => "silent: the module may be waiting for the rest of a payload",
            Self::Dead => "gone",
        })
    }
}

impl fmt::Display for PortEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(state) => write!(f, "the link is {state}"),
            Self::UnexpectedEcho => f.write_str("echo is back: the module has probably restarted"),
            Self::Reboot => f.write_str("the module restarts"),
            Self::Damaged { got, need: 0, .. } => {
                write!(f, "{got} bytes could not be read and were dropped")
            }
            Self::Damaged { got, need, .. } => {
                write!(f, "{got} of {need} bytes could not be read and were dropped")
            }
            Self::Overrun { skipped } => write!(f, "a line of more than {skipped} bytes was skipped"),
            Self::OrphanFinal => f.write_str("a final result came that no command was waiting for"),
            Self::UnknownLine { length } => write!(f, "a line of {length} bytes belongs to nothing"),
            Self::Filled { bytes } => {
                write!(
                    f,
                    "the module may have waited for data without end, and was given {bytes} bytes in its place"
                )
            }
            Self::Fenced { probes: 1 } => {
                f.write_str("an answer was late; the link is in step again after 1 question")
            }
            Self::Fenced { probes } => {
                write!(f, "an answer was late; the link is in step again after {probes} questions")
            }
        }
    }
}

/// A witness of the conversation, for transcripts: it sees every line as it may be shown, with secrets masked.
///
/// ```
/// use at_port::{Tap, TapEntry};
///
/// /// Prints the commands, secrets masked.
/// struct Watch;
///
/// impl Tap for Watch {
///     fn note(&mut self, entry: TapEntry<'_>) {
///         if let TapEntry::Command(line) = entry {
///             println!("{line}");
///         }
///     }
/// }
/// ```
pub trait Tap: Send + Sync {
    /// Takes note of one entry. Called on the driver's task; it must not block for long.
    fn note(&mut self, entry: TapEntry<'_>);
}

/// One entry of the conversation.
///
/// [`Tap`] has an example.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum TapEntry<'a> {
    /// A command line was written. Its `Display` masks secrets.
    Command(&'a CommandLine),
    /// A probe of the fence was written.
    Probe(&'a [u8]),
    /// Bytes that stand for data were written, because the module may have been waiting for it without end.
    Filler {
        /// How many bytes.
        bytes: usize,
    },
    /// Data was written after a prompt.
    Data(&'a Bytes),
    /// Data that is secret was written after a prompt.
    SecretData {
        /// How many bytes.
        bytes: usize,
    },
    /// The echo of a command came.
    Echo(&'a CommandLine),
    /// A line came.
    Line(&'a Bytes),
    /// A line came that holds a secret, or may be a garbled echo of one.
    SecretLine,
    /// The module asked for data.
    Prompt,
    /// Bytes that could not be read were dropped.
    Dropped {
        /// How many.
        bytes: usize,
    },
}

/// Counts what happens on a port. Called on the driver's task; it must not block.
///
/// ```
/// use at_port::{Measurement, Meter};
///
/// /// Counts everything alike.
/// struct Everything(u64);
///
/// impl Meter for Everything {
///     fn note(&mut self, _: Measurement<'_>) {
///         self.0 += 1;
///     }
/// }
/// ```
pub trait Meter: Send {
    /// Takes note of one measurement.
    fn note(&mut self, measurement: Measurement<'_>);
}

/// Something that can be counted.
///
/// [`Meter`] has an example.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Measurement<'a> {
    /// An exchange has got its final result.
    Exchange {
        /// The time since the first byte of its command line was written.
        took: Duration,
        /// Whether the module carried the command out.
        success: bool,
    },
    /// An operation was queued, or the next one was begun.
    Queue {
        /// How many operations wait for their turn now.
        waiting: usize,
    },
    /// The port reported something about itself.
    Event(&'a PortEvent),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_words() {
        let damaged = |got, need| PortEvent::Damaged { kind: DamageKind::Silence, got, need };
        for (event, words) in [
            (
                PortEvent::Link(LinkState::Suspect),
                "the link is in doubt: the module is asked until it answers in step",
            ),
            (PortEvent::UnexpectedEcho, "echo is back: the module has probably restarted"),
            (PortEvent::Reboot, "the module restarts"),
            (damaged(3, 0), "3 bytes could not be read and were dropped"),
            (damaged(3, 9), "3 of 9 bytes could not be read and were dropped"),
            (PortEvent::Overrun { skipped: 512 }, "a line of more than 512 bytes was skipped"),
            (PortEvent::OrphanFinal, "a final result came that no command was waiting for"),
            (PortEvent::UnknownLine { length: 7 }, "a line of 7 bytes belongs to nothing"),
            (
                PortEvent::Filled { bytes: 5 },
                "the module may have waited for data without end, and was given 5 bytes in its place",
            ),
            (
                PortEvent::Fenced { probes: 2 },
                "an answer was late; the link is in step again after 2 questions",
            ),
        ] {
            assert_eq!(event.to_string(), words);
        }
        for state in [LinkState::Synced, LinkState::Suspect, LinkState::InPayload, LinkState::Dead] {
            assert!(!state.to_string().is_empty());
        }
    }
}
