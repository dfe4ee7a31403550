//! What handles and driver share: the places in the lanes, the listeners, the end.

use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;

use crate::error::PortError;
use crate::event::LinkState;
use crate::exchange::Lane;
use crate::listeners::Listeners;

/// What handles and driver share.
pub(crate) struct Hub<U> {
    lanes: [Semaphore; Lane::COUNT],
    pub(crate) listeners: Listeners<U>,
    /// Whether the listeners go on with the next port when this one has ended.
    listeners_stay: bool,
    ended: OnceLock<PortError>,
}

impl<U: Clone> Hub<U> {
    /// A hub with given listeners, or with its own. A capacity of 0 stands for the default.
    pub(crate) fn new(lane_capacity: usize, channel_capacity: usize, given: Option<Listeners<U>>) -> Self {
        let places = if lane_capacity == 0 { 32 } else { lane_capacity };
        Self {
            lanes: std::array::from_fn(|_| Semaphore::new(places)),
            listeners_stay: given.is_some(),
            listeners: given.unwrap_or_else(|| Listeners::new(channel_capacity)),
            ended: OnceLock::new(),
        }
    }
}

impl<U> Hub<U> {
    /// Keeps the reason for every later call, and sends those away who wait for a place.
    pub(crate) fn end(&self, error: PortError) {
        // The first reason stays; what follows happens once, for the listeners may have gone on to the next port.
        if self.ended.set(error).is_err() {
            return;
        }
        self.listeners.set_link(LinkState::Dead);
        self.lanes.iter().for_each(Semaphore::close);
        if !self.listeners_stay {
            self.listeners.close();
        }
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
            let place = match semaphore.try_acquire() {
                Ok(place) => place,
                Err(_) => semaphore.acquire().await.map_err(|_| hub.why_ended())?,
            };
            place.forget();
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
