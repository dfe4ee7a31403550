//! Ports that break while the module waits for a payload.

use super::*;

/// Found by simulation: a port that was opened again had its first commands published, because the module was still in
/// the middle of the payload in which the former port had broken.
#[tokio::test(start_paused = true)]
async fn a_port_that_breaks_in_mid_payload_is_left_alone_until_the_module_has_given_up() {
    for kind in KINDS {
        for hook in MID_PAYLOAD {
            let given_up = |it: Builder| match kind.vendor {
                Vendor::Neoway => it,
                _ => it.quirk(Quirk::PromptTimeout(Duration::from_secs(20))),
            };
            let bench = Bench::supervised_with(kind, given_up, supervision()).await;
            breaks_in_mid_payload(&bench, kind, hook).await;
            assert!(bench.broker.ledger().accepted.iter().all(is_whole), "{kind:?}, {hook:?}");
        }
    }
}

/// No manual but Neoway's says that a module gives a payload up. One that never does gets something in the end, so that
/// it can be used again; that is published, but it is no command.
#[tokio::test(start_paused = true)]
async fn a_module_that_never_gives_its_payload_up_is_used_again_and_publishes_no_command() {
    for kind in KINDS.iter().filter(|kind| kind.vendor != Vendor::Neoway) {
        for hook in MID_PAYLOAD {
            let bench = bench(kind).await;
            let start = Instant::now();
            breaks_in_mid_payload(&bench, kind, hook).await;
            assert!(start.elapsed() < Duration::from_secs(60), "{kind:?}, {hook:?}: {:?}", start.elapsed());
            let ledger = bench.broker.ledger();
            let is_command = |it: &&virtual_modem::Accepted| it.payload.windows(2).any(|part| part == b"AT");
            assert_eq!(ledger.accepted.iter().find(is_command), None, "{kind:?}, {hook:?}");
        }
    }
}

/// Moments at which the module waits for data.
const MID_PAYLOAD: [Hook; 3] = [Hook::BeforePrompt, Hook::AfterPrompt, Hook::MidPayload(3)];

const PAYLOAD: &str = "a payload of some length";

fn is_whole(it: &virtual_modem::Accepted) -> bool {
    it.payload == PAYLOAD || it.payload == "after"
}

async fn breaks_in_mid_payload(bench: &Bench, kind: &Kind, hook: Hook) {
    let (client, mut messages) = client(bench).await;
    bench.module.inject_fault(Fault::new(hook, Action::HangUp).command(kind.payload));
    let _ = client.publish("from/it", QoS::AtLeastOnce, false, PAYLOAD).await;
    works(bench, &client, &mut messages, "after").await;
}
