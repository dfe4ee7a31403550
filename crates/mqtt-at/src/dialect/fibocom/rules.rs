//! What the module reports by itself, and what is to be done about it.

use std::sync::Arc;

use at_codec::{Damage, Extent, Fields, Framing, name_of};
use at_port::{Channel, FinalResult, Lane, Lost, Operation, Reaction, Rules};
use bytes::Bytes;

use super::commands::{MqttConf, MqttRead, ReadOpen, Reports, data_call, free_clients};
use super::facts;
use super::framing::{self, Received};
use super::sessions::{Sessions, State};
use crate::event::{Event, LossCause};
use crate::link::{Inbound, Links};
use crate::message::Message;
use crate::qos::QoS;

/// Reports that ask for something.
const MESSAGE: &[u8] = b"+MQTTREAD";
const ANNOUNCED: &[u8] = b"+MQTTMSGI";
const UNCOUNTED: &[u8] = b"+MQTTMSG";
const BROKEN: &[u8] = facts::BREAK.as_bytes();
/// Not in the manual, but seen on modules in the place of [`BROKEN`].
const LOST: &[u8] = b"+MQTTLOSE";
/// Behind [`BROKEN`] [Fibocom MQTT 1.2.6 §3.3], or in its place.
const CLOSED: &[u8] = b"+MQTTCLOSE";
const CALL: &[u8] = b"+MIPCALL";
const SIM_READY: &[u8] = b"+SIM READY";
const OPENED: &[u8] = b"+MQTTOPEN";

