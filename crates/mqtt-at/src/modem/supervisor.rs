//! The ladder by which a modem comes back: settings, data connection, port, reset; each step has an end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use at_codec::CommandLine;
use at_port::{Exchange, Lane, LinkState, PortError, Restarts};
use futures::StreamExt;
use futures::channel::mpsc;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::opening::{Reopen, meet};
use super::port_gone;
use super::shared::Shared;
use crate::backoff::Backoff;
use crate::bringup;
use crate::dialect::{self, ModemPort, Presence};
use crate::error::{Error, NetworkError, Result};
use crate::event::LossCause;
use crate::options::ModemOptions;
use crate::reporting;
use crate::supervision::{ModemState, Recovery};

/// How often the smaller steps may fail before the module is reset.
const FAILURES_BEFORE_RESET: u32 = 3;
/// How often the module is reset before it is called down.
const RESETS_BEFORE_DOWN: u32 = 2;
/// How long a hook may take to reset the module.
const RESET_PATIENCE: Duration = Duration::from_secs(60);
/// How long a restart may take to be accepted.
const RESTART_ACCEPTED: Duration = Duration::from_secs(15);
/// A module that has accepted a restart goes on answering for a moment.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// A data connection is not renewed again sooner than this: its clients need time to use it.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// Keeps one modem alive, until it is closed.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    /// `None` where the port cannot be opened again.
    reopen: Option<Box<dyn Reopen>>,
    options: ModemOptions,
    renewals: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    restarts: watch::Receiver<Restarts>,
    /// Those that have been dealt with.
    known: Restarts,
    /// Changes when a port ends.
    link: watch::Receiver<LinkState>,
    backoff: Backoff,
    ladder: Ladder,
}

/// What has been tried since the modem was last ready.
#[derive(Default)]
struct Ladder {
    failures: u32,
    resets: u32,
}

/// What has gone wrong.
#[derive(Debug)]
enum Trouble {
    Rebooted,
    /// The module echoes again although it was told not to: it has probably started anew without a word.
    Echo,
    PortGone,
    /// Clients cannot connect, or the manual asks for a new data connection.
    DataConnection(oneshot::Sender<()>),
}

impl Supervisor {
    pub(super) fn new(
        shared: Arc<Shared>,
        reopen: Option<Box<dyn Reopen>>,
        options: ModemOptions,
        renewals: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    ) -> Self {
        let plan = &options.supervision;
        let backoff = Backoff::new(plan.first_delay, plan.longest_delay, plan.seed);
        let (mut restarts, link) = (shared.listeners.restarts(), shared.listeners.link());
        let known = *restarts.borrow_and_update();
        Self { shared, reopen, options, renewals, restarts, known, link, backoff, ladder: Ladder::default() }
    }

    /// Boxed, because a future has room for its arguments twice.
    pub(super) async fn run(mut self: Box<Self>) {
        let closing = self.shared.closing.clone();
        tokio::select! {
            biased;
            () = closing.cancelled() => {}
            () = self.supervise() => {}
        }
        self.shared.state.replace(ModemState::Closed);
        self.shared.links.end_all(&LossCause::PortGone);
        closing.cancel();
    }

    /// Ends when the port is gone and cannot be opened again.
    async fn supervise(&mut self) {
        let mut renewed = None::<Instant>;
        loop {
            let recovery = match self.trouble().await {
                Trouble::Rebooted => Recovery::Settings,
                // A reset costs less than waiting until a module gives its payload up, and a module that never does
                // would have to be given something to publish.
                Trouble::PortGone if self.owes_payload() && self.options.supervision.reset.is_some() => {
                    Recovery::Reset
                }
                Trouble::PortGone => Recovery::Port,
                Trouble::Echo if Box::pin(self.has_kept_connections()).await => {
                    // Somebody switched the echo on. Switching it off is all there is to do.
                    match Box::pin(bringup::identify(&self.shared.port(), None)).await {
                        Ok(_) => {
                            self.known.suspected = self.restarts.borrow_and_update().suspected;
                            continue;
                        }
                        Err(error) => {
                            tracing::debug!(%error, "the echo was not switched off");
                            Recovery::Settings
                        }
                    }
                }
                Trouble::Echo => Recovery::Settings,
                Trouble::DataConnection(asked) => {
                    let is_recent = renewed.is_some_and(|at| at.elapsed() < RENEWAL_PAUSE);
                    if !is_recent && self.shared.links.connected().is_empty() {
                        Box::pin(self.recover(Recovery::DataConnection)).await;
                        renewed = Some(Instant::now());
                    }
                    // Whoever asked may have left.
                    let _ = asked.send(());
                    continue;
                }
            };
            // Made when it is needed: most of the time there is nothing to recover, and a future takes its room.
            if !Box::pin(self.recover(recovery)).await {
                return;
            }
        }
    }

