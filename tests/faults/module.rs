//! Faults of the module, the network and the broker.

use std::time::Duration;

use mqtt_at::at::{LinkState, PortError};
use mqtt_at::{Error, ModemOptions, Outcome, QoS, ReceiveMode};
use virtual_modem::{Action, Fault, Hook, Quirk, Reboot, Vendor};

use crate::scene::Scene;
use crate::support::{KINDS, options};

const HOOKS: [Hook; 8] = [
    Hook::BeforeEcho,
    Hook::AfterLine,
    Hook::BeforePrompt,
    Hook::AfterPrompt,
    Hook::MidPayload(2),
    Hook::BeforeFinal,
    Hook::BetweenFinalAndResult,
    Hook::AfterResult,
];

async fn reboots(how: Reboot) {
    for kind in KINDS {
        for hook in HOOKS {
            let what = format!("{:?}: {how:?} at {hook:?}", kind.vendor);
            let scene = Scene::new(kind).await;
            let reboot = Fault::new(hook, Action::Reboot(how)).command(kind.payload);
            scene.bench.module.inject_fault(reboot);
            let _ = scene.publish("rebooted").await;
            scene.works_again(&what).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f44_a_reboot_in_the_middle_of_a_publish() {
    reboots(Reboot::Loud).await;
}

#[tokio::test(start_paused = true)]
async fn f45_a_silent_reboot_in_the_middle_of_a_publish() {
    reboots(Reboot::Silent).await;
}

#[tokio::test(start_paused = true)]
async fn f46_a_brown_out() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.bench.module.inject_raw(&b"\r\n\xff\x00\xf0\x80\x11garbage\xfe\xfe"[..]);
        scene.bench.module.reboot(Reboot::Loud);
        let _ = scene.publish("browned out").await;
        scene.works_again("a brown-out").await;
    }
}

#[tokio::test(start_paused = true)]
async fn f47_a_module_that_hangs_for_ever() {
    for kind in KINDS {
        for hook in [Hook::AfterLine, Hook::BeforeFinal] {
            let scene = Scene::new(kind).await;
            scene.bench.module.inject_fault(Fault::new(hook, Action::Hang).command("+CSQ"));
            assert!(scene.signal().await.is_err(), "{:?}", kind.vendor);
            // Either at once, or when the answers of all probes were waited for in vain.
            let error = scene.signal().await.unwrap_err();
            let is_told = matches!(error, Error::Port { error: PortError::Unresponsive { .. }, .. });
            assert!(is_told, "{:?}: {error:?}", kind.vendor);
            assert_eq!(error.outcome(), Outcome::NotSent, "{:?}", kind.vendor);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f48_the_network_takes_the_context_down() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.bench.module.drop_pdp();
        let _ = scene.publish("without a context").await;
        scene.works_again("a lost context").await;
    }
}

/// A refusal is told once, and the module is not asked again and again.
#[tokio::test(start_paused = true)]
async fn f49_the_broker_refuses_the_login() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        if kind.clients == 1 {
            scene.client.disconnect().await.unwrap();
        }
        scene.bench.broker.require_credentials("gateway", "right");
        let wrong = options("two").credentials("gateway", "wrong");
        let error = scene.bench.modem.connect(wrong).await.unwrap_err();
        assert!(error.remedy().is_some_and(|it| it.contains("password")), "{:?}: {error:?}", kind.vendor);
        let commands = scene.bench.module.understood().len();
        tokio::time::sleep(Duration::from_secs(600)).await;
        let asked = scene.bench.module.understood().split_off(commands);
        assert!(asked.len() < 10, "{:?}: {} commands in ten minutes", kind.vendor, asked.len());
    }
}

#[tokio::test(start_paused = true)]
async fn f50_nobody_answers_at_the_other_end() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.bench.module.black_hole(true);
        let outcome = scene.publish("into the dark").await;
        assert!(outcome.is_err(), "{:?}", kind.vendor);
        tokio::time::sleep(Duration::from_secs(600)).await;
        scene.bench.module.black_hole(false);
        scene.works_again("a network that swallowed everything").await;
    }
}

