//! `AT+CMQTTCONNECT` and `AT+CMQTTDISC` [A7600 MQTT 1.00 §2.1.8, §2.1.9].

use std::time::Duration;

use bytes::Bytes;

use super::client::{Client, Login, is_connected};
use super::refused::{Code, Refused, number, opt_text, text};
use super::{Obeyed, SimCom, medium};
use crate::link::{Dial, DialFailure};
use crate::machine::answer::Answer;
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::{Connect, Will};
use crate::mqtt::session::{Phase, Timing};

/// How long opening the socket may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an unanswered PINGREQ waits before it is repeated.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// `<server_addr>` "must begin with tcp://", also for TLS; without a port it is 1883.
const SCHEME: &[u8] = b"tcp://";
const DEFAULT_PORT: u16 = 1883;
/// The longest user name and password, in bytes.
const LONGEST_LOGIN: usize = 256;

impl SimCom {
    pub(super) fn connect(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => {
                let ranges = "(0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]";
                Ok(Answer::line(format!("+CMQTTCONNECT: {ranges}")))
            }
            Form::Read => {
                self.running()?;
                let lines = self.clients.iter().enumerate().map(|(index, client)| {
                    let login = client.login.as_ref().filter(|_| is_connected(core, index));
                    format!("+CMQTTCONNECT: {index}{}", login.map(shown).unwrap_or_default())
                });
                Ok(lines.fold(Answer::ok(), Answer::with))
            }
            Form::Write => self.connect_client(core, command),
            Form::Execute => Err(Refused::ERROR),
        }
    }

    fn connect_client(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        command.at_most(6)?;
        let index = self.idle(command)?;
        if core.session(index).is_none_or(|session| session.phase() != Phase::Closed) {
            return Err(Refused::client(index, Code::NOT_SUPPORTED));
        }
        let login = read_login(command, index);
        if login.is_err() {
            self.client_mut(index)?.not_connected();
        }
        let (login, host, port) = login?;
        let client = self.client_mut(index)?;
        let tls = client.acquired.as_ref().is_some_and(|acquired| acquired.tls);
        // "It will use the <client_index> SSL context" if none was chosen [A7600 MQTT 1.00 §2.1.8 note].
        let context = client.ssl_context.map_or(index, usize::from);
        let open = core.scaled(OPEN_TIMEOUT);
        let timing = Timing { open, ..timing(core, client, &login) };
        client.login = Some(login);
        let answer = self.begin(core, command, index, None, None)?;
        let tls = match tls.then(|| self.tls_settings(core, context)).transpose() {
            Ok(tls) => tls,
            Err(code) => {
                self.connected_or_not(core, index, code);
                return Ok(answer);
            }
        };
        let now = core.now;
        if let Some(session) = core.session(index) {
            session.open(now, command.serial_no, Dial { host, port, tls }, timing);
        }
        Ok(answer)
    }

    /// The socket is open: now MQTT.
    pub(super) fn opened(&mut self, core: &mut Core, index: usize, serial_no: u64) {
        let Some(client) = self.clients.get(index) else { return };
        let (Some(login), Some(acquired)) = (&client.login, &client.acquired) else { return };
        let will = client.staged.will_topic.clone().zip(client.staged.will_message.clone());
        let connect = Connect {
            client_identifier: acquired.identifier.clone(),
            clean_session: login.clean_session,
            keep_alive: login.keep_alive,
            will: will.map(|(topic, (payload, qos))| Will { topic, payload, qos, retain: false }),
            user: login.user.clone(),
            password: login.password.clone(),
        };
        let timing = timing(core, client, login);
        let now = core.now;
        if let Some(session) = core.session(index) {
            session.connect(now, serial_no, connect, timing);
            // Each operation has a time limit of its own.
            session.leave_time_limits();
        }
    }

    /// The result of `AT+CMQTTCONNECT` is known.
    pub(super) fn connected_or_not(&mut self, core: &mut Core, index: usize, code: Code) {
        if code != Code::SUCCEEDED
            && let Some(client) = self.clients.get_mut(index)
        {
            client.not_connected();
        }
        self.conclude(core, index, code);
    }

    pub(super) fn disconnect(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+CMQTTDISC: (0-1),(0, 60-180)")),
            Form::Read => {
                self.running()?;
                let lines = (0..self.clients.len()).map(|index| {
                    // 0 is connected, 1 is not.
                    format!("+CMQTTDISC: {index},{}", u8::from(!is_connected(core, index)))
                });
                Ok(lines.fold(Answer::ok(), Answer::with))
            }
            Form::Write => self.disconnect_client(core, command),
            Form::Execute => Err(Refused::ERROR),
        }
    }

    fn disconnect_client(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        command.at_most(2)?;
        let index = self.served(command)?;
        let timeout = number(command, 1, 0..=180, index, Code::INVALID_PARAMETER)?;
        if (1..60).contains(&timeout) {
            return Err(Refused::client(index, Code::INVALID_PARAMETER));
        }
        let client = self.client(index)?;
        if client.acquired.is_none() {
            return Err(Refused::client(index, Code::NOT_ACQUIRED));
        }
        if !is_connected(core, index) {
            let code = if client.operation.is_some() { Code::BUSY } else { Code::NO_CONNECTION };
            return Err(Refused::client(index, code));
        }
        // What waits for an acknowledgement will not get it any more.
        self.conclude(core, index, Code::RECEIVE_FAILED);
        let answer = self.begin(core, command, index, None, None)?;
        let now = core.now;
        if let Some(session) = core.session(index) {
            session.disconnect(now);
        }
        self.client_mut(index)?.not_connected();
        self.conclude(core, index, Code::SUCCEEDED);
        Ok(answer)
    }
}

