//! `AT+MQTTPUB`, with the payload behind a prompt or in the command line [Fibocom MQTT 1.2.6 §1.7].

use std::time::Duration;

use at_codec::{CommandLine, WriteLine};
use at_port::{Exchange, Operation, PromptForm, Refusal, Reply};
use bytes::Bytes;

use super::status::{self, Status};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::fibocom::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::qos::QoS;

const PUB: &str = "+MQTTPUB";

/// Publishes a payload of 1 to 1024 bytes, whatever they are [Fibocom MQTT 1.2.6 §1.7].
///
/// The command states the size, and the payload follows the module's prompt. The manual says there that data is sent
/// "in HEX", and counts bytes; the payload is sent as it is, as drivers of real modules do.
///
/// ```
/// use mqtt_at::{Command, QoS, fibocom::MqttPub};
///
/// let command = MqttPub::new(1, "site/7/up", "hello").qos(QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTPUB=1,"site/7/up",1,0,5"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttPub {
    client: u8,
    topic: String,
    payload: Bytes,
    qos: QoS,
    retain: bool,
    timeout: Duration,
}

impl MqttPub {
    /// Publishes for a client (1 or 2) with QoS 0, not retained. The topic has 1 to 255 bytes of printable ASCII.
    pub fn new(client: u8, topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            client,
            topic: topic.into(),
            payload: payload.into(),
            qos: QoS::AtMostOnce,
            retain: false,
            timeout: timeout::ACKNOWLEDGEMENT,
        }
    }

    /// The quality of service.
    #[must_use]
    pub fn qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// Whether the broker keeps it for later subscribers. Default: no.
    #[must_use]
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    /// How long the result is waited for. Default: 40 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(PUB)
    }
}

impl Command for MqttPub {
    type Answer = Status;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let length = match self.payload.len() {
            0 => return Err(InputError::PayloadEmpty),
            got if got > facts::PAYLOAD => {
                return Err(InputError::PayloadTooLarge { got, max: facts::PAYLOAD });
            }
            got => got as i64,
        };
        let line = head(client, &self.topic, self.qos, self.retain)?.integer(length).finish();
        let result = status::deferred(&[PUB], client, self.timeout).shared_key();
        let exchange = Exchange::new(line).data(PromptForm::Mark, self.payload.clone(), timeout::PROMPT);
        Ok(exchange.timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<Status, Unreadable> {
        status::status(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Publishes a text of at most 1024 bytes that stands in the command [Fibocom MQTT 1.2.6 §1.7].
///
/// The manual takes printable ASCII and knows no escapes; L610 modules take `\"` for a quote. So quotes, `\`, control
/// characters and everything beyond ASCII are refused here. The library itself publishes with [`MqttPub`].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttPubInline};
///
/// let command = MqttPubInline::new(1, "site/7/up", "hello").retain(true);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTPUB=1,"site/7/up",0,1,"hello""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttPubInline {
    client: u8,
    topic: String,
    message: String,
    qos: QoS,
    retain: bool,
    timeout: Duration,
}

impl MqttPubInline {
    /// Publishes for a client (1 or 2) with QoS 0, not retained. The topic has 1 to 255 bytes of printable ASCII; the
    /// message may be empty.
    pub fn new(client: u8, topic: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            client,
            topic: topic.into(),
            message: message.into(),
            qos: QoS::AtMostOnce,
            retain: false,
            timeout: timeout::ACKNOWLEDGEMENT,
        }
    }

    /// The quality of service.
    #[must_use]
    pub fn qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// Whether the broker keeps it for later subscribers. Default: no.
    #[must_use]
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    /// How long the result is waited for. Default: 40 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Command for MqttPubInline {
    type Answer = Status;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let line = head(client, &self.topic, self.qos, self.retain)?
            .quoted("the message", &self.message, facts::TEXT, facts::PAYLOAD)?
            .finish();
        let result = status::deferred(&[PUB], client, self.timeout).shared_key();
        Ok(Exchange::new(line).timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<Status, Unreadable> {
        status::status(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Client, topic, quality of service and retain flag.
fn head(client: i64, topic: &str, qos: QoS, retain: bool) -> Result<WriteLine, InputError> {
    const FIELD: &str = "the topic";
    if topic.is_empty() {
        return Err(InputError::Missing { field: FIELD });
    }
    let line = CommandLine::write(PUB).integer(client).quoted(FIELD, topic, facts::TEXT, facts::TOPIC)?;
    Ok(line.integer(qos.level()).integer(retain))
}
