//! What is known of each client's connection: written by the dialect's rules, read by the clients.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::error::BrokerError;
use crate::event::{ClientStatus, Event, LossCause};
use crate::message::Message;
use crate::metrics::{Count, Meters};
use crate::qos::QoS;
use crate::topic::TopicFilter;
use crate::urc::Urc;
use crate::watched::Watched;

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

    /// The connection of a client of the module, if it has one.
    pub(crate) fn current(&self, index: u8) -> Option<Arc<Link>> {
        locked(&self.map).get(&index).cloned()
    }

    /// Puts a new connection in the place of the former one. When it is lost it is over.
    pub(crate) fn begin(&self, index: u8, keeps_session: bool) -> Arc<Link> {
        self.put(index, Link::new(keeps_session, false, self.meters.clone()))
    }

    /// The same for a connection that is made again when it is lost.
    pub(crate) fn begin_kept(&self, index: u8, keeps_session: bool) -> Arc<Link> {
        self.put(index, Link::new(keeps_session, true, self.meters.clone()))
    }

    fn put(&self, index: u8, link: Link) -> Arc<Link> {
        let link = Arc::new(link);
        locked(&self.map).insert(index, Arc::clone(&link));
        link
    }

    /// Every connection is gone.
    pub(crate) fn lose_all(&self, cause: &LossCause) {
        for link in locked(&self.map).values() {
            link.lose(cause.clone());
        }
    }

    /// Every connection is gone, and nobody makes them again.
    pub(crate) fn end_all(&self, cause: &LossCause) {
        for link in locked(&self.map).values() {
            link.lose(cause.clone());
            link.over.cancel();
        }
    }

    /// The clients that are connected, as far as is known.
    pub(crate) fn connected(&self) -> Vec<(u8, Arc<Link>)> {
        let map = locked(&self.map);
        let connected = map.iter().filter(|(_, link)| *link.status.borrow() == ClientStatus::Connected);
        connected.map(|(index, link)| (*index, Arc::clone(link))).collect()
    }
}

/// How many events are kept for a slow receiver.
const EVENTS: usize = 16;

/// One client's connection, from its first CONNECT on. It may be lost and made again.
#[derive(Debug)]
pub(crate) struct Link {
    status: Watched<ClientStatus>,
    /// Made when somebody listens.
    events: OnceLock<broadcast::Sender<Event>>,
    filters: Mutex<Vec<Wanted>>,
    /// Whether the broker may send messages for subscriptions of earlier connections.
    keeps_session: bool,
    /// Whether somebody makes the connection again when it is lost.
    is_kept: bool,
    over: CancellationToken,
    meters: Meters,
}

/// A topic filter that somebody has asked for.
#[derive(Debug)]
struct Wanted {
    filter: TopicFilter,
    qos: QoS,
    /// Whether the broker has granted it; whoever asked for it goes on asking until then.
    granted: bool,
}

impl Link {
    fn new(keeps_session: bool, is_kept: bool, meters: Meters) -> Self {
        Self {
            status: Watched::new(ClientStatus::Connecting),
            events: OnceLock::new(),
            filters: Mutex::default(),
            keeps_session,
            is_kept,
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
        self.keeps_session || locked(&self.filters).iter().any(|it| it.filter.matches(topic))
    }

    /// Whether commands of this connection still make sense.
    pub(crate) fn is_alive(&self) -> bool {
        is_alive(&self.status.borrow())
    }

    /// Whether the connection is made again when it is lost.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept && !self.over.is_cancelled()
    }

    pub(crate) fn is_connected(&self) -> bool {
        *self.status.borrow() == ClientStatus::Connected
    }

    pub(crate) fn status(&self) -> &Watched<ClientStatus> {
        &self.status
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.get_or_init(|| broadcast::Sender::new(EVENTS)).subscribe()
    }

    /// Done when the connection has come to its end and is not made again.
    pub(crate) fn over(&self) -> CancellationToken {
        self.over.clone()
    }

    /// The connection is being made again.
    pub(crate) fn connecting(&self) {
        self.status.change(|status| {
            matches!(status, ClientStatus::Lost(_) | ClientStatus::Refused(_))
                .then_some(ClientStatus::Connecting)
        });
    }

    /// The connection is there; `false` if it has been lost already.
    pub(crate) fn connected(&self) -> bool {
        let is_new = self
            .status
            .change(|status| (*status == ClientStatus::Connecting).then_some(ClientStatus::Connected));
        if is_new {
            self.report(Event::Connected);
        }
        is_new
    }

