//! SIMCom modules: `AT+CMQTT…`, as described in the manual *A7600 Series MQTT AT Command Manual 1.00*, cited as
//! `[A7600 MQTT 1.00 §…]`.
//!
//! [`Modem`](crate::Modem) and [`Client`](crate::Client) use what they need; every command is here for those who
//! need more, to be sent with [`Modem::send`](crate::Modem::send):
//!
//! ```no_run
//! use mqtt_at::{Modem, simcom};
//!
//! # async fn example(modem: Modem) -> mqtt_at::Result<()> {
//! for client in modem.send(simcom::CmqttDisc::read()).await? {
//!     println!("client {}: {}", client.client, if client.connected { "connected" } else { "free" });
//! }
//! # Ok(()) }
//! ```
//!
//! | Commands | Types |
//! |---|---|
//! | the MQTT service | [`CmqttStart`], [`CmqttStop`] |
//! | clients | [`CmqttAccq`], [`CmqttRel`], [`CmqttCfg`], [`CmqttSslCfg`] |
//! | will | [`CmqttWillTopic`], [`CmqttWillMsg`] |
//! | connection to the broker | [`CmqttConnect`], [`CmqttDisc`] |
//! | messages | [`CmqttTopic`], [`CmqttPayload`], [`CmqttPub`] |
//! | subscriptions | [`CmqttSubTopic`], [`CmqttSub`], [`CmqttUnsubTopic`], [`CmqttUnsub`] |
//! | TLS | [`CsslCfg`] |
//! | certificates | [`CcertDown`], [`CcertList`], [`CcertDele`] |
//! | data connection | [`CgSockCont`], [`CgAuth`] |
//!
//! Arguments that are out of range are refused before a byte is sent.
//!
//! # What these modules do and do not
//!
//! There are two clients, and each does one thing at a time: publishes of one client follow each other. Topics and
//! payloads are counted in both directions, so that both may hold any bytes that MQTT allows, quotes included.
//! A payload has at most 10 240 bytes, and may be empty.
//!
//! The module does not tell which quality of service the broker granted: a subscription that the broker answered
//! counts as granted as asked. A will cannot be retained or empty. The module decides itself how often it sends a
//! packet again; [`packet_timeout`](crate::ConnectOptions::packet_timeout) times
//! [`retries`](crate::ConnectOptions::retries) is how long it tries, at least 60 s and at most 180 s.

mod assembly;
mod certificates;
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
mod service;
#[cfg(test)]
mod tests;
mod tls;

pub use commands::*;

use std::sync::Arc;

use async_trait::async_trait;
use at_codec::Fields;
use at_port::{FinalResult, Operation, OperationError, Refusal, Reply, Rules};
use bytes::Bytes;

use self::rules::SimComRules;
use self::service::Service;
use crate::connect::ConnectOptions;
use crate::dialect::meaning::Meaning;
use crate::dialect::{Connecting, Dialect, Facts, ModemPort, Presence, Publish, Subscribe, Unsubscribe};
use crate::error::{Error, ModuleError, Outcome, Result};
use crate::link::{Inbound, Links};
use crate::options::{FormerClients, ModemOptions};
use crate::qos::QoS;
use crate::topic::TopicFilter;

/// The dialect of one SIMCom module.
#[derive(Debug, Default)]
pub(crate) struct SimCom {
    service: Arc<Service>,
}

#[async_trait]
impl Dialect for SimCom {
    fn facts(&self) -> &Facts {
        &facts::FACTS
    }

    fn rules(&self, links: &Arc<Links>) -> Box<dyn Rules<Urc = Inbound>> {
        Box::new(SimComRules::new(links, &self.service))
    }

    fn read_as_connected(&self) {
        for client in facts::CLIENTS {
            self.service.set_open(client, true);
        }
    }

    fn meaning(&self, line: &[u8]) -> Option<Meaning> {
        meaning::of(line)
    }

    async fn prepare(&self, port: &ModemPort, former: FormerClients) -> Result<()> {
        match former {
            FormerClients::Close => flow::close_former(port, &self.service).await,
            // The service may be running, which starting it finds out.
            FormerClients::Leave => Ok(()),
        }
    }

    async fn activate(&self, port: &ModemPort, options: &ModemOptions) -> Result<()> {
        flow::activate(port, options).await
    }

    fn check(&self, options: &ConnectOptions) -> Result<()> {
        connect::check(options)
    }

    async fn connect(&self, context: &Connecting<'_>) -> Result<()> {
        connect::connect(context, &self.service).await
    }

    async fn presence(&self, port: &ModemPort, index: u8) -> Result<Presence> {
        let connected = flow::is_connected(port, index, &self.service).await?;
        if connected == Some(true) {
            self.service.set_open(index, true);
        }
        Ok(connected.into())
    }

    async fn renew(&self, port: &ModemPort, options: &ModemOptions) -> Result<()> {
        flow::renew(port, options, &self.service).await
    }

    async fn disconnect(&self, port: &ModemPort, index: u8) -> Result<()> {
        let outcome = flow::disconnect(port, index).await;
        self.service.set_open(index, false);
        outcome
    }

    async fn close(&self, port: &ModemPort, index: u8) {
        self.service.set_open(index, false);
        flow::close(port, index).await;
    }

    fn farewell(&self, index: u8) -> Operation {
        flow::farewell(index)
    }

