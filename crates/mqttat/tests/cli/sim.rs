//! The virtual module as a program of its own, and the commands on it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{PATIENCE, Sim, fail, mqttat, run, succeed, wait_for_text};

fn signal(child: &std::process::Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn hosts_come_and_go_and_the_module_stays() {
    let sim = Sim::start(&[]);
    assert!(
        sim.ready.starts_with(&format!("READY {} broker 127.0.0.1:", sim.link.display())),
        "{}",
        sim.ready
    );
    succeed(sim.mqttat().args(["at", "AT+QMTCFG=\"keepalive\",3,77"]));
    assert_eq!(
        succeed(sim.mqttat().args(["at", "AT+QMTCFG=\"keepalive\",3"])),
        "+QMTCFG: \"keepalive\",77\n"
    );
    for text in ["first", "second"] {
        succeed(sim.publish("state").args(["-m", text, "-r", "-q", "1"]));
        assert_eq!(succeed(sim.subscribe("state").args(["-C", "1"])), format!("{text}\n"));
    }
}

#[test]
fn it_takes_its_link_away_when_it_ends() {
    for how in [Signal::INT, Signal::TERM] {
        let mut sim = Sim::start(&[]);
        assert!(sim.link.exists());
        signal(&sim.child, how);
        assert!(sim.child.wait().unwrap().success());
        assert!(std::fs::symlink_metadata(&sim.link).is_err(), "the link is gone");
    }
}

#[test]
fn it_can_be_reached_over_tcp() {
    let mut child = mqttat()
        .args(["sim", "--tcp", "127.0.0.1:0", "--broker", "embedded", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let device = ready["ready"].as_str().unwrap();
    assert!(device.starts_with("tcp://127.0.0.1:") && ready["broker"].is_string(), "{ready}");
    for _ in 0..2 {
        let shown = succeed(mqttat().args(["--device", device, "info"]));
        assert!(shown.starts_with("vendor: Quectel\n"), "{shown}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn quirks_and_pace_are_taken() {
    let sim = Sim::start(&[
        "--quirk",
        "prompt-bare",
        "--quirk",
        "extra-blank-lines=2",
        "--baud",
        "115200",
        "--rtt",
        "5",
    ]);
    succeed(sim.publish("t").args(["-m", "x", "-q", "2"]));
    assert!(fail(2, mqttat().args(["sim", "--quirk", "nonsense"])).contains("nonsense"));
    assert!(fail(2, mqttat().args(["sim", "--fault", "nonsense"])).contains("nonsense"));
}

#[test]
fn info_tells_what_the_module_is() {
    let shown = succeed(mqttat().args(["--device", "sim:quectel", "info"]));
    for key in
        ["vendor", "model", "revision", "imei", "sim", "signal", "registration", "operator", "mqtt payload"]
    {
        assert!(shown.lines().any(|line| line.starts_with(&format!("{key}: "))), "{key}: {shown}");
    }
    let object: serde_json::Value =
        serde_json::from_str(&succeed(mqttat().args(["--device", "sim:quectel", "info", "--json"]))).unwrap();
    assert_eq!(object["limits"]["payload_bytes"], 1500);
    assert_eq!(object["vendor"], "Quectel");
}

#[test]
fn raw_commands_print_their_answers_in_order() {
    let mut command = mqttat();
    command.args(["--device", "sim:quectel", "at", "ATI", "+CSQ", "AT"]);
    let shown = succeed(&mut command);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.first(), Some(&"Quectel"));
    assert!(lines.last().is_some_and(|line| line.starts_with("+CSQ: ")), "{shown}");
    assert!(!lines.contains(&"OK"), "information responses only");
    let objects = succeed(mqttat().args(["--device", "sim:quectel", "--json", "at", "+CSQ"]));
    let object: serde_json::Value = serde_json::from_str(&objects).unwrap();
    assert_eq!((object["command"].as_str(), object["result"].as_str()), (Some("+CSQ"), Some("OK")));
}

#[test]
fn time_that_runs_out_is_exit_code_27() {
    let sim = Sim::start(&[]);
    for options in [&["-C", "1"][..], &[]] {
        let mut command = sim.mqttat();
        command.args(["sub", "-h", "b", "-t", "nothing", "-W", "0.5"]).args(options);
        let line = fail(27, &mut command);
        assert!(line.contains("0.5 s"), "{line}");
    }
}

#[test]
fn retained_messages_can_be_left_out() {
    let sim = Sim::start(&[]);
    succeed(sim.publish("old").args(["-m", "stale", "-r", "-q", "1"]));
    let mut command = sim.mqttat();
    command.args(["sub", "-h", "b", "-t", "old", "-R", "-C", "1", "-W", "3"]);
    fail(27, &mut command);
}

#[test]
fn ctrl_c_ends_a_subscription_with_a_farewell() {
    let sim = Sim::start(&[]);
    let record = sim.file("record.at", b"");
    let mut command = sim.subscribe("t");
    command.arg("--record").arg(&record).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    wait_for_text(&record, "<< +QMTSUB: ");
    // Twice, as supervisors do it.
    signal(&child, Signal::INT);
    signal(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let transcript = std::fs::read_to_string(&record).unwrap();
    assert!(
        transcript.contains(">> AT+QMTDISC=0") && transcript.contains("<< +QMTDISC: 0,0"),
        "{transcript}"
    );
}

#[test]
fn a_connection_that_is_lost_ends_a_subscription_with_the_reason() {
    // The broker goes away with the module's process; the port goes with it.
    let mut sim = Sim::start(&[]);
    let record = sim.file("record.at", b"");
    let mut command = sim.subscribe("t");
    command.arg("--record").arg(&record).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.arg("--no-reconnect").spawn().unwrap();
    wait_for_text(&record, "<< +QMTSUB: ");
    sim.child.kill().unwrap();
    let start = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed() < PATIENCE / 2, "it does not wait for -W");
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.lines().count() == 1 && line.contains("port") && line.contains("[fault: link]; "), "{line}");
}

#[test]
fn a_reader_that_leaves_ends_a_subscription_quietly() {
    let sim = Sim::start(&[]);
    succeed(sim.publish("t").args(["-m", "x", "-r", "-q", "1"]));
    let mut command = sim.subscribe("t");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_second_program_is_told_who_has_the_port() {
    let sim = Sim::start(&[]);
    let record = sim.file("record.at", b"");
    let mut command = sim.subscribe("t");
    let mut child = command.arg("--record").arg(&record).stdout(Stdio::null()).spawn().unwrap();
    wait_for_text(&record, "<< +QMTSUB: ");
    let line = fail(1, sim.mqttat().arg("info"));
    assert!(line.contains("in use by") && line.contains("[fault: link]; "), "{line}");
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // A port that was busy is free again.
    let start = Instant::now();
    while !run(sim.mqttat().arg("info")).status.success() {
        assert!(start.elapsed() < PATIENCE, "the port stays busy");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn ports_are_listed_or_there_are_none() {
    let shown = succeed(mqttat().arg("ports"));
    let objects = succeed(mqttat().args(["ports", "--json"]));
    assert_eq!(shown.lines().count(), objects.lines().count());
    for (row, object) in shown.lines().zip(objects.lines()) {
        let object: serde_json::Value = serde_json::from_str(object).unwrap();
        assert!(row.starts_with(object["port"].as_str().unwrap()));
    }
}

#[test]
fn the_version_goes_to_stdout() {
    let version = succeed(mqttat().arg("--version"));
    assert_eq!(version, concat!("mqttat ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_port_that_a_fault_closes_comes_back_under_its_link() {
    let sim = Sim::start(&["--fault", "before-final:+CSQ:hang-up"]);
    fail(1, sim.mqttat().args(["at", "+CSQ"]));
    let start = Instant::now();
    while !sim.mqttat().args(["at", "+CSQ"]).output().unwrap().status.success() {
        assert!(start.elapsed() < PATIENCE, "the port is back");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn random_faults_are_taken_with_their_seed() {
    let sim = Sim::start(&[
        "--fault",
        "swarm",
        "--fault",
        "line-swarm",
        "--fault",
        "to-host@9:split",
        "--seed",
        "7",
    ]);
    assert!(sim.ready.starts_with("READY "));
}

#[test]
fn looking_at_a_module_leaves_the_connections_of_others_alone() {
    let sim = Sim::start(&["--vendor", "neoway"]);
    let record = sim.file("record.at", b"");
    let mut child = sim.subscribe("t").arg("--record").arg(&record).stdout(Stdio::null()).spawn().unwrap();
    wait_for_text(&record, ">> AT+MQTTSUB=");
    child.kill().unwrap();
    child.wait().unwrap();
    succeed(sim.mqttat().arg("info"));
    succeed(sim.mqttat().arg("console"));
    assert_eq!(succeed(sim.mqttat().args(["at", "AT+MQTTSTATE?"])), "+MQTTSTATE: 1\n");
    // Programs that connect begin with a clean module.
    succeed(sim.publish("t").args(["-m", "x"]));
    assert_eq!(succeed(sim.mqttat().args(["at", "AT+MQTTSTATE?"])), "+MQTTSTATE: 0\n");
}
