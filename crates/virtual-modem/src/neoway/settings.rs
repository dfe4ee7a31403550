//! What is set before connecting: `AT+MQTTCONNPARAM`, `AT+MQTTWILLPARAM`, `AT+MQTTWILLMSG`
//! [Neoway MQTT 1.2 §5.1, §5.2, §B.2].

use bytes::Bytes;

use super::arguments::{counted_prompt, exactly, flag, quality, text, topic};
use super::{CLIENT, Flavour, Neoway, Obeyed};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Will;
use crate::mqtt::session::Phase;
use crate::quirk::Quirk;

const LONGEST_IDENTIFIER: usize = 256;
const LONGEST_USER: usize = 512;
const LONGEST_PASSWORD: usize = 256;
const LONGEST_WILL: usize = 1024;

/// What `AT+MQTTCONNPARAM` has set.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) client_identifier: Bytes,
    pub(super) user: Bytes,
    pub(super) password: Bytes,
}

impl Neoway {
    pub(super) fn connection_parameters(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+MQTTCONNPARAM: <cliendid>,<username>,<password>")),
            Form::Read => {
                let (id, user, password) = match &self.login {
                    Some(login) => (&*login.client_identifier, &*login.user, &*login.password),
                    None => (&[][..], &[][..], &[][..]),
                };
                let line = [b"+MQTTCONNPARAM:\"", id, b"\",\"", user, b"\",\"", password, b"\""].concat();
                Ok(Answer::line(line))
            }
            Form::Write => {
                exactly(command, 3)?;
                let client_identifier = text(command, 0, 1..=LONGEST_IDENTIFIER)?;
                let mut user = text(command, 1, 0..=LONGEST_USER)?;
                let mut password = text(command, 2, 0..=LONGEST_PASSWORD)?;
                if core.has(Quirk::BlankForNoLogin) {
                    if user.is_empty() || password.is_empty() {
                        return Err(Refusal::Error);
                    }
                    [&mut user, &mut password].into_iter().filter(|it| *it == " ").for_each(Bytes::clear);
                }
                self.login = Some(Login { client_identifier, user, password });
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    pub(super) fn will_parameters(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+MQTTWILLPARAM: <retained>,<qos>,<topicname>,<message>")),
            Form::Read => Ok(Answer::line([b"+MQTTWILLPARAM:", &*will_text(self.will.as_ref())].concat())),
            Form::Write => {
                exactly(command, 4)?;
                let will = read_will(command)?;
                let payload = text(command, 3, 0..=LONGEST_WILL)?;
                not_connected(core)?;
                self.will = Some(Will { payload, ..will });
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    /// As `AT+MQTTWILLPARAM`, with the length of the message in place of the message.
    pub(super) fn will_message(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        exactly(command, 4)?;
        read_will(command)?;
        let prompt = counted_prompt(core, command, 3, LONGEST_WILL as i64)?;
        not_connected(core)?;
        Ok(Answer::prompt(prompt))
    }

    pub(super) fn will_data(&mut self, command: &Command, payload: Bytes) -> Obeyed {
        self.will = Some(Will { payload, ..read_will(command)? });
        Ok(Answer::ok())
    }

    /// Names and values for assertions.
    pub(super) fn dump(&self) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        [
            ("client-identifier", self.login.as_ref().map(|login| text(&login.client_identifier))),
            ("user", self.login.as_ref().map(|login| text(&login.user))),
            ("will", self.will.as_ref().map(|will| text(&will_text(Some(will))))),
            ("server", self.last_connection.as_ref().map(|(server, ..)| text(server))),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
    }
}

/// "These parameters cannot be set when the MQTT connection is established."
fn not_connected(core: &mut Core) -> Result<(), Refusal> {
    let closed = core.session(CLIENT).is_some_and(|session| session.phase() == Phase::Closed);
    if closed { Ok(()) } else { Err(Refusal::Error) }
}

/// The will without its message.
fn read_will(command: &Command) -> Result<Will, Refusal> {
    Ok(Will {
        retain: flag(command, 0)?,
        qos: quality(command, 1, 1)?,
        topic: topic(command, 2, Flavour::Standard)?,
        payload: Bytes::new(),
    })
}

fn will_text(will: Option<&Will>) -> Vec<u8> {
    let Some(will) = will else { return b"0,0,\"\",\"\"".to_vec() };
    let flags = format!("{},{},\"", u8::from(will.retain), will.qos);
    [flags.as_bytes(), &will.topic, b"\",\"", &will.payload, b"\""].concat()
}
