//! SIMCom's result codes, and the two ways of refusing a command [A7600 MQTT 1.00 §2.2.1].

use std::fmt;
use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::Command;

/// `<err>`: 0 is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) u8);

impl Code {
    pub(super) const SUCCEEDED: Self = Self(0);
    pub(super) const FAILED: Self = Self(1);
    pub(super) const BAD_UTF8: Self = Self(2);
    pub(super) const SOCKET_CONNECT_FAILED: Self = Self(3);
    pub(super) const RECEIVE_FAILED: Self = Self(6);
    pub(super) const NETWORK_OPEN_FAILED: Self = Self(7);
    pub(super) const NETWORK_NOT_OPENED: Self = Self(9);
    pub(super) const CLIENT_INDEX: Self = Self(10);
    pub(super) const NO_CONNECTION: Self = Self(11);
    pub(super) const INVALID_PARAMETER: Self = Self(12);
    pub(super) const NOT_SUPPORTED: Self = Self(13);
    pub(super) const BUSY: Self = Self(14);
    pub(super) const REQUIRE_CONNECTION_FAILED: Self = Self(15);
    pub(super) const SENDING_FAILED: Self = Self(16);
    pub(super) const TIMED_OUT: Self = Self(17);
    pub(super) const TOPIC_EMPTY: Self = Self(18);
    pub(super) const CLIENT_USED: Self = Self(19);
    pub(super) const NOT_ACQUIRED: Self = Self(20);
    pub(super) const NOT_RELEASED: Self = Self(21);
    pub(super) const LENGTH: Self = Self(22);
    pub(super) const NETWORK_OPENED: Self = Self(23);
    pub(super) const DNS: Self = Self(25);
    pub(super) const CLOSED_BY_SERVER: Self = Self(26);
    pub(super) const HANDSHAKE_FAILED: Self = Self(32);
    pub(super) const CERTIFICATE_NOT_SET: Self = Self(33);
    pub(super) const OPEN_SESSION_FAILED: Self = Self(34);

    /// What a CONNACK's return code becomes: 1 to 5 are 27 to 31.
    pub(super) fn of_connack(return_code: u8) -> Self {
        match return_code {
            0 => Self::SUCCEEDED,
            1..=5 => Self(26 + return_code),
            _ => Self::REQUIRE_CONNECTION_FAILED,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A command that is not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// `ERROR`, or what `AT+CMEE` makes of it: the command is malformed, or its manual has no other form.
    Plainly(Refusal),
    /// `+CMQTT…: <client_index>,<err>` and `ERROR`. The index is the one that was typed.
    With(i64, Code),
}

impl Refused {
    pub(super) const ERROR: Self = Self::Plainly(Refusal::Error);

    pub(super) fn client(index: usize, code: Code) -> Self {
        Self::With(i64::try_from(index).unwrap_or(i64::MAX), code)
    }

    pub(super) fn answer(self, command: &Command) -> Answer {
        match self {
            Self::Plainly(refusal) => refusal.into(),
            Self::With(index, code) => {
                Answer::from(Refusal::Error).with(format!("{}: {index},{code}", command.name))
            }
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Plainly(refusal)
    }
}

/// The number at `position`, for client `index`. A missing one is malformed; one that is out of range has `code`.
pub(super) fn number(
    command: &Command,
    position: usize,
    range: RangeInclusive<i64>,
    index: usize,
    code: Code,
) -> Result<i64, Refused> {
    opt_number(command, position, range, index, code)?.ok_or(Refused::ERROR)
}

/// The number at `position`, if there is one.
pub(super) fn opt_number(
    command: &Command,
    position: usize,
    range: RangeInclusive<i64>,
    index: usize,
    code: Code,
) -> Result<Option<i64>, Refused> {
    match command.opt_int(position, i64::MIN..=i64::MAX)? {
        Some(value) if !range.contains(&value) => Err(Refused::client(index, code)),
        value => Ok(value),
    }
}

/// The quoted text at `position`, if there is one; a wrong length has its code.
pub(super) fn opt_text(
    command: &Command,
    position: usize,
    length: RangeInclusive<usize>,
    index: usize,
) -> Result<Option<Bytes>, Refused> {
    match command.opt_text(position, 0..=usize::MAX)? {
        Some(text) if !length.contains(&text.len()) => Err(Refused::client(index, Code::LENGTH)),
        text => Ok(text),
    }
}

/// The quoted text at `position`, which must be there; a wrong length has its code.
pub(super) fn text(
    command: &Command,
    position: usize,
    length: RangeInclusive<usize>,
    index: usize,
) -> Result<Bytes, Refused> {
    opt_text(command, position, length, index)?.ok_or(Refused::ERROR)
}
