//! The seam between the vendor-neutral client and each vendor's way of MQTT over AT.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use at_port::{
    ErrorCode, FinalResult, Lane, Operation, OperationError, Port, Refusal, Reply, Restarts, Rules,
};
use bytes::Bytes;
use tokio::sync::watch;

use self::meaning::Meaning;
use crate::command::Command;
use crate::common::{Attached, SetAttached};
use crate::connect::ConnectOptions;
use crate::error::{Error, InputError, ModuleError, Outcome, Result};
use crate::event::LossCause;
use crate::link::{Inbound, Links};
use crate::options::{FormerClients, ModemOptions, Progress};
use crate::qos::QoS;
use crate::quirk::Quirks;
use crate::sign_in::SignIn;
use crate::topic::{TopicFilter, TopicName};
use crate::vendor::Vendor;

pub(crate) mod clock;
pub(crate) mod counted;
#[cfg(test)]
mod cuts;
pub mod esp;
pub mod fibocom;
pub(crate) mod known;
#[cfg(test)]
mod known_lines;
pub(crate) mod meaning;
pub mod neoway;
pub(crate) mod one_client;
pub(crate) mod pem;
pub mod quectel;
pub(crate) mod ranges;
#[cfg(test)]
pub(crate) mod replay;
#[cfg(test)]
pub(crate) mod script;
pub mod simcom;

/// A port whose reports are read by a dialect.
pub(crate) type ModemPort = Port<Inbound>;

/// Connects a client. A module that starts anew meanwhile without a word, which only the return of its echo shows, has
/// lost what was set before, such as the form in which no message can forge anything.
pub(crate) async fn connect(dialect: &dyn Dialect, context: &Connecting<'_>) -> Result<()> {
    let mut restarts = context.port.restarts();
    dialect.connect(context).await?;
    if has_restarted(&mut restarts) {
        dialect.close(context.port, context.index).await;
        return Err(Error::Rebooted { outcome: Outcome::NotSent });
    }
    Ok(())
}

/// Whether the module has started anew since it was last asked for.
pub(crate) fn has_restarted(restarts: &mut watch::Receiver<Restarts>) -> bool {
    // Without a sender nothing is told any more.
    let is_news = restarts.has_changed().unwrap_or(false);
    restarts.mark_unchanged();
    is_news
}

/// One vendor's way of MQTT over AT: tables first, flows where the order of commands differs.
///
/// Publishing and subscribing are described, not done: one [`Operation`] each, so that nothing can come between
/// its commands and a caller that leaves cannot leave it half said. Connecting is a flow of several operations.
#[async_trait]
pub(crate) trait Dialect: Send + Sync + fmt::Debug {
    /// The table of facts.
    fn facts(&self) -> &Facts;

    /// Whether it reaches the network by radio with a SIM, which has to be made ready and registered first.
    fn is_cellular(&self) -> bool {
        true
    }

    /// How bytes are framed and what reports mean.
    fn rules(&self, links: &Arc<Links>) -> Box<dyn Rules<Urc = Inbound>>;

    /// From now on the rules take every client as connected: for reading a conversation of which nobody knows how it
    /// began.
    fn read_as_connected(&self);

    /// What a result or report says by itself.
    fn meaning(&self, line: &[u8]) -> Option<Meaning>;

    /// Puts the module into the state that the other calls rely on, and closes what a former host left open, if it is to
    /// be closed.
    async fn prepare(&self, port: &ModemPort, former: FormerClients) -> Result<()>;

    /// Makes sure that there is a data connection.
    async fn activate(&self, port: &ModemPort, options: &ModemOptions) -> Result<()>;

    /// Whether the module makes the login at a cloud platform from such an identity.
    fn signs_in(&self, identity: &SignIn) -> bool {
        let _ = identity;
        false
    }

    /// Checks everything that can be checked before a byte is sent.
    fn check(&self, options: &ConnectOptions) -> Result<()>;

