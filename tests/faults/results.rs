//! Faults of deferred results, of the window, and of messages in parts.

use std::time::Duration;

use mqtt_at::at::LinkState;
use mqtt_at::{Event, Outcome, QoS};
use virtual_modem::{Action, Fault, Hook, Vendor};

use crate::scene::Scene;
use crate::support::{KINDS, Kind, next};

/// The vendors whose publishes have a deferred result.
fn deferring() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|kind| kind.deferred_result.is_some())
}

fn result(kind: &Kind, action: Action) -> Fault {
    Fault::new(Hook::BetweenFinalAndResult, action).command(kind.publish)
}

#[tokio::test(start_paused = true)]
async fn f33_ok_and_no_result() {
    for kind in deferring() {
        let mut scene = Scene::new(kind).await;
        scene.bench.module.inject_fault(result(kind, Action::Silence));
        let error = scene.publish("no result").await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{:?}: {error:?}", kind.vendor);
        // A missing result is that client's matter.
        assert_eq!(*scene.bench.modem.link().borrow(), LinkState::Synced, "{:?}", kind.vendor);
        assert!(scene.seen().is_empty(), "{:?}", kind.vendor);
        assert!(scene.signal().await.is_ok(), "{:?}", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f34_the_result_before_its_ok() {
    for kind in deferring() {
        let mut scene = Scene::new(kind).await;
        let swapped = Fault::new(Hook::BeforeFinal, Action::Swap).command(kind.publish);
        scene.bench.module.inject_fault(swapped);
        scene.publish("swapped").await.unwrap_or_else(|error| panic!("{:?}: {error}", kind.vendor));
        scene.is_in_step("a result before its OK").await;
    }
}

/// The module sends the packet again and says so: the wait begins anew.
#[tokio::test(start_paused = true)]
async fn f35_an_interim_result_extends_the_wait() {
    let kind = KINDS.iter().find(|kind| kind.vendor == Vendor::Quectel).unwrap();
    let mut scene = Scene::new(kind).await;
    scene.bench.broker.withhold_acknowledgements(true);
    let broker = scene.bench.broker.clone();
    let acknowledge = async move {
        tokio::time::sleep(Duration::from_secs(7)).await;
        broker.withhold_acknowledgements(false);
    };
    let (outcome, ()) =
        futures::future::join(scene.client.publish("again", QoS::AtLeastOnce, false, "x"), acknowledge).await;
    outcome.unwrap();
    let interim = scene.hand.heard();
    assert!(interim.windows(3).any(|it| it == b",1,"), "{}", interim.escape_ascii());
    scene.is_in_step("an interim result").await;
}

#[tokio::test(start_paused = true)]
async fn f36_the_result_twice() {
    for kind in deferring() {
        let scene = Scene::new(kind).await;
        scene.bench.module.inject_fault(result(kind, Action::Duplicate));
        scene.publish("twice").await.unwrap();
        // The next one must wait for its own.
        scene.bench.module.inject_fault(result(kind, Action::Silence));
        let error = scene.publish("none").await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{:?}: {error:?}", kind.vendor);
    }
}

/// The second publish gets no result of its own: what comes is the first one's.
#[tokio::test(start_paused = true)]
async fn f37_a_late_result_is_never_given_to_a_later_publish() {
    for kind in deferring() {
        let patience = kind.deferred_result.unwrap();
        for extra in [1, 100, 1_000, 5_000] {
            let scene = Scene::new(kind).await;
            let late = Action::Delay(patience + Duration::from_millis(extra));
            scene.bench.module.inject_fault(result(kind, late));
            let first = scene.publish("first").await.unwrap_err();
            assert_eq!(first.outcome(), Outcome::Unknown, "{:?}: {first:?}", kind.vendor);
            scene.bench.module.inject_fault(result(kind, Action::Silence));
            let second = scene.publish("second").await;
            assert!(second.is_err(), "{:?}: {extra} ms: it had no result of its own", kind.vendor);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f38_the_result_of_another_client() {
    for kind in deferring().filter(|kind| kind.clients > 1) {
        let scene = Scene::new(kind).await;
        let two = scene.bench.client("two").await;
        scene.bench.module.inject_fault(result(kind, Action::Silence));
        let (one, two) = futures::future::join(
            scene.client.publish("out", QoS::AtLeastOnce, false, "one"),
            two.publish("out", QoS::AtLeastOnce, false, "two"),
        )
        .await;
        assert_eq!(one.unwrap_err().outcome(), Outcome::Unknown, "{:?}", kind.vendor);
        two.unwrap_or_else(|error| panic!("{:?}: {error}", kind.vendor));
    }
}

#[tokio::test(start_paused = true)]
async fn f39_a_topic_never_goes_out_with_the_payload_of_another() {
    let kind = KINDS.iter().find(|kind| kind.vendor == Vendor::SimCom).unwrap();
    let hooks = [Hook::AfterLine, Hook::BeforePrompt, Hook::MidPayload(2), Hook::BeforeFinal];
    let actions = [Action::Error, Action::Silence, Action::Delay(Duration::from_secs(20))];
    for command in ["+CMQTTTOPIC=", "+CMQTTPAYLOAD=", "+CMQTTPUB="] {
        for hook in hooks {
            for action in &actions {
                let what = format!("{action:?} at {hook:?} of {command}");
                let change = |it: virtual_modem::Builder| {
                    it.quirk(virtual_modem::Quirk::PromptTimeout(Duration::from_secs(30)))
                };
                let scene = Scene::with(kind, change, Default::default()).await;
                scene.bench.module.inject_fault(Fault::new(hook, action.clone()).command(command));
                let _ = scene.client.publish("first", QoS::AtLeastOnce, false, "of first").await;
                scene.link_becomes(LinkState::Synced, &what).await;
                for _ in 0..2 {
                    let _ = scene.client.publish("second", QoS::AtLeastOnce, false, "of second").await;
                }
                for message in scene.bench.broker.ledger().accepted {
                    let expected = format!("of {}", message.topic);
                    assert_eq!(message.payload[..], *expected.as_bytes(), "{what}: {}", message.topic);
                }
                scene.nothing_strange(&what);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f41_the_window_is_never_exceeded() {
    for kind in KINDS {
        let rtt = |builder: virtual_modem::Builder| builder.rtt(Duration::from_secs(4));
        let scene = Scene::with(kind, rtt, Default::default()).await;
        let publishes = (0..24_u8).map(|n| scene.client.publish("many", QoS::AtLeastOnce, false, vec![n]));
        // The virtual module refuses what goes past its window.
        for outcome in futures::future::join_all(publishes).await {
            outcome.unwrap_or_else(|error| panic!("{:?}: {error}", kind.vendor));
        }
        assert_eq!(scene.bench.accepted("many").len(), 24, "{:?}: each once", kind.vendor);
    }
}

/// A message in parts as the module should not say it; `None` where nothing may come of it.
const PARTS: &[(&str, Option<&str>)] = &[
    ("START: 0,2,4|TOPIC: 0,2|in|PAYLOAD: 0,4|abcd|END: 0", Some("abcd")),
    ("START: 0,2,0|TOPIC: 0,2|in|END: 0", Some("")),
    ("START: 0,2,4|TOPIC: 0,2|in|PAYLOAD: 0,3|abc|END: 0", None),
    ("START: 0,2,4|TOPIC: 0,2|in|PAYLOAD: 0,4|abcd|PAYLOAD: 0,1|e|END: 0", None),
    ("START: 0,2,4|TOPIC: 0,2|in|PAYLOAD: 0,4|abcd", None),
    ("TOPIC: 0,2|in|PAYLOAD: 0,4|abcd|END: 0", None),
    ("START: 0,2,4|PAYLOAD: 0,4|abcd|END: 0", None),
    (
        "START: 0,2,4|TOPIC: 0,2|in|START: 1,2,2|PAYLOAD: 0,4|abcd|TOPIC: 1,2|in|PAYLOAD: 1,2|ab|END: 1|END: 0",
        Some("abcd"),
    ),
];

#[tokio::test(start_paused = true)]
async fn f43_parts_that_do_not_make_a_message() {
    let kind = KINDS.iter().find(|kind| kind.vendor == Vendor::SimCom).unwrap();
    for (parts, expected) in PARTS.iter().copied() {
        let mut scene = Scene::new(kind).await;
        let bytes: String = parts
            .split('|')
            .map(|part| match part.contains(": ") {
                true => format!("\r\n+CMQTTRX{part}\r\n"),
                false => part.to_owned(),
            })
            .collect();
        scene.bench.module.inject_raw(bytes);
        match expected {
            Some(payload) => {
                assert_eq!(next(&mut scene.messages).await.payload()[..], *payload.as_bytes(), "{parts}")
            }
            None => assert_eq!(scene.came().await, Vec::<Vec<u8>>::new(), "{parts}"),
        }
        scene.is_in_step(parts).await;
        let told = scene.client_events().iter().filter(|it| matches!(it, Event::Corrupt { .. })).count();
        assert_eq!(told, usize::from(expected.is_none()), "{parts}: it is told once");
    }
}
