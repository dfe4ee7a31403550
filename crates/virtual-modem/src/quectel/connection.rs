//! `AT+QMTOPEN`, `AT+QMTCLOSE`, `AT+QMTCONN`, `AT+QMTDISC` [EC200x MQTT 1.0 §3.2.2–3.2.5].

use std::time::Duration;

use super::cfg_store::Settings;
use super::{Obeyed, Quectel, client_index, medium};
use crate::link::{Dial, DialFailure};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Connect;
use crate::mqtt::session::{Phase, Timing};
use crate::quirk::Quirk;

/// The longest host name, in bytes.
const LONGEST_HOST: usize = 100;
/// The longest client identifier, user name and password; the manual gives no limit.
const LONGEST_LOGIN: usize = 1024;
/// "Maximum response time 120 s".
const OPEN_TIMEOUT: Duration = Duration::from_secs(120);

impl Quectel {
    pub(super) fn open(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+QMTOPEN: (0-5),\"hostname\",(1-65535)")),
            Form::Read => {
                let open = self.clients.iter().enumerate().filter_map(|(index, client)| {
                    let (host, port) = client.dialled.as_ref()?;
                    Some(format!("+QMTOPEN: {index},\"{}\",{port}", String::from_utf8_lossy(host)))
                });
                Ok(open.fold(Answer::ok(), Answer::with))
            }
            Form::Write => self.open_client(core, command),
            Form::Execute => Err(Refusal::Error),
        }
    }

    fn open_client(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        command.at_most(3)?;
        let index = client_index(command, 0)?;
        let host = command.text(1, 1..=LONGEST_HOST)?;
        let port = medium(command.int(2, 1..=65535)?);
        let client = self.clients.get_mut(index).ok_or(Refusal::Parameter)?;
        let serial_no = command.serial_no;
        let session = core.session(index).ok_or(Refusal::Parameter)?;
        if session.phase() != Phase::Closed || client.dialled.is_some() {
            return Ok(opened(core, serial_no, index, 2));
        }
        if host.iter().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()) {
            return Ok(opened(core, serial_no, index, 1));
        }
        let context = client.settings.context;
        if !core.network.is_active(context) && !core.network.activate(context) {
            return Ok(opened(core, serial_no, index, 3));
        }
        let tls = match client.settings.ssl {
            None => None,
            Some(context) => match self.tls_settings(core, context) {
                Some(tls) => Some(tls),
                None => return Ok(opened(core, serial_no, index, -1)),
            },
        };
        let client = self.clients.get_mut(index).ok_or(Refusal::Parameter)?;
        client.dialled = Some((host.clone(), port));
        client.disconnected = false;
        client.slots = super::receive::Slots::default();
        let timing = timing(core, &client.settings);
        let now = core.now;
        if let Some(session) = core.session(index) {
            session.open(now, serial_no, Dial { host: host.clone(), port, tls }, timing);
        }
        if core.has(Quirk::OpenFailureIsError) {
            return Ok(Answer::pending());
        }
        let answer = Answer::deferred();
        Ok(if core.has(Quirk::OpenEchoesConfiguration) {
            answer.with(format!("+QMTOPEN: {index},\"{}\",{port}", String::from_utf8_lossy(&host)))
        } else {
            answer
        })
    }

    pub(super) fn close(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return range_only(command, "+QMTCLOSE") };
        command.at_most(1)?;
        let index = client_index(command, 0)?;
        let client = self.clients.get_mut(index).ok_or(Refusal::Parameter)?;
        let after_disconnect = std::mem::take(&mut client.disconnected);
        if client.dialled.take().is_none() && !after_disconnect {
            return Err(Refusal::Error);
        }
        if let Some(session) = core.session(index) {
            session.close();
        }
        if after_disconnect && core.has(Quirk::NoCloseResultAfterDisconnect) {
            return Ok(Answer::ok());
        }
        core.result(command.serial_no, format!("+QMTCLOSE: {index},0"));
        if core.has(Quirk::StatAfterClose) {
            self.stat(core, index, 1);
        }
        Ok(Answer::deferred())
    }

    pub(super) fn conn(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+QMTCONN: (0-5),\"clientid\",\"username\",\"password\"")),
            Form::Read => {
                let states = core.sessions.iter().enumerate().filter_map(|(index, session)| {
                    let state = match session.phase() {
                        Phase::Closed => return None,
                        Phase::Opening | Phase::Open => 1,
                        Phase::Connecting => 2,
                        Phase::Connected => 3,
                    };
                    Some(format!("+QMTCONN: {index},{state}"))
                });
                Ok(states.fold(Answer::ok(), Answer::with))
            }
            Form::Write => self.connect_client(core, command),
            Form::Execute => Err(Refusal::Error),
        }
    }

    fn connect_client(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        command.at_most(4)?;
        let index = client_index(command, 0)?;
        let client_identifier = command.text(1, 0..=LONGEST_LOGIN)?;
        let user = command.opt_text(2, 0..=LONGEST_LOGIN)?;
        let password = command.opt_text(3, 0..=LONGEST_LOGIN)?;
        let settings = &self.clients.get(index).ok_or(Refusal::Parameter)?.settings;
        let timing = timing(core, settings);
        let now = core.now;
        let session =
            core.session(index).filter(|session| session.phase() == Phase::Open).ok_or(Refusal::Error)?;
        let (user, password) = match (user, password) {
            (None, None) => settings.platform_login().unzip(),
            given => given,
        };
        let connect = Connect {
            client_identifier,
            clean_session: settings.clean_session,
            keep_alive: settings.keep_alive,
            will: settings.will.clone(),
            user,
            password,
        };
        session.connect(now, command.serial_no, connect, timing);
        let buffered = settings.buffered;
        if buffered
            && core.has(Quirk::FullSlotsWithholdAck)
            && let Some(session) = core.session(index)
        {
            session.hold_acknowledgements();
        }
        Ok(Answer::deferred())
    }

    pub(super) fn disc(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return range_only(command, "+QMTDISC") };
        command.at_most(1)?;
        let index = client_index(command, 0)?;
        let now = core.now;
        let session = core.session(index).filter(|session| session.is_connected()).ok_or(Refusal::Error)?;
        session.disconnect(now);
        if let Some(client) = self.clients.get_mut(index) {
            client.dialled = None;
            client.disconnected = true;
        }
        core.result(command.serial_no, format!("+QMTDISC: {index},0"));
        Ok(Answer::deferred())
    }
}

