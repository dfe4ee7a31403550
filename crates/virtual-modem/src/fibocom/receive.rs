//! Received messages: pushed as `+MQTTMSG`, or announced as `+MQTTMSGI` and kept for `AT+MQTTREAD`
//! [Fibocom MQTT 1.2.6 §1.8–1.11].

use std::collections::VecDeque;

use bytes::Bytes;

use super::{CHATTER, Fibocom, Obeyed, client_index, exactly, number, test_only};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Publish;
use crate::quirk::Quirk;

/// Messages a client keeps for `AT+MQTTREAD`; the manual does not say how many.
const PLACES: usize = 10;

/// `AT+MQTTCONF`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// "Report the content of the topic and payload directly."
    #[default]
    Content,
    /// "Report the length of the topic and payload."
    Lengths,
}

/// The messages that wait for `AT+MQTTREAD`, oldest first.
pub(super) type Queue = VecDeque<Publish>;

impl Mode {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Content => 0,
            Self::Lengths => 1,
        }
    }
}

impl Fibocom {
    pub(super) fn conf(&mut self, _: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+MQTTCONF: (0,1)")),
            Form::Read => Ok(Answer::line(format!("+MQTTCONF: {}", self.mode.number()))),
            Form::Write => {
                exactly(command, 1)?;
                self.mode = if command.int(0, 0..=1)? == 1 { Mode::Lengths } else { Mode::Content };
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    pub(super) fn read(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return test_only(command, "+MQTTREAD: (1,2)") };
        exactly(command, 1)?;
        let index = client_index(command, 0)?;
        let client = self.clients.get_mut(index).ok_or(Refusal::Parameter)?;
        Ok(match client.queue.pop_front() {
            None => Answer::line(format!("+MQTTREAD: {},0,0,0", number(index))),
            Some(message) => message_answer(core, index, &message),
        })
    }

    /// A message arrived from the broker.
    pub(super) fn message(&mut self, core: &mut Core, index: usize, message: Publish) {
        let client = number(index);
        if self.mode == Mode::Content {
            let head = format!("+MQTTMSG: {client},{},\"", message.qos);
            core.urc([head.as_bytes(), &message.topic, b"\",\"", &message.payload, b"\""].concat());
            return;
        }
        let places = core.quirk(|quirk| match quirk {
            Quirk::ReadQueue(places) => usize::try_from(*places).ok(),
            _ => None,
        });
        let Some(queue) = self.clients.get_mut(index).map(|client| &mut client.queue) else { return };
        if queue.len() >= places.unwrap_or(PLACES) {
            core.note(format!("client {client}: more messages than places, one is lost"));
            if !core.has(Quirk::FullSlotsDropOldest) {
                return;
            }
            queue.pop_front();
        }
        let lengths = (message.topic.len(), message.payload.len());
        core.urc(format!("+MQTTMSGI: {client},{},{},{}", message.qos, lengths.0, lengths.1));
        queue.push_back(message);
    }
}

fn message_answer(core: &mut Core, index: usize, message: &Publish) -> Answer {
    let head = format!(
        "+MQTTREAD: {},{},{},{}",
        number(index),
        message.qos,
        message.topic.len(),
        message.payload.len()
    );
    let quote: &[u8] = if core.has(Quirk::ReadWithoutQuotes) { b"" } else { b"\"" };
    let body = [quote, &*message.topic, quote, b",", quote, &*message.payload, quote].concat();
    if core.has(Quirk::ReadOnOneLine) {
        return Answer::line([head.as_bytes(), b",", &body].concat());
    }
    let answer = Answer::line(head);
    let answer = if core.interrupts_message() { answer.with([b"\r\n", CHATTER].concat()) } else { answer };
    answer.with(Bytes::from(body))
}
