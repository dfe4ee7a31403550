//! What `sub` tells besides messages, and when it ends.

use std::net::TcpListener;

use crate::support::{Sim, fail, mqttat, run, succeed};

#[test]
fn a_message_that_was_dropped_is_told() {
    let sim = Sim::start(&[]);
    for topic in ["d/1", "d/2"] {
        succeed(sim.publish(topic).args(["-m", "whole", "-r", "-q", "1"]));
    }
    let record = sim.file("record.at", b"");
    succeed(sim.subscribe("d/#").args(["-i", "me", "-C", "2", "--record"]).arg(&record));
    // The module's side of it, but for the length of one message.
    let transcript = std::fs::read_to_string(&record).unwrap();
    let damaged = transcript.replacen(",\"d/1\",5,\"whole\"", ",\"d/1\",\"whole\"", 1);
    assert_ne!(transcript, damaged, "{transcript}");
    let device = format!("play:{}", sim.file("damaged.at", damaged.as_bytes()).display());
    for options in [&[][..], &["--json"]] {
        let mut command = mqttat();
        command.args([
            "--device",
            &device,
            "sub",
            "-h",
            "broker.example.com",
            "-i",
            "me",
            "-t",
            "d/#",
            "-C",
            "1",
        ]);
        let output = run(command.args(options));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        assert!(told.starts_with("mqttat: a message of ") && told.contains(" was dropped: "), "{told}");
        assert_eq!((told.lines().count(), output.stdout.is_empty()), (1, false), "{told}");
    }
}

#[test]
fn the_time_counts_while_the_broker_says_nothing() {
    // Connections are accepted by the system, and nobody reads what comes over them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let sim = Sim::with_broker(&silent.local_addr().unwrap().to_string(), &[]);
    let subscribe = |sim: &Sim| {
        let mut command = sim.mqttat();
        command.args(["sub", "-h", "broker.example.com", "-t", "t", "-W", "1.5"]);
        fail(27, &mut command)
    };
    assert!(subscribe(&sim).contains("the 1.5 s of -W are over, the connection was not there yet"));

    let sim = Sim::start(&["--fault", "result:+QMTSUB:silence"]);
    assert!(subscribe(&sim).contains("the 1.5 s of -W are over, the subscription was not made yet"));
}

#[test]
fn the_quality_of_service_is_what_the_module_tells() {
    let sim = Sim::start(&["--vendor", "fibocom"]);
    for qos in ["0", "1", "2"] {
        succeed(sim.publish(&format!("q/{qos}")).args(["-m", "x", "-r", "-q", qos]));
    }
    let shown = succeed(sim.subscribe("q/#").args(["-q", "2", "-C", "3", "-F", "%t %q"]));
    let mut lines: Vec<_> = shown.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["q/0 0", "q/1 1", "q/2 2"]);
}
