//! A modem on a virtual module whose line, turnaround and network take time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use mqtt_at::at::SessionOptions;
use mqtt_at::{Client, ConnectOptions, Error, Modem, ModemOptions, ReceiveMode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Builder;
use tokio::time::{Instant, timeout};
use virtual_modem::{Broker, MemoryBroker, Vendor, VirtualModem};

/// Tokio's timers step by 1 ms, but a byte takes 11 µs: all times are this many times longer, on both sides.
const SCALE: u32 = 1000;

/// What takes how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    pub(crate) vendor: Vendor,
    pub(crate) baud: u32,
    /// The network's round trip.
    pub(crate) rtt: Duration,
    /// Of the module, before each answer and each prompt.
    pub(crate) turnaround: Duration,
}

/// The modem, what is behind it, and what goes over its line.
pub(crate) struct Rig {
    pub(crate) modem: Modem,
    pub(crate) broker: MemoryBroker,
    pub(crate) traffic: Arc<Traffic>,
}

/// Bytes on the line so far.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
}

impl Traffic {
    /// Bytes to the module.
    pub(crate) fn up(&self) -> u64 {
        self.up.load(Ordering::Relaxed)
    }

    /// Bytes from the module.
    pub(crate) fn down(&self) -> u64 {
        self.down.load(Ordering::Relaxed)
    }
}

/// Runs something in virtual time.
pub(crate) fn in_virtual_time<T>(run: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime can be made").block_on(run)
}

/// Seconds of the module since an instant.
pub(crate) fn seconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() / f64::from(SCALE)
}

impl Rig {
    pub(crate) async fn new(pace: Pace) -> Self {
        let broker = MemoryBroker::new();
        let builder = VirtualModem::builder(pace.vendor)
            .broker(Broker::Memory(broker.clone()))
            .baud(Some(pace.baud))
            .rtt(pace.rtt)
            .turnaround(pace.turnaround)
            .time_scale(SCALE)
            .log_capacity(1);
        let module = builder.build().expect("the vendor is there");
        let traffic = Arc::<Traffic>::default();
        let mut session = SessionOptions::default();
        session.time_scale = SCALE;
        let modem = loop {
            let line = Counted { io: module.duplex(), traffic: Arc::clone(&traffic) };
            // The questions of supervision have times of their own, which are not scaled with the wire's.
            let options = ModemOptions::new().supervision(mqtt_at::Supervision::off());
            let options = options.session(session.clone()).receive_capacity(4096);
            let (opening, driver) = Modem::over(line, options);
            tokio::spawn(driver);
            match opening.await {
                Ok(modem) => break modem,
                // Only the conversation is stretched, not the library's patience with the data connection.
                Err(Error::Network(_)) => {
                    let _ = timeout(Duration::from_secs(10) * SCALE, module.run_unattended()).await;
                }
                Err(error) => panic!("the module does not come up: {error}"),
            }
        };
        Self { modem, broker, traffic }
    }

    /// So many clients, or as many as the module has.
    pub(crate) async fn clients(&self, count: usize) -> Vec<Client> {
        let mut clients = Vec::new();
        for number in 0..count.min(self.modem.limits().clients.count()) {
            clients.push(self.client(&format!("bench-{number}"), ReceiveMode::Push).await);
        }
        clients
    }

    pub(crate) async fn client(&self, name: &str, mode: ReceiveMode) -> Client {
        let options = ConnectOptions::new(name, "broker.example.com", 1883).receive_mode(mode);
        self.modem.connect(options).await.expect("the broker takes the client")
    }
}

impl fmt::Debug for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rig").field("traffic", &self.traffic).finish_non_exhaustive()
    }
}

/// A line on which bytes are counted.
struct Counted<IO> {
    io: IO,
    traffic: Arc<Traffic>,
}

impl<IO: AsyncRead + Unpin> AsyncRead for Counted<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.io).poll_read(cx, buf);
        self.traffic.down.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        outcome
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Counted<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = &outcome {
            self.traffic.up.fetch_add(*count as u64, Ordering::Relaxed);
        }
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
