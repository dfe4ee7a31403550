//! The handle: cheap to clone, safe to share, never in touch with the byte stream.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};

use crate::driver::{Driver, PayloadMark};
use crate::error::{OperationError, PortError, Progress};
use crate::event::{LinkState, PortEvent, Tap};
use crate::exchange::{Lane, Operation};
use crate::reply::Reply;
use crate::rules::Rules;
use crate::session::{SessionOptions, Ticket};

/// Where a report goes: to the receivers of one client, or to those of the modem as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Reports that concern the modem.
    Modem,
    /// Reports that concern the client with this number.
    Client(u8),
}

/// How a port is set up.
#[derive(Default)]
#[non_exhaustive]
pub struct PortOptions {
    /// Times and limits of the conversation.
    pub session: SessionOptions,
    /// How many operations may wait in each lane before [`Port::run`] waits itself. Default (0): 32.
    pub lane_capacity: usize,
    /// How many reports a slow receiver may lag behind before it loses the oldest. Default (0): 256.
    pub channel_capacity: usize,
    /// A witness of the conversation.
    pub tap: Option<Box<dyn Tap>>,
    /// What survives of a host that dies in the middle of a payload.
    pub payload_mark: Option<Box<dyn PayloadMark>>,
}

impl fmt::Debug for PortOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortOptions").field("session", &self.session).finish_non_exhaustive()
    }
}

/// A handle to an AT port. Clones share the port; it ends when its [`Driver`] does.
pub struct Port<U> {
    requests: mpsc::UnboundedSender<Box<Request<U>>>,
    hub: Arc<Hub<U>>,
}

impl<U: Clone + Send + 'static> Port<U> {
    /// Makes a port over any byte stream. Nothing happens until the driver is polled.
    pub fn new<IO: AsyncRead + AsyncWrite + Unpin>(
        io: IO,
        rules: Box<dyn Rules<Urc = U>>,
        options: PortOptions,
    ) -> (Self, Driver<IO, U>) {
        let (requests, inlet) = mpsc::unbounded_channel();
        let lane_capacity = if options.lane_capacity == 0 { 32 } else { options.lane_capacity };
        let hub = Arc::new(Hub {
            lanes: std::array::from_fn(|_| Semaphore::new(lane_capacity)),
            channels: Mutex::new(Channels { map: BTreeMap::new(), events: None }),
            channel_capacity: if options.channel_capacity == 0 { 256 } else { options.channel_capacity },
            link: watch::Sender::new(LinkState::Suspect),
            ended: OnceLock::new(),
        });
        let driver = Driver::new(io, rules, options, inlet, Arc::clone(&hub));
        (Self { requests, hub }, driver)
    }

    /// Runs an operation and waits for its outcome.
    ///
    /// It waits for a place in its lane, for its turn, for the answers, and for the deferred result if it
    /// declares one; each of these has an end.
    ///
    /// # Errors
    ///
    /// The module refused a command, did not answer in time or rebooted, or the port is gone; see [`OperationError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before the first byte is written withdraws the operation. After that the driver
    /// finishes it, data included, and drops the answer: nothing is left half said.
    pub async fn run(&self, operation: impl Into<Operation>) -> Result<Reply, OperationError> {
        let operation = operation.into();
        let place = Place::take(&self.hub, operation.lane).await.map_err(gone)?;
        let (answer, outcome) = oneshot::channel();
        self.send(Request::Run { operation, caller: Some(Caller { answer, _place: place }) })
            .map_err(gone)?;
        outcome.await.unwrap_or_else(|_| Err(gone(self.hub.why_ended())))
    }

    /// Queues an operation for whose outcome nobody waits, past the bound of its lane.
    ///
    /// # Errors
    ///
    /// The port is gone.
    pub fn post(&self, operation: impl Into<Operation>) -> Result<(), PortError> {
        self.send(Request::Run { operation: operation.into(), caller: None })
    }

    /// A receiver of the reports of one channel, from now on.
    ///
    /// Reports are kept for a slow receiver up to the channel's capacity; past it the oldest are lost, which
    /// the receiver is told as `Lagged(n)`. Nobody else is held up by it. The channel closes with the port.
    pub fn receiver(&self, channel: Channel) -> broadcast::Receiver<U> {
        self.hub.receiver(channel)
    }

    /// A receiver of what the port reports about itself.
    pub fn events(&self) -> broadcast::Receiver<PortEvent> {
        self.hub.events()
    }

    /// The state of the link, now and as it changes.
    pub fn link(&self) -> watch::Receiver<LinkState> {
        self.hub.link.subscribe()
    }

    /// Ends the waits for deferred results of a lane, because the session they belong to is torn down.
    ///
    /// # Errors
    ///
    /// The port is gone.
    pub fn release(&self, lane: Lane) -> Result<(), PortError> {
        self.send(Request::Release(lane))
    }

    /// Reads what comes from now on by other rules.
    ///
    /// # Errors
    ///
    /// The port is gone.
    pub fn replace_rules(&self, rules: Box<dyn Rules<Urc = U>>) -> Result<(), PortError> {
        self.send(Request::Rules(rules))
    }

    /// Why the port has ended, if it has.
    pub fn ended(&self) -> Option<PortError> {
        self.hub.ended.get().cloned()
    }

    /// Ends the port when what is queued has been done. What is asked for later is refused as
    /// [`PortError::Closed`]; deferred results are waited for as long as somebody waits for them.
    pub fn close(&self) {
        // A port that is gone already is what was asked for.
        let _ = self.send(Request::Close);
    }

    fn send(&self, request: Request<U>) -> Result<(), PortError> {
        self.requests.send(Box::new(request)).map_err(|_| self.hub.why_ended())
    }
}

