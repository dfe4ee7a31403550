//! Fibocom modules: `AT+MQTT…` with client numbers, as described in *FIBOCOM AT Commands User Manual MQTT V1.2.6*,
//! cited as `[Fibocom MQTT 1.2.6 §…]`.
//!
//! [`Modem`](crate::Modem) and [`Client`](crate::Client) use what they need; every command is here for those who
//! need more, to be sent with [`Modem::send`](crate::Modem::send):
//!
//! ```no_run
//! use mqtt_at::{Modem, fibocom};
//!
//! # async fn example(modem: Modem) -> mqtt_at::Result<()> {
//! let free_clients = modem.send(fibocom::MqttOpen::read()).await?;
//! # Ok(()) }
//! ```
//!
//! | Commands | Types |
//! |---|---|
//! | data connection | [`MipCall`] |
//! | user name, password, client identifier | [`MqttUser`] |
//! | will | [`MqttWill`] |
//! | connection to the broker | [`MqttOpen`], [`MqttClose`] |
//! | subscriptions | [`MqttSub`], [`MqttUnsub`] |
//! | messages | [`MqttPub`], [`MqttPubInline`], [`MqttConf`], [`MqttRead`] |
//!
//! Arguments that are out of range are refused before a byte is sent. A result is a [`Status`], in which 1 is success.
//!
//! # What these modules can do
//!
//! There are two clients, 1 and 2. Each publishes one message at a time, of 1 to 1024 bytes: the result of a publish
//! names the client only. Topics have at most 255 bytes, user names and passwords 128, client identifiers 23; an empty
//! client identifier makes the module use its IMEI. All of these, and wills, are printable ASCII without quotes and
//! `\`: the commands know no escapes. Payloads may be any bytes; they are sent as they are, although the manual says
//! "in HEX" in one place. The keep-alive is 1 to 300 s.
//!
//! Messages are received by their lengths (`AT+MQTTCONF=1`), whichever [`ReceiveMode`](crate::ReceiveMode) is set:
//! the module reports a message, and the library fetches it at once. The module's own default mode, in which a payload
//! can forge any report, is left as soon as the modem is opened, and nothing that comes in it is delivered. Firmware
//! that cannot leave it can publish, but not subscribe.
//!
//! The module tells neither why a connection failed nor which quality of service was granted. There is no encryption
//! in its manual.

mod commands;
mod connect;
mod facts;
mod flow;
mod framing;
pub(crate) mod known;
mod meaning;
mod rules;
#[cfg(test)]
mod script;
mod sessions;

pub use commands::*;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use at_port::{Lane, Operation, Refusal, Reply, Rules};

use self::rules::FibocomRules;
use self::sessions::{Sessions, State};
use crate::command::Command;
use crate::connect::ConnectOptions;
use crate::dialect::meaning::Meaning;
use crate::dialect::{
    Connecting, Dialect, Facts, ModemPort, Presence, Publish, Subscribe, Unsubscribe, only,
};
use crate::error::{Error, Outcome, Result};
use crate::link::{Inbound, Links};
use crate::options::{FormerClients, ModemOptions};
use crate::qos::QoS;
use crate::topic::TopicFilter;

/// The dialect of one Fibocom module.
#[derive(Debug, Default)]
pub(crate) struct Fibocom {
    sessions: Arc<Sessions>,
}

#[async_trait]
impl Dialect for Fibocom {
    fn facts(&self) -> &Facts {
        &facts::FACTS
    }

    fn rules(&self, links: &Arc<Links>) -> Box<dyn Rules<Urc = Inbound>> {
        Box::new(FibocomRules::new(links, &self.sessions))
    }

    fn read_as_connected(&self) {
        for client in facts::CLIENTS {
            self.sessions.set(client, State::Open);
        }
    }

    fn meaning(&self, line: &[u8]) -> Option<Meaning> {
        meaning::of(line)
    }

    async fn prepare(&self, port: &ModemPort, former: FormerClients) -> Result<()> {
        // First of all: until then a client of a former host may report messages that forge other reports.
        flow::count_messages(port, Lane::COMMON, &self.sessions).await?;
        match former {
            FormerClients::Close => flow::close_former(port).await,
            FormerClients::Leave => Ok(()),
        }
    }

    async fn activate(&self, port: &ModemPort, options: &ModemOptions) -> Result<()> {
        flow::activate(port, options, &self.sessions).await
    }

