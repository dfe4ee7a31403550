//! Faults of the port, and a subscriber that does not listen.

use std::io::ErrorKind;
use std::time::Duration;

use mqtt_at::at::PortError;
use mqtt_at::{Error, Lagged, ModemOptions, Outcome};

use crate::scene::Scene;
use crate::support::KINDS;
use crate::wire::Harm;

/// Whoever waits is told at once, and so is whoever comes later.
#[tokio::test(start_paused = true)]
async fn f58_the_port_is_pulled_out() {
    for kind in KINDS {
        for error in [None, Some(ErrorKind::BrokenPipe), Some(ErrorKind::NotFound)] {
            let scene = Scene::new(kind).await;
            let pull = async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                scene.hand.pull(error);
            };
            let (outcome, ()) = futures::future::join(scene.publish("pulled out"), pull).await;
            let failure = outcome.unwrap_err();
            assert!(matches!(failure, Error::Port { .. }), "{:?}: {failure:?}", kind.vendor);
            let start = tokio::time::Instant::now();
            let later = scene.publish("later").await.unwrap_err();
            assert_eq!(later.outcome(), Outcome::NotSent, "{:?}: {later:?}", kind.vendor);
            assert_eq!(start.elapsed(), Duration::ZERO, "{:?}", kind.vendor);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f58_the_port_ends_at_any_byte_of_a_conversation() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.publish("whole").await.unwrap();
        for at in 0..scene.hand.heard().len() {
            for harm in [Harm::End, Harm::Fail(ErrorKind::BrokenPipe), Harm::Mute] {
                let scene = Scene::new(kind).await;
                scene.hand.harm([(at, harm)]);
                let first = scene.publish("whole").await;
                let Err(error) = scene.publish("behind the end").await else {
                    panic!("{:?}: {harm:?} at {at}: {first:?}, and then a success", kind.vendor)
                };
                let _ = error.remedy();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f58_a_port_that_falls_silent() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.hand.mute();
        assert!(scene.signal().await.is_err(), "{:?}", kind.vendor);
        let error = scene.signal().await.unwrap_err();
        let is_told = matches!(error, Error::Port { error: PortError::Unresponsive { .. }, .. });
        assert!(is_told, "{:?}: {error:?}", kind.vendor);
    }
}

#[tokio::test(start_paused = true)]
async fn f63_slow_subscriber_stalls_no_answer() {
    for kind in KINDS {
        let options = ModemOptions::new().receive_capacity(4);
        let mut scene = Scene::with(kind, |builder| builder, options).await;
        for number in 0..40_u8 {
            scene.tell(vec![number]);
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(scene.signal().await.is_ok(), "{:?}", kind.vendor);
        }
        assert_eq!(scene.messages.next().await, Some(Err(Lagged(36))), "{:?}", kind.vendor);
        for number in 36..40_u8 {
            assert_eq!(scene.next().await.payload()[..], [number], "{:?}", kind.vendor);
        }
    }
}

/// A line beyond the limit whose tail would be an answer, or a report, if it began where the limit is.
#[tokio::test(start_paused = true)]
async fn f09_overflow_tail() {
    let tails = ["OK", "ERROR", "+QMTSTAT: 0,1", "+CMQTTCONNLOST: 0,1", "+MQTTBREAK: 1,1", "> ", "RDY"];
    for kind in KINDS {
        for tail in tails {
            let mut scene = Scene::new(kind).await;
            let limit = mqtt_at::at::SessionOptions::default().limits.max_line;
            for length in limit - 3..limit + 6 {
                let line = format!("\r\n{}{}\r\n", "x".repeat(length), tail);
                scene.bench.module.inject_raw(line);
                scene.is_in_step(tail).await;
            }
            assert!(scene.client_events().is_empty(), "{:?}: {tail}", kind.vendor);
        }
    }
}
