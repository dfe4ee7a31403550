//! Faults of answers: none, late, twice, another's, and reports in between.

use std::time::Duration;

use mqtt_at::at::{CommandLine, Exchange, LinkState, PortEvent};
use mqtt_at::common::{Domain, Registration, SignalQuality};
use mqtt_at::{Error, Event, ModemOptions, Outcome};
use virtual_modem::{Action, Fault, Hook, Quirk};

use crate::scene::{Scene, is_timeout};
use crate::support::KINDS;
use crate::wire::Harm;

/// How long the answer of `AT+CSQ` is waited for.
const DEADLINE: Duration = Duration::from_secs(5);

fn signal(hook: Hook, action: Action) -> Fault {
    Fault::new(hook, action).command("+CSQ")
}

#[tokio::test(start_paused = true)]
async fn f15_no_answer() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        for hook in [Hook::AfterLine, Hook::BeforeFinal] {
            scene.bench.module.inject_fault(signal(hook, Action::Silence));
            let start = tokio::time::Instant::now();
            let error = scene.signal().await.unwrap_err();
            assert!(is_timeout(&error), "{:?}: {error:?}", kind.vendor);
            assert_eq!(start.elapsed().as_secs(), DEADLINE.as_secs(), "{:?}", kind.vendor);
            scene.is_in_step("no answer").await;
            let fenced = scene.seen().iter().any(|it| matches!(it, PortEvent::Fenced { .. }));
            assert!(fenced, "{:?}", kind.vendor);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f16_an_answer_after_its_deadline() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        let late = Action::Delay(DEADLINE + Duration::from_millis(20));
        scene.bench.module.inject_fault(signal(Hook::BeforeFinal, late));
        assert!(is_timeout(&scene.signal().await.unwrap_err()), "{:?}", kind.vendor);
        tokio::time::sleep(Duration::from_secs(1)).await;
        scene.is_in_step("a late answer").await;
    }
}

