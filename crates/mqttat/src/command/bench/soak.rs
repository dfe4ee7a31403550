//! `mqttat bench --soak`: publishing for a long time while things go wrong, and what came of it.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mqtt_at::{Client, ClientStatus, Modem, ModemState, QoS, Subscription};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::ledger::{Ledger, Memory, Run};
use super::{Context, payload};
use crate::failure::Failure;
use crate::interrupt::{Interrupt, farewell};

/// After the last publish messages are waited for as long as some still come.
const LAST_MESSAGES: Duration = Duration::from_secs(60);
/// How often the memory is looked at, and the line on the terminal renewed.
const LOOK: Duration = Duration::from_secs(1);

/// A soak: one client publishes to itself.
#[derive(Debug)]
pub(super) struct Soak {
    pub(super) topic: String,
    pub(super) qos: QoS,
    pub(super) bytes: usize,
    pub(super) duration: Duration,
    /// Between two messages.
    pub(super) interval: Duration,
}

/// What the tasks of a soak share.
#[derive(Debug, Clone, Default)]
struct Books {
    ledger: Arc<Mutex<Ledger>>,
    losses: Arc<Mutex<Losses>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Losses {
    reconnects: u64,
    recoveries: u64,
}

impl Soak {
    pub(super) async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        let books = Books::default();
        let subscription = client.subscribe(&self.topic, self.qos).await?;
        let mut watchers = JoinSet::new();
        watchers.spawn(books.clone().receive(subscription));
        watchers.spawn(books.clone().count_reconnects(client.clone()));
        watchers.spawn(books.clone().count_recoveries(client.modem().clone()));
        let start = Instant::now();
        let mut memory = Memory::default();
        let mut interrupt = Interrupt::listen();
        tokio::select! {
            () = self.publish(client, &books, start) => {}
            () = interrupt.wait() => {}
            () = self.look(&books, &mut memory, start, context) => {}
        }
        context.progress.done();
        tokio::select! {
            () = books.settle() => {}
            () = interrupt.wait() => {}
        }
        let seconds = start.elapsed().as_secs_f64();
        // The session is kept: without this the broker would keep messages for nobody.
        if let Err(error) = client.unsubscribe(&self.topic).await {
            tracing::warn!(%error, topic = self.topic, "the subscription stays");
        }
        farewell(client).await;
        watchers.shutdown().await;
        let Losses { reconnects, recoveries } = *books.losses();
        let run =
            Run { qos: self.qos.level(), seconds, reconnects, recoveries, memory_slope: memory.slope() };
        let balance = books.ledger().balance(run);
        balance.print(context.global.json)?;
        balance.verdict()
    }

    /// Begins a publish at each tick, whether or not the earlier ones have come to an end; ends with the last of them.
    async fn publish(&self, client: &Client, books: &Books, start: Instant) {
        let mut publishes = JoinSet::new();
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while start.elapsed() < self.duration {
            ticks.tick().await;
            let number = books.ledger().accept();
            let payload = payload::of(number, start.elapsed(), self.bytes);
            let (client, topic, qos, books) = (client.clone(), self.topic.clone(), self.qos, books.clone());
            publishes.spawn(async move {
                let outcome = client.publish(topic, qos, false, payload).await;
                books.ledger().conclude(number, outcome.into());
            });
            while publishes.try_join_next().is_some() {}
        }
        while publishes.join_next().await.is_some() {}
    }

    /// Looks at memory, and shows how things are. Never ends.
    async fn look(&self, books: &Books, memory: &mut Memory, start: Instant, context: &Context) {
        let bar = bar(self.duration, context);
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            ticks.tick().await;
            memory.sample(start.elapsed());
            bar.set_position(start.elapsed().as_secs().min(self.duration.as_secs()));
            bar.set_message(books.ledger().summary(books.losses().reconnects));
        }
    }
}

impl Books {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn losses(&self) -> MutexGuard<'_, Losses> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn receive(self, mut subscription: Subscription) {
        while let Some(item) = subscription.next().await {
            let number = item.ok().and_then(|message| payload::read(message.payload()));
            if let Some((number, _)) = number {
                self.ledger().receive(number);
            }
        }
    }

    async fn count_reconnects(self, client: Client) {
        let mut status = client.status();
        let mut was_lost = false;
        while status.changed().await.is_ok() {
            let now = status.borrow_and_update().clone();
            match now {
                ClientStatus::Connected if was_lost => {
                    was_lost = false;
                    self.losses().reconnects += 1;
                }
                ClientStatus::Connected => {}
                _ => was_lost = true,
            }
        }
    }

    async fn count_recoveries(self, modem: Modem) {
        let mut state = modem.state();
        let mut was_ready = true;
        while state.changed().await.is_ok() {
            let is_ready = matches!(*state.borrow_and_update(), ModemState::Ready);
            if is_ready && !was_ready {
                self.losses().recoveries += 1;
            }
            was_ready = is_ready;
        }
    }

    /// Waits for what is still on its way.
    async fn settle(&self) {
        let deadline = Instant::now() + LAST_MESSAGES;
        while !self.ledger().is_complete() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn bar(duration: Duration, context: &Context) -> ProgressBar {
    let shown = std::io::stderr().is_terminal() && !context.is_logging;
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(duration.as_secs()), target);
    let style = ProgressStyle::with_template("[{bar:20}] {elapsed} of {len}s: {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
