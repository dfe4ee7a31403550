//! Command lines, from typed arguments only.

use std::borrow::Cow;
use std::fmt;

use crate::line_text::LineText;
use crate::{ArgumentError, Charset};

/// One command line: `AT`, the command, and the CR that ends it.
///
/// CR alone ends a command line; an LF behind it would become the first byte of the data a prompt asks for.
/// `Display` and `Debug` show secret arguments as `***`. The bytes of a line with secrets are overwritten when it is
/// dropped, as far as safe code can; copies made of [`CommandLine::as_bytes`] are the caller's.
///
/// ```
/// use at_codec::{Charset, CommandLine};
///
/// let connect = CommandLine::write("+QMTCONN")
///     .integer(0)
///     .quoted("client identifier", "gateway-7", Charset::UTF8, 256)?
///     .quoted("user name", "gw", Charset::UTF8, 512)?
///     .secret("password", "open sesame", Charset::UTF8, 256)?
///     .finish();
/// assert_eq!(connect.as_bytes(), b"AT+QMTCONN=0,\"gateway-7\",\"gw\",\"open sesame\"\r");
/// assert_eq!(connect.to_string(), r#"AT+QMTCONN=0,"gateway-7","gw",***"#);
/// # Ok::<(), at_codec::ArgumentError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CommandLine {
    text: LineText,
    name: Cow<'static, str>,
    kind: CommandKind,
}

/// The form of a command. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandKind {
    /// `AT+X`, and basic commands such as `ATE0`.
    Execute,
    /// `AT+X=…`
    Write,
    /// `AT+X?`
    Read,
    /// `AT+X=?`
    Test,
    /// Typed by a person.
    Raw,
}

impl CommandLine {
    /// The most bytes that [`CommandLine::raw`] takes, `AT` included and CR not.
    pub const MAX_RAW: usize = 2048;

    /// `AT` and the name: `+QMTOPEN` for an extended command, `E0` for a basic one, nothing for `AT` itself.
    pub fn execute(name: &'static str) -> Self {
        Self::build(name, "", CommandKind::Execute)
    }

    /// `AT+X?`
    pub fn read(name: &'static str) -> Self {
        Self::build(name, "?", CommandKind::Read)
    }

    /// `AT+X=?`
    pub fn test(name: &'static str) -> Self {
        Self::build(name, "=?", CommandKind::Test)
    }

    /// Starts `AT+X=…`.
    pub fn write(name: &'static str) -> WriteLine {
        let mut text = LineText::default();
        for part in ["AT", name, "="] {
            text.push(part.as_bytes());
        }
        WriteLine { text, name, first: true }
    }

    /// A line typed by a person. Spaces around it are dropped, and `AT` is put in front if it is not there in any
    /// case. Such a line can do anything a module can: it must not hold text from elsewhere.
    ///
    /// # Errors
    ///
    /// [`ArgumentError::Unrepresentable`] for a control character, [`ArgumentError::TooLong`] beyond
    /// [`CommandLine::MAX_RAW`].
    pub fn raw(text: &str) -> Result<Self, ArgumentError> {
        const FIELD: &str = "command";
        if let Some((at, control)) = text.char_indices().find(|(_, character)| character.is_control()) {
            let byte = control.encode_utf8(&mut [0; 4]).bytes().next().unwrap_or_default();
            return Err(ArgumentError::Unrepresentable { field: FIELD, byte, at });
        }
        let text = text.trim_matches(' ');
        let has_prefix = text.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("AT"));
        let command = if has_prefix { text.get(2..).unwrap_or_default() } else { text };
        let got = command.len() + 2;
        if got > Self::MAX_RAW {
            return Err(ArgumentError::TooLong { field: FIELD, max: Self::MAX_RAW, got });
        }
        let name = command.split(['=', '?', ';']).next().unwrap_or_default();
        let mut line = LineText::default();
        line.push(if has_prefix { text.get(..2).unwrap_or("AT") } else { "AT" }.as_bytes());
        line.push(command.as_bytes());
        line.push(b"\r");
        Ok(Self { text: line, name: Cow::Owned(name.to_ascii_uppercase()), kind: CommandKind::Raw })
    }

    /// The bytes to write, with `AT` and the final CR.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.bytes()
    }

    /// The bytes without the final CR: what an echo of the line looks like.
    pub fn body(&self) -> &[u8] {
        self.as_bytes().strip_suffix(b"\r").unwrap_or(self.as_bytes())
    }

    /// The name, which information responses start with: `+QMTOPEN`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The form of the command.
    pub const fn kind(&self) -> CommandKind {
        self.kind
    }

    /// Whether an argument is secret, so that an echo of the line must not be shown.
    pub const fn has_secret(&self) -> bool {
        self.text.has_secret()
    }

    fn build(name: &'static str, suffix: &str, kind: CommandKind) -> Self {
        let mut text = LineText::default();
        for part in ["AT", name, suffix, "\r"] {
            text.push(part.as_bytes());
        }
        Self { text, name: Cow::Borrowed(name), kind }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.write_masked(f)
    }
}

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandLine({self})")
    }
}

