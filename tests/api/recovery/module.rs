//! Reboots, lost ports, and modules that have to be reset.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mqtt_at::{Modem, ModemOptions, Recovery, ResetHook, SignIn};
use virtual_modem::{Broker, MemoryBroker, VirtualModem};

use super::*;

/// How long the virtual module takes to start.
const BOOT: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn after_a_reboot_all_is_as_before_within_five_seconds() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.module.reboot(Reboot::Loud);
        let start = Instant::now();
        comes_back(&client).await;
        assert!(start.elapsed() <= BOOT + Duration::from_secs(5), "{kind:?}: {:?}", start.elapsed());
        works(&bench, &client, &mut messages, "after").await;
        let echo = bench.module.settings();
        assert!(!format!("{echo:?}").contains("(\"echo\", \"1\")"), "{kind:?}: settings are made again");
    }
}

/// The module forgets the identity when it restarts.
#[tokio::test(start_paused = true)]
async fn an_identity_at_a_cloud_platform_is_given_again_after_a_reboot() {
    let kind = KINDS.iter().find(|kind| kind.vendor == Vendor::Quectel).unwrap();
    let bench = bench(kind).await;
    let identity = SignIn::one_net("product", "hush");
    let client = bench.modem.connect(options("one").sign_in(identity)).await.unwrap();
    bench.module.reboot(Reboot::Loud);
    comes_back(&client).await;
    let connects = bench.broker.ledger().connects;
    assert_eq!(connects.len(), 2);
    for connect in connects {
        assert_eq!((connect.user.as_deref(), connect.password.as_deref()), (Some("product"), Some("hush")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_gone_is_opened_again() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        let mut events = client.events();
        bench.module.inject_fault(Fault::new(Hook::AfterLine, Action::HangUp).command(kind.payload));
        let published = client.publish("from/it", QoS::AtLeastOnce, false, "across").await.unwrap();
        assert!(bench.accepted("from/it").contains(&b"across".to_vec()), "{kind:?}: {published:?}");
        works(&bench, &client, &mut messages, "after").await;
        assert!(drain(&mut events).contains(&Event::Lost(LossCause::PortGone)), "{kind:?}");
        assert!(matches!(*bench.modem.state().borrow(), ModemState::Ready));
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_modem_opens_nothing_again() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.modem.close();
        assert_eq!(messages.next().await, None, "{kind:?}");
        let mut state = bench.modem.state();
        let closed = state.wait_for(|state| matches!(state, ModemState::Closed));
        timeout(PATIENCE, closed).await.expect("it is closed").unwrap();
        let error = client.publish("from/it", QoS::AtLeastOnce, false, "x").await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{kind:?}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_driver_ends_when_the_last_handle_is_dropped() {
    for kind in KINDS {
        let module = VirtualModem::builder(kind.vendor).build().unwrap();
        let port = module.clone();
        let connect = move || {
            let port = port.duplex();
            async move { Ok(port) }
        };
        let (opening, driver) = Modem::through(connect, ModemOptions::new());
        let driver = tokio::spawn(driver);
        let modem = opening.await.unwrap();
        let client = modem.connect(options("one")).await.unwrap();
        drop(modem);
        client.publish("a", QoS::AtLeastOnce, false, "the client keeps the port open").await.unwrap();
        drop(client);
        timeout(PATIENCE, driver).await.expect("the driver ends").unwrap();
    }
}

/// Resets the module as a power key would.
struct PowerKey(VirtualModem, Arc<AtomicU32>);

#[async_trait::async_trait]
impl ResetHook for PowerKey {
    async fn reset(&self) -> std::io::Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.reboot(Reboot::Loud);
        Ok(())
    }
}

/// A module with a power key, and how often it was pressed.
async fn with_power_key(kind: &Kind) -> (Bench, Arc<AtomicU32>) {
    let broker = MemoryBroker::new();
    let module = VirtualModem::builder(kind.vendor).broker(Broker::Memory(broker.clone())).build().unwrap();
    let (port, resets) = (module.clone(), Arc::new(AtomicU32::new(0)));
    let connect = move || {
        let port = port.duplex();
        async move { Ok(port) }
    };
    let plan = supervision().reset_hook(PowerKey(module.clone(), Arc::clone(&resets)));
    let (opening, driver) = Modem::through(connect, ModemOptions::new().supervision(plan));
    tokio::spawn(driver);
    (Bench { modem: opening.await.unwrap(), module, broker }, resets)
}

#[tokio::test(start_paused = true)]
async fn a_module_that_hangs_is_reset_by_the_hook() {
    for kind in KINDS {
        let (bench, resets) = with_power_key(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.module.inject_fault(Fault::new(Hook::AfterLine, Action::Hang).command(kind.payload));
        let _ = client.publish("from/it", QoS::AtLeastOnce, false, "lost in silence").await;
        let mut status = client.status();
        let back = status.wait_for(|it| *it == ClientStatus::Connected);
        timeout(PATIENCE, back).await.expect("the client comes back").unwrap();
        works(&bench, &client, &mut messages, "after").await;
        assert_eq!(resets.load(Ordering::Relaxed), 1, "{kind:?}");
    }
}

/// What a module waits for that was left in mid-payload is best made up for by nothing.
#[tokio::test(start_paused = true)]
async fn a_module_that_is_left_in_mid_payload_is_reset_by_the_hook() {
    for kind in KINDS {
        let (bench, resets) = with_power_key(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.module.inject_fault(Fault::new(Hook::MidPayload(3), Action::HangUp).command(kind.payload));
        let start = Instant::now();
        client.publish("from/it", QoS::AtLeastOnce, false, "hello").await.unwrap();
        assert!(start.elapsed() <= BOOT + Duration::from_secs(5), "{kind:?}: {:?}", start.elapsed());
        works(&bench, &client, &mut messages, "after").await;
        assert_eq!(bench.accepted("from/it"), [&b"hello"[..], b"after"], "{kind:?}");
        assert_eq!(resets.load(Ordering::Relaxed), 1, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_module_on_the_port_is_not_adopted() {
    for kind in KINDS {
        let make = |imei: &str| VirtualModem::builder(kind.vendor).imei(imei).build().unwrap();
        let modules = [make("860000000000001"), make("860000000000002")];
        let (first, mut opened) = (modules[0].clone(), 0);
        let connect = move || {
            let port = modules[opened.min(1)].duplex();
            opened += 1;
            async move { Ok(port) }
        };
        let (opening, driver) = Modem::through(connect, ModemOptions::new().supervision(supervision()));
        tokio::spawn(driver);
        let modem = opening.await.unwrap();
        let mut state = modem.state();
        first.inject_fault(Fault::new(Hook::AfterLine, Action::HangUp));
        let _ = modem.network().await;
        let opens = state.wait_for(|state| matches!(state, ModemState::Recovering(Recovery::Port)));
        timeout(PATIENCE, opens).await.expect("it is tried").unwrap();
        let down = state.wait_for(|state| matches!(state, ModemState::Down(Error::OtherModule { .. })));
        timeout(PATIENCE, down).await.expect("it is told").unwrap();
        let error = modem.connect(options("one")).await.unwrap_err();
        assert!(matches!(error, Error::OtherModule { .. }), "{kind:?}: {error:?}");
    }
}
