//! What firmware tells the machine to answer.

use std::time::Duration;

use bytes::Bytes;

/// The answer to a command: information lines and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) info: Vec<Bytes>,
    pub(crate) end: End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// `OK`. A deferred result is still to come if the flag is set.
    Ok { deferred: bool },
    /// `ERROR` or one of its relatives.
    Refused(Refusal),
    /// A line of the vendor's in place of a final result, for instance `+CERTADD: 1758,OK`.
    Words(Bytes),
    /// A prompt, after which the bytes the host writes are data.
    Prompt(Prompt),
    /// No final result at all, and the module goes on.
    Silent,
    /// The firmware calls `Core::finish` when it knows the end; until then the command keeps running.
    Pending,
}

/// Why the module does not obey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// An argument is missing, superfluous, of the wrong kind or out of range: plain `ERROR`.
    Parameter,
    /// The manual answers with plain `ERROR`, whatever `AT+CMEE` says.
    Error,
    /// An error of the equipment, printed as `AT+CMEE` demands [3GPP 27.007 §9.2].
    Cme(u16),
    /// A final result in the vendor's own words, for instance `ERROR: 703`.
    Vendor(&'static str, i32),
}

/// A request for data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// The bytes that are printed, line ends included.
    pub(crate) text: Bytes,
    pub(crate) until: Until,
    /// How long the module waits for the next byte, or for all of them
    /// ([`Firmware::patience_is_for_all`](super::firmware::Firmware::patience_is_for_all)); `None` waits for ever.
    pub(crate) patience: Option<Duration>,
    /// Whether the data is echoed while echo is on; a data mode behind `CONNECT` is not.
    pub(crate) echoes: bool,
}

/// What ends the data after a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// That many bytes, whatever they are.
    Count(usize),
    /// Ctrl-Z; at most so many bytes before it.
    CtrlZ { most: usize },
    /// That many bytes and then Ctrl-Z.
    CountAndCtrlZ(usize),
}

impl Answer {
    pub(crate) fn ok() -> Self {
        Self { info: Vec::new(), end: End::Ok { deferred: false } }
    }

    /// `OK` now, and a result line later.
    pub(crate) fn deferred() -> Self {
        Self { info: Vec::new(), end: End::Ok { deferred: true } }
    }

    pub(crate) fn pending() -> Self {
        Self { info: Vec::new(), end: End::Pending }
    }

    pub(crate) fn silent() -> Self {
        Self { info: Vec::new(), end: End::Silent }
    }

    pub(crate) fn prompt(prompt: Prompt) -> Self {
        Self { info: Vec::new(), end: End::Prompt(prompt) }
    }

    /// A line that is the end of the answer.
    pub(crate) fn words(line: impl Into<Bytes>) -> Self {
        Self { info: Vec::new(), end: End::Words(line.into()) }
    }

    /// One information line, then `OK`.
    pub(crate) fn line(line: impl Into<Bytes>) -> Self {
        Self::ok().with(line)
    }

    /// The same answer with one more information line.
    pub(crate) fn with(mut self, line: impl Into<Bytes>) -> Self {
        self.info.push(line.into());
        self
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self { info: Vec::new(), end: End::Refused(refusal) }
    }
}

impl From<Result<Self, Refusal>> for Answer {
    fn from(result: Result<Self, Refusal>) -> Self {
        result.unwrap_or_else(Self::from)
    }
}

/// The words of `AT+CMEE=2` for a number [3GPP 27.007 §9.2, Quectel's file and TCP notes].
pub(crate) fn cme_text(number: u16) -> &'static str {
    match number {
        3 => "operation not allowed",
        4 => "operation not supported",
        10 => "SIM not inserted",
        11 => "SIM PIN required",
        12 => "SIM PUK required",
        13 => "SIM failure",
        14 => "SIM busy",
        16 => "incorrect password",
        30 => "no network service",
        50 => "incorrect parameters",
        400 => "Invalid input value",
        401 => "Larger than the size of the file",
        403 => "Drive full",
        405 => "File not found",
        406 => "Invalid file name",
        407 => "File already existed",
        421 => "Timeout",
        _ => "unknown error",
    }
}
