//! One command as the module read it from a command line.

use std::fmt;
use std::ops::RangeInclusive;

use bytes::Bytes;

use super::answer::Refusal;

/// A command that was read from the host: `AT+QMTCONN=0,"gateway"` has the name `+QMTCONN`, the form
/// [`Form::Write`] and two arguments.
///
/// [`VirtualModem`](crate::VirtualModem) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Counts the commands from 1 since the module was built; answers carry the same number.
    pub serial_no: u64,
    /// `+QMTOPEN`, `E`, `&F`, `I`; letters in upper case. A bare `AT` has an empty name.
    pub name: String,
    /// Which of the four kinds of command it is.
    pub form: Form,
    /// The arguments of a write command or the number behind a basic command.
    pub args: Vec<Arg>,
    /// The command as it was typed, without `AT` and without the carriage return.
    pub text: Bytes,
    pub(crate) loose_quotes: bool,
}

/// The kinds of command [EC200x MQTT 1.0 §3.1.2].
///
/// [`VirtualModem`](crate::VirtualModem) has an example of a [`Command`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `AT+X`
    Execute,
    /// `AT+X?`
    Read,
    /// `AT+X=?`
    Test,
    /// `AT+X=…`
    Write,
}

/// One argument, between commas.
///
/// [`VirtualModem`](crate::VirtualModem) has an example of a [`Command`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// Nothing between the commas.
    Omitted,
    /// Text in quotes; the quotes are gone.
    Quoted(Bytes),
    /// Text without quotes, numbers among them.
    Bare(Bytes),
}

impl Command {
    /// The integer at `index`, which must be there and within `range`.
    pub(crate) fn int(&self, index: usize, range: RangeInclusive<i64>) -> Result<i64, Refusal> {
        self.opt_int(index, range)?.ok_or(Refusal::Parameter)
    }

    /// The integer at `index`, if there is one; it must be within `range`.
    pub(crate) fn opt_int(&self, index: usize, range: RangeInclusive<i64>) -> Result<Option<i64>, Refusal> {
        let digits = match self.args.get(index) {
            None | Some(Arg::Omitted) => return Ok(None),
            Some(Arg::Bare(digits)) => digits,
            Some(Arg::Quoted(digits)) if self.loose_quotes => digits,
            Some(Arg::Quoted(_)) => return Err(Refusal::Parameter),
        };
        let value = parse_int(digits).ok_or(Refusal::Parameter)?;
        if range.contains(&value) { Ok(Some(value)) } else { Err(Refusal::Parameter) }
    }

    /// The quoted string at `index`, which must be there and have a length within `length` bytes.
    pub(crate) fn text(&self, index: usize, length: RangeInclusive<usize>) -> Result<Bytes, Refusal> {
        self.opt_text(index, length)?.ok_or(Refusal::Parameter)
    }

    /// The quoted string at `index`, if there is one.
    pub(crate) fn opt_text(
        &self,
        index: usize,
        length: RangeInclusive<usize>,
    ) -> Result<Option<Bytes>, Refusal> {
        let text = match self.args.get(index) {
            None | Some(Arg::Omitted) => return Ok(None),
            Some(Arg::Quoted(text)) => text,
            Some(Arg::Bare(text)) if self.loose_quotes => text,
            Some(Arg::Bare(_)) => return Err(Refusal::Parameter),
        };
        if length.contains(&text.len()) { Ok(Some(text.clone())) } else { Err(Refusal::Parameter) }
    }

    /// The text at `index` with or without quotes: for values that models write either way.
    pub(crate) fn word(&self, index: usize) -> Option<&Bytes> {
        match self.args.get(index) {
            Some(Arg::Quoted(text) | Arg::Bare(text)) => Some(text),
            None | Some(Arg::Omitted) => None,
        }
    }

    /// The text at `index` in lower case, for keys such as `"recv/mode"`.
    pub(crate) fn key(&self, index: usize) -> Result<String, Refusal> {
        let text = self.text(index, 1..=64)?;
        Ok(String::from_utf8_lossy(&text).to_ascii_lowercase())
    }

    /// Refuses a command with more than `most` arguments: a strict module ignores nothing.
    pub(crate) fn at_most(&self, most: usize) -> Result<(), Refusal> {
        if self.args.len() <= most { Ok(()) } else { Err(Refusal::Parameter) }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AT{}", self.text.escape_ascii())
    }
}

