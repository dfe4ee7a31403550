//! `AT+MQTTCLOSE`: the end of a connection [Fibocom MQTT 1.2.6 §1.3].

use at_codec::CommandLine;
use at_port::{Answer, Exchange, Operation, Refusal, Reply};

use super::client_list;
use super::status::{self, Status};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::fibocom::facts::{self, timeout};
use crate::error::{Error, InputError};

const CLOSE: &str = "+MQTTCLOSE";

/// Disconnects a client from its broker [Fibocom MQTT 1.2.6 §1.3].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttClose};
///
/// let command = MqttClose::new(1);
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTCLOSE=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MqttClose {
    client: u8,
}

impl MqttClose {
    /// Disconnects a client, 1 or 2.
    pub fn new(client: u8) -> Self {
        Self { client }
    }

    /// Asks for clients that can be closed, or are closed: the manual says both. [`MqttOpen::read`] leaves no doubt.
    ///
    /// [`MqttOpen::read`]: super::MqttOpen::read
    pub fn read() -> ReadClose {
        ReadClose
    }

    /// Asks for the range of the argument.
    pub fn test() -> TestForm {
        TestForm::of(CLOSE)
    }

    /// The command without a wait for its result.
    pub(in super::super) fn exchange(self) -> Exchange {
        Exchange::new(CommandLine::write(CLOSE).integer(self.client).finish()).timeout(timeout::ACCEPTED)
    }
}

impl Command for MqttClose {
    type Answer = Status;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        Ok(self.exchange().deferred(status::deferred(&[CLOSE], client, timeout::CLOSE)))
    }

    fn read(&self, reply: &Reply) -> Result<Status, Unreadable> {
        status::status(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Asks for clients; see [`MqttClose::read`].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttClose};
///
/// let command = MqttClose::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTCLOSE?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadClose;

impl Command for ReadClose {
    /// The clients that are listed.
    type Answer = Vec<u8>;

    fn operation(&self) -> Result<Operation, InputError> {
        let shape = |line: &[u8]| client_list(line, CLOSE).is_some();
        let exchange = Exchange::new(CommandLine::read(CLOSE));
        Ok(exchange.answer(Answer::Shaped(CLOSE, shape)).timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<u8>, Unreadable> {
        let lists = reply.lines.iter().map(|line| client_list(line, CLOSE).ok_or(Unreadable));
        Ok(lists.collect::<Result<Vec<_>, _>>()?.concat())
    }
}
