//! `AT+CMQTTSSLCFG` and `AT+CMQTTCFG` [A7600 MQTT 1.00 §2.1.5, §2.1.17].

use super::client::{client_index, is_connected};
use super::quirk::SimComQuirk;
use super::refused::Refused;
use super::{Obeyed, SSL_CONTEXTS, SimCom, has, small};
use crate::machine::answer::Answer;
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// What `AT+CMQTTCFG` keeps for one client until it is released.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) check_utf8: bool,
    /// In seconds, 20 to 120.
    pub(super) operation_timeout: u8,
    /// `argtopic`: topics of publishes and subscriptions are arguments (2.7).
    pub(super) topics_as_arguments: bool,
    /// `argtopic`: a received message is one line (2.7).
    pub(super) messages_on_one_line: bool,
    /// 3 or 4. On the wire both are MQTT 3.1.1.
    version: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            check_utf8: true,
            operation_timeout: 120,
            topics_as_arguments: false,
            messages_on_one_line: false,
            version: 4,
        }
    }
}

impl Settings {
    pub(super) fn dump(&self, index: usize) -> Vec<(String, String)> {
        [
            ("checkUTF8", u8::from(self.check_utf8)),
            ("optimeout", self.operation_timeout),
            ("argtopic/pub", u8::from(self.topics_as_arguments)),
            ("argtopic/recv", u8::from(self.messages_on_one_line)),
            ("version", self.version),
        ]
        .into_iter()
        .map(|(key, value)| (format!("{index}/{key}"), value.to_string()))
        .collect()
    }
}

impl SimCom {
    pub(super) fn ssl_choice(&mut self, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+CMQTTSSLCFG: (0,1),(0-9)")),
            Form::Read => {
                self.running()?;
                let lines = self.clients.iter().enumerate().map(|(index, client)| {
                    let context = client.ssl_context.map(|context| context.to_string());
                    format!("+CMQTTSSLCFG: {index},{}", context.unwrap_or_default())
                });
                Ok(lines.fold(Answer::ok(), Answer::with))
            }
            Form::Write => {
                command.at_most(2)?;
                self.running()?;
                // This command's manual has no other form of refusal than `ERROR`.
                let index = client_index(command, 0).map_err(|_| Refused::ERROR)?;
                let most = i64::try_from(SSL_CONTEXTS).unwrap_or(i64::MAX) - 1;
                let context = small(command.int(1, 0..=most)?);
                self.client_mut(index)?.ssl_context = Some(context);
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refused::ERROR),
        }
    }

    pub(super) fn cfg(&mut self, core: &Core, command: &Command) -> Obeyed {
        let extended = has(core, SimComQuirk::ArgTopic);
        match command.form {
            Form::Test => {
                let answer = Answer::line("+CMQTTCFG: \"checkUTF8\",(0-1),(0-1)")
                    .with("+CMQTTCFG: \"optimeout\",(0-1),(20-120)");
                Ok(if extended {
                    answer
                        .with("+CMQTTCFG: \"argtopic\",(0-1),(0-1),(0-1)")
                        .with("+CMQTTCFG: \"version\",(0-1),(3-4)")
                } else {
                    answer
                })
            }
            Form::Read => {
                self.running()?;
                let lines = self.clients.iter().enumerate().map(|(index, client)| {
                    let Settings { check_utf8, operation_timeout, .. } = client.settings;
                    format!("+CMQTTCFG: {index},{},{operation_timeout}", u8::from(check_utf8))
                });
                Ok(lines.fold(Answer::ok(), Answer::with))
            }
            Form::Write => self.set(core, command, extended),
            Form::Execute => Err(Refused::ERROR),
        }
    }

    /// "It must be called before AT+CMQTTCONNECT and after AT+CMQTTACCQ" [A7600 MQTT 1.00 §2.1.17].
    fn set(&mut self, core: &Core, command: &Command, extended: bool) -> Obeyed {
        self.running()?;
        let key = command.key(0)?;
        command.at_most(if key == "argtopic" { 4 } else { 3 })?;
        let index = client_index(command, 1).map_err(|_| Refused::ERROR)?;
        let client = self.client_mut(index)?;
        if client.acquired.is_none() || client.operation.is_some() || is_connected(core, index) {
            return Err(Refused::ERROR);
        }
        let settings = &mut client.settings;
        match key.as_str() {
            "checkutf8" => settings.check_utf8 = command.int(2, 0..=1)? == 1,
            "optimeout" => settings.operation_timeout = small(command.int(2, 20..=120)?),
            "argtopic" if extended => {
                let topics = command.int(2, 0..=1)? == 1;
                settings.messages_on_one_line = command.int(3, 0..=1)? == 1;
                settings.topics_as_arguments = topics;
            }
            "version" if extended => settings.version = small(command.int(2, 3..=4)?),
            _ => return Err(Refused::ERROR),
        }
        Ok(Answer::ok())
    }
}
