//! What a module's MQTT can carry.

use std::ops::RangeInclusive;

use crate::dialect::Facts;

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
