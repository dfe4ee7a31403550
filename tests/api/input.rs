//! Bad input gets a clear error that names the field and the limit, and nothing is sent.

use std::time::Duration;

use mqtt_at::{Error, Fault, Outcome, QoS, SignIn, Will};

use crate::support::{Bench, KINDS, options};

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_before_a_byte_is_sent() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let client = bench.client("one").await;
        let before = bench.module.understood().len();
        let too_long = vec![0; kind.longest + 1];
        let long_topic = "t".repeat(5_000);
        let errors = [
            (client.publish("a\nb", QoS::AtMostOnce, false, "x").await.map(drop), "control character"),
            (client.publish("a/+", QoS::AtMostOnce, false, "x").await.map(drop), "wildcard"),
            (client.publish("", QoS::AtMostOnce, false, "x").await.map(drop), "empty"),
            (client.publish("a", QoS::AtMostOnce, false, too_long).await.map(drop), "bytes"),
            (client.publish(long_topic, QoS::AtMostOnce, false, "x").await.map(drop), "topic"),
            (client.subscribe("a/#/b", QoS::AtMostOnce).await.map(drop), "last level"),
            (client.unsubscribe("").await, "empty"),
        ];
        for (outcome, names) in errors {
            let error = outcome.unwrap_err();
            assert!(error.to_string().contains(names), "{error} does not name {names}");
            assert_eq!((error.fault(), error.outcome()), (Fault::Caller, Outcome::NotSent));
        }
        assert_eq!(bench.module.understood().len(), before, "{kind:?}: nothing was sent");
    }
}

#[tokio::test(start_paused = true)]
async fn connect_options_are_checked_before_a_byte_is_sent() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let before = bench.module.understood().len();
        let long = "h".repeat(1_000);
        let host = mqtt_at::ConnectOptions::new("one", long.clone(), 1883);
        let port = mqtt_at::ConnectOptions::new("one", "host", 0);
        let will = Will::new("w", vec![0; 20_000]).unwrap();
        for (options, names) in [
            (host, "host|address"),
            (port, "port"),
            (options(&long), "client identifier"),
            (options("one\r"), "client identifier"),
            (options("one").credentials(long.clone(), "x"), "user"),
            (options("one").credentials("x", "y".repeat(1_000)), "password"),
            (options("one").keep_alive(Duration::from_secs(1_000_000)), "keep-alive"),
            (options("one").will(will), "will"),
            (options("one").client_index(99), "client index"),
            (options("one").require_tls(true), "TLS"),
        ] {
            let error = bench.modem.connect(options).await.map(drop).unwrap_err();
            let is_named = names.split('|').any(|name| error.to_string().contains(name));
            assert!(is_named, "{kind:?}: {error} does not name {names}");
            assert!(matches!(error, Error::Input(_) | Error::Unsupported { .. }), "{kind:?}: {error:?}");
        }
        assert_eq!(bench.module.understood().len(), before, "{kind:?}: nothing was sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_the_module_does_not_know_is_refused_before_a_byte_is_sent() {
    for kind in KINDS {
        let bench = Bench::new(kind).await;
        let before = bench.module.understood().len();
        let identity = SignIn::one_net("product", "hush");
        let twice = options("one").sign_in(identity.clone()).credentials("user", "hush");
        let error = bench.modem.connect(twice).await.map(drop).unwrap_err();
        assert!(matches!(error, Error::Input(_)) && error.to_string().contains("user name"), "{error}");
        let outcome = bench.modem.connect(options("one").sign_in(identity)).await;
        if kind.vendor == virtual_modem::Vendor::Quectel {
            outcome.expect("the module knows OneNET");
            continue;
        }
        let error = outcome.map(drop).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{kind:?}: {error:?}");
        assert!(error.to_string().contains("signing in to OneNET"), "{kind:?}: {error}");
        assert_eq!(bench.module.understood().len(), before, "{kind:?}: nothing was sent");
    }
}
