//! Arguments as this vendor writes them: strings with or without quotes [Neoway MQTT 1.2 §3, §5.4].

use std::ops::RangeInclusive;

use bytes::Bytes;

use super::Flavour;
use crate::machine::answer::{Prompt, Refusal, Until};
use crate::machine::command::Command;
use crate::machine::core::Core;
use crate::quirk::{PromptForm, Quirk};

/// "128 at most."
const LONGEST_TOPIC: usize = 128;
/// The topics of a cloud are long; no limit is given.
const LONGEST_CLOUD_TOPIC: usize = 256;

/// The string at `position`, which must be there and have a length within `length` bytes.
pub(super) fn text(
    command: &Command,
    position: usize,
    length: RangeInclusive<usize>,
) -> Result<Bytes, Refusal> {
    let text = command.word(position).cloned().unwrap_or_default();
    if length.contains(&text.len()) { Ok(text) } else { Err(Refusal::Parameter) }
}

pub(super) fn topic(command: &Command, position: usize, flavour: Flavour) -> Result<Bytes, Refusal> {
    let longest = match flavour {
        Flavour::Standard => LONGEST_TOPIC,
        Flavour::Cloud => LONGEST_CLOUD_TOPIC,
    };
    text(command, position, 1..=longest)
}

/// `url:port` [Neoway MQTT 1.2 §5.3].
pub(super) fn server(command: &Command, position: usize) -> Result<(Bytes, u16), Refusal> {
    let text = text(command, position, 3..=LONGEST_SERVER)?;
    let text = std::str::from_utf8(&text).map_err(|_| Refusal::Parameter)?;
    let (host, port) = text.rsplit_once(':').ok_or(Refusal::Parameter)?;
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| digits && *port > 0).ok_or(Refusal::Parameter)?;
    if host.is_empty() {
        Err(Refusal::Parameter)
    } else {
        Ok((Bytes::copy_from_slice(host.as_bytes()), port))
    }
}

/// The longest server with its port; the manual gives no limit.
const LONGEST_SERVER: usize = 256;

/// "Ranging from 20 to 180, unit: ms", which can only be seconds.
pub(super) fn keep_alive(command: &Command, position: usize) -> Result<u16, Refusal> {
    u16::try_from(command.int(position, 20..=180)?).map_err(|_| Refusal::Parameter)
}

pub(super) fn flag(command: &Command, position: usize) -> Result<bool, Refusal> {
    Ok(command.int(position, 0..=1)? == 1)
}

pub(super) fn quality(command: &Command, position: usize, highest: i64) -> Result<u8, Refusal> {
    u8::try_from(command.int(position, 0..=highest)?).map_err(|_| Refusal::Parameter)
}

pub(super) fn exactly(command: &Command, count: usize) -> Result<(), Refusal> {
    if command.args.len() == count { Ok(()) } else { Err(Refusal::Parameter) }
}

/// A prompt for so many bytes, at most `most`, as the argument at `position` announces.
pub(super) fn counted_prompt(
    core: &Core,
    command: &Command,
    position: usize,
    most: i64,
) -> Result<Prompt, Refusal> {
    let least = i64::from(core.has(Quirk::NoEmptyPayload));
    let count = usize::try_from(command.int(position, least..=most)?).map_err(|_| Refusal::Parameter)?;
    let form = core.quirk(|quirk| match quirk {
        Quirk::Prompt(form) => Some(*form),
        _ => None,
    });
    let text = Bytes::from_static(match form {
        None | Some(PromptForm::Bare) => b"\r\n>",
        Some(PromptForm::Space) => b"\r\n> ",
        Some(PromptForm::Line) => b"\r\n>\r\n",
        Some(PromptForm::NoLineEnd) => b"> ",
    });
    Ok(Prompt { text, until: Until::Count(count), patience: Some(super::WRITING_TIME), echoes: true })
}
