//! A message to publish: its topic, its payload, and the word to send it [A7600 MQTT 1.00 §2.1.10 to §2.1.12].

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{Deferred, Exchange, Operation, Refusal, Reply};
use bytes::Bytes;

use super::result::{self, ResultCode, result_of};
use super::staged::Staged;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::ranges::whole_seconds;
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::qos::QoS;

const TOPIC: &str = "+CMQTTTOPIC";
const PAYLOAD: &str = "+CMQTTPAYLOAD";
const PUB: &str = "+CMQTTPUB";

/// Gives the module the topic of the next message of a client: 1 to 1024 bytes, whatever they are
/// [A7600 MQTT 1.00 §2.1.10].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttTopic};
///
/// let command = CmqttTopic::new(0, "site/7/up");
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTTOPIC=0,9");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttTopic {
    client: u8,
    topic: Bytes,
}

impl CmqttTopic {
    /// The topic of the next message of a client, 0 or 1. Bytes that are not UTF-8 need the check to be switched
    /// off with [`CmqttCfg::check_utf8`](super::CmqttCfg::check_utf8).
    pub fn new(client: u8, topic: impl Into<Bytes>) -> Self {
        Self { client, topic: topic.into() }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(TOPIC)
    }

    pub(in super::super) fn exchange(&self) -> Result<Exchange, InputError> {
        let Self { client, topic: data } = self;
        Staged { name: TOPIC, field: "the topic", client: *client, data, range: facts::TOPIC }
            .exchange(|line| line)
    }
}

impl Command for CmqttTopic {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(self.exchange()?.into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Gives the module the payload of the next message of a client: 1 to 10 240 bytes, whatever they are
/// [A7600 MQTT 1.00 §2.1.11].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttPayload};
///
/// let command = CmqttPayload::new(0, "hello");
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTPAYLOAD=0,5");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttPayload {
    client: u8,
    payload: Bytes,
}

impl CmqttPayload {
    /// The payload of the next message of a client, 0 or 1. A message without this command has an empty one.
    pub fn new(client: u8, payload: impl Into<Bytes>) -> Self {
        Self { client, payload: payload.into() }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(PAYLOAD)
    }

    pub(in super::super) fn exchange(&self) -> Result<Exchange, InputError> {
        let Self { client, payload: data } = self;
        let (got, max) = (data.len(), *facts::PAYLOAD.end());
        match got {
            0 => return Err(InputError::PayloadEmpty),
            got if got > max => return Err(InputError::PayloadTooLarge { got, max }),
            _ => {}
        }
        Staged { name: PAYLOAD, field: "the payload", client: *client, data, range: facts::PAYLOAD }
            .exchange(|line| line)
    }
}

impl Command for CmqttPayload {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(self.exchange()?.into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Publishes the message whose topic and payload were given before; the module then forgets them
/// [A7600 MQTT 1.00 §2.1.12].
///
/// A client publishes one message at a time.
///
/// ```
/// use mqtt_at::{Command, QoS, simcom::CmqttPub};
///
/// let command = CmqttPub::new(0, QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTPUB=0,1,60");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CmqttPub {
    client: u8,
    qos: QoS,
    limit: Duration,
    retain: bool,
    duplicate: bool,
}

impl CmqttPub {
    /// Publishes for a client (0 or 1) with this quality of service, not retained.
    pub fn new(client: u8, qos: QoS) -> Self {
        let limit = Duration::from_secs(*facts::PUBLISH_TIMEOUT.start());
        Self { client, qos, limit, retain: false, duplicate: false }
    }

    /// How long the module waits for the broker, 60 to 180 whole seconds. Default: 60 s.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Whether the broker keeps it for later subscribers. Default: no.
    #[must_use]
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    /// Whether it is marked as sent before. Default: no.
    #[must_use]
    pub fn duplicate(mut self, duplicate: bool) -> Self {
        self.duplicate = duplicate;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(PUB)
    }

    pub(in super::super) fn exchange(&self) -> Result<Exchange, InputError> {
        let mut line = CommandLine::write(PUB)
            .integer(facts::client(self.client)?)
            .integer(self.qos.level())
            .integer(whole_seconds("the time to publish", self.limit, facts::PUBLISH_TIMEOUT)?);
        if self.retain || self.duplicate {
            line = line.integer(self.retain);
        }
        if self.duplicate {
            line = line.integer(1);
        }
        Ok(Exchange::new(line.finish()).timeout(timeout::ACCEPTED))
    }

    pub(in super::super) fn result(&self) -> Deferred {
        let timeout = facts::result_timeout(self.limit);
        result::deferred(&[PUB], [i64::from(self.client)], timeout).shared_key()
    }
}

impl Command for CmqttPub {
    type Answer = ResultCode;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(self.exchange()?.deferred(self.result()))
    }

    fn read(&self, reply: &Reply) -> Result<ResultCode, Unreadable> {
        result_of(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}