    /// Connects one client of the module to its broker.
    async fn connect(&self, context: &Connecting<'_>) -> Result<()>;

    /// Whether the module still has the connection, whatever it has reported. If it has, its reports count again.
    async fn presence(&self, port: &ModemPort, index: u8) -> Result<Presence>;

    /// Makes a new data connection in the place of one that carries nothing any more. No client is connected.
    async fn renew(&self, port: &ModemPort, options: &ModemOptions) -> Result<()>;

    /// Whether the manual asks for a new data connection after a loss with this cause.
    fn needs_renewal(&self, cause: &LossCause) -> bool {
        let _ = cause;
        false
    }

    /// Says farewell to the broker and frees the client of the module.
    async fn disconnect(&self, port: &ModemPort, index: u8) -> Result<()>;

    /// Frees the client of the module, whatever state it is in. What it refuses is no matter.
    async fn close(&self, port: &ModemPort, index: u8);

    /// What to send when nobody is there to wait for a farewell.
    fn farewell(&self, index: u8) -> Operation;

    /// Publishes. Topic and payload are within the limits of the facts.
    fn publish(&self, index: u8, publish: &Publish<'_>) -> Result<Operation>;

    /// Whether a publish that the module did not refuse reached the broker.
    fn read_publish(&self, reply: &Reply) -> Result<()>;

    /// Subscribes, with at most [`Facts::filters`] filters.
    fn subscribe(&self, index: u8, subscribe: &Subscribe<'_>) -> Result<Operation>;

    /// The granted quality of service of each filter, `None` where the broker refused it.
    fn read_subscribe(&self, reply: &Reply, asked: &[(TopicFilter, QoS)]) -> Result<Vec<Option<QoS>>>;

    /// Ends subscriptions, with at most [`Facts::filters`] filters.
    fn unsubscribe(&self, index: u8, unsubscribe: &Unsubscribe<'_>) -> Result<Operation>;

    /// Whether an unsubscription that the module did not refuse was acknowledged.
    fn read_unsubscribe(&self, reply: &Reply) -> Result<()>;

    /// Whether a publish or subscription that failed so was not sent, and was seen to succeed when tried again at once.
    fn is_fleeting(&self, error: &Error) -> bool {
        let _ = error;
        false
    }

    /// Gives the refusal of an operation that this dialect made a meaning, where its manual knows one.
    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        let _ = refusal;
        None
    }
}

/// What a module says of a client's connection when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is there.
    Connected,
    /// There is none.
    Gone,
    /// There is none, and the module is making it anew by itself.
    Returning,
    /// The module does not tell.
    Untold,
}

impl From<Option<bool>> for Presence {
    fn from(connected: Option<bool>) -> Self {
        match connected {
            Some(true) => Self::Connected,
            Some(false) => Self::Gone,
            None => Self::Untold,
        }
    }
}

/// The dialect of a vendor, as its manual has it.
pub(crate) fn of(vendor: Vendor) -> Result<Box<dyn Dialect>> {
    of_module(vendor, Quirks::default())
}

/// The dialect of a module that deviates from its vendor's manual.
pub(crate) fn of_module(vendor: Vendor, quirks: Quirks) -> Result<Box<dyn Dialect>> {
    match vendor {
        Vendor::Quectel => Ok(Box::new(quectel::Quectel::new(quirks))),
        other => Ok(for_reading(other)),
    }
}

/// The dialect of a vendor, for reading what was said.
pub(crate) fn for_reading(vendor: Vendor) -> Box<dyn Dialect> {
    match vendor {
        Vendor::Quectel => Box::new(quectel::Quectel::default()),
        Vendor::SimCom => Box::new(simcom::SimCom::default()),
        Vendor::Fibocom => Box::new(fibocom::Fibocom::default()),
        Vendor::Espressif => Box::new(esp::Esp::default()),
        Vendor::Neoway => Box::new(neoway::Neoway::default()),
    }
}

/// What a flow that connects a client works with.
pub(crate) struct Connecting<'a> {
    pub(crate) port: &'a ModemPort,
    pub(crate) index: u8,
    pub(crate) options: &'a ConnectOptions,
    pub(crate) progress: Option<&'a Progress>,
}

/// A message to be published.
pub(crate) struct Publish<'a> {
    pub(crate) topic: &'a TopicName,
    pub(crate) payload: &'a Bytes,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// Not in flight for anything else; 0 exactly for QoS 0.
    pub(crate) packet_id: u16,
    /// The options of the client's connection.
    pub(crate) options: &'a ConnectOptions,
}

/// Subscriptions to be made.
pub(crate) struct Subscribe<'a> {
    pub(crate) filters: &'a [(TopicFilter, QoS)],
    pub(crate) packet_id: u16,
    pub(crate) options: &'a ConnectOptions,
}

/// Subscriptions to be ended.
pub(crate) struct Unsubscribe<'a> {
    pub(crate) filters: &'a [TopicFilter],
    pub(crate) packet_id: u16,
    pub(crate) options: &'a ConnectOptions,
}

