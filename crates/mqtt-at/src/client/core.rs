//! One client's work on whatever connection it has at the moment.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use at_port::{Lane, Operation, OperationError, Progress, Reply};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::line::Line;
use crate::connect::ConnectOptions;
use crate::dialect::{Dialect, Presence, Subscribe, Unsubscribe};
use crate::error::{Error, Outcome, Result};
use crate::event::{ClientStatus, LossCause};
use crate::link::Link;
use crate::modem::Shared;
use crate::packet_ids::{PacketId, PacketIds};
use crate::qos::QoS;
use crate::topic::TopicFilter;

/// What a client's handles and its keeper share.
pub(super) struct Core {
    pub(super) shared: Arc<Shared>,
    pub(super) index: u8,
    pub(super) link: Arc<Link>,
    pub(super) options: ConnectOptions,
    pub(super) packet_ids: Arc<PacketIds>,
    pub(super) window: Arc<Semaphore>,
    /// Publishes go out in the order of their calls, also those that have to be sent again.
    pub(super) line: Line,
    /// How many publishes have not been handed to the port yet.
    pub(super) waiting: AtomicUsize,
    /// Held while the connection is being made again; a farewell waits for it.
    pub(super) making: Mutex<()>,
}

/// How often something is tried over a connection that is there all the time.
pub(super) const TRIES: u32 = 3;

/// How long a call may still go on without a connection. Only the time counts in which there is none, wherever the call
/// waits meanwhile.
pub(super) struct Patience {
    left: Duration,
    /// Since when there has been no connection, while that is being watched.
    since: Option<Instant>,
    /// How often it has failed although the connection was there.
    pub(super) tries: u32,
}

impl Patience {
    pub(super) fn new(limit: Duration) -> Self {
        Self { left: limit, since: None, tries: 0 }
    }

    /// Whether nothing is left.
    pub(super) fn is_over(&self) -> bool {
        self.left.is_zero()
    }

    /// Waits for `work`, unless the patience is over before.
    pub(super) async fn wait<T>(&mut self, core: &Core, work: impl Future<Output = Result<T>>) -> Result<T> {
        let outcome = tokio::select! {
            biased;
            outcome = work => outcome,
            () = self.run_out(core) => Err(core.why_lost()),
        };
        self.count();
        outcome
    }

    /// Done when there has been no connection for as long as is left.
    async fn run_out(&mut self, core: &Core) {
        let status = core.link.status();
        let is_connected = |status: &ClientStatus| *status == ClientStatus::Connected;
        loop {
            status.wait_for(|status| !is_connected(status)).await;
            self.since = Some(Instant::now());
            let came_back = tokio::time::timeout(self.left, status.wait_for(is_connected)).await.is_ok();
            self.count();
            if !came_back {
                self.left = Duration::ZERO;
                return;
            }
        }
    }

    /// Takes off what has passed without a connection.
    fn count(&mut self) {
        let passed = self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.left = self.left.saturating_sub(passed);
    }
}

impl Core {
    pub(super) fn dialect(&self) -> &dyn Dialect {
        self.shared.dialect.as_ref()
    }

    pub(super) fn lane(&self) -> Lane {
        Lane::client(self.index)
    }

    /// Whether a failure is only that there is no connection. One that is there all the time has another fault.
    pub(super) fn is_outage(&self, error: &Error) -> bool {
        error.is_outage() && !self.link.is_connected()
    }

    /// Lets pass that the connection was lost in the middle of something that may be done twice; anything else is its
    /// failure. A module may report what failed for it before it reports the loss, so it is asked.
    pub(super) async fn forgive(&self, error: Error, patience: &mut Patience) -> Result<()> {
        if error.is_passing() && self.link.is_kept() {
            self.verify().await;
        }
        let is_lost = !self.link.is_connected();
        // What is refused each time, and costs the connection each time, is not the connection's fault.
        patience.tries += u32::from(!is_lost || !error.is_outage());
        let may_pass = error.is_outage() || error.is_passing() && is_lost;
        let may_repeat = self.link.is_kept() && may_pass && !patience.is_over();
        if may_repeat && patience.tries < TRIES { Ok(()) } else { Err(error) }
    }

    /// Waits for the connection as long as it is worth it.
    pub(super) async fn connected(&self) -> Result<()> {
        let (status, over) = (self.link.status(), self.link.over());
        loop {
            let changed = status.changed();
            // A copy, because the status is locked while it is looked at, and the reason of a loss is looked up there.
            let now = status.borrow().clone();
            match now {
                ClientStatus::Connected => return Ok(()),
                ClientStatus::Closed => return Err(Error::Disconnected),
                ClientStatus::Refused(error) => return Err(error.into()),
                ClientStatus::Lost(_) if over.is_cancelled() => return Err(self.why_lost()),
                ClientStatus::Lost(_) | ClientStatus::Connecting => {}
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = over.cancelled(), if !over.is_cancelled() => {}
            }
        }
    }

    /// The error of what could not even begin.
    fn why_lost(&self) -> Error {
        let cause = match &*self.link.status().borrow() {
            ClientStatus::Lost(cause) => cause.clone(),
            _ => LossCause::Unknown,
        };
        Error::ConnectionLost { cause, outcome: Outcome::NotSent }
    }

