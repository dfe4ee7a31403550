//! What is known of each client's connection: written by the dialect's rules, read by the clients.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::event::{ClientStatus, Event, LossCause};
use crate::message::Message;
use crate::metrics::{Count, Meters};
use crate::topic::TopicFilter;
use crate::urc::Urc;

/// What the port delivers to the receivers of a client.
#[derive(Debug, Clone)]
pub(crate) enum Inbound {
    /// A message.
    Message(Message),
    /// A report that is no client's.
    Urc(Urc),
}

#[cfg(test)]
impl Inbound {
    /// The message that it must be.
    pub(crate) fn into_message(self) -> Message {
        match self {
            Self::Message(message) => message,
            Self::Urc(urc) => panic!("{urc} is no message"),
        }
    }
}

/// The connections of one modem, by the module's client number.
#[derive(Debug, Default)]
pub(crate) struct Links {
    map: Mutex<BTreeMap<u8, Arc<Link>>>,
    meters: Meters,
}

impl Links {
    pub(crate) fn new(meters: Meters) -> Self {
        Self { map: Mutex::default(), meters }
    }

    /// What is counted.
    pub(crate) fn meters(&self) -> &Meters {
        &self.meters
    }

    /// The current connection of a client of the module, if it has one.
    pub(crate) fn current(&self, index: u8) -> Option<Arc<Link>> {
        locked(&self.map).get(&index).cloned()
    }

    /// Puts a new connection in the place of the former one.
    pub(crate) fn begin(&self, index: u8, keeps_session: bool) -> Arc<Link> {
        let link = Arc::new(Link::new(keeps_session, self.meters.clone()));
        locked(&self.map).insert(index, Arc::clone(&link));
        link
    }

    /// Every connection is gone.
    pub(crate) fn lose_all(&self, cause: &LossCause) {
        for link in locked(&self.map).values() {
            link.lose(cause.clone());
        }
    }
}

/// One client's connection, from its CONNECT on.
#[derive(Debug)]
pub(crate) struct Link {
    status: watch::Sender<ClientStatus>,
    events: broadcast::Sender<Event>,
    filters: Mutex<Vec<TopicFilter>>,
    /// Whether the broker may send messages for subscriptions of earlier connections.
    keeps_session: bool,
    over: CancellationToken,
    meters: Meters,
}

impl Link {
    fn new(keeps_session: bool, meters: Meters) -> Self {
        Self {
            status: watch::Sender::new(ClientStatus::Connecting),
            events: broadcast::Sender::new(16),
            filters: Mutex::default(),
            keeps_session,
            over: CancellationToken::new(),
            meters,
        }
    }

    /// What is counted.
    pub(crate) fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Whether a message with this topic can have been meant for this client.
    pub(crate) fn expects(&self, topic: &str) -> bool {
        self.keeps_session || locked(&self.filters).iter().any(|filter| filter.matches(topic))
    }

    /// Whether commands of this connection still make sense.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(*self.status.borrow(), ClientStatus::Connecting | ClientStatus::Connected)
    }

    pub(crate) fn status(&self) -> watch::Receiver<ClientStatus> {
        self.status.subscribe()
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Done when the connection has come to its end.
    pub(crate) fn over(&self) -> CancellationToken {
        self.over.clone()
    }

    pub(crate) fn connected(&self) {
        // A connection that is lost already stays lost.
        let is_new = self.status.send_if_modified(|status| {
            let is_new = *status == ClientStatus::Connecting;
            if is_new {
                *status = ClientStatus::Connected;
            }
            is_new
        });
        if is_new {
            self.report(Event::Connected);
        }
    }

    /// The connection is gone. The first cause stays.
    pub(crate) fn lose(&self, cause: LossCause) {
        if self.finish(ClientStatus::Lost(cause.clone()), Event::Lost(cause.clone())) {
            self.meters.count(Count::Lost { cause: &cause });
        }
    }

    /// The connection was closed on request.
    pub(crate) fn close(&self) {
        self.finish(ClientStatus::Closed, Event::Disconnected);
    }

    pub(crate) fn report(&self, event: Event) {
        // No receiver at the moment is no fault.
        let _ = self.events.send(event);
    }

    pub(crate) fn add_filters(&self, filters: impl IntoIterator<Item = TopicFilter>) {
        locked(&self.filters).extend(filters);
    }

    /// Forgets one subscription to each of these filters.
    pub(crate) fn remove_filters<'a>(&self, filters: impl IntoIterator<Item = &'a TopicFilter>) {
        let mut kept = locked(&self.filters);
        for filter in filters {
            if let Some(position) = kept.iter().position(|known| known == filter) {
                kept.remove(position);
            }
        }
    }

    /// Ends the connection, unless it has ended already; `true` if it had not.
    fn finish(&self, status: ClientStatus, event: Event) -> bool {
        let ended = self.status.send_if_modified(|current| {
            let alive = matches!(current, ClientStatus::Connecting | ClientStatus::Connected);
            if alive {
                *current = status;
            }
            alive
        });
        if ended {
            self.report(event);
            self.over.cancel();
        }
        ended
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking holder left is still a consistent list.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