/// What one kind of module can do.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) vendor: Vendor,
    /// The numbers by which commands name the clients.
    pub(crate) clients: RangeInclusive<u8>,
    /// How many publishes of one client may be in flight.
    pub(crate) window: usize,
    /// How many topic filters one command takes.
    pub(crate) filters: usize,
    /// Longest payload, in bytes.
    pub(crate) max_payload: usize,
    /// Whether a payload may be empty.
    pub(crate) empty_payload: bool,
    /// Longest topic name to publish to, in bytes.
    pub(crate) max_topic: usize,
    /// How long the module may keep waiting for the data behind a prompt.
    pub(crate) payload_patience: std::time::Duration,
    /// What the vendor's modules report of themselves and of no client, besides what 3GPP has them report.
    pub(crate) reports: &'static [&'static str],
}

/// The code and the meaning of a final result that no command gave a meaning of its own.
pub(crate) fn meaning_of(result: &FinalResult) -> (Option<Cow<'static, str>>, Cow<'static, str>) {
    match result {
        FinalResult::Cme(ErrorCode::Number(code)) => {
            (Some(format!("+CME ERROR: {code}").into()), crate::common::cme_meaning(*code).into())
        }
        FinalResult::Cms(ErrorCode::Number(code)) => {
            (Some(format!("+CMS ERROR: {code}").into()), "the module refused the command".into())
        }
        FinalResult::Cme(ErrorCode::Text(text)) | FinalResult::Cms(ErrorCode::Text(text)) => {
            (None, text.clone().into())
        }
        FinalResult::Error => (None, "the module refused the command without a reason".into()),
        other => (Some(other.to_string().into()), "the module refused the command".into()),
    }
}

/// Runs an operation and gives its failure the general meaning.
pub(crate) async fn run(port: &ModemPort, operation: impl Into<Operation>) -> Result<Reply> {
    port.run(operation).await.map_err(Error::from)
}

/// Runs a typed command between those of the clients.
pub(crate) async fn send<C: Command + Sync>(port: &ModemPort, command: C) -> Result<C::Answer> {
    ask(port, Lane::COMMON, command).await
}

/// Runs a typed command in a lane of the port.
pub(crate) async fn ask<C: Command + Sync>(port: &ModemPort, lane: Lane, command: C) -> Result<C::Answer> {
    let reply = match port.run(command.operation()?.lane(lane)).await {
        Ok(reply) => reply,
        Err(OperationError::Refused(refusal)) => {
            return Err(command.explain(&refusal).unwrap_or_else(|| OperationError::Refused(refusal).into()));
        }
        Err(error) => return Err(error.into()),
    };
    command.read(&reply).map_err(|_| Error::Unreadable { command: std::any::type_name::<C>().to_owned() })
}

/// Attaches a module that is registered and yet not attached to the data service, so that it refuses to dial; says
/// whether it did.
pub(crate) async fn attach_if_needed(port: &ModemPort, lane: Lane) -> Result<bool> {
    if if_possible(ask(port, lane, Attached).await)? != Some(false) {
        return Ok(false);
    }
    tracing::info!("the module is not attached to the data service; attaching");
    Ok(if_possible(ask(port, lane, SetAttached(true)).await)?.is_some())
}

/// `None` where the module refused, or answered with something unreadable.
pub(crate) fn if_possible<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Module(_) | Error::Unreadable { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The filter of a command that takes one.
pub(crate) fn only<T>(filters: &[T]) -> Result<&T> {
    let [filter] = filters else {
        let problem = "must have exactly one".into();
        return Err(InputError::Malformed { field: "the list of topic filters", problem }.into());
    };
    Ok(filter)
}

/// `None` where the module refused, or did not do it in time: cleaning up goes on with the next step.
pub(crate) fn if_at_all<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Err(Error::Timeout { .. } | Error::ConnectionLost { .. }) => Ok(None),
        outcome => if_possible(outcome),
    }
}

/// The error of a setting that the module accepted and does not show.
pub(crate) fn not_kept(command: &str, key: &str) -> Error {
    let error = ModuleError {
        command: command.to_owned(),
        code: None,
        meaning: format!("the module did not keep the setting {key}, so nothing was sent to the broker")
            .into(),
        remedy: Some("restart the module, or update its firmware"),
        outcome: Outcome::NotSent,
    };
    error.into()
}
