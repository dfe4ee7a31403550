//! The checklist: what it finds, what it advises, and that a failure is one.

use std::process::Command;

use serde_json::Value;

use crate::support::{Sim, fail, mqttat, mute_terminal, refusing_broker, run, succeed, wait_for_text};

/// The findings, and the one line on stderr, of an examination that fails.
#[track_caller]
fn failing(command: &mut Command, options: &[&str]) -> (Vec<Value>, String) {
    let output = run(command.args(["doctor", "--json"]).args(options));
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), line.lines().count()), (Some(1), 1), "{line}");
    let objects = String::from_utf8(output.stdout).unwrap();
    (objects.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), line)
}

#[track_caller]
fn verdict<'a>(checks: &'a [Value], name: &str) -> (&'a str, &'a str) {
    let check = checks.iter().find(|check| check["check"] == name).unwrap();
    (check["verdict"].as_str().unwrap(), check["finding"].as_str().unwrap())
}

#[test]
fn a_healthy_module_of_each_vendor_passes() {
    for vendor in ["quectel", "simcom", "fibocom", "neoway"] {
        let shown = succeed(mqttat().args(["--device", &format!("sim:{vendor}"), "doctor", "--json"]));
        let checks: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(checks.len(), 15, "{vendor}: {shown}");
        for check in checks {
            // The virtual module's clock stands where it was switched on.
            let expected = if check["check"] == "clock" { &["ok", "warning"][..] } else { &["ok"] };
            assert!(expected.contains(&check["verdict"].as_str().unwrap()), "{vendor}: {check}");
        }
    }
}

#[test]
fn a_service_without_clients_is_nothing_that_was_left() {
    let sim = Sim::start(&["--vendor", "simcom"]);
    let left_over = || {
        let shown = succeed(sim.mqttat().args(["doctor", "--json"]));
        let checks: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        verdict(&checks, "left over").1.to_owned()
    };
    succeed(sim.publish("t").args(["-m", "x", "-q", "1"]));
    assert_eq!(left_over(), "no connection of an earlier program");

    let record = sim.file("record.at", b"");
    let mut child = sim.subscribe("t").arg("--record").arg(&record).spawn().unwrap();
    wait_for_text(&record, "<< +CMQTTSUB: ");
    child.kill().unwrap();
    child.wait().unwrap();
    let found = left_over();
    assert!(found.ends_with(" it was closed with AT+CMQTTDISC=0,60, AT+CMQTTREL=0"), "{found}");
}

#[test]
fn people_get_a_list() {
    let shown = succeed(mqttat().args(["--device", "sim:quectel", "doctor"]));
    assert!(shown.starts_with("[ ok ] port "), "{shown}");
    assert!(shown.contains("\n[ ok ] registration     registered, home network"), "{shown}");
    assert!(shown.ends_with("\n[ ok ] login            accepted\n"), "{shown}");
    assert!(!shown.contains('\x1b'), "no colours, for this is no terminal");
}

#[test]
fn a_port_that_cannot_be_opened_is_the_first_to_fail() {
    let (checks, line) = failing(mqttat().args(["--device", "/dev/does-not-exist"]), &[]);
    assert_eq!(verdict(&checks, "port").0, "failed");
    assert!(checks[0]["remedy"].as_str().unwrap().contains("mqttat ports"), "{checks:?}");
    assert!(
        checks[1..].iter().all(|check| check["verdict"] == "skipped") && checks.len() == 15,
        "{checks:?}"
    );
    assert!(line.contains("1 of 1 checks failed: port [fault: link]; "), "{line}");
    assert!(fail(2, mqttat().arg("doctor")).contains("--device"));
}

#[test]
fn silence_is_told_from_a_missing_port() {
    let (_master, name) = mute_terminal();
    let (checks, line) = failing(mqttat().args(["--device", &name, "--sync-timeout", "1"]), &[]);
    assert_eq!(verdict(&checks, "port").0, "ok");
    let (answer, finding) = verdict(&checks, "answer");
    assert!(answer == "failed" && finding.contains("does not answer"), "{finding}");
    assert!(line.contains("[fault: link]; "), "{line}");
}

#[test]
fn a_missing_sim_does_not_hide_the_rest() {
    let sim = Sim::start(&["--fault", "before-final:+CPIN:always:error"]);
    let (checks, line) = failing(&mut sim.mqttat(), &[]);
    assert_eq!(verdict(&checks, "SIM").0, "failed");
    assert_eq!((verdict(&checks, "signal").0, verdict(&checks, "registration").0), ("ok", "ok"));
    assert_eq!((verdict(&checks, "data connection").0, verdict(&checks, "login").0), ("skipped", "skipped"));
    assert!(line.contains("1 of 11 checks failed: SIM [fault: "), "{line}");
}

#[test]
fn a_refused_login_is_told_from_a_broker_that_is_not_there() {
    let sim = Sim::with_broker(&refusing_broker(4).to_string(), &[]);
    let (checks, line) = failing(&mut sim.mqttat(), &["-h", "b", "-u", "user", "-P", "wrong-password"]);
    assert_eq!((verdict(&checks, "broker").0, verdict(&checks, "login").0), ("ok", "failed"));
    assert!(line.contains("[fault: broker]") && !format!("{checks:?}").contains("wrong-password"), "{line}");

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sim = Sim::with_broker(&nobody.to_string(), &[]);
    let (checks, _) = failing(&mut sim.mqttat(), &["-h", "b"]);
    assert_eq!((verdict(&checks, "broker").0, verdict(&checks, "login").0), ("failed", "skipped"));
}

#[test]
fn what_an_earlier_program_left_is_found() {
    let sim = Sim::start(&[]);
    succeed(sim.mqttat().args(["at", "AT+QMTOPEN=0,\"b\",1883"]));
    let shown = succeed(sim.mqttat().arg("doctor"));
    assert!(shown.contains("AT+QMTCLOSE=0"), "{shown}");
    assert!(shown.contains("no broker was named"), "{shown}");
}

#[test]
fn no_attach_touches_nothing() {
    let sim = Sim::start(&[]);
    let record = sim.file("record.at", b"");
    succeed(sim.mqttat().args(["--no-attach", "doctor", "--record"]).arg(&record));
    let transcript = std::fs::read_to_string(&record).unwrap();
    assert!(transcript.contains(">> AT+CSQ") && !transcript.contains(">> AT+QIACT=1"), "{transcript}");
}
