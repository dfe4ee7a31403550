//! The stream of messages of a subscription.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::event::Lagged;
use crate::link::{Inbound, Link};
use crate::message::Message;
use crate::metrics::{Count, Meters};
use crate::qos::QoS;
use crate::topic::TopicFilter;

/// The messages that match a subscription, in the order in which they came.
///
/// A slow reader loses the oldest messages past the capacity and is told how many, as an item; the next item
/// goes on with what is still there. The stream ends when the connection has ended and all its messages are read.
/// Dropping it does not unsubscribe.
///
/// # Examples
///
/// ```no_run
/// use mqtt_at::QoS;
///
/// # async fn example(client: mqtt_at::Client) -> mqtt_at::Result<()> {
/// let mut messages = client.subscribe_all([("a/#", QoS::AtLeastOnce), ("b", QoS::AtMostOnce)]).await?;
/// println!("granted: {:?}", messages.granted());
/// while let Some(item) = messages.next().await {
///     match item {
///         Ok(message) => println!("{}: {} bytes", message.topic(), message.payload().len()),
///         Err(lagged) => eprintln!("{lagged}"), // a gap is an item, not the end
///     }
/// }
/// # Ok(()) }
/// ```
pub struct Subscription {
    filters: Vec<TopicFilter>,
    granted: Vec<QoS>,
    messages: BroadcastStream<Inbound>,
    over: Pin<Box<WaitForCancellationFutureOwned>>,
    meters: Meters,
}

impl Subscription {
    pub(crate) fn new(
        filters: Vec<TopicFilter>,
        granted: Vec<QoS>,
        receiver: broadcast::Receiver<Inbound>,
        link: &Link,
    ) -> Self {
        let over = Box::pin(link.over().cancelled_owned());
        let meters = link.meters().clone();
        Self { filters, granted, messages: BroadcastStream::new(receiver), over, meters }
    }

    /// The quality of service that the broker granted to each filter, in the order in which they were asked for.
    pub fn granted(&self) -> &[QoS] {
        &self.granted
    }

    /// The next message, or the news that some were lost; `None` when the connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Message, Lagged>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Subscription {
    type Item = Result<Message, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match Pin::new(&mut this.messages).poll_next(cx) {
                Poll::Ready(Some(Ok(Inbound::Message(message)))) => {
                    if this.filters.iter().any(|filter| filter.matches(message.topic())) {
                        return Poll::Ready(Some(Ok(message)));
                    }
                }
                // Reports of the modem go elsewhere.
                Poll::Ready(Some(Ok(Inbound::Urc(_)))) => {}
                Poll::Ready(Some(Err(BroadcastStreamRecvError::Lagged(messages)))) => {
                    this.meters.count(Count::Lagged { messages });
                    return Poll::Ready(Some(Err(Lagged(messages))));
                }
                // The reason is known before the end is told.
                Poll::Ready(None) | Poll::Pending => return this.over.as_mut().poll(cx).map(|()| None),
            }
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("filters", &self.filters).finish_non_exhaustive()
    }
}