/// Reports of connections that are not ours, or are gone already, change nothing.
#[tokio::test(start_paused = true)]
async fn f51_a_disconnect_report_that_is_not_true() {
    for kind in KINDS.iter().filter(|kind| kind.clients > 1) {
        let mut scene = Scene::new(kind).await;
        let other = match kind.vendor {
            Vendor::Quectel => "+QMTSTAT: 3,1",
            Vendor::SimCom => "+CMQTTCONNLOST: 1,1",
            _ => "+MQTTBREAK: 2,1",
        };
        scene.bench.module.inject_urc(other);
        scene.is_in_step(other).await;
        assert!(scene.client_events().is_empty(), "{:?}", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f52_the_broker_forgets_the_session() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.bench.broker.restart();
        let _ = scene.publish("to a new broker").await;
        scene.works_again("a broker that was restarted").await;
    }
}

#[tokio::test(start_paused = true)]
async fn f53_the_sim_is_taken_out() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.bench.module.remove_sim();
        let _ = scene.publish("without a SIM").await;
        assert!(scene.bench.modem.network().await.is_ok(), "{:?}: the modem goes on", kind.vendor);
        scene.bench.module.insert_sim();
        scene.works_again("a SIM that was put back").await;
    }
}

/// Somebody else logs in with the same name, again and again.
#[tokio::test(start_paused = true)]
async fn f54_somebody_takes_the_connection_over() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        for _ in 0..3 {
            scene.bench.broker.kick("one");
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        let commands = scene.bench.module.understood().len();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let asked = scene.bench.module.understood().len() - commands;
        assert!(asked < 100, "{:?}: {asked} commands in a minute", kind.vendor);
        scene.works_again("a war of two clients").await;
    }
}

#[tokio::test(start_paused = true)]
async fn f56_a_storm_of_messages() {
    for kind in KINDS {
        let options = ModemOptions::new().receive_capacity(16);
        let mut scene = Scene::with(kind, |builder| builder, options).await;
        for number in 0..1000_u32 {
            scene.tell(number.to_string());
        }
        // Commands get their turns in between.
        assert!(scene.signal().await.is_ok(), "{:?}", kind.vendor);
        scene.publish("in the storm").await.unwrap_or_else(|error| panic!("{:?}: {error}", kind.vendor));
        let (mut came, mut lost, mut last) = (0_u64, 0, None);
        let quiet = Duration::from_secs(60);
        while let Ok(Some(item)) = tokio::time::timeout(quiet, scene.messages.next()).await {
            match item {
                Ok(message) => {
                    let number: u32 = std::str::from_utf8(message.payload()).unwrap().parse().unwrap();
                    assert!(last < Some(number), "{:?}: order is kept", kind.vendor);
                    (came, last) = (came + 1, Some(number));
                }
                Err(lagged) => lost += lagged.0,
            }
        }
        assert!(came > 0 && came + lost <= 1000, "{:?}: {came} came, {lost} are told lost", kind.vendor);
        // What a module loses itself, because its own store is full, nobody can count.
        if !matches!(kind.vendor, Vendor::Fibocom) {
            assert_eq!(came + lost, 1000, "{:?}", kind.vendor);
        }
        scene.is_in_step("a storm").await;
    }
}

#[tokio::test(start_paused = true)]
async fn f57_all_places_for_stored_messages_are_taken() {
    let kind = KINDS.iter().find(|kind| kind.vendor == Vendor::Quectel).unwrap();
    for quirk in [None, Some(Quirk::FullSlotsDropOldest), Some(Quirk::FullSlotsWithholdAck)] {
        let change = |builder: virtual_modem::Builder| match quirk {
            Some(quirk) => builder.quirk(quirk),
            None => builder,
        };
        let scene = Scene::with(kind, change, ModemOptions::new()).await;
        let pulling = options("pulls").receive_mode(ReceiveMode::Pull);
        let client = scene.bench.modem.connect(pulling).await.unwrap();
        let mut messages = client.subscribe("stored", QoS::AtLeastOnce).await.unwrap();
        for number in 0..20_u8 {
            scene.bench.broker.publish_from_outside("stored", 1, false, vec![number]);
        }
        let mut came = Vec::new();
        let quiet = Duration::from_secs(60);
        while let Ok(Some(item)) = tokio::time::timeout(quiet, messages.next()).await {
            came.push(item.unwrap().payload()[0]);
        }
        assert!(came.len() >= 5 && came.is_sorted(), "{quirk:?}: {came:?}");
        scene.bench.broker.publish_from_outside("stored", 1, false, vec![99]);
        let last = crate::support::next(&mut messages).await;
        assert_eq!(last.payload()[..], [99], "{quirk:?}: the places are free again");
        assert_eq!(*scene.bench.modem.link().borrow(), LinkState::Synced, "{quirk:?}");
    }
}
