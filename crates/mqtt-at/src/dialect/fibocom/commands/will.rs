//! `AT+MQTTWILL`: what the broker publishes when the connection is lost [Fibocom MQTT 1.2.6 §1.12].

use at_codec::{CommandLine, Fields};
use at_port::{Operation, Refusal, Reply};
use bytes::Bytes;

use super::{question, setting, shown};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::fibocom::facts;
use crate::error::{Error, InputError};
use crate::qos::QoS;

const WILL: &str = "+MQTTWILL";

/// Sets the will of the next connection of a client [Fibocom MQTT 1.2.6 §1.12].
///
/// The message stands in the command in quotes, and the manual knows no escapes: it is printable ASCII without quotes
/// and `\`, of at most 1024 bytes. The manual has no way to take a will back.
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttWill};
///
/// let command = MqttWill::new(1, "site/7/state", "gone").retain(true);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTWILL=1,"site/7/state",0,1,"gone""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttWill {
    client: u8,
    topic: String,
    message: Bytes,
    qos: QoS,
    retain: bool,
}

impl MqttWill {
    /// A will of a client (1 or 2) with QoS 0, not retained. The topic has 1 to 255 bytes.
    pub fn new(client: u8, topic: impl Into<String>, message: impl Into<Bytes>) -> Self {
        Self { client, topic: topic.into(), message: message.into(), qos: QoS::AtMostOnce, retain: false }
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

    /// Asks for the wills that are set.
    pub fn read() -> ReadWill {
        ReadWill
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(WILL)
    }
}

impl Command for MqttWill {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        const TOPIC: &str = "the topic of the will";
        if self.topic.is_empty() {
            return Err(InputError::Missing { field: TOPIC });
        }
        let line = CommandLine::write(WILL)
            .integer(facts::client(self.client)?)
            .quoted(TOPIC, &self.topic, facts::TEXT, facts::TOPIC)?
            .integer(self.qos.level())
            .integer(self.retain)
            .quoted("the message of the will", &self.message, facts::TEXT, facts::WILL_MESSAGE)?
            .finish();
        Ok(setting(line))
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Asks for the wills that are set; see [`MqttWill::read`].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttWill};
///
/// let command = MqttWill::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTWILL?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadWill;

/// A will that the module has stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWill {
    /// The client.
    pub client: u8,
    /// The topic.
    pub topic: String,
    /// The quality of service.
    pub qos: QoS,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// The message.
    pub message: Bytes,
}

impl Command for ReadWill {
    type Answer = Vec<StoredWill>;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(WILL).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<StoredWill>, Unreadable> {
        let stored = |line: &[u8]| Fields::of(line, WILL).and_then(stored_will).ok_or(Unreadable);
        reply.lines.iter().map(|line| stored(line)).collect()
    }
}

fn stored_will(mut fields: Fields<'_>) -> Option<StoredWill> {
    Some(StoredWill {
        client: fields.integer()?.try_into().ok()?,
        topic: shown(fields.text()?),
        qos: u8::try_from(fields.integer()?).ok()?.try_into().ok()?,
        retain: fields.integer()? == 1,
        // The rest of the line, whatever commas and quotes it holds.
        message: Bytes::copy_from_slice(unquoted(fields.rest())),
    })
}

/// The text without the quotes around it.
fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(text)
}
