//! `AT+MQTTSUB`, `AT+MQTTUNSUB` and the same of the cloud's family [Neoway MQTT 1.2 §4, §5.4, §5.5].

use super::arguments::{exactly, quality, topic};
use super::{CLIENT, Flavour, Neoway, Obeyed};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

impl Neoway {
    pub(super) fn sub(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::ok()),
            // "Only the latest subscribed QoS and topic", and only while connected.
            Form::Read => {
                self.require(core, Flavour::Standard)?;
                Ok(match &self.last_subscription {
                    None => Answer::ok(),
                    Some((topic, qos)) => {
                        Answer::line([b"+MQTTSUB:\"", &**topic, format!("\",{qos}").as_bytes()].concat())
                    }
                })
            }
            Form::Write => self.subscribe(core, command, Flavour::Standard),
            Form::Execute => Err(Refusal::Error),
        }
    }

    /// The topic and how the command is answered depend on the family: the cloud's has `OK` at once and a line for
    /// the broker's answer.
    pub(super) fn subscribe(&mut self, core: &mut Core, command: &Command, flavour: Flavour) -> Obeyed {
        exactly(command, 2)?;
        let filter = topic(command, 0, flavour)?;
        let qos = quality(command, 1, 2)?;
        self.require(core, flavour)?;
        let (now, serial_no) = (core.now, command.serial_no);
        let session = core.session(CLIENT).ok_or(Refusal::Error)?;
        let id = session.next_id();
        session.subscribe(now, serial_no, id, vec![(filter.clone(), qos)]);
        self.last_subscription = Some((filter, qos));
        Ok(flavour.answer())
    }

    pub(super) fn unsub(&mut self, core: &mut Core, command: &Command, flavour: Flavour) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        exactly(command, 1)?;
        let filter = topic(command, 0, flavour)?;
        self.require(core, flavour)?;
        let (now, serial_no) = (core.now, command.serial_no);
        let session = core.session(CLIENT).ok_or(Refusal::Error)?;
        let id = session.next_id();
        session.unsubscribe(now, serial_no, id, vec![filter]);
        Ok(flavour.answer())
    }
}

impl Flavour {
    /// How a command is answered whose outcome the broker decides.
    pub(super) fn answer(self) -> Answer {
        match self {
            Self::Standard => Answer::pending(),
            Self::Cloud => Answer::deferred(),
        }
    }
}
