//! What a modem's handles, its clients and its supervisor share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use at_port::{Channel, Listeners};
use futures::channel::mpsc;
use futures::future::BoxFuture;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;

use crate::dialect::{Dialect, ModemPort};
use crate::error::{InputError, Result};
use crate::identity::Identity;
use crate::link::{Inbound, Links};
use crate::options::Progress;
use crate::supervision::{ModemState, Supervision};
use crate::watched::Watched;

/// What a modem's handles, its clients and its supervisor share. Of these only the handles keep the port open.
pub(crate) struct Shared {
    /// The present port: it is replaced when the port is opened again.
    pub(super) port: RwLock<ModemPort>,
    pub(super) listeners: Listeners<Inbound>,
    pub(crate) dialect: Box<dyn Dialect>,
    pub(super) identity: Identity,
    pub(crate) links: Arc<Links>,
    pub(super) slots: Mutex<BTreeMap<u8, Slot>>,
    pub(crate) progress: Option<Progress>,
    pub(crate) supervision: Supervision,
    pub(super) state: Watched<ModemState>,
    /// Where tasks go that run as long as the modem's driver. Few ever come, so it is a channel that has no room in
    /// reserve, as are those of the driver and of the supervisor.
    pub(super) tasks: mpsc::UnboundedSender<BoxFuture<'static, ()>>,
    /// What clients ask the supervisor for: a new data connection. It answers when it has tried.
    pub(super) renewals: mpsc::UnboundedSender<oneshot::Sender<()>>,
    pub(crate) closing: CancellationToken,
}

/// A client of the module, as far as this process is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Used,
    /// Free, but perhaps not closed on the module.
    Dirty,
}

impl Shared {
    /// The present port.
    pub(crate) fn port(&self) -> ModemPort {
        self.port.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_port(&self, port: ModemPort) {
        *self.port.write().unwrap_or_else(PoisonError::into_inner) = port;
    }

    /// A receiver of the reports of one channel, of this port and those that follow it.
    pub(crate) fn receiver(&self, channel: Channel) -> broadcast::Receiver<Inbound> {
        self.listeners.receiver(channel)
    }

    /// Waits until the module can be used, or never will be again.
    pub(crate) async fn ready(&self) {
        let is_settled = |state: &ModemState| matches!(state, ModemState::Ready | ModemState::Closed);
        self.state.wait_for(is_settled).await;
    }

    /// Waits until the module can be used, at most for `limit`; if everything has failed so far, says what.
    pub(super) async fn usable(&self, limit: Duration) -> Result<()> {
        let is_settled = |state: &ModemState| !matches!(state, ModemState::Recovering(_));
        // What the state is afterwards says whether the time was enough.
        let _ = tokio::time::timeout(limit, self.state.wait_for(is_settled)).await;
        if let ModemState::Down(error) = &*self.state.borrow() {
            return Err(error.clone());
        }
        // What else may be wrong is told by what is tried next.
        Ok(())
    }

    /// Has the data connection renewed, unless a client is connected over it. Returns when it was tried.
    pub(crate) async fn renew_data_connection(&self) {
        let (done, answer) = oneshot::channel();
        if self.renewals.unbounded_send(done).is_ok() {
            // Without a supervisor there is nothing to wait for.
            let _ = answer.await;
        }
    }

    /// Runs a task as long as the modem's driver is polled.
    pub(crate) fn spawn(&self, task: BoxFuture<'static, ()>) {
        // Without a driver nothing works any more, this task included.
        let _ = self.tasks.unbounded_send(task);
    }

    /// Reserves a client of the module; the second value says that it may have to be closed first.
    pub(super) fn lease(self: &Arc<Self>, wanted: Option<u8>) -> Result<(Lease, bool)> {
        let clients = self.dialect.facts().clients.clone();
        if let Some(index) = wanted.filter(|index| !clients.contains(index)) {
            let (min, max) = (u64::from(*clients.start()), u64::from(*clients.end()));
            return Err(
                InputError::OutOfRange { field: "the client index", got: index.into(), min, max }.into()
            );
        }
        let mut slots = self.slots();
        let free = |index: &u8| slots.get(index) != Some(&Slot::Used);
        let index = match wanted {
            Some(index) => Some(index).filter(free),
            None => clients.clone().find(free),
        };
        let index = index.ok_or(InputError::NoFreeClient { clients: clients.count() })?;
        let dirty = slots.insert(index, Slot::Used) == Some(Slot::Dirty);
        drop(slots);
        Ok((Lease { shared: Arc::clone(self), index, clean: false }, dirty))
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<u8, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// A client of the module in use by this process. Dropping it gives it back, to be closed before its next use.
pub(crate) struct Lease {
    shared: Arc<Shared>,
    pub(crate) index: u8,
    clean: bool,
}

impl Lease {
    /// The module's client has been closed; its next user need not do it.
    pub(crate) fn closed(&mut self) {
        self.clean = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut slots = self.shared.slots();
        if self.clean {
            slots.remove(&self.index);
        } else {
            slots.insert(self.index, Slot::Dirty);
        }
    }
}
