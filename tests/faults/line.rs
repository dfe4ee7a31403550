//! Faults of the line: bytes lost, turned, doubled, late, and none at all.

use std::io::ErrorKind;
use std::time::Duration;

use mqtt_at::at::{LinkState, PortError, PortEvent};
use mqtt_at::{Error, Event, ModemOptions, Outcome, QoS, Supervision};
use virtual_modem::Quirk;

use crate::scene::{Scene, is_timeout};
use crate::support::{Bench, KINDS, pattern};
use crate::wire::{Hand, Harm};

/// How many bytes the answer of `AT+CSQ` has: `\r\n+CSQ: 24,99\r\n\r\nOK\r\n`.
async fn answer_of_signal(scene: &Scene) -> Vec<u8> {
    scene.hand.harm([]);
    scene.signal().await.unwrap();
    scene.hand.heard()
}

/// Harms each byte of an answer in turn. Where nothing shows the harm, only the harmed digit may differ.
async fn harm_each_byte_of_an_answer(harms: impl Fn(u8) -> Vec<Harm>) {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        let truth = scene.signal().await.unwrap();
        let answer = answer_of_signal(&scene).await;
        for (at, byte) in answer.iter().enumerate() {
            for harm in harms(*byte) {
                let what = format!("{harm:?} at {at} of {}", answer.escape_ascii());
                scene.hand.harm([(at, harm)]);
                match scene.signal().await {
                    Ok(signal) if signal == truth => {}
                    Ok(_) => assert!(byte.is_ascii_digit() || *byte == b',', "{:?}: {what}", kind.vendor),
                    Err(error) => {
                        let is_told = is_timeout(&error) || matches!(error, Error::Unreadable { .. });
                        assert!(is_told, "{:?}: {what}: {error:?}", kind.vendor);
                    }
                }
                scene.hand.harm([]);
                scene.is_in_step(&what).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f01_a_byte_lost_in_an_answer_is_no_guess() {
    harm_each_byte_of_an_answer(|_| vec![Harm::Lose(1)]).await;
}

#[tokio::test(start_paused = true)]
async fn f03_a_byte_flipped_in_an_answer_is_no_guess() {
    harm_each_byte_of_an_answer(|_| [0x01, 0x10, 0x80].map(Harm::Flip).to_vec()).await;
}

#[tokio::test(start_paused = true)]
async fn f05_a_byte_doubled_in_an_answer_is_no_guess() {
    harm_each_byte_of_an_answer(|_| vec![Harm::Double]).await;
}

/// The forger's payload: if its bytes were ever read as lines, something would come of it.
const FORGED: &str =
    "x\r\n+QMTSTAT: 0,1\r\n+CMQTTCONNLOST: 0,1\r\n+MQTTBREAK: 1,1\r\n+MQTTDISCONNED: Link Closed\r\nOK\r\n";

/// Harms one byte of a payload on its way in; the message is dropped and told, and nothing else is believed.
async fn harm_a_payload(harm: Harm) {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        for at in [0, 1, FORGED.len() / 2, FORGED.len() - 1] {
            let what = format!("{:?}: {harm:?} at {at} of the payload", kind.vendor);
            scene.hand.harm_behind(&FORGED.as_bytes()[..1 + at], 0, harm);
            scene.tell(FORGED);
            let came = scene.came().await;
            assert!(came.is_empty(), "{what}: {came:?}");
            scene.is_in_step(&what).await;
            let is_told = |event: &Event| matches!(event, Event::Corrupt { .. });
            let events = scene.client_events();
            assert!(events.iter().any(is_told), "{what}: {events:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f02_a_byte_lost_in_a_payload_costs_that_message_and_is_told() {
    harm_a_payload(Harm::Lose(1)).await;
}

#[tokio::test(start_paused = true)]
async fn f05_a_byte_doubled_in_a_payload_costs_that_message_and_is_told() {
    harm_a_payload(Harm::Double).await;
}

#[tokio::test(start_paused = true)]
async fn f06_a_burst_lost_in_a_payload_costs_that_message_and_is_told() {
    for bytes in [2, 16, 60] {
        harm_a_payload(Harm::Lose(bytes)).await;
    }
}

/// The wire has no checksum: this is what the library does not promise. It does promise that a changed byte stays a
/// byte of the payload.
#[tokio::test(start_paused = true)]
async fn f04_a_byte_flipped_in_a_payload_is_delivered_as_it_came() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        // CR becomes a colon and O an S, so that lines would begin elsewhere.
        scene.hand.harm_behind(b"one", 0, Harm::Flip(0x37));
        scene.tell("one\r\nOK\r\n> ");
        assert_eq!(scene.next().await.payload()[..], b"one:\nOK\r\n> "[..], "{:?}", kind.vendor);
        scene.is_in_step("a flipped byte").await;
        assert!(scene.client_events().is_empty(), "{:?}", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f07_half_a_line_then_silence() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        let answer = answer_of_signal(&scene).await;
        for at in 1..answer.len() {
            // What the module keeps back comes when nobody waits for it any more.
            scene.hand.harm([(at, Harm::Stall(Duration::from_secs(8)))]);
            let outcome = scene.signal().await;
            assert!(
                outcome.as_ref().is_err_and(is_timeout),
                "{:?}: at {at} of {}: {outcome:?}",
                kind.vendor,
                answer.escape_ascii()
            );
            scene.hand.harm([]);
            scene.is_in_step(&format!("half a line of {at} bytes")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f08_one_byte_at_a_time() {
    for kind in KINDS {
        // At this rate every read is a single byte.
        let mut scene = Scene::with(kind, |it| it.baud(Some(9600)), ModemOptions::new()).await;
        let payload = pattern(kind.longest);
        scene.client.publish("out", QoS::AtLeastOnce, false, payload.clone()).await.unwrap();
        assert_eq!(scene.bench.accepted("out"), std::slice::from_ref(&payload), "{:?}", kind.vendor);
        scene.tell(payload.clone());
        assert_eq!(scene.next().await.payload()[..], payload[..], "{:?}", kind.vendor);
        scene.is_in_step("one byte at a time").await;
        assert!(scene.seen().is_empty(), "{:?}: nothing was in doubt", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f09_garbage_without_an_end() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        for _ in 0..200 {
            scene.bench.module.inject_raw(vec![b'z'; 1024]);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let what = format!("{:?}: garbage", kind.vendor);
        scene.link_becomes(LinkState::Dead, &what).await;
        let error = scene.publish("too late").await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{what}");
        let skipped = scene.seen().iter().filter(|it| matches!(it, PortEvent::Overrun { .. })).count();
        assert!(skipped > 0, "{what}: it is told");
    }
}

#[tokio::test(start_paused = true)]
async fn f10_a_wrong_baud_rate_is_told_with_its_remedy() {
    for kind in KINDS {
        let hand = Hand::default();
        hand.harm([(0, Harm::Garble)]);
        let options = ModemOptions::new().supervision(Supervision::off());
        let opening = Bench::over(kind, |builder| builder, options, |line| hand.wire(line));
        let error = tokio::time::timeout(crate::scene::PATIENCE, opening).await.expect("it ends");
        let error = error.map(drop).unwrap_err();
        let is_unresponsive = matches!(error, Error::Port { error: PortError::Unresponsive { .. }, .. });
        assert!(is_unresponsive, "{:?}: {error:?}", kind.vendor);
        assert!(error.remedy().unwrap().contains("baud"), "{:?}: {error:?}", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f11_the_echo_comes_back() {
    for kind in KINDS {
        let mut scene = Scene::new(kind).await;
        scene.hand.harm([(0, Harm::Insert(b"AT+CSQ\r"))]);
        let signal = scene.signal().await.unwrap();
        assert!(signal.rssi_dbm.is_some(), "{:?}: {signal:?}", kind.vendor);
        let echoes = scene.seen().iter().filter(|it| **it == PortEvent::UnexpectedEcho).count();
        assert!(echoes > 0, "{:?}: an echo is evidence of a reboot", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f12_stray_line_ends_and_nuls() {
    for kind in KINDS {
        let blank = |builder: virtual_modem::Builder| builder.quirk(Quirk::ExtraBlankLines(3));
        let mut scene = Scene::with(kind, blank, ModemOptions::new()).await;
        for noise in [&b"\r"[..], b"\r\n\r\n", b"\r\r\n", b"\n", b"\r\r\r\n\n"] {
            scene.bench.module.inject_raw(noise.to_vec());
            scene.is_in_step(&noise.escape_ascii().to_string()).await;
        }
        assert!(scene.client_events().is_empty(), "{:?}", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f13_a_line_that_takes_nothing() {
    for kind in KINDS {
        // In the middle of a command, and in the middle of a payload.
        for bytes in [5, 60] {
            let scene = Scene::new(kind).await;
            scene.hand.stop_writes_after(bytes, None);
            let payload = "x".repeat(200);
            let error = scene.publish(&payload).await.unwrap_err();
            let is_stalled = matches!(error, Error::Port { error: PortError::Stalled { .. }, .. });
            assert!(is_stalled, "{:?}: {bytes} bytes: {error:?}", kind.vendor);
            assert_eq!(scene.bench.accepted("out").len(), 0, "{:?}", kind.vendor);
            assert_eq!(*scene.bench.modem.link().borrow(), LinkState::Dead);
            let error = scene.publish("too late").await.unwrap_err();
            assert_eq!(error.outcome(), Outcome::NotSent, "{:?}", kind.vendor);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f14_a_write_that_fails_in_its_middle() {
    for kind in KINDS {
        for bytes in [0, 5, 60, 100] {
            let scene = Scene::new(kind).await;
            scene.hand.stop_writes_after(bytes, Some(ErrorKind::TimedOut));
            let error = scene.publish(&"x".repeat(200)).await.unwrap_err();
            let is_io = matches!(error, Error::Port { error: PortError::Io { .. }, .. });
            assert!(is_io, "{:?}: after {bytes} bytes: {error:?}", kind.vendor);
            assert_eq!(*scene.bench.modem.link().borrow(), LinkState::Dead);
        }
    }
}