fn parse_int(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    // `i64::from_str` also takes a plus sign, which no manual allows.
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A command line that is no command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// How lenient the module reads a command line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    /// Quotes are neither needed around strings nor a fault around numbers.
    pub(crate) loose_quotes: bool,
    /// In a quoted string a backslash takes what follows literally, a quote for instance.
    pub(crate) escapes: bool,
}

/// Splits a command line (without its carriage return) into commands [V.250 §5.2.1, §5.3, §5.4].
///
/// Serial numbers are given from `serial_no` on. Blanks around the line are skipped.
pub(crate) fn read_line(line: &[u8], serial_no: u64, reading: Reading) -> Result<Vec<Command>, Malformed> {
    let line = line.trim_ascii();
    let body = match line.split_at_checked(2) {
        Some((prefix, body)) if prefix.eq_ignore_ascii_case(b"AT") => body,
        _ => return Err(Malformed),
    };
    let mut commands = Vec::new();
    let mut rest = body;
    loop {
        rest = rest.trim_ascii_start();
        let Some(&first) = rest.first() else { break };
        let serial_no = serial_no + commands.len() as u64;
        let length = if first.is_ascii_alphabetic() || first == b'&' {
            basic_length(rest)
        } else {
            extended_length(rest, reading.escapes)
        };
        let (text, tail) = rest.split_at_checked(length).ok_or(Malformed)?;
        let mut command = if first.is_ascii_alphabetic() || first == b'&' {
            basic(text)?
        } else {
            extended(text, reading.escapes)?
        };
        command.serial_no = serial_no;
        command.loose_quotes = reading.loose_quotes;
        commands.push(command);
        rest = tail.strip_prefix(b";").unwrap_or(tail);
    }
    if commands.is_empty() {
        commands.push(command("", Form::Execute, Vec::new(), b"", serial_no, reading.loose_quotes));
    }
    Ok(commands)
}

fn command(
    name: &str,
    form: Form,
    args: Vec<Arg>,
    text: &[u8],
    serial_no: u64,
    loose_quotes: bool,
) -> Command {
    Command { serial_no, name: name.to_owned(), form, args, text: Bytes::copy_from_slice(text), loose_quotes }
}

/// A basic command is a letter, or `&` and a letter, and a decimal number: `E0`, `&F`, `S3=13`, `S3?`.
fn basic_length(rest: &[u8]) -> usize {
    let letters = if rest.first() == Some(&b'&') { 2 } else { 1 };
    let operand =
        rest.iter().skip(letters).take_while(|byte| matches!(byte, b'0'..=b'9' | b'=' | b'?')).count();
    (letters + operand).min(rest.len())
}

/// An extended command goes up to a semicolon that is not in quotes.
fn extended_length(rest: &[u8], escapes: bool) -> usize {
    let mut quoted = false;
    let mut literal = false;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            _ if std::mem::take(&mut literal) => {}
            b'\\' if quoted && escapes => literal = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return at,
            _ => {}
        }
    }
    rest.len()
}

fn basic(text: &[u8]) -> Result<Command, Malformed> {
    let letters = if text.first() == Some(&b'&') { 2 } else { 1 };
    let (name, operand) = text.split_at_checked(letters).ok_or(Malformed)?;
    let name = std::str::from_utf8(name).map_err(|_| Malformed)?.to_ascii_uppercase();
    let (form, args) = match operand {
        b"" => (Form::Execute, Vec::new()),
        [b'?'] => (Form::Read, Vec::new()),
        digits => (Form::Write, vec![Arg::Bare(Bytes::copy_from_slice(digits))]),
    };
    Ok(command(&name, form, args, text, 0, false))
}

fn extended(text: &[u8], escapes: bool) -> Result<Command, Malformed> {
    let end = text.iter().position(|byte| matches!(byte, b'=' | b'?')).unwrap_or(text.len());
    let (name, operand) = text.split_at_checked(end).ok_or(Malformed)?;
    let name = std::str::from_utf8(name).map_err(|_| Malformed)?.trim().to_ascii_uppercase();
    let (form, args) = match operand.trim_ascii() {
        b"" => (Form::Execute, Vec::new()),
        b"?" => (Form::Read, Vec::new()),
        b"=?" => (Form::Test, Vec::new()),
        [b'=', list @ ..] => (Form::Write, read_args(list, escapes)?),
        _ => return Err(Malformed),
    };
    Ok(command(&name, form, args, text, 0, false))
}

