//! The dialects: whatever a module says, nothing panics, nothing waits for ever, and cuts change nothing.

use std::time::Duration;

use mqtt_at::at::{CommandLine, Exchange, LinkState};
use mqtt_at::fuzzing::Ear;
use mqtt_at::{ConnectOptions, Modem, ModemOptions, QoS, Supervision, Vendor};
use tokio::io::DuplexStream;
use virtual_modem::VirtualModem;

use super::line::Splice;
use super::source::Source;
use super::{esp_module, in_virtual_time};

/// Reports of a Quectel module.
pub fn quectel(data: &[u8]) {
    check(Vendor::Quectel, data, || module(virtual_modem::Vendor::Quectel));
}

/// Reports of a SIMCom module.
pub fn simcom(data: &[u8]) {
    check(Vendor::SimCom, data, || module(virtual_modem::Vendor::SimCom));
}

/// Reports of a Fibocom module.
pub fn fibocom(data: &[u8]) {
    check(Vendor::Fibocom, data, || module(virtual_modem::Vendor::Fibocom));
}

/// Reports of a Neoway module.
pub fn neoway(data: &[u8]) {
    check(Vendor::Neoway, data, || module(virtual_modem::Vendor::Neoway));
}

/// Reports of a module with ESP-AT.
pub fn esp(data: &[u8]) {
    check(Vendor::Espressif, data, esp_module::duplex);
}

fn module(vendor: virtual_modem::Vendor) -> DuplexStream {
    VirtualModem::builder(vendor).build().expect("it can be built").duplex()
}

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(3600);

fn check(vendor: Vendor, data: &[u8], module: impl FnOnce() -> DuplexStream) {
    let mut source = Source(data);
    let busy = source.byte() & 1 == 1;
    let pieces = source.pieces();
    frames_do_not_depend_on_the_cuts(vendor, &pieces);
    let run = async { tokio::time::timeout(PATIENCE, everything_ends(module(), &pieces, busy)).await };
    in_virtual_time(run).expect("every call ends");
}

fn frames_do_not_depend_on_the_cuts(vendor: Vendor, pieces: &[&[u8]]) {
    let mut ear = Ear::new(vendor).expect("it has a dialect");
    let whole = ear.hear(&pieces.concat());
    let (waiting, silence) = (ear.waiting(), ear.silence());
    let mut ear = Ear::new(vendor).expect("it has a dialect");
    let cut: Vec<_> = pieces.iter().flat_map(|piece| ear.hear(piece)).collect();
    assert_eq!((whole, waiting, silence), (cut, ear.waiting(), ear.silence()));
    assert!(waiting <= 70_000, "{waiting} bytes wait");
}

/// A connected client hears the bytes, while it publishes or while it is idle; then every call ends, and the link is
/// proven or given up.
async fn everything_ends(module: DuplexStream, pieces: &[&[u8]], busy: bool) {
    let splice = Splice::default();
    let (opening, driver) =
        Modem::over(splice.line(module), ModemOptions::new().supervision(Supervision::off()));
    tokio::spawn(driver);
    let modem = opening.await.expect("the module comes up");
    let options = ConnectOptions::new("fuzzed", "broker", 1883);
    let client = modem.connect(options).await.expect("the broker takes it");
    let mut messages = client.subscribe("t/#", QoS::AtLeastOnce).await.expect("it subscribes");
    let publish = client.publish("t/out", QoS::AtLeastOnce, false, "payload");
    if busy {
        let splicing = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            splice.put(pieces);
        };
        let _ = join(publish, splicing).await;
    } else {
        splice.put(pieces);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let _ = publish.await;
    }
    let attention = || modem.run(Exchange::new(CommandLine::execute("")));
    let _ = attention().await;
    let settled = |link: &LinkState| matches!(link, LinkState::Synced | LinkState::Dead);
    let link = *modem.link().wait_for(settled).await.expect("the modem is there");
    if link == LinkState::Synced {
        // What the bytes made us say may have to be read by the module first, as a part of our command.
        let _ = attention().await;
        attention().await.expect("answers are in step");
    }
    let minute = Duration::from_secs(60);
    while let Ok(Some(Ok(message))) = tokio::time::timeout(minute, messages.next()).await {
        assert!(message.topic().starts_with("t"), "{}", message.topic());
    }
}

/// Both, one after the other in each turn.
async fn join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(move |cx| {
        if first.is_none()
            && let std::task::Poll::Ready(value) = a.as_mut().poll(cx)
        {
            first = Some(value);
        }
        if second.is_none()
            && let std::task::Poll::Ready(value) = b.as_mut().poll(cx)
        {
            second = Some(value);
        }
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => std::task::Poll::Ready((a, b)),
            (a, b) => {
                (first, second) = (a, b);
                std::task::Poll::Pending
            }
        }
    })
    .await
}
