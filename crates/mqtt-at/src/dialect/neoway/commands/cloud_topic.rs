//! Subscribing and publishing at Alibaba's cloud: `AT+CLOUDSUB`, `AT+CLOUDUNSUB`, `AT+CLOUDPUB`, `AT+CLOUDPUBMSG`
//! [Neoway MQTT 1.2 §4, §B.2].

use at_codec::{CommandLine, Fields, WriteLine};
use at_port::{Deferred, Exchange, Operation, PromptForm, Refusal, Reply};
use bytes::Bytes;

use super::publish::payload_length;
use super::shown;
use crate::command::{Command, Unreadable};
use crate::dialect::neoway::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::qos::QoS;

const SUB: &str = "+CLOUDSUB";
const UNSUB: &str = "+CLOUDUNSUB";
const PUB: &str = "+CLOUDPUB";
const PUB_MSG: &str = "+CLOUDPUBMSG";
const SUBACK: &[&str] = &["+CLOUDSUBACK"];
const PUBACK: &[&str] = &["+CLOUDPUBACK"];

/// What the cloud answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloudResult {
    /// It agreed.
    Ok,
    /// Something else, in the module's words: the manual shows no other answer.
    Other(String),
}

/// Subscribes to a topic filter of at most 128 bytes, without commas [Neoway MQTT 1.2 §4].
///
/// ```
/// use mqtt_at::{Command, QoS, neoway::CloudSub};
///
/// let command = CloudSub::new("/a1J5shuYgXN/device-7/user/get", QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), "AT+CLOUDSUB=/a1J5shuYgXN/device-7/user/get,1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudSub {
    filter: String,
    qos: QoS,
}

impl CloudSub {
    /// A subscription with the quality of service that is asked for.
    pub fn new(filter: impl Into<String>, qos: QoS) -> Self {
        Self { filter: filter.into(), qos }
    }
}

impl Command for CloudSub {
    type Answer = CloudResult;

    fn operation(&self) -> Result<Operation, InputError> {
        let line = topic_and(SUB, "the topic filter", &self.filter)?.integer(self.qos.level()).finish();
        Ok(Exchange::new(line).timeout(timeout::SUBSCRIBE).deferred(deferred(SUBACK)))
    }

    fn read(&self, reply: &Reply) -> Result<CloudResult, Unreadable> {
        cloud_result(reply, SUBACK)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Ends the subscription to a topic filter of at most 128 bytes, without commas [Neoway MQTT 1.2 §4].
///
/// The manual shows no answer; a result that comes behind the `OK` is not waited for.
///
/// ```
/// use mqtt_at::{Command, neoway::CloudUnsub};
///
/// let command = CloudUnsub::new("/a1J5shuYgXN/device-7/user/get");
/// assert_eq!(command.operation()?.to_string(), "AT+CLOUDUNSUB=/a1J5shuYgXN/device-7/user/get");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudUnsub {
    filter: String,
}

impl CloudUnsub {
    /// Ends this subscription.
    pub fn new(filter: impl Into<String>) -> Self {
        Self { filter: filter.into() }
    }
}

impl Command for CloudUnsub {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = topic_and(UNSUB, "the topic filter", &self.filter)?.finish();
        Ok(Exchange::new(line).timeout(timeout::SUBSCRIBE).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Publishes a text of at most 1024 bytes [Neoway MQTT 1.2 §4].
///
/// It stands in the command without quotes, and the module knows no escapes: it is printable ASCII without quotes,
/// commas, semicolons and `\`. For anything else there is [`CloudPubMsg`].
///
/// ```
/// use mqtt_at::{Command, QoS, neoway::CloudPub};
///
/// let command = CloudPub::new("/a1J5shuYgXN/device-7/user/update", QoS::AtMostOnce, "21.5");
/// assert_eq!(command.operation()?.to_string(), "AT+CLOUDPUB=/a1J5shuYgXN/device-7/user/update,0,21.5");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudPub {
    topic: String,
    message: String,
    qos: QoS,
}

impl CloudPub {
    /// Publishes to a topic of at most 128 bytes, without commas.
    pub fn new(topic: impl Into<String>, qos: QoS, message: impl Into<String>) -> Self {
        Self { topic: topic.into(), message: message.into(), qos }
    }
}

impl Command for CloudPub {
    /// `None` for QoS 0, which nobody acknowledges.
    type Answer = Option<CloudResult>;