    /// Waits for something to go wrong.
    async fn trouble(&mut self) -> Trouble {
        loop {
            if self.shared.port().ended().is_some() {
                return Trouble::PortGone;
            }
            let restarts = *self.restarts.borrow_and_update();
            if restarts.reported != self.known.reported {
                return Trouble::Rebooted;
            }
            if restarts.suspected != self.known.suspected {
                return Trouble::Echo;
            }
            tokio::select! {
                biased;
                // The senders of these are in the listeners, which are in `shared`.
                _ = self.restarts.changed() => {}
                _ = self.link.changed() => {}
                Some(asked) = self.renewals.next() => return Trouble::DataConnection(asked),
            }
        }
    }

    /// Climbs the ladder until the modem is ready; `false` if there is nothing more to climb.
    async fn recover(&mut self, first: Recovery) -> bool {
        self.ladder = Ladder::default();
        self.backoff.reset();
        let mut step = first;
        loop {
            tracing::info!(%step, failures = self.ladder.failures, "recovering");
            self.shared.state.replace(ModemState::Recovering(step));
            let error = match self.climb(step).await {
                Ok(()) => {
                    tracing::info!("the modem is ready again");
                    self.shared.state.replace(ModemState::Ready);
                    return true;
                }
                Err(error) => error,
            };
            let Some(next) = self.next_step(step, &error) else {
                self.shared.state.replace(ModemState::Down(error));
                return false;
            };
            let is_down = self.ladder.resets > RESETS_BEFORE_DOWN || is_lasting(&error);
            let delay = match is_down {
                true => self.backoff.about(self.shared.supervision.longest_delay),
                false => self.backoff.delay(),
            };
            tracing::warn!(%error, ?delay, next = %next, "recovery failed for now");
            if is_down {
                self.shared.state.replace(ModemState::Down(error));
            }
            sleep(delay).await;
            step = next;
        }
    }

    async fn climb(&mut self, step: Recovery) -> Result<()> {
        match step {
            Recovery::Settings => self.set_up().await,
            Recovery::DataConnection => self.renew().await,
            Recovery::Port => self.open_port().await,
            Recovery::Reset => self.reset().await,
        }
    }

    /// The step that may mend what the last one could not.
    fn next_step(&mut self, step: Recovery, error: &Error) -> Option<Recovery> {
        let port_is_gone = self.shared.port().ended().is_some();
        if port_is_gone && self.reopen.is_none() {
            return None;
        }
        self.ladder.failures += 1;
        let may_reset = self.options.supervision.reset.is_some() || !port_is_gone && self.may_restart();
        if step != Recovery::Reset
            && self.ladder.failures >= FAILURES_BEFORE_RESET
            && may_reset
            && !is_lasting(error)
        {
            self.ladder.failures = 0;
            self.ladder.resets += 1;
            return Some(Recovery::Reset);
        }
        if step == Recovery::Reset || self.ladder.failures >= FAILURES_BEFORE_RESET {
            // Where nothing can be reset, a full round of failures counts as much.
            self.ladder.resets += u32::from(step != Recovery::Reset);
            self.ladder.failures = 0;
        }
        Some(match error {
            _ if port_is_gone => Recovery::Port,
            Error::Network(NetworkError::Pdp { .. }) => Recovery::DataConnection,
            _ => Recovery::Settings,
        })
    }

    fn may_restart(&self) -> bool {
        self.options.supervision.restart_module && self.shared.dialect.is_cellular()
    }

    /// Synchronises with the module and makes sure that it is the same one.
    async fn meet_again(&mut self, port: &ModemPort) -> Result<()> {
        let (expected, found) = (&self.shared.identity, meet(port, &self.options).await?);
        if expected.is_same_module(&found) {
            return Ok(());
        }
        Err(Error::OtherModule { expected: expected.to_string(), found: found.to_string() })
    }