fn read_args(list: &[u8], escapes: bool) -> Result<Vec<Arg>, Malformed> {
    let mut args = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_ascii_start();
        let length = match rest.strip_prefix(b"\"") {
            // Quotes inside a quoted string end it: no manual knows an escape for them.
            Some(inside) => closing_quote(inside, escapes).ok_or(Malformed)? + 2,
            None => rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len()),
        };
        let (token, tail) = rest.split_at_checked(length).ok_or(Malformed)?;
        args.push(match token {
            b"" => Arg::Omitted,
            [b'"', text @ .., b'"'] => {
                Arg::Quoted(if escapes { unescape(text) } else { text.to_vec() }.into())
            }
            text if text.contains(&b'"') => return Err(Malformed),
            text => Arg::Bare(Bytes::copy_from_slice(text.trim_ascii())),
        });
        match tail.trim_ascii_start() {
            b"" => return Ok(args),
            [b',', next @ ..] => rest = next,
            _ => return Err(Malformed),
        }
    }
}

/// Where the quoted string that `inside` begins with ends.
fn closing_quote(inside: &[u8], escapes: bool) -> Option<usize> {
    let mut literal = false;
    inside.iter().position(|&byte| {
        if std::mem::take(&mut literal) {
            return false;
        }
        literal = escapes && byte == b'\\';
        byte == b'"'
    })
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter().copied();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'\\' { bytes.next().unwrap_or(byte) } else { byte });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Command {
        let mut commands = read_line(line.as_bytes(), 1, Reading::default()).unwrap();
        assert_eq!(commands.len(), 1, "{line}");
        commands.remove(0)
    }

    fn quoted(text: &'static str) -> Arg {
        Arg::Quoted(Bytes::from(text))
    }

    fn bare(text: &'static str) -> Arg {
        Arg::Bare(Bytes::from(text))
    }

    #[test]
    fn the_four_forms() {
        assert_eq!(one("AT+QMTOPEN=?").form, Form::Test);
        assert_eq!(one("AT+QMTOPEN?").form, Form::Read);
        assert_eq!(one("at+cmqttstart").name, "+CMQTTSTART");
        let write = one("AT+QMTCONN=0,\"a,b;c\", \"u\",,5");
        assert_eq!(write.form, Form::Write);
        assert_eq!(write.args, [bare("0"), quoted("a,b;c"), quoted("u"), Arg::Omitted, bare("5")]);
    }

    #[test]
    fn basic_commands_are_concatenated() {
        let names: Vec<_> = read_line(b"AT&FZE0+CMEE=1;+CPIN?", 7, Reading::default())
            .unwrap()
            .into_iter()
            .map(|command| (command.serial_no, command.name))
            .collect();
        let expected = [(7, "&F"), (8, "Z"), (9, "E"), (10, "+CMEE"), (11, "+CPIN")];
        assert_eq!(names, expected.map(|(serial_no, name)| (serial_no, name.to_owned())));
    }

    #[test]
    fn malformed_lines() {
        for line in ["", "A", "XAT", "AT+X=\"open", "AT+X=\"a\"b", "AT+X=a\"b\""] {
            assert!(read_line(line.as_bytes(), 1, Reading::default()).is_err(), "{line:?}");
        }
    }

    #[test]
    fn a_backslash_escapes_only_where_it_does() {
        let line = br#"AT+X="{\"a;b\":\\}",1;+Y"#;
        assert!(read_line(line, 1, Reading::default()).is_err());
        let commands = read_line(line, 1, Reading { escapes: true, ..Reading::default() }).unwrap();
        assert_eq!(commands[0].args, [quoted(r#"{"a;b":\}"#), bare("1")]);
        assert_eq!(commands[1].name, "+Y");
        assert_eq!(one(r#"AT+X="C:\",1"#).args, [quoted(r"C:\"), bare("1")]);
    }

    #[test]
    fn numbers_are_decimal_and_within_range() {
        let command = one("AT+X=5,-1,+3,\"5\",99999999999999999999");
        assert_eq!(command.int(0, 0..=5), Ok(5));
        assert_eq!(command.int(1, -1..=5), Ok(-1));
        for (index, range) in [(0, 0..=4), (2, 0..=9), (3, 0..=9), (4, 0..=i64::MAX), (5, 0..=9)] {
            assert_eq!(command.int(index, range), Err(Refusal::Parameter), "{index}");
        }
        assert_eq!(command.opt_int(5, 0..=9), Ok(None));
    }
}
