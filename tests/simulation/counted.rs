//! A future that is watched for being polled too often.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::history::History;

/// What a busy line at 921 600 baud costs: about two wake-ups for each millisecond and direction.
const PER_SECOND: u32 = 10_000;
/// Whatever is done at one instant must come to its end.
const AT_ONCE: u32 = 2_000;

pub struct Counted<F> {
    inner: F,
    history: History,
    second: (Instant, u32),
    instant: (Instant, u32),
}

impl<F> Counted<F> {
    pub fn new(inner: F, history: History) -> Self {
        let now = Instant::now();
        Self { inner, history, second: (now, 0), instant: (now, 0) }
    }

    fn count(&mut self) {
        let now = Instant::now();
        if now - self.second.0 >= Duration::from_secs(1) {
            self.second = (now, 0);
        }
        if now != self.instant.0 {
            self.instant = (now, 0);
        }
        self.second.1 += 1;
        self.instant.1 += 1;
        if self.second.1 == PER_SECOND || self.instant.1 == AT_ONCE {
            self.history.violate("I9: the driver is polled in vain");
        }
        // Virtual time would stand still for ever.
        assert!(self.instant.1 < 100 * AT_ONCE, "the driver is busy for ever");
    }
}

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.count();
        Pin::new(&mut self.inner).poll(cx)
    }
}
