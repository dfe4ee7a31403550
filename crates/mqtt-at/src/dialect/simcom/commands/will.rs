//! The will of a client: its topic and its message [A7600 MQTT 1.00 §2.1.6, §2.1.7].

use at_port::{Exchange, Operation, Refusal, Reply};
use bytes::Bytes;

use super::staged::Staged;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::simcom::facts;
use crate::error::{Error, InputError};
use crate::qos::QoS;

const TOPIC: &str = "+CMQTTWILLTOPIC";
const MESSAGE: &str = "+CMQTTWILLMSG";

/// Gives the module the topic of a client's will: 1 to 1024 bytes, whatever they are [A7600 MQTT 1.00 §2.1.6].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttWillTopic};
///
/// let command = CmqttWillTopic::new(0, "site/7/state");
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTWILLTOPIC=0,12");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttWillTopic {
    client: u8,
    topic: Bytes,
}

impl CmqttWillTopic {
    /// The topic of the will of a client, 0 or 1.
    pub fn new(client: u8, topic: impl Into<Bytes>) -> Self {
        Self { client, topic: topic.into() }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(TOPIC)
    }

    fn exchange(&self) -> Result<Exchange, InputError> {
        let Self { client, topic: data } = self;
        let (field, range) = ("the topic of the will", facts::TOPIC);
        Staged { name: TOPIC, field, client: *client, data, range }.exchange(|line| line)
    }
}

impl Command for CmqttWillTopic {
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

/// Gives the module the message of a client's will: 1 to 1024 bytes, whatever they are [A7600 MQTT 1.00 §2.1.7].
///
/// ```
/// use mqtt_at::{Command, QoS, simcom::CmqttWillMsg};
///
/// let command = CmqttWillMsg::new(0, "gone", QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTWILLMSG=0,4,1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttWillMsg {
    client: u8,
    message: Bytes,
    qos: QoS,
}

impl CmqttWillMsg {
    /// The message of the will of a client, 0 or 1. The command has no flag for a retained one.
    pub fn new(client: u8, message: impl Into<Bytes>, qos: QoS) -> Self {
        Self { client, message: message.into(), qos }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(MESSAGE)
    }

    fn exchange(&self) -> Result<Exchange, InputError> {
        let Self { client, message: data, qos } = self;
        let (field, range) = ("the message of the will", facts::WILL_MESSAGE);
        let staged = Staged { name: MESSAGE, field, client: *client, data, range };
        staged.exchange(|line| line.integer(qos.level()))
    }
}

impl Command for CmqttWillMsg {
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
