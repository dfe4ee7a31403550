//! Lost connections, refusals and reboots are told with their cause, and never as success.

use std::time::Duration;

use mqtt_at::{ClientStatus, Error, LossCause, ModemOptions, Outcome, QoS, Supervision};
use virtual_modem::{Action, Fault, FaultPlan, Hook, Reboot};

use crate::support::{Bench, KINDS, options};

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_the_brokers_refusal() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        bench.broker.require_credentials("gateway", "right");
        let error = bench.modem.connect(options("one").credentials("gateway", "wrong")).await.unwrap_err();
        if kind.tells_refusal {
            let is_told = matches!(&error, Error::Broker(refusal) if matches!(refusal.code, 4 | 5));
            assert!(is_told && error.fault() == mqtt_at::Fault::Broker, "{kind:?}: {error:?}");
        }
        assert!(error.remedy().is_some_and(|it| it.contains("password")));
        bench.modem.connect(options("one").credentials("gateway", "right")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn every_connack_refusal_has_its_code() {
    for kind in KINDS.iter().filter(|kind| kind.tells_refusal) {
        let bench = Bench::new(kind).await;
        for code in 1..=5 {
            bench.broker.refuse_connections(Some(code));
            let error = bench.modem.connect(options("one")).await.unwrap_err();
            assert!(matches!(&error, Error::Broker(it) if it.code == u16::from(code)), "{kind:?}: {error:?}");
        }
        bench.broker.refuse_connections(None);
        bench.modem.connect(options("one")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_kicked_client_knows_it_and_its_streams_end() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("one").await;
        let mut messages = client.subscribe("a", QoS::AtLeastOnce).await.unwrap();
        let mut status = client.status();
        bench.broker.kick("one");
        let lost = status.wait_for(|it| matches!(it, ClientStatus::Lost(_)));
        tokio::time::timeout(Duration::from_secs(60), lost).await.expect("the loss is told").unwrap();
        assert_eq!(messages.next().await, None, "{kind:?}");
        let error = client.publish("a", QoS::AtLeastOnce, false, "x").await.unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { outcome: Outcome::NotSent, .. }), "{error:?}");
        drop(client);
        bench.client("again").await.publish("a", QoS::AtLeastOnce, false, "x").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_is_never_acknowledged_is_unknown() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("one").await;
        bench.broker.withhold_acknowledgements(true);
        let error = client.publish("a", QoS::AtLeastOnce, false, "x").await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{kind:?}: {error:?}");
        assert_eq!(
            bench.accepted("a").first().map(Vec::as_slice),
            Some(&b"x"[..]),
            "it was there all the same"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_reboot_ends_every_client_and_the_modem_goes_on() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("one").await;
        let mut status = client.status();
        bench.module.reboot(Reboot::Loud);
        let lost = status.wait_for(|it| *it == ClientStatus::Lost(LossCause::Rebooted));
        tokio::time::timeout(Duration::from_secs(120), lost).await.expect("the reboot is told").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_subscription_names_its_filter() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        bench.broker.limit_subscription("secret/#", 128);
        let client = bench.client("one").await;
        let error = client.subscribe("secret/#", QoS::AtLeastOnce).await.unwrap_err();
        if kind.tells_granted {
            assert!(matches!(error, Error::Broker(_)), "{kind:?}: {error}");
            assert!(error.to_string().contains("secret/#"), "{kind:?}: {error}");
        } else {
            // Neoway's module even closes the connection; what it says of the subscription tells more.
            assert!(matches!(error, Error::Module(_)) && error.remedy().is_some(), "{kind:?}: {error:?}");
        }
        drop(client);
        let client = bench.client("two").await;
        bench.broker.limit_subscription("low/#", 0);
        let lowered = client.subscribe("low/#", QoS::ExactlyOnce).await.unwrap();
        // Where the module does not tell, what was asked for is all that is known.
        let granted = if kind.tells_granted { QoS::AtMostOnce } else { QoS::ExactlyOnce };
        assert_eq!(lowered.granted(), [granted], "{kind:?}");
    }
}

/// A module that has lost its settings must not be taken for one that is ready: its messages could forge anything.
/// Found by simulation.
#[tokio::test(start_paused = true)]
async fn a_silent_reboot_while_it_is_set_up_leaves_no_module_with_other_settings() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let opened = bench.module.settings();
        bench.client("one").await;
        let connected = bench.module.settings();
        for occasion in 1..=30 {
            let reboot = Fault::new(Hook::AfterLine, Action::Reboot(Reboot::Silent)).occasion(occasion);
            let faults = FaultPlan::new().with(reboot.clone());
            let quiet = ModemOptions::new().supervision(Supervision::off());
            if let Ok(bench) = Bench::over(kind, |it| it.faults(faults), quiet, |line| line).await {
                assert_eq!(bench.module.settings(), opened, "{kind:?}: opening, {occasion}");
            }
            let bench = Bench::new(kind).await;
            bench.module.inject_fault(reboot);
            if let Ok(client) = bench.modem.connect(options("one")).await {
                assert_eq!(bench.module.settings(), connected, "{kind:?}: connecting, {occasion}");
                drop(client);
            }
        }
    }
}
