//! What the flows and the rules know of the module's MQTT service and its clients.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::sync::{Mutex, MutexGuard};

use super::facts;

/// The MQTT service of one module.
#[derive(Debug, Default)]
pub(super) struct Service {
    running: AtomicBool,
    /// Who starts or stops the service holds this: two clients may connect at once.
    turn: Mutex<()>,
    clients: [Client; facts::CLIENT_COUNT],
}

#[derive(Debug, Default)]
struct Client {
    /// Whether there is a connection, or the attempt at one, that the module can report as lost.
    open: AtomicBool,
    /// Which of the client's connections this is.
    connection: AtomicU32,
    /// Whether the module may hold a payload that was given to it and not published.
    holds_payload: AtomicBool,
}

impl Service {
    /// Waits until nobody else starts or stops the service.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    pub(super) fn set_running(&self, running: bool) {
        self.running.store(running, Ordering::Relaxed);
    }

    /// A client is about to be connected. What is reported until it asks for the connection is about a former one.
    pub(super) fn begin(&self, client: u8) {
        if let Some(it) = self.of(client) {
            it.open.store(false, Ordering::Relaxed);
            it.connection.fetch_add(1, Ordering::Relaxed);
            it.holds_payload.store(false, Ordering::Relaxed);
        }
    }

    pub(super) fn is_open(&self, client: u8) -> bool {
        self.of(client).is_some_and(|it| it.open.load(Ordering::Relaxed))
    }

    pub(super) fn set_open(&self, client: u8, open: bool) {
        if let Some(it) = self.of(client) {
            it.open.store(open, Ordering::Relaxed);
        }
    }

    /// Which of the client's connections the present one is.
    pub(super) fn connection(&self, client: u8) -> u32 {
        self.of(client).map_or(0, |it| it.connection.load(Ordering::Relaxed))
    }

    pub(super) fn holds_payload(&self, client: u8) -> bool {
        self.of(client).is_some_and(|it| it.holds_payload.load(Ordering::Relaxed))
    }

    pub(super) fn set_holds_payload(&self, client: u8, holds: bool) {
        if let Some(it) = self.of(client) {
            it.holds_payload.store(holds, Ordering::Relaxed);
        }
    }

    /// The service has ended, and all clients with it.
    pub(super) fn end(&self) {
        self.set_running(false);
        for client in facts::CLIENTS {
            self.set_open(client, false);
        }
    }

    fn of(&self, client: u8) -> Option<&Client> {
        self.clients.get(usize::from(client))
    }
}
