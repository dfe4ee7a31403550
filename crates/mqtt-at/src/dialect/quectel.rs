//! Quectel modules: `AT+QMT…`, as described in the manual *EC200x&EC600S&EG912Y MQTT Application Note 1.0*, cited as
//! `[EC200x MQTT 1.0 §…]`.
//!
//! [`Modem`](crate::Modem) and [`Client`](crate::Client) use what they need; every command is here for those who
//! need more, to be sent with [`Modem::send`](crate::Modem::send):
//!
//! ```no_run
//! use mqtt_at::{Modem, quectel};
//!
//! # async fn example(modem: Modem) -> mqtt_at::Result<()> {
//! let interval = modem.send(quectel::QmtCfg::keep_alive(0).read()).await?;
//! # Ok(()) }
//! ```
//!
//! | Commands | Types |
//! |---|---|
//! | settings of a client | [`QmtCfg`] |
//! | network connection | [`QmtOpen`], [`QmtClose`] |
//! | connection to the broker | [`QmtConn`], [`QmtDisc`] |
//! | subscriptions | [`QmtSub`], [`QmtUns`] |
//! | messages | [`QmtPubEx`], on older modules [`QmtPub`]; [`QmtRecv`] |
//! | TLS | [`QsslCfg`] |
//! | files | [`QfUpl`], [`QfLst`], [`QfDel`] |
//! | data connection | [`QiCsgp`], [`QiAct`], [`QiDeact`], [`QiGetError`] |
//!
//! Arguments that are out of range are refused before a byte is sent.

mod certificates;
mod commands;
mod connect;
mod facts;
mod flow;
mod framing;
pub(crate) mod known;
mod meaning;
mod publish_form;
mod rules;
#[cfg(test)]
mod script;
mod settings;
mod tls;

pub use commands::*;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use at_port::{ErrorCode, FinalResult, Operation, OperationError, Refusal, Reply, Rules};

use self::rules::{QuectelRules, Sessions};
use crate::command::Command;
use crate::connect::ConnectOptions;
use crate::dialect::meaning::Meaning;
use crate::dialect::{Connecting, Dialect, Facts, ModemPort, Presence, Publish, Subscribe, Unsubscribe};
use crate::error::{Error, Outcome, Result};
use crate::event::LossCause;
use crate::link::{Inbound, Links};
use crate::options::{FormerClients, ModemOptions};
use crate::qos::QoS;
use crate::quirk::Quirks;
use crate::sign_in::SignIn;
use crate::topic::TopicFilter;

/// The dialect of one Quectel module.
#[derive(Debug, Default)]
pub(crate) struct Quectel {
    sessions: Arc<Sessions>,
    quirks: Quirks,
    /// How a module without the manual's `AT+QMTPUBEX` publishes, once it is known.
    publish_form: Mutex<Option<PublishForm>>,
    /// The other form that was thought of, in case the answer that spoke against it was garbled.
    spare_form: Mutex<Option<PublishForm>>,
}

impl Quectel {
    pub(crate) fn new(quirks: Quirks) -> Self {
        Self { quirks, ..Self::default() }
    }

    fn publish_form(&self) -> Option<PublishForm> {
        *locked(&self.publish_form)
    }

    /// The module does not know the command that publishes, so it must be the other one. Which it is was asked of it, but
    /// that answer may have been garbled. What the user has chosen stays.
    fn change_publish_form(&self) {
        if self.quirks.chosen.is_empty() {
            std::mem::swap(&mut *locked(&self.publish_form), &mut *locked(&self.spare_form));
            tracing::info!(form = ?self.publish_form(), "the module does not know how to publish in the way it was thought to");
        }
    }

    /// The command that publishes.
    fn publish_command(&self) -> &'static str {
        match self.publish_form() {
            None | Some(PublishForm::InlineEx) => "AT+QMTPUBEX",
            Some(_) => "AT+QMTPUB",
        }
    }
}

#[async_trait]
impl Dialect for Quectel {
    fn facts(&self) -> &Facts {
        &facts::FACTS
    }

    fn rules(&self, links: &Arc<Links>) -> Box<dyn Rules<Urc = Inbound>> {
        Box::new(QuectelRules::new(links, &self.sessions))
    }

    fn read_as_connected(&self) {
        for client in facts::CLIENTS {
            self.sessions.set_open(client, true);
        }
    }

    fn meaning(&self, line: &[u8]) -> Option<Meaning> {
        meaning::of(line)
    }

    async fn prepare(&self, port: &ModemPort, former: FormerClients) -> Result<()> {
        flow::hear_reports(port).await?;
        if former == FormerClients::Close {
            flow::close_former(port).await?;
        }
        // Found anew each time: a refusal that only the line made must not be remembered for ever.
        let form = publish_form::find(port, &self.quirks).await?;
        *locked(&self.publish_form) = form;
        *locked(&self.spare_form) = None;
        Ok(())
    }

    async fn activate(&self, port: &ModemPort, options: &ModemOptions) -> Result<()> {
        flow::activate(port, options).await
    }

    fn signs_in(&self, identity: &SignIn) -> bool {
        settings::identity(0, identity).is_some()
    }

    fn check(&self, options: &ConnectOptions) -> Result<()> {
        connect::check(options)
    }

    async fn connect(&self, context: &Connecting<'_>) -> Result<()> {
        connect::connect(context, &self.sessions).await
    }

