//! The demonstration needs nothing and proves what it says.

use std::time::Instant;

use serde_json::Value;

use crate::support::{PATIENCE, mqttat, succeed};

#[test]
fn it_shows_the_conversation_and_every_quality_of_service() {
    let start = Instant::now();
    let shown = succeed(mqttat().arg("demo"));
    assert!(start.elapsed() < PATIENCE / 4, "a demonstration takes seconds");
    assert!(shown.lines().any(|line| line.starts_with(">> AT+QMTOPEN=0,")), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("<< +QMTRECV: ")), "{shown}");
    for qos in 0..=2 {
        let proof = format!("== QoS {qos}: mqttat/demo came back byte for byte");
        assert!(shown.lines().any(|line| line.starts_with(&proof)), "{shown}");
    }
    assert!(shown.lines().last().is_some_and(|line| line.starts_with("== done: 3 messages")), "{shown}");
    assert!(
        !shown.contains("nobody sees") && shown.contains("\"demo\",***"),
        "the password is masked: {shown}"
    );
    assert!(!shown.contains('\x1b'), "no colours, for this is no terminal");
}

#[test]
fn it_speaks_json_a_line_an_object() {
    let shown = succeed(mqttat().args(["demo", "quectel", "--json"]));
    let events: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let received: Vec<_> = events.iter().filter(|event| event["event"] == "received").collect();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|event| event["identical"] == true));
    assert!(events.iter().any(|event| event["event"] == "at" && event["from"] == "module"));
    assert_eq!(events.last().unwrap()["event"], "done");
}
