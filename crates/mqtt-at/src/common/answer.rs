//! Reading answers as modules give them: with or without the command's name, quotation marks and spaces.

use at_codec::{CommandLine, Escaped, Fields, name_of};
use at_port::{Answer, Exchange, Operation, Reply};

use crate::command::Unreadable;

/// A command of which nothing but the final result is wanted.
pub(super) fn plain(line: CommandLine) -> Operation {
    Exchange::new(line).into()
}

/// A command whose information responses start with `name`.
pub(super) fn named(line: CommandLine, name: &'static str) -> Operation {
    Exchange::new(line).answer(Answer::Named(name)).into()
}

/// A command whose answer is free text, or starts with its name.
pub(super) fn text(line: CommandLine) -> Operation {
    Exchange::new(line).answer(Answer::Text).into()
}

/// The fields of the first information response that starts with `name`.
pub(super) fn fields<'a>(reply: &'a Reply, name: &str) -> Result<Fields<'a>, Unreadable> {
    reply.lines.iter().find_map(|line| Fields::of(line, name)).ok_or(Unreadable)
}

/// The one text of an answer that some modules give bare and others behind `name`.
///
/// Reports of a module that is still starting may stand between, so a line with the name goes first.
pub(super) fn one_text(reply: &Reply, name: &str) -> Result<String, Unreadable> {
    let with_name = reply.lines.iter().find_map(|line| Fields::of(line, name)).map(|fields| fields.rest());
    let bare = || reply.lines.iter().map(|line| &line[..]).find(|line| is_text(line));
    let text = shown(unquoted(with_name.or_else(bare).ok_or(Unreadable)?));
    if text.is_empty() { Err(Unreadable) } else { Ok(text) }
}

/// Whether a line is neither a report with a name nor one of the words that modules say while they start.
pub(super) fn is_text(line: &[u8]) -> bool {
    const BOOT: [&[u8]; 7] =
        [b"RDY", b"APP RDY", b"SMS DONE", b"PB DONE", b"Call Ready", b"SMS Ready", b"MODEM:STARTUP"];
    let line = line.trim_ascii();
    !line.is_empty() && name_of(line).is_none() && !BOOT.contains(&line)
}

/// The first run of `length` digits between other characters.
pub(super) fn digits(line: &[u8], length: std::ops::RangeInclusive<usize>) -> Option<&str> {
    line.split(|byte| !byte.is_ascii_alphanumeric())
        .find(|run| length.contains(&run.len()) && run.iter().all(u8::is_ascii_digit))
        .and_then(|run| std::str::from_utf8(run).ok())
}

/// A text of the module, with what is not printable escaped.
pub(super) fn shown(text: &[u8]) -> String {
    Escaped(text).to_string()
}

/// A text without the spaces and the quotation marks around it.
pub(super) fn unquoted(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    text.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(text).trim_ascii()
}

/// The next field as a number of the type that is wanted.
pub(super) fn number<T: TryFrom<i64>>(fields: &mut Fields<'_>) -> Option<T> {
    fields.integer().and_then(|value| T::try_from(value).ok())
}
