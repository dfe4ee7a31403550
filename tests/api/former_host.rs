//! What a host left behind that died while the module stayed up: open clients, a running service, half a conversation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mqtt_at::at::{Tap, TapEntry};
use mqtt_at::{Modem, ModemOptions, QoS, Result};
use tokio::sync::Notify;
use virtual_modem::{Broker, MemoryBroker, VirtualModem};

use crate::support::{KINDS, Kind, next, options};

/// Calls out when so many commands have been written.
#[derive(Clone)]
struct Countdown {
    left: Arc<AtomicUsize>,
    over: Arc<Notify>,
}

impl Tap for Countdown {
    fn note(&mut self, entry: TapEntry<'_>) {
        if matches!(entry, TapEntry::Command(_)) && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.over.notify_one();
        }
    }
}

fn module_of(kind: &Kind) -> (VirtualModem, MemoryBroker) {
    let broker = MemoryBroker::new();
    let builder = VirtualModem::builder(kind.vendor).broker(Broker::Memory(broker.clone()));
    (builder.build().unwrap(), broker)
}

/// A life without payloads: those are another matter.
async fn live(opening: impl Future<Output = Result<Modem>>, kind: &Kind) -> Vec<mqtt_at::Client> {
    let modem = opening.await.unwrap();
    let mut clients = Vec::new();
    for number in 0..kind.clients {
        let client = modem.connect(options(&format!("gateway-{number}"))).await.unwrap();
        client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
        clients.push(client);
    }
    clients
}

/// Lets a host die when it has written so many commands; `false` if it lived on.
async fn dies_after(commands: usize, module: &VirtualModem, kind: &Kind) -> bool {
    let countdown = Countdown { left: Arc::new(AtomicUsize::new(commands)), over: Arc::default() };
    let (opening, driver) = Modem::over(module.duplex(), ModemOptions::new().tap(countdown.clone()));
    let driver = tokio::spawn(driver);
    let died = tokio::select! {
        _clients = live(opening, kind) => false,
        () = countdown.over.notified() => true,
    };
    driver.abort();
    driver.await.unwrap_err();
    died
}

/// The next host can do everything that the first could.
async fn takes_over(module: &VirtualModem, broker: &MemoryBroker, kind: &Kind, case: &str) {
    let (opening, driver) = Modem::over(module.duplex(), ModemOptions::new());
    tokio::spawn(driver);
    // What comes for the clients of the former one is not for this one.
    broker.publish_from_outside("t", QoS::AtLeastOnce.level(), false, "for the dead");
    let modem = opening.await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
    for number in 0..kind.clients {
        let name = format!("gateway-{number}");
        let client =
            modem.connect(options(&name)).await.unwrap_or_else(|error| panic!("{case}: {name}: {error:?}"));
        let mut messages = client.subscribe("after", QoS::AtLeastOnce).await.unwrap();
        client.publish("after", QoS::AtLeastOnce, false, name.clone()).await.unwrap();
        assert_eq!(next(&mut messages).await.payload(), name.as_bytes(), "{case}");
        client.disconnect().await.unwrap();
    }
    let ledger = broker.ledger();
    let after = ledger.accepted.iter().filter(|message| message.topic == "after").count();
    assert_eq!(after, kind.clients, "{case}");
    assert!(ledger.accepted.iter().all(|message| !message.payload.starts_with(b"AT")), "{case}");
    modem.close();
}

#[tokio::test(start_paused = true)]
async fn the_next_host_takes_over_wherever_the_first_one_died() {
    for kind in KINDS {
        let mut commands = 1;
        loop {
            let (module, broker) = module_of(kind);
            if !dies_after(commands, &module, kind).await {
                break;
            }
            takes_over(&module, &broker, kind, &format!("{}, after {commands} commands", kind.vendor)).await;
            commands += 1;
        }
        assert!(commands > 10, "{kind:?}: the first host lived too short");
        // And when it died with all its clients connected.
        let (module, broker) = module_of(kind);
        assert!(!dies_after(usize::MAX, &module, kind).await);
        assert_eq!(broker.connected().len(), kind.clients, "{kind:?}: its clients outlive it");
        takes_over(&module, &broker, kind, &format!("{}, connected", kind.vendor)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_only_looks_leaves_the_clients_of_another_alone() {
    for kind in KINDS {
        let (module, broker) = module_of(kind);
        assert!(!dies_after(usize::MAX, &module, kind).await);
        let look = ModemOptions::new().leave_former_clients(true);
        let (opening, driver) = Modem::over(module.duplex(), look);
        let driver = tokio::spawn(driver);
        let modem = opening.await.unwrap();
        modem.network().await.unwrap();
        assert_eq!(broker.connected().len(), kind.clients, "{kind:?}: they are still there");
        // Whoever connects takes the place of one of them.
        let client = modem.connect(options("other")).await.unwrap();
        client.publish("other", QoS::AtLeastOnce, false, "mine").await.unwrap();
        assert_eq!(broker.connected().len(), kind.clients, "{kind:?}: one of them is closed");
        drop((client, modem));
        driver.await.unwrap();
        takes_over(&module, &broker, kind, &format!("{}, looked at", kind.vendor)).await;
    }
}
