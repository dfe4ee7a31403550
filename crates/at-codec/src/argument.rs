//! Which strings may stand in a command line.

use thiserror::Error;

/// The bytes that a string argument may hold.
///
/// No charset has the control characters 0x00–0x1F and 0x7F, which could end the command line, nor `"`, which could
/// end the string.
///
/// ```
/// use at_codec::{Charset, CommandLine};
///
/// let plain = Charset::ASCII.no_backslash();
/// assert!(CommandLine::write("+X").quoted("the topic", "a\\b", plain, 128).is_err());
/// assert!(CommandLine::write("+X").quoted("the topic", "a/b", plain, 128).is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset {
    high: bool,
    backslash: bool,
    comma: bool,
}

impl Charset {
    /// All bytes from 0x20 except 0x7F and `"`. Whether those from 0x80 make valid UTF-8 is not checked here.
    pub const UTF8: Self = Self { high: true, backslash: true, comma: true };

    /// As [`Charset::UTF8`], without the bytes from 0x80.
    pub const ASCII: Self = Self { high: false, backslash: true, comma: true };

    /// The same without `\`, for modules that take it as an escape.
    #[must_use]
    pub const fn no_backslash(mut self) -> Self {
        self.backslash = false;
        self
    }

    /// The same without `,`, for modules that split strings at it.
    #[must_use]
    pub const fn no_comma(mut self) -> Self {
        self.comma = false;
        self
    }

    /// Whether a string may hold `byte`.
    pub const fn accepts(self, byte: u8) -> bool {
        match byte {
            0x00..=0x1F | 0x7F | b'"' => false,
            b'\\' => self.backslash,
            b',' => self.comma,
            0x80.. => self.high,
            _ => true,
        }
    }

    /// Checks a whole value of at most `max` bytes.
    pub(crate) fn check(self, field: &'static str, value: &[u8], max: usize) -> Result<(), ArgumentError> {
        if value.len() > max {
            return Err(ArgumentError::TooLong { field, max, got: value.len() });
        }
        match value.iter().enumerate().find(|&(_, &byte)| !self.accepts(byte)) {
            Some((at, &byte)) => Err(ArgumentError::Unrepresentable { field, byte, at }),
            None => Ok(()),
        }
    }
}

/// Why a value cannot stand in a command line. Nothing was written; the value itself is not shown.
///
/// ```
/// use at_codec::{Charset, CommandLine};
///
/// let error = CommandLine::write("+X").quoted("the topic", "a\rAT+CFUN=0", Charset::UTF8, 128).unwrap_err();
/// assert_eq!(error.to_string(), "the topic holds byte 0x0D at position 1, which a command line cannot carry there");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// A byte has no representation in this place.
    #[error("{field} holds byte 0x{byte:02X} at position {at}, which a command line cannot carry there")]
    Unrepresentable {
        /// Which argument.
        field: &'static str,
        /// The first byte that cannot be written.
        byte: u8,
        /// Where it is, in bytes from the start of the value.
        at: usize,
    },
    /// The value is longer than the module takes.
    #[error("{field} has {got} bytes, more than the limit of {max}")]
    TooLong {
        /// Which argument.
        field: &'static str,
        /// The limit in bytes.
        max: usize,
        /// The length of the value in bytes.
        got: usize,
    },
    /// An empty value without quotation marks would be an omitted field.
    #[error("{field} is empty, which a command line without quotation marks cannot say")]
    Empty {
        /// Which argument.
        field: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_charset_accepts_exactly_its_bytes() {
        let variants =
            |base: Charset| [base, base.no_backslash(), base.no_comma(), base.no_backslash().no_comma()];
        for (charset, high) in variants(Charset::UTF8)
            .map(|c| (c, true))
            .into_iter()
            .chain(variants(Charset::ASCII).map(|c| (c, false)))
        {
            for byte in 0..=u8::MAX {
                let never = byte < 0x20 || byte == 0x7F || byte == b'"';
                let refused = never
                    || (byte >= 0x80 && !high)
                    || (byte == b'\\' && !charset.backslash)
                    || (byte == b',' && !charset.comma);
                assert_eq!(charset.accepts(byte), !refused, "{byte:#04x} in {charset:?}");
            }
        }
        assert!(!Charset::UTF8.no_backslash().accepts(b'\\') && Charset::UTF8.accepts(b'\\'));
        assert!(!Charset::ASCII.no_comma().accepts(b',') && Charset::ASCII.accepts(b','));
    }

    #[test]
    fn errors_name_the_byte_and_never_the_value() {
        let error = Charset::ASCII.check("password", b"hunter2\r", 64).unwrap_err();
        assert_eq!(error, ArgumentError::Unrepresentable { field: "password", byte: b'\r', at: 7 });
        assert_eq!(
            error.to_string(),
            "password holds byte 0x0D at position 7, which a command line cannot carry there"
        );
        let error = Charset::ASCII.check("password", b"hunter2", 6).unwrap_err();
        assert_eq!(error.to_string(), "password has 7 bytes, more than the limit of 6");
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_eq!(Charset::ASCII.check("password", b"hunter", 6), Ok(()));
        assert_eq!(
            ArgumentError::Empty { field: "topic" }.to_string(),
            "topic is empty, which a command line without quotation marks cannot say"
        );
    }
}
