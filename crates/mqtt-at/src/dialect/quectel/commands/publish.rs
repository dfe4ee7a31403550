//! `AT+QMTPUBEX`: a payload of stated length behind a prompt [EC200x MQTT 1.0 §3.2.8].

use std::time::Duration;

use at_codec::{CommandLine, WriteLine};
use at_port::{Deferred, Exchange, Operation, PromptForm, Reply};
use bytes::Bytes;

use super::packet::{self, Acknowledgement};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::quectel::facts::{self, timeout};
use crate::error::InputError;
use crate::qos::QoS;

pub(super) const PUBEX: &str = "+QMTPUBEX";

/// The result of either command has the other's name on some firmware.
const RESULTS: &[&str] = &[PUBEX, "+QMTPUB"];

/// Publishes a payload of 1 to 1500 bytes, whatever they are [EC200x MQTT 1.0 §3.2.8].
///
/// ```
/// use mqtt_at::{Command, QoS, quectel::QmtPubEx};
///
/// let command = QmtPubEx::new(0, "site/7/up", "hello").qos(QoS::AtLeastOnce, 7);
/// assert_eq!(command.operation()?.to_string(), r#"AT+QMTPUBEX=0,7,1,0,"site/7/up",5"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct QmtPubEx {
    client: u8,
    topic: String,
    payload: Bytes,
    qos: QoS,
    packet: u16,
    retain: bool,
    timeout: Duration,
}

impl QmtPubEx {
    /// Publishes for a client (0 to 5) with QoS 0, not retained.
    pub fn new(client: u8, topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            client,
            topic: topic.into(),
            payload: payload.into(),
            qos: QoS::AtMostOnce,
            packet: 0,
            retain: false,
            timeout: timeout::ACKNOWLEDGEMENT,
        }
    }

    /// The quality of service, and the packet identifier: 0 for QoS 0, and else from 1 and in use for no other
    /// packet in flight.
    #[must_use]
    pub fn qos(mut self, qos: QoS, packet: u16) -> Self {
        (self.qos, self.packet) = (qos, packet);
        self
    }

    /// Whether the broker keeps it for later subscribers. Default: no.
    #[must_use]
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    /// How long the result, or a notice of retransmission, is waited for. Default: 27.5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments, or whether the firmware knows the command.
    pub fn test() -> TestForm {
        TestForm::of(PUBEX)
    }

    /// The line of a command that takes these arguments, up to the topic.
    pub(super) fn line(&self, name: &'static str) -> Result<WriteLine, InputError> {
        let client = facts::client(self.client)?;
        let (got, max) = (self.payload.len(), facts::PAYLOAD);
        match got {
            0 => return Err(InputError::PayloadEmpty),
            got if got > max => return Err(InputError::PayloadTooLarge { got, max }),
            _ => {}
        }
        let line = CommandLine::write(name)
            .integer(client)
            .integer(self.packet_identifier()?)
            .integer(self.qos.level())
            .integer(self.retain)
            .quoted("the topic", &self.topic, facts::TEXT, facts::TOPIC)?;
        Ok(line)
    }

    /// The length of the payload, as an argument.
    pub(super) fn length(&self) -> i64 {
        self.payload.len() as i64
    }

    pub(super) const fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The result that tells what became of the message.
    pub(super) fn result(&self) -> Deferred {
        let result = packet::deferred(RESULTS, i64::from(self.client), self.packet, self.timeout);
        if self.qos == QoS::AtMostOnce { result.shared_key() } else { result }
    }

    fn packet_identifier(&self) -> Result<i64, InputError> {
        let range = if self.qos == QoS::AtMostOnce { 0..=0 } else { 1..=65_535 };
        facts::in_range("the packet identifier", u64::from(self.packet), range)
    }
}

impl Command for QmtPubEx {
    type Answer = Acknowledgement;

    fn operation(&self) -> Result<Operation, InputError> {
        let line = self.line(PUBEX)?.integer(self.length()).finish();
        Ok(Exchange::new(line)
            .data(PromptForm::Mark, self.payload.clone(), facts::PAYLOAD_PATIENCE)
            .timeout(timeout::ACCEPTED)
            .deferred(self.result()))
    }

    fn read(&self, reply: &Reply) -> Result<Acknowledgement, Unreadable> {
        packet::acknowledgement(reply)
    }
}
