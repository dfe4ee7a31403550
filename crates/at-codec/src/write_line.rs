//! Write commands, argument by argument.

use std::fmt;

use crate::line_text::LineText;
use crate::{ArgumentError, Charset, CommandLine};

/// Builds `AT+X=…` argument by argument; commas come by themselves.
///
/// [`CommandLine`] has an example.
#[must_use = "a command line exists after `finish`"]
pub struct WriteLine {
    text: LineText,
    name: &'static str,
    first: bool,
}

impl WriteLine {
    pub(crate) fn new(name: &'static str) -> Self {
        let mut text = LineText::default();
        for part in ["AT", name, "="] {
            text.push(part.as_bytes());
        }
        Self { text, name, first: true }
    }

    /// A decimal number.
    pub fn integer(self, number: impl Into<i64>) -> Self {
        self.argument(number.into().to_string().as_bytes())
    }

    /// A word of the command itself, without quotation marks: `IP`, `0xFFFF`.
    pub fn word(self, word: &'static str) -> Self {
        self.argument(word.as_bytes())
    }

    /// A word of the command itself, in quotation marks: `"recv/mode"`.
    pub fn literal(self, word: &'static str) -> Self {
        self.in_quotes(word.as_bytes())
    }

    /// A caller's string in quotation marks, of at most `max` bytes. `field` names it in errors.
    ///
    /// # Errors
    ///
    /// [`ArgumentError::TooLong`], or [`ArgumentError::Unrepresentable`] for a byte outside of `charset`.
    pub fn quoted(
        self,
        field: &'static str,
        value: impl AsRef<[u8]>,
        charset: Charset,
        max: usize,
    ) -> Result<Self, ArgumentError> {
        charset.check(field, value.as_ref(), max)?;
        Ok(self.in_quotes(value.as_ref()))
    }

    /// A caller's string without quotation marks, for modules that take it so.
    ///
    /// `,` and `;` are refused, whatever the charset: the one would start another argument, the other another
    /// command. So is `?` at the start of a first argument, which would turn the command into a test command.
    ///
    /// # Errors
    ///
    /// As [`WriteLine::quoted`], and [`ArgumentError::Empty`]: what is left out on purpose is
    /// [`WriteLine::omitted`].
    pub fn unquoted(
        self,
        field: &'static str,
        value: impl AsRef<[u8]>,
        charset: Charset,
        max: usize,
    ) -> Result<Self, ArgumentError> {
        self.check_unquoted(field, value.as_ref(), charset, max)?;
        Ok(self.argument(value.as_ref()))
    }

    /// As [`WriteLine::quoted`], for what no log and no error may show.
    ///
    /// # Errors
    ///
    /// As [`WriteLine::quoted`].
    pub fn secret(
        mut self,
        field: &'static str,
        value: impl AsRef<[u8]>,
        charset: Charset,
        max: usize,
    ) -> Result<Self, ArgumentError> {
        charset.check(field, value.as_ref(), max)?;
        self.separate();
        let quoted = [b"\"", value.as_ref(), b"\""];
        self.text.push_secret(&quoted);
        Ok(self)
    }

    /// As [`WriteLine::unquoted`], for what no log and no error may show.
    ///
    /// # Errors
    ///
    /// As [`WriteLine::unquoted`].
    pub fn unquoted_secret(
        mut self,
        field: &'static str,
        value: impl AsRef<[u8]>,
        charset: Charset,
        max: usize,
    ) -> Result<Self, ArgumentError> {
        self.check_unquoted(field, value.as_ref(), charset, max)?;
        self.separate();
        self.text.push_secret(&[value.as_ref()]);
        Ok(self)
    }

    /// An empty field between commas.
    pub fn omitted(self) -> Self {
        self.argument(b"")
    }

    /// Ends the line.
    #[must_use]
    pub fn finish(mut self) -> CommandLine {
        self.text.push(b"\r");
        CommandLine::written(self.name, self.text)
    }

    fn check_unquoted(
        &self,
        field: &'static str,
        value: &[u8],
        charset: Charset,
        max: usize,
    ) -> Result<(), ArgumentError> {
        charset.no_comma().check(field, value, max)?;
        if let Some(at) = value.iter().position(|&byte| byte == b';') {
            return Err(ArgumentError::Unrepresentable { field, byte: b';', at });
        }
        match value.first() {
            None => Err(ArgumentError::Empty { field }),
            Some(&byte @ b'?') if self.first => Err(ArgumentError::Unrepresentable { field, byte, at: 0 }),
            Some(_) => Ok(()),
        }
    }

