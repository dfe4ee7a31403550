//! What is lost comes back by itself: connections with their subscriptions, settings, data connections, ports.

use std::time::Duration;

use mqtt_at::{
    Client, ClientStatus, Error, Event, LossCause, ModemState, Outcome, QoS, Redelivery, Subscription,
    Supervision,
};
use tokio::sync::broadcast::Receiver;
use tokio::time::{Instant, timeout};
use virtual_modem::{Action, Builder, Fault, Hook, Quirk, Reachability, Reboot, Vendor};

use crate::support::{Bench, KINDS, Kind, next, options};

mod module;
mod outages;
mod payloads;
mod phases;
mod refusals;

/// Long enough for every recovery that is not waiting for somebody.
const PATIENCE: Duration = Duration::from_secs(600);

fn supervision() -> Supervision {
    Supervision::new().seed(7)
}

async fn bench(kind: &Kind) -> Bench {
    Bench::supervised(kind, supervision()).await
}

/// A client with a subscription to `to/it`.
async fn client(bench: &Bench) -> (Client, Subscription) {
    let client = bench.client("one").await;
    let messages = client.subscribe("to/it", QoS::AtLeastOnce).await.unwrap();
    (client, messages)
}

/// Waits until the client is connected again after it was not.
async fn comes_back(client: &Client) {
    let mut status = client.status();
    let lost = status.wait_for(|it| *it != ClientStatus::Connected);
    timeout(PATIENCE, lost).await.expect("the loss is noticed").unwrap();
    let back = status.wait_for(|it| *it == ClientStatus::Connected);
    timeout(PATIENCE, back).await.expect("the connection comes back").unwrap();
}

/// Both directions work.
async fn works(bench: &Bench, client: &Client, messages: &mut Subscription, word: &str) {
    client.publish("from/it", QoS::AtLeastOnce, false, word.to_owned()).await.unwrap();
    assert!(bench.accepted("from/it").contains(&word.as_bytes().to_vec()));
    bench.broker.publish_from_outside("to/it", 1, false, word.to_owned());
    assert_eq!(next(messages).await.payload(), word.as_bytes());
}

/// What has been reported so far.
fn drain(events: &mut Receiver<Event>) -> Vec<Event> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

/// How often the broker was asked to accept the client.
fn connects(bench: &Bench) -> usize {
    bench.broker.ledger().connects.len()
}

#[tokio::test(start_paused = true)]
async fn a_kicked_client_comes_back_with_its_subscriptions() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        let mut events = client.events();
        works(&bench, &client, &mut messages, "before").await;
        bench.broker.kick("one");
        comes_back(&client).await;
        works(&bench, &client, &mut messages, "after").await;
        let events = drain(&mut events);
        assert!(
            matches!(events[..], [Event::Lost(_), Event::Reconnecting { attempt: 1, .. }, Event::Connected]),
            "{kind:?}: {events:?}"
        );
        client.disconnect().await.unwrap();
        assert_eq!(messages.next().await, None, "after a farewell the stream ends");
    }
}

#[tokio::test(start_paused = true)]
async fn a_publish_waits_for_the_connection_and_keeps_its_place() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, _messages) = client(&bench).await;
        bench.broker.kick("one");
        client.status().wait_for(|it| *it != ClientStatus::Connected).await.unwrap();
        let publishes = (0..10_u8).map(|n| client.publish("from/it", QoS::AtLeastOnce, false, vec![n]));
        for published in futures::future::join_all(publishes).await {
            assert!(!published.unwrap().maybe_duplicate, "{kind:?}");
        }
        let expected: Vec<_> = (0..10_u8).map(|n| vec![n]).collect();
        assert_eq!(bench.accepted("from/it"), expected, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_session_gets_what_came_meanwhile_and_nothing_twice() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let client = bench.modem.connect(options("one").clean_session(false)).await.unwrap();
        let mut messages = client.subscribe("to/it", QoS::AtLeastOnce).await.unwrap();
        bench.broker.set_reachability(Reachability::Refused);
        bench.broker.kick("one");
        client.status().wait_for(|it| *it != ClientStatus::Connected).await.unwrap();
        bench.broker.publish_from_outside("to/it", 1, false, "meanwhile");
        bench.broker.set_reachability(Reachability::Reachable);
        assert_eq!(next(&mut messages).await.payload()[..], *b"meanwhile", "{kind:?}");
        bench.broker.publish_from_outside("to/it", 1, false, "afterwards");
        assert_eq!(next(&mut messages).await.payload()[..], *b"afterwards", "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_while_it_is_being_connected_is_gone() {
    for kind in KINDS {
        let bench = bench(kind).await;
        let (client, mut messages) = client(&bench).await;
        bench.broker.set_reachability(Reachability::Silent);
        bench.broker.kick("one");
        let mut status = client.status();
        status.wait_for(|it| matches!(it, ClientStatus::Lost(_))).await.unwrap();
        status.wait_for(|it| *it == ClientStatus::Connecting).await.unwrap();
        // The module has not said so yet.
        let _ = timeout(PATIENCE, client.disconnect()).await.expect("a farewell has an end");
        assert_eq!(messages.next().await, None, "{kind:?}");
        let error = client.publish("from/it", QoS::AtLeastOnce, false, "x").await.unwrap_err();
        assert!(matches!(error, Error::Disconnected), "{kind:?}: {error:?}");
        bench.broker.set_reachability(Reachability::Reachable);
        drop(client);
        bench.client("two").await.publish("from/it", QoS::AtLeastOnce, false, "two").await.unwrap();
        tokio::time::sleep(Duration::from_secs(300)).await;
        assert!(!bench.broker.connected().contains(&"one".to_owned()), "{kind:?}");
    }
}
