//! A broker in memory: real MQTT semantics, no sockets, no clock of its own, the same order on every run.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::ledger::Ledger;
use super::sessions::Sessions;
use crate::link::{ConnectionNo, Dial, DialFailure, LinkEvent};
use crate::mqtt::packet::Packet;
use crate::mqtt::topic;

/// An MQTT 3.1.1 broker in memory, shared by all its clones.
///
/// QoS 0, 1 and 2, retained messages, wills, sessions with their queues and take-over work as a broker's do.
/// It does not enforce keep-alive: a silent client stays connected.
///
/// ```
/// use virtual_modem::MemoryBroker;
///
/// let broker = MemoryBroker::new();
/// broker.publish_from_outside("site/7/cmd", 1, true, "stop");
/// assert_eq!(broker.ledger().accepted.len(), 1);
/// assert_eq!(broker.retained(), [("site/7/cmd".to_owned(), "stop".into())]);
/// ```
#[derive(Clone, Default)]
pub struct MemoryBroker {
    state: Arc<Mutex<State>>,
}

/// Whether connections to a [`MemoryBroker`] come about.
///
/// [`MemoryBroker`] has an example.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reachability {
    /// They do.
    #[default]
    Reachable,
    /// The name cannot be resolved.
    NameUnknown,
    /// The connection is refused.
    Refused,
    /// Nobody answers.
    Silent,
    /// The TLS handshake fails; plain connections work.
    HandshakeFails,
}

#[derive(Default)]
struct State {
    reachability: Reachability,
    sessions: Sessions,
}

/// Where the events of a module's connections go.
pub(super) type EventSink = mpsc::UnboundedSender<(ConnectionNo, LinkEvent)>;

impl MemoryBroker {
    /// A broker that accepts everybody and everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether new connections come about. Existing ones stay.
    pub fn set_reachability(&self, reachability: Reachability) {
        self.lock().reachability = reachability;
    }

    /// Demands this user name and password; others get return code 4.
    pub fn require_credentials(&self, user: impl Into<String>, password: impl Into<String>) {
        self.lock().sessions.policy.credentials = Some((user.into(), password.into()));
    }

    /// Answers every CONNECT with this return code (1 to 5); `None` accepts again.
    pub fn refuse_connections(&self, code: Option<u8>) {
        self.lock().sessions.policy.refusal = code;
    }

    /// Grants at most this QoS to exactly this filter; 128 refuses it.
    pub fn limit_subscription(&self, filter: impl Into<String>, qos: u8) {
        self.lock().sessions.policy.limits.insert(filter.into(), qos);
    }

    /// Accepts packets but acknowledges none of them (CONNECT excepted), while set.
    pub fn withhold_acknowledgements(&self, withhold: bool) {
        self.lock().sessions.policy.withhold = withhold;
    }

    /// Publishes as if some other client had, with QoS 0 to 2.
    pub fn publish_from_outside(
        &self,
        topic: impl Into<String>,
        qos: u8,
        retain: bool,
        payload: impl Into<Bytes>,
    ) {
        self.lock().sessions.publish_from_outside(&topic.into(), qos.min(2), retain, payload.into());
    }

    /// Closes the connection of a client; its will is published. Returns whether it was connected.
    pub fn kick(&self, client_identifier: &str) -> bool {
        self.lock().sessions.kick(client_identifier.as_bytes())
    }

    /// Forgets all sessions and retained messages and closes all connections, as a restarted broker without storage.
    pub fn restart(&self) {
        self.lock().sessions.restart();
    }

    /// A copy of everything that happened so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.lock().sessions.ledger.clone()
    }

    /// Everything that happened since the last call; the ledger begins anew. Runs that go on for long need it, for the
    /// broker itself forgets nothing.
    #[must_use]
    pub fn take_ledger(&self) -> Ledger {
        std::mem::take(&mut self.lock().sessions.ledger)
    }

    /// Looks at what happened so far without a copy. The broker stands still meanwhile.
    pub fn inspect<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.lock().sessions.ledger)
    }

    /// Topics and payloads of the retained messages, by topic.
    #[must_use]
    pub fn retained(&self) -> Vec<(String, Bytes)> {
        self.lock().sessions.retained()
    }

    /// Client identifiers that are connected now, in alphabetical order.
    #[must_use]
    pub fn connected(&self) -> Vec<String> {
        self.lock().sessions.connected()
    }

    /// Client identifiers whose sessions are kept without a connection, in alphabetical order.
    #[must_use]
    pub fn kept_sessions(&self) -> Vec<String> {
        self.lock().sessions.kept()
    }

    /// Whether a filter selects a topic, by the rules of MQTT.
    #[must_use]
    pub fn filter_matches(filter: &str, topic_name: &str) -> bool {
        topic::matches(filter.as_bytes(), topic_name.as_bytes())
    }

    /// Opens a connection. The result is reported to `sink`; the key addresses the connection from then on.
    pub(crate) fn dial(&self, no: ConnectionNo, dial: &Dial, sink: EventSink) -> Option<u64> {
        let mut state = self.lock();
        let failure = match state.reachability {
            Reachability::Reachable => None,
            Reachability::NameUnknown => Some(DialFailure::NameUnknown),
            Reachability::Refused => Some(DialFailure::Refused),
            Reachability::Silent => return None,
            Reachability::HandshakeFails => dial.tls.is_some().then_some(DialFailure::Handshake),
        };
        if let Some(failure) = failure {
            // The module may have gone meanwhile; then nobody cares.
            let _ = sink.send((no, LinkEvent::Dialled(Err(failure))));
            return None;
        }
        let _ = sink.send((no, LinkEvent::Dialled(Ok(()))));
        Some(state.sessions.attach(no, dial, sink))
    }

    /// A packet from the module.
    pub(crate) fn receive(&self, key: u64, packet: Packet) {
        self.lock().sessions.receive(key, packet);
    }

    /// The module closed the connection, or vanished.
    pub(crate) fn hung_up(&self, key: u64) {
        self.lock().sessions.detach(key);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of another holder is that test's failure; the state itself is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBroker").field("connected", &self.connected()).finish_non_exhaustive()
    }
}
