//! `AT+MQTTCONN` and `AT+MQTTDISCONN`: the connection to the broker [Neoway MQTT 1.2 §5.3, §5.8].

use std::time::Duration;

use at_codec::{CommandLine, Fields};
use at_port::{Exchange, Operation, Refusal, Reply};

use super::{question, shown};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::neoway::facts::{self, timeout};
use crate::dialect::ranges::{in_range, whole_seconds};
use crate::error::{Error, InputError};

const CONN: &str = "+MQTTCONN";
const DISCONN: &str = "+MQTTDISCONN";

/// Connects to the broker [Neoway MQTT 1.2 §5.3]. The final result comes when the broker has accepted the client.
///
/// ```
/// use mqtt_at::{Command, neoway::MqttConn};
/// use std::time::Duration;
///
/// let command = MqttConn::new("broker.example.com", 1883).keep_alive(Duration::from_secs(60));
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTCONN="broker.example.com:1883",1,60"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttConn {
    host: String,
    port: u16,
    clean: bool,
    keep_alive: Duration,
    timeout: Duration,
}

impl MqttConn {
    /// The broker on this host (at most 253 bytes) and port, with a clean session and a keep-alive interval of 60 s.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        let (clean, keep_alive) = (true, Duration::from_secs(60));
        Self { host: host.into(), port, clean, keep_alive, timeout: timeout::CONNECT }
    }

    /// Whether the broker forgets subscriptions and waiting messages of earlier connections. Default: yes.
    #[must_use]
    pub fn clean_session(mut self, clean: bool) -> Self {
        self.clean = clean;
        self
    }

    /// How long the connection may be silent: 20 to 180 whole seconds. Default: 60 s.
    #[must_use]
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = interval;
        self
    }

    /// How long the final result is waited for. Default: 90 s, for the module's own 60 s. A module that is still
    /// connecting takes no other command.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the parameters of the connection.
    pub fn read() -> ReadConn {
        ReadConn
    }

    /// Asks whether the firmware knows the command; the answer has no lines.
    pub fn test() -> TestForm {
        TestForm::of(CONN)
    }
}

impl Command for MqttConn {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let address = address(&self.host, self.port)?;
        let line = CommandLine::write(CONN)
            .quoted(HOST, address, facts::TEXT, facts::ADDRESS)?
            .integer(self.clean)
            .integer(whole_seconds("the keep-alive interval", self.keep_alive, facts::KEEP_ALIVE)?)
            .finish();
        Ok(Exchange::new(line).timeout(self.timeout).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

const HOST: &str = "the host";

/// Host and port in one string, which is split at its colon.
pub(super) fn address(host: &str, port: u16) -> Result<String, InputError> {
    if host.is_empty() {
        return Err(InputError::Missing { field: HOST });
    }
    if host.contains(':') {
        let problem = "holds a colon, behind which the module expects the port".into();
        return Err(InputError::Malformed { field: HOST, problem });
    }
    in_range("the port", port, 1..=u16::MAX)?;
    Ok(format!("{host}:{port}"))
}

/// Asks for the parameters of the connection; see [`MqttConn::read`].
///
/// ```
/// use mqtt_at::{Command, neoway::MqttConn};
///
/// let command = MqttConn::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTCONN?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadConn;

/// The parameters of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// Host and port, with a colon between.
    pub address: String,
    /// Whether the session is clean.
    pub clean_session: bool,
    /// The keep-alive interval.
    pub keep_alive: Duration,
}

impl Command for ReadConn {
    type Answer = Option<ConnectionSettings>;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(CONN).into())
    }

    /// Before the first connection there may be no line.
    fn read(&self, reply: &Reply) -> Result<Option<ConnectionSettings>, Unreadable> {
        let Some(line) = reply.first_line() else { return Ok(None) };
        Fields::of(line, CONN).and_then(settings).map(Some).ok_or(Unreadable)
    }
}

fn settings(mut fields: Fields<'_>) -> Option<ConnectionSettings> {
    let address = shown(fields.text()?);
    let clean_session = fields.integer()? == 1;
    let keep_alive = Duration::from_secs(fields.integer()?.try_into().ok()?);
    Some(ConnectionSettings { address, clean_session, keep_alive })
}

/// Says farewell to the broker and ends the connection [Neoway MQTT 1.2 §5.8].
///
/// ```
/// use mqtt_at::{Command, neoway::MqttDisconn};
///
/// let command = MqttDisconn;
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTDISCONN");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MqttDisconn;

impl MqttDisconn {
    pub(in super::super) fn exchange() -> Exchange {
        Exchange::new(CommandLine::execute(DISCONN)).timeout(timeout::DISCONNECT)
    }
}

impl Command for MqttDisconn {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Self::exchange().into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}
