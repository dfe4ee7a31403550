//! `AT+MQTTPUBRAW`: a message whose payload follows a prompt [ESP-AT MQTT, MQTTPUBRAW].

use at_port::{FinalResult, Operation, PromptForm, Refusal, Reply};
use bytes::Bytes;

use super::{client, command, text};
use crate::command::{Command, Unreadable};
use crate::dialect::esp::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::qos::QoS;

/// Publishes a payload of 1 to 8192 bytes, whatever they are [ESP-AT MQTT, MQTTPUBRAW].
///
/// An `OK` in front of the prompt says that the module takes the payload; `+MQTTPUB:OK` behind it, that the message is
/// published.
///
/// ```
/// use mqtt_at::{Command, QoS, esp::MqttPubRaw};
///
/// let command = MqttPubRaw::new("site/7/up", "hello").qos(QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTPUBRAW=0,"site/7/up",5,1,0"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttPubRaw {
    topic: String,
    payload: Bytes,
    qos: QoS,
    retain: bool,
}

impl MqttPubRaw {
    /// Publishes with QoS 0, not retained. The topic has at most 128 bytes without quotes.
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

impl Command for MqttPubRaw {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let length = match self.payload.len() {
            0 => return Err(InputError::PayloadEmpty),
            got if got > facts::PAYLOAD => {
                return Err(InputError::PayloadTooLarge { got, max: facts::PAYLOAD });
            }
            got => got as i64,
        };
        let line = text(client("+MQTTPUBRAW"), "the topic", self.topic.as_bytes(), facts::TOPIC)?
            .integer(length)
            .integer(self.qos.level())
            .integer(self.retain);
        let exchange = command(line)?.timeout(timeout::PUBLISH);
        Ok(exchange.data(PromptForm::MarkAfterOk, self.payload.clone(), timeout::PROMPT).into())
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        match reply.result {
            FinalResult::Vendor { .. } => Ok(()),
            _ => Err(Unreadable),
        }
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}
