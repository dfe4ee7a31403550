//! Faults around the prompt and the payload.

use std::io::ErrorKind;
use std::time::Duration;

use mqtt_at::at::{LinkState, PortError};
use mqtt_at::{Error, InputError, ModemOptions, Outcome, QoS};
use virtual_modem::{Action, Builder, Fault, Hook, Quirk, Vendor};

use crate::scene::{PATIENCE, Scene};
use crate::support::{KINDS, Kind, pattern};
use crate::wire::Harm;

/// The module gives a prompt up after so many seconds, as Neoway's does by its manual.
fn gives_up(seconds: u64) -> impl FnOnce(Builder) -> Builder {
    move |builder| builder.quirk(Quirk::PromptTimeout(Duration::from_secs(seconds)))
}

#[tokio::test(start_paused = true)]
async fn f24_the_prompt_never_comes() {
    for kind in KINDS {
        let mut scene = Scene::with(kind, gives_up(30), ModemOptions::new()).await;
        scene
            .bench
            .module
            .inject_fault(Fault::new(Hook::BeforePrompt, Action::Silence).command(kind.payload));
        let error = scene.publish("never").await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{:?}: {error:?}", kind.vendor);
        // No probe was swallowed as a payload.
        scene.is_in_step("no prompt").await;
    }
}

