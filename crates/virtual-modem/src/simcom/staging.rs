//! Topics and messages that are handed over before the command that uses them: `AT+CMQTTWILLTOPIC`,
//! `AT+CMQTTWILLMSG`, `AT+CMQTTTOPIC`, `AT+CMQTTPAYLOAD`, `AT+CMQTTSUBTOPIC`, `AT+CMQTTUNSUBTOPIC`
//! [A7600 MQTT 1.00 §2.1.6, §2.1.7, §2.1.10, §2.1.11, §2.1.13, §2.1.15].

use bytes::Bytes;

use super::client::{Client, is_connected};
use super::quirk::SimComQuirk;
use super::refused::{Code, Refused, number};
use super::{Obeyed, SimCom, has, quirk, small};
use crate::machine::answer::{Answer, Prompt, Until};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::quirk::{PromptForm, Quirk};

/// The longest topic, topic filter and will message, in bytes.
pub(super) const LONGEST_TOPIC: i64 = 1024;
/// The longest payload, in bytes.
pub(super) const LONGEST_PAYLOAD: i64 = 10_240;

/// What was handed over and not used yet.
#[derive(Debug, Default)]
pub(super) struct Staged {
    /// Both parts of the will last until the client is released: the manual names nothing else that clears them.
    pub(super) will_topic: Option<Bytes>,
    pub(super) will_message: Option<(Bytes, u8)>,
    pub(super) topic: Option<Bytes>,
    pub(super) payload: Option<Bytes>,
    pub(super) filters: Vec<(Bytes, u8)>,
    pub(super) unwanted: Vec<Bytes>,
}

impl Staged {
    /// "The topic and payload will be clean after execute AT+CMQTTPUB" [A7600 MQTT 1.00 §2.1.12].
    pub(super) fn published(&mut self) {
        (self.topic, self.payload) = (None, None);
    }

    pub(super) fn subscribed(&mut self) {
        self.filters.clear();
    }

    pub(super) fn unsubscribed(&mut self) {
        self.unwanted.clear();
    }
}

impl SimCom {
    pub(super) fn stage(&mut self, core: &Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => {
                let qos = if has_qos(command) { ",(0-2)" } else { "" };
                Ok(Answer::line(format!("{}: (0-1),(1-{}){qos}", command.name, longest(core, command))))
            }
            Form::Write => {
                command.at_most(if has_qos(command) { 3 } else { 2 })?;
                let index = self.stager(core, command)?;
                let length = number(command, 1, 1..=longest(core, command), index, Code::LENGTH)?;
                if has_qos(command) {
                    number(command, 2, 0..=2, index, Code::INVALID_PARAMETER)?;
                }
                Ok(prompt(core, length))
            }
            Form::Execute | Form::Read => Err(Refused::ERROR),
        }
    }

    /// The data of one of these commands is complete.
    pub(super) fn staged(&mut self, core: &Core, command: &Command, data: Bytes) -> Obeyed {
        let index = self.stager(core, command)?;
        let qos = small(command.opt_int(2, 0..=2)?.unwrap_or(0));
        let client = self.client_mut(index)?;
        if !is_message(command) || has(core, SimComQuirk::PayloadsAreText) {
            check_utf8(client, index, &data)?;
        }
        let staged = &mut client.staged;
        match command.name.as_str() {
            "+CMQTTWILLTOPIC" => staged.will_topic = Some(data),
            "+CMQTTWILLMSG" => staged.will_message = Some((data, qos)),
            "+CMQTTTOPIC" => staged.topic = Some(data),
            "+CMQTTPAYLOAD" => staged.payload = Some(data),
            "+CMQTTSUBTOPIC" => staged.filters.push((data, qos)),
            _ => staged.unwanted.push(data),
        }
        Ok(Answer::ok())
    }

    /// The client that takes the data now: a will before the connection, the rest on it.
    fn stager(&self, core: &Core, command: &Command) -> Result<usize, Refused> {
        let index = self.idle(command)?;
        if is_will(command) || is_connected(core, index) {
            Ok(index)
        } else {
            Err(Refused::client(index, Code::NO_CONNECTION))
        }
    }
}

/// The prompt in the form this model prints it (ambiguity U12), for so many bytes.
pub(super) fn prompt(core: &Core, length: i64) -> Answer {
    let form = core.quirk(|quirk| match quirk {
        Quirk::Prompt(form) => Some(*form),
        _ => None,
    });
    let text: &[u8] = match form {
        None | Some(PromptForm::Bare) => b"\r\n>",
        Some(PromptForm::Space) => b"\r\n> ",
        Some(PromptForm::Line) => b"\r\n>\r\n",
        Some(PromptForm::NoLineEnd) => b"> ",
    };
    Answer::prompt(Prompt {
        text: Bytes::from_static(text),
        until: Until::Count(usize::try_from(length).unwrap_or(0)),
        patience: None,
        echoes: true,
    })
}

/// Refuses what is not UTF-8, unless the client was told not to look.
pub(super) fn check_utf8(client: &Client, index: usize, data: &[u8]) -> Result<(), Refused> {
    if client.settings.check_utf8 && std::str::from_utf8(data).is_err() {
        return Err(Refused::client(index, Code::BAD_UTF8));
    }
    Ok(())
}

fn longest(core: &Core, command: &Command) -> i64 {
    if command.name != "+CMQTTPAYLOAD" {
        return LONGEST_TOPIC;
    }
    let limit = quirk(core, |quirk| match quirk {
        SimComQuirk::PayloadLimit(limit) => Some(i64::from(*limit)),
        _ => None,
    });
    limit.unwrap_or(LONGEST_PAYLOAD)
}

fn has_qos(command: &Command) -> bool {
    matches!(command.name.as_str(), "+CMQTTWILLMSG" | "+CMQTTSUBTOPIC")
}

fn is_message(command: &Command) -> bool {
    matches!(command.name.as_str(), "+CMQTTWILLMSG" | "+CMQTTPAYLOAD")
}

fn is_will(command: &Command) -> bool {
    matches!(command.name.as_str(), "+CMQTTWILLTOPIC" | "+CMQTTWILLMSG")
}
