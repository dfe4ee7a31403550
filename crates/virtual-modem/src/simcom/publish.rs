//! `AT+CMQTTPUB` [A7600 MQTT 1.00 §2.1.12], and its grammar with `argtopic` (2.7).

use std::time::Duration;

use bytes::Bytes;

use super::refused::{Code, Refused, number, opt_number, text};
use super::staging::{LONGEST_PAYLOAD, LONGEST_TOPIC, check_utf8, prompt};
use super::{Obeyed, SimCom, small};
use crate::machine::answer::Answer;
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Publish;

impl SimCom {
    pub(super) fn publish(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+CMQTTPUB: (0-1),(0-2),(60-180),(0-1),(0-1)")),
            Form::Write => {
                let index = self.connected(core, command)?;
                if self.client(index)?.settings.topics_as_arguments {
                    self.publish_inline_topic(core, command, None)
                } else {
                    self.publish_staged(core, command, index)
                }
            }
            Form::Execute | Form::Read => Err(Refused::ERROR),
        }
    }

    /// `=<client_index>,<qos>,<pub_timeout>[,<retained>[,<dup>]]`. Without a payload the message is empty
    /// [A7600 MQTT 1.00 §3.5].
    fn publish_staged(&mut self, core: &mut Core, command: &Command, index: usize) -> Obeyed {
        command.at_most(5)?;
        let qos = small(number(command, 1, 0..=2, index, Code::INVALID_PARAMETER)?);
        let timeout = number(command, 2, 60..=180, index, Code::INVALID_PARAMETER)?;
        let (retain, dup) = flags(command, 3, index)?;
        let staged = &mut self.client_mut(index)?.staged;
        let topic = staged.topic.clone().ok_or(Refused::client(index, Code::TOPIC_EMPTY))?;
        let payload = staged.payload.clone().unwrap_or_default();
        staged.published();
        let publish = Publish { dup, qos, retain, id: 0, topic, payload };
        self.send(core, command, index, publish, Duration::from_secs(timeout.unsigned_abs()))
    }

    /// `=<client_index>,"topic",<qos>,<length>[,<retained>[,<dup>]]` and the payload behind a prompt.
    pub(super) fn publish_inline_topic(
        &mut self,
        core: &mut Core,
        command: &Command,
        payload: Option<Bytes>,
    ) -> Obeyed {
        command.at_most(6)?;
        let index = self.connected(core, command)?;
        let most = usize::try_from(LONGEST_TOPIC).unwrap_or(usize::MAX);
        let topic = text(command, 1, 1..=most, index)?;
        let qos = small(number(command, 2, 0..=2, index, Code::INVALID_PARAMETER)?);
        let length = number(command, 3, 1..=LONGEST_PAYLOAD, index, Code::LENGTH)?;
        let (retain, dup) = flags(command, 4, index)?;
        let client = self.client(index)?;
        check_utf8(client, index, &topic)?;
        let Some(payload) = payload else { return Ok(prompt(core, length)) };
        let limit = Duration::from_secs(client.settings.operation_timeout.into());
        self.send(core, command, index, Publish { dup, qos, retain, id: 0, topic, payload }, limit)
    }

    fn send(
        &mut self,
        core: &mut Core,
        command: &Command,
        index: usize,
        publish: Publish,
        limit: Duration,
    ) -> Obeyed {
        let now = core.now;
        let session = core.session(index).ok_or(Refused::ERROR)?;
        let id = if publish.qos == 0 { 0 } else { session.next_id() };
        session.publish(now, command.serial_no, Publish { id, ..publish });
        self.begin(core, command, index, Some(id), Some(limit))
    }
}

/// `[,<retained>[,<dup>]]`
fn flags(command: &Command, position: usize, index: usize) -> Result<(bool, bool), Refused> {
    let retain = opt_number(command, position, 0..=1, index, Code::INVALID_PARAMETER)?;
    let dup = opt_number(command, position + 1, 0..=1, index, Code::INVALID_PARAMETER)?;
    Ok((retain == Some(1), dup == Some(1)))
}