#[tokio::test(start_paused = true)]
async fn f25_the_prompt_is_late() {
    for kind in KINDS {
        for seconds in [1, 8, 20, 29] {
            let mut scene = Scene::new(kind).await;
            let late = Action::Delay(Duration::from_secs(seconds));
            scene.bench.module.inject_fault(Fault::new(Hook::BeforePrompt, late).command(kind.payload));
            scene
                .publish("late")
                .await
                .unwrap_or_else(|error| panic!("{:?}: {seconds} s: {error}", kind.vendor));
            scene.is_in_step("a late prompt").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f26_the_prompt_comes_twice() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        let twice = Fault::new(Hook::BeforePrompt, Action::Duplicate).command(kind.payload);
        scene.bench.module.inject_fault(twice);
        scene.publish("once").await.unwrap_or_else(|error| panic!("{:?}: {error}", kind.vendor));
        scene.is_in_step("two prompts").await;
    }
}

/// A read that ends behind a `>` of somebody's payload, while a prompt is awaited.
#[tokio::test(start_paused = true)]
async fn f27_prompt_at_read_boundary() {
    for kind in KINDS {
        for payload in ["boundary>", "boundary\r\n>", "boundary\r\n> "] {
            let mut scene = Scene::new(kind).await;
            let stall = Harm::Stall(Duration::from_millis(100));
            scene.hand.harm_behind(payload.as_bytes(), 0, stall);
            let late = Action::Delay(Duration::from_millis(300));
            scene.bench.module.inject_fault(Fault::new(Hook::BeforePrompt, late).command(kind.payload));
            scene.tell(payload);
            scene.publish("behind the prompt").await.unwrap();
            assert_eq!(scene.next().await.payload()[..], *payload.as_bytes(), "{:?}", kind.vendor);
            scene.is_in_step(payload).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f28_an_error_instead_of_the_prompt() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        scene.bench.module.inject_fault(Fault::new(Hook::BeforePrompt, Action::Error).command(kind.payload));
        let error = scene.publish("refused").await.unwrap_err();
        assert!(matches!(error, Error::Module(_)), "{:?}: {error:?}", kind.vendor);
        assert_eq!(error.outcome(), Outcome::NotSent, "{:?}: {error:?}", kind.vendor);
        if kind.vendor != Vendor::Neoway {
            scene.is_in_step("an error instead of the prompt").await;
        }
        scene.nothing_strange("an error instead of the prompt");
    }
}

#[tokio::test(start_paused = true)]
async fn f29_the_caller_leaves_in_the_middle_of_the_payload() {
    for kind in KINDS {
        for millis in [40, 100, 200, 400] {
            let mut scene = Scene::with(kind, |it| it.baud(Some(9600)), ModemOptions::new()).await;
            let payload = vec![b'x'; 500];
            let publish = scene.client.publish("left", QoS::AtLeastOnce, false, payload.clone());
            let left = tokio::time::timeout(Duration::from_millis(millis), publish).await;
            assert!(left.is_err(), "{:?}: the payload takes longer than that", kind.vendor);
            scene.is_in_step("a caller that left").await;
            let there = scene.bench.accepted("left");
            assert!(there.is_empty() || there == [payload], "{:?}: {} there", kind.vendor, there.len());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f31_never_more_is_written_than_was_declared() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        for size in [1, 2, 3, 255, 256, 257, kind.longest - 1, kind.longest] {
            let payload = pattern(size);
            scene.client.publish("size", QoS::AtLeastOnce, false, payload.clone()).await.unwrap();
            assert_eq!(scene.bench.accepted("size").last(), Some(&payload), "{:?}: {size}", kind.vendor);
        }
        // A byte too many would be the beginning of the next command.
        scene.is_in_step("all sizes").await;
    }
}

/// The line stalls until the module has given the payload up.
#[tokio::test(start_paused = true)]
async fn f32_the_modules_own_timeout_for_the_payload() {
    let after_timeout: &[(Vendor, &[Quirk])] =
        &[(Vendor::Neoway, &[]), (Vendor::Neoway, &[Quirk::TimeoutThenError]), (Vendor::Quectel, &[])];
    for (vendor, quirks) in after_timeout.iter().copied() {
        let kind = KINDS.iter().find(|kind| kind.vendor == vendor).unwrap();
        let change = |builder| quirks.iter().fold(gives_up(20)(builder), |builder, it| builder.quirk(*it));
        let mut session = mqtt_at::at::SessionOptions::default();
        session.write_stall = Duration::from_secs(300);
        let mut scene = Scene::with(kind, change, ModemOptions::new().session(session)).await;
        let payload = "x".repeat(400);
        scene.hand.stop_writes_after(100, None);
        let again = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            scene.hand.go_on();
        };
        let (outcome, ()) = futures::future::join(scene.publish(&payload), again).await;
        assert!(outcome.is_err(), "{vendor:?} {quirks:?}");
        scene.link_becomes(LinkState::Synced, "the payload was given up").await;
        assert!(scene.bench.accepted("out").is_empty(), "{vendor:?} {quirks:?}");
        scene.is_answered().await;
    }
}

#[tokio::test(start_paused = true)]
async fn f40_the_link_breaks_in_the_middle_of_the_payload() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.publish(&"y".repeat(200)).await.unwrap();
        let whole = scene.hand.written();
        for bytes in 0..whole {
            for error in [ErrorKind::BrokenPipe, ErrorKind::TimedOut] {
                let scene = Scene::new(kind).await;
                scene.hand.stop_writes_after(bytes, Some(error));
                let error = scene.publish(&"y".repeat(200)).await.unwrap_err();
                let is_gone = matches!(error, Error::Port { error: PortError::Io { .. }, .. });
                assert!(is_gone, "{:?}: {bytes}: {error:?}", kind.vendor);
                assert!(scene.bench.accepted("out").is_empty(), "{:?}: {bytes}", kind.vendor);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f42_payloads_beyond_the_limit_are_refused_and_never_split() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        let before = scene.bench.module.understood().len();
        for size in [kind.longest + 1, kind.longest * 2] {
            let outcome = scene.client.publish("out", QoS::AtLeastOnce, false, pattern(size)).await;
            let error = outcome.unwrap_err();
            let is_named = matches!(error, Error::Input(InputError::PayloadTooLarge { got, max }) if (got, max) == (size, kind.longest));
            assert!(is_named, "{:?}: {error:?}", kind.vendor);
        }
        assert_eq!(scene.bench.module.understood().len(), before, "{:?}: nothing is written", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f42_long_messages_come_whole_in_parts_of_any_size() {
    let kind: &Kind = KINDS.iter().find(|kind| kind.vendor == Vendor::SimCom).unwrap();
    let quirks = [1, 7, 100, 1499].map(virtual_modem::SimComQuirk::PartSize);
    for quirk in quirks.into_iter().chain([virtual_modem::SimComQuirk::RandomParts]) {
        let change = |builder: Builder| builder.quirk(Quirk::SimCom(quirk));
        let mut scene = Scene::with(kind, change, ModemOptions::new()).await;
        for size in [10_239, 10_240] {
            scene.tell(pattern(size));
            assert_eq!(scene.next().await.payload()[..], pattern(size)[..], "{quirk:?}: {size}");
        }
        scene.is_in_step("long messages").await;
    }
}

/// What a forger could make of a payload that completes a command: the library never writes it where a command is
/// read.
#[tokio::test(start_paused = true)]
async fn f31_a_payload_that_completes_a_command() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        let before = scene.bench.module.understood().len();
        for payload in
            ["AT+CFUN=1,1\r", "\r\nAT+CFUN=1,1\r\n", "x\rAT+CFUN=1,1\rAT+CFUN=1,1\r", "+CFUN=1,1\r"]
        {
            // In a prompt that never came, in one that is refused, and in one that is given up.
            for action in [Action::Error, Action::Delay(Duration::from_secs(9))] {
                let fault = Fault::new(Hook::BeforePrompt, action.clone()).command(kind.payload);
                if kind.vendor == Vendor::Neoway && action == Action::Error {
                    continue;
                }
                scene.bench.module.inject_fault(fault);
                let publish = scene.client.publish("raw", QoS::AtLeastOnce, false, payload.to_owned());
                let _ = tokio::time::timeout(PATIENCE, publish).await.expect("it ends");
            }
            scene.client.publish("raw", QoS::AtLeastOnce, false, payload.to_owned()).await.unwrap();
            assert_eq!(scene.bench.accepted("raw").last().unwrap(), payload.as_bytes(), "{:?}", kind.vendor);
            scene.is_answered().await;
        }
        let understood = scene.bench.module.understood().split_off(before);
        let obeyed = understood.iter().find(|it| it.command.name == "+CFUN");
        assert!(obeyed.is_none(), "{:?}: {obeyed:?}", kind.vendor);
    }
}
