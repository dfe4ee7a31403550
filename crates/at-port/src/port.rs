//! The handle: cheap to clone, safe to share, never in touch with the byte stream.

use std::fmt;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::channel::Channel;
use crate::driver::Driver;
use crate::error::{OperationError, PortError, Progress};
use crate::event::{LinkState, PortEvent};
use crate::exchange::{Lane, Operation};
use crate::hub::{Hub, Place};
use crate::listeners::{Listeners, Restarts};
use crate::options::PortOptions;
use crate::reply::Reply;
use crate::request::{Caller, Request};
use crate::rules::Rules;
use crate::session::Job;

/// A handle to an AT port. Clones share the port; it ends when its [`Driver`] does.
///
/// The [crate's page](crate) has an example.
pub struct Port<U> {
    requests: mpsc::UnboundedSender<Request<U>>,
    hub: Arc<Hub<U>>,
}

impl<U: Clone + Send + 'static> Port<U> {
    /// Makes a port over any byte stream. Nothing happens until the driver is polled.
    pub fn new<IO: AsyncRead + AsyncWrite + Unpin>(
        io: IO,
        rules: Box<dyn Rules<Urc = U>>,
        options: PortOptions,
    ) -> (Self, Driver<IO, U>) {
        Self::start(io, rules, options, None)
    }

    /// Makes a port that reports to given listeners, which outlive it: the successor of a port that has ended.
    ///
    /// The capacity of the channels is the listeners' own, not that of the options.
    pub fn with_listeners<IO: AsyncRead + AsyncWrite + Unpin>(
        io: IO,
        rules: Box<dyn Rules<Urc = U>>,
        options: PortOptions,
        listeners: &Listeners<U>,
    ) -> (Self, Driver<IO, U>) {
        Self::start(io, rules, options, Some(listeners.clone()))
    }

    fn start<IO: AsyncRead + AsyncWrite + Unpin>(
        io: IO,
        rules: Box<dyn Rules<Urc = U>>,
        options: PortOptions,
        listeners: Option<Listeners<U>>,
    ) -> (Self, Driver<IO, U>) {
        let (requests, inlet) = mpsc::unbounded_channel();
        let hub = Arc::new(Hub::new(options.lane_capacity, options.channel_capacity, listeners));
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
        self.submit(operation, Some(Caller { answer, _place: place })).map_err(gone)?;
        outcome.await.unwrap_or_else(|_| Err(gone(self.hub.why_ended())))
    }

    /// Queues an operation for whose outcome nobody waits, past the bound of its lane.
    ///
    /// # Errors
    ///
    /// The port is gone.
    pub fn post(&self, operation: impl Into<Operation>) -> Result<(), PortError> {
        self.submit(operation.into(), None)
    }

    /// A receiver of the reports of one channel, from now on.
    ///
    /// Reports are kept for a slow receiver up to the channel's capacity; past it the oldest are lost, which
    /// the receiver is told as `Lagged(n)`. Nobody else is held up by it. The channel closes with the port.
    pub fn receiver(&self, channel: Channel) -> broadcast::Receiver<U> {
        self.hub.listeners.receiver(channel)
    }

    /// A receiver of what the port reports about itself.
    pub fn events(&self) -> broadcast::Receiver<PortEvent> {
        self.hub.listeners.events()
    }

    /// How often the module has started anew, now and as it changes.
    pub fn restarts(&self) -> watch::Receiver<Restarts> {
        self.hub.listeners.restarts()
    }

    /// The state of the link, now and as it changes.
    pub fn link(&self) -> watch::Receiver<LinkState> {
        self.hub.listeners.link()
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
        self.send(Request::Rules(Box::new(rules)))
    }

    /// Why the port has ended, if it has.
    pub fn ended(&self) -> Option<PortError> {
        self.hub.ended()
    }

    /// Ends the port when what is queued has been done. What is asked for later is refused as
    /// [`PortError::Closed`]; deferred results are waited for as long as somebody waits for them.
    pub fn close(&self) {
        // A port that is gone already is what was asked for.
        let _ = self.send(Request::Close);
    }

    fn submit(&self, operation: Operation, caller: Option<Caller<U>>) -> Result<(), PortError> {
        Job::new(operation, caller).map_or(Ok(()), |job| self.send(Request::Run(job)))
    }

    fn send(&self, request: Request<U>) -> Result<(), PortError> {
        self.requests.send(request).map_err(|_| self.hub.why_ended())
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
        f.debug_struct("Port").field("link", &*self.hub.listeners.link().borrow()).finish_non_exhaustive()
    }
}
