//! The one task that owns the byte stream: it moves bytes, requests, deliveries and time, and decides nothing.

use std::fmt;
use std::future::Future;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use crate::clock::Clock;
use crate::error::PortError;
use crate::hub::Hub;
use crate::options::{PayloadMark, PortOptions};
use crate::request::{Caller, Request};
use crate::rules::Rules;
use crate::session::{Delivery, Session};

/// The owner of the port. It does nothing unless polled, usually by `tokio::spawn`, and ends with the reason.
///
/// Dropping it ends the port: everybody who waits gets [`PortError::DriverGone`].
///
/// The [crate's page](crate) has an example.
#[must_use = "the port does nothing unless its driver is polled"]
pub struct Driver<IO, U: Clone + Send + 'static> {
    io: IO,
    clock: Clock,
    session: Session<U, Caller<U>>,
    requests: mpsc::UnboundedReceiver<Request<U>>,
    hub: Arc<Hub<U>>,
    timer: Option<Timer>,
    mark: Option<Box<dyn PayloadMark>>,
    /// The bytes of the longest payload that the mark stands for; 0 without a mark.
    marked: usize,
    unflushed: bool,
    closing: bool,
    span: tracing::Span,
}

/// What is read at once; larger elements take several reads.
const READ: usize = 1024;

impl<IO: AsyncRead + AsyncWrite + Unpin, U: Clone + Send + 'static> Driver<IO, U> {
    pub(crate) fn new(
        io: IO,
        rules: Box<dyn Rules<Urc = U>>,
        options: PortOptions,
        requests: mpsc::UnboundedReceiver<Request<U>>,
        hub: Arc<Hub<U>>,
    ) -> Self {
        let is_marked = !options.session.hold_off.is_zero();
        let marked = if is_marked { options.session.owed.max(1) } else { 0 };
        let clock = Clock::new(options.session.time_scale);
        let mut session = Session::new(rules, options.session, clock.at(Instant::now()));
        if let Some(tap) = options.tap {
            session.set_tap(tap);
        }
        if let Some(meter) = options.meter {
            session.set_meter(meter);
        }
        let span = tracing::info_span!("port", name = options.name);
        session.inherit_probes(hub.listeners.take_owed());
        hub.listeners.set_link(session.link());
        Self {
            io,
            clock,
            session,
            requests,
            hub,
            timer: None,
            mark: options.payload_mark,
            marked,
            unflushed: false,
            closing: false,
            span,
        }
    }

    /// Takes what the handles ask for.
    fn poll_requests(&mut self, cx: &mut Context<'_>, now: Instant) {
        while let Poll::Ready(request) = self.requests.poll_recv(cx) {
            let Some(request) = request else {
                self.close();
                break;
            };
            match request {
                Request::Run(job) => self.session.take(now, job),
                Request::Release(lane) => self.session.release(lane),
                Request::Rules(rules) => self.session.replace_rules(*rules),
                Request::Close => {
                    self.close();
                    // What was sent before is still received, and what comes later is told that the port is closed.
                    self.requests.close();
                }
            }
        }
    }

    /// The port ends when what is asked for so far has been done.
    fn close(&mut self) {
        self.closing = true;
        self.session.close();
    }

    /// Reads once; `true` if something came. Reading nothing means that the port was unplugged.
    ///
    /// The bytes come by way of the stack, so that a port that waits owns no buffer.
    fn poll_read(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut room = [MaybeUninit::uninit(); READ];
        let mut read = ReadBuf::uninit(&mut room);
        match Pin::new(&mut self.io).poll_read(cx, &mut read) {
            Poll::Pending => return false,
            Poll::Ready(Ok(())) if read.filled().is_empty() => self.session.end(PortError::HungUp),
            Poll::Ready(Ok(())) => {
                self.session.inbox().extend_from_slice(read.filled());
                self.session.handle_input(now);
            }
            Poll::Ready(Err(error)) => self.session.end(error.into()),
        }
        true
    }

    /// Writes all that is due and the transport takes. The mark is kept before the first byte of an operation and
    /// behind the last one of its data.
    fn poll_write(&mut self, cx: &mut Context<'_>, now: Instant) {
        loop {
            // The operation that is about to begin decides whether a mark is needed.
            let is_due = self.session.transmit(now).is_some();
            self.keep_mark();
            let Some(bytes) = is_due.then(|| self.session.transmit(now)).flatten() else {
                return self.poll_flush(cx);
            };
            match Pin::new(&mut self.io).poll_write(cx, bytes) {
                Poll::Pending => return,
                Poll::Ready(Ok(0)) => self.session.end(PortError::HungUp),
                Poll::Ready(Ok(count)) => {
                    self.unflushed = true;
                    self.session.handle_sent(now, count);
                }
                Poll::Ready(Err(error)) => self.session.end(error.into()),
            }
        }
    }

    /// Pushes written bytes out of the transport. A serial port has nothing to push, see [`crate::transport`].
    fn poll_flush(&mut self, cx: &mut Context<'_>) {
        if !self.unflushed {
            return;
        }
        match Pin::new(&mut self.io).poll_flush(cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => self.unflushed = false,
            Poll::Ready(Err(error)) => self.session.end(error.into()),
        }
    }

    /// Writes down, before the bytes that make it true, that the module will be in the middle of a payload.
    ///
    /// A port that has ended leaves the mark as it is: nobody can say any more what the module waits for.
    fn keep_mark(&mut self) {
        if self.session.ended().is_some() {
            return;
        }
        let owed = self.session.owes_data();
        if owed > self.marked {
            self.marked = owed;
            self.mark.iter_mut().for_each(|mark| mark.set(owed));
        } else if self.marked > 0 && self.session.is_done_with_data() {
            // Also the mark that an earlier host left is over then, and not sooner.
            self.marked = 0;
            self.mark.iter_mut().for_each(|mark| mark.clear());
        }
    }

    fn deliver(&mut self) {
        while let Some(delivery) = self.session.poll_delivery() {
            match delivery {
                Delivery::Urc(channel, item) => self.hub.listeners.deliver(channel, item),
                Delivery::Event(event) => self.hub.listeners.report(event),
            }
        }
    }

    /// Waits for the next deadline; `true` if one has come. The timer is only ever moved forward in time when it
    /// fires: most deadlines are never reached, and moving it for each of them would cost more than a vain wake-up.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, time: Instant) -> bool {
        let Some(due) = self.session.deadline() else { return false };
        let due = self.clock.due(due);
        let timer = self.timer.get_or_insert_with(|| Timer::new(due));
        if timer.poll(cx, time, due).is_pending() {
            return false;
        }
        self.session.handle_timeout(self.clock.at(Instant::now()));
        true
    }

    /// One round over everything that can move; `true` if another one is needed to know that nothing can.
    fn poll_round(&mut self, cx: &mut Context<'_>) -> bool {
        let time = Instant::now();
        let now = self.clock.at(time);
        self.poll_requests(cx, now);
        // What is read may allow a write, but a write allows nothing that is not waited for already.
        let has_read = self.poll_read(cx, now);
        self.poll_write(cx, now);
        self.deliver();
        if self.closing && self.session.is_idle() {
            self.session.end(PortError::Closed);
        }
        has_read || self.poll_deadline(cx, time)
    }
}

