//! Messages arrive unchanged, in order, with the quality of service that was asked for.

use std::time::Duration;

use mqtt_at::{QoS, Will};

use crate::support::{Bench, KINDS, next, options, pattern};

const LEVELS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

#[tokio::test(start_paused = true)]
async fn every_size_and_level_arrives_at_the_broker() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("sender").await;
        for qos in LEVELS {
            for size in [1, 2, 255, 256, kind.longest - 1, kind.longest] {
                client.publish("a/b", qos, false, pattern(size)).await.unwrap();
                let ledger = bench.broker.ledger();
                let last = ledger.accepted.last().expect("something was accepted");
                assert_eq!((last.topic.as_str(), last.qos, last.retain), ("a/b", qos.level(), false));
                assert_eq!(last.payload, pattern(size), "{kind:?}: {size} bytes, {qos:?}");
            }
        }
        assert_eq!(bench.accepted("a/b").len(), 18, "each exactly once");
    }
}

#[tokio::test(start_paused = true)]
async fn every_size_and_level_arrives_at_the_subscriber() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("receiver").await;
        let mut messages = client.subscribe("a/#", QoS::ExactlyOnce).await.unwrap();
        for qos in LEVELS {
            for size in [0, 1, 255, 256, 1024, kind.longest] {
                bench.broker.publish_from_outside("a/b", qos.level(), false, pattern(size));
                let message = next(&mut messages).await;
                assert_eq!(
                    (message.topic(), &message.payload()[..]),
                    ("a/b", &pattern(size)[..]),
                    "{kind:?} {qos:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn publishes_awaited_together_keep_their_order() {
    for kind in KINDS {
        let bench = Bench::with(kind, |it| it.rtt(Duration::from_millis(200)), Default::default()).await;
        let client = bench.client("sender").await;
        let publishes = (0..30_u8).map(|n| client.publish("a/b", QoS::AtLeastOnce, false, vec![n]));
        for outcome in futures::future::join_all(publishes).await {
            outcome.unwrap();
        }
        let expected: Vec<_> = (0..30_u8).map(|n| vec![n]).collect();
        assert_eq!(bench.accepted("a/b"), expected, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retained_message_comes_with_the_subscription() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("one").await;
        client.publish("r/1", QoS::AtLeastOnce, true, "kept").await.unwrap();
        let mut messages = client.subscribe("r/#", QoS::AtLeastOnce).await.unwrap();
        assert_eq!(&next(&mut messages).await.payload()[..], b"kept");
    }
}

#[tokio::test(start_paused = true)]
async fn the_will_is_published_unless_the_client_says_farewell() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let will = || Will::new("w/1", "gone").unwrap().qos(QoS::AtLeastOnce);
        let polite = bench.modem.connect(options("polite").will(will())).await.unwrap();
        polite.disconnect().await.unwrap();
        assert!(bench.accepted("w/1").is_empty(), "{kind:?}: a farewell cancels the will");
        let abrupt = bench.modem.connect(options("abrupt").will(will())).await.unwrap();
        let mut events = abrupt.events();
        bench.broker.kick("abrupt");
        tokio::time::timeout(Duration::from_secs(60), events.recv())
            .await
            .expect("the loss is told")
            .unwrap();
        assert_eq!(bench.accepted("w/1"), [b"gone".to_vec()], "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_session_delivers_what_came_meanwhile() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.modem.connect(options("durable").clean_session(false)).await.unwrap();
        drop(client.subscribe("k/#", QoS::AtLeastOnce).await.unwrap());
        client.disconnect().await.unwrap();
        bench.broker.publish_from_outside("k/1", 1, false, "meanwhile");
        let client = bench.modem.connect(options("durable").clean_session(false)).await.unwrap();
        let mut messages = client.subscribe("k/#", QoS::AtLeastOnce).await.unwrap();
        assert_eq!(&next(&mut messages).await.payload()[..], b"meanwhile", "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unsubscribed_topic_is_silent() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("one").await;
        let mut messages =
            client.subscribe_all([("a/#", QoS::AtLeastOnce), ("b/#", QoS::AtMostOnce)]).await.unwrap();
        assert_eq!(messages.granted().len(), 2);
        client.unsubscribe("a/#").await.unwrap();
        bench.broker.publish_from_outside("a/1", 1, false, "no");
        bench.broker.publish_from_outside("b/1", 1, false, "yes");
        assert_eq!(next(&mut messages).await.topic(), "b/1", "{kind:?}");
    }
}
