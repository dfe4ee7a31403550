//! `AT+MQTTSUB` and `AT+MQTTUNSUB` [ESP-AT MQTT, MQTTSUB, MQTTUNSUB].

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Refusal, Reply};

use super::{client, command, done, text};
use crate::command::{Command, Unreadable};
use crate::dialect::esp::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::qos::QoS;

const SUB: &str = "+MQTTSUB";
const FILTER: &str = "the topic filter";

/// Subscribes to a topic filter of at most 128 bytes without quotes, one of at most ten [ESP-AT MQTT, MQTTSUB].
///
/// A filter that is subscribed to already is no failure: the module says so and `OK`.
///
/// ```
/// use mqtt_at::{Command, QoS, esp::MqttSub};
///
/// let command = MqttSub::new("site/7/#", QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTSUB=0,"site/7/#",1"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttSub {
    filter: String,
    qos: QoS,
}

impl MqttSub {
    /// A subscription with the quality of service that is asked for.
    pub fn new(filter: impl Into<String>, qos: QoS) -> Self {
        Self { filter: filter.into(), qos }
    }

    /// Asks for all subscriptions.
    pub fn read() -> ReadSub {
        ReadSub
    }
}

impl Command for MqttSub {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = text(client(SUB), FILTER, self.filter.as_bytes(), facts::TOPIC)?.integer(self.qos.level());
        Ok(command(line)?.into())
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Asks for all subscriptions; see [`MqttSub::read`].
///
/// ```
/// use mqtt_at::{Command, esp::MqttSub};
///
/// let command = MqttSub::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTSUB?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadSub;

/// A subscription, as the module shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleSubscription {
    /// Its topic filter; what is not UTF-8 is made readable.
    pub filter: String,
    /// The quality of service that was asked for.
    pub qos: QoS,
}

impl Command for ReadSub {
    type Answer = Vec<ModuleSubscription>;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Exchange::new(CommandLine::read(SUB)).answer(Answer::Named(SUB)).timeout(timeout::COMMAND).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<ModuleSubscription>, Unreadable> {
        reply.lines.iter().map(|line| subscription(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+MQTTSUB:client,state,"filter",qos`.
fn subscription(line: &[u8]) -> Option<ModuleSubscription> {
    let mut fields = Fields::of(line, SUB)?;
    let _client = fields.integer()?;
    let _state = fields.integer()?;
    let filter = String::from_utf8_lossy(fields.quoted()?).into_owned();
    let qos = u8::try_from(fields.integer()?).ok()?.try_into().ok()?;
    Some(ModuleSubscription { filter, qos })
}

/// Ends the subscription to a topic filter of at most 128 bytes without quotes [ESP-AT MQTT, MQTTUNSUB].
///
/// A filter that is not subscribed to is no failure: the module says so and `OK`.
///
/// ```
/// use mqtt_at::{Command, esp::MqttUnsub};
///
/// let command = MqttUnsub::new("site/7/#");
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTUNSUB=0,"site/7/#""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttUnsub {
    filter: String,
}

impl MqttUnsub {
    /// Ends this subscription.
    pub fn new(filter: impl Into<String>) -> Self {
        Self { filter: filter.into() }
    }
}

impl Command for MqttUnsub {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = text(client("+MQTTUNSUB"), FILTER, self.filter.as_bytes(), facts::TOPIC)?;
        Ok(command(line)?.into())
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}
