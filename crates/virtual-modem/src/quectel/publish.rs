//! `AT+QMTPUBEX` [EC200x MQTT 1.0 §3.2.8] and the older grammars of publishing (quirk 1.5).

use bytes::Bytes;

use super::{Obeyed, Quectel, client_index, medium, small};
use crate::machine::answer::{Answer, Prompt, Refusal, Until};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Publish;
use crate::quirk::{PromptForm, PublishGrammar, Quirk};

/// "The maximum length of the input data is 1500 bytes at a time" [EC200x MQTT 1.0 §3.2.8 note 2].
const LONGEST_PAYLOAD: i64 = 1500;
/// The in-flight window [EC200x MQTT 1.0 §3.2.8 note 1].
const WINDOW: usize = 5;
/// The longest topic; MQTT's own limit, as the manual gives none.
const LONGEST_TOPIC: usize = 65535;

/// What a publish says before its payload.
struct Header {
    index: usize,
    publish: Publish,
}

impl Quectel {
    /// `None` if this model does not know the command's name.
    pub(super) fn publish(&mut self, core: &mut Core, command: &Command) -> Option<Answer> {
        let grammar = grammar(core);
        if command.name != command_name(grammar) {
            return None;
        }
        Some(self.publish_with(core, command, grammar).into())
    }

    fn publish_with(
        &mut self,
        core: &mut Core,
        command: &Command,
        grammar: Option<PublishGrammar>,
    ) -> Obeyed {
        match command.form {
            Form::Test => {
                let last = match grammar {
                    None | Some(PublishGrammar::Length | PublishGrammar::LengthAndCtrlZ) => ",\"length\"",
                    Some(PublishGrammar::CtrlZ) => "",
                    Some(PublishGrammar::Inline | PublishGrammar::InlineEx) => ",\"payload\"",
                };
                let line = format!("{}: (0-5),<msgid>,(0-2),(0,1),\"topic\"{last}", command.name);
                return Ok(Answer::line(line));
            }
            Form::Execute | Form::Read => return Err(Refusal::Error),
            Form::Write => {}
        }
        let header = read_header(command)?;
        check(core, &header)?;
        let until = match grammar {
            Some(PublishGrammar::Inline | PublishGrammar::InlineEx) => {
                command.at_most(6)?;
                let payload = command.text(5, 0..=1500)?;
                return self.send(core, command, header, payload);
            }
            Some(PublishGrammar::CtrlZ) => {
                command.at_most(5)?;
                Until::CtrlZ { most: 1500 }
            }
            Some(PublishGrammar::LengthAndCtrlZ) => Until::CountAndCtrlZ(payload_length(core, command)?),
            None | Some(PublishGrammar::Length) => Until::Count(payload_length(core, command)?),
        };
        Ok(Answer::prompt(Prompt { text: prompt_text(core), until, patience: None, echoes: true }))
    }

    /// The payload is complete, or was cut short.
    pub(super) fn publish_data(
        &mut self,
        core: &mut Core,
        command: &Command,
        data: Bytes,
        complete: bool,
    ) -> Obeyed {
        let header = read_header(command)?;
        if !complete {
            return Err(Refusal::Error);
        }
        // The connection may have gone while the module waited for the payload.
        check(core, &header)?;
        let data = match grammar(core) {
            Some(PublishGrammar::LengthAndCtrlZ) => {
                data.slice(..payload_length(core, command)?.min(data.len()))
            }
            _ => data,
        };
        self.send(core, command, header, data)
    }

    fn send(&mut self, core: &mut Core, command: &Command, header: Header, payload: Bytes) -> Obeyed {
        let hex = self.clients.get(header.index).is_some_and(|client| client.settings.sends_hex());
        let payload = if hex { decode_hex(&payload).ok_or(Refusal::Parameter)? } else { payload };
        let now = core.now;
        let session = core.session(header.index).ok_or(Refusal::Parameter)?;
        session.publish(now, command.serial_no, Publish { payload, ..header.publish });
        Ok(Answer::deferred())
    }
}

/// The name of the result line.
pub(super) fn result_name(core: &Core) -> &'static str {
    if grammar(core).is_some() { "+QMTPUB" } else { "+QMTPUBEX" }
}

/// The prompt in the form this model prints it.
pub(super) fn prompt_text(core: &Core) -> Bytes {
    let form = core.quirk(|quirk| match quirk {
        Quirk::Prompt(form) => Some(*form),
        _ => None,
    });
    Bytes::from_static(match form {
        None | Some(PromptForm::Space) => b"\r\n> ",
        Some(PromptForm::Bare) => b"\r\n>",
        Some(PromptForm::Line) => b"\r\n>\r\n",
        Some(PromptForm::NoLineEnd) => b"> ",
    })
}

fn grammar(core: &Core) -> Option<PublishGrammar> {
    core.quirk(|quirk| match quirk {
        Quirk::Publish(grammar) => Some(*grammar),
        _ => None,
    })
}

fn command_name(grammar: Option<PublishGrammar>) -> &'static str {
    match grammar {
        None | Some(PublishGrammar::InlineEx) => "+QMTPUBEX",
        Some(_) => "+QMTPUB",
    }
}

fn read_header(command: &Command) -> Result<Header, Refusal> {
    command.at_most(6)?;
    let index = client_index(command, 0)?;
    let id = medium(command.int(1, 0..=65535)?);
    let qos = small(command.int(2, 0..=2)?);
    let retain = command.int(3, 0..=1)? == 1;
    let topic = command.text(4, 1..=LONGEST_TOPIC)?;
    // "It is 0 only when <qos>=0" [EC200x MQTT 1.0 §3.2.8].
    if qos > 0 && id == 0 {
        return Err(Refusal::Parameter);
    }
    Ok(Header { index, publish: Publish { dup: false, qos, retain, id, topic, payload: Bytes::new() } })
}

fn check(core: &mut Core, header: &Header) -> Result<(), Refusal> {
    let session =
        core.session(header.index).filter(|session| session.is_connected()).ok_or(Refusal::Error)?;
    let duplicate = header.publish.qos > 0 && session.in_flight(header.publish.id);
    if duplicate || session.publishes_in_flight() >= WINDOW { Err(Refusal::Error) } else { Ok(()) }
}

/// The manual gives no smallest length; without an empty payload a retained message could never be removed.
fn payload_length(core: &Core, command: &Command) -> Result<usize, Refusal> {
    let least = i64::from(core.has(Quirk::NoEmptyPayload));
    usize::try_from(command.int(5, least..=LONGEST_PAYLOAD)?).map_err(|_| Refusal::Parameter)
}

fn decode_hex(digits: &[u8]) -> Option<Bytes> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| {
            let text = std::str::from_utf8(pair).ok()?;
            // `from_str_radix` takes a sign, which is no digit.
            if text.starts_with('+') { None } else { u8::from_str_radix(text, 16).ok() }
        })
        .collect();
    bytes.map(Bytes::from)
}
