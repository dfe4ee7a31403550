//! `AT+CERTADD` [Neoway MQTT 1.2 §B.4].

use bytes::Bytes;

use super::Obeyed;
use super::arguments::{exactly, text};
use crate::machine::answer::{Answer, Prompt, Refusal, Until};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// The longest name of a file and the largest file; the manual gives no limits.
const LONGEST_NAME: usize = 64;
const LARGEST: i64 = 16 * 1024;

/// `<name>,<length>`, then `CONNECT`, and so many bytes.
pub(super) fn add(core: &mut Core, command: &Command) -> Obeyed {
    let Form::Write = command.form else { return Err(Refusal::Error) };
    exactly(command, 2)?;
    name(command)?;
    let size = usize::try_from(command.int(1, 1..=LARGEST)?).map_err(|_| Refusal::Parameter)?;
    if size > core.files.free() {
        return Err(Refusal::Error);
    }
    Ok(Answer::prompt(Prompt {
        text: Bytes::from_static(b"\r\nCONNECT\r\n"),
        until: Until::Count(size),
        patience: Some(super::WRITING_TIME),
        echoes: false,
    }))
}

/// The file is complete. Its `OK` is part of the line.
pub(super) fn data(core: &mut Core, command: &Command, data: Bytes) -> Obeyed {
    let line = format!("+CERTADD: {},OK", data.len());
    core.files.write(&name(command)?, data);
    Ok(Answer::words(line))
}

fn name(command: &Command) -> Result<String, Refusal> {
    let name = text(command, 0, 1..=LONGEST_NAME)?;
    String::from_utf8(name.to_vec()).map_err(|_| Refusal::Parameter)
}
