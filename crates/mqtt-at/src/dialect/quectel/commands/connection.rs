//! `AT+QMTCONN` and `AT+QMTDISC`: a client's connection to the broker [EC200x MQTT 1.0 §3.2.4, §3.2.5].

use std::time::Duration;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Deferred, Exchange, Operation, Reply, Verdict};

use super::open::{CloseResult, close_result};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::quectel::facts::{self, timeout};
use crate::error::InputError;
use crate::secret::Secret;

const CONN: &str = "+QMTCONN";
const DISC: &str = "+QMTDISC";

/// Connects a client to the broker [EC200x MQTT 1.0 §3.2.4].
///
/// ```
/// use mqtt_at::{Command, quectel::QmtConn};
///
/// let command = QmtConn::new(0, "gateway-7").credentials("gw", "secret");
/// assert_eq!(command.operation()?.to_string(), r#"AT+QMTCONN=0,"gateway-7","gw",***"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct QmtConn {
    client: u8,
    identifier: String,
    credentials: Option<(String, Secret)>,
    timeout: Duration,
}

impl QmtConn {
    /// Connects a client (0 to 5), whose network connection is open, under a client identifier.
    pub fn new(client: u8, identifier: impl Into<String>) -> Self {
        Self { client, identifier: identifier.into(), credentials: None, timeout: timeout::ACKNOWLEDGEMENT }
    }

    /// User name and password. Default: none.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials = Some((user.into(), password.into()));
        self
    }

    /// How long the result, or a notice of retransmission, is waited for. Default: 27.5 s, for the module's
    /// defaults of 5 s and 3 retries.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(CONN)
    }

    /// Asks for the state of each client.
    pub fn read() -> ReadConn {
        ReadConn
    }
}

impl Command for QmtConn {
    type Answer = ConnectResult;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let identifier = "the client identifier";
        let mut line = CommandLine::write(CONN).integer(client).quoted(
            identifier,
            &self.identifier,
            facts::TEXT,
            facts::CLIENT_IDENTIFIER,
        )?;
        if let Some((user, password)) = &self.credentials {
            line = line.quoted("the user name", user, facts::TEXT, facts::USER)?.secret(
                "the password",
                password.expose(),
                facts::TEXT,
                facts::PASSWORD,
            )?;
        }
        let result = Deferred::new(&[CONN], [client], self.timeout)
            .judge(|fields| match fields.integer() {
                Some(1) => Verdict::Interim,
                Some(_) => Verdict::Final,
                None => Verdict::NotThis,
            })
            .ended_by(facts::QMTSTAT);
        Ok(Exchange::new(line.finish()).timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<ConnectResult, Unreadable> {
        reply.deferred.as_deref().and_then(connect_result).ok_or(Unreadable)
    }
}

/// The result of connecting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectResult {
    /// The broker accepted.
    Accepted,
    /// The broker refused, with MQTT's return code: 1 protocol version, 2 identifier, 3 server unavailable,
    /// 4 user name or password, 5 not authorized.
    Refused(u16),
    /// The packet could not be sent, or was not answered; with the module's result, 2.
    Failed(i64),
}

/// Reads `+QMTCONN: client,result[,return code]`. Some firmware leaves the return code out when it is 0.
pub(in super::super) fn connect_result(line: &[u8]) -> Option<ConnectResult> {
    let mut fields = Fields::of(line, CONN)?;
    fields.integer()?;
    let result = fields.integer()?;
    let code = fields.integer().unwrap_or(0);
    Some(match (result, u16::try_from(code)) {
        (0, Ok(0)) => ConnectResult::Accepted,
        (_, Ok(code @ 1..)) => ConnectResult::Refused(code),
        _ => ConnectResult::Failed(result),
    })
}

/// Asks for the state of each client; see [`QmtConn::read`].
///
/// ```
/// use mqtt_at::{Command, quectel::QmtConn};
///
/// let command = QmtConn::read();
/// assert_eq!(command.operation()?.to_string(), "AT+QMTCONN?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadConn;

/// The state of a client's connection [EC200x MQTT 1.0 §3.2.4].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// 1: MQTT is initializing.
    Initializing,
    /// 2: connecting.
    Connecting,
    /// 3: connected.
    Connected,
    /// 4: disconnecting.
    Disconnecting,
}

impl Command for ReadConn {
    type Answer = Vec<(u8, ConnectionState)>;

    fn operation(&self) -> Result<Operation, InputError> {
        let shape = |line: &[u8]| connection_state(line).is_some();
        let exchange = Exchange::new(CommandLine::read(CONN));
        Ok(exchange.answer(Answer::Shaped(CONN, shape)).timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<(u8, ConnectionState)>, Unreadable> {
        reply.lines.iter().map(|line| connection_state(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+QMTCONN: client,state`; a result has 0 for the state or goes on.
fn connection_state(line: &[u8]) -> Option<(u8, ConnectionState)> {
    let mut fields = Fields::of(line, CONN)?;
    let client = fields.integer()?.try_into().ok()?;
    let state = match fields.integer()? {
        1 => ConnectionState::Initializing,
        2 => ConnectionState::Connecting,
        3 => ConnectionState::Connected,
        4 => ConnectionState::Disconnecting,
        _ => return None,
    };
    fields.is_empty().then_some((client, state))
}

/// Disconnects a client from the broker with a farewell [EC200x MQTT 1.0 §3.2.5].
///
/// ```
/// use mqtt_at::{Command, quectel::QmtDisc};
///
/// let command = QmtDisc::new(0);
/// assert_eq!(command.operation()?.to_string(), "AT+QMTDISC=0");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QmtDisc {
    client: u8,
}

impl QmtDisc {
    /// Disconnects a client, 0 to 5. The network connection is closed, too.
    pub fn new(client: u8) -> Self {
        Self { client }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(DISC)
    }
}

impl Command for QmtDisc {
    type Answer = CloseResult;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let line = CommandLine::write(DISC).integer(client).finish();
        let result = Deferred::new(&[DISC], [client], timeout::CLOSE).ended_by(facts::QMTSTAT);
        Ok(Exchange::new(line).timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<CloseResult, Unreadable> {
        reply.deferred.as_deref().and_then(|line| close_result(line, DISC)).ok_or(Unreadable)
    }
}
