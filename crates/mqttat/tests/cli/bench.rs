//! Measurements: that they are made, and that what they say is so.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Sim, fail, mqttat, succeed};

fn bench(vendor: &str, options: &[&str]) -> Vec<Value> {
    let device = format!("sim:{vendor}");
    let shown = succeed(mqttat().args(["--device", &device, "bench", "--json"]).args(options));
    shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_vendor_is_measured_line_by_line() {
    for vendor in ["quectel", "simcom", "fibocom", "neoway"] {
        let lines = bench(vendor, &["-q", "0,1,2", "--size", "24,100", "--count", "10", "--round-trip"]);
        assert_eq!(lines.len(), 6);
        for line in &lines {
            assert_eq!((line["published"].as_u64(), line["failed"].as_u64()), (Some(10), Some(0)), "{line}");
            assert_eq!(line["round_trip"]["received"], 10, "{line}");
            let figures =
                ["p50", "p95", "p99", "max"].map(|name| line["publish_milliseconds"][name].as_f64().unwrap());
            assert!(figures.is_sorted() && figures[0] > 0.0, "{line}");
        }
        assert_eq!((lines[5]["qos"].as_u64(), lines[5]["bytes"].as_u64()), (Some(2), Some(100)));
    }
}

#[test]
fn the_pace_of_line_and_network_is_measured() {
    // A kilobyte at 115 200 baud takes 87 ms, and an acknowledgement the round trip.
    let options =
        ["-q", "1", "--size", "1000", "--count", "3", "--in-flight", "1", "--rtt", "200", "--baud", "115200"];
    let lines = bench("quectel", &options);
    let fastest = lines[0]["publish_milliseconds"]["p50"].as_f64().unwrap();
    assert!(fastest >= 280.0, "{lines:?}");
}

#[test]
fn a_duration_is_kept_with_several_clients() {
    let start = Instant::now();
    let lines = bench("quectel", &["-q", "1", "--size", "50", "--duration", "0.5", "--clients", "3"]);
    assert!(start.elapsed() >= Duration::from_millis(500));
    assert_eq!((lines[0]["clients"].as_u64(), lines[0]["failed"].as_u64()), (Some(3), Some(0)));
    assert!(lines[0]["seconds"].as_f64().unwrap() >= 0.5 && lines[0]["published"].as_u64().unwrap() > 3);
}

#[test]
fn people_get_a_table() {
    let shown = succeed(mqttat().args(["--device", "sim:quectel", "bench", "--count", "5"]));
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 5, "{shown}");
    assert!(lines[0].trim_start().starts_with("QoS  bytes") && lines[0].ends_with("max ms"), "{shown}");
}

#[test]
fn what_cannot_be_measured_is_told() {
    let on = |device: &str, options: &[&str]| {
        let mut command = mqttat();
        command.args(["--device", device, "bench"]).args(options);
        command
    };
    assert!(fail(1, &mut on("sim:quectel", &["--size", "1501"])).contains("1500 [fault: input]; "));
    assert!(fail(1, &mut on("sim:neoway", &["--clients", "2"])).contains("has 1 [fault: input]; "));
    assert!(fail(2, &mut on("sim:quectel", &["--round-trip", "--size", "5"])).contains("24 bytes"));
    assert!(fail(2, &mut on("COM5", &["-h", "b", "--fault", "swarm"])).contains("virtual modules"));
    assert!(fail(2, &mut on("sim:quectel", &["--soak", "1w"])).contains("--soak"));
    assert!(fail(2, &mut on("sim:quectel", &["-q", "3"])).contains("must be 0, 1 or 2"));
    assert!(fail(2, &mut on("COM5", &[])).contains("-h HOST"));
}

#[test]
fn a_publish_that_fails_is_a_failure_with_its_figures() {
    let sim = Sim::start(&["--fault", "before-final:+QMTPUBEX:4:error"]);
    let mut command = sim.mqttat();
    command.args([
        "bench",
        "-h",
        "b",
        "-q",
        "1",
        "--size",
        "50",
        "--count",
        "9",
        "--in-flight",
        "1",
        "--json",
    ]);
    let output = crate::support::run(&mut command);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["failed"], 1, "{line}");
    assert!((1..9).contains(&line["published"].as_u64().unwrap()), "{line}");
    let failure = String::from_utf8(output.stderr).unwrap();
    assert!(failure.contains("the first publish that failed: ") && failure.contains("[fault: "), "{failure}");
}

#[test]
fn a_soak_accounts_for_every_message_whatever_happens() {
    for (vendor, fault) in [
        ("quectel", "result:+QMTPUBEX:5:reboot"),
        ("simcom", "result:+CMQTTPUB:5:reboot"),
        ("fibocom", "before-final:+MQTTPUB:5:reboot"),
        ("neoway", "before-final:+MQTTPUBS:5:reboot"),
    ] {
        let lines = bench(vendor, &["--soak", "6s", "--interval", "0.1", "--size", "64", "--fault", fault]);
        let balance = &lines[0];
        let count = |name: &str| balance[name].as_u64().unwrap();
        assert!(count("accepted") > 5 && count("reconnects") >= 1, "{vendor}: {balance}");
        assert_eq!(
            count("delivered") + count("unknown") + count("not_sent"),
            count("accepted"),
            "{vendor}: {balance}"
        );
        assert_eq!((count("lost"), count("sent_unasked")), (0, 0), "{vendor}: {balance}");
    }
}

#[test]
fn people_get_a_ledger() {
    let shown =
        succeed(mqttat().args(["--device", "sim:quectel", "bench", "--soak", "1s", "--interval", "0.2"]));
    for row in
        ["accepted: ", "delivered: ", "lost: 0\n", "duplicated: 0\n", "reconnects: 0\n", "memory slope: "]
    {
        assert!(shown.contains(row), "{row}: {shown}");
    }
}
