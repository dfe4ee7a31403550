//! `AT+MQTTWILLPARAM` and `AT+MQTTWILLMSG`: the will [Neoway MQTT 1.2 §5.2, §B.2].

use at_codec::{CommandLine, Fields, WriteLine};
use at_port::{Exchange, Operation, PromptForm, Refusal, Reply};
use bytes::Bytes;

use super::{question, setting, shown};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::neoway::facts::{self, timeout};
use crate::dialect::ranges::in_range;
use crate::error::{Error, InputError};
use crate::qos::QoS;

const WILL_PARAM: &str = "+MQTTWILLPARAM";
const WILL_MSG: &str = "+MQTTWILLMSG";

/// Sets the will of the next connection [Neoway MQTT 1.2 §5.2]. It cannot be set while there is a connection, and is
/// forgotten when the module is switched off.
///
/// The message stands in the command in quotes, and the module knows no escapes: it is printable ASCII without quotes
/// and `\`, of at most 1024 bytes.
///
/// ```
/// use mqtt_at::{Command, neoway::MqttWillParam};
///
/// let command = MqttWillParam::new("site/7/state", "gone").retain(true);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTWILLPARAM=1,0,"site/7/state","gone""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttWillParam {
    topic: String,
    message: Bytes,
    qos: QoS,
    retain: bool,
}

impl MqttWillParam {
    /// A will with QoS 0, not retained. The topic has at most 128 bytes.
    pub fn new(topic: impl Into<String>, message: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), message: message.into(), qos: QoS::AtMostOnce, retain: false }
    }

    /// No will: an empty topic and an empty message. The manual does not say that a will can be taken back, or how.
    pub fn none() -> Self {
        Self::new("", "")
    }

    /// The quality of service, 0 or 1.
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

    /// Asks for the will that is set.
    pub fn read() -> ReadWillParam {
        ReadWillParam
    }

    /// Asks which parameters the firmware knows.
    pub fn test() -> TestForm {
        TestForm::of(WILL_PARAM)
    }
}

impl Command for MqttWillParam {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = head(WILL_PARAM, self.retain, self.qos, &self.topic)?;
        let line =
            line.quoted("the message of the will", &self.message, facts::TEXT, facts::INLINE_MESSAGE)?;
        Ok(setting(line.finish()))
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Asks for the will that is set; see [`MqttWillParam::read`].
///
/// ```
/// use mqtt_at::{Command, neoway::MqttWillParam};
///
/// let command = MqttWillParam::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTWILLPARAM?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadWillParam;

/// A will that the module has stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWill {
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// The quality of service.
    pub qos: QoS,
    /// The topic.
    pub topic: String,
    /// The message.
    pub message: Bytes,
}

impl Command for ReadWillParam {
    type Answer = Option<StoredWill>;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(WILL_PARAM).into())
    }

    /// Without a will the topic is empty.
    fn read(&self, reply: &Reply) -> Result<Option<StoredWill>, Unreadable> {
        let Some(line) = reply.first_line() else { return Ok(None) };
        let stored = Fields::of(line, WILL_PARAM).and_then(stored_will).ok_or(Unreadable)?;
        Ok(Some(stored).filter(|will| !will.topic.is_empty()))
    }
}

fn stored_will(mut fields: Fields<'_>) -> Option<StoredWill> {
    let retain = fields.integer()? == 1;
    let qos = u8::try_from(fields.integer()?).ok()?.try_into().ok()?;
    let topic = shown(fields.text()?);
    Some(StoredWill { retain, qos, topic, message: Bytes::copy_from_slice(fields.text()?) })
}

/// Sets a will whose message follows a prompt, and may be any bytes [Neoway MQTT 1.2 §B.2].
///
/// The manual names this command, says that it has the length in bytes of a message for which the module waits 30 s,
/// and gives no syntax. Its parameters are here in the order of `AT+MQTTWILLPARAM`, with the length in the place of the
/// message, as `AT+MQTTPUBS` has it, and as a later manual says [N58 AT 2.0 §16.5]. Many modules do not know it, so the
/// library itself never uses it.
///
/// ```
/// use mqtt_at::{Command, neoway::MqttWillMsg};
///
/// let command = MqttWillMsg::new("site/7/state", "gone");
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTWILLMSG=0,0,"site/7/state",4"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttWillMsg {
    topic: String,
    message: Bytes,
    qos: QoS,
    retain: bool,
}

impl MqttWillMsg {
    /// A will with QoS 0, not retained. The topic has at most 128 bytes, the message 1 to 10 240.
    pub fn new(topic: impl Into<String>, message: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), message: message.into(), qos: QoS::AtMostOnce, retain: false }
    }

    /// The quality of service, 0 or 1.
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

impl Command for MqttWillMsg {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let length = u32::try_from(self.message.len()).unwrap_or(u32::MAX);
        let length = in_range("the length of the will's message", length, 1..=facts::PAYLOAD as u32)?;
        let line = head(WILL_MSG, self.retain, self.qos, &self.topic)?.integer(length).finish();
        let exchange = Exchange::new(line).data(PromptForm::Mark, self.message.clone(), timeout::PROMPT);
        Ok(exchange.timeout(timeout::SETTING).into())
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
    let qos = in_range("QoS of the will", qos.level(), facts::WILL_QOS)?;
    let line = CommandLine::write(name).integer(retain).integer(qos);
    Ok(line.quoted("the topic of the will", topic, facts::TEXT, facts::TOPIC)?)
}
