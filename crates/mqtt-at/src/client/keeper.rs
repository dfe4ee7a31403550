//! Keeps a client connected: asks whether a loss is true, connects again, subscribes again.

use std::sync::Arc;
use std::time::Duration;

use at_port::Lane;
use tokio::time::{Instant, sleep, timeout};

use super::core::Core;
use crate::backoff::Backoff;
use crate::dialect::{self, Connecting, ModemPort, Presence};
use crate::error::{BrokerError, Error, Outcome, Result};
use crate::event::{ClientStatus, Event, LossCause};
use crate::metrics::Count;

/// How long a module that makes a connection anew by itself may take.
const OWN_RECONNECTION: Duration = Duration::from_secs(60);
/// How often it is asked meanwhile.
const POLL: Duration = Duration::from_secs(2);
/// The delay after a reboot or the end of a port, which no broker is to blame for: the module takes its time as it is,
/// and is waited for.
const AFTER_MODULE: Duration = Duration::from_millis(100);
/// After this many failures in a row the data connection is suspected.
const FAILURES_BEFORE_RENEWAL: u32 = 3;

/// Keeps a client connected until it is disconnected or the modem is closed.
pub(super) async fn keep(core: Arc<Core>) {
    let (over, closing) = (core.link.over(), core.shared.closing.clone());
    let plan = &core.shared.supervision;
    // Clients of one seeded modem must not be in step with each other either.
    let seed = plan.seed.map(|seed| seed.wrapping_add(u64::from(core.index) + 1).wrapping_mul(0x9E37_79B9));
    let backoff = Backoff::new(plan.first_delay, plan.longest_delay, seed);
    let mut keeper = Keeper { core: &core, backoff, since: Instant::now() };
    tokio::select! {
        biased;
        () = over.cancelled() => {}
        () = closing.cancelled() => {}
        () = keeper.keep() => {}
    }
}

struct Keeper<'a> {
    core: &'a Core,
    backoff: Backoff,
    /// Since when the present connection is there.
    since: Instant,
}