    fn in_quotes(mut self, value: &[u8]) -> Self {
        self.separate();
        for part in [b"\"", value, b"\""] {
            self.text.push(part);
        }
        self
    }

    fn argument(mut self, value: &[u8]) -> Self {
        self.separate();
        self.text.push(value);
        self
    }

    fn separate(&mut self) {
        if !self.first {
            self.text.push(b",");
        }
        self.first = false;
    }
}

impl fmt::Debug for WriteLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteLine(")?;
        self.text.write_masked(f)?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_separated_by_commas() {
        let line = CommandLine::write("+X")
            .omitted()
            .literal("recv/mode")
            .integer(-1)
            .word("0xFFFF")
            .quoted("topic", "a,b", Charset::UTF8, 3)
            .unwrap()
            .unquoted("host", "x.y", Charset::ASCII, 3)
            .unwrap()
            .omitted()
            .finish();
        assert_eq!(line.as_bytes(), b"AT+X=,\"recv/mode\",-1,0xFFFF,\"a,b\",x.y,\r");
        assert_eq!(line.name(), "+X");
    }

    #[test]
    fn a_string_cannot_end_its_argument_or_its_command() {
        for byte in 0..=u8::MAX {
            let value = [b'a', byte];
            let quoted = CommandLine::write("+X").quoted("topic", value, Charset::UTF8, 9);
            assert_eq!(quoted.is_ok(), Charset::UTF8.accepts(byte), "{byte:#04x} in quotes");
            let bare = CommandLine::write("+X").unquoted("topic", value, Charset::UTF8, 9);
            let accepted = Charset::UTF8.accepts(byte) && byte != b',' && byte != b';';
            assert_eq!(bare.is_ok(), accepted, "{byte:#04x} without quotes");
            let secret = CommandLine::write("+X").unquoted_secret("topic", value, Charset::UTF8, 9);
            assert_eq!(secret.is_ok(), accepted, "{byte:#04x} without quotes, in secret");
            if let Err(error) = bare {
                assert_eq!(error, ArgumentError::Unrepresentable { field: "topic", byte, at: 1 });
            }
        }
        let test_command = CommandLine::write("+X").unquoted("user", "?", Charset::UTF8, 9);
        assert!(matches!(test_command, Err(ArgumentError::Unrepresentable { byte: b'?', at: 0, .. })));
        assert!(CommandLine::write("+X").integer(1).unquoted("user", "?", Charset::UTF8, 9).is_ok());
        let empty = CommandLine::write("+X").unquoted("user", "", Charset::UTF8, 9);
        assert!(matches!(empty, Err(ArgumentError::Empty { field: "user" })));
        assert!(CommandLine::write("+X").quoted("user", "", Charset::UTF8, 9).is_ok());
    }

    #[test]
    fn secrets_are_written_and_never_shown() {
        let line = CommandLine::write("+MQTTUSER")
            .integer(1)
            .secret("user", "canary-1", Charset::UTF8, 64)
            .unwrap()
            .secret("password", "canary-2".repeat(40), Charset::UTF8, 512)
            .unwrap()
            .quoted("client identifier", "gw\u{e9}", Charset::UTF8, 64)
            .unwrap();
        assert!(!format!("{line:?}").contains("canary"));
        let line = line.finish();
        assert!(line.has_secret());
        let wire = format!("AT+MQTTUSER=1,\"canary-1\",\"{}\",\"gw\u{e9}\"\r", "canary-2".repeat(40));
        assert_eq!(line.as_bytes(), wire.as_bytes());
        assert_eq!(line.to_string(), r#"AT+MQTTUSER=1,***,***,"gw\xc3\xa9""#);
        assert_eq!(format!("{line:?}"), format!("CommandLine({line})"));
        assert_eq!(line.clone(), line);
    }

    #[test]
    fn a_secret_without_quotes_is_not_shown_either() {
        let line = CommandLine::write("+CLOUDHDAUTH")
            .unquoted("device name", "meter-7", Charset::ASCII, 64)
            .unwrap()
            .unquoted_secret("device secret", "canary", Charset::ASCII, 64)
            .unwrap()
            .finish();
        assert!(line.has_secret());
        assert_eq!(line.as_bytes(), b"AT+CLOUDHDAUTH=meter-7,canary\r");
        assert_eq!(line.to_string(), "AT+CLOUDHDAUTH=meter-7,***");
    }

    #[test]
    fn a_refused_secret_stays_secret() {
        let error = CommandLine::write("+X").secret("password", "canary\n", Charset::UTF8, 64).unwrap_err();
        assert_eq!(error, ArgumentError::Unrepresentable { field: "password", byte: b'\n', at: 6 });
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
