//! T4: every public future dropped at every poll. The wire stays in step and the next command works.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use mqtt_at::at::{CommandLine, Exchange, LinkState};
use mqtt_at::common::SignalQuality;
use mqtt_at::{Client, ClientStatus, Modem, ModemOptions, QoS, Tls, Will};
use virtual_modem::Entry;

use crate::support::{Bench, KINDS, Kind, next, options};

/// Polls a future so many times and drops it; `true` if it was done by then.
async fn cancel_after<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(cx).map(|_| true)
    })
    .await
}

type Call = fn(Modem, Client) -> BoxFuture<'static, ()>;

/// Every call that talks to the module, by name.
const CALLS: &[(&str, Call)] = &[
    ("publish with QoS 0", |_, client| publish(client, QoS::AtMostOnce).boxed()),
    ("publish with QoS 1", |_, client| publish(client, QoS::AtLeastOnce).boxed()),
    ("publish with QoS 2", |_, client| publish(client, QoS::ExactlyOnce).boxed()),
    ("subscribe", |_, client| async move { drop(client.subscribe("c/#", QoS::AtLeastOnce).await) }.boxed()),
    ("subscribe_all", |_, client| {
        let filters = [("d/1", QoS::AtMostOnce), ("d/2", QoS::ExactlyOnce)];
        async move { drop(client.subscribe_all(filters).await) }.boxed()
    }),
    ("unsubscribe", |_, client| async move { drop(client.unsubscribe("c/#").await) }.boxed()),
    ("disconnect", |_, client| async move { drop(client.disconnect().await) }.boxed()),
    ("network", |modem, _| async move { drop(modem.network().await) }.boxed()),
    ("send", |modem, _| async move { drop(modem.send(SignalQuality).await) }.boxed()),
    ("run", |modem, _| async move { drop(modem.run(Exchange::new(CommandLine::execute(""))).await) }.boxed()),
];

async fn publish(client: Client, qos: QoS) {
    drop(client.publish("cancelled", qos, false, "payload\r\nOK\r\n").await);
}

#[tokio::test(start_paused = true)]
async fn every_call_dropped_at_every_poll_leaves_the_wire_in_step() {
    for kind in KINDS {
        for (name, call) in CALLS {
            for polls in 0.. {
                let bench = Bench::new(kind).await;
                let client = bench.client("one").await;
                let done = cancel_after(polls, call(bench.modem.clone(), client.clone())).await;
                the_next_command_works(
                    &bench,
                    kind,
                    Some(client),
                    &format!("{name}, dropped after {polls} polls"),
                )
                .await;
                if done {
                    break;
                }
                assert!(polls < 200, "{name} never ends");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connect_dropped_at_every_poll_leaves_a_client_that_can_be_used_again() {
    for kind in KINDS {
        for polls in 0.. {
            let bench = Bench::new(kind).await;
            let will = Will::new("w", "gone").unwrap();
            let done = cancel_after(polls, bench.modem.connect(options("cancelled").will(will))).await;
            the_next_command_works(&bench, kind, None, &format!("connect, dropped after {polls} polls"))
                .await;
            if done {
                break;
            }
            assert!(polls < 500, "connect never ends");
        }
    }
}

/// The link is in step: the client that is still connected, or else a new one, publishes.
async fn the_next_command_works(bench: &Bench, kind: &Kind, client: Option<Client>, after: &str) {
    let works = async {
        let connected = client.filter(|it| *it.status().borrow() == ClientStatus::Connected);
        let client = match connected {
            Some(client) => client,
            None => bench.modem.connect(options("next")).await?,
        };
        client.publish("next", QoS::AtLeastOnce, false, "works").await
    };
    let outcome = tokio::time::timeout(Duration::from_secs(600), works).await;
    let outcome = outcome.unwrap_or_else(|_| panic!("{kind:?}: {after}: no end"));
    outcome.unwrap_or_else(|error| panic!("{kind:?}: {after}: {error}"));
    assert_eq!(*bench.modem.link().borrow(), LinkState::Synced, "{kind:?}: {after}");
    let odd = bench.module.log().into_iter().find(|it| matches!(it.entry, Entry::NotACommand(_)));
    assert!(odd.is_none(), "{kind:?}: {after}: the module could not read {odd:?}");
    let torn = bench.accepted("cancelled").into_iter().find(|it| it != b"payload\r\nOK\r\n");
    assert_eq!(torn, None, "{kind:?}: {after}: a payload was torn");
}

#[tokio::test(start_paused = true)]
async fn opening_dropped_at_every_poll_leaves_a_module_that_opens_again() {
    for kind in KINDS {
        for polls in 0.. {
            let bench = Bench::new(kind).await;
            bench.modem.close();
            let (opening, driver) = Modem::over(bench.module.duplex(), ModemOptions::new());
            let driver = tokio::spawn(driver);
            let done = cancel_after(polls, opening).await;
            driver.abort();
            let (opening, driver) = Modem::over(bench.module.duplex(), ModemOptions::new());
            tokio::spawn(driver);
            opening
                .await
                .unwrap_or_else(|error| panic!("{kind:?}: opening, dropped after {polls} polls: {error}"));
            if done {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_message_can_be_given_up_at_any_time() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("one").await;
        let mut messages = client.subscribe("a", QoS::AtLeastOnce).await.unwrap();
        for number in 0..20_u8 {
            bench.broker.publish_from_outside("a", 1, false, vec![number]);
            if cancel_after(usize::from(number % 4), messages.next()).await {
                continue;
            }
            assert_eq!(next(&mut messages).await.payload()[..], [number], "{kind:?}");
        }
    }
}

#[test]
fn futures_can_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    fn check(modem: &Modem, client: &Client) {
        is_send(modem.connect(options("x").tls(Tls::danger_without_verification())));
        is_send(client.publish("a", QoS::AtMostOnce, false, ""));
        is_send(client.subscribe("a", QoS::AtMostOnce));
        is_send(client.unsubscribe("a"));
        is_send(client.disconnect());
        is_send(modem.network());
    }
    let _ = check;
}
