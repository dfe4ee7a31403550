//! `AT+MQTTCONN` and `AT+MQTTCLEAN`: the connection to the broker [ESP-AT MQTT, MQTTCONN, MQTTCLEAN].

use std::time::Duration;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Deferred, Exchange, Operation, Refusal, Reply};

use super::{client, command, done, text};
use crate::command::{Command, Unreadable};
use crate::dialect::esp::facts::{self, timeout};
use crate::dialect::ranges::in_range;
use crate::error::{Error, InputError};

/// Connects to the broker [ESP-AT MQTT, MQTTCONN]. It is done when the module has said `+MQTTCONNECTED` and `OK`, and
/// the module does not reconnect by itself.
///
/// ```
/// use mqtt_at::{Command, esp::MqttConn};
///
/// let command = MqttConn::new("broker.example.com", 1883);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTCONN=0,"broker.example.com",1883,0"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttConn {
    host: String,
    port: u16,
    timeout: Duration,
}

impl MqttConn {
    /// The broker on this host (at most 128 bytes) and port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, timeout: timeout::CONNECT }
    }

    /// How long the final result is waited for. Default: 60 s. A module that is still connecting takes no other command.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the state of the connection.
    pub fn read() -> ReadConn {
        ReadConn
    }

    /// The same question, whose answer goes to the rules.
    pub(in super::super) fn question() -> Exchange {
        Exchange::new(CommandLine::read(facts::CONNECTION)).timeout(timeout::COMMAND)
    }
}

impl Command for MqttConn {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        const HOST: &str = "the host";
        if self.host.is_empty() {
            return Err(InputError::Missing { field: HOST });
        }
        let line = text(client(facts::CONNECTION), HOST, self.host.as_bytes(), facts::HOST)?
            .integer(in_range("the port", self.port, 1..=u16::MAX)?)
            .integer(0);
        let connected = Deferred::new(&[facts::CONNECTED], [i64::from(facts::CLIENT)], timeout::CONNECTED);
        Ok(command(line)?.timeout(self.timeout).deferred(connected.ended_by(facts::DISCONNECTED)))
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Asks for the state of the connection; see [`MqttConn::read`].
///
/// ```
/// use mqtt_at::{Command, esp::MqttConn};
///
/// let command = MqttConn::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTCONN?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadConn;

/// The state of the client [ESP-AT MQTT, MQTTCONN].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// There is no client.
    Uninitialised,
    /// [`MqttUserCfg`](super::MqttUserCfg) was sent.
    Named,
    /// [`MqttConnCfg`](super::MqttConnCfg) was sent.
    Configured,
    /// The connection has ended.
    Disconnected,
    /// There is a connection.
    Connected,
    /// The same, without any subscription.
    Unsubscribed,
    /// The same, with subscriptions.
    Subscribed,
}

impl ConnectionState {
    /// Whether there is a connection.
    pub fn is_connected(self) -> bool {
        matches!(self, Self::Connected | Self::Unsubscribed | Self::Subscribed)
    }

    /// Reads `+MQTTCONN:client,state,…`.
    pub(in super::super) fn of(line: &[u8]) -> Option<Self> {
        let mut fields = Fields::of(line, facts::CONNECTION)?;
        fields.integer().filter(|client| *client == i64::from(facts::CLIENT))?;
        Some(match fields.integer()? {
            0 => Self::Uninitialised,
            1 => Self::Named,
            2 => Self::Configured,
            3 => Self::Disconnected,
            4 => Self::Connected,
            5 => Self::Unsubscribed,
            6 => Self::Subscribed,
            _ => return None,
        })
    }
}

impl Command for ReadConn {
    type Answer = ConnectionState;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(MqttConn::question().answer(Answer::Named(facts::CONNECTION)).into())
    }

    fn read(&self, reply: &Reply) -> Result<ConnectionState, Unreadable> {
        reply.lines.iter().find_map(|line| ConnectionState::of(line)).ok_or(Unreadable)
    }
}

/// Ends the connection and frees the client [ESP-AT MQTT, MQTTCLEAN].
///
/// ```
/// use mqtt_at::{Command, esp::MqttClean};
///
/// let command = MqttClean;
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTCLEAN=0");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MqttClean;

impl MqttClean {
    pub(in super::super) fn exchange() -> Exchange {
        let line = client("+MQTTCLEAN").finish();
        Exchange::new(line).answer(Answer::Text).timeout(timeout::COMMAND)
    }
}

impl Command for MqttClean {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Self::exchange().into())
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}