/// Builds `AT+X=…` argument by argument; commas come by themselves.
#[must_use = "a command line exists after `finish`"]
pub struct WriteLine {
    text: LineText,
    name: &'static str,
    first: bool,
}

impl WriteLine {
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
        let value = value.as_ref();
        charset.no_comma().check(field, value, max)?;
        if let Some(at) = value.iter().position(|&byte| byte == b';') {
            return Err(ArgumentError::Unrepresentable { field, byte: b';', at });
        }
        match value.first() {
            None => Err(ArgumentError::Empty { field }),
            Some(&byte @ b'?') if self.first => Err(ArgumentError::Unrepresentable { field, byte, at: 0 }),
            Some(_) => Ok(self.argument(value)),
        }
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

    /// An empty field between commas.
    pub fn omitted(self) -> Self {
        self.argument(b"")
    }

    /// Ends the line.
    #[must_use]
    pub fn finish(mut self) -> CommandLine {
        self.text.push(b"\r");
        CommandLine { text: self.text, name: Cow::Borrowed(self.name), kind: CommandKind::Write }
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
    fn the_four_forms() {
        for (command, bytes, kind) in [
            (CommandLine::execute("+CSQ"), &b"AT+CSQ\r"[..], CommandKind::Execute),
            (CommandLine::execute("E0"), b"ATE0\r", CommandKind::Execute),
            (CommandLine::execute(""), b"AT\r", CommandKind::Execute),
            (CommandLine::read("+CPIN"), b"AT+CPIN?\r", CommandKind::Read),
            (CommandLine::test("+QMTPUBEX"), b"AT+QMTPUBEX=?\r", CommandKind::Test),
            (CommandLine::write("+QMTCLOSE").integer(0).finish(), b"AT+QMTCLOSE=0\r", CommandKind::Write),
        ] {
            assert_eq!(command.as_bytes(), bytes);
            assert_eq!(command.body(), &bytes[..bytes.len() - 1]);
            assert_eq!(command.kind(), kind);
            assert!(!command.has_secret());
        }
        assert_eq!(CommandLine::read("+CPIN").name(), "+CPIN");
    }

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
    fn a_refused_secret_stays_secret() {
        let error = CommandLine::write("+X").secret("password", "canary\n", Charset::UTF8, 64).unwrap_err();
        assert_eq!(error, ArgumentError::Unrepresentable { field: "password", byte: b'\n', at: 6 });
        assert!(!format!("{error} {error:?}").contains("canary"));
    }

    #[test]
    fn a_typed_line_gets_its_prefix_once() {
        for (typed, wire, name) in [
            ("+CSQ", "AT+CSQ\r", "+CSQ"),
            ("AT+CSQ", "AT+CSQ\r", "+CSQ"),
            (" at+csq? ", "at+csq?\r", "+CSQ"),
            ("AT+QMTCFG=\"recv/mode\",0", "AT+QMTCFG=\"recv/mode\",0\r", "+QMTCFG"),
            ("aT", "aT\r", ""),
            ("", "AT\r", ""),
            ("E1", "ATE1\r", "E1"),
        ] {
            let line = CommandLine::raw(typed).unwrap();
            assert_eq!(line.as_bytes(), wire.as_bytes());
            assert_eq!((line.name(), line.kind()), (name, CommandKind::Raw));
        }
    }

    #[test]
    fn a_typed_line_has_no_control_characters_and_a_bound() {
        for byte in (0..0x20).chain([0x7F]) {
            let error = CommandLine::raw(&format!("AT{}", char::from(byte))).unwrap_err();
            assert_eq!(error, ArgumentError::Unrepresentable { field: "command", byte, at: 2 });
        }
        let error = CommandLine::raw("AT+X=\u{85}").unwrap_err();
        assert_eq!(error, ArgumentError::Unrepresentable { field: "command", byte: 0xC2, at: 5 });
        assert!(CommandLine::raw(&"é".repeat(1023)).is_ok());
        let error = CommandLine::raw(&"x".repeat(2047)).unwrap_err();
        assert_eq!(error, ArgumentError::TooLong { field: "command", max: 2048, got: 2049 });
    }
}
