//! Many publishes: handed over through a sink, a bounded number in flight, outcomes as they come.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::task::AtomicWaker;
use futures::{FutureExt, Sink, Stream};
use tokio::time::Instant;

use crate::client::{Client, Published};
use crate::error::{Error, Result};
use crate::qos::QoS;

/// Publishes many messages of one client at once; made by [`Client::publisher`].
///
/// It is a [`Sink`] of messages and a [`Stream`] of what became of them. Messages are begun in the order in which
/// they were handed over; outcomes come in the order in which they become known. A message holds its place until its
/// outcome has been taken, so outcomes have to be taken or no more messages are: usually by splitting the publisher
/// in two ([`StreamExt::split`](futures::StreamExt::split)), or with [`stop_at_failure`](Self::stop_at_failure).
///
/// Hand messages over with `feed` or `forward`: flushing, which `send` does for each, waits until all of them are
/// concluded. The sink of a split publisher keeps the last message that was fed to itself until it is used again;
/// `forward` does that as soon as there is no next one. Closing ends the stream behind the last outcome.
///
/// It works while it is polled, at either end. Dropping it withdraws what has not been begun.
///
/// ```no_run
/// use futures::{SinkExt, StreamExt, TryStreamExt, stream};
/// use mqtt_at::{Outgoing, QoS};
///
/// # async fn example(client: mqtt_at::Client) -> mqtt_at::Result<()> {
/// let readings = stream::iter(0..1000).map(|n| Ok(Outgoing::new("site/7/up", QoS::AtLeastOnce, n.to_string())));
/// let (messages, mut outcomes) = client.publisher(16).split();
/// let count = async {
///     let mut failed = 0;
///     while let Some(concluded) = outcomes.next().await {
///         failed += u64::from(concluded.result.is_err());
///     }
///     failed
/// };
/// let (handed_over, failed) = futures::join!(readings.forward(messages), count);
/// # let _ = failed; handed_over }
/// ```
#[must_use = "it publishes nothing unless it is polled"]
pub struct Publisher {
    client: Client,
    /// At most so many messages are in flight or wait for somebody to take their outcome.
    limit: usize,
    in_flight: FuturesUnordered<BoxFuture<'static, Concluded>>,
    concluded: VecDeque<Concluded>,
    handed_over: u64,
    stops_at_failure: bool,
    closed: bool,
    ends: Arc<Ends>,
    /// Wakes both ends.
    waker: Waker,
}

/// A message to be published.
///
/// [`Client::publisher`](crate::Client::publisher) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing {
    /// The topic.
    pub topic: String,
    /// The quality of service.
    pub qos: QoS,
    /// Whether the broker keeps it for later subscribers. Default: no.
    pub retain: bool,
    /// The payload.
    pub payload: Bytes,
}

/// What became of a message.
///
/// [`Client::publisher`](crate::Client::publisher) has an example.
#[derive(Debug)]
#[non_exhaustive]
pub struct Concluded {
    /// Which message of the publisher it was, counted from 0.
    pub number: u64,
    /// The message, for another try.
    pub message: Outgoing,
    /// As [`Client::publish`] would have returned it.
    pub result: Result<Published>,
    /// How long it took since the message was handed over.
    pub after: Duration,
}

impl Outgoing {
    /// A message that the broker does not keep.
    pub fn new(topic: impl Into<String>, qos: QoS, payload: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), qos, retain: false, payload: payload.into() }
    }

    /// Sets [`retain`](Self::retain).
    #[must_use]
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }
}

impl Publisher {
    pub(crate) fn new(client: Client, limit: usize) -> Self {
        let ends = Arc::new(Ends::default());
        Self {
            client,
            limit: limit.max(1),
            in_flight: FuturesUnordered::new(),
            concluded: VecDeque::new(),
            handed_over: 0,
            stops_at_failure: false,
            closed: false,
            waker: Waker::from(Arc::clone(&ends)),
            ends,
        }
    }

    /// Makes the first failure the error of the sink, and reports no successes: for programs that only hand
    /// messages over, for instance with `forward`. Default: every outcome is an item of the stream.
    pub fn stop_at_failure(mut self) -> Self {
        self.stops_at_failure = true;
        self
    }

    /// How many messages have been handed over and are not concluded.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Lets the publishes go on and collects what has become known.
    fn drive(&mut self) {
        let mut cx = Context::from_waker(&self.waker);
        let before = self.concluded.len();
        while let Poll::Ready(Some(concluded)) = Pin::new(&mut self.in_flight).poll_next(&mut cx) {
            if !self.stops_at_failure || concluded.result.is_err() {
                self.concluded.push_back(concluded);
            }
        }
        if self.concluded.len() > before {
            self.ends.stream.wake();
        }
    }

    /// The failure that ends a publisher which stops at it.
    fn failure(&mut self) -> Result<()> {
        let first = if self.stops_at_failure { self.concluded.pop_front() } else { None };
        first.map_or(Ok(()), |concluded| concluded.result.map(drop))
    }

    fn is_full(&self) -> bool {
        self.in_flight.len() + self.concluded.len() >= self.limit
    }
}

impl Sink<Outgoing> for Publisher {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.ends.sink.register(cx.waker());
        self.drive();
        self.failure()?;
        if self.is_full() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn start_send(mut self: Pin<&mut Self>, message: Outgoing) -> Result<()> {
        let (client, number, start) = (self.client.clone(), self.handed_over, Instant::now());
        self.handed_over += 1;
        let publish = async move {
            let Outgoing { topic, qos, retain, payload } = message.clone();
            let result = client.publish(topic, qos, retain, payload).await;
            Concluded { number, message, result, after: start.elapsed() }
        };
        self.in_flight.push(publish.boxed());
        // It is begun when either end is polled; nobody need have asked for that yet.
        self.waker.wake_by_ref();
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.ends.sink.register(cx.waker());
        self.drive();
        self.failure()?;
        if self.in_flight.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if !std::mem::replace(&mut self.closed, true) {
            self.ends.stream.wake();
        }
        self.poll_flush(cx)
    }
}

impl Stream for Publisher {
    type Item = Concluded;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Concluded>> {
        self.ends.stream.register(cx.waker());
        self.drive();
        if let Some(concluded) = self.concluded.pop_front() {
            // Its place is free now.
            self.ends.sink.wake();
            return Poll::Ready(Some(concluded));
        }
        if self.closed && self.in_flight.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }
}

/// The tasks that wait at the two ends. Whichever polls lets all publishes go on, so both have to hear of progress.
#[derive(Default)]
struct Ends {
    sink: AtomicWaker,
    stream: AtomicWaker,
}

impl Wake for Ends {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.sink.wake();
        self.stream.wake();
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("client", &self.client)
            .field("limit", &self.limit)
            .field("in_flight", &self.in_flight.len())
            .finish_non_exhaustive()
    }
}