impl Keeper<'_> {
    async fn keep(&mut self) {
        let Core { link, shared, .. } = self.core;
        let status = link.status();
        loop {
            let changed = status.changed();
            let now = status.borrow().clone();
            match now {
                // Boxed like all that is rare: an idle client should be small.
                ClientStatus::Lost(cause) => Box::pin(self.come_back(&cause)).await,
                ClientStatus::Connected => {
                    let Some(interval) = shared.supervision.check_every else {
                        changed.await;
                        continue;
                    };
                    if timeout(interval, changed).await.is_err() {
                        Box::pin(self.core.verify()).await;
                    }
                }
                _ => changed.await,
            }
        }
    }

    /// Comes back from a loss, unless there was none: a report is only a hint, and the module knows.
    async fn come_back(&mut self, cause: &LossCause) {
        let link = &self.core.link;
        let presence = if is_hint(cause) { self.core.presence().await } else { Presence::Gone };
        match presence {
            Presence::Connected => return link.regained(),
            Presence::Returning if self.is_brought_back(cause).await => {}
            _ => self.reconnect(cause).await,
        }
        link.meters().count(Count::Reconnected { cause });
        self.since = Instant::now();
    }

    /// Leaves a connection for a while to the module that is making it anew by itself: closing it would only begin again.
    async fn is_brought_back(&self, cause: &LossCause) -> bool {
        let link = &self.core.link;
        link.report(Event::ModuleReconnecting);
        let deadline = Instant::now() + OWN_RECONNECTION;
        let mut presence = Presence::Returning;
        while presence == Presence::Returning && Instant::now() < deadline {
            sleep(POLL).await;
            presence = self.core.presence().await;
        }
        if presence != Presence::Connected {
            return false;
        }
        let _making = self.core.making.lock().await;
        link.connecting();
        // The broker need not have kept the subscriptions of the connection that was lost.
        if let Err(error) = self.resubscribe().await {
            tracing::info!(client = self.core.index, %error, "the connection that the module has made is of no use");
            link.lose(cause.clone());
        }
        link.connected()
    }

    /// Tries until there is a connection.
    async fn reconnect(&mut self, cause: &LossCause) {
        let Core { link, shared, .. } = self.core;
        let was_stable = self.since.elapsed() >= shared.supervision.stable_after;
        if was_stable {
            self.backoff.reset();
        }
        let mut failures = 0;
        let mut delay = match cause {
            LossCause::Rebooted | LossCause::PortGone => AFTER_MODULE,
            _ if was_stable => Duration::ZERO,
            _ => self.backoff.delay(),
        };
        for attempt in 1.. {
            link.report(Event::Reconnecting { attempt, after: delay });
            sleep(delay).await;
            shared.ready().await;
            if attempt == 1 && self.core.dialect().needs_renewal(cause) {
                shared.renew_data_connection().await;
            }
            let error = match self.establish().await {
                Ok(()) => return,
                Err(error) => error,
            };
            tracing::info!(client = self.core.index, %error, attempt, "the client could not be connected again");
            link.report(Event::ReconnectFailed { reason: error.to_string() });
            if let Some(refusal) = refusal(&error) {
                // Somebody has to do something about it first; asking often makes it worse.
                link.refuse(refusal);
                delay = self.backoff.about(shared.supervision.longest_delay);
                continue;
            }
            link.lose(cause.clone());
            if matches!(error, Error::Rebooted { .. } | Error::Port { .. }) {
                delay = AFTER_MODULE;
                continue;
            }
            delay = self.backoff.delay();
            failures += 1;
            if failures % FAILURES_BEFORE_RENEWAL == 0 {
                shared.renew_data_connection().await;
            }
        }
    }

    /// Connects and subscribes again.
    async fn establish(&self) -> Result<()> {
        let Core { link, shared, index, options, .. } = self.core;
        let _making = self.core.making.lock().await;
        let port = shared.port();
        let mut unfinished = Unfinished { core: self.core, port: &port, finished: false };
        link.connecting();
        // What an earlier connection still owes will not come.
        port.release(self.core.lane()).map_err(crate::modem::port_gone)?;
        self.core.dialect().close(&port, *index).await;
        let context = Connecting { port: &port, index: *index, options, progress: None };
        let connected = dialect::connect(self.core.dialect(), &context).await;
        let made = connected.is_ok();
        let outcome = match connected {
            Ok(()) => self.resubscribe().await,
            Err(error) => Err(error),
        };
        let outcome = match outcome {
            Ok(()) if link.connected() => Ok(()),
            Ok(()) => Err(Error::ConnectionLost { cause: LossCause::Unknown, outcome: Outcome::NotSent }),
            Err(error) => {
                // A connection that is there is not closed without a farewell.
                if !made || !link.is_alive() || self.core.dialect().disconnect(&port, *index).await.is_err() {
                    self.core.dialect().close(&port, *index).await;
                }
                Err(error)
            }
        };
        unfinished.finished = true;
        outcome
    }

    /// Makes the subscriptions again, with a kept session, too: no module tells whether the broker still had it, and
    /// a subscription that is there already is only replaced by itself [MQTT 3.1.1 §3.8.4].
    async fn resubscribe(&self) -> Result<()> {
        let link = &self.core.link;
        let subscriptions = link.subscriptions();
        if subscriptions.is_empty() {
            return Ok(());
        }
        let granted = self.core.subscribe(&subscriptions).await?;
        for ((filter, asked), granted) in subscriptions.iter().zip(granted) {
            if granted.is_none_or(|granted| granted < *asked) {
                tracing::warn!(filter = filter.as_str(), ?asked, ?granted, "a subscription is not as before");
                link.report(Event::SubscriptionChanged { filter: filter.as_str().to_owned(), granted });
            }
        }
        Ok(())
    }
}

/// Closes the module's client if making its connection is given up in the middle.
struct Unfinished<'a> {
    core: &'a Core,
    port: &'a ModemPort,
    finished: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // If the port is gone, so is the connection.
            let _ = self.port.post(self.core.dialect().farewell(self.core.index).lane(Lane::CONTROL));
        }
    }
}

/// Whether a loss is known from a report alone, which may be forged or garbled.
fn is_hint(cause: &LossCause) -> bool {
    !matches!(cause, LossCause::Rebooted | LossCause::ResultMissing | LossCause::PortGone)
}

/// The broker's word that this client is not wanted, as long as nothing changes. Being busy (code 3) passes.
fn refusal(error: &Error) -> Option<BrokerError> {
    match error {
        Error::Broker(error) if matches!(error.code, 1 | 2 | 4 | 5) => Some(error.clone()),
        _ => None,
    }
}
