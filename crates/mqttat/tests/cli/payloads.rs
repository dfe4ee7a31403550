//! Any bytes go through files and pipes unchanged.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use virtual_modem::{Direction, Transcript};

use crate::support::{Sim, run, succeed, wait_for_text};

/// What a careless client would take for the module's own words, or for the end of something.
fn hostile() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        &b"\r\nOK\r\n"[..],
        b"\r\nERROR\r\n",
        b"\r\n> ",
        b"ends with >",
        b"\"\r\n+QMTSTAT: 0,1\r\n",
        b"+QMTPUBEX: 0,1,0\r\n",
        b"\r\nRDY\r\n",
        b"a\",1,\"x",
        b"\x1a",
        b"\x1b",
        b"+++",
        b"\0\0\0",
        b"\r",
        b"\n",
        b"\r\r\n",
        b"AT+CFUN=1,1\r",
        b"%s%n",
        b"\x1b[2J\x07",
        b"\\\\x00\\",
    ]
    .map(<[u8]>::to_vec)
    .to_vec();
    all.push((0..=u8::MAX).collect());
    all.push((0..1500_u32).map(|at| (at * 7 % 256) as u8).collect());
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn files_arrive_byte_for_byte() {
    let sim = Sim::start(&[]);
    let payloads = hostile();
    let mut expected = Vec::new();
    for (number, payload) in payloads.iter().enumerate() {
        let topic = format!("hostile/{number:02}");
        let qos = (number % 3).to_string();
        let file = sim.file("payload", payload);
        // Kept by the broker, because one port serves one program at a time.
        assert_eq!(succeed(sim.publish(&topic).args(["-r", "-q", &qos, "-f"]).arg(file)), "");
        expected.push(format!("{topic} {} {}", payload.len(), hex(payload)));
    }
    let count = payloads.len().to_string();
    let shown = succeed(sim.subscribe("hostile/#").args(["-q", "2", "-C", &count, "-F", "%t %l %x"]));
    let mut shown: Vec<_> = shown.lines().collect();
    shown.sort_unstable();
    assert_eq!(shown, expected);
}

#[test]
fn transcripts_hold_the_bytes_that_were_sent() {
    let sim = Sim::start(&[]);
    let record = sim.file("record.at", b"");
    for payload in hostile() {
        let file = sim.file("payload", &payload);
        succeed(sim.publish("t").arg("--record").arg(&record).arg("-f").arg(file));
        // Read by the virtual module's reader of the format, which is not the writer's.
        let transcript: Transcript = std::fs::read_to_string(&record).unwrap().parse().unwrap();
        let commands = transcript.turns.iter().filter(|turn| turn.direction == Direction::HostToModule);
        let mut after = commands.skip_while(|turn| !turn.bytes.starts_with(b"AT+QMTPUBEX=0")).skip(1);
        assert_eq!(after.next().unwrap().bytes, payload);
        assert!(transcript.turns.iter().all(|turn| turn.at.is_some()));
        assert_eq!(transcript.headers.first().unwrap().0, "recorded");
    }
}

#[test]
fn payloads_are_printed_as_they_are() {
    let sim = Sim::start(&[]);
    let payload: Vec<u8> = (0..=u8::MAX).rev().collect();
    let file = sim.file("payload", &payload);
    succeed(sim.publish("bytes").args(["-r", "-q", "1", "-f"]).arg(file));
    assert_eq!(run(sim.subscribe("bytes").args(["-C", "1", "-N"])).stdout, payload);
    let with_topic = run(sim.subscribe("bytes").args(["-C", "1", "-v"])).stdout;
    assert_eq!(with_topic, [b"bytes ", &payload[..], b"\n"].concat());
    let json = succeed(sim.subscribe("bytes").args(["-C", "1", "--json"]));
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((object["payloadlen"].as_u64(), object["payload"].is_null()), (Some(256), true));
    assert_eq!(object["payloadhex"], hex(&payload));
}

#[test]
fn lines_of_stdin_are_published_in_order() {
    let sim = Sim::start(&[]);
    let record = sim.file("record.at", b"");
    for qos in ["0", "1", "2"] {
        let mut command = sim.publish("lines");
        command.args(["-l", "-q", qos, "--record"]).arg(&record).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines: Vec<String> = (0..40).map(|number| format!("line {number:03}")).collect();
        child.stdin.take().unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        let text = std::fs::read_to_string(&record).unwrap();
        let sent = text.lines().filter_map(|line| line.split_once(" >> line ")).map(|(_, rest)| rest);
        let expected: Vec<String> = (0..40).map(|number| format!("{number:03}\\")).collect();
        assert_eq!(sent.collect::<Vec<_>>(), expected, "QoS {qos}");
    }
}

#[test]
fn stdin_as_a_whole_is_one_message() {
    let sim = Sim::start(&[]);
    let mut child = sim.publish("whole").args(["-r", "-q", "1", "-s"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"one\ntwo\r\n\0").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(run(sim.subscribe("whole").args(["-C", "1", "-N"])).stdout, b"one\ntwo\r\n\0");
}

#[test]
fn a_message_can_be_repeated() {
    let sim = Sim::start(&[]);
    let record = sim.file("record.at", b"");
    let shown = succeed(
        sim.publish("again")
            .args(["-m", "again and again", "-q", "1", "--repeat", "7", "--json", "--record"])
            .arg(&record),
    );
    assert_eq!(shown.lines().count(), 7);
    let text = wait_for_text(&record, "+QMTDISC");
    assert_eq!(text.matches(">> again and again\\").count(), 7);
}
