//! Several clients of one module, and several tasks on one client.

use std::time::Duration;

use mqtt_at::{ClientStatus, Error, InputError, Lagged, ModemOptions, QoS};

use crate::support::{Bench, KINDS, next, options};

#[tokio::test(start_paused = true)]
async fn all_clients_of_the_module_work_at_once() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let mut clients = Vec::new();
        for number in 0..kind.clients {
            let client = bench.client(&format!("client-{number}")).await;
            let messages = client.subscribe(format!("to/{number}"), QoS::AtLeastOnce).await.unwrap();
            clients.push((client, messages));
        }
        let error = bench.modem.connect(options("one too many")).await.unwrap_err();
        assert!(
            matches!(error, Error::Input(InputError::NoFreeClient { clients }) if clients == kind.clients)
        );
        let sends = clients.iter().enumerate().map(|(number, (client, _))| {
            client.publish(
                format!("to/{}", (number + 1) % kind.clients),
                QoS::AtLeastOnce,
                false,
                vec![number as u8],
            )
        });
        for outcome in futures::future::join_all(sends).await {
            outcome.unwrap();
        }
        for (number, (_, messages)) in clients.iter_mut().enumerate() {
            let expected = (number + kind.clients - 1) % kind.clients;
            assert_eq!(next(messages).await.payload()[..], [expected as u8], "{kind:?}");
        }
        let (first, _) = clients.remove(0);
        first.disconnect().await.unwrap();
        bench.client("in its place").await.publish("x", QoS::AtLeastOnce, false, "x").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn publishes_of_several_clients_overlap() {
    for kind in KINDS.iter().filter(|kind| kind.clients > 1) {
        let rtt = Duration::from_secs(1);
        let bench = Bench::with(kind, |it| it.rtt(rtt), ModemOptions::new()).await;
        let (one, two) = (bench.client("one").await, bench.client("two").await);
        let start = tokio::time::Instant::now();
        let (a, b) = futures::future::join(
            one.publish("a", QoS::AtLeastOnce, false, "a"),
            two.publish("b", QoS::AtLeastOnce, false, "b"),
        )
        .await;
        a.unwrap();
        b.unwrap();
        assert!(start.elapsed() < rtt * 2, "{kind:?}: one after the other takes {:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_is_told_what_it_lost_and_holds_nobody_up() {
    for kind in KINDS {
        let bench = Bench::with(kind, |it| it, ModemOptions::new().receive_capacity(4)).await;
        let client = bench.client("one").await;
        let mut slow = client.subscribe("a", QoS::AtLeastOnce).await.unwrap();
        for number in 0..20_u8 {
            bench.broker.publish_from_outside("a", 1, false, vec![number]);
            // No faster than a module can hand them on: what it loses itself nobody can tell.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        client.publish("b", QoS::AtLeastOnce, false, "still quick").await.unwrap();
        assert_eq!(slow.next().await, Some(Err(Lagged(16))), "{kind:?}");
        for number in 16..20_u8 {
            assert_eq!(next(&mut slow).await.payload()[..], [number]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_client_says_farewell_by_itself() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("short-lived").await;
        let mut status = client.status();
        drop(client);
        status.wait_for(|status| *status == ClientStatus::Closed).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(bench.broker.connected().is_empty(), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_former_host_left_open_is_cleaned_up() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("left open").await;
        let (module, broker) = (bench.module.clone(), bench.broker.clone());
        std::mem::forget(client);
        bench.modem.close();
        let (opening, driver) = mqtt_at::Modem::over(module.duplex(), ModemOptions::new());
        tokio::spawn(driver);
        let modem = opening.await.unwrap();
        let client = modem.connect(options("the next")).await.unwrap();
        client.publish("a", QoS::AtLeastOnce, false, "works").await.unwrap();
        assert_eq!(broker.connected(), ["the next"], "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_window_of_the_module_is_never_exceeded() {
    for kind in KINDS {
        let bench = Bench::with(kind, |it| it.rtt(Duration::from_secs(5)), ModemOptions::new()).await;
        let client = bench.client("one").await;
        // The virtual module refuses what goes past its window, as the manual says.
        let publishes = (0..16_u8).map(|n| client.publish("a", QoS::AtLeastOnce, false, vec![n]));
        for outcome in futures::future::join_all(publishes).await {
            outcome.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        }
    }
}

/// SIMCom's module refuses to take its leave while it is busy, and would keep the client.
#[tokio::test(start_paused = true)]
async fn a_farewell_waits_for_the_results_of_what_is_under_way() {
    for kind in KINDS {
        let slow = |it: virtual_modem::Builder| it.rtt(Duration::from_secs(2));
        let bench = Bench::over(kind, slow, ModemOptions::new(), |line| line).await.unwrap();
        let client = bench.client("one").await;
        let publish = client.publish("up", QoS::AtLeastOnce, false, "x");
        let farewell = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.disconnect().await
        };
        let (published, left) = tokio::join!(publish, farewell);
        assert!(published.is_ok() && left.is_ok(), "{kind:?}: {published:?} {left:?}");
        assert_eq!(bench.accepted("up"), [b"x"], "{kind:?}");
    }
}
