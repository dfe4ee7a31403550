//! One publish and every fault at every place of it, alone and in pairs.
//!
//! `MQTTAT_PLACEMENTS=all` takes all pairs; without it a part of them is taken.

use std::time::Duration;

use virtual_modem::{Action, Builder, Fault, Hook, Quirk, Reboot, Vendor};

use crate::scene::{PATIENCE, Scene};
use crate::support::{KINDS, Kind};
use crate::wire::Harm;

const HOOKS: [Hook; 9] = [
    Hook::BeforeEcho,
    Hook::AfterLine,
    Hook::BeforePrompt,
    Hook::AfterPrompt,
    Hook::MidPayload(2),
    Hook::BeforeFinal,
    Hook::BetweenFinalAndResult,
    Hook::AfterResult,
    Hook::Idle,
];

fn actions() -> Vec<Action> {
    vec![
        Action::Silence,
        Action::Delay(Duration::from_secs(3)),
        Action::Delay(Duration::from_secs(17)),
        Action::Duplicate,
        Action::Swap,
        Action::Error,
        Action::Urc("\r\n+CREG: 3\r\n".into()),
        Action::Reboot(Reboot::Loud),
        Action::Reboot(Reboot::Silent),
        Action::Hang,
        Action::HangUp,
    ]
}

/// Every hook and action, at each of the commands of which a publish consists.
fn placements(kind: &Kind) -> Vec<Fault> {
    let commands: &[&str] = match kind.vendor {
        Vendor::SimCom => &["+CMQTTTOPIC=", "+CMQTTPAYLOAD=", "+CMQTTPUB="],
        _ => &[kind.publish],
    };
    let mut all = Vec::new();
    for command in commands {
        for hook in HOOKS {
            all.extend(actions().into_iter().map(|it| Fault::new(hook, it).command(*command)));
        }
    }
    all
}

/// A module that waits for its data for ever would take the first probe for it, whatever the host does.
fn gives_up(builder: Builder) -> Builder {
    builder.quirk(Quirk::PromptTimeout(Duration::from_secs(30)))
}

/// Two publishes, the first of which suffers. What is told about both is true, the broker has nothing that nobody
/// published, and every call ends.
async fn suffer(kind: &Kind, faults: &[Fault]) {
    let scene = Scene::with(kind, gives_up, Default::default()).await;
    for fault in faults {
        scene.bench.module.inject_fault(fault.clone());
    }
    let what = format!("{:?}: {faults:?}", kind.vendor);
    for payload in ["first", "second"] {
        let outcome = tokio::time::timeout(PATIENCE, scene.publish(payload)).await;
        assert!(outcome.is_ok(), "{what}: {payload} never ends");
    }
    let ledger = scene.bench.broker.ledger();
    let foreign = ledger.accepted.iter().find(|it| it.payload != "first" && it.payload != "second");
    assert!(foreign.is_none(), "{what}: {foreign:?}");
}

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_place_of_a_publish() {
    for kind in KINDS {
        for fault in placements(kind) {
            suffer(kind, &[fault]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_pair_of_faults_in_a_publish() {
    let all = std::env::var("MQTTAT_PLACEMENTS").is_ok_and(|it| it == "all");
    for kind in KINDS {
        let placements = placements(kind);
        let pairs = (0..placements.len()).flat_map(|one| (0..placements.len()).map(move |two| (one, two)));
        // A stride without a factor in common with the number of placements meets all of them.
        for (one, two) in pairs.step_by(if all { 1 } else { 401 }) {
            suffer(kind, &[placements[one].clone(), placements[two].clone()]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_byte_of_a_publish_is_lost_doubled_or_late() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.publish("first").await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let said = scene.hand.heard();
        for at in 0..said.len() {
            let stall = Harm::Stall(Duration::from_secs(8));
            for harm in [Harm::Lose(1), Harm::Lose(3), Harm::Double, stall] {
                let mut scene = Scene::with(kind, gives_up, Default::default()).await;
                scene.hand.harm([(at, harm)]);
                let _ = scene.publish("first").await;
                scene.hand.harm([]);
                let what = format!("{:?}: {harm:?} at {at} of {}", kind.vendor, said.escape_ascii());
                scene.works_again(&what).await;
                scene.is_answered().await;
            }
        }
    }
}
