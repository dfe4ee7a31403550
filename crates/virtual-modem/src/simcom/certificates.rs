//! The certificates in the module's store: `AT+CCERTDOWN`, `AT+CCERTLIST`, `AT+CCERTDELE`
//! [A7600 MQTT 1.00 §1.1; SIMCom's SSL manual].

use bytes::Bytes;

use super::Obeyed;
use super::refused::Refused;
use super::staging::prompt;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// The longest certificate, in bytes.
const LONGEST: i64 = 10_240;

pub(super) fn download(core: &Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::line(format!("+CCERTDOWN: (5-108),(1-{LONGEST})"))),
        Form::Write => {
            command.at_most(2)?;
            file_name(command, 0)?;
            let length = command.int(1, 1..=LONGEST)?;
            if usize::try_from(length).is_ok_and(|length| length > core.files.free()) {
                return Err(Refused::ERROR);
            }
            Ok(prompt(core, length))
        }
        Form::Execute | Form::Read => Err(Refused::ERROR),
    }
}

/// The content is complete; one of the same name is replaced.
pub(super) fn store(core: &mut Core, command: &Command, content: Bytes) -> Obeyed {
    core.files.write(&file_name(command, 0)?, content);
    Ok(Answer::ok())
}

pub(super) fn list(core: &Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::ok()),
        Form::Execute => {
            let lines = core.files.list().map(|(name, _)| format!("+CCERTLIST: \"{name}\""));
            Ok(lines.fold(Answer::ok(), Answer::with))
        }
        Form::Read | Form::Write => Err(Refused::ERROR),
    }
}

pub(super) fn delete(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::line("+CCERTDELE: (5-108)")),
        Form::Write => {
            command.at_most(1)?;
            if core.files.remove(&file_name(command, 0)?) { Ok(Answer::ok()) } else { Err(Refused::ERROR) }
        }
        Form::Execute | Form::Read => Err(Refused::ERROR),
    }
}

/// A name of 5 to 108 bytes with one of the endings the module knows.
pub(super) fn file_name(command: &Command, position: usize) -> Result<String, Refusal> {
    let text = command.text(position, 5..=108)?;
    let name = String::from_utf8(text.to_vec()).map_err(|_| Refusal::Parameter)?;
    let known = [".pem", ".der", ".p7b"].into_iter().any(|ending| name.ends_with(ending));
    if known && !name.contains(['/', '\\', ':']) { Ok(name) } else { Err(Refusal::Parameter) }
}
