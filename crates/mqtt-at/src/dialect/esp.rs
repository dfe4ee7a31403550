//! Espressif's Wi-Fi chips with the ESP-AT firmware: `AT+MQTT…` for the module's one client, as described in the
//! *ESP-AT User Guide*, AT Command Set, cited as `[ESP-AT MQTT, <command>]` for its chapter *MQTT AT Commands*.
//!
//! [`Modem`](crate::Modem) and [`Client`](crate::Client) use what they need; every command is here for those who
//! need more, to be sent with [`Modem::send`](crate::Modem::send):
//!
//! ```no_run
//! use mqtt_at::{Modem, esp};
//!
//! # async fn example(modem: Modem) -> mqtt_at::Result<()> {
//! let address = modem.send(esp::CipSta).await?.address;
//! # Ok(()) }
//! ```
//!
//! | Commands | Types |
//! |---|---|
//! | address, reasons of refusals | [`CipSta`], [`SysLog`] |
//! | client identifier, user name, password | [`MqttUserCfg`], [`MqttLongClientId`], [`MqttLongUsername`], [`MqttLongPassword`] |
//! | keep-alive, session, will | [`MqttConnCfg`] |
//! | TLS | [`MqttSni`] |
//! | connection to the broker | [`MqttConn`], [`MqttClean`] |
//! | subscriptions | [`MqttSub`], [`MqttUnsub`] |
//! | messages | [`MqttPubRaw`] |
//!
//! Arguments that are out of range are refused before a byte is sent.
//!
//! # What these modules cannot do
//!
//! The library joins no Wi-Fi network: the module has to know one, which it joins by itself when it starts. There is
//! one client, which publishes one message at a time. Topics have at most 128 bytes without quotes. Certificates are
//! in the module's flash, out of the library's reach, so that of TLS only the kind without verification is offered.

mod commands;
mod connect;
mod facts;
mod flow;
mod framing;
pub(crate) mod known;
mod meaning;
mod rules;

pub use commands::*;

use std::sync::Arc;

use async_trait::async_trait;
use at_port::{FinalResult, Operation, Refusal, Reply, Rules};

pub(crate) use self::facts::PROBES;
use self::rules::EspRules;
use crate::command::Command;
use crate::connect::ConnectOptions;
use crate::dialect::meaning::Meaning;
use crate::dialect::one_client::Session;
use crate::dialect::{
    Connecting, Dialect, Facts, ModemPort, Presence, Publish, Subscribe, Unsubscribe, only,
};
use crate::error::{Error, Result};
use crate::link::{Inbound, Links};
use crate::options::{FormerClients, ModemOptions};
use crate::qos::QoS;
use crate::topic::TopicFilter;

/// The dialect of one module with ESP-AT.
#[derive(Debug, Default)]
pub(crate) struct Esp {
    session: Arc<Session>,
}

#[async_trait]
impl Dialect for Esp {
    fn facts(&self) -> &Facts {
        &facts::FACTS
    }

    fn is_cellular(&self) -> bool {
        false
    }

    fn rules(&self, links: &Arc<Links>) -> Box<dyn Rules<Urc = Inbound>> {
        Box::new(EspRules::new(links, &self.session))
    }

    fn read_as_connected(&self) {
        self.session.set_open(true);
    }

    fn meaning(&self, line: &[u8]) -> Option<Meaning> {
        meaning::of(line)
    }

    async fn prepare(&self, port: &ModemPort, former: FormerClients) -> Result<()> {
        flow::explain_refusals(port).await?;
        match former {
            FormerClients::Close => flow::close_former(port).await,
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
        connect::connect(context, &self.session).await
    }

    async fn presence(&self, port: &ModemPort, _index: u8) -> Result<Presence> {
        let connected = flow::is_connected(port).await?;
        if connected == Some(true) {
            self.session.set_open(true);
        }
        Ok(connected.into())
    }

    /// The module joins its network again by itself.
    async fn renew(&self, port: &ModemPort, options: &ModemOptions) -> Result<()> {
        flow::activate(port, options).await
    }

    async fn disconnect(&self, port: &ModemPort, _index: u8) -> Result<()> {
        flow::disconnect(port, &self.session).await
    }

    async fn close(&self, port: &ModemPort, _index: u8) {
        flow::close(port, &self.session).await;
    }

    fn farewell(&self, _index: u8) -> Operation {
        flow::farewell(&self.session)
    }

    fn publish(&self, _index: u8, publish: &Publish<'_>) -> Result<Operation> {
        let command = MqttPubRaw::new(publish.topic.as_str(), publish.payload.clone())
            .qos(publish.qos)
            .retain(publish.retain);
        Ok(command.operation()?)
    }

    /// `+MQTTPUB:OK` ends the command. Anything else is the result of something else.
    fn read_publish(&self, reply: &Reply) -> Result<()> {
        match reply.result {
            FinalResult::Vendor { success: true, .. } => Ok(()),
            _ => Err(Error::Unreadable { command: "AT+MQTTPUBRAW".to_owned() }),
        }
    }

    fn subscribe(&self, _index: u8, subscribe: &Subscribe<'_>) -> Result<Operation> {
        let (filter, qos) = only(subscribe.filters)?;
        Ok(MqttSub::new(filter.as_str(), *qos).operation()?)
    }

    /// The module does not tell what was granted; what was asked for is the most that can have been.
    fn read_subscribe(&self, reply: &Reply, asked: &[(TopicFilter, QoS)]) -> Result<Vec<Option<QoS>>> {
        accepted("AT+MQTTSUB", reply)?;
        Ok(asked.iter().map(|(_, qos)| Some(*qos)).collect())
    }

    fn unsubscribe(&self, _index: u8, unsubscribe: &Unsubscribe<'_>) -> Result<Operation> {
        let filter = only(unsubscribe.filters)?;
        Ok(MqttUnsub::new(filter.as_str()).operation()?)
    }

    fn read_unsubscribe(&self, reply: &Reply) -> Result<()> {
        accepted("AT+MQTTUNSUB", reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// `OK` ends the command.
fn accepted(command: &str, reply: &Reply) -> Result<()> {
    if reply.result == FinalResult::Ok {
        return Ok(());
    }
    Err(Error::Unreadable { command: command.to_owned() })
}

#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;
