//! Received messages: pushed as `+QMTRECV` or kept for `AT+QMTRECV` [EC200x MQTT 1.0 §3.2.9, §4.2].

use bytes::Bytes;

use super::{Obeyed, Quectel, client_index};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Publish;
use crate::quirk::{Quirk, ReceiveLayout};

/// "A maximum of 5 messages can be stored in the buffer."
const SLOTS: usize = 5;

/// The stored messages of one client.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: [Option<Publish>; SLOTS],
    /// The slots in use, oldest first.
    order: Vec<usize>,
}

impl Slots {
    fn store(&mut self, message: Publish) -> Option<usize> {
        let (number, slot) = self.slots.iter_mut().enumerate().find(|(_, slot)| slot.is_none())?;
        *slot = Some(message);
        self.order.push(number);
        Some(number)
    }

    fn take(&mut self, number: usize) -> Option<Publish> {
        self.order.retain(|used| *used != number);
        self.slots.get_mut(number)?.take()
    }

    fn drop_oldest(&mut self) {
        if let Some(&oldest) = self.order.first() {
            self.take(oldest);
        }
    }

    fn status(&self) -> String {
        let flags: Vec<&str> = self.slots.iter().map(|slot| if slot.is_some() { "1" } else { "0" }).collect();
        flags.join(",")
    }
}

impl Quectel {
    pub(super) fn recv(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::ok()),
            Form::Read => Ok(self.status(core)),
            Form::Write => {
                command.at_most(2)?;
                let index = client_index(command, 0)?;
                let wanted = command.opt_int(1, 0..=4)?.and_then(|slot| usize::try_from(slot).ok());
                core.session(index).filter(|session| session.is_connected()).ok_or(Refusal::Error)?;
                let numbers = match wanted {
                    Some(number) => vec![number],
                    None => {
                        self.clients.get(index).map(|client| client.slots.order.clone()).unwrap_or_default()
                    }
                };
                Ok(numbers.into_iter().fold(Answer::ok(), |answer, number| {
                    match self.take_message(core, index, number) {
                        Some(line) => answer.with(line),
                        None => answer,
                    }
                }))
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    fn status(&mut self, core: &mut Core) -> Answer {
        let mut answer = Answer::ok();
        for index in 0..self.clients.len() {
            if !core.session(index).is_some_and(|session| session.is_connected()) {
                continue;
            }
            if core.has(Quirk::StatusReadsMessages) {
                let used =
                    self.clients.get(index).map(|client| client.slots.order.clone()).unwrap_or_default();
                for number in used {
                    if let Some(line) = self.take_message(core, index, number) {
                        answer = answer.with(line);
                    }
                }
            }
            if let Some(client) = self.clients.get(index) {
                answer = answer.with(format!("+QMTRECV: {index},{}", client.slots.status()));
            }
        }
        answer
    }

    fn take_message(&mut self, core: &mut Core, index: usize, number: usize) -> Option<Bytes> {
        let client = self.clients.get_mut(index)?;
        let message = client.slots.take(number)?;
        Some(join(self.parts(core, index, &message)))
    }

    /// A message arrived from the broker.
    pub(super) fn message(&mut self, core: &mut Core, index: usize, message: Publish) {
        let Some(client) = self.clients.get_mut(index) else { return };
        if !client.settings.buffered {
            let (head, payload) = self.parts(core, index, &message);
            if core.interrupts_message() {
                let between = b"\r\n+QIND: SMS DONE\r\n".as_slice();
                core.raw([b"\r\n", head.as_slice(), between, &payload, b"\r\n"].concat());
            } else {
                core.urc(join((head, payload)));
            }
            return;
        }
        if client.slots.order.len() >= SLOTS && core.has(Quirk::FullSlotsDropOldest) {
            client.slots.drop_oldest();
        }
        let stored = client.slots.store(message.clone());
        if core.has(Quirk::FullSlotsWithholdAck) && stored.is_some() {
            let now = core.now;
            if let Some(session) = core.session(index) {
                session.acknowledge(now, &message);
            }
        }
        match stored {
            Some(number) => core.urc(format!("+QMTRECV: {index},{number}")),
            None => core.note(format!("client {index}: all slots full, message lost")),
        }
    }

    /// The line of a message: what stands before the payload, and the payload with its quotes.
    fn parts(&self, core: &Core, index: usize, message: &Publish) -> (Vec<u8>, Vec<u8>) {
        let layout = core.quirk(|quirk| match quirk {
            Quirk::Receive(layout) => Some(*layout),
            _ => None,
        });
        let settings = self.clients.get(index).map(|client| &client.settings);
        let hex = settings.is_some_and(|settings| settings.hex_receive);
        let with_length = settings.is_some_and(|settings| settings.with_length);
        let payload = if hex { encode_hex(&message.payload) } else { message.payload.to_vec() };
        let length =
            if core.has(Quirk::HexLengthCountsBytes) { message.payload.len() } else { payload.len() };
        let mut head = format!("+QMTRECV: {index},{},", message.id).into_bytes();
        let bare_topic = layout == Some(ReceiveLayout::BareTopicAndPayload);
        head.extend_from_slice(&if bare_topic {
            message.topic.to_vec()
        } else {
            quoted_topic(core, &message.topic)
        });
        head.push(b',');
        if with_length || layout == Some(ReceiveLayout::PayloadOnNextLine) {
            head.extend_from_slice(length.to_string().as_bytes());
            let separator: &[u8] =
                if layout == Some(ReceiveLayout::PayloadOnNextLine) { b"\r\n" } else { b"," };
            head.extend_from_slice(separator);
        }
        let payload = match layout {
            None => [b"\"", payload.as_slice(), b"\""].concat(),
            Some(_) => payload,
        };
        (head, payload)
    }
}

fn quoted_topic(core: &Core, topic: &[u8]) -> Vec<u8> {
    let escape = core.has(Quirk::EscapedTopicQuotes);
    let mut text = vec![b'"'];
    for &byte in topic {
        if byte == b'"' && escape {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text.push(b'"');
    text
}

fn join((head, payload): (Vec<u8>, Vec<u8>)) -> Bytes {
    [head, payload].concat().into()
}

fn encode_hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect()
}