/// The signal changes after the first question, so that an answer tells to which question it belongs.
#[tokio::test(start_paused = true)]
async fn f17_late_reply_is_never_given_to_the_next_command() {
    for kind in KINDS {
        for offset in (0..505).step_by(5).chain((505..3_000).step_by(100)) {
            let scene = Scene::new(kind).await;
            let delay = DEADLINE - Duration::from_millis(5) + Duration::from_millis(offset);
            scene.bench.module.set_signal(10);
            scene.bench.module.inject_fault(signal(Hook::BeforeFinal, Action::Delay(delay)));
            let first = async {
                let first = scene.signal().await;
                scene.bench.module.set_signal(20);
                first
            };
            let first = first.await;
            let second = scene.signal().await.unwrap();
            assert_eq!(second.rssi_dbm, Some(-73), "{:?}: {delay:?}: {first:?}", kind.vendor);
            if let Ok(first) = first {
                assert_eq!(first.rssi_dbm, Some(-93), "{:?}: {delay:?}", kind.vendor);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f18_two_final_codes() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        scene.bench.module.inject_fault(signal(Hook::BeforeFinal, Action::Duplicate));
        assert!(scene.signal().await.is_ok(), "{:?}", kind.vendor);
        scene.is_in_step("two answers").await;
        let seen = scene.seen();
        assert!(seen.contains(&PortEvent::OrphanFinal), "{:?}: {seen:?}", kind.vendor);
        assert!(seen.contains(&PortEvent::Link(LinkState::Suspect)), "{:?}: {seen:?}", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f19_an_error_in_the_middle_of_a_reply() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        scene.bench.module.inject_fault(signal(Hook::BeforeFinal, Action::Error));
        let error = scene.signal().await.unwrap_err();
        assert!(matches!(error, Error::Module(_)), "{:?}: {error:?}", kind.vendor);
        scene.is_in_step("an error").await;
        // With its number, which is kept.
        scene.hand.harm([]);
        scene.hand.harm_behind(b"99\r\n", 0, Harm::Insert(b"\r\n+CME ERROR: 14\r\n"));
        let error = scene.signal().await.unwrap_err();
        assert!(
            matches!(&error, Error::Module(it) if it.code.as_deref() == Some("+CME ERROR: 14")),
            "{error:?}"
        );
        scene.is_in_step("an error and an OK").await;
    }
}

#[tokio::test(start_paused = true)]
async fn f20_the_reply_of_another_command() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        let truth = scene.signal().await.unwrap();
        for line in [&b"\r\n+COPS: 0\r\n"[..], b"\r\n+CSQN: 1,2\r\n", b"\r\n+CS: 1,2\r\n"] {
            scene.hand.harm([(0, Harm::Insert(line))]);
            assert_eq!(scene.signal().await.unwrap(), truth, "{:?}", kind.vendor);
            scene.is_in_step("another's line").await;
        }
        let unknown = scene.seen().iter().filter(|it| matches!(it, PortEvent::UnknownLine { .. })).count();
        assert_eq!(unknown, 3, "{:?}: each is told", kind.vendor);
    }
}

/// `+CREG` is the name of an answer and of a report.
#[tokio::test(start_paused = true)]
async fn f21_reports_at_every_hook() {
    let hooks = [Hook::BeforeEcho, Hook::AfterLine, Hook::BeforeFinal, Hook::Idle];
    let around_data = [Hook::BeforePrompt, Hook::AfterPrompt, Hook::MidPayload(1)];
    let around_result = [Hook::BetweenFinalAndResult, Hook::AfterResult];
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        let truth = scene.bench.modem.send(Registration(Domain::Circuit)).await.unwrap();
        for report in
            [&b"\r\n+CREG: 3\r\n"[..], b"\r\n+CGEV: NW DETACH\r\n", b"\r\n+CREG: 3,\"00C3\",\"0A1B\"\r\n"]
        {
            for hook in hooks {
                let what = format!("{:?}: {} at {hook:?}", kind.vendor, report.escape_ascii());
                let fault = Fault::new(hook, Action::Urc(report.into()));
                scene.bench.module.inject_fault(fault.clone().command("+CREG?"));
                let status = scene.bench.modem.send(Registration(Domain::Circuit)).await;
                assert_eq!(status.as_ref().ok(), Some(&truth), "{what}: {status:?}");
                scene.bench.module.inject_fault(fault.command("+CSQ"));
                scene.is_in_step(&what).await;
            }
            for hook in hooks.into_iter().chain(around_data).chain(around_result) {
                let what = format!("{:?}: {} at {hook:?}", kind.vendor, report.escape_ascii());
                for command in [kind.payload, kind.publish] {
                    let fault = Fault::new(hook, Action::Urc(report.into())).command(command);
                    scene.bench.module.inject_fault(fault);
                    scene.is_in_step(&what).await;
                }
            }
        }
        assert!(scene.client_events().is_empty(), "{:?}", kind.vendor);
    }
}

/// A firmware that does this costs each message; it forges nothing (ambiguity U11).
#[tokio::test(start_paused = true)]
async fn f22_a_report_inside_a_message() {
    for kind in KINDS {
        let quirk = |builder: virtual_modem::Builder| builder.quirk(Quirk::UrcInsideMessage);
        let mut scene = Scene::with(kind, quirk, ModemOptions::new()).await;
        scene.tell("one\r\nOK\r\n");
        let came = scene.came().await;
        assert!(came.is_empty() || came == [b"one\r\nOK\r\n"], "{:?}: {came:?}", kind.vendor);
        scene.link_becomes(LinkState::Synced, "a report inside a message").await;
        assert!(scene.signal().await.is_ok(), "{:?}", kind.vendor);
        scene.publish("it goes on").await.unwrap();
        let is_told = scene.client_events().iter().any(|it| matches!(it, Event::Corrupt { .. }));
        assert!(is_told || !came.is_empty(), "{:?}", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f23_a_command_that_the_firmware_does_not_know() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        let unknown = Exchange::new(CommandLine::read("+NOSUCH"));
        let error = scene.bench.modem.run(unknown).await.unwrap_err();
        assert!(matches!(error, Error::Module(_)), "{:?}: {error:?}", kind.vendor);
        scene.is_in_step("an unknown command").await;
        assert!(scene.seen().is_empty(), "{:?}: a refusal is no doubt", kind.vendor);
        // A refusal of any of the commands of a publish is told as such, before a payload is sent.
        scene.bench.module.inject_fault(Fault::new(Hook::AfterLine, Action::Error).command(kind.payload));
        let error = scene.publish("refused").await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{:?}: {error:?}", kind.vendor);
        let _ = scene.bench.modem.send(SignalQuality).await.unwrap();
    }
}
