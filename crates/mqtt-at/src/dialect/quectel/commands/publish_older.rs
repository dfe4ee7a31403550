//! `AT+QMTPUB`, by which modules without `AT+QMTPUBEX` publish, in the forms that they were seen to take.

use std::time::Duration;

use at_port::{Exchange, Operation, PromptForm, Reply};
use bytes::{BufMut, Bytes, BytesMut};

use super::packet::{self, Acknowledgement};
use super::publish::{PUBEX, QmtPubEx};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::quectel::facts::{self, timeout};
use crate::error::InputError;
use crate::qos::QoS;

const PUB: &str = "+QMTPUB";

/// What ends a payload without a length.
const CTRL_Z: u8 = 0x1A;
/// What cancels it.
const ESC: u8 = 0x1B;

/// How a module without the `AT+QMTPUBEX` of the manual takes a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublishForm {
    /// `AT+QMTPUB` with the length, and the payload behind a prompt: BG96, BG95, BG77. Any bytes.
    Length,
    /// The same with Ctrl-Z behind the payload, which is not counted: BC660K. Any bytes.
    LengthAndCtrlZ,
    /// `AT+QMTPUB` without a length; Ctrl-Z ends the payload behind the prompt: M95, MC20. Any bytes but 0x1A,
    /// which would end it, and 0x1B, which would cancel it.
    CtrlZ,
    /// `AT+QMTPUB` with the payload in quotation marks and no prompt: BC26, BC28. Any bytes but `"` and control
    /// characters.
    Inline,
    /// `AT+QMTPUBEX` with the payload in quotation marks, as seen on a BG95. The same bytes as
    /// [`Inline`](Self::Inline).
    InlineEx,
}

/// Publishes a payload of 1 to 1500 bytes with a module that does not have [`QmtPubEx`].
///
/// The manual does not describe this command; its forms are those of older modules' notes and logs. The limit is
/// that of `AT+QMTPUBEX` [EC200x MQTT 1.0 §3.2.8 note 2].
///
/// ```
/// use mqtt_at::{Command, QoS, quectel::{PublishForm, QmtPub}};
///
/// let command = QmtPub::new(PublishForm::CtrlZ, 0, "site/7/up", "hello").qos(QoS::AtLeastOnce, 7);
/// assert_eq!(command.operation()?.to_string(), r#"AT+QMTPUB=0,7,1,0,"site/7/up""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct QmtPub {
    form: PublishForm,
    message: QmtPubEx,
}

impl QmtPub {
    /// Publishes for a client (0 to 5) with QoS 0, not retained.
    pub fn new(form: PublishForm, client: u8, topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self { form, message: QmtPubEx::new(client, topic, payload) }
    }

    /// The quality of service, and the packet identifier: 0 for QoS 0, and else from 1 and in use for no other
    /// packet in flight.
    #[must_use]
    pub fn qos(mut self, qos: QoS, packet: u16) -> Self {
        self.message = self.message.qos(qos, packet);
        self
    }

    /// Whether the broker keeps it for later subscribers. Default: no.
    #[must_use]
    pub fn retain(mut self, retain: bool) -> Self {
        self.message = self.message.retain(retain);
        self
    }

    /// How long the result, or a notice of retransmission, is waited for. Default: 27.5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.message = self.message.timeout(timeout);
        self
    }

    /// Asks for the arguments, from which the form can often be told.
    pub fn test() -> TestForm {
        TestForm::of(PUB)
    }
}

impl Command for QmtPub {
    type Answer = Acknowledgement;

    fn operation(&self) -> Result<Operation, InputError> {
        let message = &self.message;
        let name = if self.form == PublishForm::InlineEx { PUBEX } else { PUB };
        let (line, payload) = (message.line(name)?, message.payload());
        let (line, data) = match self.form {
            PublishForm::Length => (line.integer(message.length()), Some(payload.clone())),
            PublishForm::LengthAndCtrlZ => (line.integer(message.length()), Some(ended(payload))),
            PublishForm::CtrlZ => (line, Some(ended(without_ends(payload)?))),
            PublishForm::Inline | PublishForm::InlineEx => {
                (line.quoted("the payload", payload, facts::TEXT, facts::PAYLOAD)?, None)
            }
        };
        let exchange = Exchange::new(line.finish()).timeout(timeout::ACCEPTED);
        let exchange = match data {
            Some(data) => exchange.data(PromptForm::Mark, data, facts::PAYLOAD_PATIENCE),
            None => exchange,
        };
        Ok(exchange.deferred(message.result()))
    }

    fn read(&self, reply: &Reply) -> Result<Acknowledgement, Unreadable> {
        packet::acknowledgement(reply)
    }
}

/// The payload with Ctrl-Z behind it.
fn ended(payload: &Bytes) -> Bytes {
    let mut data = BytesMut::with_capacity(payload.len() + 1);
    data.put_slice(payload);
    data.put_u8(CTRL_Z);
    data.freeze()
}

/// Refuses a payload that would end or cancel its own input.
fn without_ends(payload: &Bytes) -> Result<&Bytes, InputError> {
    match payload.iter().enumerate().find(|(_, byte)| matches!(**byte, CTRL_Z | ESC)) {
        None => Ok(payload),
        Some((at, byte)) => Err(InputError::Malformed {
            field: "the payload",
            problem: format!(
                "holds byte 0x{byte:02X} at position {at}, which would end or cancel the input of this module"
            )
            .into(),
        }),
    }
}

#[cfg(test)]
mod tests;
