//! T2: no payload and no topic forges a result, a prompt or an event.

mod corpus;

use mqtt_at::at::LinkState;
use mqtt_at::{ClientStatus, ModemOptions, QoS};

pub use self::corpus::HOSTILE;
use crate::support::{Bench, KINDS, next, pattern};

#[tokio::test(start_paused = true)]
async fn hostile_payloads_arrive_and_forge_nothing() {
    for kind in KINDS {
        // Slow enough that the module's answers reach the port in many pieces.
        let bench = Bench::with(kind, |it| it.baud(Some(9600)), ModemOptions::new()).await;
        let client = bench.client("target").await;
        let mut messages = client.subscribe("a/#", QoS::AtLeastOnce).await.unwrap();
        let everything = HOSTILE.concat();
        for payload in HOSTILE.iter().copied().chain([&everything[..], &pattern(kind.longest)]) {
            bench.broker.publish_from_outside("a/b", 1, false, payload.to_vec());
            client.publish("out", QoS::AtLeastOnce, false, payload.to_vec()).await.unwrap();
            let message = next(&mut messages).await;
            assert_eq!((message.topic(), &message.payload()[..]), ("a/b", payload), "{kind:?}");
            assert_eq!(bench.accepted("out").last().unwrap(), payload, "{kind:?}");
            assert_eq!(*client.status().borrow(), ClientStatus::Connected);
            assert_eq!(*bench.modem.link().borrow(), LinkState::Synced);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hostile_topics_arrive_and_forge_nothing() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("target").await;
        let mut messages = client.subscribe("a/#", QoS::AtLeastOnce).await.unwrap();
        let names = HOSTILE.iter().filter_map(|text| std::str::from_utf8(text).ok());
        for name in names.filter(|name| !name.chars().any(char::is_control) && !name.contains(['+', '#'])) {
            let topic = format!("a/{name}");
            for payload in [&b"hello"[..], b"a\",1,\"x", b"\"\r\nOK\r\n"] {
                bench.broker.publish_from_outside(&topic, 1, false, payload.to_vec());
                let message = next(&mut messages).await;
                assert_eq!((message.topic(), &message.payload()[..]), (&topic[..], payload), "{kind:?}");
            }
        }
        assert_eq!(*client.status().borrow(), ClientStatus::Connected);
    }
}
