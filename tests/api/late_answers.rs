//! T1: answers and deferred results that come around their deadlines are never given to another command.

use std::time::Duration;

use mqtt_at::QoS;
use mqtt_at::at::LinkState;
use virtual_modem::{Action, Fault, Hook};

use crate::support::{Bench, KINDS, options};

/// From 5 ms before a deadline to 8 s behind it, closer together where it is tight.
fn around(deadline: Duration) -> impl Iterator<Item = Duration> {
    let offsets = (0..55).chain((55..500).step_by(25)).chain((500..8_000).step_by(250));
    offsets.map(move |offset| deadline - Duration::from_millis(5) + Duration::from_millis(offset))
}

/// Publishes three messages, the second of which suffers, and holds what was told against what the broker saw.
async fn check(kind: &crate::support::Kind, fault: Fault, what: &str) {
    let bench = Bench::new(kind).await;
    let client = bench.modem.connect(options("one")).await.unwrap();
    client.publish("t", QoS::AtLeastOnce, false, "first").await.unwrap();
    bench.module.inject_fault(fault);
    let second = client.publish("t", QoS::AtLeastOnce, false, "second").await;
    let third = client.publish("t", QoS::AtLeastOnce, false, "third").await;
    let there = bench.accepted("t");
    for (name, outcome) in [("second", &second), ("third", &third)] {
        let arrived = there.iter().any(|it| it == name.as_bytes());
        match outcome {
            Ok(_) => assert!(arrived, "{kind:?}, {what}: {name} was called delivered and is not there"),
            Err(error) if error.outcome() == mqtt_at::Outcome::NotSent => {
                assert!(!arrived, "{kind:?}, {what}: {name} was called not sent and is there ({error})");
            }
            Err(_) => {}
        }
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(*bench.modem.link().borrow(), LinkState::Synced, "{kind:?}, {what}");
    let network = bench.modem.network().await.unwrap();
    assert!(network.signal.is_some(), "{kind:?}, {what}: the answers are in step: {network:?}");
}

#[tokio::test(start_paused = true)]
async fn late_final_results() {
    for kind in KINDS {
        for delay in around(kind.final_result) {
            let fault = Fault::new(Hook::BeforeFinal, Action::Delay(delay)).command(kind.publish);
            check(kind, fault, &format!("final result after {delay:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn late_prompts() {
    for kind in KINDS {
        // A module that asks for its data later than this has broken its bound: nothing could be done safely then.
        for delay in around(kind.prompt - Duration::from_secs(9)) {
            let fault = Fault::new(Hook::BeforePrompt, Action::Delay(delay)).command(kind.payload);
            check(kind, fault, &format!("prompt after {delay:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn late_deferred_results() {
    for kind in KINDS {
        for delay in kind.deferred_result.into_iter().flat_map(around) {
            let fault = Fault::new(Hook::BetweenFinalAndResult, Action::Delay(delay)).command(kind.publish);
            check(kind, fault, &format!("deferred result after {delay:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lost_doubled_and_swapped_answers() {
    for kind in KINDS {
        for hook in [Hook::AfterLine, Hook::BeforeFinal, Hook::BetweenFinalAndResult, Hook::AfterResult] {
            for action in [Action::Silence, Action::Duplicate, Action::Swap, Action::Error] {
                let fault = Fault::new(hook, action.clone()).command(kind.publish);
                check(kind, fault, &format!("{action:?} {hook:?}")).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_manuals_longest_times_are_waited_for() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        for (command, seconds) in kind.slow {
            let delay = Action::Delay(Duration::from_secs(*seconds));
            let hook =
                if kind.deferred_result.is_some() { Hook::BetweenFinalAndResult } else { Hook::BeforeFinal };
            bench.module.inject_fault(Fault::new(hook, delay).command(*command));
        }
        let client = bench.client("patient").await;
        client.subscribe("a", QoS::AtLeastOnce).await.unwrap();
        client.publish("a", QoS::AtLeastOnce, false, "x").await.unwrap();
        client.disconnect().await.unwrap();
        assert_eq!(*bench.modem.link().borrow(), LinkState::Synced, "{kind:?}");
    }
}
