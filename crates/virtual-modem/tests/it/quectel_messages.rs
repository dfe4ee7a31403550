//! Subscribing, publishing, receiving [EC200x MQTT 1.0 §3.2.6–3.2.9, §4.2].

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{PromptForm, PublishGrammar, Quirk, ReceiveLayout};

use crate::host::Bench;

#[tokio::test(start_paused = true)]
async fn subscriptions_and_what_is_granted() {
    let mut bench = Bench::connected(|builder| builder).await;
    for wrong in
        ["0,0,\"t\",0", "0,65536,\"t\",0", "0,1,\"t\"", "0,1,\"t\",3", "0,1,t,0", "0,1,\"\",0", "1,1,\"t\",0"]
    {
        bench.error(&format!("AT+QMTSUB={wrong}")).await;
    }
    bench.broker.limit_subscription("low", 1);
    bench.broker.limit_subscription("no", 128);
    bench.ok_then("AT+QMTSUB=0,7,\"a\",0,\"low\",2,\"no\",1,\"b/#/c\",0", "+QMTSUB: 0,7,0,0,1,128,128").await;
    bench.ok_then("AT+QMTUNS=0,8,\"a\",\"low\"", "+QMTUNS: 0,8,0").await;
    bench.broker.publish_from_outside("a", 0, false, "x");
    bench.host.silence().await;
    bench.broker.publish_from_outside("r", 1, true, "kept");
    bench.host.say("AT+QMTSUB=0,9,\"r\",1\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTSUB: 0,9,0,1\r\n\r\n+QMTRECV: 0,1,\"r\",\"kept\"\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn publishes_that_are_refused() {
    let mut bench = Bench::connected(|builder| builder).await;
    for wrong in [
        "0,0,1,0,\"t\",1",
        "0,65536,1,0,\"t\",1",
        "0,1,3,0,\"t\",1",
        "0,1,1,2,\"t\",1",
        "0,1,1,0,t,1",
        "0,1,1,0,\"\",1",
        "0,1,1,0,\"t\",1501",
        "0,1,1,0,\"t\",-1",
        "0,1,1,0,\"t\"",
        "0,1,1,0,\"t\",1,1",
        "6,1,1,0,\"t\",1",
        "1,1,1,0,\"t\",1",
    ] {
        bench.error(&format!("AT+QMTPUBEX={wrong}")).await;
    }
    assert!(bench.broker.ledger().accepted.is_empty());
}

#[tokio::test(start_paused = true)]
async fn payloads_may_hold_anything() {
    let mut bench = Bench::connected(|builder| builder).await;
    let all: Vec<u8> = (0..=255).collect();
    let most = vec![b'x'; 1500];
    let hostile = b"\r\nOK\r\n\x1a\x1b+++\r\n> AT+QPOWD\r".to_vec();
    for (id, payload) in [all, most, hostile, Vec::new()].into_iter().enumerate() {
        let id = id + 1;
        bench.publish(&format!("0,{id},1,1,\"t,;/{id}\""), &payload).await;
        bench.host.hear(format!("\r\nOK\r\n\r\n+QMTPUBEX: 0,{id},0\r\n")).await;
        let accepted = bench.broker.ledger().accepted.pop().unwrap();
        assert_eq!((accepted.topic, accepted.qos, accepted.retain), (format!("t,;/{id}"), 1, true));
        assert_eq!(accepted.payload, payload);
        assert_eq!(accepted.id, u16::try_from(id).unwrap());
    }
    let payloads = bench.modem.understood().into_iter().filter_map(|entry| entry.payload);
    assert_eq!(payloads.map(|payload| payload.len()).collect::<Vec<_>>(), [256, 1500, 24, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_window_holds_five() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.broker.withhold_acknowledgements(true);
    for id in 1..=5 {
        bench.publish(&format!("0,{id},1,0,\"t\""), "x").await;
        bench.host.hear("\r\nOK\r\n").await;
        if id == 1 {
            bench.error("AT+QMTPUBEX=0,1,1,0,\"t\",1").await;
            bench.error("AT+QMTSUB=0,1,\"t\",0").await;
        }
    }
    bench.error("AT+QMTPUBEX=0,6,1,0,\"t\",1").await;
    bench.error("AT+QMTPUBEX=0,0,0,0,\"t\",1").await;
    // Another client has a window of its own.
    bench.connect(1).await;
    bench.publish("1,1,0,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 1,1,0\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn retransmission_and_giving_up() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QMTCFG=\"timeout\",0,4,3,1").await;
    bench.connect(0).await;
    bench.broker.withhold_acknowledgements(true);
    let start = Instant::now();
    bench.publish("0,9,1,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n").await;
    bench.line("+QMTPUBEX: 0,9,1,1").await;
    bench.line("+QMTPUBEX: 0,9,1,2").await;
    bench.line("+QMTPUBEX: 0,9,2").await;
    bench.line("+QMTSTAT: 0,6").await;
    assert_eq!(start.elapsed().as_secs(), 12, "packet timeout x retry times");
    let dups: Vec<bool> = bench.broker.ledger().accepted.iter().map(|message| message.dup).collect();
    assert_eq!(dups, [false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn a_late_acknowledgement_is_still_a_success() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.modem.black_hole(true);
    bench.publish("0,9,2,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.modem.black_hole(false);
    bench.line("+QMTPUBEX: 0,9,0").await;
    assert_eq!(bench.broker.ledger().accepted.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn publishes_under_way_fail_with_the_connection() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.broker.withhold_acknowledgements(true);
    bench.publish("0,9,1,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n").await;
    bench.broker.kick("c0");
    bench.line("+QMTPUBEX: 0,9,2").await;
    bench.line("+QMTSTAT: 0,1").await;
    bench.host.ask("AT+QMTPUBEX=0,9,1,0,\"t\",1", "\r\nERROR\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn the_four_receive_modes() {
    for (mode, pushed) in [("0,0", "\"a,b\",\"x\"y\r\n\""), ("0,1", "\"a,b\",5,\"x\"y\r\n\"")] {
        let mut bench = Bench::quiet(|builder| builder).await;
        bench.ok(&format!("AT+QMTCFG=\"recv/mode\",0,{mode}")).await;
        bench.connect(0).await;
        bench.ok_then("AT+QMTSUB=0,1,\"#\",2", "+QMTSUB: 0,1,0,2").await;
        bench.broker.publish_from_outside("a,b", 2, false, "x\"y\r\n");
        bench.line(&format!("+QMTRECV: 0,1,{pushed}")).await;
    }
    for (mode, read) in [("1,0", "\"a,b\",\"x\"y\r\n\""), ("1,1", "\"a,b\",5,\"x\"y\r\n\"")] {
        let mut bench = Bench::quiet(|builder| builder).await;
        bench.ok(&format!("AT+QMTCFG=\"recv/mode\",0,{mode}")).await;
        bench.connect(0).await;
        bench.ok_then("AT+QMTSUB=0,1,\"#\",2", "+QMTSUB: 0,1,0,2").await;
        for slot in 0..5 {
            bench.broker.publish_from_outside("a,b", 0, false, "x\"y\r\n");
            bench.line(&format!("+QMTRECV: 0,{slot}")).await;
        }
        // The sixth is lost: the manual does not say what happens to it.
        bench.broker.publish_from_outside("a,b", 0, false, "six");
        bench.host.silence().await;
        bench.info("AT+QMTRECV?", "+QMTRECV: 0,1,1,1,1,1").await;
        bench.info("AT+QMTRECV=0,3", &format!("+QMTRECV: 0,0,{read}")).await;
        bench.ok("AT+QMTRECV=0,3").await;
        bench.info("AT+QMTRECV?", "+QMTRECV: 0,1,1,1,0,1").await;
        let all = format!("+QMTRECV: 0,0,{read}\r\n").repeat(4);
        bench.host.ask("AT+QMTRECV=0", format!("\r\n{all}\r\nOK\r\n")).await;
        bench.info("AT+QMTRECV?", "+QMTRECV: 0,0,0,0,0,0").await;
        bench.error("AT+QMTRECV=0,5").await;
    }
}

#[tokio::test(start_paused = true)]
async fn full_slots_in_their_other_readings() {
    for (quirk, expected) in [
        (Quirk::FullSlotsDropOldest, ["5", "1", "2", "3", "4"]),
        (Quirk::FullSlotsWithholdAck, ["0", "1", "2", "3", "4"]),
    ] {
        let mut bench = Bench::quiet(|builder| builder.quirk(quirk)).await;
        bench.ok("AT+QMTCFG=\"recv/mode\",0,1,1").await;
        bench.ok("AT+QMTCFG=\"session\",0,0").await;
        bench.connect(0).await;
        bench.ok_then("AT+QMTSUB=0,1,\"t\",1", "+QMTSUB: 0,1,0,1").await;
        for number in 0..6 {
            bench.broker.publish_from_outside("t", 1, false, number.to_string());
        }
        let mut heard = (0..5).map(|slot| format!("\r\n+QMTRECV: 0,{slot}\r\n")).collect::<String>();
        if quirk == Quirk::FullSlotsDropOldest {
            heard.push_str("\r\n+QMTRECV: 0,0\r\n");
        }
        bench.host.hear(heard).await;
        let confirmed = if quirk == Quirk::FullSlotsDropOldest { 6 } else { 5 };
        assert_eq!(bench.broker.ledger().confirmed.len(), confirmed);
        for (slot, payload) in expected.iter().enumerate() {
            let id = payload.parse::<u16>().unwrap() + 1;
            bench
                .info(&format!("AT+QMTRECV=0,{slot}"), &format!("+QMTRECV: 0,{id},\"t\",1,\"{payload}\""))
                .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hexadecimal_both_ways() {
    for (quirk, length) in [(None, 6), (Some(Quirk::HexLengthCountsBytes), 3)] {
        let mut bench =
            Bench::quiet(|builder| quirk.into_iter().fold(builder, |builder, quirk| builder.quirk(quirk)))
                .await;
        bench.ok("AT+QMTCFG=\"dataformat\",0,1,1").await;
        bench.ok("AT+QMTCFG=\"recv/mode\",0,0,1").await;
        bench.connect(0).await;
        bench.ok_then("AT+QMTSUB=0,1,\"t\",0", "+QMTSUB: 0,1,0,0").await;
        bench.publish("0,0,0,0,\"t\"", "00fFa5").await;
        bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
        bench.line(&format!("+QMTRECV: 0,0,\"t\",{length},\"00FFA5\"")).await;
        for wrong in ["0", "0g", "+1"] {
            bench.publish("0,0,0,0,\"t\"", wrong).await;
            bench.host.hear("\r\nERROR\r\n").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn layouts_of_received_messages() {
    for (quirk, expected) in [
        (Quirk::Receive(ReceiveLayout::BarePayload), "\r\n+QMTRECV: 0,0,\"t\"x\",p\"q\r\n"),
        (Quirk::Receive(ReceiveLayout::BareTopicAndPayload), "\r\n+QMTRECV: 0,0,t\"x,p\"q\r\n"),
        (Quirk::Receive(ReceiveLayout::PayloadOnNextLine), "\r\n+QMTRECV: 0,0,\"t\"x\",3\r\np\"q\r\n"),
        (Quirk::EscapedTopicQuotes, "\r\n+QMTRECV: 0,0,\"t\\\"x\",\"p\"q\"\r\n"),
        (Quirk::ExtraBlankLines(2), "\r\n\r\n\r\n+QMTRECV: 0,0,\"t\"x\",\"p\"q\"\r\n\r\n\r\n"),
    ] {
        let mut bench = Bench::fresh(|builder| builder.quirk(quirk));
        bench.host.say("ATE0;+QMTOPEN=0,\"h\",1\r").await;
        bench.host.hear_until("+QMTOPEN: 0,0\r\n").await;
        bench.host.say("AT+QMTCONN=0,\"c\"\r").await;
        bench.host.hear_until("+QMTCONN: 0,0,0\r\n").await;
        bench.host.say("AT+QMTSUB=0,1,\"#\",0\r").await;
        bench.host.hear_until("+QMTSUB: 0,1,0,0\r\n").await;
        if matches!(quirk, Quirk::ExtraBlankLines(_)) {
            bench.host.hear("\r\n\r\n").await;
        }
        bench.broker.publish_from_outside("t\"x", 0, false, "p\"q");
        bench.host.hear(expected).await;
    }
    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::UrcInsideMessage)).await;
    bench.ok("AT+QMTCFG=\"recv/mode\",0,0,1").await;
    bench.connect(0).await;
    bench.ok_then("AT+QMTSUB=0,1,\"t\",0", "+QMTSUB: 0,1,0,0").await;
    bench.broker.publish_from_outside("t", 0, false, "abc");
    bench.host.hear("\r\n+QMTRECV: 0,0,\"t\",3,\r\n+QIND: SMS DONE\r\n\"abc\"\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn other_prompts() {
    for (form, prompt) in [
        (PromptForm::Space, "\r\n> "),
        (PromptForm::Bare, "\r\n>"),
        (PromptForm::Line, "\r\n>\r\n"),
        (PromptForm::NoLineEnd, "> "),
    ] {
        let mut bench = Bench::connected(|builder| builder.quirk(Quirk::Prompt(form))).await;
        bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",1", prompt).await;
        bench.host.say("x").await;
        bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_waits_for_ever_or_gives_up() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",2", "\r\n> ").await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    bench.host.say("hi").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;

    let mut bench =
        Bench::connected(|builder| builder.quirk(Quirk::PromptTimeout(Duration::from_secs(30)))).await;
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",2", "\r\n> ").await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    bench.host.say("h").await;
    let start = Instant::now();
    bench.host.hear("\r\nERROR\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 30, "from the last byte on");
    assert!(bench.broker.ledger().accepted.is_empty());
}

#[tokio::test(start_paused = true)]
async fn older_grammars_of_publishing() {
    let cases = [
        (PublishGrammar::Length, "AT+QMTPUB=0,1,1,0,\"t\",2", "\r\n> ", "hi"),
        (PublishGrammar::CtrlZ, "AT+QMTPUB=0,1,1,0,\"t\"", "\r\n> ", "hi\x1a"),
        (PublishGrammar::LengthAndCtrlZ, "AT+QMTPUB=0,1,1,0,\"t\",2", "\r\n> ", "hi\x1a"),
        (PublishGrammar::Inline, "AT+QMTPUB=0,1,1,0,\"t\",\"hi\"", "", ""),
        (PublishGrammar::InlineEx, "AT+QMTPUBEX=0,1,1,0,\"t\",\"hi\"", "", ""),
    ];
    for (grammar, command, prompt, say) in cases {
        let mut bench = Bench::connected(|builder| builder.quirk(Quirk::Publish(grammar))).await;
        let other = if command.contains("PUBEX") { "AT+QMTPUB=?" } else { "AT+QMTPUBEX=?" };
        bench.error(other).await;
        bench.host.ask(command, prompt).await;
        bench.host.say(say).await;
        bench.host.hear("\r\nOK\r\n\r\n+QMTPUB: 0,1,0\r\n").await;
        assert_eq!(bench.broker.ledger().accepted[0].payload, "hi", "{grammar:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_beyond_the_length() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",2", "\r\n> ").await;
    bench.host.say("hithere\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n\r\nERROR\r\n").await;
    let mut bench = Bench::connected(|builder| builder.quirk(Quirk::DiscardExcessData)).await;
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",2", "\r\n> ").await;
    bench.host.say("hithere\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    bench.host.silence().await;
}

#[tokio::test(start_paused = true)]
async fn control_bytes_in_counted_data() {
    let mut bench = Bench::connected(|builder| builder.quirk(Quirk::ControlBytesInData)).await;
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",9", "\r\n> ").await;
    bench.host.say("hi\x1a").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",9", "\r\n> ").await;
    bench.host.say("hi\x1b").await;
    bench.host.hear("\r\nERROR\r\n").await;
    assert_eq!(bench.broker.ledger().accepted.len(), 1);
}
