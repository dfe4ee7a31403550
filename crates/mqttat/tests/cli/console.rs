//! The console: at a terminal, and as a filter.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::support::{Sim, mqttat, run};
use crate::terminal::Terminal;

const CANARY: &str = "canary-7f3a9";

/// Gives the console these lines on stdin.
pub(crate) fn feed(command: &mut Command, lines: &str) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn console(sim: &Sim) -> Command {
    let mut command = sim.mqttat();
    command.arg("console");
    command
}

#[test]
fn lines_of_stdin_are_sent_in_order() {
    let output =
        feed(mqttat().args(["--device", "sim:quectel", "console"]), "ATI\r\n\n+CSQ\nAT+NOSUCH\n+cpin?");
    assert!(output.status.success(), "{output:?}");
    let shown = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.first(), Some(&"Quectel"));
    assert!(
        lines.iter().any(|line| line.starts_with("+CSQ: ")) && shown.contains("\n+CME ERROR: "),
        "{shown}"
    );
    assert_eq!(&lines[lines.len() - 2..], ["+CPIN: READY", "OK"]);
    assert!(output.stderr.is_empty() && !shown.contains('\x1b'), "no colours, for this is no terminal");
}

#[test]
fn every_vendors_commands_are_listed() {
    for (vendor, name) in [
        ("quectel", "AT+QMTUNS"),
        ("simcom", "AT+CMQTTUNSUB"),
        ("fibocom", "AT+MQTTUNSUB"),
        ("neoway", "AT+MQTTUNSUB"),
    ] {
        let device = format!("sim:{vendor}");
        let output = feed(mqttat().args(["--device", &device, "console"]), "? subscription\n");
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.lines().any(|line| line.starts_with(name)), "{vendor}: {shown}");
    }
}

#[test]
fn what_harms_is_refused_and_is_not_the_end() {
    let lines = "AT+QPOWD\nAT+QMTPUBEX=0,0,0,0,\"t\",5\n+CSQ\n";
    let output = feed(mqttat().args(["--device", "sim:quectel", "console"]), lines);
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaints.lines().count(), 2, "{complaints}");
    assert!(
        complaints.contains("AT+QPOWD switches the module off [fault: input]; add --force"),
        "{complaints}"
    );
    assert!(complaints.contains("AT+QMTPUBEX asks for data with a prompt"), "{complaints}");
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("+CSQ: "));
}

#[test]
fn secrets_are_masked_in_answers_and_in_logs() {
    let sim = Sim::start(&[]);
    let record = sim.file("record.at", b"");
    let lines = format!("AT+QMTCFG=\"aliauth\",0,\"key\",\"name\",\"{CANARY}\"\nAT+QMTCFG=\"aliauth\",0\n");
    let output = feed(console(&sim).args(["-vvv", "--json", "--record"]).arg(&record), &lines);
    let shown = [output.stdout, output.stderr, std::fs::read(&record).unwrap()].concat();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("***") && !shown.contains(CANARY), "{shown}");
    assert!(shown.contains("{\"from\":\"module\",\"text\":\"OK\"}"), "{shown}");
}

#[test]
fn reports_come_above_what_is_being_typed() {
    let sim = Sim::start(&["--rtt", "400"]);
    let mut terminal = Terminal::start(console(&sim));
    terminal.wait_for("Ctrl-D ends it.");
    terminal.press("AT+QMTOPEN=0,\"b\",1883\r");
    terminal.wait_for("OK\r\n");
    // Typed while the module is still connecting.
    terminal.press("AT+CS");
    terminal.wait_for("+QMTOPEN: 0,0");
    terminal.press("Q\r");
    terminal.wait_for("+CSQ: ");
    terminal.press("\x04");
    assert!(terminal.end().success(), "{}", terminal.shown());
}

#[test]
fn commands_are_completed_and_remembered() {
    let sim = Sim::start(&[]);
    let mut terminal = Terminal::start(console(&sim));
    terminal.wait_for("Ctrl-D ends it.");
    terminal.press("+qmtcfg=\"ke\t");
    terminal.wait_for("AT+QMTCFG=\"keepalive\"");
    terminal.wait_for("the keep-alive time");
    terminal.press(",0\r");
    terminal.wait_for("+QMTCFG: \"keepalive\",");
    terminal.press("exit\r");
    assert!(terminal.end().success());
    // Another run knows what the first was asked: the arrow key brings `exit`, and the one before it.
    let mut terminal = Terminal::start(console(&sim));
    terminal.wait_for("Ctrl-D ends it.");
    terminal.press("\x1b[A\x1b[A\r");
    terminal.wait_for("+QMTCFG: \"keepalive\",");
    terminal.press("\x04");
    assert!(terminal.end().success());
}

#[test]
fn secrets_are_starred_while_they_are_typed_and_never_remembered() {
    let sim = Sim::start(&[]);
    let mut terminal = Terminal::start(console(&sim));
    terminal.wait_for("Ctrl-D ends it.");
    terminal.press(&format!("AT+QMTCONN=0,\"id\",\"user\",\"{CANARY}\"\r"));
    terminal.wait_for("******");
    terminal.wait_for("ERROR");
    terminal.press("+CSQ\r");
    terminal.wait_for("+CSQ: ");
    terminal.press("\x04");
    assert!(terminal.end().success());
    assert!(!terminal.shown().contains(CANARY), "{}", terminal.shown());
    let history = std::fs::read_to_string(sim.link.parent().unwrap().join("console-history")).unwrap();
    assert!(history.contains("+CSQ") && !history.contains(CANARY), "{history}");
}

#[test]
fn a_port_that_goes_away_ends_it_with_the_reason() {
    let mut sim = Sim::start(&[]);
    let mut terminal = Terminal::start(console(&sim));
    terminal.wait_for("Ctrl-D ends it.");
    sim.child.kill().unwrap();
    terminal.wait_for("[fault: link]; ");
    assert_eq!(terminal.end().code(), Some(1));
}

#[test]
fn without_a_module_it_says_so() {
    let output = run(mqttat().args(["--device", "/dev/does-not-exist", "console"]));
    assert_eq!(output.status.code(), Some(1));
}
