//! Command lines, from typed arguments only.

use std::borrow::Cow;
use std::fmt;

use crate::line_text::LineText;
use crate::{ArgumentError, WriteLine};

/// One command line: `AT`, the command, and the CR that ends it.
///
/// CR alone ends a command line; an LF behind it would become the first byte of the data a prompt asks for. Only for
/// modules that wait for the LF there is [`CommandLine::add_line_feed`].
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
///
/// [`CommandLine`] has an example.
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
        WriteLine::new(name)
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

    /// The bytes to write, with `AT` and the line end.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.bytes()
    }

    /// The bytes without the line end: what an echo of the line looks like.
    pub fn body(&self) -> &[u8] {
        self.text.body()
    }

    /// Puts an LF behind the CR, for modules that take nothing less for the end of a line.
    pub fn add_line_feed(&mut self) {
        if !self.as_bytes().ends_with(b"\n") {
            self.text.push(b"\n");
        }
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

    /// Whether a text holds six or more bytes of a secret argument of this line.
    pub fn has_secret_in(&self, text: &[u8]) -> bool {
        self.text.has_secret_in(text)
    }

    pub(crate) const fn written(name: &'static str, text: LineText) -> Self {
        Self { text, name: Cow::Borrowed(name), kind: CommandKind::Write }
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
    fn a_line_feed_belongs_to_the_line_end() {
        let line = CommandLine::write("+X").secret("password", "open", crate::Charset::UTF8, 8).unwrap();
        let mut line = line.finish();
        line.add_line_feed();
        line.add_line_feed();
        assert_eq!(line.as_bytes(), b"AT+X=\"open\"\r\n");
        assert_eq!(line.body(), b"AT+X=\"open\"");
        assert_eq!(line.to_string(), "AT+X=***");
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
