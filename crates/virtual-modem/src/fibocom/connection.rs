//! `AT+MQTTOPEN` and `AT+MQTTCLOSE` [Fibocom MQTT 1.2.6 §1.2, §1.3].

use std::time::Duration;

use super::login::Login;
use super::{CONTEXT, Client, Fibocom, Obeyed, client_index, exactly, number};
use crate::link::Dial;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Connect;
use crate::mqtt::session::{Phase, Timing};
use crate::quirk::{Quirk, RefusalForm};

/// "Syntax is not validated, except the maximum length (255 characters)."
const LONGEST_HOST: usize = 255;
/// "Time of duration < 1s": by then the command is answered, whether the broker is or not.
const LONGEST_ANSWER: Duration = Duration::from_secs(1);

/// How long the connection may take. The manual is silent; drivers wait 30 to 40 s for the login in all (quirk 3.2).
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an acknowledgement may take, and how often a packet is sent.
const PACKET_TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 3;

/// A login under way.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) serial_no: u64,
    /// Whether the command has had its `OK`.
    pub(super) answered: bool,
    pub(super) connect: Connect,
    pub(super) timing: Timing,
}

impl Fibocom {
    pub(super) fn open(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+MQTTOPEN: (1,2),(\"Remote IP/URL\"),(1-65535),(0,1),(1-300)")),
            Form::Read => Ok(list(core, "+MQTTOPEN", |phase| phase == Phase::Closed)),
            Form::Write => self.open_client(core, command),
            Form::Execute => Err(Refusal::Error),
        }
    }

    fn open_client(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        exactly(command, 5)?;
        let index = client_index(command, 0)?;
        let host = command.text(1, 1..=LONGEST_HOST)?;
        let port = u16::try_from(command.int(2, 1..=65535)?).map_err(|_| Refusal::Parameter)?;
        let clean_session = command.int(3, 0..=1)? == 1;
        let keep_alive = u16::try_from(command.int(4, 1..=300)?).map_err(|_| Refusal::Parameter)?;
        let imei = core.identity.imei.clone();
        let client = self.clients.get_mut(index).ok_or(Refusal::Parameter)?;
        // "This command is essential", says the manual of `AT+MQTTUSER`.
        let login = client.login.as_ref().ok_or(Refusal::Error)?;
        if core.session(index).is_none_or(|session| session.phase() != Phase::Closed) {
            return Err(Refusal::Error);
        }
        let serial_no = command.serial_no;
        if !core.network.is_active(CONTEXT) {
            core.result(serial_no, format!("+MQTTOPEN: {},0", number(index)));
            return Ok(Answer::deferred());
        }
        let connect = connect(login, client, imei, clean_session, keep_alive);
        let timing = timing(core, keep_alive);
        let answered =
            matches!(refusal_form(core), Some(RefusalForm::StatusAfterOk | RefusalForm::CodeAfterOk));
        client.opening = Some(Opening { serial_no, answered, connect, timing });
        client.queue.clear();
        let now = core.now;
        if let Some(session) = core.session(index) {
            session.open(now, serial_no, Dial { host, port, tls: None }, timing);
        }
        if answered {
            return Ok(Answer::deferred());
        }
        core.call_back(LONGEST_ANSWER, call_back_number(serial_no));
        Ok(Answer::pending())
    }

    /// The broker takes its time: `OK` now, and the result when it is known.
    pub(super) fn answer_slow_open(&mut self, core: &mut Core, number: u32) {
        let slow = self.clients.iter_mut().filter_map(|client| client.opening.as_mut());
        for opening in slow.filter(|opening| call_back_number(opening.serial_no) == number) {
            if !std::mem::replace(&mut opening.answered, true) {
                core.finish(opening.serial_no, Answer::deferred());
            }
        }
    }

    pub(super) fn close(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+MQTTCLOSE: (1,2)")),
            Form::Read => Ok(list(core, "+MQTTCLOSE", |phase| phase != Phase::Closed)),
            Form::Write => {
                exactly(command, 1)?;
                let index = client_index(command, 0)?;
                let now = core.now;
                let session = core
                    .session(index)
                    .filter(|session| session.phase() != Phase::Closed)
                    .ok_or(Refusal::Error)?;
                session.disconnect(now);
                self.opened(core, index, Err(None));
                // "To free the socket accumulating buffer and to close the socket."
                if let Some(client) = self.clients.get_mut(index) {
                    client.queue.clear();
                }
                core.result(command.serial_no, format!("+MQTTCLOSE: {},1", number(index)));
                Ok(Answer::deferred())
            }
            Form::Execute => Err(Refusal::Error),
        }
    }
}

/// The clients that `wanted` selects by their phase, or 0 for none.
fn list(core: &Core, name: &str, wanted: impl Fn(Phase) -> bool) -> Answer {
    let numbers: Vec<String> = core
        .sessions
        .iter()
        .enumerate()
        .filter(|(_, session)| wanted(session.phase()))
        .map(|(index, _)| number(index).to_string())
        .collect();
    let numbers = if numbers.is_empty() { "0".to_owned() } else { numbers.join(",") };
    Answer::line(format!("{name}: {numbers}"))
}

fn connect(login: &Login, client: &Client, imei: String, clean_session: bool, keep_alive: u16) -> Connect {
    // Empty strings are how the commands say "none".
    let given = |text: &bytes::Bytes| Some(text.clone()).filter(|text| !text.is_empty());
    Connect {
        client_identifier: login.client_identifier.clone().unwrap_or_else(|| imei.into()),
        clean_session,
        keep_alive,
        will: client.will.clone(),
        user: given(&login.user),
        password: given(&login.password),
    }
}

fn timing(core: &Core, keep_alive: u16) -> Timing {
    Timing {
        open: core.scaled(OPEN_TIMEOUT),
        packet: core.scaled(PACKET_TIMEOUT),
        attempts: ATTEMPTS,
        keep_alive: Some(core.scaled(Duration::from_secs(keep_alive.into()))),
        ping: core.scaled(PACKET_TIMEOUT),
    }
}

/// How this module words the refusal of a login, if not as the manual does.
pub(super) fn refusal_form(core: &Core) -> Option<RefusalForm> {
    core.quirk(|quirk| match quirk {
        Quirk::Refusal(form) => Some(*form),
        _ => None,
    })
}

/// Serial numbers count from 1 and never come near the end of these numbers.
fn call_back_number(serial_no: u64) -> u32 {
    u32::try_from(serial_no).unwrap_or(u32::MAX)
}