/// The error of an operation that never reached the session.
fn gone(error: PortError) -> OperationError {
    OperationError::Port { error, progress: Progress::Nothing }
}

impl<U> Clone for Port<U> {
    fn clone(&self) -> Self {
        Self { requests: self.requests.clone(), hub: Arc::clone(&self.hub) }
    }
}

impl<U> fmt::Debug for Port<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("link", &*self.hub.link.borrow()).finish_non_exhaustive()
    }
}

/// Everything that crosses from the handles to the driver.
pub(crate) enum Request<U> {
    Run { operation: Operation, caller: Option<Caller<U>> },
    Release(Lane),
    Rules(Box<dyn Rules<Urc = U>>),
    Close,
}

/// Someone who waits for an operation, with the place in the lane that the operation holds.
pub(crate) struct Caller<U> {
    answer: oneshot::Sender<Result<Reply, OperationError>>,
    _place: Place<U>,
}

impl<U> Ticket for Caller<U> {
    fn wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn settle(self, outcome: Result<Reply, OperationError>) {
        // Whoever has left does not want the answer.
        let _ = self.answer.send(outcome);
    }
}

/// A place in a lane, given back on drop.
struct Place<U> {
    hub: Arc<Hub<U>>,
    lane: Lane,
}

impl<U> Place<U> {
    async fn take(hub: &Arc<Hub<U>>, lane: Lane) -> Result<Self, PortError> {
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
    fn receiver(&self, channel: Channel) -> broadcast::Receiver<U> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ended.get().is_some() {
            return broadcast::Sender::new(1).subscribe();
        }
        let ring =
            channels.map.entry(channel).or_insert_with(|| broadcast::Sender::new(self.channel_capacity));
        ring.subscribe()
    }

    fn events(&self) -> broadcast::Receiver<PortEvent> {
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

    /// Why requests are no longer taken; a port that is being closed has no other reason yet.
    fn why_ended(&self) -> PortError {
        self.ended.get().cloned().unwrap_or(PortError::Closed)
    }
}
