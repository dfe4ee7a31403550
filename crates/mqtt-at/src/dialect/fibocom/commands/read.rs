//! `AT+MQTTREAD`: the next message that waits in the module [Fibocom MQTT 1.2.6 §1.11].

use at_codec::CommandLine;
use at_port::{Answer, Exchange, Operation, Refusal, Reply};
use bytes::Bytes;

use super::shown;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::fibocom::facts::{self, timeout};
use crate::dialect::fibocom::framing::{self, Received};
use crate::error::{Error, InputError};
use crate::qos::QoS;

const READ: &str = "+MQTTREAD";

/// Takes the next waiting message of a client out of the module [Fibocom MQTT 1.2.6 §1.11].
///
/// Messages of the library's own clients are fetched as soon as they are reported, and come out of their
/// subscriptions. What this command takes does not come there any more.
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttRead};
///
/// let command = MqttRead::new(1);
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTREAD=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MqttRead {
    client: u8,
}

impl MqttRead {
    /// Takes the next message of a client, 1 or 2.
    pub fn new(client: u8) -> Self {
        Self { client }
    }

    /// Asks for the range of the argument.
    pub fn test() -> TestForm {
        TestForm::of(READ)
    }

    /// The same, with an answer that goes to the rules: however late it comes, the message is delivered.
    pub(in super::super) fn fetch(self) -> Exchange {
        Exchange::new(CommandLine::write(READ).integer(self.client).finish()).timeout(timeout::ACCEPTED)
    }
}

/// A message that was taken out of the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// The client.
    pub client: u8,
    /// The quality of service with which it was delivered.
    pub qos: QoS,
    /// The topic that it was published to; what is not UTF-8 is made readable.
    pub topic: String,
    /// The payload, any bytes.
    pub payload: Bytes,
}

impl Command for MqttRead {
    /// `None` if no message waits.
    type Answer = Option<ReceivedMessage>;

    fn operation(&self) -> Result<Operation, InputError> {
        facts::client(self.client)?;
        Ok(self.fetch().answer(Answer::Named(READ)).into())
    }

    fn read(&self, reply: &Reply) -> Result<Option<ReceivedMessage>, Unreadable> {
        match reply.first_line().and_then(framing::read) {
            Some(Received::Empty { .. }) => Ok(None),
            Some(Received::Message { client, qos, topic, payload }) => Ok(Some(ReceivedMessage {
                client,
                qos: qos.try_into().map_err(|_| Unreadable)?,
                topic: shown(topic),
                payload: Bytes::copy_from_slice(payload),
            })),
            None => Err(Unreadable),
        }
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}
