//! The file commands `AT+QFUPL`, `AT+QFLST`, `AT+QFDEL`, `AT+QFDWL`, `AT+QFLDS`, after Quectel's file application
//! notes and [EC200x MQTT 1.0 §5.2].

use std::time::Duration;

use bytes::Bytes;

use super::{Obeyed, Quectel};
use crate::common::files::CAPACITY;
use crate::machine::answer::{Answer, Prompt, Refusal, Until};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::quirk::Quirk;

/// The longest file name, in bytes.
const LONGEST_NAME: usize = 80;
const DEFAULT_SIZE: i64 = 10240;
const DEFAULT_TIMEOUT: i64 = 5;

const DRIVE_FULL: Refusal = Refusal::Cme(403);
const NOT_FOUND: Refusal = Refusal::Cme(405);
const BAD_NAME: Refusal = Refusal::Cme(406);
const EXISTS: Refusal = Refusal::Cme(407);
const TIMEOUT: Refusal = Refusal::Cme(421);

pub(super) fn upload(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => {
            let free = core.files.free();
            Ok(Answer::line(format!("+QFUPL: <filename>,(1-{free}),(1-65535),(0,1)")))
        }
        Form::Write => {
            command.at_most(4)?;
            let name = file_name(command, 0)?;
            let size = command.opt_int(1, 1..=i64::MAX)?.unwrap_or(DEFAULT_SIZE);
            let timeout = command.opt_int(2, 1..=65535)?.unwrap_or(DEFAULT_TIMEOUT);
            // The mode in which every kilobyte is acknowledged is not offered: no manual here uses it.
            command.opt_int(3, 0..=0)?;
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if core.files.read(&name).is_some() {
                return Err(EXISTS);
            }
            if size > core.files.free() {
                return Err(DRIVE_FULL);
            }
            let patience = Some(Duration::from_secs(timeout.unsigned_abs()));
            Ok(Answer::prompt(Prompt {
                text: Bytes::from_static(b"\r\nCONNECT\r\n"),
                until: Until::Count(size),
                patience,
                echoes: false,
            }))
        }
        Form::Execute | Form::Read => Err(Refusal::Error),
    }
}

impl Quectel {
    /// The content of a file, perhaps less of it than announced: the module then keeps what it got.
    pub(super) fn upload_data(&mut self, core: &mut Core, command: &Command, data: Bytes) -> Obeyed {
        let name = file_name(command, 0)?;
        if data.is_empty() {
            return Err(TIMEOUT);
        }
        let line = format!("+QFUPL: {},{:x}", data.len(), checksum(&data));
        core.files.write(&name, data);
        if core.has(Quirk::UploadCompletionMissed) && !std::mem::replace(&mut self.missed_upload, true) {
            core.note("the completion of the upload is not printed");
            return Ok(Answer::silent());
        }
        Ok(Answer::line(line))
    }
}

pub(super) fn list(core: &mut Core, command: &Command) -> Obeyed {
    let pattern = match command.form {
        Form::Test => return Ok(Answer::ok()),
        Form::Read => return Err(Refusal::Error),
        Form::Execute => "*".to_owned(),
        Form::Write => {
            command.at_most(1)?;
            pattern(command)?
        }
    };
    let mut answer = Answer::ok();
    for (name, size) in core.files.list().filter(|(name, _)| selects(&pattern, name)) {
        let shown = if name.starts_with(MEMORY) { name.to_owned() } else { format!("{FLASH}{name}") };
        answer = answer.with(format!("+QFLST: \"{shown}\",{size}"));
    }
    if answer.info.is_empty() && !pattern.ends_with('*') { Err(NOT_FOUND) } else { Ok(answer) }
}

pub(super) fn delete(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => return Ok(Answer::line("+QFDEL: <filename>")),
        Form::Execute | Form::Read => return Err(Refusal::Error),
        Form::Write => command.at_most(1)?,
    }
    let pattern = pattern(command)?;
    let gone = core.files.remove_all(|name| selects(&pattern, name));
    if gone == 0 && !pattern.ends_with('*') { Err(NOT_FOUND) } else { Ok(Answer::ok()) }
}

pub(super) fn download(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => return Ok(Answer::line("+QFDWL: <filename>")),
        Form::Execute | Form::Read => return Err(Refusal::Error),
        Form::Write => command.at_most(1)?,
    }
    let content = core.files.read(&file_name(command, 0)?).ok_or(NOT_FOUND)?.clone();
    let line = format!("+QFDWL: {},{:x}", content.len(), checksum(&content));
    Ok(Answer::line("CONNECT").with(content).with(line))
}

/// `AT+QFLDS`: free and total bytes.
pub(super) fn space(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::ok()),
        Form::Execute | Form::Write => Ok(Answer::line(format!("+QFLDS: {},{CAPACITY}", core.files.free()))),
        Form::Read => Err(Refusal::Error),
    }
}

const FLASH: &str = "UFS:";
pub(super) const MEMORY: &str = "RAM:";

/// A name as the store keeps it: the flash is where files are unless their name says otherwise.
pub(super) fn file_name(command: &Command, position: usize) -> Result<String, Refusal> {
    let text = command.text(position, 1..=LONGEST_NAME)?;
    stored_name(&text).ok_or(BAD_NAME)
}

pub(super) fn stored_name(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let name = text.strip_prefix(FLASH).unwrap_or(text);
    let plain = name.strip_prefix(MEMORY).unwrap_or(name);
    let valid = !plain.is_empty() && !plain.contains(['*', '/', ':']);
    valid.then(|| name.to_owned())
}

fn pattern(command: &Command) -> Result<String, Refusal> {
    let text = command.text(0, 1..=LONGEST_NAME)?;
    match text.as_ref() {
        b"*" | b"UFS:*" | b"UFS" => Ok("*".to_owned()),
        b"RAM:*" | b"RAM" => Ok(format!("{MEMORY}*")),
        name => stored_name(name).ok_or(BAD_NAME),
    }
}

fn selects(pattern: &str, name: &str) -> bool {
    let in_memory = name.starts_with(MEMORY);
    match pattern {
        "*" => !in_memory,
        "RAM:*" => in_memory,
        exact => exact == name,
    }
}

/// The exclusive-or of the 16-bit big-endian words; an odd last byte is the high half of its word.
fn checksum(content: &[u8]) -> u16 {
    content
        .chunks(2)
        .map(|word| match word {
            [high, low] => u16::from_be_bytes([*high, *low]),
            [high] => u16::from_be_bytes([*high, 0]),
            _ => 0,
        })
        .fold(0, |sum, word| sum ^ word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_of_words_and_of_an_odd_tail() {
        assert_eq!(checksum(b""), 0);
        assert_eq!(checksum(&[0x12, 0x34, 0x00, 0xFF]), 0x12CB);
        assert_eq!(checksum(&[0x12, 0x34, 0x56]), 0x4434);
    }
}
