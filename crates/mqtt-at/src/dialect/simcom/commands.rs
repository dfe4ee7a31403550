//! Typed commands: one for each row of the manual.

mod certificate;
mod cfg;
mod client;
mod connect;
mod disconnect;
mod message;
mod network;
mod result;
mod service;
mod ssl;
mod staged;
mod subscription;
mod will;

pub use certificate::{CcertDele, CcertDown, CcertList};
pub use cfg::{ClientSettings, CmqttCfg, ReadCfg, SetCfg};
pub use client::{
    AcquiredClient, CmqttAccq, CmqttRel, CmqttSslCfg, ReadAccq, ReadRel, ReadSslCfg, ServerType,
};
pub use connect::{CmqttConnect, ConnectedClient, ConnectionSettings, ReadConnect};
pub use disconnect::{ClientConnection, CmqttDisc, ReadDisc};
pub use message::{CmqttPayload, CmqttPub, CmqttTopic};
pub use network::{CgAuth, CgSockCont};
pub use result::ResultCode;
pub use service::{CmqttStart, CmqttStop};
pub use ssl::{AuthMode, CsslCfg, ReadSsl, SetSsl, SslVersion, TlsContext};
pub use subscription::{CmqttSub, CmqttSubTopic, CmqttUnsub, CmqttUnsubTopic};
pub use will::{CmqttWillMsg, CmqttWillTopic};

pub(super) use result::result_of;

#[cfg(test)]
mod tests;
