//! `AT+CMQTTSUB` and `AT+CMQTTUNSUB` [A7600 MQTT 1.00 §2.1.14, §2.1.16].

use std::time::Duration;

use bytes::Bytes;

use super::client::is_one_topic;
use super::refused::{Code, Refused, number, opt_number, text};
use super::staging::{LONGEST_TOPIC, check_utf8, prompt};
use super::{Obeyed, SimCom, small};
use crate::machine::answer::Answer;
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

impl SimCom {
    pub(super) fn subscribe(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test if unsubscribes(command) => Ok(Answer::line("+CMQTTUNSUB: (0-1),(0-1024),(0-1)")),
            Form::Test => Ok(Answer::line("+CMQTTSUB: (0-1),(0-1024),(0-2),(0-1)")),
            Form::Write => {
                let index = self.connected(core, command)?;
                if self.client(index)?.settings.topics_as_arguments {
                    self.subscribe_argument(core, command, index)
                } else if is_one_topic(command) {
                    one_topic(core, command, index)
                } else {
                    self.subscribe_staged(core, command, index)
                }
            }
            Form::Execute | Form::Read => Err(Refused::ERROR),
        }
    }

    /// `AT+CMQTTSUB=<client_index>[,<dup>]` and `AT+CMQTTUNSUB=<client_index>,<dup>`, for all topics handed over.
    fn subscribe_staged(&mut self, core: &mut Core, command: &Command, index: usize) -> Obeyed {
        let dup = opt_number(command, 1, 0..=1, index, Code::INVALID_PARAMETER)?;
        if unsubscribes(command) && dup.is_none() {
            return Err(Refused::ERROR);
        }
        let staged = &self.client(index)?.staged;
        let topics = if unsubscribes(command) {
            staged.unwanted.iter().map(|topic| (topic.clone(), 0)).collect()
        } else {
            staged.filters.clone()
        };
        if topics.is_empty() {
            return Err(Refused::client(index, Code::TOPIC_EMPTY));
        }
        self.request(core, command, index, topics)
    }

    /// The topic behind the prompt of a command for one topic.
    pub(super) fn subscribe_one(&mut self, core: &mut Core, command: &Command, topic: Bytes) -> Obeyed {
        let index = self.connected(core, command)?;
        check_utf8(self.client(index)?, index, &topic)?;
        let qos = if unsubscribes(command) { 0 } else { small(command.int(2, 0..=2)?) };
        self.request(core, command, index, vec![(topic, qos)])
    }

    /// With `argtopic`: `AT+CMQTTSUB=<client_index>,"topic",<qos>[,<dup>]` and
    /// `AT+CMQTTUNSUB=<client_index>,"topic"[,<dup>]` (2.7).
    fn subscribe_argument(&mut self, core: &mut Core, command: &Command, index: usize) -> Obeyed {
        let before_dup = if unsubscribes(command) { 2 } else { 3 };
        command.at_most(before_dup + 1)?;
        let topic = text(command, 1, 1..=usize::try_from(LONGEST_TOPIC).unwrap_or(usize::MAX), index)?;
        let qos = if unsubscribes(command) {
            0
        } else {
            small(number(command, 2, 0..=2, index, Code::INVALID_PARAMETER)?)
        };
        opt_number(command, before_dup, 0..=1, index, Code::INVALID_PARAMETER)?;
        check_utf8(self.client(index)?, index, &topic)?;
        self.request(core, command, index, vec![(topic, qos)])
    }

    fn request(
        &mut self,
        core: &mut Core,
        command: &Command,
        index: usize,
        topics: Vec<(Bytes, u8)>,
    ) -> Obeyed {
        let client = self.client_mut(index)?;
        let limit = Duration::from_secs(client.settings.operation_timeout.into());
        // "The topic will be clean after execute", whichever form it was [A7600 MQTT 1.00 §2.1.14, §2.1.16].
        if unsubscribes(command) {
            client.staged.unsubscribed();
        } else {
            client.staged.subscribed();
        }
        let now = core.now;
        let session = core.session(index).ok_or(Refused::ERROR)?;
        let id = session.next_id();
        if unsubscribes(command) {
            let topics = topics.into_iter().map(|(topic, _)| topic).collect();
            session.unsubscribe(now, command.serial_no, id, topics);
        } else {
            session.subscribe(now, command.serial_no, id, topics);
        }
        self.begin(core, command, index, Some(id), Some(limit))
    }
}

/// `AT+CMQTTSUB=<client_index>,<reqLength>,<qos>[,<dup>]` and `AT+CMQTTUNSUB=<client_index>,<reqLength>,<dup>`.
fn one_topic(core: &Core, command: &Command, index: usize) -> Obeyed {
    command.at_most(if unsubscribes(command) { 3 } else { 4 })?;
    let length = number(command, 1, 1..=LONGEST_TOPIC, index, Code::LENGTH)?;
    let most = if unsubscribes(command) { 1 } else { 2 };
    number(command, 2, 0..=most, index, Code::INVALID_PARAMETER)?;
    opt_number(command, 3, 0..=1, index, Code::INVALID_PARAMETER)?;
    Ok(prompt(core, length))
}

fn unsubscribes(command: &Command) -> bool {
    command.name == "+CMQTTUNSUB"
}
