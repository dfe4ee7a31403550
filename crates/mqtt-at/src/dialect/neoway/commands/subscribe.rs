//! `AT+MQTTSUB` and `AT+MQTTUNSUB` [Neoway MQTT 1.2 §5.4, §5.5].

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Refusal, Reply};

use super::shown;
use crate::command::{Command, Unreadable};
use crate::dialect::neoway::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::qos::QoS;

const SUB: &str = facts::MESSAGE;
const UNSUB: &str = "+MQTTUNSUB";
const FILTER: &str = "the topic filter";

/// Subscribes to a topic filter of at most 128 bytes [Neoway MQTT 1.2 §5.4]. The final result comes when the broker has
/// answered.
///
/// ```
/// use mqtt_at::{Command, QoS, neoway::MqttSub};
///
/// let command = MqttSub::new("site/7/#", QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTSUB="site/7/#",1"#);
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

    /// Asks for the latest subscription, while there is a connection.
    ///
    /// Its answer has the name of the report of a message, `+MQTTSUB`, and is told from it only by the quotes around
    /// its first field: in its place a damaged message could be read. The library itself never asks.
    pub fn read() -> ReadSub {
        ReadSub
    }

    /// Asks whether the firmware knows the command; the answer has no lines.
    pub fn test() -> TestSub {
        TestSub
    }
}

impl Command for MqttSub {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(SUB)
            .quoted(FILTER, &self.filter, facts::TEXT, facts::TOPIC)?
            .integer(self.qos.level())
            .finish();
        Ok(Exchange::new(line).timeout(timeout::SUBSCRIBE).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Asks for the latest subscription; see [`MqttSub::read`].
///
/// ```
/// use mqtt_at::{Command, neoway::MqttSub};
///
/// let command = MqttSub::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTSUB?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadSub;

/// The latest subscription; of earlier ones the module does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestSubscription {
    /// Its topic filter.
    pub filter: String,
    /// The quality of service that was asked for.
    pub qos: QoS,
}

impl Command for ReadSub {
    type Answer = Option<LatestSubscription>;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read(SUB)).answer(Answer::Shaped(SUB, is_subscription));
        Ok(exchange.timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Option<LatestSubscription>, Unreadable> {
        let Some(line) = reply.first_line() else { return Ok(None) };
        subscription(line).map(Some).ok_or(Unreadable)
    }
}

/// Whether a line is the answer of `AT+MQTTSUB?`: its first field is in quotes, where a message has a number.
fn is_subscription(line: &[u8]) -> bool {
    subscription(line).is_some()
}

fn subscription(line: &[u8]) -> Option<LatestSubscription> {
    let mut fields = Fields::of(line, SUB)?;
    let filter = shown(fields.quoted()?);
    let qos = u8::try_from(fields.integer()?).ok()?.try_into().ok()?;
    fields.is_empty().then_some(LatestSubscription { filter, qos })
}

/// Asks whether the firmware knows the command; see [`MqttSub::test`].
///
/// ```
/// use mqtt_at::{Command, neoway::MqttSub};
///
/// let command = MqttSub::test();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTSUB=?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestSub;

impl Command for TestSub {
    type Answer = ();

    /// No line is an answer: one with the command's name is a message.
    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Exchange::new(CommandLine::test(SUB)).timeout(timeout::SETTING).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Ends the subscription to a topic filter of at most 128 bytes [Neoway MQTT 1.2 §5.5].
///
/// ```
/// use mqtt_at::{Command, neoway::MqttUnsub};
///
/// let command = MqttUnsub::new("site/7/#");
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTUNSUB="site/7/#""#);
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
        let line =
            CommandLine::write(UNSUB).quoted(FILTER, &self.filter, facts::TEXT, facts::TOPIC)?.finish();
        Ok(Exchange::new(line).timeout(timeout::SUBSCRIBE).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}
