//! What handles and driver share: the places in the lanes, the rings of the receivers, the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::{Semaphore, broadcast, watch};

use crate::channel::Channel;
use crate::error::PortError;
use crate::event::{LinkState, PortEvent};
use crate::exchange::Lane;

/// What handles and driver share.
pub(crate) struct Hub<U> {
    lanes: [Semaphore; Lane::COUNT],
    channels: Mutex<Channels<U>>,
    channel_capacity: usize,
    pub(crate) link: watch::Sender<LinkState>,
    ended: OnceLock<PortError>,
}

/// Rings are made when the first receiver asks for them.
struct Channels<U> {
    map: BTreeMap<Channel, broadcast::Sender<U>>,
    events: Option<broadcast::Sender<PortEvent>>,
}

impl<U: Clone> Hub<U> {
    /// A hub without receivers. A capacity of 0 stands for the default.
    pub(crate) fn new(lane_capacity: usize, channel_capacity: usize) -> Self {
        let or = |capacity, default| if capacity == 0 { default } else { capacity };
        Self {
            lanes: std::array::from_fn(|_| Semaphore::new(or(lane_capacity, 32))),
            channels: Mutex::new(Channels { map: BTreeMap::new(), events: None }),
            channel_capacity: or(channel_capacity, 256),
            link: watch::Sender::new(LinkState::Suspect),
            ended: OnceLock::new(),
        }
    }

    pub(crate) fn receiver(&self, channel: Channel) -> broadcast::Receiver<U> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ended.get().is_some() {
            return broadcast::Sender::new(1).subscribe();
        }
        let ring =
            channels.map.entry(channel).or_insert_with(|| broadcast::Sender::new(self.channel_capacity));
        ring.subscribe()
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<PortEvent> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ended.get().is_some() {
            return broadcast::Sender::new(1).subscribe();
        }
        channels.events.get_or_insert_with(|| broadcast::Sender::new(64)).subscribe()
    }

    pub(crate) fn deliver(&self, channel: Channel, item: U) {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ring) = channels.map.get(&channel) {
            // No receiver at the moment is no fault.
            let _ = ring.send(item);
        }
    }

    pub(crate) fn report(&self, event: PortEvent) {
        if let PortEvent::Link(link) = event {
            self.link.send_replace(link);
        }
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ring) = &channels.events {
            let _ = ring.send(event);
        }
    }
}

impl<U> Hub<U> {
    /// Keeps the reason for every later call, and sends those away who wait for a place.
    pub(crate) fn end(&self, error: PortError) {
        // The first reason stays.
        let _ = self.ended.set(error);
        self.link.send_replace(LinkState::Dead);
        self.lanes.iter().for_each(Semaphore::close);
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.map.clear();
        channels.events = None;
    }

    /// Why the port has ended, if it has.
    pub(crate) fn ended(&self) -> Option<PortError> {
        self.ended.get().cloned()
    }

    /// Why requests are no longer taken; a port that is being closed has no other reason yet.
    pub(crate) fn why_ended(&self) -> PortError {
        self.ended.get().cloned().unwrap_or(PortError::Closed)
    }
}

/// A place in a lane, given back on drop.
pub(crate) struct Place<U> {
    hub: Arc<Hub<U>>,
    lane: Lane,
}

impl<U> Place<U> {
    /// Waits for a place.
    pub(crate) async fn take(hub: &Arc<Hub<U>>, lane: Lane) -> Result<Self, PortError> {
        if let Some(semaphore) = hub.lanes.get(lane.position()) {
            semaphore.acquire().await.map_err(|_| hub.why_ended())?.forget();
        }
        Ok(Self { hub: Arc::clone(hub), lane })
    }
}

impl<U> Drop for Place<U> {
    fn drop(&mut self) {
        if let Some(semaphore) = self.hub.lanes.get(self.lane.position()) {
            semaphore.add_permits(1);
        }
    }
}