/// What `AT+CMQTTCONNECT?` prints behind the index.
fn shown(login: &Login) -> String {
    let text = |bytes: &Bytes| format!(",\"{}\"", String::from_utf8_lossy(bytes));
    format!(
        "{},{},{}{}{}",
        text(&login.address),
        login.keep_alive,
        u8::from(login.clean_session),
        login.user.as_ref().map(text).unwrap_or_default(),
        login.password.as_ref().map(text).unwrap_or_default()
    )
}

fn read_login(command: &Command, index: usize) -> Result<(Login, Bytes, u16), Refused> {
    let address = text(command, 1, 9..=256, index)?;
    let keep_alive = medium(number(command, 2, 1..=64_800, index, Code::INVALID_PARAMETER)?);
    let clean_session = number(command, 3, 0..=1, index, Code::INVALID_PARAMETER)? == 1;
    let user = opt_text(command, 4, 1..=LONGEST_LOGIN, index)?;
    let password = opt_text(command, 5, 1..=LONGEST_LOGIN, index)?;
    // MQTT 3.1.1 has no password without a user name [MQTT 3.1.1 §3.1.2.9].
    if user.is_none() && password.is_some() {
        return Err(Refused::ERROR);
    }
    let (host, port) = split_address(&address).ok_or(Refused::client(index, Code::INVALID_PARAMETER))?;
    Ok((Login { address, keep_alive, clean_session, user, password }, host, port))
}

fn split_address(address: &Bytes) -> Option<(Bytes, u16)> {
    let rest = address.strip_prefix(SCHEME)?;
    let (host, port) = match rest.iter().rposition(|byte| *byte == b':') {
        None => (rest, DEFAULT_PORT),
        Some(colon) => {
            let (host, port) = rest.split_at_checked(colon)?;
            let digits = std::str::from_utf8(port.get(1..)?).ok()?;
            if digits.starts_with('+') {
                return None;
            }
            (host, digits.parse().ok().filter(|port| *port > 0)?)
        }
    };
    let valid = !host.is_empty() && host.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/');
    valid.then(|| (Bytes::copy_from_slice(host), port))
}

/// "The max timeout interval of sending or receiving data operation" is the time CONNACK has
/// [A7600 MQTT 1.00 §2.1.17].
fn timing(core: &Core, client: &Client, login: &Login) -> Timing {
    let packet = Duration::from_secs(client.settings.operation_timeout.into());
    Timing {
        open: Duration::ZERO,
        packet: core.scaled(packet),
        attempts: 1,
        keep_alive: Some(core.scaled(Duration::from_secs(login.keep_alive.into()))),
        ping: core.scaled(PING_INTERVAL),
    }
}

/// `<err>` for a socket that does not open.
pub(super) fn dial_code(why: DialFailure) -> Code {
    match why {
        DialFailure::NameUnknown => Code::DNS,
        DialFailure::Refused => Code::SOCKET_CONNECT_FAILED,
        DialFailure::TimedOut => Code::TIMED_OUT,
        DialFailure::Handshake => Code::HANDSHAKE_FAILED,
    }
}
