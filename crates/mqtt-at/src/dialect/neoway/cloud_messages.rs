//! The messages of the clouds.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use at_port::Channel;
use futures::Stream;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::event::Lagged;
use crate::link::Inbound;
use crate::message::Message;
use crate::modem::Modem;

/// The messages that Alibaba's cloud or AWS sends, from the moment on at which this was made [Neoway MQTT 1.2 §4].
///
/// A slow reader loses the oldest messages past the capacity and is told how many, as an item. The stream ends with
/// the port.
///
/// # Examples
///
/// ```no_run
/// use mqtt_at::{QoS, neoway};
/// use std::time::Duration;
///
/// # async fn example(modem: mqtt_at::Modem) -> mqtt_at::Result<()> {
/// modem.send(neoway::CloudHdAuth::new("a1J5shuYgXN", "device-7", "secret")).await?;
/// modem.send(neoway::CloudConn::new(Duration::from_secs(60))).await?;
/// let mut messages = neoway::CloudMessages::of(&modem);
/// modem.send(neoway::CloudSub::new("/a1J5shuYgXN/device-7/user/get", QoS::AtLeastOnce)).await?;
/// while let Some(item) = messages.next().await {
///     println!("{item:?}");
/// }
/// # Ok(()) }
/// ```
pub struct CloudMessages {
    inner: BroadcastStream<Inbound>,
}

impl CloudMessages {
    /// The messages that come from now on.
    pub fn of(modem: &Modem) -> Self {
        Self { inner: BroadcastStream::new(modem.shared().receiver(Channel::Modem)) }
    }

    /// The next message, or the news that some were lost; `None` when the port is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Message, Lagged>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for CloudMessages {
    type Item = Result<Message, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                Some(Ok(Inbound::Message(message))) => Some(Ok(message)),
                Some(Ok(Inbound::Urc(_))) => continue,
                Some(Err(BroadcastStreamRecvError::Lagged(count))) => Some(Err(Lagged(count))),
                None => None,
            });
        }
    }
}

impl fmt::Debug for CloudMessages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudMessages").finish_non_exhaustive()
    }
}
