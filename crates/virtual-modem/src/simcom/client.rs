//! The two clients, and the one operation each of them can be busy with.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::config::Settings;
use super::quirk::SimComQuirk;
use super::refused::{Code, Refused};
use super::service::Service;
use super::staging::Staged;
use super::{CLIENTS, Obeyed, SimCom, call, has};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::Command;
use crate::machine::core::Core;
use crate::mqtt::session::Session;

/// One MQTT client.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// What `AT+CMQTTACCQ` gave it; `None` until then and after `AT+CMQTTREL`.
    pub(super) acquired: Option<Acquired>,
    /// What `AT+CMQTTSSLCFG` chose, until a connection fails or ends.
    pub(super) ssl_context: Option<u8>,
    pub(super) settings: Settings,
    pub(super) staged: Staged,
    /// What the last `AT+CMQTTCONNECT` said.
    pub(super) login: Option<Login>,
    pub(super) operation: Option<Operation>,
    /// Parts of received messages that were not printed yet.
    pub(super) parts: VecDeque<Bytes>,
}

#[derive(Debug)]
pub(super) struct Acquired {
    pub(super) identifier: Bytes,
    pub(super) tls: bool,
}

#[derive(Debug)]
pub(super) struct Login {
    /// As it was typed: `tcp://host:port`.
    pub(super) address: Bytes,
    pub(super) keep_alive: u16,
    pub(super) clean_session: bool,
    pub(super) user: Option<Bytes>,
    pub(super) password: Option<Bytes>,
}

/// What a client is busy with: there is one result line for each operation, and no number in it to tell two apart.
#[derive(Debug)]
pub(super) struct Operation {
    serial_no: u64,
    /// The name of the command, which the result line begins with.
    name: String,
    ticket: u32,
    /// The packet that waits for its acknowledgement.
    pub(super) packet: Option<u16>,
    manner: Manner,
    /// The result, if it is known and not told yet.
    late: Option<Code>,
}

/// How the end of an operation is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// `OK` at once, the result later.
    Deferred,
    /// The result with `OK` before or `ERROR` behind it.
    FailureIsError,
    /// The result, and then `OK`.
    OkLast,
}

/// How late a result is with [`SimComQuirk::RetainedFirst`].
const LATENESS: Duration = Duration::from_millis(20);

impl Client {
    /// A connection failed or ended: "The setting will be cleared after AT+CMQTTCONNECT failed or AT+CMQTTDISC"
    /// [A7600 MQTT 1.00 §2.1.5].
    pub(super) fn not_connected(&mut self) {
        self.ssl_context = None;
    }

    /// Names and values for assertions.
    pub(super) fn dump(&self, index: usize) -> Vec<(String, String)> {
        let mut dump = self.settings.dump(index);
        let context = self.ssl_context.map(|context| context.to_string());
        dump.push((format!("{index}/sslcfg"), context.unwrap_or_default()));
        let identifier = self.acquired.as_ref().map(|acquired| acquired.identifier.as_ref());
        let identifier = String::from_utf8_lossy(identifier.unwrap_or_default());
        dump.push((format!("{index}/clientid"), identifier.into_owned()));
        dump
    }
}

/// The number of the client at `position`. Another number than 0 and 1 has a code of its own.
pub(super) fn client_index(command: &Command, position: usize) -> Result<usize, Refused> {
    let typed = command.int(position, i64::MIN..=i64::MAX)?;
    usize::try_from(typed)
        .ok()
        .filter(|index| *index < CLIENTS)
        .ok_or(Refused::With(typed, Code::CLIENT_INDEX))
}

impl SimCom {
    /// The number of a client whose service runs: "if you don't execute AT+CMQTTSTART, the Write/Read Command of any
    /// other MQTT will return ERROR immediately" [A7600 MQTT 1.00 §2.1.1].
    pub(super) fn served(&self, command: &Command) -> Result<usize, Refused> {
        self.running()?;
        let index = client_index(command, 0)?;
        if self.service == Service::NoNetwork {
            return Err(Refused::client(index, Code::NETWORK_NOT_OPENED));
        }
        Ok(index)
    }

    /// The number of a client that was acquired and is not busy.
    pub(super) fn idle(&self, command: &Command) -> Result<usize, Refused> {
        let index = self.served(command)?;
        let client = self.client(index)?;
        if client.acquired.is_none() {
            Err(Refused::client(index, Code::NOT_ACQUIRED))
        } else if client.operation.is_some() {
            Err(Refused::client(index, Code::BUSY))
        } else {
            Ok(index)
        }
    }

    /// The number of a client that is connected and not busy.
    pub(super) fn connected(&self, core: &Core, command: &Command) -> Result<usize, Refused> {
        let index = self.idle(command)?;
        if is_connected(core, index) { Ok(index) } else { Err(Refused::client(index, Code::NO_CONNECTION)) }
    }

    pub(super) fn client(&self, index: usize) -> Result<&Client, Refused> {
        self.clients.get(index).ok_or(Refused::ERROR)
    }

