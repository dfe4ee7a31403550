//! Transcripts: what was recorded is read, shown, and played to the client again.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{Sim, fail, mqttat, run, succeed};

const CANARY: &str = "canary-7f3a9";
/// The connection is lost in the middle of the third publish.
const FAULT: &str = "result:+CMQTTPUB:3:urc=+CMQTTCONNLOST: 0,1";

const PUBLISH: &[&str] = &[
    "pub",
    "-h",
    "broker.example.com",
    "-i",
    "gateway-7",
    "-u",
    "user",
    "-P",
    CANARY,
    "-t",
    "site/7/up",
    "-q",
    "1",
    "-m",
    "hello",
    "--repeat",
    "4",
    "--repeat-delay",
    "0.1",
    "--json",
];

/// A transcript of a session with a fault, and how the session ended.
fn record(sim: &Sim) -> (PathBuf, Output) {
    let path = sim.file("record.at", b"");
    let output = run(sim.mqttat().arg("--record").arg(&path).args(PUBLISH));
    // The client reconnects, and the publish succeeds after all.
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    (path, output)
}

fn objects(path: &Path) -> Vec<String> {
    let text = succeed(mqttat().arg("replay").arg(path).arg("--json"));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_session_with_a_fault_is_read_shown_and_played_again() {
    let sim = Sim::start(&["--vendor", "simcom", "--fault", FAULT]);
    let (path, live) = record(&sim);

    // What happened is in the transcript, in words.
    let objects = objects(&path);
    let is = |object: &String, wanted: &[&str]| wanted.iter().all(|it| object.contains(it));
    let published =
        objects.iter().filter(|it| is(it, &[r#""kind":"result""#, "+CMQTTPUB: 0,0", "published"]));
    assert!(published.count() >= 2, "{objects:#?}");
    let errors: Vec<_> =
        objects.iter().filter(|it| is(it, &[r#""event":"finding""#, r#""severity":"error""#])).collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    let words = "the connection of client 0 was lost: closed or reset by the broker";
    assert!(is(errors[0], &[words, "[A7600 MQTT 1.00 §2.2.2.1]"]), "{errors:?}");
    assert!(objects.last().unwrap().contains(r#""event":"summary","vendor":"SIMCom""#), "{objects:?}");

    // The page shows it first, and nothing of all this holds the password.
    let html = sim.file("page.html", b"");
    let text = succeed(mqttat().arg("replay").arg(&path).arg("--html").arg(&html));
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.contains("<p class=\"verdict error\">1 error</p>") && page.contains(words), "{page}");
    assert!(text.contains("!! error: ") && text.contains("errors: 1, warnings: 0, notes: "), "{text}");
    let transcript = std::fs::read_to_string(&path).unwrap();
    for shown in [&text, &page, &transcript, &objects.concat()] {
        assert!(!shown.contains(CANARY) && shown.contains("***"), "{shown}");
    }

    // The module's side of it makes the same client do the same again.
    let again = sim.file("again.at", b"");
    let device = format!("play:{}", path.display());
    let played = run(mqttat().args(["--device", &device, "--record"]).arg(&again).args(PUBLISH));
    let without_times = |output: &Output| {
        let out = String::from_utf8(output.stdout.clone()).unwrap();
        let lines = out.lines().map(|line| line.split(",\"milliseconds\"").next().unwrap().to_owned());
        (output.status.code(), lines.collect::<Vec<_>>(), String::from_utf8(output.stderr.clone()).unwrap())
    };
    assert_eq!(without_times(&played), without_times(&live));
    assert_eq!(commands(&again), commands(&path));
}

/// What the host said, without times. The last words of the module come while the process ends, or behind it.
fn commands(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let turns = text.lines().filter_map(|line| line.strip_prefix('@')?.split_once(' '));
    turns.map(|(_, turn)| turn.to_owned()).filter(|turn| turn.starts_with(">>")).collect()
}

#[test]
fn a_client_that_says_something_else_is_shown_both_sides() {
    let sim = Sim::start(&["--vendor", "simcom", "--fault", FAULT]);
    let (path, _) = record(&sim);
    let device = format!("play:{}", path.display());
    let other = ["pub", "-h", "broker.example.com", "-i", "another", "-t", "t", "-m", "x"];
    let line = fail(1, mqttat().args(["--device", &device]).args(other));
    assert!(line.contains("gateway-7") && line.contains("another"), "{line}");
}

#[test]
fn logs_without_a_header_are_read_from_stdin_too() {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut child =
        mqttat().args(["replay", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b">> AT+QMTOPEN=0,\"h\",1883\n<< OK\n<< +QMTOPEN: 0,4\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("the host name could not be resolved; check the host name"), "{text}");
    assert!(text.ends_with("== Quectel, 3 entries; errors: 1, warnings: 0, notes: 0\n"), "{text}");
}

/// A capture as terminal programs write it: echo, times, no marks, and a password.
const CAPTURE: &str = r#"
[14:15:29.903] AT+QMTOPEN=0,"broker.example.com",1883
[14:15:29.910] OK
[14:15:30.412]
[14:15:30.412] +QMTOPEN: 0,0
[14:15:31.000] AT+QMTCONN=0,"gateway-7","user","canary-7f3a9"
[14:15:31.008] OK
[14:15:31.500] +QMTCONN: 0,0,5
[14:15:31.501] +QMTSTAT: 0,4
"#;

#[test]
fn logs_of_terminal_programs_are_read_and_their_secrets_masked() {
    let folder = tempfile::tempdir().unwrap();
    let (log, page) = (folder.path().join("minicom.cap"), folder.path().join("page.html"));
    std::fs::write(&log, CAPTURE).unwrap();
    let text = succeed(mqttat().arg("replay").arg(&log).arg("--html").arg(&page));
    assert!(text.starts_with("== a serial log: "), "{text}");
    assert!(text.contains("client 0, after 509 ms: the network connection is open"), "{text}");
    assert!(
        text.contains("the broker refused: not authorized (code 5); check user name, password"),
        "{text}"
    );
    let objects = objects(&log).join("\n");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("gateway-7"));
    for shown in [text, objects, page] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = folder.path().join("x.at");
        std::fs::write(&path, text).unwrap();
        path
    };
    let replay = |path: &Path| fail(1, mqttat().arg("replay").arg(path));
    assert!(replay(&folder.path().join("absent.at")).contains("absent.at"));
    assert!(replay(&file(">> AT\nOK\n")).contains("line 2 of the transcript"));
    assert!(replay(&file("# recorded: today\n> AT\n< OK\n")).contains("line 2 of the transcript"));
    let bad_escape = "# vendor: quectel\n@0 >> AT\n@5 << OK\n@9 >> AT+CPIN=\"p\\\"w\"\n";
    let line = replay(&file(bad_escape));
    assert!(line.contains("line 4 of the transcript: unknown escape") && line.contains(r"\xHH"), "{line}");
    assert!(replay(&file("to be or not to be\n")).contains("there is no AT conversation in it"));
    assert!(replay(&file(">> AT\n<< OK\n")).contains("name it with --vendor"));
    let text = succeed(mqttat().args(["replay", "--vendor", "quectel"]).arg(file(">> AT\n<< OK\n")));
    assert!(text.contains("is anybody there"), "{text}");
    assert!(fail(2, mqttat().args(["replay", "--record", "y.at", "x.at"])).contains("--record"));
}
