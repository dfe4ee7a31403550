//! `AT+CMQTTSTART`, `AT+CMQTTSTOP`, `AT+CMQTTACCQ`, `AT+CMQTTREL` [A7600 MQTT 1.00 §2.1.1–2.1.4].

use super::client::{Acquired, Client, client_index, is_connected};
use super::quirk::SimComQuirk;
use super::refused::{Code, Refused, opt_number, text};
use super::{CONTEXT, Obeyed, SimCom, has};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// Whether the MQTT service runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Service {
    #[default]
    Stopped,
    Started,
    /// It was started and has lost its data context: only a new start helps.
    NoNetwork,
}

const LONGEST_IDENTIFIER: usize = 128;

impl SimCom {
    pub(super) fn start(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Execute = command.form else { return Err(Refused::ERROR) };
        if self.service == Service::Started {
            if !has(core, SimComQuirk::StartTwiceHasCode) {
                return Err(Refused::ERROR);
            }
            let line = format!("+CMQTTSTART: {}", Code::NETWORK_OPENED);
            return Ok(Answer::from(Refusal::Error).with(line));
        }
        let ready = core.sim.is_ready(core.now);
        if !ready || !core.network.is_active(CONTEXT) && !core.network.activate(CONTEXT) {
            return Ok(self.service_result(core, command, Code::NETWORK_OPEN_FAILED));
        }
        self.service = Service::Started;
        Ok(self.service_result(core, command, Code::SUCCEEDED))
    }

    pub(super) fn stop(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Execute = command.form else { return Err(Refused::ERROR) };
        self.running()?;
        if self.clients.iter().any(|client| client.acquired.is_some()) {
            return Ok(self.service_result(core, command, Code::NOT_RELEASED));
        }
        self.service = Service::Stopped;
        self.clients = Default::default();
        Ok(self.service_result(core, command, Code::SUCCEEDED))
    }

    /// How starting and stopping end.
    pub(super) fn service_result(&self, core: &mut Core, command: &Command, code: Code) -> Answer {
        let line = format!("{}: {code}", command.name);
        if code != Code::SUCCEEDED && has(core, SimComQuirk::FailureIsError) {
            return Answer::from(Refusal::Error).with(line);
        }
        if has(core, SimComQuirk::ServiceResultFirst) {
            return Answer::line(line);
        }
        core.result(command.serial_no, line);
        Answer::deferred()
    }

    /// Refuses what needs the service, if it does not run.
    pub(super) fn running(&self) -> Result<(), Refused> {
        if self.service == Service::Stopped { Err(Refused::ERROR) } else { Ok(()) }
    }

    pub(super) fn acquire(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+CMQTTACCQ: (0-1),(1-128)[,(0-1)]")),
            Form::Read => {
                self.running()?;
                let lines = self.clients.iter().enumerate().map(|(index, client)| {
                    let (identifier, server) = match &client.acquired {
                        Some(acquired) => {
                            (String::from_utf8_lossy(&acquired.identifier), u8::from(acquired.tls))
                        }
                        None => ("".into(), 0),
                    };
                    format!("+CMQTTACCQ: {index},\"{identifier}\",{server}")
                });
                Ok(lines.fold(Answer::ok(), Answer::with))
            }
            Form::Write => self.acquire_client(core, command),
            Form::Execute => Err(Refused::ERROR),
        }
    }

    fn acquire_client(&mut self, core: &Core, command: &Command) -> Obeyed {
        let knows_versions = has(core, SimComQuirk::ArgTopic);
        command.at_most(if knows_versions { 4 } else { 3 })?;
        let index = self.served(command)?;
        let identifier = text(command, 1, 1..=LONGEST_IDENTIFIER, index)?;
        let server = opt_number(command, 2, 0..=1, index, Code::INVALID_PARAMETER)?;
        opt_number(command, 3, 3..=4, index, Code::INVALID_PARAMETER)?;
        if std::str::from_utf8(&identifier).is_err() {
            return Err(Refused::client(index, Code::BAD_UTF8));
        }
        let client = self.client_mut(index)?;
        if client.acquired.is_some() {
            return Err(Refused::client(index, Code::CLIENT_USED));
        }
        client.acquired = Some(Acquired { identifier, tls: server == Some(1) });
        Ok(Answer::ok())
    }

    pub(super) fn release(&mut self, core: &Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+CMQTTREL: (0-1)")),
            Form::Read => {
                self.running()?;
                Ok(Answer::ok())
            }
            Form::Write => {
                command.at_most(1)?;
                // A client is released also when the network is gone.
                self.running()?;
                let index = client_index(command, 0)?;
                let client = self.client_mut(index)?;
                if client.acquired.is_none() {
                    return Err(Refused::client(index, Code::NOT_ACQUIRED));
                }
                if client.operation.is_some() || is_connected(core, index) {
                    return Err(Refused::client(index, Code::BUSY));
                }
                *client = Client { ssl_context: client.ssl_context, ..Client::default() };
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refused::ERROR),
        }
    }
}
