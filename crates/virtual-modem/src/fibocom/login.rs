//! What is set before opening: `AT+MQTTUSER` and `AT+MQTTWILL` [Fibocom MQTT 1.2.6 §1.1, §1.12].

use bytes::Bytes;

use super::{
    Client, Fibocom, LONGEST_PAYLOAD, Obeyed, client_index, exactly, inline_payload, number, small, topic,
};
use crate::machine::answer::{Answer, Prompt, Refusal, Until};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Will;
use crate::quirk::Quirk;

/// "The max length is 128 bytes", of user name and password alike.
const LONGEST_LOGIN: usize = 128;
/// "The max length is 23 bytes."
const LONGEST_IDENTIFIER: usize = 23;

/// What `AT+MQTTUSER` has set.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) user: Bytes,
    pub(super) password: Bytes,
    /// `None` stands for the IMEI.
    pub(super) client_identifier: Option<Bytes>,
}

impl Fibocom {
    pub(super) fn user(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let longest = if core.has(Quirk::LongClientIdentifier) { 256 } else { LONGEST_IDENTIFIER };
        match command.form {
            Form::Test => {
                Ok(Answer::line(format!("+MQTTUSER: (1,2),{LONGEST_LOGIN},{LONGEST_LOGIN},{longest}")))
            }
            Form::Read => Ok(self.list("+MQTTUSER", |client| client.login.as_ref().map(login_text))),
            Form::Write => {
                command.at_most(4)?;
                let index = client_index(command, 0)?;
                let user = command.text(1, 0..=LONGEST_LOGIN)?;
                let password = command.text(2, 0..=LONGEST_LOGIN)?;
                let client_identifier = command.opt_text(3, 1..=longest)?;
                let client = self.clients.get_mut(index).ok_or(Refusal::Parameter)?;
                client.login = Some(Login { user, password, client_identifier });
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    pub(super) fn will(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+MQTTWILL: (1,2),255,(0-2),(0,1),1024")),
            Form::Read => Ok(self.list("+MQTTWILL", |client| client.will.as_ref().map(will_text))),
            Form::Write => {
                exactly(command, 5)?;
                let (index, will) = read_will(command)?;
                if core.has(Quirk::WillWithLength) {
                    let length = command.int(4, 1..=LONGEST_PAYLOAD as i64)?;
                    let until = Until::Count(usize::try_from(length).map_err(|_| Refusal::Parameter)?);
                    let text = super::publish::prompt_text(core);
                    return Ok(Answer::prompt(Prompt { text, until, patience: None, echoes: true }));
                }
                let payload = inline_payload(command, 4)?;
                self.clients.get_mut(index).ok_or(Refusal::Parameter)?.will = Some(Will { payload, ..will });
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    /// The message of a will that was announced by its length.
    pub(super) fn will_data(&mut self, command: &Command, payload: Bytes) -> Obeyed {
        let (index, will) = read_will(command)?;
        self.clients.get_mut(index).ok_or(Refusal::Parameter)?.will = Some(Will { payload, ..will });
        Ok(Answer::ok())
    }

    /// One line for each client of which `text` knows something.
    fn list(&self, name: &str, text: impl Fn(&Client) -> Option<Vec<u8>>) -> Answer {
        self.clients.iter().enumerate().fold(Answer::ok(), |answer, (index, client)| match text(client) {
            Some(text) => answer.with([format!("{name}: {},", number(index)).as_bytes(), &text].concat()),
            None => answer,
        })
    }
}

impl Client {
    /// Names and values for assertions.
    pub(super) fn dump(&self, index: usize) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let settings = [
            ("user", self.login.as_ref().map(|login| text(&login.user))),
            (
                "client-identifier",
                self.login.as_ref().and_then(|login| login.client_identifier.as_deref()).map(text),
            ),
            ("will", self.will.as_ref().map(|will| text(&will_text(will)))),
        ];
        settings
            .into_iter()
            .filter_map(|(key, value)| Some((format!("{}/{key}", number(index)), value?)))
            .collect()
    }
}

fn login_text(login: &Login) -> Vec<u8> {
    let mut text = [b"\"", &*login.user, b"\",\"", &*login.password, b"\""].concat();
    if let Some(client_identifier) = &login.client_identifier {
        text.extend_from_slice(&[b",\"", &**client_identifier, b"\""].concat());
    }
    text
}

fn will_text(will: &Will) -> Vec<u8> {
    let flags = format!("\",{},{},\"", will.qos, u8::from(will.retain));
    [b"\"", &*will.topic, flags.as_bytes(), &*will.payload, b"\""].concat()
}

/// The will without its message.
fn read_will(command: &Command) -> Result<(usize, Will), Refusal> {
    let index = client_index(command, 0)?;
    let topic = topic(command, 1)?;
    let qos = small(command.int(2, 0..=2)?);
    let retain = command.int(3, 0..=1)? == 1;
    Ok((index, Will { topic, payload: Bytes::new(), qos, retain }))
}
