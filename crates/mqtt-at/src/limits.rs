//! What a module's MQTT can carry.

use std::ops::RangeInclusive;

use at_codec::ArgumentError;

use crate::dialect::Facts;
use crate::error::InputError;

/// The limits of a module, as its manual gives them.
///
/// ```no_run
/// # fn example(modem: mqtt_at::Modem, report: Vec<u8>) {
/// let parts = report.chunks(modem.limits().payload);
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The numbers of the clients that it can run at once.
    pub clients: RangeInclusive<u8>,
    /// How many publishes of one client may be in flight.
    pub window: usize,
    /// The longest payload to publish, in bytes.
    pub payload: usize,
    /// Whether a payload may be empty.
    pub empty_payload: bool,
    /// The longest topic name to publish to, in bytes.
    pub topic: usize,
}

impl Limits {
    /// Whether a message is within the limits, for programs that want to know it before they connect. Publishing checks
    /// it again, and more: whether the module's command can hold the topic. Without a payload only the topic is checked.
    ///
    /// # Errors
    ///
    /// The topic or the payload is too long, or the payload is empty and must not be.
    pub fn check(&self, topic: &str, payload: Option<&[u8]>) -> Result<(), InputError> {
        let (got, max) = (topic.len(), self.topic);
        if got > max {
            return Err(ArgumentError::TooLong { field: "the topic", max, got }.into());
        }
        match payload.map(<[u8]>::len) {
            Some(0) if !self.empty_payload => Err(InputError::PayloadEmpty),
            Some(got) if got > self.payload => Err(InputError::PayloadTooLarge { got, max: self.payload }),
            _ => Ok(()),
        }
    }

    pub(crate) fn of(facts: &Facts) -> Self {
        Self {
            clients: facts.clients.clone(),
            window: facts.window,
            payload: facts.max_payload,
            empty_payload: facts.empty_payload,
            topic: facts.max_topic,
        }
    }
}