    /// Makes the settings anew, as after power-on, and closes what is left of the clients.
    async fn set_up(&mut self) -> Result<()> {
        let port = self.shared.port();
        self.meet_again(&port).await?;
        self.shared.links.lose_all(&LossCause::Rebooted);
        // What was asked of the module before it started anew will not be answered.
        for index in self.shared.dialect.facts().clients.clone() {
            port.release(Lane::client(index)).map_err(port_gone)?;
        }
        self.finish().await
    }

    /// Does what is left to do for a module that has said who it is. What was reported before is dealt with by it.
    async fn finish(&mut self) -> Result<()> {
        self.known = *self.restarts.borrow_and_update();
        let port = self.shared.port();
        self.shared.dialect.prepare(&port, self.options.former).await?;
        self.attach().await
    }

    async fn attach(&mut self) -> Result<()> {
        if !self.options.attach.wanted {
            return Ok(());
        }
        let (port, progress) = (self.shared.port(), self.options.progress.as_ref());
        let outcome = bringup::make_ready(&port, self.shared.dialect.as_ref(), &self.options, progress).await;
        if matches!(outcome, Err(Error::Network(NetworkError::PinRefused))) {
            // Three failures lock the SIM, so this PIN is never tried again.
            self.options.sim_pin = None;
        }
        outcome
    }

    async fn renew(&mut self) -> Result<()> {
        if !self.options.attach.wanted {
            return Ok(());
        }
        let port = self.shared.port();
        self.shared.dialect.renew(&port, &self.options).await?;
        self.attach().await
    }

    /// Opens the port again and makes sure that the same module is on it.
    async fn open_port(&mut self) -> Result<()> {
        let Some(reopen) = &mut self.reopen else { return Err(port_gone(PortError::HungUp)) };
        let port = reopen.reopen().await?;
        if let Err(error) = self.meet_again(&port).await {
            port.close();
            return Err(error);
        }
        let rules = reporting::rules(self.shared.dialect.as_ref(), &self.shared.links, &self.options.urcs);
        port.replace_rules(rules).map_err(port_gone)?;
        self.shared.set_port(port);
        self.finish().await
    }

    fn owes_payload(&self) -> bool {
        self.reopen.as_ref().is_some_and(|reopen| reopen.owes_payload())
    }

    /// Resets the module by the hook, or else by its own command, and sets it up.
    async fn reset(&mut self) -> Result<()> {
        if let Some(hook) = self.options.supervision.reset.clone() {
            match timeout(RESET_PATIENCE, hook.reset()).await {
                Ok(Ok(())) => {
                    self.shared.listeners.forget_probes();
                    self.reopen.iter().for_each(|reopen| reopen.forget_payload());
                }
                Ok(Err(error)) => tracing::warn!(%error, "the module could not be reset"),
                Err(_) => tracing::warn!("the module was not reset in time"),
            }
        } else {
            let line = CommandLine::write("+CFUN").integer(1).integer(1).finish();
            let restart = at_port::Operation::from(Exchange::new(line).timeout(RESTART_ACCEPTED));
            dialect::run(&self.shared.port(), restart.lane(Lane::CONTROL)).await?;
            sleep(RESTART_PAUSE).await;
        }
        match self.shared.port().ended() {
            Some(_) => self.open_port().await,
            None => self.set_up().await,
        }
    }

    /// Whether the module still has every connection that is thought to be there. Without one nothing speaks against a
    /// reboot.
    async fn has_kept_connections(&mut self) -> bool {
        let port = self.shared.port();
        let connected = self.shared.links.connected();
        if connected.is_empty() {
            return false;
        }
        for (index, link) in connected {
            if !matches!(self.shared.dialect.presence(&port, index).await, Ok(Presence::Connected)) {
                link.lose(LossCause::Rebooted);
                return false;
            }
        }
        true
    }
}

/// Whether trying again soon is of no use, because somebody has to do something first.
fn is_lasting(error: &Error) -> bool {
    use NetworkError::{PinRefused, PinRequired, PukRequired};
    matches!(error, Error::OtherModule { .. } | Error::Network(PinRefused | PinRequired | PukRequired))
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("reopens", &self.reopen.is_some()).finish_non_exhaustive()
    }
}
