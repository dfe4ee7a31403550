//! `AT+MQTTCONN`, `AT+MQTTDISCONN`, `AT+MQTTSTATE` and what other families share of them
//! [Neoway MQTT 1.2 §5.3, §5.8, §5.9].

use std::time::Duration;

use bytes::Bytes;

use super::arguments::{exactly, flag, keep_alive, server};
use super::settings::Login;
use super::{CLIENT, CONTEXT, Flavour, Neoway, Obeyed};
use crate::link::Dial;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::{Connect, Will};
use crate::mqtt::session::{Phase, Timing};
use crate::quirk::Quirk;

/// "The command times out if the module does not respond in 60s": both together stay below.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Below the 30 s of subscribing and publishing. Within it a packet is not repeated.
const PACKET_TIMEOUT: Duration = Duration::from_secs(25);

/// A connection that is being set up: what to dial and how to log in.
#[derive(Debug, Clone)]
pub(super) struct Connecting {
    pub(super) serial_no: u64,
    pub(super) dial: Dial,
    pub(super) connect: Connect,
}

impl Neoway {
    pub(super) fn conn(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::ok()),
            Form::Read => {
                let (server, clean, keep_alive) = self.last_connection.clone().unwrap_or_default();
                let settings = format!("\",{},{keep_alive}", u8::from(clean));
                Ok(Answer::line([b"+MQTTCONN:\"", &*server, settings.as_bytes()].concat()))
            }
            Form::Write => {
                exactly(command, 3)?;
                let (host, port) = server(command, 0)?;
                let clean_session = flag(command, 1)?;
                let keep_alive = keep_alive(command, 2)?;
                let login = self.login.as_ref().ok_or(Refusal::Error)?;
                let connect = connect(login, self.will.clone(), clean_session, keep_alive);
                let answer = self.set_up(core, command, Dial { host, port, tls: None }, connect)?;
                let server = command.word(0).cloned().unwrap_or_default();
                self.last_connection = Some((server, clean_session, keep_alive));
                Ok(answer)
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    /// Dials and logs in; the answer waits for the broker.
    pub(super) fn set_up(
        &mut self,
        core: &mut Core,
        command: &Command,
        dial: Dial,
        connect: Connect,
    ) -> Obeyed {
        let closed = core.session(CLIENT).is_some_and(|session| session.phase() == Phase::Closed);
        if !closed || !core.network.is_active(CONTEXT) {
            return Err(Refusal::Error);
        }
        self.restoring = None;
        self.last_subscription = None;
        self.flavour = if command.name.starts_with("+CLOUD") { Flavour::Cloud } else { Flavour::Standard };
        self.start(core, Connecting { serial_no: command.serial_no, dial, connect });
        Ok(Answer::pending())
    }

    pub(super) fn start(&mut self, core: &mut Core, connecting: Connecting) {
        let (now, timing) = (core.now, timing(core, connecting.connect.keep_alive));
        if let Some(session) = core.session(CLIENT) {
            session.open(now, connecting.serial_no, connecting.dial.clone(), timing);
        }
        self.connecting = Some(connecting);
    }

    /// The network is open: the login follows by itself.
    pub(super) fn log_in(&mut self, core: &mut Core) {
        let Some(connecting) = &self.connecting else { return };
        let (now, timing) = (core.now, timing(core, connecting.connect.keep_alive));
        if let Some(session) = core.session(CLIENT) {
            session.connect(now, connecting.serial_no, connecting.connect.clone(), timing);
        }
    }

    /// Closes and "releases the MQTT resources": what was set has to be set again.
    pub(super) fn disconn(&mut self, core: &mut Core, command: &Command, flavour: Flavour) -> Obeyed {
        let Form::Execute = command.form else { return Err(Refusal::Error) };
        let now = core.now;
        self.restoring = None;
        if self.flavour == flavour {
            self.connecting = None;
            if let Some(session) = core.session(CLIENT) {
                session.disconnect(now);
            }
        }
        match flavour {
            Flavour::Standard => (self.login, self.will) = (None, None),
            Flavour::Cloud => self.cloud = None,
        }
        Ok(Answer::ok())
    }

    pub(super) fn state(&mut self, core: &mut Core, command: &Command, flavour: Flavour) -> Obeyed {
        let Form::Read = command.form else { return Err(Refusal::Error) };
        let phase = core.session(CLIENT).map_or(Phase::Closed, |session| session.phase());
        let state = match phase {
            _ if self.flavour != flavour => 0,
            Phase::Connected => 1,
            _ if self.restoring.is_none() => 0,
            Phase::Closed => 2,
            Phase::Opening | Phase::Open => 3,
            Phase::Connecting => 4,
        };
        let blank = if core.has(Quirk::StateWithoutSpace) { "" } else { " " };
        // This is the one answer with an empty line before `OK` [Neoway MQTT 1.2 §5.9].
        let gap = if core.profile.blank_before_final { "" } else { "\r\n" };
        let name = &command.name;
        Ok(Answer::line(format!("{name}:{blank}{state}{gap}")))
    }

    /// Refuses a command of a family by which nobody is connected.
    pub(super) fn require(&self, core: &mut Core, flavour: Flavour) -> Result<(), Refusal> {
        let connected = core.session(CLIENT).is_some_and(|session| session.is_connected());
        if connected && self.flavour == flavour { Ok(()) } else { Err(Refusal::Error) }
    }
}

/// "The user name and password can be null".
pub(super) fn connect(login: &Login, will: Option<Will>, clean_session: bool, keep_alive: u16) -> Connect {
    let given = |text: &Bytes| Some(text.clone()).filter(|text| !text.is_empty());
    Connect {
        client_identifier: login.client_identifier.clone(),
        clean_session,
        keep_alive,
        will,
        user: given(&login.user),
        password: given(&login.password),
    }
}

fn timing(core: &Core, keep_alive: u16) -> Timing {
    Timing {
        open: core.scaled(OPEN_TIMEOUT),
        packet: core.scaled(PACKET_TIMEOUT),
        attempts: 1,
        keep_alive: Some(core.scaled(Duration::from_secs(keep_alive.into()))),
        ping: core.scaled(Duration::from_secs(10)),
    }
}
