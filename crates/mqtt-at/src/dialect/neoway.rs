//! Neoway modules: `AT+MQTT…` for the module's one client, as described in the manual *Neoway Standard Modules MQTT
//! Application Guide 1.2*, cited as `[Neoway MQTT 1.2 §…]`; where it is silent, as the later manual *N58 AT Commands
//! 2.0*, cited as `[N58 AT 2.0 §…]`.
//!
//! [`Modem`](crate::Modem) and [`Client`](crate::Client) use what they need; every command is here for those who
//! need more, to be sent with [`Modem::send`](crate::Modem::send):
//!
//! ```no_run
//! use mqtt_at::{Modem, neoway};
//!
//! # async fn example(modem: Modem) -> mqtt_at::Result<()> {
//! let address = modem.send(neoway::Xiic::read()).await?.address;
//! # Ok(()) }
//! ```
//!
//! | Commands | Types |
//! |---|---|
//! | data connection | [`Xiic`], [`XgAuth`] |
//! | client identifier, user name, password | [`MqttConnParam`] |
//! | will | [`MqttWillParam`], [`MqttWillMsg`] |
//! | connection to the broker | [`MqttConn`], [`MqttDisconn`], [`MqttState`] |
//! | subscriptions | [`MqttSub`], [`MqttUnsub`] |
//! | messages | [`MqttPubs`], [`MqttPub`] |
//! | messages of the clouds | [`CloudMessages`] |
//! | Alibaba's cloud | [`CloudHdAuth`], [`CloudConn`], [`CloudSub`], [`CloudUnsub`], [`CloudPub`], [`CloudPubMsg`], [`CloudState`], [`CloudDisconn`] |
//! | AWS | [`CertAdd`], [`AwsTlsCfg`], [`AwsAuthParam`], [`AwsConnParam`], [`AwsConn`] |
//!
//! Arguments that are out of range are refused before a byte is sent.
//!
//! # What these modules cannot do
//!
//! There is one client, which publishes one message at a time, of 1 to 10 240 bytes. Topics have at most 128 bytes of
//! ASCII, and neither they nor client identifier, user name, password or will may hold quotes, `\` or control
//! characters: the commands know no escapes. The standard commands have no encryption; those for AWS do.

mod cloud_messages;
mod commands;
mod connect;
mod facts;
mod flow;
mod framing;
pub(crate) mod known;
mod meaning;
mod rules;

pub use cloud_messages::CloudMessages;
pub use commands::*;

use std::sync::Arc;

use async_trait::async_trait;
use at_port::{Operation, Refusal, Reply, Rules};

use self::rules::NeowayRules;
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
use crate::sign_in::SignIn;
use crate::topic::TopicFilter;

/// The dialect of one Neoway module.
#[derive(Debug, Default)]
pub(crate) struct Neoway {
    session: Arc<Session>,
}

#[async_trait]
impl Dialect for Neoway {
    fn facts(&self) -> &Facts {
        &facts::FACTS
    }

    fn rules(&self, links: &Arc<Links>) -> Box<dyn Rules<Urc = Inbound>> {
        Box::new(NeowayRules::new(links, &self.session))
    }

    fn read_as_connected(&self) {
        self.session.set_open(true);
    }

    fn meaning(&self, line: &[u8]) -> Option<Meaning> {
        meaning::of(line)
    }

    async fn prepare(&self, port: &ModemPort, former: FormerClients) -> Result<()> {
        match former {
            FormerClients::Close => flow::close_former(port).await,
            FormerClients::Leave => Ok(()),
        }
    }

    async fn activate(&self, port: &ModemPort, options: &ModemOptions) -> Result<()> {
        flow::activate(port, options).await
    }

    /// It does, but not on the connection that this dialect makes: its check says why.
    fn signs_in(&self, identity: &SignIn) -> bool {
        matches!(identity, SignIn::Alibaba { .. })
    }

    fn check(&self, options: &ConnectOptions) -> Result<()> {
        connect::check(options)
    }

    async fn connect(&self, context: &Connecting<'_>) -> Result<()> {
        connect::connect(context, &self.session).await
    }

    async fn presence(&self, port: &ModemPort, _index: u8) -> Result<Presence> {
        let presence = flow::presence(port).await?;
        if presence == Presence::Connected {
            self.session.set_open(true);
        }
        Ok(presence)
    }

    /// No command of the manual ends the data connection: it is dialled again if it is gone.
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
        let command = MqttPubs::new(publish.topic.as_str(), publish.payload.clone())
            .qos(publish.qos)
            .retain(publish.retain);
        Ok(command.operation()?)
    }

    /// `OK` is all that the module says, and its manual calls the message "published successfully" with it
    /// [Neoway MQTT 1.2 §5.7]; that it comes late on a poor network says that it waits for the broker.
    fn read_publish(&self, _reply: &Reply) -> Result<()> {
        Ok(())
    }

    fn subscribe(&self, _index: u8, subscribe: &Subscribe<'_>) -> Result<Operation> {
        let (filter, qos) = only(subscribe.filters)?;
        Ok(MqttSub::new(filter.as_str(), *qos).operation()?)
    }

    /// The module does not tell what was granted; what was asked for is the most that can have been.
    fn read_subscribe(&self, _reply: &Reply, asked: &[(TopicFilter, QoS)]) -> Result<Vec<Option<QoS>>> {
        Ok(asked.iter().map(|(_, qos)| Some(*qos)).collect())
    }

    fn unsubscribe(&self, _index: u8, unsubscribe: &Unsubscribe<'_>) -> Result<Operation> {
        let filter = only(unsubscribe.filters)?;
        Ok(MqttUnsub::new(filter.as_str()).operation()?)
    }

    fn read_unsubscribe(&self, _reply: &Reply) -> Result<()> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

#[cfg(test)]
mod script;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod tests;
