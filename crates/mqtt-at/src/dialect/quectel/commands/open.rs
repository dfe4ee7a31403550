//! `AT+QMTOPEN` and `AT+QMTCLOSE`: the network connection under a client [EC200x MQTT 1.0 §3.2.2, §3.2.3].

use std::time::Duration;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Deferred, Exchange, Operation, Refusal, Reply, Verdict};

use super::setting::text;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::quectel::facts::{self, timeout};
use crate::error::{Error, InputError};

const OPEN: &str = "+QMTOPEN";
const CLOSE: &str = "+QMTCLOSE";

/// Opens the network connection of a client [EC200x MQTT 1.0 §3.2.2].
///
/// ```
/// use mqtt_at::{Command, quectel::QmtOpen};
///
/// let command = QmtOpen::new(0, "broker.example.com", 1883);
/// assert_eq!(command.operation()?.to_string(), r#"AT+QMTOPEN=0,"broker.example.com",1883"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct QmtOpen {
    client: u8,
    host: String,
    port: u16,
    timeout: Duration,
}

impl QmtOpen {
    /// Opens the connection of a client (0 to 5) to a host (at most 100 bytes) and port (from 1).
    pub fn new(client: u8, host: impl Into<String>, port: u16) -> Self {
        Self { client, host: host.into(), port, timeout: timeout::OPEN }
    }

    /// How long the result is waited for. Default: 180 s, half again as long as the manual's maximum.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(OPEN)
    }

    /// Asks which connections are open.
    pub fn read() -> ReadOpen {
        ReadOpen
    }
}

impl Command for QmtOpen {
    type Answer = OpenResult;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let line = CommandLine::write(OPEN)
            .integer(client)
            .quoted("the host", &self.host, facts::TEXT, facts::HOST)?
            .integer(facts::in_range("the port", u64::from(self.port), 1..=65_535)?)
            .finish();
        // Some firmware repeats host and port before the `OK`; the result is the line with a number.
        let result = Deferred::new(&[OPEN], [client], self.timeout).judge(|fields| match fields.integer() {
            Some(_) => Verdict::Final,
            None => Verdict::NotThis,
        });
        Ok(Exchange::new(line).timeout(timeout::OPEN_ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<OpenResult, Unreadable> {
        reply.deferred.as_deref().and_then(open_result).ok_or(Unreadable)
    }

    /// A result may come before the `ERROR`, and is the reason.
    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        let OpenResult::Failed(code) = refusal.deferred.as_deref().and_then(open_result)? else {
            return None;
        };
        Some(facts::refused(&refusal.command, facts::OPEN_RESULTS, code).into())
    }
}

/// The result of opening a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenResult {
    /// It is open; [`QmtConn`](super::QmtConn) has to follow at once, because brokers close idle connections.
    Opened,
    /// It failed, with the module's code: -1 failed, 1 wrong parameter, 2 client in use, 3 no data connection,
    /// 4 name not resolved, 5 broker not reached.
    Failed(i64),
}

impl OpenResult {
    /// The code that says that the client is in use.
    pub(in super::super) const OCCUPIED: Self = Self::Failed(2);
}

/// Reads `+QMTOPEN: client,result`.
pub(in super::super) fn open_result(line: &[u8]) -> Option<OpenResult> {
    let mut fields = Fields::of(line, OPEN)?;
    fields.integer()?;
    Some(match fields.integer()? {
        0 => OpenResult::Opened,
        code => OpenResult::Failed(code),
    })
}

/// Asks which network connections are open; see [`QmtOpen::read`].
///
/// ```
/// use mqtt_at::{Command, quectel::QmtOpen};
///
/// let command = QmtOpen::read();
/// assert_eq!(command.operation()?.to_string(), "AT+QMTOPEN?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadOpen;

/// An open network connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenNetwork {
    /// The client.
    pub client: u8,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Command for ReadOpen {
    type Answer = Vec<OpenNetwork>;

    fn operation(&self) -> Result<Operation, InputError> {
        let shape = |line: &[u8]| open_network(line).is_some();
        let exchange = Exchange::new(CommandLine::read(OPEN));
        Ok(exchange.answer(Answer::Shaped(OPEN, shape)).timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<OpenNetwork>, Unreadable> {
        reply.lines.iter().map(|line| open_network(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+QMTOPEN: client,"host",port`.
fn open_network(line: &[u8]) -> Option<OpenNetwork> {
    let mut fields = Fields::of(line, OPEN)?;
    let client = fields.integer()?.try_into().ok()?;
    // A result has a number here.
    if fields.clone().integer().is_some() {
        return None;
    }
    Some(OpenNetwork { client, host: text(&mut fields)?, port: fields.integer()?.try_into().ok()? })
}

/// Closes the network connection of a client [EC200x MQTT 1.0 §3.2.3].
///
/// ```
/// use mqtt_at::{Command, quectel::QmtClose};
///
/// let command = QmtClose::new(0);
/// assert_eq!(command.operation()?.to_string(), "AT+QMTCLOSE=0");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QmtClose {
    client: u8,
}

impl QmtClose {
    /// Closes the connection of a client, 0 to 5.
    pub fn new(client: u8) -> Self {
        Self { client }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(CLOSE)
    }
}

impl Command for QmtClose {
    type Answer = CloseResult;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let line = CommandLine::write(CLOSE).integer(client).finish();
        let result = Deferred::new(&[CLOSE], [client], timeout::CLOSE);
        Ok(Exchange::new(line).timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<CloseResult, Unreadable> {
        reply.deferred.as_deref().and_then(|line| close_result(line, CLOSE)).ok_or(Unreadable)
    }
}

/// The result of closing a connection, also of [`QmtDisc`](super::QmtDisc).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseResult {
    /// It is closed.
    Closed,
    /// It could not be closed, with the module's code: -1.
    Failed(i64),
}

/// Reads `NAME: client,result`.
pub(super) fn close_result(line: &[u8], name: &str) -> Option<CloseResult> {
    let mut fields = Fields::of(line, name)?;
    fields.integer()?;
    Some(match fields.integer()? {
        0 => CloseResult::Closed,
        code => CloseResult::Failed(code),
    })
}