    /// Topic and payload are given anew for every message, so that what an earlier one left is never sent. Only an
    /// empty payload cannot take the place of one that was left [A7600 MQTT 1.00 §2.1.11, §3.5].
    fn publish(&self, index: u8, publish: &Publish<'_>) -> Result<Operation> {
        let is_empty = publish.payload.is_empty();
        if is_empty && self.service.holds_payload(index) {
            return Err(payload_left().into());
        }
        let topic = CmqttTopic::new(index, Bytes::copy_from_slice(publish.topic.as_str().as_bytes()));
        let payload = (!is_empty).then(|| CmqttPayload::new(index, publish.payload.clone()).exchange());
        let message = CmqttPub::new(index, publish.qos)
            .retain(publish.retain)
            .timeout(connect::packet_limit(publish.options));
        let steps = [topic.exchange()?].into_iter().chain(payload.transpose()?).chain([message.exchange()?]);
        let operation = Operation::sequence(steps).deferred(message.result());
        if !is_empty {
            self.service.set_holds_payload(index, true);
        }
        Ok(operation)
    }

    fn read_publish(&self, reply: &Reply) -> Result<()> {
        // The module has carried the command out, and forgotten the payload.
        if let Some(client) = reply.deferred.as_deref().and_then(client_of_publish) {
            self.service.set_holds_payload(client, false);
        }
        done("AT+CMQTTPUB", reply)
    }

    /// Each filter is given to the module, then the word to subscribe. The form with the filter in the command
    /// itself saves an exchange, but SIM7600 says a second `OK` at its end, which may come when another command is
    /// in flight already.
    fn subscribe(&self, index: u8, subscribe: &Subscribe<'_>) -> Result<Operation> {
        let filter = |(filter, qos): &(TopicFilter, QoS)| {
            let filter = Bytes::copy_from_slice(filter.as_str().as_bytes());
            CmqttSubTopic::new(index, filter, *qos).exchange()
        };
        let mut steps = subscribe.filters.iter().map(filter).collect::<Result<Vec<_>, _>>()?;
        let limit = connect::operation_limit(subscribe.options);
        let command = CmqttSub::staged(index).timeout(facts::result_timeout(limit));
        steps.push(command.exchange()?);
        Ok(Operation::sequence(steps).deferred(command.result()))
    }

    /// The module reports one result for all filters, and not what the broker granted. That the broker answered is
    /// all there is to know, so what was asked for counts as granted.
    fn read_subscribe(&self, reply: &Reply, asked: &[(TopicFilter, QoS)]) -> Result<Vec<Option<QoS>>> {
        done("AT+CMQTTSUB", reply)?;
        Ok(asked.iter().map(|(_, qos)| Some(*qos)).collect())
    }

    fn unsubscribe(&self, index: u8, unsubscribe: &Unsubscribe<'_>) -> Result<Operation> {
        let filter = |filter: &TopicFilter| {
            CmqttUnsubTopic::new(index, Bytes::copy_from_slice(filter.as_str().as_bytes())).exchange()
        };
        let mut steps = unsubscribe.filters.iter().map(filter).collect::<Result<Vec<_>, _>>()?;
        let limit = connect::operation_limit(unsubscribe.options);
        let command = CmqttUnsub::staged(index).timeout(facts::result_timeout(limit));
        steps.push(command.exchange()?);
        Ok(Operation::sequence(steps).deferred(command.result()))
    }

    fn read_unsubscribe(&self, reply: &Reply) -> Result<()> {
        done("AT+CMQTTUNSUB", reply)
    }

    /// A topic was seen to be refused with 12, "invalid parameter", and taken when it came again.
    fn is_fleeting(&self, error: &Error) -> bool {
        const TOPICS: [&str; 3] = ["AT+CMQTTTOPIC", "AT+CMQTTSUBTOPIC", "AT+CMQTTUNSUBTOPIC"];
        matches!(error, Error::Module(error) if TOPICS.contains(&error.command.as_str()))
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        if let Some(error) = facts::explain(refusal) {
            return Some(error);
        }
        let wants_connection = WANT_CONNECTION.contains(&refusal.command.as_str());
        if refusal.result != FinalResult::Error || !wants_connection {
            return None;
        }
        let Error::Module(mut error) = OperationError::Refused(Box::new(refusal.clone())).into() else {
            return None;
        };
        error.meaning =
            "the module refused: the client is not connected any more, or has too much under way".into();
        error.remedy = Some("reconnect");
        Some(Error::Module(error))
    }
}

/// Commands that a module refuses without a code when the client is not connected.
const WANT_CONNECTION: [&str; 7] = [
    "AT+CMQTTTOPIC",
    "AT+CMQTTPAYLOAD",
    "AT+CMQTTPUB",
    "AT+CMQTTSUBTOPIC",
    "AT+CMQTTSUB",
    "AT+CMQTTUNSUBTOPIC",
    "AT+CMQTTUNSUB",
];

/// Whether a command whose result has come did what it was to do. A packet that was not acknowledged may have
/// reached the broker all the same.
fn done(command: &'static str, reply: &Reply) -> Result<()> {
    match result_of(reply) {
        Ok(code) if code.is_success() => Ok(()),
        Ok(code) => Err(facts::refused(command, code.number(), Outcome::Unknown).into()),
        Err(_) => Err(Error::Unreadable { command: command.to_owned() }),
    }
}

/// The client of `+CMQTTPUB: client,result`.
fn client_of_publish(line: &[u8]) -> Option<u8> {
    Fields::of(line, "+CMQTTPUB")?.integer()?.try_into().ok()
}

/// The error of an empty message that would be sent with the payload of another.
fn payload_left() -> ModuleError {
    ModuleError {
        command: "AT+CMQTTPAYLOAD".to_owned(),
        code: None,
        meaning: "the module may still hold the payload of a message that failed, and would send it instead \
                  of an empty one"
            .into(),
        remedy: Some("publish a message that is not empty first, or reconnect"),
        outcome: Outcome::NotSent,
    }
}