    /// A place in the module's window.
    pub(super) async fn window_place(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.window).acquire_owned().await.map_err(|_| Error::Disconnected)
    }

    /// A client that can have only one publish in flight is busy with a subscription, too.
    async fn place_of_subscription(&self) -> Result<Option<OwnedSemaphorePermit>> {
        match self.dialect().facts().window {
            1 => self.window_place().await.map(Some),
            _ => Ok(None),
        }
    }

    pub(super) fn packet_id(&self) -> Result<PacketId> {
        self.packet_ids.take().ok_or(Error::InDoubt)
    }

    /// Subscribes, and says what was granted: `None` where the broker refused.
    pub(super) async fn subscribe(&self, filters: &[(TopicFilter, QoS)]) -> Result<Vec<Option<QoS>>> {
        let dialect = self.dialect();
        let mut granted = Vec::with_capacity(filters.len());
        for filters in filters.chunks(dialect.facts().filters) {
            let operation = |packet_id| {
                dialect.subscribe(self.index, &Subscribe { filters, packet_id, options: &self.options })
            };
            let reply = self.run_twice(operation).await?;
            let answers = dialect.read_subscribe(&reply, filters).map_err(|error| self.after_loss(error))?;
            granted.extend(answers);
        }
        Ok(granted)
    }

    /// Ends the subscriptions to some filters.
    pub(super) async fn unsubscribe(&self, filters: &[TopicFilter]) -> Result<()> {
        let dialect = self.dialect();
        for filters in filters.chunks(dialect.facts().filters) {
            let operation = |packet_id| {
                dialect.unsubscribe(self.index, &Unsubscribe { filters, packet_id, options: &self.options })
            };
            let reply = self.run_twice(operation).await?;
            dialect.read_unsubscribe(&reply).map_err(|error| self.after_loss(error))?;
            self.link.remove_filters(filters);
        }
        Ok(())
    }

    /// Subscribes or unsubscribes; once more if the refusal is known to pass.
    async fn run_twice(&self, operation: impl Fn(u16) -> Result<Operation> + Send + Sync) -> Result<Reply> {
        match self.run_numbered(&operation).await {
            Err(error) if self.dialect().is_fleeting(&error) => {
                tracing::debug!(client = self.index, %error, "once more");
                self.run_numbered(&operation).await
            }
            outcome => outcome,
        }
    }

    async fn run_numbered(&self, operation: &(impl Fn(u16) -> Result<Operation> + Sync)) -> Result<Reply> {
        let packet_id = self.packet_id()?;
        let operation = operation(packet_id.number())?;
        let place = self.place_of_subscription().await?;
        self.run(operation, Some(packet_id), place).await
    }

    /// Runs an operation of this client. Packet identifier and place in the window are kept until the driver is
    /// done with it, whether or not the caller still waits.
    pub(super) async fn run(
        &self,
        operation: Operation,
        packet_id: Option<PacketId>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Reply> {
        let operation = operation.lane(self.lane()).on_conclusion(move |outcome| {
            if let Some(packet_id) = packet_id.filter(|_| leaves_doubt(outcome)) {
                packet_id.quarantine();
            }
            drop(place);
        });
        let outcome = self.shared.port().run(operation).await;
        match &outcome {
            // The end of a port is told to whoever waits for an answer a moment before it is told to the clients.
            Err(OperationError::Port { .. }) if self.shared.port().ended().is_some() => {
                self.link.lose(LossCause::PortGone);
            }
            // The missing result may never come; only behind a new connection can the next one be told from it.
            Err(OperationError::InDoubt) if self.link.is_kept() => self.link.lose(LossCause::ResultMissing),
            _ => {}
        }
        outcome.map_err(|error| self.after_loss(self.meaning_of(error)))
    }

    /// The vendor's manual goes before the general meaning of a refusal.
    fn meaning_of(&self, error: OperationError) -> Error {
        let explained = match &error {
            OperationError::Refused(refusal) => self.dialect().explain(refusal),
            _ => None,
        };
        explained.unwrap_or_else(|| error.into())
    }

    /// A failure after the connection was lost has the loss as its cause, but for the refusal with which the module
    /// closed it.
    pub(super) fn after_loss(&self, error: Error) -> Error {
        let outcome = error.outcome();
        let cause = match (&*self.link.status().borrow(), &error) {
            (ClientStatus::Lost(LossCause::PortGone), Error::Port { .. }) => return error,
            (ClientStatus::Lost(LossCause::ClosedOnRefusal), Error::Module(_)) => return error,
            (ClientStatus::Lost(cause), Error::Module(_) | Error::ConnectionLost { .. }) => cause.clone(),
            _ => return error,
        };
        Error::ConnectionLost { cause, outcome }
    }

    /// What the module says of the connection.
    pub(super) async fn presence(&self) -> Presence {
        self.dialect().presence(&self.shared.port(), self.index).await.unwrap_or(Presence::Untold)
    }

    /// Asks the module whether the connection is there, after something that makes one doubt it.
    ///
    /// What is owed under the connection stays owed: the answer may be wrong, and the keeper asks again. It ends the waits
    /// when it makes a new connection.
    pub(super) async fn verify(&self) {
        if self.link.is_alive() && matches!(self.presence().await, Presence::Gone | Presence::Returning) {
            tracing::info!(client = self.index, "the module has no connection any more, and has not said so");
            self.link.lose(LossCause::Unknown);
        }
    }
}

/// Whether a result may still come for an operation that has failed.
fn leaves_doubt(outcome: &Result<Reply, OperationError>) -> bool {
    match outcome {
        Ok(_) | Err(OperationError::Refused(_)) => false,
        Err(error) => error.progress() > Progress::Nothing,
    }
}
