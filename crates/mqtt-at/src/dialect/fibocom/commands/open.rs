//! `AT+MQTTOPEN`: the connection to the broker [Fibocom MQTT 1.2.6 §1.2].

use std::time::Duration;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Refusal, Reply};

use super::status::{self, Status};
use super::{client_list, shown};
use crate::command::{Command, Unreadable};
use crate::dialect::fibocom::facts::{self, timeout};
use crate::dialect::ranges::{in_range, whole_seconds};
use crate::error::{Error, InputError};

const OPEN: &str = "+MQTTOPEN";
/// How the manual spells the name in the answer of the test form.
const MISSPELT: &str = "+MPQTTOPEN";

/// Connects a client to a broker: network connection and CONNECT in one [Fibocom MQTT 1.2.6 §1.2].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttOpen};
///
/// let command = MqttOpen::new(1, "broker.example.com", 1883);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTOPEN=1,"broker.example.com",1883,1,120"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttOpen {
    client: u8,
    host: String,
    port: u16,
    clean_session: bool,
    keep_alive: Duration,
    timeout: Duration,
}

impl MqttOpen {
    /// Connects a client (1 or 2) to a host (at most 255 bytes) and port (from 1), with a clean session and a
    /// keep-alive of 120 s.
    pub fn new(client: u8, host: impl Into<String>, port: u16) -> Self {
        Self {
            client,
            host: host.into(),
            port,
            clean_session: true,
            keep_alive: Duration::from_secs(120),
            timeout: timeout::OPEN,
        }
    }

    /// Whether the broker forgets subscriptions and waiting messages. Default: yes.
    #[must_use]
    pub fn clean_session(mut self, clean: bool) -> Self {
        self.clean_session = clean;
        self
    }

    /// How long the connection may be silent before the module sends a ping: 1 to 300 whole seconds. Default: 120 s.
    #[must_use]
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = interval;
        self
    }

    /// How long the result is waited for. Default: 60 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks which clients can be connected, because they are not yet.
    pub fn read() -> ReadOpen {
        ReadOpen
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestOpen {
        TestOpen
    }
}

impl Command for MqttOpen {
    type Answer = Status;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let line = CommandLine::write(OPEN)
            .integer(client)
            .quoted("the host", &self.host, facts::TEXT, facts::HOST)?
            .integer(in_range("the port", u64::from(self.port), 1..=65_535)?)
            .integer(self.clean_session)
            .integer(whole_seconds("the keep-alive", self.keep_alive, facts::KEEP_ALIVE)?)
            .finish();
        let result = status::deferred(&[OPEN], client, self.timeout).shared_key();
        // The reason of a refusal may come in the place of the result, while other commands are in flight.
        let result = result.refused_by(facts::is_refusal);
        Ok(Exchange::new(line).timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<Status, Unreadable> {
        status::status(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Asks which clients can be connected; see [`MqttOpen::read`].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttOpen};
///
/// let command = MqttOpen::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTOPEN?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOpen;

impl ReadOpen {
    /// The same question, whose answer goes to the rules.
    pub(in super::super) fn question() -> Exchange {
        Exchange::new(CommandLine::read(OPEN)).timeout(timeout::SETTING)
    }
}

/// The free clients of a line of the answer.
pub(in super::super) fn free_clients(line: &[u8]) -> Option<Vec<u8>> {
    client_list(line, OPEN)
}

impl Command for ReadOpen {
    /// The free clients.
    type Answer = Vec<u8>;

    fn operation(&self) -> Result<Operation, InputError> {
        let shape = |line: &[u8]| free_clients(line).is_some();
        Ok(Self::question().answer(Answer::Shaped(OPEN, shape)).into())
    }

    /// Free clients stand in one line or in a line each.
    fn read(&self, reply: &Reply) -> Result<Vec<u8>, Unreadable> {
        let lists = reply.lines.iter().map(|line| free_clients(line).ok_or(Unreadable));
        Ok(lists.collect::<Result<Vec<_>, _>>()?.concat())
    }
}

/// Asks for the ranges of the arguments; see [`MqttOpen::test`].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttOpen};
///
/// let command = MqttOpen::test();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTOPEN=?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestOpen;

impl Command for TestOpen {
    /// The parameters of each line of the answer. The manual spells the name in it `+MPQTTOPEN`; both spellings are
    /// taken.
    type Answer = Vec<String>;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Exchange::new(CommandLine::test(OPEN)).answer(Answer::Text).timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<String>, Unreadable> {
        let parameters = |line: &[u8]| {
            let fields = Fields::of(line, OPEN).or_else(|| Fields::of(line, MISSPELT));
            fields.map(|fields| shown(fields.rest()))
        };
        Ok(reply.lines.iter().filter_map(|line| parameters(line)).collect())
    }
}
