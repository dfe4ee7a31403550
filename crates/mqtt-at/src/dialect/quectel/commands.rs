//! Typed commands: one for each row of the manual.

mod cfg;
mod connection;
mod file;
mod open;
mod packet;
mod pdp;
mod publish;
mod publish_older;
mod receive;
mod setting;
mod ssl;
mod subscribe;

pub use cfg::QmtCfg;
pub use cfg::cloud::{AliCredentials, Huawei, HuaweiCredentials, HuaweiProduct, OneNetCredentials};
pub use cfg::data::{DataForm, DataForms, ReceiveForm};
pub use cfg::session::PacketTimeout;
pub use cfg::will::StoredWill;
pub use connection::{ConnectResult, ConnectionState, QmtConn, QmtDisc, ReadConn};
pub use file::{QfDel, QfLst, QfUpl, StoredFile, Uploaded, checksum};
pub use open::{CloseResult, OpenNetwork, OpenResult, QmtClose, QmtOpen, ReadOpen};
pub use packet::Acknowledgement;
pub use pdp::{
    Authentication, PdpAddress, PdpType, QiAct, QiCsgp, QiDeact, QiGetError, ReadAct, ReadProfile, StackError,
};
pub use publish::QmtPubEx;
pub use publish_older::{PublishForm, QmtPub};
pub use receive::{QmtRecv, ReadRecv, StoredMessages};
pub use setting::{Parameter, ReadParameter, SetParameter};
pub use ssl::{QsslCfg, SecurityLevel};
pub use subscribe::{QmtSub, QmtUns};

pub(super) use connection::connect_result;
pub(super) use open::open_result;
pub(super) use packet::acknowledgement;
pub(super) use receive::stored_messages;
pub(super) use setting::Setting;

/// The parameters that [`QmtCfg`] and [`QsslCfg`] name, as types.
pub mod parameters {
    pub use super::cfg::cloud::{AliAuth, HwAuth, HwProdId, OneNet};
    pub use super::cfg::data::{DataFormat, RecvMode, SendMode, ViewMode};
    pub use super::cfg::session::{KeepAlive, PdpContext, QmtPing, Session, Ssl, Timeout, Version};
    pub use super::cfg::will::{Will, WillEx};
    pub use super::ssl::{
        CaCert, CipherSuite, ClientCert, ClientKey, IgnoreLocalTime, SecLevel, Sni, SslVersion,
    };
}

#[cfg(test)]
mod tests;
