//! What the module reports by itself, and what is to be done about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use at_codec::{Damage, Extent, Fields, Framing, name_of};
use at_port::{Channel, Exchange, Lane, Lost, Operation, Reaction, Rules};
use bytes::Bytes;

use super::commands::{QmtRecv, ReadRecv, StoredMessages};
use super::facts;
use super::framing::{self, ReceiveFraming, Received};
use crate::event::{Event, LossCause};
use crate::link::{Inbound, Links};
use crate::message::Message;
use crate::qos::QoS;

/// Reports that ask for something.
const STAT: &[u8] = b"+QMTSTAT";
const RECV: &[u8] = b"+QMTRECV";
const PING: &[u8] = b"+QMTPING";
const STACK: &[u8] = b"+QIURC";

/// Reports that are known and ask for nothing: results that came too late or twice, and news of the network that
/// bring-up asks for itself.
const IGNORED: &[&[u8]] = &[
    b"+QMTOPEN",
    b"+QMTCLOSE",
    b"+QMTCONN",
    b"+QMTDISC",
    b"+QMTSUB",
    b"+QMTUNS",
    b"+QMTPUBEX",
    b"+QMTPUB",
    b"+QIND",
    b"+QUSIM",
    b"+CFUN",
    b"+CPIN",
    b"+CREG",
    b"+CGREG",
    b"+CEREG",
    b"+CGEV",
    b"+CTZV",
    b"+CTZE",
    b"+CMTI",
];

/// The module has started.
const READY: &[u8] = b"RDY";
/// So it has, as other firmware words it, or says on top of it a little later.
const APPLICATION_READY: &[u8] = b"APP RDY";
/// The module is going down.
const GOING_DOWN: &[&[u8]] = &[b"POWERED DOWN", b"NORMAL POWER DOWN"];

/// What the flows and the rules know of each client of the module.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    sessions: [Session; 6],
}

#[derive(Debug, Default)]
struct Session {
    /// Whether there is a network connection that the module can report as lost.
    open: AtomicBool,
    /// Whether messages wait to be fetched.
    pulls: AtomicBool,
    /// How many operations that fetch each slot are queued or in flight.
    owed: [AtomicU8; 5],
    /// How many of them came of a report.
    reported: AtomicU8,
    /// How many of those have ended without a look whether other messages wait.
    unlooked: AtomicU8,
}

/// A burst of messages is interrupted after so many for a look whether others wait.
const LONGEST_BURST: u8 = 32;

impl Session {
    fn must_be_asked(&self) -> bool {
        self.open.load(Ordering::Relaxed) && self.pulls.load(Ordering::Relaxed)
    }

    /// Counts an operation that fetches these slots up or down.
    fn count(&self, slots: &[u8], is_reported: bool, change: fn(&AtomicU8)) {
        let owed = slots.iter().filter_map(|slot| self.owed.get(usize::from(*slot)));
        owed.chain(is_reported.then_some(&self.reported)).for_each(change);
    }

    /// Whether it is time to look for messages whose report got lost. It can wait while another report is about to be
    /// followed, which looks as well, but not for ever.
    fn should_look(&self) -> bool {
        let unlooked = self.unlooked.load(Ordering::Relaxed) + 1;
        let is_time = self.reported.load(Ordering::Relaxed) <= 1 || unlooked >= LONGEST_BURST;
        self.unlooked.store(if is_time { 0 } else { unlooked }, Ordering::Relaxed);
        is_time
    }
}

impl Sessions {
    /// A client is about to be connected. What is reported before its network connection is open is about a
    /// former one.
    pub(super) fn begin(&self, client: u8, pulls: bool) {
        if let Some(session) = self.of(client) {
            session.open.store(false, Ordering::Relaxed);
            session.pulls.store(pulls, Ordering::Relaxed);
        }
    }

    /// The network connection of a client was opened or closed.
    pub(super) fn set_open(&self, client: u8, open: bool) {
        if let Some(session) = self.of(client) {
            session.open.store(open, Ordering::Relaxed);
        }
    }

