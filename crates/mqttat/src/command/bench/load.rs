//! Publishing as fast as the module takes it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join_all;
use indicatif::ProgressBar;
use mqtt_at::{Client, Error, QoS, Subscription};

use super::figures::{Figures, Percentiles, RoundTrip};
use super::payload;

/// What is published for one line of the result.
#[derive(Debug, Clone)]
pub(super) struct Load {
    pub(super) topic: String,
    pub(super) qos: QoS,
    pub(super) bytes: usize,
    pub(super) in_flight: usize,
    pub(super) end: End,
    /// The number of its first message: a late one of an earlier line is not counted.
    pub(super) first: u64,
}

/// When it is over.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Count(u64),
    After(Duration),
}

/// A message of QoS 0 may be lost on the way back: what has not come by then is not waited for.
const LAST_MESSAGES: Duration = Duration::from_secs(5);

/// What the publishers of one line share.
struct Shared {
    load: Load,
    start: Instant,
    /// The number of the next message.
    next: AtomicU64,
    durations: Mutex<Vec<Duration>>,
    failed: AtomicU64,
    failure: Mutex<Option<Error>>,
}

impl Load {
    /// Publishes through all clients. The first failure comes with the figures.
    pub(super) async fn run(
        self,
        clients: &[Client],
        echo: Option<&mut Subscription>,
        bar: &ProgressBar,
    ) -> (Figures, Option<Error>) {
        let Self { qos, bytes, in_flight, first, .. } = self;
        let shared = Arc::new(Shared {
            load: self,
            start: Instant::now(),
            next: AtomicU64::new(0),
            durations: Mutex::default(),
            failed: AtomicU64::new(0),
            failure: Mutex::default(),
        });
        let publishers = clients.iter().flat_map(|client| (0..in_flight).map(move |_| client));
        let publishing = async {
            join_all(publishers.map(|client| shared.publish(client, bar))).await;
            shared.start.elapsed()
        };
        let (elapsed, round_trip) = match echo {
            Some(subscription) => {
                let mut echo = Echo { first, ..Echo::default() };
                let elapsed = echo.receive_during(publishing, subscription, shared.start).await;
                let sent = usize::try_from(shared.next.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
                echo.receive_rest(sent, subscription, shared.start).await;
                (elapsed, Some(echo.finish()))
            }
            None => (publishing.await, None),
        };
        let durations = std::mem::take(&mut *shared.durations.lock().unwrap_or_else(PoisonError::into_inner));
        let published = durations.len();
        let seconds = elapsed.as_secs_f64();
        let per_second = |amount: usize| if seconds > 0.0 { amount as f64 / seconds } else { 0.0 };
        let figures = Figures {
            qos: qos.level(),
            bytes,
            clients: clients.len(),
            in_flight,
            published,
            failed: usize::try_from(shared.failed.load(Ordering::Relaxed)).unwrap_or(usize::MAX),
            seconds,
            messages_per_second: per_second(published),
            bytes_per_second: per_second(published * bytes),
            publish_milliseconds: Percentiles::of(durations),
            round_trip,
        };
        let failure = shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        (figures, failure)
    }
}

impl Shared {
    /// Publishes one message after the other.
    async fn publish(&self, client: &Client, bar: &ProgressBar) {
        let Load { topic, qos, bytes, .. } = &self.load;
        while let Some(number) = self.take_number() {
            let payload = payload::of(self.load.first + number, self.start.elapsed(), *bytes);
            let begin = Instant::now();
            match client.publish(topic, *qos, false, payload).await {
                Ok(_) => {
                    self.durations.lock().unwrap_or_else(PoisonError::into_inner).push(begin.elapsed());
                }
                Err(error) => {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                    let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                    failure.get_or_insert(error);
                    // With a connection that is gone the rest would fail at once, and measure nothing.
                    return;
                }
            }
            match self.load.end {
                End::Count(_) => bar.inc(1),
                End::After(_) => {
                    bar.set_position(self.start.elapsed().as_millis().try_into().unwrap_or(u64::MAX))
                }
            }
        }
    }

    fn take_number(&self) -> Option<u64> {
        if let End::After(duration) = self.load.end
            && self.start.elapsed() >= duration
        {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        match self.load.end {
            End::Count(count) if number >= count => {
                self.next.fetch_sub(1, Ordering::Relaxed);
                None
            }
            _ => Some(number),
        }
    }
}

/// What comes back.
#[derive(Debug, Default)]
struct Echo {
    first: u64,
    durations: Vec<Duration>,
    seen: std::collections::HashSet<u64>,
    duplicates: usize,
}

impl Echo {
    async fn receive_during(
        &mut self,
        publishing: impl Future<Output = Duration>,
        subscription: &mut Subscription,
        start: Instant,
    ) -> Duration {
        let mut publishing = std::pin::pin!(publishing);
        loop {
            tokio::select! {
                elapsed = &mut publishing => return elapsed,
                Some(item) = subscription.next() => self.take(item, start),
            }
        }
    }

    /// Waits for what is still on its way.
    async fn receive_rest(&mut self, sent: usize, subscription: &mut Subscription, start: Instant) {
        while self.seen.len() < sent {
            match tokio::time::timeout(LAST_MESSAGES, subscription.next()).await {
                Ok(Some(item)) => self.take(item, start),
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn take(&mut self, item: Result<mqtt_at::Message, mqtt_at::Lagged>, start: Instant) {
        // A gap shows as messages that did not come back.
        let Ok(message) = item else { return };
        let told = payload::read(message.payload());
        let Some((number, sent)) = told.filter(|(number, _)| *number >= self.first) else { return };
        if self.seen.insert(number) {
            self.durations.push(start.elapsed().saturating_sub(sent));
        } else {
            self.duplicates += 1;
        }
    }

    fn finish(self) -> RoundTrip {
        RoundTrip {
            received: self.seen.len(),
            duplicates: self.duplicates,
            milliseconds: Percentiles::of(self.durations),
        }
    }
}
