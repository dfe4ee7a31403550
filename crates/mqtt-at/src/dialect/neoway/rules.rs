//! What the module reports by itself, and what is to be done about it.

use std::sync::Arc;

use at_codec::{Damage, Extent, Fields, Framing, name_of};
use at_port::{Channel, FinalResult, Lost, Reaction, Rules};
use bytes::Bytes;

use super::commands::{MqttState, stored};
use super::facts;
use super::framing::{self, ReceiveFraming, Received, Source};
use crate::dialect::one_client::{OnlyClient, Session};
use crate::event::LossCause;
use crate::link::{Inbound, Links};
use crate::message::Message;

/// Reports that ask for something.
const REPORTS: &[&str] =
    &[facts::MESSAGE, facts::CLOUD_MESSAGE, facts::AWS_MESSAGE, facts::CMD_ERROR, facts::STATE];

/// Reports that are known and ask for nothing: results that came too late or twice, and news of the network that
/// bring-up asks for itself. `+PBREADY` follows the report of a start.
const IGNORED: &[&[u8]] = &[
    b"+CLOUDHDAUTH",
    b"+CLOUDSUBACK",
    b"+CLOUDPUBACK",
    b"+CLOUDUNSUBACK",
    b"+CLOUDNSUBACK",
    b"+PBREADY",
    b"+XIIC",
    b"+CFUN",
    b"+CPIN",
    b"+CREG",
    b"+CGREG",
    b"+CEREG",
    b"+CGEV",
    b"+CTZV",
    b"+CTZE",
    b"+CMTI",
    b"+CLIP",
    b"+TCPSEND",
];

/// The module has started.
const STARTED: &[u8] = b"MODEM:STARTUP";

/// The rules of a Neoway module.
#[derive(Debug)]
pub(super) struct NeowayRules {
    framing: ReceiveFraming,
    client: OnlyClient,
}

impl NeowayRules {
    pub(super) fn new(links: &Arc<Links>, session: &Arc<Session>) -> Self {
        Self { framing: ReceiveFraming::new(Arc::clone(links)), client: OnlyClient::new(links, session) }
    }

    fn received(&self, line: &[u8]) -> Reaction<Inbound> {
        let Some(Received { source, id, message }) = framing::read(line, &self.client.links) else {
            return Reaction::default();
        };
        match (source, message) {
            (Source::Broker, message) => self.client.received(line, message, id),
            (_, Some(message)) => {
                let message = Message::new(message.topic, message.payload, id, None);
                Reaction::deliver(Channel::Modem, Inbound::Message(message))
            }
            (source, None) => {
                tracing::warn!(?source, bytes = line.len(), "dropped a message without a length");
                Reaction::default()
            }
        }
    }
}

impl Framing for NeowayRules {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        self.framing.measure(head, resume)
    }
}

impl Rules for NeowayRules {
    type Urc = Inbound;

    /// `+CMD ERROR` closes the connection [Neoway MQTT 1.2 §B.1], and a line that ends a command passes nowhere else in
    /// the rules; so this is where the loss is noted. What cannot fail in this way it does not answer.
    fn final_result(&self, line: &Bytes, command: &str) -> Option<FinalResult> {
        let success = if Fields::of(line, facts::CMD_ERROR).is_some() {
            if !facts::may_be_cmd_error(command) {
                return None;
            }
            self.client.lose(LossCause::ClosedOnRefusal);
            false
        } else if facts::timed_out(line) {
            false
        } else {
            stored(line)?.success
        };
        Some(FinalResult::Vendor { line: line.clone(), success })
    }

    /// The manual leaves open whether `ERROR` follows when the module has given up waiting for data, and when it says
    /// `+CMD ERROR`.
    fn leaves_doubt(&self, result: &FinalResult) -> bool {
        facts::is_timed_out(result) || facts::is_cmd_error(result)
    }

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        match name_of(line) {
            Some(facts::DISCONNECTED) => true,
            Some(name) => IGNORED.contains(&name) || REPORTS.iter().any(|report| report.as_bytes() == name),
            None => {
                let is_message = Fields::of(line, facts::BARE_MESSAGE).is_some();
                is_message || line == STARTED || line == b"RING"
            }
        }
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Inbound> {
        let is = |name: &str| Fields::of(line, name).is_some();
        let messages = [facts::MESSAGE, facts::BARE_MESSAGE, facts::CLOUD_MESSAGE, facts::AWS_MESSAGE];
        if messages.into_iter().any(is) {
            self.received(line)
        } else if name_of(line) == Some(facts::DISCONNECTED) {
            self.client.lost(facts::loss_cause(line))
        } else if is(facts::CMD_ERROR) {
            self.client.lose(LossCause::ClosedByModule);
            // No result of the module's only connection comes any more, whether of this client or of a cloud.
            Reaction { lost: Some(Lost::All), ..Reaction::default() }
        } else if Fields::of(line, facts::STATE).is_some_and(|mut fields| fields.integer() == Some(0)) {
            self.client.lost(LossCause::Unknown)
        } else if line == STARTED {
            self.client.rebooted()
        } else {
            Reaction::default()
        }
    }

    /// What was dropped may have held the report of a loss, so the module is asked; its answer comes as a report.
    fn damaged(&mut self, damage: &Damage) -> Reaction<Inbound> {
        if framing::is_message(&damage.head) {
            self.client.corrupt(damage.got, damage.need);
        }
        self.client.ask_after_damage(MqttState::question)
    }
}

#[cfg(test)]
mod tests;