    fn is_open(&self, client: u8) -> bool {
        self.of(client).is_some_and(|session| session.open.load(Ordering::Relaxed))
    }

    /// Whether messages of a client wait to be fetched.
    pub(super) fn pulls(&self, client: u8) -> bool {
        self.of(client).is_some_and(Session::must_be_asked)
    }

    fn any_pulls(&self) -> bool {
        self.sessions.iter().any(Session::must_be_asked)
    }

    /// Whether a slot is about to be fetched.
    fn is_owed(&self, client: u8, slot: u8) -> bool {
        let owed = self.of(client).and_then(|session| session.owed.get(usize::from(slot)));
        owed.is_some_and(|owed| owed.load(Ordering::Relaxed) > 0)
    }

    fn of(&self, client: u8) -> Option<&Session> {
        self.sessions.get(usize::from(client))
    }
}

/// The rules of a Quectel module.
#[derive(Debug)]
pub(super) struct QuectelRules {
    framing: ReceiveFraming,
    links: Arc<Links>,
    sessions: Arc<Sessions>,
    /// Whether the module has said that it started, but not yet that its applications have.
    starting: bool,
}

impl QuectelRules {
    pub(super) fn new(links: &Arc<Links>, sessions: &Arc<Sessions>) -> Self {
        Self {
            framing: ReceiveFraming::new(Arc::clone(links)),
            links: Arc::clone(links),
            sessions: Arc::clone(sessions),
            starting: false,
        }
    }

    /// The connection of a client has ended. A report about a connection that is not there is a late one.
    fn lost(&self, client: u8, cause: LossCause) -> Reaction<Inbound> {
        if !self.sessions.is_open(client) {
            tracing::debug!(client, %cause, "a connection that is gone already was reported as lost");
            return Reaction::default();
        }
        self.sessions.set_open(client, false);
        if let Some(link) = self.links.current(client) {
            link.lose(cause);
        }
        Reaction { lost: Some(Lost::Lane(Lane::client(client))), ..Reaction::default() }
    }

    fn received(&self, line: &[u8]) -> Reaction<Inbound> {
        match framing::read(line, &self.links) {
            Some(Received::Message { client, packet, topic, payload, expected: true }) => {
                // The identifier is 0 only with QoS 0 [EC200x MQTT 1.0 §3.2.9].
                let qos = (packet == 0).then_some(QoS::AtMostOnce);
                let message = Message::new(topic, payload, Some(packet).filter(|packet| *packet != 0), qos);
                Reaction::deliver(Channel::Client(client), Inbound::Message(message))
            }
            Some(Received::Message { client, payload, .. }) => {
                tracing::debug!(
                    client,
                    bytes = payload.len(),
                    "dropped a message that was not subscribed to"
                );
                Reaction::default()
            }
            Some(Received::Stored { client, slot }) => self.stored(client, slot),
            Some(Received::Status(status)) => self.scanned(&status),
            Some(Received::Uncounted { client }) => {
                tracing::warn!(client, bytes = line.len(), "dropped a message without a length");
                self.corrupt(client, line.len(), 0);
                Reaction::default()
            }
            None => Reaction::default(),
        }
    }

    /// A message waits in a slot: fetch it, then look whether others wait of which no report came through.
    fn stored(&self, client: u8, slot: u8) -> Reaction<Inbound> {
        let sessions = Arc::clone(&self.sessions);
        let is_time = move || sessions.of(client).is_some_and(Session::should_look);
        self.fetch(client, &[slot], Some(ReadRecv::scan().only_if(is_time)))
    }

    /// Fetches what waits and is not about to be fetched. It is not looked again afterwards, so that a slot that
    /// does not get empty cannot keep the port busy for ever.
    fn scanned(&self, status: &StoredMessages) -> Reaction<Inbound> {
        let is_new = |slot: u8, is_full| is_full && !self.sessions.is_owed(status.client, slot);
        let waiting = facts::SLOTS.zip(status.slots).filter(|(slot, is_full)| is_new(*slot, *is_full));
        let slots: Vec<u8> = waiting.map(|(slot, _)| slot).collect();
        self.fetch(status.client, &slots, None)
    }

