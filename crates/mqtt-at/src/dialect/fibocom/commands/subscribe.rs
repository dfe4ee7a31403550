//! `AT+MQTTSUB` and `AT+MQTTUNSUB` [Fibocom MQTT 1.2.6 §1.5, §1.6].

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{Exchange, Operation, Refusal, Reply};

use super::status::{self, Status};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::fibocom::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::qos::QoS;

const SUB: &str = "+MQTTSUB";
const UNSUB: &str = "+MQTTUNSUB";
const FILTER: &str = "the topic filter";

/// Subscribes to a topic filter of at most 255 bytes of printable ASCII [Fibocom MQTT 1.2.6 §1.5].
///
/// ```
/// use mqtt_at::{Command, QoS, fibocom::MqttSub};
///
/// let command = MqttSub::new(1, "site/7/#", QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTSUB=1,"site/7/#",1"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttSub {
    client: u8,
    filter: String,
    qos: QoS,
    timeout: Duration,
}

impl MqttSub {
    /// A subscription of a client (1 or 2) with the quality of service that is asked for. What the broker grants is
    /// not told.
    pub fn new(client: u8, filter: impl Into<String>, qos: QoS) -> Self {
        Self { client, filter: filter.into(), qos, timeout: timeout::ACKNOWLEDGEMENT }
    }

    /// How long the result is waited for. Default: 40 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(SUB)
    }
}

impl Command for MqttSub {
    type Answer = Status;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let line = CommandLine::write(SUB)
            .integer(client)
            .quoted(FILTER, not_empty(&self.filter)?, facts::TEXT, facts::TOPIC)?
            .integer(self.qos.level())
            .finish();
        let result = status::deferred(&[SUB], client, self.timeout).shared_key();
        Ok(Exchange::new(line).timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<Status, Unreadable> {
        status::status(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Ends the subscription to a topic filter [Fibocom MQTT 1.2.6 §1.6].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttUnsub};
///
/// let command = MqttUnsub::new(1, "site/7/#");
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTUNSUB=1,"site/7/#""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttUnsub {
    client: u8,
    filter: String,
    timeout: Duration,
}

impl MqttUnsub {
    /// For a client, 1 or 2.
    pub fn new(client: u8, filter: impl Into<String>) -> Self {
        Self { client, filter: filter.into(), timeout: timeout::ACKNOWLEDGEMENT }
    }

    /// How long the result is waited for. Default: 40 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(UNSUB)
    }
}

impl Command for MqttUnsub {
    type Answer = Status;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let line = CommandLine::write(UNSUB)
            .integer(client)
            .quoted(FILTER, not_empty(&self.filter)?, facts::TEXT, facts::TOPIC)?
            .finish();
        let result = status::deferred(&[UNSUB], client, self.timeout).shared_key();
        Ok(Exchange::new(line).timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<Status, Unreadable> {
        status::status(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Topics have 1 to 255 bytes.
fn not_empty(filter: &str) -> Result<&str, InputError> {
    if filter.is_empty() { Err(InputError::Missing { field: FILTER }) } else { Ok(filter) }
}