/// Reports that are known and ask for nothing: results that came too late or twice, and news of the network that
/// bring-up asks for itself.
const IGNORED: &[&[u8]] = &[
    b"+MQTTSUB",
    b"+MQTTUNSUB",
    b"+MQTTPUB",
    b"+SIM DROP",
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

/// The module has started, in the words of several models.
const STARTED: &[&[u8]] = &[b"AT command ready", b"AT READY", b"RDY"];

/// So it has, with a name and a number: `*ATREADY: 1`.
const STARTED_NAME: &[u8] = b"*ATREADY";

/// What follows a start on some models.
const AFTER_START: &[&[u8]] = &[b"PB DONE", b"SMS DONE", b"SMS Ready", b"Call Ready"];

/// The rules of a Fibocom module.
#[derive(Debug)]
pub(super) struct FibocomRules {
    links: Arc<Links>,
    sessions: Arc<Sessions>,
}

impl FibocomRules {
    pub(super) fn new(links: &Arc<Links>, sessions: &Arc<Sessions>) -> Self {
        Self { links: Arc::clone(links), sessions: Arc::clone(sessions) }
    }

    fn received(&self, line: &[u8]) -> Reaction<Inbound> {
        match framing::read(line) {
            Some(Received::Message { client, qos, topic, payload }) => {
                self.sessions.fetched(client);
                // Another one may wait; if not, the module will say so.
                let next = self.fetch(client);
                if self.is_expected(client, topic) {
                    let message =
                        Inbound::Message(Message::new(topic, payload, None, QoS::try_from(qos).ok()));
                    return Reaction { deliver: Some((Channel::Client(client), message)), ..next };
                }
                tracing::debug!(
                    client,
                    bytes = payload.len(),
                    "dropped a message that was not subscribed to"
                );
                next
            }
            Some(Received::Empty { client }) if self.sessions.is_empty(client) => Reaction::default(),
            Some(Received::Empty { client }) => self.fetch(client),
            None => Reaction::default(),
        }
    }

    /// Whether a message with this topic can have been meant for the client.
    fn is_expected(&self, client: u8, topic: &[u8]) -> bool {
        let link = self.links.current(client).filter(|link| link.is_alive());
        link.is_some_and(|link| std::str::from_utf8(topic).is_ok_and(|topic| link.expects(topic)))
    }

    fn is_alive(&self, client: u8) -> bool {
        self.links.current(client).is_some_and(|link| link.is_alive())
    }

    /// A message waits. If it is about to be fetched anyway, nothing is to be done.
    fn announced(&self, client: u8) -> Reaction<Inbound> {
        if self.sessions.announced(client) { self.fetch(client) } else { Reaction::default() }
    }

    /// Fetches the next message of a client that is still in use. What waits for another one is left there.
    fn fetch(&self, client: u8) -> Reaction<Inbound> {
        if !self.is_alive(client) {
            return Reaction::default();
        }
        Reaction { follow_up: Some(fetching(&self.sessions, client)), ..Reaction::default() }
    }

    /// Asks the module which connections are still there, and then for what waits for these clients.
    fn look(&self, clients: Vec<u8>) -> Reaction<Inbound> {
        if !self.sessions.question_begun() {
            return Reaction::default();
        }
        clients.iter().for_each(|client| self.sessions.fetch_begun(*client));
        let fetches = clients.iter().map(|client| MqttRead::new(*client).fetch());
        let operation = Operation::sequence([ReadOpen::question()].into_iter().chain(fetches));
        let sessions = Arc::clone(&self.sessions);
        let operation = operation.lane(Lane::COMMON).on_conclusion(move |_| {
            sessions.question_ended();
            clients.iter().for_each(|client| sessions.fetch_ended(*client));
        });
        Reaction { follow_up: Some(operation), ..Reaction::default() }
    }

    /// These clients have no connection. If they had one, its end was not reported: the module has started anew, or the
    /// report was lost.
    fn free(&self, clients: &[u8]) -> Reaction<Inbound> {
        let gone: Vec<u8> = clients.iter().copied().filter(|it| self.sessions.in_question(*it)).collect();
        let mut reactions: Vec<_> = gone.iter().map(|it| self.lost(*it, LossCause::Unknown)).collect();
        match reactions.len() {
            0 | 1 => reactions.pop().unwrap_or_default(),
            _ => Reaction { lost: Some(Lost::All), ..Reaction::default() },
        }
    }

    /// A message without lengths, of which nothing can be believed: the module is in its default mode, though it was
    /// taken out of it.
    fn uncounted(&self, line: &[u8]) -> Reaction<Inbound> {
        let client = Fields::of(line, "+MQTTMSG").and_then(|mut fields| fields.integer()?.try_into().ok());
        tracing::warn!(client, bytes = line.len(), "dropped a message without a length");
        let Some(client) = client.filter(|client| self.is_alive(*client)) else { return Reaction::default() };
        self.corrupt(client, line.len(), 0);
        if !self.sessions.counted() || !self.sessions.repair_begun() {
            return Reaction::default();
        }
        let sessions = Arc::clone(&self.sessions);
        let operation = Operation::from(MqttConf::new(Reports::Lengths).exchange()).lane(Lane::COMMON);
        let operation = operation.on_conclusion(move |_| sessions.repair_ended());
        Reaction { follow_up: Some(operation), ..Reaction::default() }
    }

    /// The connection of a client has ended. A report about a connection that is not there is a late one.
    fn lost(&self, client: u8, cause: LossCause) -> Reaction<Inbound> {
        if self.sessions.state(client) != State::Open {
            tracing::debug!(client, %cause, "a connection that is gone already was reported as lost");
            return Reaction::default();
        }
        self.sessions.set(client, State::Closed);
        if let Some(link) = self.links.current(client) {
            link.lose(cause);
        }
        Reaction { lost: Some(Lost::Lane(Lane::client(client))), ..Reaction::default() }
    }

    fn call_changed(&self, line: &[u8]) -> Reaction<Inbound> {
        if let Some(call) = data_call(line) {
            tracing::debug!(active = call.active, "news of the data connection");
            self.sessions.set_dialled(call.active);
        }
        Reaction::default()
    }

    fn corrupt(&self, client: u8, got: usize, need: usize) {
        if let Some(link) = self.links.current(client) {
            link.report(Event::Corrupt { got, need });
        }
    }

    fn rebooted(&self) -> Reaction<Inbound> {
        self.sessions.forget();
        self.links.lose_all(&LossCause::Rebooted);
        Reaction { reboot: true, ..Reaction::default() }
    }
}

/// Fetches a client's next message, if there is one. The answer comes as a report.
pub(super) fn fetching(sessions: &Arc<Sessions>, client: u8) -> Operation {
    sessions.fetch_begun(client);
    let sessions = Arc::clone(sessions);
    let operation = Operation::from(MqttRead::new(client).fetch()).lane(Lane::client(client));
    operation.on_conclusion(move |_| sessions.fetch_ended(client))
}

impl Framing for FibocomRules {
    /// What a header says is enough, so that nothing is remembered between two calls.
    fn measure(&mut self, head: &[u8], _resume: &mut usize) -> Extent {
        framing::measure(head)
    }
}

impl Rules for FibocomRules {
    type Urc = Inbound;

    fn final_result(&self, line: &Bytes, _command: &str) -> Option<FinalResult> {
        facts::is_error(line).then(|| FinalResult::Vendor { line: line.clone(), success: false })
    }

    /// `ERROR: 703` behind the `OK` is the reason of a connection that is being made [Fibocom MQTT 1.2.6 §1.2.2].
    fn is_unsolicited(&self, line: &[u8]) -> bool {
        match name_of(line) {
            Some(MESSAGE | ANNOUNCED | UNCOUNTED | OPENED | BROKEN | LOST | CLOSED | CALL | SIM_READY) => {
                true
            }
            Some(name) => name == STARTED_NAME || IGNORED.contains(&name) || facts::is_refusal(line),
            None => {
                let is_start = STARTED.contains(&line) || AFTER_START.contains(&line);
                is_start || facts::is_error(line) || line.starts_with(b"MIPCALL:")
            }
        }
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Inbound> {
        match name_of(line) {
            Some(MESSAGE) => self.received(line),
            Some(ANNOUNCED) => match client_and_number(line, "+MQTTMSGI") {
                Some((client, _)) => self.announced(client),
                None => Reaction::default(),
            },
            Some(UNCOUNTED) => self.uncounted(line),
            Some(BROKEN) => match client_and_number(line, facts::BREAK) {
                Some((client, cause)) => self.lost(client, facts::loss_cause(cause)),
                None => Reaction::default(),
            },
            Some(LOST) => match client_and_number(line, "+MQTTLOSE") {
                Some((client, _)) => self.lost(client, LossCause::Unknown),
                None => Reaction::default(),
            },
            Some(CLOSED) => match client_and_number(line, "+MQTTCLOSE") {
                Some((client, 1)) => self.lost(client, LossCause::ClosedByModule),
                _ => Reaction::default(),
            },
            Some(CALL) => self.call_changed(line),
            Some(OPENED) => free_clients(line).map_or_else(Reaction::default, |it| self.free(&it)),
            // It comes after every start, sooner or later, and on some models without another word of it.
            Some(SIM_READY) => self.look(Vec::new()),
            Some(STARTED_NAME) => self.rebooted(),
            Some(_) => Reaction::default(),
            None if STARTED.contains(&&line[..]) => self.rebooted(),
            None => self.call_changed(line),
        }
    }

    /// What was dropped may have been a message, the report of one, or that of a loss. What waits is looked for, but not
    /// for ever: a module whose answers cannot be read would keep the port busy.
    fn damaged(&mut self, damage: &Damage) -> Reaction<Inbound> {
        if let Some(client) = framing::client_of(&damage.head) {
            self.corrupt(client, damage.got, damage.need);
        }
        let is_open = |client: &u8| self.is_alive(*client) && self.sessions.state(*client) == State::Open;
        let clients = facts::CLIENTS.filter(is_open);
        let clients: Vec<u8> = clients.filter(|client| self.sessions.may_look_again(*client)).collect();
        if clients.is_empty() { Reaction::default() } else { self.look(clients) }
    }
}

fn client_and_number(line: &[u8], name: &str) -> Option<(u8, i64)> {
    let mut fields = Fields::of(line, name)?;
    Some((fields.integer()?.try_into().ok()?, fields.integer()?))
}

#[cfg(test)]
mod tests;
