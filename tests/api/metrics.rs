//! The counters tell what happened in a conversation, neither more nor less.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use mqtt_at::at::{CommandLine, Exchange, LinkState};
use mqtt_at::{ClientStatus, Event, ModemOptions, QoS, Supervision};
use virtual_modem::{Action, Fault, Hook, Reboot};

use crate::support::{Bench, KINDS, Kind};

/// What was counted since the last look, as `name{label=value,…}` in the order of the labels.
struct Counters {
    snapshotter: Snapshotter,
    _installed: metrics::LocalRecorderGuard<'static>,
}

/// A counter, the last value of a gauge, or the number of samples and their sum in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Count(u64),
    Gauge(f64),
    Samples(usize, u64),
}

impl Counters {
    fn install() -> Self {
        let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
        let snapshotter = recorder.snapshotter();
        Self { snapshotter, _installed: metrics::set_default_local_recorder(recorder) }
    }

    fn look(&self) -> BTreeMap<String, Value> {
        let all = self.snapshotter.snapshot().into_vec().into_iter().map(|(key, unit, words, value)| {
            let key = key.key();
            assert!(unit.is_some() && words.is_some(), "{key} is not described");
            let labels = key.labels().map(|label| format!("{}={}", label.key(), label.value()));
            let name = format!("{}{{{}}}", key.name(), labels.collect::<Vec<_>>().join(","));
            let value = match value {
                DebugValue::Counter(count) => Value::Count(count),
                DebugValue::Gauge(value) => Value::Gauge(value.0),
                DebugValue::Histogram(samples) => {
                    let sum: f64 = samples.iter().map(|sample| sample.0).sum();
                    Value::Samples(samples.len(), (sum * 1000.0).round() as u64)
                }
            };
            (name, value)
        });
        all.filter(|(_, value)| *value != Value::Count(0)).collect()
    }
}

fn command(text: &str) -> Exchange {
    Exchange::new(CommandLine::raw(text).unwrap())
}

async fn bench(kind: &Kind, faults: &[Fault]) -> Bench {
    let faults = faults.to_vec();
    let change = |builder: virtual_modem::Builder| {
        faults.into_iter().fold(builder.rtt(Duration::from_millis(40)), virtual_modem::Builder::fault)
    };
    Bench::with(kind, change, ModemOptions::new().name("m").receive_capacity(4)).await
}