    fn fetch(&self, client: u8, slots: &[u8], scan: Option<Exchange>) -> Reaction<Inbound> {
        let is_wanted = self.links.current(client).is_some_and(|link| link.is_alive());
        if !is_wanted || slots.is_empty() {
            return Reaction::default();
        }
        let Some(session) = self.sessions.of(client) else { return Reaction::default() };
        let is_reported = scan.is_some();
        session.count(slots, is_reported, |count| _ = count.fetch_add(1, Ordering::Relaxed));
        let fetches = slots.iter().filter_map(|slot| QmtRecv::slot(client, *slot).exchange().ok());
        let operation = Operation::sequence(fetches.chain(scan)).lane(Lane::client(client));
        let (slots, sessions) = (slots.to_vec(), Arc::clone(&self.sessions));
        let operation = operation.on_conclusion(move |_| {
            if let Some(session) = sessions.of(client) {
                session.count(&slots, is_reported, |count| _ = count.fetch_sub(1, Ordering::Relaxed));
            }
        });
        Reaction { follow_up: Some(operation), ..Reaction::default() }
    }

    fn corrupt(&self, client: u8, got: usize, need: usize) {
        if let Some(link) = self.links.current(client) {
            link.report(Event::Corrupt { got, need });
        }
    }

    fn rebooted(&self) -> Reaction<Inbound> {
        for client in facts::CLIENTS {
            self.sessions.set_open(client, false);
        }
        self.links.lose_all(&LossCause::Rebooted);
        Reaction { reboot: true, ..Reaction::default() }
    }
}

impl Framing for QuectelRules {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        self.framing.measure(head, resume)
    }
}

impl Rules for QuectelRules {
    type Urc = Inbound;

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        match name_of(line) {
            Some(STAT | RECV | PING | STACK) => true,
            Some(name) => IGNORED.contains(&name),
            None => line == READY || line == APPLICATION_READY || GOING_DOWN.contains(&line),
        }
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Inbound> {
        match name_of(line) {
            Some(RECV) => self.received(line),
            Some(STAT) => match client_and_code(line, "+QMTSTAT") {
                Some((client, code)) => self.lost(client, facts::loss_cause(code)),
                None => Reaction::default(),
            },
            Some(PING) => match client_and_code(line, "+QMTPING") {
                // 1 is the only value of the manual, "failed" [EC200x MQTT 1.0 §4.3].
                Some((_, 0)) | None => Reaction::default(),
                Some((client, _)) => self.lost(client, LossCause::KeepAlive),
            },
            Some(STACK) => {
                tracing::warn!(report = %at_codec::Escaped(line), "news of the data connection");
                Reaction::default()
            }
            Some(_) => Reaction::default(),
            None => {
                // One start may be announced twice.
                let is_news = line != APPLICATION_READY || !self.starting;
                self.starting = line == READY;
                if is_news { self.rebooted() } else { Reaction::default() }
            }
        }
    }

    fn damaged(&mut self, damage: &Damage) -> Reaction<Inbound> {
        if let Some(client) = framing::client_of(&damage.head) {
            self.corrupt(client, damage.got, damage.need);
        }
        if !self.sessions.any_pulls() {
            return Reaction::default();
        }
        // What was lost may have been the report of a message that waits.
        Reaction { follow_up: Some(look()), ..Reaction::default() }
    }
}

/// Looks whether messages wait, and fetches them then.
pub(super) fn look() -> Operation {
    Operation::from(ReadRecv::scan()).lane(Lane::COMMON)
}

fn client_and_code(line: &[u8], name: &str) -> Option<(u8, i64)> {
    let mut fields = Fields::of(line, name)?;
    Some((fields.integer()?.try_into().ok()?, fields.integer()?))
}

#[cfg(test)]
mod tests;
