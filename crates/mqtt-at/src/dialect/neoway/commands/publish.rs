//! `AT+MQTTPUBS`, with the payload behind a prompt, and `AT+MQTTPUB`, with the payload in the command line
//! [Neoway MQTT 1.2 §5.6, §5.7].

use at_codec::{CommandLine, WriteLine};
use at_port::{Exchange, Operation, PromptForm, Refusal, Reply};
use bytes::Bytes;

use super::super::facts::{self, timeout};
use crate::command::{Command, Unreadable};
use crate::error::{Error, InputError};
use crate::qos::QoS;

const PUBS: &str = "+MQTTPUBS";
const PUB: &str = "+MQTTPUB";
const TOPIC: &str = "the topic";

/// Publishes a payload of 1 to 10 240 bytes, whatever they are [Neoway MQTT 1.2 §5.7].
///
/// The final result comes when the message is published. A payload that did not get to the module within 30 s, because
/// bytes were lost on the line, is refused and was not sent.
///
/// ```
/// use mqtt_at::{Command, QoS, neoway::MqttPubs};
///
/// let command = MqttPubs::new("site/7/up", "hello").qos(QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTPUBS=0,1,"site/7/up",5"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttPubs {
    topic: String,
    payload: Bytes,
    qos: QoS,
    retain: bool,
}

impl MqttPubs {
    /// Publishes with QoS 0, not retained. The topic has at most 128 bytes.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), payload: payload.into(), qos: QoS::AtMostOnce, retain: false }
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
}

impl Command for MqttPubs {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let length = payload_length(&self.payload, facts::PAYLOAD)?;
        let line = head(PUBS, self.retain, self.qos, &self.topic)?.integer(length).finish();
        let exchange = Exchange::new(line).data(PromptForm::Mark, self.payload.clone(), timeout::PROMPT);
        Ok(exchange.timeout(timeout::PUBLISH).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Publishes a text of at most 1024 bytes [Neoway MQTT 1.2 §5.6].
///
/// It stands in the command in quotes. The manual says that special characters have to be escaped, but not how
/// [Neoway MQTT 1.2 §B.6]: quotes, `\`, control characters and everything beyond ASCII are refused here. The library
/// itself publishes with [`MqttPubs`].
///
/// ```
/// use mqtt_at::{Command, neoway::MqttPub};
///
/// let command = MqttPub::new("site/7/up", "hello").retain(true);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTPUB=1,0,"site/7/up","hello""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttPub {
    topic: String,
    message: String,
    qos: QoS,
    retain: bool,
}

impl MqttPub {
    /// Publishes with QoS 0, not retained. The topic has at most 128 bytes.
    pub fn new(topic: impl Into<String>, message: impl Into<String>) -> Self {
        Self { topic: topic.into(), message: message.into(), qos: QoS::AtMostOnce, retain: false }
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
}

impl Command for MqttPub {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = head(PUB, self.retain, self.qos, &self.topic)?
            .quoted("the message", &self.message, facts::TEXT, facts::INLINE_MESSAGE)?
            .finish();
        Ok(Exchange::new(line).timeout(timeout::PUBLISH).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Retain flag, quality of service and topic.
fn head(name: &'static str, retain: bool, qos: QoS, topic: &str) -> Result<WriteLine, InputError> {
    let line = CommandLine::write(name).integer(retain).integer(qos.level());
    Ok(line.quoted(TOPIC, topic, facts::TEXT, facts::TOPIC)?)
}

/// The length of a payload that follows a prompt.
pub(super) fn payload_length(payload: &Bytes, max: usize) -> Result<i64, InputError> {
    match payload.len() {
        0 => Err(InputError::PayloadEmpty),
        got if got > max => Err(InputError::PayloadTooLarge { got, max }),
        got => Ok(got as i64),
    }
}