/// A timer that is asked only when it has to be: asking costs more than most rounds.
struct Timer {
    sleep: Pin<Box<Sleep>>,
    /// When it goes off.
    at: Instant,
    /// Whom it will wake.
    waker: Option<Waker>,
}

impl Timer {
    fn new(due: Instant) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep_until(due)), at: due, waker: None }
    }

    /// Ready when `due` has come, or an earlier instant for which it was set before.
    fn poll(&mut self, cx: &mut Context<'_>, now: Instant, due: Instant) -> Poll<()> {
        let will_wake = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if will_wake && now < self.at && self.at <= due {
            return Poll::Pending;
        }
        if self.sleep.is_elapsed() || self.at > due {
            self.sleep.as_mut().reset(due);
            self.at = due;
        }
        let polled = self.sleep.as_mut().poll(cx);
        self.waker = polled.is_pending().then(|| cx.waker().clone());
        polled
    }
}

// Nothing in the driver is ever pinned in place.
impl<IO: Unpin, U: Clone + Send + 'static> Unpin for Driver<IO, U> {}

impl<IO: AsyncRead + AsyncWrite + Unpin, U: Clone + Send + 'static> Future for Driver<IO, U> {
    type Output = PortError;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<PortError> {
        let driver = self.get_mut();
        let span = driver.span.clone();
        let _entered = span.enter();
        while driver.session.ended().is_none() {
            if !driver.poll_round(cx) && driver.session.ended().is_none() {
                return Poll::Pending;
            }
        }
        driver.deliver();
        let error = driver.session.ended().cloned().unwrap_or(PortError::Closed);
        driver.hub.listeners.set_owed(driver.session.owed_probes().to_vec());
        driver.hub.end(error.clone());
        // A driver that has ended may be kept for long; nobody may wait for it.
        driver.requests.close();
        while driver.requests.try_recv().is_ok() {}
        Poll::Ready(error)
    }
}

impl<IO, U: Clone + Send + 'static> Drop for Driver<IO, U> {
    fn drop(&mut self) {
        let ends_now = self.session.ended().is_none();
        self.session.end(PortError::DriverGone);
        if ends_now {
            self.hub.listeners.set_owed(self.session.owed_probes().to_vec());
        }
        self.hub.end(PortError::DriverGone);
    }
}

impl<IO, U: Clone + Send + 'static> fmt::Debug for Driver<IO, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("session", &self.session).finish_non_exhaustive()
    }
}
