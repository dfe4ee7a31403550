//! Received messages.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::qos::QoS;

/// A message that the broker delivered. Clones share one copy of it.
///
/// Topic and payload have allocations of their own size: what is kept pins nothing else.
///
/// [`Subscription`](crate::Subscription) has an example.
#[derive(Clone, PartialEq, Eq)]
pub struct Message(Arc<Content>);

#[derive(PartialEq, Eq)]
struct Content {
    topic: Box<str>,
    payload: Bytes,
    packet_identifier: Option<u16>,
    qos: Option<QoS>,
    duplicate: Option<bool>,
}

impl Message {
    /// Copies a message out of the bytes that were received. A topic that is not UTF-8 is made readable.
    pub(crate) fn new(
        topic: &[u8],
        payload: &[u8],
        packet_identifier: Option<u16>,
        qos: Option<QoS>,
    ) -> Self {
        let topic = String::from_utf8_lossy(topic).into();
        let payload = Bytes::copy_from_slice(payload);
        Self(Arc::new(Content { topic, payload, packet_identifier, qos, duplicate: None }))
    }

    /// The topic that it was published to.
    pub fn topic(&self) -> &str {
        &self.0.topic
    }

    /// The payload, any bytes.
    pub fn payload(&self) -> &Bytes {
        &self.0.payload
    }

    /// The quality of service with which it was delivered; `None` where the module does not tell. Fibocom's modules tell it
    /// [Fibocom MQTT 1.2.6 §1.11.2]; of Quectel's only QoS 0 is known, and a message with a
    /// [`packet_identifier`](Self::packet_identifier) came with QoS 1 or 2.
    pub fn qos(&self) -> Option<QoS> {
        self.0.qos
    }

    /// The packet identifier, if the module tells it: none for messages that were delivered with QoS 0.
    pub fn packet_identifier(&self) -> Option<u16> {
        self.0.packet_identifier
    }

    /// Whether the broker marked it as sent before, if the module tells.
    pub fn duplicate(&self) -> Option<bool> {
        self.0.duplicate
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic())
            .field("payload_bytes", &self.payload().len())
            .finish()
    }
}