/// `OK`, and the result of an open that needs no network.
fn opened(core: &mut Core, serial_no: u64, index: usize, result: i8) -> Answer {
    let line = format!("+QMTOPEN: {index},{result}");
    if core.has(Quirk::OpenFailureIsError) {
        return Answer::from(Refusal::Error).with(line);
    }
    core.result(serial_no, line);
    Answer::deferred()
}

/// `<result>` of `+QMTOPEN` [EC200x MQTT 1.0 §3.2.2]. A failed handshake is the catch-all -1, as on real modules.
pub(super) fn open_result(why: DialFailure) -> i8 {
    match why {
        DialFailure::NameUnknown => 4,
        DialFailure::Refused | DialFailure::TimedOut => 5,
        DialFailure::Handshake => -1,
    }
}

/// "Maximum response time `<pkt_timeout>` × `<retry_times>`": so a packet is sent `<retry_times>` times in all, at
/// least once [EC200x MQTT 1.0 §3.2.8].
fn timing(core: &Core, settings: &Settings) -> Timing {
    let seconds = |count: u64| core.scaled(Duration::from_secs(count));
    Timing {
        open: core.scaled(OPEN_TIMEOUT),
        packet: seconds(settings.packet_timeout.into()),
        attempts: settings.retries.max(1).into(),
        keep_alive: (settings.keep_alive > 0).then(|| seconds(settings.keep_alive.into())),
        ping: seconds(settings.ping_interval.into()),
    }
}

fn range_only(command: &Command, name: &str) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::line(format!("{name}: (0-5)"))),
        _ => Err(Refusal::Error),
    }
}
