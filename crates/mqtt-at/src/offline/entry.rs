//! One thing that was said.

use std::time::Duration;

use bytes::Bytes;

/// One thing that was said, and what it means.
///
/// The [module's page](crate::offline) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its place among all entries, from 0.
    pub number: usize,
    /// Time since the recording began, if it is known.
    pub at: Option<Duration>,
    /// Who spoke.
    pub speaker: Speaker,
    /// What it is.
    pub kind: Kind,
    /// The module's number of the client that it is about, if it is about one.
    pub client: Option<u8>,
    /// What was said, without line ends around it.
    pub bytes: Bytes,
    /// What it means, in a few words.
    pub meaning: String,
    /// The command that it belongs to.
    pub answers: Option<usize>,
    /// How long after that command it came.
    pub after: Option<Duration>,
}

/// Who spoke. Complete: there are two ends, and somebody who listens.
///
/// The [module's page](crate::offline) has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The program that uses the module.
    Host,
    /// The module.
    Module,
    /// Whoever recorded the conversation.
    Recorder,
}

/// What an entry is.
///
/// The [module's page](crate::offline) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A command line.
    Command,
    /// Data that the module has asked for.
    Data,
    /// The module repeats what it was told.
    Echo,
    /// The module asks for data.
    Prompt,
    /// A line of a command's answer.
    Information,
    /// What ends a command's answer.
    Final {
        /// Whether the command was accepted.
        success: bool,
    },
    /// What came of a command that had been accepted.
    Result {
        /// Whether it worked.
        success: bool,
    },
    /// A message from the broker.
    Message {
        /// Its topic, with what is no UTF-8 replaced.
        topic: String,
        /// Its payload.
        payload: Bytes,
    },
    /// A report that asks for nothing.
    Report,
    /// A connection to a broker is gone.
    Lost,
    /// The module has started anew.
    Restarted,
    /// Bytes that cannot be read.
    Damaged,
    /// A line that belongs to nothing.
    Unknown,
    /// A remark of whoever recorded the conversation.
    Note,
}

impl Kind {
    /// Its name, a word in small letters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Data => "data",
            Self::Echo => "echo",
            Self::Prompt => "prompt",
            Self::Information => "information",
            Self::Final { .. } => "final",
            Self::Result { .. } => "result",
            Self::Message { .. } => "message",
            Self::Report => "report",
            Self::Lost => "lost",
            Self::Restarted => "restarted",
            Self::Damaged => "damaged",
            Self::Unknown => "unknown",
            Self::Note => "note",
        }
    }

    /// Whether it ended well, for what has an end.
    pub fn success(&self) -> Option<bool> {
        match self {
            Self::Final { success } | Self::Result { success } => Some(*success),
            _ => None,
        }
    }
}
