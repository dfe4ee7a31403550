//! `AT+MQTTPUB` with its payload in the command or behind a prompt [Fibocom MQTT 1.2.6 §1.7].

use bytes::Bytes;

use super::subscribe::connected;
use super::{Fibocom, LONGEST_PAYLOAD, Obeyed, exactly, inline_payload, small, test_only, topic};
use crate::machine::answer::{Answer, Prompt, Refusal, Until};
use crate::machine::command::{Arg, Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Publish;
use crate::quirk::{PromptForm, Quirk};

impl Fibocom {
    pub(super) fn publish(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else {
            return test_only(command, "+MQTTPUB: (1,2),255,(0-2),(0,1),1024");
        };
        exactly(command, 5)?;
        let publish = read_publish(command)?;
        connected(core, command)?;
        if let Some(Arg::Quoted(_)) = command.args.get(4) {
            let payload = inline_payload(command, 4)?;
            return send(core, command, Publish { payload, ..publish });
        }
        let size = command.int(4, 1..=LONGEST_PAYLOAD as i64)?;
        let until = Until::Count(usize::try_from(size).map_err(|_| Refusal::Parameter)?);
        Ok(Answer::prompt(Prompt { text: prompt_text(core), until, patience: None, echoes: true }))
    }

    /// The payload is complete.
    pub(super) fn publish_data(&mut self, core: &mut Core, command: &Command, data: Bytes) -> Obeyed {
        let payload = if core.has(Quirk::PublishHexDigits) {
            decode_hex(&data).ok_or(Refusal::Parameter)?
        } else {
            data
        };
        send(core, command, Publish { payload, ..read_publish(command)? })
    }
}

/// "Module will respond `><CR><LF>`", unless a quirk says otherwise.
pub(super) fn prompt_text(core: &Core) -> Bytes {
    let form = core.quirk(|quirk| match quirk {
        Quirk::Prompt(form) => Some(*form),
        _ => None,
    });
    Bytes::from_static(match form {
        None => b">\r\n",
        Some(PromptForm::Space) => b"\r\n> ",
        Some(PromptForm::Bare) => b"\r\n>",
        Some(PromptForm::Line) => b"\r\n>\r\n",
        Some(PromptForm::NoLineEnd) => b"> ",
    })
}

/// The connection may have gone while the module waited for the payload.
fn send(core: &mut Core, command: &Command, publish: Publish) -> Obeyed {
    let (now, serial_no) = (core.now, command.serial_no);
    let session = connected(core, command)?;
    let id = if publish.qos > 0 { session.next_id() } else { 0 };
    session.publish(now, serial_no, Publish { id, ..publish });
    Ok(Answer::deferred())
}

/// The message without payload and packet identifier.
fn read_publish(command: &Command) -> Result<Publish, Refusal> {
    let topic = topic(command, 1)?;
    let qos = small(command.int(2, 0..=2)?);
    let retain = command.int(3, 0..=1)? == 1;
    Ok(Publish { dup: false, qos, retain, id: 0, topic, payload: Bytes::new() })
}

fn decode_hex(digits: &[u8]) -> Option<Bytes> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    let bytes: Option<Vec<u8>> = digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(value(*high)? * 16 + value(*low)?).ok(),
            _ => None,
        })
        .collect();
    bytes.map(Bytes::from)
}