#[tokio::test(start_paused = true)]
async fn publishes_are_counted_by_outcome_with_bytes_and_time() {
    for kind in KINDS {
        let counters = Counters::install();
        let bench = bench(kind, &[]).await;
        let client = bench.client("one").await;
        counters.look();
        for (qos, payload) in [(QoS::AtMostOnce, "12"), (QoS::AtLeastOnce, "345"), (QoS::AtLeastOnce, "6789")]
        {
            client.publish("t", qos, false, payload).await.unwrap();
        }
        client.publish("t", QoS::AtLeastOnce, false, vec![0; kind.longest + 1]).await.unwrap_err();
        let left = client.publish("t", QoS::AtLeastOnce, false, "left");
        assert!(tokio::time::timeout(Duration::from_millis(1), left).await.is_err());
        // It goes on without its caller.
        tokio::time::sleep(Duration::from_secs(1)).await;
        bench.broker.withhold_acknowledgements(true);
        client.publish("t", QoS::ExactlyOnce, false, "lost").await.unwrap_err();
        let counted = counters.look();
        let expected = [
            ("mqtt_at_publishes_total{modem=m,qos=0,outcome=sent}", 1),
            ("mqtt_at_publishes_total{modem=m,qos=1,outcome=delivered}", 2),
            ("mqtt_at_publishes_total{modem=m,qos=1,outcome=not_sent}", 1),
            ("mqtt_at_publishes_total{modem=m,qos=2,outcome=unknown}", 1),
            ("mqtt_at_publishes_total{modem=m,qos=1,outcome=abandoned}", 1),
            ("mqtt_at_published_bytes_total{modem=m}", 9),
        ];
        for (name, count) in expected {
            assert_eq!(counted.get(name), Some(&Value::Count(count)), "{kind:?}: {name}: {counted:#?}");
        }
        let publishes = counted.keys().filter(|name| name.starts_with("mqtt_at_publishes_total")).count();
        assert_eq!(publishes, 5, "{counted:#?}");
        // Two round trips of the virtual network.
        let took = counted.get("mqtt_at_publish_seconds{modem=m,qos=1}");
        assert!(matches!(took, Some(Value::Samples(2, 80..=110))), "{kind:?}: {took:?}");
        assert!(matches!(counted.get("mqtt_at_publish_seconds{modem=m,qos=0}"), Some(Value::Samples(1, _))));
        assert!(!counted.contains_key("mqtt_at_publish_seconds{modem=m,qos=2}"), "it did not succeed");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_and_those_that_were_lost_are_counted() {
    for kind in KINDS {
        let counters = Counters::install();
        let bench = bench(kind, &[]).await;
        let client = bench.client("one").await;
        let mut messages = client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
        counters.look();
        for payload in ["1", "22", "333", "4444", "55555", "666666"] {
            client.publish("t", QoS::AtLeastOnce, false, payload).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(messages.next().await.unwrap().unwrap_err().0, 2, "{kind:?}");
        let counted = counters.look();
        for (name, count) in [("received_messages", 6), ("received_bytes", 21), ("lagged_messages", 2)] {
            let name = format!("mqtt_at_{name}_total{{modem=m}}");
            assert_eq!(counted.get(&name), Some(&Value::Count(count)), "{kind:?}: {name}: {counted:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_queue_and_its_high_water_mark_are_gauges() {
    let kind = &KINDS[0];
    let counters = Counters::install();
    let bench = bench(kind, &[]).await;
    let client = bench.client("one").await;
    let publishes = (0..20).map(|_| client.publish("t", QoS::AtMostOnce, false, "x"));
    futures::future::join_all(publishes).await;
    let counted = counters.look();
    assert_eq!(counted.get("mqtt_at_queue_depth{modem=m}"), Some(&Value::Gauge(0.0)));
    // The window lets five publishes through to the port; one of them has it, the others wait.
    assert_eq!(counted.get("mqtt_at_queue_depth_peak{modem=m}"), Some(&Value::Gauge(5.0)));
}

#[tokio::test(start_paused = true)]
async fn every_exchange_is_timed_and_refusals_are_counted() {
    let counters = Counters::install();
    let bench = bench(&KINDS[0], &[]).await;
    counters.look();
    for text in ["AT", "AT+CSQ", "AT"] {
        bench.modem.run(command(text)).await.unwrap();
    }
    bench.modem.run(command("AT+NOSUCH")).await.unwrap_err();
    let counted = counters.look();
    assert!(matches!(counted.get("mqtt_at_exchange_seconds{modem=m}"), Some(Value::Samples(4, _))));
    assert_eq!(counted.get("mqtt_at_refusals_total{modem=m}"), Some(&Value::Count(1)));
}

#[tokio::test(start_paused = true)]
async fn fences_stray_lines_and_damage_are_counted() {
    for kind in KINDS {
        let counters = Counters::install();
        let lost = Fault::new(Hook::BeforeFinal, Action::Silence).command("+CSQ");
        let bench = bench(kind, &[lost]).await;
        let mut link = bench.modem.link();
        counters.look();
        let counted_as = |name: &str, count| {
            let counted = counters.look();
            let name = format!("mqtt_at_{name}");
            assert_eq!(counted.get(&name), Some(&Value::Count(count)), "{kind:?}: {name}: {counted:#?}");
            counted
        };
        bench.modem.run(command("AT+CSQ")).await.unwrap_err();
        link.wait_for(|link| *link == LinkState::Synced).await.unwrap();
        // The answer that came too late was the fence's, and no stray line.
        let counted = counted_as("fences_total{modem=m}", 1);
        assert_eq!(counted.get("mqtt_at_fence_probes_total{modem=m}"), Some(&Value::Count(1)));
        assert!(!counted.keys().any(|name| name.starts_with("mqtt_at_stray")), "{kind:?}: {counted:#?}");

        let settled = async || tokio::time::sleep(Duration::from_secs(10)).await;
        bench.module.inject_urc("+NOBODYS: 1");
        settled().await;
        counted_as("stray_lines_total{modem=m,kind=unknown}", 1);
        bench.module.inject_urc("OK");
        settled().await;
        counted_as("stray_lines_total{modem=m,kind=final}", 1);
        bench.module.inject_raw("half a line");
        settled().await;
        counted_as("damaged_frames_total{modem=m,kind=damaged}", 1);
        bench.module.inject_raw([b"\r\n".to_vec(), vec![b'x'; 20_000], b"\r\n".to_vec()].concat());
        settled().await;
        counted_as("damaged_frames_total{modem=m,kind=overrun}", 1);
        bench.module.reboot(Reboot::Silent);
        settled().await;
        let _ = bench.modem.run(command("AT+CSQ")).await;
        counted_as("stray_lines_total{modem=m,kind=echo}", 1);
    }
}

/// A broker that closes the connection, a network that goes away, a port that is pulled out, a result that never comes:
/// what is counted has the causes of which the events tell.
#[tokio::test(start_paused = true)]
async fn every_loss_and_every_return_is_counted_under_the_cause_that_was_told() {
    for kind in KINDS {
        let counters = Counters::install();
        let bench = Bench::supervised(kind, Supervision::new()).await;
        let client = bench.client("one").await;
        let mut events = client.events();
        let strike: [&dyn Fn(); 4] = [
            &|| assert!(bench.broker.kick("one")),
            &|| bench.module.drop_pdp(),
            &|| bench.module.inject_fault(Fault::new(Hook::AfterLine, Action::HangUp)),
            &|| bench.module.reboot(Reboot::Loud),
        ];
        let mut told = BTreeMap::<String, u64>::new();
        for strike in strike {
            counters.look();
            strike();
            // What has been lost without a word is found out by the publish.
            while client.publish("t", QoS::AtLeastOnce, false, "x").await.is_err() {}
            tokio::time::sleep(Duration::from_secs(120)).await;
            let mut causes = BTreeMap::<String, u64>::new();
            for event in std::iter::from_fn(|| events.try_recv().ok()) {
                if let Event::Lost(cause) = event {
                    // The words are those of the variants.
                    *causes.entry(snake_case(&format!("{cause:?}"))).or_default() += 1;
                }
            }
            assert!(!causes.is_empty(), "{kind:?}: nothing was lost");
            let counted = counters.look();
            for name in ["losses", "reconnects"] {
                let prefix = format!("mqtt_at_{name}_total{{modem=,cause=");
                let counts = counted.iter().filter_map(|(name, value)| {
                    let cause = name.strip_prefix(&prefix)?.strip_suffix('}')?;
                    let Value::Count(count) = value else { return None };
                    Some((cause.to_owned(), *count))
                });
                assert_eq!(counts.collect::<BTreeMap<_, _>>(), causes, "{kind:?}: {name}");
            }
            told.extend(causes);
        }
        assert!(told.len() >= 3, "{kind:?}: {told:?}");
    }
}

/// `ClosedByPeer` as `closed_by_peer`.
fn snake_case(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[tokio::test(start_paused = true)]
async fn losses_and_reboots_are_counted_by_cause() {
    for kind in KINDS {
        let counters = Counters::install();
        let bench = bench(kind, &[]).await;
        let client = bench.client("one").await;
        let mut status = client.status();
        counters.look();
        bench.module.reboot(Reboot::Loud);
        let lost = status.wait_for(|it| matches!(it, ClientStatus::Lost(_)));
        tokio::time::timeout(Duration::from_secs(120), lost).await.expect("the reboot is told").unwrap();
        let counted = counters.look();
        let losses = counted.get("mqtt_at_losses_total{modem=m,cause=rebooted}");
        assert_eq!(losses, Some(&Value::Count(1)), "{kind:?}: {counted:#?}");
        assert!(
            matches!(counted.get("mqtt_at_reboots_total{modem=m}"), Some(Value::Count(1..=2))),
            "{kind:?}"
        );
    }
}

/// The page has each name that was counted in these tests, and no other; and each word for a cause.
#[tokio::test(start_paused = true)]
async fn the_page_of_the_metrics_is_complete() {
    let page = std::fs::read_to_string("docs/METRICS.md").unwrap();
    let quoted: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    let documented: BTreeSet<&str> = quoted.iter().copied().filter(|it| it.starts_with("mqtt_at_")).collect();
    let source = include_str!("../../crates/mqtt-at/src/metrics/recorded.rs");
    let strings: BTreeSet<&str> = source.split('"').skip(1).step_by(2).collect();
    let counted: BTreeSet<&str> = strings.iter().copied().filter(|it| it.starts_with("mqtt_at_")).collect();
    assert_eq!(documented, counted);
    let causes = source.split("LossCause::").skip(1).filter_map(|arm| arm.split('"').nth(1));
    for cause in causes {
        assert!(quoted.contains(&cause), "{cause} is missing");
    }
}