    fn operation(&self) -> Result<Operation, InputError> {
        let line = topic_and(PUB, "the topic", &self.topic)?
            .integer(self.qos.level())
            .unquoted("the message", &self.message, facts::TEXT, facts::INLINE_MESSAGE)?
            .finish();
        Ok(acknowledged(Exchange::new(line).timeout(timeout::PUBLISH), self.qos))
    }

    fn read(&self, reply: &Reply) -> Result<Option<CloudResult>, Unreadable> {
        acknowledgement(reply, self.qos)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Publishes a payload of 1 to 10 240 bytes behind a prompt, whatever they are [Neoway MQTT 1.2 §B.2].
///
/// The manual shows this command only when its payload did not come in time. Its parameters are those that it shows,
/// the limit is that of `AT+MQTTPUBS`, and the results are those of `AT+CLOUDPUB`.
///
/// ```
/// use mqtt_at::{Command, QoS, neoway::CloudPubMsg};
///
/// let command = CloudPubMsg::new("/a1J5shuYgXN/device-7/user/update", QoS::AtMostOnce, r#"{"t":21.5}"#);
/// assert_eq!(command.operation()?.to_string(), "AT+CLOUDPUBMSG=/a1J5shuYgXN/device-7/user/update,0,10");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudPubMsg {
    topic: String,
    payload: Bytes,
    qos: QoS,
}

impl CloudPubMsg {
    /// Publishes to a topic of at most 128 bytes, without commas.
    pub fn new(topic: impl Into<String>, qos: QoS, payload: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), payload: payload.into(), qos }
    }
}

impl Command for CloudPubMsg {
    /// `None` for QoS 0, which nobody acknowledges.
    type Answer = Option<CloudResult>;

    fn operation(&self) -> Result<Operation, InputError> {
        let length = payload_length(&self.payload, facts::PAYLOAD)?;
        let line =
            topic_and(PUB_MSG, "the topic", &self.topic)?.integer(self.qos.level()).integer(length).finish();
        let exchange = Exchange::new(line).data(PromptForm::Mark, self.payload.clone(), timeout::PROMPT);
        Ok(acknowledged(exchange.timeout(timeout::PUBLISH), self.qos))
    }

    fn read(&self, reply: &Reply) -> Result<Option<CloudResult>, Unreadable> {
        acknowledgement(reply, self.qos)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// The cloud's commands take topics without quotes, as the manual's session has them.
fn topic_and(name: &'static str, field: &'static str, topic: &str) -> Result<WriteLine, InputError> {
    Ok(CommandLine::write(name).unquoted(field, topic, facts::TEXT, facts::TOPIC)?)
}

fn acknowledged(exchange: Exchange, qos: QoS) -> Operation {
    match qos {
        QoS::AtMostOnce => exchange.into(),
        _ => exchange.deferred(deferred(PUBACK)),
    }
}

fn acknowledgement(reply: &Reply, qos: QoS) -> Result<Option<CloudResult>, Unreadable> {
    match qos {
        QoS::AtMostOnce => Ok(None),
        _ => cloud_result(reply, PUBACK).map(Some),
    }
}

/// A result behind the `OK`. Nothing in it says to which command it belongs, nor does the error that may come in its
/// place [Neoway MQTT 1.2 §B.1].
pub(super) fn deferred(names: &'static [&'static str]) -> Deferred {
    let is_error = |line: &[u8]| Fields::of(line, facts::CMD_ERROR).is_some();
    Deferred::new(names, [], timeout::CLOUD).shared_key().refused_by(is_error)
}

/// Reads `NAME: <OK>`, also without the angle brackets.
pub(super) fn cloud_result(reply: &Reply, names: &[&str]) -> Result<CloudResult, Unreadable> {
    let line = reply.deferred.as_deref().ok_or(Unreadable)?;
    let fields = names.iter().find_map(|name| Fields::of(line, name)).ok_or(Unreadable)?;
    Ok(match fields.rest().trim_ascii() {
        b"<OK>" | b"OK" => CloudResult::Ok,
        other => CloudResult::Other(shown(other)),
    })
}
