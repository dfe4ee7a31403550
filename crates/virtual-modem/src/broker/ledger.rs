//! What a broker remembers for the assertions of tests.

use bytes::Bytes;

/// Everything that happened at a [`MemoryBroker`](crate::MemoryBroker), in order.
///
/// [`VirtualModem`](crate::VirtualModem) has an example.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Each CONNECT, accepted or refused.
    pub connects: Vec<ConnectSeen>,
    /// Each application message the broker took responsibility for. A QoS 2 message is listed once; a QoS 1 message
    /// that was sent again is listed again, with `dup` set.
    pub accepted: Vec<Accepted>,
    /// Client identifier and packet identifier of each publish whose acknowledgement (PUBACK or PUBCOMP) was sent.
    pub acknowledged: Vec<(String, u16)>,
    /// Each message handed to a client, redeliveries included.
    pub delivered: Vec<Delivered>,
    /// Client identifier, packet identifier: each delivery the client acknowledged for good.
    pub confirmed: Vec<(String, u16)>,
    /// Client identifiers whose will was published.
    pub wills: Vec<String>,
    /// Each SUBSCRIBE: client identifier, filter, the QoS asked for, the code granted (128 = refused).
    pub subscriptions: Vec<(String, String, u8, u8)>,
}

/// A CONNECT as the broker saw it.
///
/// [`VirtualModem`](crate::VirtualModem) has an example of a [`Ledger`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectSeen {
    /// Client identifier.
    pub client_identifier: String,
    /// User name, if one was given.
    pub user: Option<String>,
    /// Password, if one was given.
    pub password: Option<String>,
    /// The clean session flag.
    pub clean_session: bool,
    /// Keep-alive time in seconds.
    pub keep_alive: u16,
    /// Topic, payload, QoS and retain flag of the will.
    pub will: Option<(String, Bytes, u8, bool)>,
    /// Host and port the module was told to dial.
    pub dialled: (String, u16),
    /// Whether the module was told to use TLS (which this broker does not really speak).
    pub tls: bool,
    /// The return code of CONNACK.
    pub code: u8,
}

/// An application message that was accepted.
///
/// [`VirtualModem`](crate::VirtualModem) has an example of a [`Ledger`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Client identifier of the sender; `None` for [`publish_from_outside`](crate::MemoryBroker::publish_from_outside)
    /// and for wills.
    pub from: Option<String>,
    /// Topic name.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// Quality of service, 0 to 2.
    pub qos: u8,
    /// The retain flag.
    pub retain: bool,
    /// Whether it was marked as sent again.
    pub dup: bool,
    /// Packet identifier, 0 with QoS 0.
    pub id: u16,
}

/// A message on its way to a client.
///
/// [`VirtualModem`](crate::VirtualModem) has an example of a [`Ledger`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Client identifier of the receiver.
    pub to: String,
    /// Topic name.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// Quality of service of the delivery, 0 to 2.
    pub qos: u8,
    /// Whether it was a retained message.
    pub retain: bool,
    /// Whether it was sent again.
    pub dup: bool,
    /// Packet identifier, 0 with QoS 0.
    pub id: u16,
}
