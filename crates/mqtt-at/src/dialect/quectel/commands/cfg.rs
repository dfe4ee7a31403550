//! `AT+QMTCFG`: what is set before a client connects [EC200x MQTT 1.0 §3.2.1].

pub(super) mod cloud;
pub(super) mod data;
pub(super) mod session;
pub(super) mod will;

use super::parameters::{
    AliAuth, DataFormat, HwAuth, HwProdId, KeepAlive, OneNet, PdpContext, QmtPing, RecvMode, SendMode,
    Session, Ssl, Timeout, Version, ViewMode, Will, WillEx,
};
use super::setting::{Family, Parameter};
use crate::command::TestForm;

/// `AT+QMTCFG`: the parameters of a client, each to be read or set [EC200x MQTT 1.0 §3.2.1].
///
/// # Examples
///
/// ```
/// use mqtt_at::{Command, quectel::QmtCfg};
/// use std::time::Duration;
///
/// let read = QmtCfg::keep_alive(0).read();
/// let set = QmtCfg::keep_alive(0).set(Duration::from_secs(60));
/// assert!(read.operation().is_ok() && set.operation().is_ok());
/// assert!(QmtCfg::keep_alive(6).read().operation().is_err(), "there are clients 0 to 5");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QmtCfg;

impl QmtCfg {
    /// Asks which parameters and values the firmware knows.
    pub fn test() -> TestForm {
        TestForm::of(Family::Mqtt.name())
    }

    /// `version`: the version of MQTT.
    pub fn version(client: u8) -> Parameter<Version> {
        Parameter::new(client)
    }

    /// `pdpcid`: the PDP context to use, 1 to 15.
    pub fn pdp_context(client: u8) -> Parameter<PdpContext> {
        Parameter::new(client)
    }

    /// `ssl`: whether the connection is encrypted, and with which TLS context.
    pub fn ssl(client: u8) -> Parameter<Ssl> {
        Parameter::new(client)
    }

    /// `keepalive`: the keep-alive interval, 0 to 3600 whole seconds; 0 for none.
    pub fn keep_alive(client: u8) -> Parameter<KeepAlive> {
        Parameter::new(client)
    }

    /// `session`: whether the broker forgets earlier connections (clean session).
    pub fn session(client: u8) -> Parameter<Session> {
        Parameter::new(client)
    }

    /// `timeout`: how long the module waits for acknowledgements, and how often it sends again.
    pub fn timeout(client: u8) -> Parameter<Timeout> {
        Parameter::new(client)
    }

    /// `will`: the will, its message in the command line; what cannot be quoted needs [`will_ex`](Self::will_ex).
    pub fn will(client: u8) -> Parameter<Will> {
        Parameter::new(client)
    }

    /// `willex`: the will, its message sent apart and of any bytes.
    pub fn will_ex(client: u8) -> Parameter<WillEx> {
        Parameter::new(client)
    }

    /// `recv/mode`: how received messages come. Forms without a length can be forged by whoever may publish.
    pub fn recv_mode(client: u8) -> Parameter<RecvMode> {
        Parameter::new(client)
    }

    /// `aliauth`: the identity of a device of Alibaba Cloud.
    pub fn ali_auth(client: u8) -> Parameter<AliAuth> {
        Parameter::new(client)
    }

    /// `qmtping`: how long after a failed ping the module sends the next one, 5 to 60 whole seconds.
    pub fn ping_interval(client: u8) -> Parameter<QmtPing> {
        Parameter::new(client)
    }

    /// `send/mode`: whether payloads to publish are text or hexadecimal digits.
    pub fn send_mode(client: u8) -> Parameter<SendMode> {
        Parameter::new(client)
    }

    /// `onenet`: the identity of a device of China Mobile's OneNET.
    pub fn one_net(client: u8) -> Parameter<OneNet> {
        Parameter::new(client)
    }

    /// `hwauth`: the identity of a device of Huawei's platform.
    pub fn hw_auth(client: u8) -> Parameter<HwAuth> {
        Parameter::new(client)
    }

    /// `hwprodid`: the product of a device that registers itself at Huawei's platform.
    pub fn hw_prod_id(client: u8) -> Parameter<HwProdId> {
        Parameter::new(client)
    }

    /// `dataformat`: whether payloads are text or hexadecimal digits, for each direction.
    pub fn data_format(client: u8) -> Parameter<DataFormat> {
        Parameter::new(client)
    }

    /// `view/mode`: whether the module shows what it is sent in transparent mode.
    pub fn view_mode(client: u8) -> Parameter<ViewMode> {
        Parameter::new(client)
    }
}
