//! Messages straight into a modem's port, as fast as the host can take them.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use mqtt_at::{Client, ConnectOptions, Message, Modem, ModemOptions, QoS, Subscription};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::runtime::Runtime;
use virtual_modem::{Broker, MemoryBroker, Vendor, VirtualModem};

const TOPIC: &str = "a/b";

/// A modem with a client and its subscriptions.
pub(crate) struct Injection {
    runtime: Runtime,
    injected: Arc<Mutex<Injected>>,
    subscriptions: Vec<Subscription>,
    client: Client,
}

#[derive(Default)]
struct Injected {
    bytes: VecDeque<Bytes>,
    reader: Option<Waker>,
}

impl Injection {
    pub(crate) fn new(subscribers: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        let injected = Arc::<Mutex<Injected>>::default();
        let (client, subscriptions) = runtime.block_on(async {
            let builder = VirtualModem::builder(Vendor::Quectel).log_capacity(1);
            let module = builder.broker(Broker::Memory(MemoryBroker::new())).build().expect("it is there");
            let line = Line { io: module.duplex(), injected: Arc::clone(&injected) };
            let (opening, driver) = Modem::over(line, ModemOptions::new().receive_capacity(1024));
            tokio::spawn(driver);
            let modem = opening.await.expect("the module comes up");
            let options = ConnectOptions::new("fan-out", "broker.example.com", 1883);
            let client = modem.connect(options).await.expect("the broker takes the client");
            let mut subscriptions = Vec::new();
            for _ in 0..subscribers.max(1) {
                subscriptions.push(client.subscribe(TOPIC, QoS::AtMostOnce).await.expect("it is granted"));
            }
            // Without subscribers the topic is expected all the same.
            subscriptions.truncate(subscribers);
            (client, subscriptions)
        });
        Self { runtime, injected, subscriptions, client }
    }

    /// Lets messages come and waits until every subscriber has taken them.
    pub(crate) fn deliver(&mut self, payload: usize, count: usize) {
        self.deliver_to(payload, count, |_| {});
    }

    /// As [`deliver`](Self::deliver), and shows each message of the first subscriber.
    pub(crate) fn deliver_to(&mut self, payload: usize, count: usize, mut look: impl FnMut(&Message)) {
        let mut bytes = Vec::new();
        for _ in 0..count {
            bytes.extend_from_slice(format!("\r\n+QMTRECV: 0,0,\"{TOPIC}\",{payload},\"").as_bytes());
            bytes.resize(bytes.len() + payload, b'x');
            bytes.extend_from_slice(b"\"\r\n");
        }
        let reader = {
            let mut injected = self.injected.lock().expect("no holder panics");
            injected.bytes.push_back(bytes.into());
            injected.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
        self.runtime.block_on(async {
            // The driver reads all of it before anybody else has a turn.
            tokio::task::yield_now().await;
            for (number, subscription) in self.subscriptions.iter_mut().enumerate() {
                for _ in 0..count {
                    let message =
                        subscription.next().await.expect("the client is connected").expect("none is lost");
                    if number == 0 {
                        look(&message);
                    }
                }
            }
        });
        debug_assert!(self.client.index() < 6);
    }
}

/// A line into which bytes of the module can be put.
struct Line {
    io: DuplexStream,
    injected: Arc<Mutex<Injected>>,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        {
            let mut injected = self.injected.lock().expect("no holder panics");
            while let Some(bytes) = injected.bytes.front_mut() {
                let count = bytes.len().min(buf.remaining());
                buf.put_slice(&bytes[..count]);
                bytes.advance(count);
                if bytes.is_empty() {
                    injected.bytes.pop_front();
                }
                if count > 0 {
                    return Poll::Ready(Ok(()));
                }
            }
            injected.reader = Some(cx.waker().clone());
        }
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