    /// The connection that was reported as lost is there.
    pub(crate) fn regained(&self) {
        let is_news = self
            .status
            .change(|status| matches!(status, ClientStatus::Lost(_)).then_some(ClientStatus::Connected));
        if is_news {
            self.report(Event::LossRefuted);
        }
    }

    /// The connection is gone, or was not made. The first cause stays.
    pub(crate) fn lose(&self, cause: LossCause) {
        let mut was_connected = false;
        let is_news = self.status.change(|status| {
            was_connected = *status == ClientStatus::Connected;
            is_alive(status).then(|| ClientStatus::Lost(cause.clone()))
        });
        if was_connected {
            self.meters.count(Count::Lost { cause: &cause });
            self.report(Event::Lost(cause));
        }
        if is_news && !self.is_kept {
            self.over.cancel();
        }
    }

    /// The broker does not want this client.
    pub(crate) fn refuse(&self, error: BrokerError) {
        let is_news = self
            .status
            .change(|status| (*status != ClientStatus::Closed).then(|| ClientStatus::Refused(error.clone())));
        if is_news {
            self.report(Event::Refused(error));
        }
    }

    /// The connection was closed on request, for good.
    pub(crate) fn close(&self) {
        let was_alive = self.is_alive();
        let is_news =
            self.status.change(|status| (*status != ClientStatus::Closed).then_some(ClientStatus::Closed));
        if is_news && was_alive {
            self.report(Event::Disconnected);
        }
        self.over.cancel();
    }

    pub(crate) fn report(&self, event: Event) {
        if let Some(events) = self.events.get() {
            // No receiver at the moment is no fault.
            let _ = events.send(event);
        }
    }

    /// Expects messages for these filters from now on; they are not subscriptions before they are granted.
    pub(crate) fn ask_for<'a>(&self, filters: impl IntoIterator<Item = &'a (TopicFilter, QoS)>) {
        let wanted =
            |(filter, qos): &(TopicFilter, QoS)| Wanted { filter: filter.clone(), qos: *qos, granted: false };
        locked(&self.filters).extend(filters.into_iter().map(wanted));
    }

    /// The broker has granted these filters.
    pub(crate) fn grant<'a>(&self, filters: impl IntoIterator<Item = &'a TopicFilter>) {
        let mut wanted = locked(&self.filters);
        for filter in filters {
            if let Some(it) = wanted.iter_mut().find(|it| !it.granted && it.filter == *filter) {
                it.granted = true;
            }
        }
    }

    /// Subscribes to these filters with whatever quality of service.
    #[cfg(test)]
    pub(crate) fn expect(&self, filters: impl IntoIterator<Item = TopicFilter>) {
        let wanted = |filter| Wanted { filter, qos: QoS::AtMostOnce, granted: true };
        locked(&self.filters).extend(filters.into_iter().map(wanted));
    }

    /// Forgets one subscription to each of these filters.
    pub(crate) fn remove_filters<'a>(&self, filters: impl IntoIterator<Item = &'a TopicFilter>) {
        self.forget(filters, true);
    }

    /// Forgets that somebody has asked for these filters, who was refused or has left.
    pub(crate) fn take_back<'a>(&self, filters: impl IntoIterator<Item = &'a TopicFilter>) {
        self.forget(filters, false);
    }

    fn forget<'a>(&self, filters: impl IntoIterator<Item = &'a TopicFilter>, granted: bool) {
        let mut kept = locked(&self.filters);
        for filter in filters {
            if let Some(position) = kept.iter().position(|it| it.granted == granted && it.filter == *filter) {
                kept.remove(position);
            }
        }
    }

    /// What is subscribed to, each filter once, with the quality of service that was asked for last.
    pub(crate) fn subscriptions(&self) -> Vec<(TopicFilter, QoS)> {
        let mut all: Vec<(TopicFilter, QoS)> = Vec::new();
        for Wanted { filter, qos, .. } in locked(&self.filters).iter().filter(|it| it.granted) {
            match all.iter_mut().find(|(known, _)| known == filter) {
                Some((_, known)) => *known = *qos,
                None => all.push((filter.clone(), *qos)),
            }
        }
        all
    }
}

fn is_alive(status: &ClientStatus) -> bool {
    matches!(status, ClientStatus::Connecting | ClientStatus::Connected)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking holder left is still a consistent list.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