    pub(super) fn client_mut(&mut self, index: usize) -> Result<&mut Client, Refused> {
        self.clients.get_mut(index).ok_or(Refused::ERROR)
    }

    /// Makes a client busy until [`SimCom::conclude`], at most for `limit`.
    pub(super) fn begin(
        &mut self,
        core: &mut Core,
        command: &Command,
        index: usize,
        packet: Option<u16>,
        limit: Option<Duration>,
    ) -> Obeyed {
        self.last_ticket = self.last_ticket.wrapping_add(1) % (u32::MAX - call::FIRST_TICKET);
        let ticket = call::FIRST_TICKET + self.last_ticket;
        let manner = if is_one_topic(command) && has(core, SimComQuirk::OneTopicOkLast) {
            Manner::OkLast
        } else if has(core, SimComQuirk::FailureIsError) {
            Manner::FailureIsError
        } else {
            Manner::Deferred
        };
        let (serial_no, name) = (command.serial_no, command.name.clone());
        self.client_mut(index)?.operation =
            Some(Operation { serial_no, name, ticket, packet, manner, late: None });
        if let Some(limit) = limit {
            core.call_back(limit, ticket);
        }
        Ok(if manner == Manner::Deferred { Answer::deferred() } else { Answer::pending() })
    }

    /// Tells the result of what a client was busy with, if anything.
    pub(super) fn conclude(&mut self, core: &mut Core, index: usize, code: Code) {
        let Some(client) = self.clients.get_mut(index) else { return };
        let Some(operation) = client.operation.take() else { return };
        let serial_no = operation.serial_no;
        let line = format!("{}: {index},{code}", operation.name);
        match operation.manner {
            Manner::Deferred => core.result(serial_no, line),
            Manner::FailureIsError if code == Code::SUCCEEDED => {
                core.finish(serial_no, Answer::deferred());
                core.result(serial_no, line);
            }
            Manner::FailureIsError => core.finish(serial_no, Answer::from(Refusal::Error).with(line)),
            Manner::OkLast => {
                core.urc(line);
                self.awaits_ok = Some(serial_no);
                core.call_back(Duration::from_millis(5), call::LATE_OK);
            }
        }
    }

    /// As [`SimCom::conclude`], a little later.
    pub(super) fn conclude_late(&mut self, core: &mut Core, index: usize, code: Code) {
        let operation = self.clients.get_mut(index).and_then(|client| client.operation.as_mut());
        if let Some(operation) = operation {
            operation.late = Some(code);
            core.call_back(LATENESS, operation.ticket);
        }
    }

    /// The time limit of an operation is over, if that operation still goes on.
    pub(super) fn time_is_up(&mut self, core: &mut Core, ticket: u32) {
        let found = self.clients.iter().enumerate().find_map(|(index, client)| {
            let operation = client.operation.as_ref().filter(|operation| operation.ticket == ticket)?;
            Some((index, operation.packet, operation.late))
        });
        let Some((index, packet, late)) = found else { return };
        if late.is_none()
            && let (Some(packet), Some(session)) = (packet, core.session(index))
        {
            session.abandon(packet);
        }
        self.conclude(core, index, late.unwrap_or(Code::TIMED_OUT));
    }

    /// Fails a command with this code instead of obeying it, for a fault of the plan.
    pub(super) fn fail(&mut self, core: &mut Core, command: &Command, code: Code) -> Answer {
        if matches!(command.name.as_str(), "+CMQTTSTART" | "+CMQTTSTOP") {
            return self.service_result(core, command, code);
        }
        let Ok(index) = client_index(command, 0) else { return Refusal::Error.into() };
        let refused = Refused::client(index, code).answer(command);
        let Some(client) = self.clients.get_mut(index) else { return refused };
        let with_prompt =
            is_one_topic(command) || command.name == "+CMQTTPUB" && client.settings.topics_as_arguments;
        match command.name.as_str() {
            "+CMQTTCONNECT" => client.not_connected(),
            "+CMQTTPUB" => client.staged.published(),
            "+CMQTTSUB" => client.staged.subscribed(),
            "+CMQTTUNSUB" => client.staged.unsubscribed(),
            "+CMQTTDISC" => {}
            _ => return refused,
        }
        if with_prompt || has(core, SimComQuirk::FailureIsError) {
            return refused;
        }
        core.result(command.serial_no, format!("{}: {index},{code}", command.name));
        Answer::deferred()
    }
}

pub(super) fn is_connected(core: &Core, index: usize) -> bool {
    core.sessions.get(index).is_some_and(Session::is_connected)
}

/// Whether an `AT+CMQTTSUB` or `AT+CMQTTUNSUB` announces the length of its one topic.
pub(super) fn is_one_topic(command: &Command) -> bool {
    matches!(command.name.as_str(), "+CMQTTSUB" | "+CMQTTUNSUB") && command.args.len() > 2
}
