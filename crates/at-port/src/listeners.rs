//! Those who listen to a port: the rings of its reports, its events, and the state of its link.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};

use crate::channel::Channel;
use crate::event::{LinkState, PortEvent};
use crate::session::SentProbe;

/// Those who listen to a port. Clones share them.
///
/// A port has listeners of its own unless it is made [with given ones](crate::Port::with_listeners). Given ones
/// outlive it and go on with the port that is made with them next, so that whoever receives reports need not know
/// that a cable was pulled and put back.
///
/// # Examples
///
/// ```
/// use at_port::{Channel, Listeners};
/// use bytes::Bytes;
///
/// let listeners = Listeners::<Bytes>::new(16);
/// let reports = listeners.receiver(Channel::Modem); // of every port that will be made with them
/// listeners.close();
/// # drop(reports);
/// ```
pub struct Listeners<U> {
    shared: Arc<Shared<U>>,
}

/// How often the module has started anew. Unlike events, of which a slow receiver loses the oldest, it misses none.
///
/// No example: it is read as any other number, and [`Listeners`] says where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Restarts {
    /// How often it said so ([`PortEvent::Reboot`]).
    pub reported: u32,
    /// How often its echo was on again without a word ([`PortEvent::UnexpectedEcho`]).
    pub suspected: u32,
}

struct Shared<U> {
    rings: Mutex<Rings<U>>,
    capacity: usize,
    link: watch::Sender<LinkState>,
    /// The probes that the ports so far have left without an answer.
    owed: Mutex<Vec<SentProbe>>,
    restarts: watch::Sender<Restarts>,
}

/// Rings are made when the first receiver asks for them.
struct Rings<U> {
    map: BTreeMap<Channel, broadcast::Sender<U>>,
    events: Option<broadcast::Sender<PortEvent>>,
    closed: bool,
}

/// How many events of the port are kept for a slow receiver.
const EVENTS: usize = 64;

impl<U: Clone> Listeners<U> {
    /// Nobody listens yet. A slow receiver may lag behind `capacity` reports before it loses the oldest; 0 stands
    /// for 256.
    pub fn new(capacity: usize) -> Self {
        let rings = Rings { map: BTreeMap::new(), events: None, closed: false };
        let capacity = if capacity == 0 { 256 } else { capacity };
        let link = watch::Sender::new(LinkState::Suspect);
        Self {
            shared: Arc::new(Shared {
                rings: Mutex::new(rings),
                capacity,
                link,
                restarts: watch::Sender::default(),
                owed: Mutex::default(),
            }),
        }
    }

    /// A receiver of the reports of one channel, from now on; see [`Port::receiver`](crate::Port::receiver).
    pub fn receiver(&self, channel: Channel) -> broadcast::Receiver<U> {
        let mut rings = self.rings();
        if rings.closed {
            return broadcast::Sender::new(1).subscribe();
        }
        let new = || broadcast::Sender::new(self.shared.capacity);
        rings.map.entry(channel).or_insert_with(new).subscribe()
    }

    /// A receiver of what the port reports about itself.
    pub fn events(&self) -> broadcast::Receiver<PortEvent> {
        let mut rings = self.rings();
        if rings.closed {
            return broadcast::Sender::new(1).subscribe();
        }
        rings.events.get_or_insert_with(|| broadcast::Sender::new(EVENTS)).subscribe()
    }

    pub(crate) fn deliver(&self, channel: Channel, item: U) {
        if let Some(ring) = self.rings().map.get(&channel) {
            // No receiver at the moment is no fault.
            let _ = ring.send(item);
        }
    }

    pub(crate) fn report(&self, event: PortEvent) {
        match event {
            PortEvent::Link(link) => self.set_link(link),
            PortEvent::Reboot => self.shared.restarts.send_modify(|restarts| restarts.reported += 1),
            PortEvent::UnexpectedEcho => self.shared.restarts.send_modify(|restarts| restarts.suspected += 1),
            _ => {}
        }
        if let Some(ring) = &self.rings().events {
            let _ = ring.send(event);
        }
    }
}

impl<U> Listeners<U> {
    /// The state of the link, now and as it changes.
    pub fn link(&self) -> watch::Receiver<LinkState> {
        self.shared.link.subscribe()
    }

    /// How often the module has started anew, now and as it changes.
    pub fn restarts(&self) -> watch::Receiver<Restarts> {
        self.shared.restarts.subscribe()
    }

    /// Closes all channels, now and for good: receivers read what they have, and then the end.
    pub fn close(&self) {
        let mut rings = self.rings();
        rings.map.clear();
        rings.events = None;
        rings.closed = true;
    }

    /// The module has been reset while no port was open: it answers nothing that was asked before.
    pub fn forget_probes(&self) {
        self.take_owed();
    }

    /// What the former port leaves to the next one, which has the same module behind it.
    pub(crate) fn set_owed(&self, probes: Vec<SentProbe>) {
        *self.shared.owed.lock().unwrap_or_else(PoisonError::into_inner) = probes;
    }

    pub(crate) fn take_owed(&self) -> Vec<SentProbe> {
        std::mem::take(&mut *self.shared.owed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_link(&self, link: LinkState) {
        self.shared.link.send_replace(link);
    }

    fn rings(&self) -> MutexGuard<'_, Rings<U>> {
        self.shared.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<U> Clone for Listeners<U> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<U> fmt::Debug for Listeners<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners").field("link", &*self.shared.link.borrow()).finish_non_exhaustive()
    }
}
