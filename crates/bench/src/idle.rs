//! Heap of ports and clients that do nothing.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use at_port::{LinkState, PlainRules, Port, PortOptions};
use mqtt_at::{ConnectOptions, Modem, ModemOptions};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use virtual_modem::{Broker, MemoryBroker, Vendor, VirtualModem};

use crate::heap::Mark;
use crate::instant_io::InstantModule;
use crate::report::{Kind, Report, row};
use crate::wire::in_virtual_time;

const KIB: f64 = 1024.0;

pub(crate) fn run(report: &mut Report) {
    report.heading("Idle");
    let ports = report.choose(10_000, 1_000);
    let port = per_port(ports);
    let task = per_task(ports);
    let (modem, client) = per_modem(report.choose(100, 10));
    report.table(&[
        row(["what", "heap"]),
        vec!["a bare tokio task".to_owned(), format!("{:.2} KiB", task / KIB)],
        vec!["a port, link proven".to_owned(), format!("{:.2} KiB", port / KIB)],
        vec![format!("{ports} ports"), format!("{:.1} MiB", port * ports as f64 / KIB / KIB)],
        vec!["a modem, brought up".to_owned(), format!("{:.2} KiB", modem / KIB)],
        vec!["a modem with one connected client".to_owned(), format!("{:.2} KiB", client / KIB)],
    ]);
    let port_row = report.goal(
        Kind::Counted,
        format!("heap per idle port, {ports} in one process"),
        "≤ 4 KiB",
        format!("{:.2} KiB", port / KIB),
        port <= 4.0 * KIB,
    );
    let client_row = report.goal(
        Kind::Counted,
        "heap per modem with one connected client",
        "≤ 12 KiB",
        format!("{:.2} KiB", client / KIB),
        client <= 12.0 * KIB,
    );
    report.table(&[Report::goal_head(), port_row, client_row]);
}

/// Bytes of a port over a module that uses none.
fn per_port(count: usize) -> f64 {
    in_virtual_time(async {
        let mut ports = Vec::with_capacity(count);
        let mark = Mark::set();
        for _ in 0..count {
            let (port, driver) =
                Port::new(InstantModule::default(), PlainRules::boxed(), PortOptions::default());
            tokio::spawn(driver);
            ports.push(port);
        }
        for port in &ports {
            let mut link = port.link();
            link.wait_for(|link| *link == LinkState::Synced).await.expect("the link is proven");
        }
        settle().await;
        mark.since().kept as f64 / count as f64
    })
}

fn per_task(count: usize) -> f64 {
    in_virtual_time(async {
        let mark = Mark::set();
        for _ in 0..count {
            tokio::spawn(std::future::pending::<()>());
        }
        settle().await;
        mark.since().kept as f64 / count as f64
    })
}

/// Bytes of a modem, and of one with a client, without those of the virtual module behind it: what is freed when
/// the host's side is dropped while the line stays open.
fn per_modem(count: usize) -> (f64, f64) {
    let measure = |connect: bool| {
        in_virtual_time(async {
            let mut hosts = Vec::new();
            let mut lines = Vec::new();
            for _ in 0..count {
                let builder = VirtualModem::builder(Vendor::Quectel).log_capacity(1);
                let module =
                    builder.broker(Broker::Memory(MemoryBroker::new())).build().expect("it is there");
                let line = Shared(Arc::new(Mutex::new(module.duplex())));
                let (opening, driver) = Modem::over(line.clone(), ModemOptions::new());
                let driver = tokio::spawn(driver);
                let modem = opening.await.expect("the module comes up");
                let client = if connect {
                    let options = ConnectOptions::new("idle", "broker.example.com", 1883);
                    Some(modem.connect(options).await.expect("the broker takes the client"))
                } else {
                    None
                };
                hosts.push((modem, client, driver));
                lines.push((module, line));
            }
            settle().await;
            let mark = Mark::set();
            for (modem, client, driver) in std::mem::take(&mut hosts) {
                driver.abort();
                // The driver first, so that no farewell changes the module.
                let _ = driver.await;
                drop((client, modem));
            }
            -mark.since().kept as f64 / count as f64
        })
    };
    (measure(false), measure(true))
}

/// Lets everything come to rest.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}

/// A line that stays open when one of its holders is dropped.
#[derive(Clone)]
struct Shared(Arc<Mutex<DuplexStream>>);

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut *self.0.lock().expect("no holder panics")).poll_read(cx, buf)
    }
}

impl AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut *self.0.lock().expect("no holder panics")).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut *self.0.lock().expect("no holder panics")).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
