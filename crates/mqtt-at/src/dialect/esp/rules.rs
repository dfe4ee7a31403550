//! What the module reports by itself, and what is to be done about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use at_codec::{Damage, Extent, Fields, Framing, name_of};
use at_port::{Channel, FinalResult, Lane, Lost, Operation, Probe, Reaction, Rules};
use bytes::Bytes;

use super::commands::{ConnectionState, MqttConn};
use super::facts;
use super::framing::{self, ReceiveFraming};
use crate::event::{Event, LossCause};
use crate::link::{Inbound, Links};
use crate::message::Message;

/// Reports that ask for something, or would if they were not late.
const REPORTS: &[&str] = &[facts::MESSAGE, facts::DISCONNECTED, facts::CONNECTED, facts::CONNECTION];

/// Reports that ask for nothing: the loss of Wi-Fi is followed by that of the connection, and a command that comes
/// while the module is busy is answered by its silence [ESP-AT AT Command Set, AT Messages].
const IGNORED: &[&[u8]] = &[
    b"busy p...",
    b"WIFI CONNECTED",
    b"WIFI GOT IP",
    b"WIFI GOT IPv6 LL",
    b"WIFI GOT IPv6 GL",
    b"WIFI DISCONNECT",
    b"+ETH_CONNECTED",
    b"+ETH_GOT_IP",
    b"+ETH_DISCONNECTED",
    b"Will force to restart!!!",
];

/// The module has started [ESP-AT AT Command Set, AT Messages].
const STARTED: &[u8] = b"ready";

/// What the flows and the rules know of the module's only connection to a broker.
#[derive(Debug, Default)]
pub(super) struct Session {
    open: AtomicBool,
}

impl Session {
    /// The broker has accepted the client, or the connection is at its end. What is reported as lost while there is
    /// none is a former one.
    pub(super) fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

/// The rules of a module with ESP-AT.
#[derive(Debug)]
pub(super) struct EspRules {
    framing: ReceiveFraming,
    links: Arc<Links>,
    session: Arc<Session>,
}

impl EspRules {
    pub(super) fn new(links: &Arc<Links>, session: &Arc<Session>) -> Self {
        let framing = ReceiveFraming::new(Arc::clone(links));
        Self { framing, links: Arc::clone(links), session: Arc::clone(session) }
    }

    /// The connection has ended, for a reason that the module does not tell.
    fn lost(&self) -> Reaction<Inbound> {
        if !self.session.is_open() {
            tracing::debug!("a connection that is gone already was reported as lost");
            return Reaction::default();
        }
        self.session.set_open(false);
        if let Some(link) = self.links.current(facts::CLIENT) {
            link.lose(LossCause::Unknown);
        }
        Reaction { lost: Some(Lost::Lane(Lane::client(facts::CLIENT))), ..Reaction::default() }
    }

    fn received(&self, line: &[u8]) -> Reaction<Inbound> {
        match framing::read(line, &self.links) {
            Some(Some(message)) if message.expected => {
                let message = Message::new(message.topic, message.payload, None);
                return Reaction::deliver(Channel::Client(facts::CLIENT), Inbound::Message(message));
            }
            Some(Some(message)) => {
                tracing::debug!(
                    bytes = message.payload.len(),
                    "dropped a message that was not subscribed to"
                );
            }
            Some(None) => {
                tracing::warn!(bytes = line.len(), "dropped a message without a length");
                self.corrupt(line.len(), 0);
            }
            None => {}
        }
        Reaction::default()
    }

    fn corrupt(&self, got: usize, need: usize) {
        if let Some(link) = self.links.current(facts::CLIENT) {
            link.report(Event::Corrupt { got, need });
        }
    }

    fn rebooted(&self) -> Reaction<Inbound> {
        self.session.set_open(false);
        self.links.lose_all(&LossCause::Rebooted);
        Reaction { reboot: true, ..Reaction::default() }
    }
}

impl Framing for EspRules {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        self.framing.measure(head, resume)
    }
}

impl Rules for EspRules {
    type Urc = Inbound;

    /// The result of `AT+MQTTPUBRAW`. The module is busy until it has come, so it is never that of an earlier command.
    fn final_result(&self, line: &Bytes) -> Option<FinalResult> {
        let success = line == facts::PUBLISHED;
        (success || line == facts::NOT_PUBLISHED).then(|| FinalResult::Vendor { line: line.clone(), success })
    }

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        // A result that comes when no command is in flight is nobody's.
        let is_late = line == facts::PUBLISHED || line == facts::NOT_PUBLISHED;
        let is_report = name_of(line).is_some_and(|name| REPORTS.iter().any(|it| it.as_bytes() == name));
        is_late || is_report || line == STARTED || IGNORED.contains(&line)
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Inbound> {
        let is_client = |mut fields: Fields<'_>| fields.integer() == Some(i64::from(facts::CLIENT));
        if Fields::of(line, facts::MESSAGE).is_some() {
            self.received(line)
        } else if Fields::of(line, facts::DISCONNECTED).is_some_and(is_client)
            || ConnectionState::of(line).is_some_and(|state| !state.is_connected())
        {
            self.lost()
        } else if line == STARTED {
            self.rebooted()
        } else {
            Reaction::default()
        }
    }

    /// What was dropped may have held the report of a loss, so the module is asked; its answer comes as a report.
    fn damaged(&mut self, damage: &Damage) -> Reaction<Inbound> {
        if framing::is_message(&damage.head) {
            self.corrupt(damage.got, damage.need);
        }
        if !self.session.is_open() {
            return Reaction::default();
        }
        let question = Operation::from(MqttConn::question()).lane(Lane::client(facts::CLIENT));
        Reaction { follow_up: Some(question), ..Reaction::default() }
    }

    fn probes(&self) -> &'static [Probe] {
        facts::PROBES
    }
}

#[cfg(test)]
mod tests;
