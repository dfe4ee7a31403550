//! MQTT control packets as values [MQTT 3.1.1 §3].

use bytes::Bytes;

/// An MQTT control packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    Connect(Connect),
    ConnAck { session_present: bool, code: u8 },
    Publish(Publish),
    PubAck(u16),
    PubRec(u16),
    PubRel(u16),
    PubComp(u16),
    Subscribe { id: u16, filters: Vec<(Bytes, u8)> },
    SubAck { id: u16, codes: Vec<u8> },
    Unsubscribe { id: u16, filters: Vec<Bytes> },
    UnsubAck(u16),
    PingReq,
    PingResp,
    Disconnect,
}

/// What a client says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) client_identifier: Bytes,
    pub(crate) clean_session: bool,
    /// In seconds; 0 switches it off.
    pub(crate) keep_alive: u16,
    pub(crate) will: Option<Will>,
    pub(crate) user: Option<Bytes>,
    pub(crate) password: Option<Bytes>,
}

/// The message a broker publishes when a client vanishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Will {
    pub(crate) topic: Bytes,
    pub(crate) payload: Bytes,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

/// An application message on its way. The packet identifier is 0 with QoS 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) dup: bool,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) id: u16,
    pub(crate) topic: Bytes,
    pub(crate) payload: Bytes,
}
