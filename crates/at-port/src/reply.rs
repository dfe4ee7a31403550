//! What the module answered.

use std::fmt;

use at_codec::{Escaped, Fields};
use bytes::Bytes;

/// The answer of an operation that was not refused.
///
/// The [crate's page](crate) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The information responses of all exchanges, in order.
    pub lines: Vec<Bytes>,
    /// The last final result code.
    pub result: FinalResult,
    /// The deferred result, where one was declared.
    pub deferred: Option<Bytes>,
}

impl Reply {
    /// The first information response.
    pub fn first_line(&self) -> Option<&[u8]> {
        self.lines.first().map(|line| &line[..])
    }
}

/// A final result code, which ends an exchange.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FinalResult {
    /// `OK`
    Ok,
    /// `ERROR`
    Error,
    /// `+CME ERROR: …`
    Cme(ErrorCode),
    /// `+CMS ERROR: …`
    Cms(ErrorCode),
    /// A vendor's own form, whole.
    Vendor {
        /// The line.
        line: Bytes,
        /// Whether it reports success.
        success: bool,
    },
}

impl FinalResult {
    /// Reads V.250's and 3GPP TS 27.007's forms.
    pub fn standard(line: &[u8]) -> Option<Self> {
        match line {
            b"OK" => return Some(Self::Ok),
            b"ERROR" => return Some(Self::Error),
            _ => {}
        }
        if let Some(fields) = Fields::of(line, "+CME ERROR") {
            return Some(Self::Cme(ErrorCode::read(fields.rest())));
        }
        Fields::of(line, "+CMS ERROR").map(|fields| Self::Cms(ErrorCode::read(fields.rest())))
    }

    /// Whether the command succeeded.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Ok | Self::Vendor { success: true, .. })
    }
}

impl fmt::Display for FinalResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("OK"),
            Self::Error => f.write_str("ERROR"),
            Self::Cme(code) => write!(f, "+CME ERROR: {code}"),
            Self::Cms(code) => write!(f, "+CMS ERROR: {code}"),
            Self::Vendor { line, .. } => write!(f, "{}", Escaped(line)),
        }
    }
}

/// The code of an error result: a number, or words where verbose errors are switched on.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// A number.
    Number(u32),
    /// Words, with what is not printable escaped.
    Text(String),
}

impl ErrorCode {
    fn read(bytes: &[u8]) -> Self {
        let number = std::str::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok());
        number.map_or_else(|| Self::Text(Escaped(bytes).to_string()), Self::Number)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}
