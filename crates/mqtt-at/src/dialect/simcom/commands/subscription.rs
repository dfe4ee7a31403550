//! Subscriptions: one topic filter in one command, or several given before [A7600 MQTT 1.00 §2.1.13 to §2.1.16].

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{Deferred, Exchange, Operation, Refusal, Reply};
use bytes::Bytes;

use super::result::{self, ResultCode, result_of};
use super::staged::Staged;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::qos::QoS;

const SUBTOPIC: &str = "+CMQTTSUBTOPIC";
const SUB: &str = "+CMQTTSUB";
const UNSUBTOPIC: &str = "+CMQTTUNSUBTOPIC";
const UNSUB: &str = "+CMQTTUNSUB";

const FILTER: &str = "the topic filter";

/// How long acknowledgements are waited for: the module's own limit is 120 s unless set otherwise
/// [A7600 MQTT 1.00 §2.1.17].
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(*facts::OPERATION_TIMEOUT.end());

/// Adds a topic filter (1 to 1024 bytes, whatever they are) to the next subscription of a client
/// [A7600 MQTT 1.00 §2.1.13].
///
/// ```
/// use mqtt_at::{Command, QoS, simcom::CmqttSubTopic};
///
/// let command = CmqttSubTopic::new(0, "site/7/#", QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTSUBTOPIC=0,8,1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttSubTopic {
    client: u8,
    filter: Bytes,
    qos: QoS,
}

impl CmqttSubTopic {
    /// A filter for the next subscription of a client, 0 or 1.
    pub fn new(client: u8, filter: impl Into<Bytes>, qos: QoS) -> Self {
        Self { client, filter: filter.into(), qos }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(SUBTOPIC)
    }

    pub(in super::super) fn exchange(&self) -> Result<Exchange, InputError> {
        let Self { client, filter: data, qos } = self;
        let staged = Staged { name: SUBTOPIC, field: FILTER, client: *client, data, range: facts::TOPIC };
        staged.exchange(|line| line.integer(qos.level()))
    }
}

impl Command for CmqttSubTopic {
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

/// Subscribes a client [A7600 MQTT 1.00 §2.1.14]. The result says that the broker has answered, but not which
/// quality of service it granted.
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttSub};
///
/// let command = CmqttSub::staged(0);
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTSUB=0");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttSub {
    client: u8,
    one: Option<(Bytes, QoS)>,
    duplicate: bool,
    timeout: Duration,
}

impl CmqttSub {
    /// Subscribes a client (0 or 1) to the filters that were given with [`CmqttSubTopic`].
    pub fn staged(client: u8) -> Self {
        Self { client, one: None, duplicate: false, timeout: facts::result_timeout(ACKNOWLEDGEMENT) }
    }

    /// Subscribes a client (0 or 1) to one filter of 1 to 1024 bytes. Some firmware says `OK` twice then, once for
    /// the filter and once at the end.
    pub fn one(client: u8, filter: impl Into<Bytes>, qos: QoS) -> Self {
        Self { one: Some((filter.into(), qos)), ..Self::staged(client) }
    }

    /// Whether the packet is marked as sent before. Default: no.
    #[must_use]
    pub fn duplicate(mut self, duplicate: bool) -> Self {
        self.duplicate = duplicate;
        self
    }

    /// How long the result is waited for. Default: 185 s, for the module's own limit of 120 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(SUB)
    }

    pub(in super::super) fn exchange(&self) -> Result<Exchange, InputError> {
        let (client, duplicate) = (self.client, self.duplicate);
        if let Some((data, qos)) = &self.one {
            let staged = Staged { name: SUB, field: FILTER, client, data, range: facts::TOPIC };
            return staged.exchange(|line| {
                let line = line.integer(qos.level());
                if duplicate { line.integer(1) } else { line }
            });
        }
        let line = CommandLine::write(SUB).integer(facts::client(client)?);
        let line = if duplicate { line.integer(1) } else { line };
        Ok(Exchange::new(line.finish()).timeout(timeout::ACCEPTED))
    }

    pub(in super::super) fn result(&self) -> Deferred {
        result::deferred(&[SUB], [i64::from(self.client)], self.timeout).shared_key()
    }
}

impl Command for CmqttSub {
    type Answer = ResultCode;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(self.exchange()?.deferred(self.result()))
    }

    fn read(&self, reply: &Reply) -> Result<ResultCode, Unreadable> {
        result_of(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Adds a topic filter (1 to 1024 bytes, whatever they are) to the next unsubscription of a client
/// [A7600 MQTT 1.00 §2.1.15].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttUnsubTopic};
///
/// let command = CmqttUnsubTopic::new(0, "site/7/#");
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTUNSUBTOPIC=0,8");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttUnsubTopic {
    client: u8,
    filter: Bytes,
}

impl CmqttUnsubTopic {
    /// A filter for the next unsubscription of a client, 0 or 1.
    pub fn new(client: u8, filter: impl Into<Bytes>) -> Self {
        Self { client, filter: filter.into() }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(UNSUBTOPIC)
    }

    pub(in super::super) fn exchange(&self) -> Result<Exchange, InputError> {
        let Self { client, filter: data } = self;
        Staged { name: UNSUBTOPIC, field: FILTER, client: *client, data, range: facts::TOPIC }
            .exchange(|line| line)
    }
}

impl Command for CmqttUnsubTopic {
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

/// Ends subscriptions of a client [A7600 MQTT 1.00 §2.1.16].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttUnsub};
///
/// let command = CmqttUnsub::staged(0);
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTUNSUB=0,0");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttUnsub {
    client: u8,
    one: Option<Bytes>,
    duplicate: bool,
    timeout: Duration,
}

impl CmqttUnsub {
    /// Ends a client's (0 or 1) subscriptions to the filters that were given with [`CmqttUnsubTopic`].
    pub fn staged(client: u8) -> Self {
        Self { client, one: None, duplicate: false, timeout: facts::result_timeout(ACKNOWLEDGEMENT) }
    }

    /// Ends a client's (0 or 1) subscription to one filter of 1 to 1024 bytes.
    pub fn one(client: u8, filter: impl Into<Bytes>) -> Self {
        Self { one: Some(filter.into()), ..Self::staged(client) }
    }

    /// Whether the packet is marked as sent before. Default: no.
    #[must_use]
    pub fn duplicate(mut self, duplicate: bool) -> Self {
        self.duplicate = duplicate;
        self
    }

    /// How long the result is waited for. Default: 185 s, for the module's own limit of 120 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(UNSUB)
    }

    /// Both forms have the mark as a parameter that cannot be left out.
    pub(in super::super) fn exchange(&self) -> Result<Exchange, InputError> {
        let (client, duplicate) = (self.client, self.duplicate);
        if let Some(data) = &self.one {
            let staged = Staged { name: UNSUB, field: FILTER, client, data, range: facts::TOPIC };
            return staged.exchange(|line| line.integer(duplicate));
        }
        let line = CommandLine::write(UNSUB).integer(facts::client(client)?).integer(duplicate).finish();
        Ok(Exchange::new(line).timeout(timeout::ACCEPTED))
    }

    pub(in super::super) fn result(&self) -> Deferred {
        result::deferred(&[UNSUB], [i64::from(self.client)], self.timeout).shared_key()
    }
}

impl Command for CmqttUnsub {
    type Answer = ResultCode;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(self.exchange()?.deferred(self.result()))
    }

    fn read(&self, reply: &Reply) -> Result<ResultCode, Unreadable> {
        result_of(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}
