//! The future that owns the ports of a modem, and runs what keeps the modem alive.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use at_port::{Driver, Listeners, PortError};
use futures::channel::mpsc;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, Stream};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::event::LossCause;
use crate::link::{Inbound, Links};

/// The future that owns the port of a [`Modem`](crate::Modem), and the ports that follow it when it is opened again.
/// It also runs the supervision of the modem and of its clients, so that nothing of the library outlives it.
///
/// It ends, with the reason, when the port is closed or gone for good.
///
/// [`Modem::over`](crate::Modem::over) has an example.
#[must_use = "the modem does nothing unless its driver is polled"]
pub struct ModemDriver<IO> {
    driver: Option<Box<Driver<IO, Inbound>>>,
    /// The driver of the next port; the sender is with whoever opens it.
    drivers: mpsc::UnboundedReceiver<Box<Driver<IO, Inbound>>>,
    tasks: FuturesUnordered<BoxFuture<'static, ()>>,
    new_tasks: mpsc::UnboundedReceiver<BoxFuture<'static, ()>>,
    links: Arc<Links>,
    listeners: Listeners<Inbound>,
    reason: PortError,
}

impl<IO> ModemDriver<IO> {
    pub(super) fn new(
        drivers: mpsc::UnboundedReceiver<Box<Driver<IO, Inbound>>>,
        new_tasks: mpsc::UnboundedReceiver<BoxFuture<'static, ()>>,
        links: Arc<Links>,
        listeners: Listeners<Inbound>,
    ) -> Self {
        Self {
            driver: None,
            drivers,
            tasks: FuturesUnordered::new(),
            new_tasks,
            links,
            listeners,
            reason: PortError::Closed,
        }
    }

    /// Only a task that was woken is polled, so that the port's own wake-ups cost the others nothing.
    fn poll_tasks(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(task)) = Pin::new(&mut self.new_tasks).poll_next(cx) {
            self.tasks.push(task);
        }
        while let Poll::Ready(Some(())) = Pin::new(&mut self.tasks).poll_next(cx) {}
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Future for ModemDriver<IO> {
    type Output = PortError;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<PortError> {
        let this = &mut *self;
        loop {
            this.poll_tasks(cx);
            if let Some(driver) = &mut this.driver
                && let Poll::Ready(reason) = Pin::new(driver).poll(cx)
            {
                this.driver = None;
                this.reason = reason;
                this.links.lose_all(&LossCause::PortGone);
            }
            match Pin::new(&mut this.drivers).poll_next(cx) {
                Poll::Ready(Some(next)) => this.driver = Some(next),
                Poll::Ready(None) if this.driver.is_none() => {
                    this.links.end_all(&LossCause::PortGone);
                    this.listeners.close();
                    return Poll::Ready(this.reason.clone());
                }
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<IO> Drop for ModemDriver<IO> {
    fn drop(&mut self) {
        self.links.end_all(&LossCause::PortGone);
        self.listeners.close();
    }
}

impl<IO> fmt::Debug for ModemDriver<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModemDriver").finish_non_exhaustive()
    }
}
