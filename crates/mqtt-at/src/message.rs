//! Received messages.

use std::fmt;

use bytes::{Bytes, BytesMut};

/// A message that the broker delivered.
///
/// Topic and payload share one allocation of their own size: a message that is kept pins nothing else.
///
/// [`Subscription`](crate::Subscription) has an example.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    topic: Bytes,
    payload: Bytes,
    packet_identifier: Option<u16>,
    duplicate: Option<bool>,
}

impl Message {
    /// Copies a message out of the bytes that were received. A topic that is not UTF-8 is made readable.
    pub(crate) fn new(topic: &[u8], payload: &[u8], packet_identifier: Option<u16>) -> Self {
        let topic = String::from_utf8_lossy(topic);
        let mut bytes = BytesMut::with_capacity(topic.len() + payload.len());
        bytes.extend_from_slice(topic.as_bytes());
        bytes.extend_from_slice(payload);
        let mut topic_and_payload = bytes.freeze();
        let topic = topic_and_payload.split_to(topic.len());
        Self { topic, payload: topic_and_payload, packet_identifier, duplicate: None }
    }

    /// The topic that it was published to.
    pub fn topic(&self) -> &str {
        std::str::from_utf8(&self.topic).unwrap_or_default()
    }

    /// The payload, any bytes.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The packet identifier, if the module tells it: none for messages that were delivered with QoS 0.
    pub fn packet_identifier(&self) -> Option<u16> {
        self.packet_identifier
    }

    /// Whether the broker marked it as sent before, if the module tells.
    pub fn duplicate(&self) -> Option<bool> {
        self.duplicate
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic())
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}