    fn check(&self, options: &ConnectOptions) -> Result<()> {
        connect::check(options)
    }

    async fn connect(&self, context: &Connecting<'_>) -> Result<()> {
        connect::connect(context, &self.sessions).await
    }

    async fn presence(&self, port: &ModemPort, index: u8) -> Result<Presence> {
        let is_free = flow::is_free(port, index).await?;
        if is_free == Some(false) {
            self.sessions.set(index, State::Open);
            if self.sessions.counted() {
                // The report of a message may have been lost, too. If the port is gone, nothing can be fetched.
                let _ = port.post(rules::fetching(&self.sessions, index));
            }
        }
        Ok(is_free.map(|free| !free).into())
    }

    async fn renew(&self, port: &ModemPort, options: &ModemOptions) -> Result<()> {
        flow::hang_up(port).await?;
        flow::activate(port, options, &self.sessions).await
    }

    async fn disconnect(&self, port: &ModemPort, index: u8) -> Result<()> {
        let outcome = flow::disconnect(port, index).await;
        self.sessions.set(index, State::Closed);
        outcome
    }

    async fn close(&self, port: &ModemPort, index: u8) {
        flow::close(port, index).await;
        self.sessions.set(index, State::Closed);
    }

    fn farewell(&self, index: u8) -> Operation {
        self.sessions.set(index, State::Closed);
        flow::farewell(index)
    }

    fn publish(&self, index: u8, publish: &Publish<'_>) -> Result<Operation> {
        let command = MqttPub::new(index, publish.topic.as_str(), publish.payload.clone())
            .qos(publish.qos)
            .retain(publish.retain)
            .timeout(acknowledgement_timeout(publish.options));
        Ok(command.operation()?)
    }

    fn read_publish(&self, reply: &Reply) -> Result<()> {
        succeeded("AT+MQTTPUB", reply)
    }

    fn subscribe(&self, index: u8, subscribe: &Subscribe<'_>) -> Result<Operation> {
        let (filter, qos) = only(subscribe.filters)?;
        let command = MqttSub::new(index, filter.as_str(), *qos);
        let operation = command.timeout(acknowledgement_timeout(subscribe.options)).operation()?;
        if self.sessions.counted() {
            return Ok(operation);
        }
        // The module has refused that once. It may have meant something else, and without it nothing is subscribed to.
        Ok(operation.preceded_by(MqttConf::new(Reports::Lengths).operation()?))
    }

    /// The module does not tell what was granted; what was asked for is the most that can have been.
    fn read_subscribe(&self, reply: &Reply, asked: &[(TopicFilter, QoS)]) -> Result<Vec<Option<QoS>>> {
        self.sessions.set_counted(true);
        succeeded("AT+MQTTSUB", reply)?;
        Ok(asked.iter().map(|(_, qos)| Some(*qos)).collect())
    }

    fn unsubscribe(&self, index: u8, unsubscribe: &Unsubscribe<'_>) -> Result<Operation> {
        let filter = only(unsubscribe.filters)?;
        let command = MqttUnsub::new(index, filter.as_str());
        Ok(command.timeout(acknowledgement_timeout(unsubscribe.options)).operation()?)
    }

    fn read_unsubscribe(&self, reply: &Reply) -> Result<()> {
        succeeded("AT+MQTTUNSUB", reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        if refusal.command == "AT+MQTTCONF" {
            let reason = "its firmware refuses AT+MQTTCONF=1, and reports messages in a form that everybody who can \
                          publish can use to forge other reports";
            return Some(connect::unsupported("receiving messages", reason));
        }
        facts::explain(refusal)
    }
}

/// The module cannot be told how long to wait for the broker, so it is waited for at least as long as it may take: a
/// result that comes later could be that of the next command.
fn acknowledgement_timeout(options: &ConnectOptions) -> Duration {
    options.acknowledgement_timeout().max(facts::timeout::ACKNOWLEDGEMENT)
}

/// Whether the status is success. A packet that failed may have reached the broker all the same.
fn succeeded(command: &str, reply: &Reply) -> Result<()> {
    match status(reply) {
        Ok(Status::Success) => Ok(()),
        Ok(Status::Failure) => Err(Error::from(facts::failed(command)).with_outcome(Outcome::Unknown)),
        Err(_) => Err(Error::Unreadable { command: command.to_owned() }),
    }
}

#[cfg(test)]
mod tests;
