//! What the module reports of itself, for those who use it for more than MQTT.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use at_codec::{Escaped, Fields, name_of};
use bytes::Bytes;
use futures::Stream;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::event::Lagged;
use crate::link::Inbound;

/// A line that the module sent by itself: an unsolicited result code that belongs to no client.
///
/// It is a hint: noise can destroy such a line, and a module that reboots forgets to send it. Ask the module where it
/// matters.
///
/// [`Modem::urcs`](crate::Modem::urcs) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urc {
    line: Bytes,
}

impl Urc {
    pub(crate) fn new(line: Bytes) -> Self {
        Self { line }
    }

    /// The name, up to the colon: `+CMTI` of `+CMTI: "SM",3`. All of it where it is only words, such as `RING`.
    pub fn name(&self) -> &[u8] {
        name_of(&self.line).unwrap_or(&self.line)
    }

    /// The values behind the name, if it has this name.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(urc: &mqtt_at::Urc) -> Option<i64> {
    /// let mut fields = urc.fields("+CMTI")?; // +CMTI: "SM",3
    /// let (_storage, position) = (fields.quoted()?, fields.integer()?);
    /// # Some(position) }
    /// ```
    pub fn fields(&self, name: &str) -> Option<Fields<'_>> {
        Fields::of(&self.line, name)
    }

    /// The line as it came, without its end.
    pub fn line(&self) -> &[u8] {
        &self.line
    }
}

/// The line, with what is not printable escaped.
impl fmt::Display for Urc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Escaped(&self.line))
    }
}

/// The reports of a module that belong to no client, in the order in which they came.
///
/// A slow reader loses the oldest past the capacity and is told how many, as an item. The stream ends with the modem.
///
/// [`Modem::urcs`](crate::Modem::urcs) has an example.
pub struct Urcs {
    reports: BroadcastStream<Inbound>,
}

impl Urcs {
    pub(crate) fn new(receiver: broadcast::Receiver<Inbound>) -> Self {
        Self { reports: BroadcastStream::new(receiver) }
    }

    /// The next report, or the news that some were lost; `None` when the modem is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Urc, Lagged>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Urcs {
    type Item = Result<Urc, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match std::task::ready!(Pin::new(&mut self.reports).poll_next(cx)) {
                Some(Ok(Inbound::Urc(urc))) => Some(Ok(urc)),
                Some(Ok(Inbound::Message(_))) => continue,
                Some(Err(BroadcastStreamRecvError::Lagged(count))) => Some(Err(Lagged(count))),
                None => None,
            });
        }
    }
}

impl fmt::Debug for Urcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Urcs").finish_non_exhaustive()
    }
}