    async fn presence(&self, port: &ModemPort, index: u8) -> Result<Presence> {
        let connected = flow::is_connected(port, index).await?;
        if connected == Some(true) {
            self.sessions.set_open(index, true);
            if self.sessions.pulls(index) {
                // The report of a message may have been lost, too. If the port is gone, nothing can be fetched.
                let _ = port.post(rules::look());
            }
        }
        Ok(connected.into())
    }

    async fn renew(&self, port: &ModemPort, options: &ModemOptions) -> Result<()> {
        flow::renew(port, options).await
    }

    /// "Deactivate PDP first, and then active PDP and reopen MQTT connection" [EC200x MQTT 1.0 §4].
    fn needs_renewal(&self, cause: &LossCause) -> bool {
        *cause == LossCause::KeepAlive
    }

    async fn disconnect(&self, port: &ModemPort, index: u8) -> Result<()> {
        let outcome = flow::disconnect(port, index).await;
        self.sessions.set_open(index, false);
        outcome
    }

    async fn close(&self, port: &ModemPort, index: u8) {
        flow::close(port, index).await;
        self.sessions.set_open(index, false);
    }

    fn farewell(&self, index: u8) -> Operation {
        flow::farewell(index)
    }

    fn publish(&self, index: u8, publish: &Publish<'_>) -> Result<Operation> {
        let (topic, payload) = (publish.topic.as_str(), publish.payload.clone());
        let timeout = publish.options.acknowledgement_timeout();
        let operation = match self.publish_form() {
            None => QmtPubEx::new(index, topic, payload)
                .qos(publish.qos, publish.packet_id)
                .retain(publish.retain)
                .timeout(timeout)
                .operation(),
            Some(form) => QmtPub::new(form, index, topic, payload)
                .qos(publish.qos, publish.packet_id)
                .retain(publish.retain)
                .timeout(timeout)
                .operation(),
        };
        Ok(operation?)
    }

    fn read_publish(&self, reply: &Reply) -> Result<()> {
        acknowledged(self.publish_command(), reply).map(drop)
    }

    fn subscribe(&self, index: u8, subscribe: &Subscribe<'_>) -> Result<Operation> {
        let command =
            QmtSub::new(index, subscribe.packet_id).timeout(subscribe.options.acknowledgement_timeout());
        let add = |command: QmtSub, (filter, qos): &(TopicFilter, QoS)| command.filter(filter.as_str(), *qos);
        Ok(subscribe.filters.iter().fold(command, add).operation()?)
    }

    fn read_subscribe(&self, reply: &Reply, asked: &[(TopicFilter, QoS)]) -> Result<Vec<Option<QoS>>> {
        let mut granted = acknowledged("AT+QMTSUB", reply)?.into_iter();
        // A value that is left out says nothing against the one that was asked for.
        let mut next = |asked: QoS| granted.next().map_or(Some(asked), |level| QoS::try_from(level).ok());
        Ok(asked.iter().map(|(_, qos)| next(*qos)).collect())
    }

    fn unsubscribe(&self, index: u8, unsubscribe: &Unsubscribe<'_>) -> Result<Operation> {
        let command =
            QmtUns::new(index, unsubscribe.packet_id).timeout(unsubscribe.options.acknowledgement_timeout());
        let add = |command: QmtUns, filter: &TopicFilter| command.filter(filter.as_str());
        Ok(unsubscribe.filters.iter().fold(command, add).operation()?)
    }

    fn read_unsubscribe(&self, reply: &Reply) -> Result<()> {
        acknowledged("AT+QMTUNS", reply).map(drop)
    }

    /// The manual names one reason for a bare `ERROR`: more packets in flight than the module can take
    /// [EC200x MQTT 1.0 §3.2.8 note 1]. As those are counted here, another is left.
    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        let is_unknown = refusal.result == FinalResult::Cme(ErrorCode::Number(NOT_SUPPORTED));
        if is_unknown && refusal.command == self.publish_command() {
            self.change_publish_form();
        }
        let is_packet =
            ["AT+QMTPUBEX", "AT+QMTPUB", "AT+QMTSUB", "AT+QMTUNS"].contains(&refusal.command.as_str());
        if refusal.result != FinalResult::Error || !is_packet {
            return None;
        }
        let Error::Module(mut error) = OperationError::Refused(Box::new(refusal.clone())).into() else {
            return None;
        };
        error.meaning =
            "the module refused: the client is not connected any more, or has too much under way".into();
        error.remedy =
            Some("reconnect; if it stays, look whether the topic is longer than the firmware takes");
        Some(Error::Module(error))
    }
}

/// "Operation not supported" [3GPP TS 27.007 §9.2.1].
const NOT_SUPPORTED: u32 = 4;

fn locked<T>(form: &Mutex<T>) -> MutexGuard<'_, T> {
    form.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the broker granted, or why there is no acknowledgement. A packet that was not acknowledged may have
/// reached the broker all the same.
fn acknowledged(command: &str, reply: &Reply) -> Result<Vec<u8>> {
    match acknowledgement(reply) {
        Ok(Acknowledgement::Acknowledged { granted }) => Ok(granted),
        Ok(Acknowledgement::Failed { result }) => {
            let error = Error::from(facts::refused(command, facts::PACKET_RESULTS, result));
            Err(error.with_outcome(Outcome::Unknown))
        }
        Err(_) => Err(Error::Unreadable { command: command.to_owned() }),
    }
}

#[cfg(test)]
mod tests;
