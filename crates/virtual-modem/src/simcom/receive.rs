//! Received messages: `+CMQTTRXSTART`, counted parts, `+CMQTTRXEND` [A7600 MQTT 1.00 §2.2.2.2].

use std::time::Duration;

use bytes::Bytes;

use super::quirk::SimComQuirk;
use super::staging::{LONGEST_PAYLOAD, LONGEST_TOPIC};
use super::{CLIENTS, SimCom, call, has, quirk};
use crate::machine::core::Core;
use crate::mqtt::packet::Publish;

/// The longest part of a topic or payload; the manual names no size, modules were seen to use this one.
const PART: usize = 1500;
/// Between two parts with [`SimComQuirk::InterleavedParts`].
const PART_INTERVAL: Duration = Duration::from_millis(5);

impl SimCom {
    /// A message arrived from the broker.
    pub(super) fn message(&mut self, core: &mut Core, index: usize, message: &Publish) {
        let too_long =
            |bytes: &Bytes, most: i64| i64::try_from(bytes.len()).is_ok_and(|length| length > most);
        if too_long(&message.topic, LONGEST_TOPIC) || too_long(&message.payload, LONGEST_PAYLOAD) {
            core.note(format!("client {index}: a message is longer than the module can take, and is lost"));
            return;
        }
        let Some(client) = self.clients.get(index) else { return };
        if client.settings.messages_on_one_line {
            core.urc(one_line(index, message));
            return;
        }
        let parts = parts(core, index, message);
        if !has(core, SimComQuirk::InterleavedParts) {
            core.raw(parts.concat());
            return;
        }
        if self.clients.iter().all(|client| client.parts.is_empty()) {
            core.call_back(PART_INTERVAL, call::PART);
        }
        if let Some(client) = self.clients.get_mut(index) {
            client.parts.extend(parts);
        }
    }

    /// Prints the next part of the client whose turn it is.
    pub(super) fn print_part(&mut self, core: &mut Core) {
        let turns = (1..=CLIENTS).map(|step| (self.last_speaker + step) % CLIENTS);
        for index in turns {
            let Some(part) = self.clients.get_mut(index).and_then(|client| client.parts.pop_front()) else {
                continue;
            };
            self.last_speaker = index;
            core.raw(part);
            if self.clients.iter().any(|client| !client.parts.is_empty()) {
                core.call_back(PART_INTERVAL, call::PART);
            }
            return;
        }
    }
}

/// The message as it is printed, in pieces between which another client's may come.
fn parts(core: &mut Core, index: usize, message: &Publish) -> Vec<Bytes> {
    let blank: &[u8] = if has(core, SimComQuirk::BlankLinesBetweenParts) { b"\r\n" } else { b"" };
    let packed = has(core, SimComQuirk::PackedParts);
    let (topic, payload) = (&message.topic, &message.payload);
    let start = format!("\r\n+CMQTTRXSTART: {index},{},{}\r\n", topic.len(), payload.len());
    let mut parts = vec![Bytes::from(start)];
    for (name, bytes) in [("+CMQTTRXTOPIC", topic), ("+CMQTTRXPAYLOAD", payload)] {
        for (count, chunk) in chunks(core, bytes).into_iter().enumerate() {
            let header = format!("{name}: {index},{}\r\n", chunk.len());
            let continued = count > 0 && packed && name == "+CMQTTRXTOPIC";
            let mut part = if continued { b"\r\n".to_vec() } else { blank.to_vec() };
            if name == "+CMQTTRXPAYLOAD" && count == 0 && has(core, SimComQuirk::UrcBetweenParts) {
                part.extend_from_slice(b"\r\nSMS DONE\r\n");
            }
            part.extend_from_slice(header.as_bytes());
            if name == "+CMQTTRXPAYLOAD" && count == 0 && core.interrupts_message() {
                part.extend_from_slice(b"\r\nSMS DONE\r\n");
            }
            part.extend_from_slice(&chunk);
            if !packed {
                part.extend_from_slice(b"\r\n");
            }
            parts.push(part.into());
        }
    }
    parts.push([blank, format!("+CMQTTRXEND: {index}\r\n").as_bytes()].concat().into());
    parts
}

/// What is counted by one header each.
fn chunks(core: &mut Core, bytes: &Bytes) -> Vec<Bytes> {
    let size = quirk(core, |quirk| match quirk {
        SimComQuirk::PartSize(size) => Some(usize::try_from(*size).unwrap_or(usize::MAX)),
        _ => None,
    });
    let random = has(core, SimComQuirk::RandomParts);
    let most = size.unwrap_or(PART).max(1);
    let mut rest = bytes.clone();
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let most = most.min(rest.len());
        let length = if random {
            1 + usize::try_from(core.random_below(most.try_into().unwrap_or(u64::MAX))).unwrap_or(0)
        } else {
            most
        };
        chunks.push(rest.split_to(length.min(rest.len())));
    }
    chunks
}

/// `+CMQTTRECV: 0,"topic",3,"abc"`: the number is the length of the payload (2.7).
fn one_line(index: usize, message: &Publish) -> Bytes {
    let length = message.payload.len();
    [
        format!("+CMQTTRECV: {index},\"").as_bytes(),
        &message.topic,
        format!("\",{length},\"").as_bytes(),
        &message.payload,
        b"\"",
    ]
    .concat()
    .into()
}
