//! Typed commands: one for each row of the manual.

mod aws;
mod certificate;
mod cloud;
mod cloud_topic;
mod connection;
mod data_link;
mod parameters;
mod publish;
mod state;
mod subscribe;
mod will;

use at_codec::CommandLine;
use at_port::{Answer, Exchange, Operation};

pub use aws::{AwsAuthParam, AwsConn, AwsConnParam, AwsTlsCfg};
pub use certificate::CertAdd;
pub use cloud::{CloudConn, CloudDisconn, CloudHdAuth, CloudState};
pub use cloud_topic::{CloudPub, CloudPubMsg, CloudResult, CloudSub, CloudUnsub};
pub use connection::{ConnectionSettings, MqttConn, MqttDisconn, ReadConn};
pub use data_link::{DataLink, ReadXiic, XgAuth, Xiic};
pub use parameters::{ConnectionParameters, MqttConnParam, ReadConnParam};
pub use publish::{MqttPub, MqttPubs};
pub use state::{ConnectionState, MqttState, ReadState};
pub use subscribe::{LatestSubscription, MqttSub, MqttUnsub, ReadSub, TestSub};
pub use will::{MqttWillMsg, MqttWillParam, ReadWillParam, StoredWill};

pub(super) use certificate::stored;

use super::facts::timeout;

/// A setting, of which nothing but the final result is wanted.
fn setting(line: CommandLine) -> Operation {
    Exchange::new(line).timeout(timeout::SETTING).into()
}

/// A question for what is set.
fn question(name: &'static str) -> Exchange {
    Exchange::new(CommandLine::read(name)).answer(Answer::Named(name)).timeout(timeout::SETTING)
}

/// A text of the module; what is not UTF-8 is made readable.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests;
