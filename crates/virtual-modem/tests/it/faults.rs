//! Faults at every hook, and quirks of the conversation.

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{Action, Entry, Fault, Hook, Quirk, Reboot};

use crate::host::Bench;

const MOMENT: Duration = Duration::from_millis(500);

fn urc() -> Action {
    Action::Urc("\r\n+QIND: x\r\n".into())
}

#[tokio::test(start_paused = true)]
async fn before_the_echo() {
    let faults = |builder: virtual_modem::Builder| {
        builder
            .fault(Fault::new(Hook::BeforeEcho, Action::Silence))
            .fault(Fault::new(Hook::BeforeEcho, Action::Delay(MOMENT)).occasion(2))
            .fault(Fault::new(Hook::BeforeEcho, urc()).occasion(3))
    };
    let mut bench = Bench::fresh(faults);
    bench.host.ask("AT", "\r\nOK\r\n").await;
    let start = Instant::now();
    bench.host.ask("AT", "AT\r\r\nOK\r\n").await;
    assert!(start.elapsed() >= MOMENT);
    bench.host.ask("AT", "\r\n+QIND: x\r\nAT\r\r\nOK\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn after_the_line() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::Silence).command("+CMEE=1"));
    bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::Error).command("+CMEE=2"));
    bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::Delay(MOMENT)).command("+CMEE?"));
    bench.host.say("AT+CMEE=1\r").await;
    bench.host.silence().await;
    bench.error("AT+CMEE=2").await;
    let start = Instant::now();
    bench.info("AT+CMEE?", "+CMEE: 0").await;
    assert!(start.elapsed() >= MOMENT);
}

#[tokio::test(start_paused = true)]
async fn late_and_lost_answers() {
    let mut bench = Bench::quiet(|builder| builder).await;
    let late = Duration::from_secs(8);
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Delay(late)).command("+CSQ"));
    let start = Instant::now();
    bench.host.say("AT+CSQ\rAT+CMEE?\r").await;
    bench.host.hear("\r\n+CSQ: 24,99\r\n\r\nOK\r\n").await;
    assert!(start.elapsed() >= late);
    bench.host.hear("\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Silence).command("+CMEE=1"));
    bench.host.say("AT+CMEE=1\r").await;
    bench.host.silence().await;
    bench.info("AT+CMEE?", "+CMEE: 1").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Duplicate));
    bench.host.ask("AT", "\r\nOK\r\n\r\nOK\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Overtaken).command("+CSQ"));
    bench.host.say("AT+CSQ\r").await;
    bench.host.silence().await;
    bench.host.ask("AT+CMEE?", "\r\n+CMEE: 1\r\n\r\nOK\r\n\r\n+CSQ: 24,99\r\n\r\nOK\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Error));
    bench.host.ask("AT+CSQ", "\r\n+CSQ: 24,99\r\n\r\nERROR\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn around_the_prompt() {
    let mut bench = Bench::connected(|builder| builder).await;
    let publish = "AT+QMTPUBEX=0,0,0,0,\"t\",2";
    bench.modem.inject_fault(Fault::new(Hook::BeforePrompt, Action::Delay(MOMENT)));
    let start = Instant::now();
    bench.host.ask(publish, "\r\n> ").await;
    assert!(start.elapsed() >= MOMENT);
    bench.host.say("ab").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforePrompt, Action::Silence));
    bench.host.say(format!("{publish}\r")).await;
    bench.host.silence().await;
    // The prompt was lost, and what comes next is taken for data.
    bench.host.say("AT\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforePrompt, Action::Error));
    bench.error(publish).await;
    bench.modem.inject_fault(Fault::new(Hook::BeforePrompt, Action::Duplicate));
    bench.modem.inject_fault(Fault::new(Hook::AfterPrompt, urc()));
    bench.host.ask(publish, "\r\n> \r\n> \r\n+QIND: x\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::MidPayload(1), urc()));
    bench.host.say("cd").await;
    bench.host.hear("\r\n+QIND: x\r\n\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    let payloads: Vec<_> =
        bench.broker.ledger().accepted.into_iter().map(|message| message.payload).collect();
    assert_eq!(payloads, ["ab", "AT", "cd"]);
}

#[tokio::test(start_paused = true)]
async fn in_the_middle_of_the_payload() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.modem.inject_fault(Fault::new(Hook::MidPayload(3), Action::Reboot(Reboot::Silent)));
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",5", "\r\n> ").await;
    bench.host.say("abcde").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    bench.host.ask("AT", "AT\r\r\nOK\r\n").await;
    assert!(bench.broker.ledger().accepted.is_empty());
    assert!(bench.broker.connected().is_empty());
}

#[tokio::test(start_paused = true)]
async fn between_the_final_and_the_deferred_result() {
    let mut bench = Bench::connected(|builder| builder).await;
    let at = |action| Fault::new(Hook::BetweenFinalAndResult, action).command("+QMTPUBEX");
    bench.modem.inject_fault(at(Action::Silence));
    bench.publish("0,1,1,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n").await;
    bench.host.silence().await;
    bench.modem.inject_fault(at(Action::Delay(Duration::from_secs(60))));
    bench.publish("0,2,1,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n").await;
    // A later publish overtakes it.
    bench.publish("0,3,1,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,3,0\r\n").await;
    bench.line("+QMTPUBEX: 0,2,0").await;
    bench.modem.inject_fault(at(Action::Duplicate));
    bench.publish("0,4,1,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,4,0\r\n\r\n+QMTPUBEX: 0,4,0\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Swap).command("+QMTPUBEX"));
    bench.publish("0,5,1,0,\"t\"", "x").await;
    bench.host.hear("\r\n+QMTPUBEX: 0,5,0\r\n\r\nOK\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::AfterResult, urc()));
    bench.publish("0,6,1,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,6,0\r\n\r\n+QIND: x\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::Idle, urc()));
    bench.host.ask("AT", "\r\nOK\r\n\r\n+QIND: x\r\n").await;
    assert!(bench.modem.log().iter().any(|record| matches!(record.entry, Entry::Fault(_))));
}

#[tokio::test(start_paused = true)]
async fn hanging_and_hanging_up() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::Hang).command("+CSQ"));
    bench.host.say("AT+CSQ\rAT\r").await;
    tokio::time::sleep(Duration::from_secs(1000)).await;
    bench.host.silence().await;
    bench.modem.reboot(Reboot::Loud);
    bench.line("POWERED DOWN").await;
    bench.line("RDY").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::HangUp));
    bench.host.say("AT\r").await;
    bench.host.hear_end("AT\r").await;
}

#[tokio::test(start_paused = true)]
async fn a_brown_out_begins_with_garbage_and_ends_with_the_boot_lines() {
    let mut bench = Bench::quiet(|builder| builder.seed(3)).await;
    bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::Reboot(Reboot::BrownOut(40))));
    bench.host.say("AT\r").await;
    let heard = bench.host.hear_all().await;
    assert_eq!(heard.len(), 40);
    assert!(
        !heard.iter().any(|byte| matches!(byte, b'\r' | b'\n')) && heard.iter().any(|byte| *byte >= 0x80)
    );
    bench.line("RDY").await;
}

#[tokio::test(start_paused = true)]
async fn broker_network_and_sim_fail_at_a_hook() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Kick(0)));
    bench.host.ask("AT", "\r\nOK\r\n\r\n+QMTSTAT: 0,1\r\n").await;
    bench.connect(0).await;
    bench.modem.inject_fault(Fault::new(Hook::Idle, Action::DropPdp));
    bench.host.say("AT\r").await;
    let heard = String::from_utf8(bench.host.hear_all().await).unwrap();
    assert!(heard.contains("+QMTSTAT: 0,"), "{heard}");
    let gone = Duration::from_secs(20);
    bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::RemoveSim(gone)));
    bench.host.ask("AT", "\r\n+CPIN: NOT INSERTED\r\n\r\nOK\r\n").await;
    bench.host.ask("AT+CREG?", "\r\n+CREG: 0,0\r\n\r\nOK\r\n").await;
    let start = Instant::now();
    bench.line("+CPIN: READY").await;
    assert!(start.elapsed() > gone / 2);
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_of_seconds_makes_the_module_send_again_and_say_so() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QMTCFG=\"timeout\",0,5,3,1").await;
    bench.connect(0).await;
    let hole = Action::BlackHole(Duration::from_secs(7));
    bench.modem.inject_fault(Fault::new(Hook::AfterPrompt, hole));
    bench.publish("0,1,1,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,1,1,1\r\n\r\n+QMTPUBEX: 0,1,1,2\r\n").await;
    bench.line("+QMTPUBEX: 0,1,0").await;
}

#[tokio::test(start_paused = true)]
async fn chatter_at_every_hook_and_inside_a_message() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QMTCFG=\"recv/mode\",0,0,1").await;
    bench.connect(0).await;
    bench.ok_then("AT+QMTSUB=0,1,\"t\",1", "+QMTSUB: 0,1,0,1").await;
    bench.modem.inject_fault(Fault::new(Hook::InsideMessage, Action::Chatter));
    bench.broker.publish_from_outside("t", 0, false, "hello");
    bench.host.hear("\r\n+QMTRECV: 0,0,\"t\",5,\r\n+QIND: SMS DONE\r\n\"hello\"\r\n").await;
    let hooks = [
        Hook::BeforeEcho,
        Hook::AfterLine,
        Hook::BeforePrompt,
        Hook::AfterPrompt,
        Hook::MidPayload(1),
        Hook::BeforeFinal,
        Hook::BetweenFinalAndResult,
        Hook::AfterResult,
        Hook::Idle,
    ];
    for (id, hook) in (1..).zip(hooks) {
        bench.modem.inject_fault(Fault::new(hook, Action::Chatter));
        bench.host.say(format!("AT+QMTPUBEX=0,{id},1,0,\"x\",2\r")).await;
        bench.host.say("ab").await;
        let heard = String::from_utf8(bench.host.hear_all().await).unwrap();
        assert_eq!(heard.matches("\r\n+QIND: SMS DONE\r\n").count(), 1, "{hook:?}: {heard:?}");
        let rest = heard.replace("\r\n+QIND: SMS DONE\r\n", "");
        assert_eq!(rest, format!("\r\n> \r\nOK\r\n\r\n+QMTPUBEX: 0,{id},0\r\n"), "{hook:?}");
    }
    assert_eq!(bench.modem.struck().len(), 10);
    bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::Chatter));
    bench.modem.clear_faults();
    bench.ok("AT").await;
}

#[tokio::test(start_paused = true)]
async fn a_swarm_is_the_same_for_the_same_seed() {
    let mut heard = Vec::new();
    for seed in [5, 5, 6] {
        let plan = virtual_modem::FaultPlan::new().swarm(virtual_modem::Swarm::new(seed));
        let mut bench = Bench::fresh(|builder| builder.faults(plan));
        for _ in 0..100 {
            bench.host.say("AT+QMTCFG=?\r").await;
        }
        tokio::time::sleep(Duration::from_secs(3600)).await;
        heard.push(bench.modem.log());
    }
    assert_eq!(heard[0], heard[1]);
    assert_ne!(heard[0], heard[2]);
}

#[tokio::test(start_paused = true)]
async fn results_in_unusual_places() {
    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::ResultBeforeOk)).await;
    bench.host.ask("AT+QMTOPEN=0,\"h\",1", "\r\n+QMTOPEN: 0,0\r\n\r\nOK\r\n").await;

    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::OpenFailureIsError)).await;
    bench.broker.set_reachability(virtual_modem::Reachability::Refused);
    bench.host.ask("AT+QMTOPEN=0,\"h\",1", "\r\n+QMTOPEN: 0,5\r\n\r\nERROR\r\n").await;
    bench.broker.set_reachability(virtual_modem::Reachability::Reachable);
    bench.ok_then("AT+QMTOPEN=0,\"h\",1", "+QMTOPEN: 0,0").await;

    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::OpenEchoesConfiguration)).await;
    bench
        .host
        .ask("AT+QMTOPEN=0,\"h\",1", "\r\n+QMTOPEN: 0,\"h\",1\r\n\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n")
        .await;

    let mut bench = Bench::connected(|builder| builder.quirk(Quirk::NoSpaceInStat)).await;
    bench.modem.kick(0);
    bench.line("+QMTSTAT:0,1").await;

    let mut bench = Bench::connected(|builder| builder.quirk(Quirk::StatAfterClose)).await;
    bench.host.ask("AT+QMTCLOSE=0", "\r\nOK\r\n\r\n+QMTCLOSE: 0,0\r\n\r\n+QMTSTAT: 0,1\r\n").await;

    for (quirk, expected) in [
        (Quirk::ConnectResultWithoutCode, "\r\nOK\r\n\r\n+QMTCONN: 0,0\r\n\r\n+QMTSTAT: 0,4\r\n"),
        (Quirk::ConnectFailureOnlyInStat, "\r\nOK\r\n\r\n+QMTSTAT: 0,4\r\n"),
    ] {
        let mut bench = Bench::quiet(|builder| builder.quirk(quirk)).await;
        bench.broker.refuse_connections(Some(5));
        bench.ok_then("AT+QMTOPEN=0,\"h\",1", "+QMTOPEN: 0,0").await;
        bench.host.ask("AT+QMTCONN=0,\"c\"", expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn urcs_in_unusual_places() {
    let mut bench = Bench::connected(|builder| builder.quirk(Quirk::UrcBeforePrompt)).await;
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",1", "\r\n+QIND: SMS DONE\r\n\r\n> ").await;
    let mut bench = Bench::fresh(|builder| builder.quirk(Quirk::UrcBeforeAnswer));
    bench.host.ask("AT", "AT\r\r\n+QIND: SMS DONE\r\n\r\nOK\r\n").await;
    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::UrcPortElsewhere)).await;
    bench.ok("AT+QMTOPEN=0,\"h\",1").await;
    bench.host.silence().await;
    bench.info("AT+QURCCFG=\"urcport\"", "+QURCCFG: \"urcport\",\"usbat\"").await;
    bench.ok("AT+QURCCFG=\"urcport\",\"uart1\"").await;
    bench.ok_then("AT+QMTCONN=0,\"c\"", "+QMTCONN: 0,0,0").await;
}

#[tokio::test(start_paused = true)]
async fn quirks_of_the_echo_and_of_the_start() {
    let mut bench = Bench::fresh(|builder| builder.quirk(Quirk::EchoFramed));
    bench.host.ask("AT", "\r\nAT\r\n\r\nOK\r\n").await;
    let mut bench = Bench::fresh(|builder| builder.quirk(Quirk::EchoInTwoWrites));
    bench.host.ask("AT+CSQ", "AT+CSQ\r\r\n+CSQ: 24,99\r\n\r\nOK\r\n").await;
    let mut bench = Bench::fresh(|builder| builder.quirk(Quirk::FirstCommandFails));
    bench.host.ask("AT", "AT\r\r\nERROR\r\n").await;
    bench.host.ask("AT", "AT\r\r\nOK\r\n").await;
    let mut bench = Bench::connected(|builder| builder.quirk(Quirk::EchoesData)).await;
    bench.publish("0,0,0,0,\"t\"", "hi").await;
    bench.host.hear("hi\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::ContextAlreadyUp)).await;
    bench.error("AT+QIACT=1").await;
    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::LooseQuotes)).await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",\"8102\"", "+QMTOPEN: 0,0").await;
    bench.ok_then("AT+QMTCONN=0,0", "+QMTCONN: 0,0,0").await;
    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::ClosesAfterOpen)).await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",1", "+QMTOPEN: 0,0").await;
    bench.line("+QMTSTAT: 0,1").await;
    bench.error("AT+QMTCONN=0,\"c\"").await;
    bench.connect(0).await;
    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::TlsExhaustion(1))).await;
    bench.ok("AT+QMTCFG=\"ssl\",0,1,0").await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",1", "+QMTOPEN: 0,0").await;
    bench.ok_then("AT+QMTCLOSE=0", "+QMTCLOSE: 0,0").await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",1", "+QMTOPEN: 0,-1").await;
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_loses_the_same_characters() {
    let mut heard = Vec::new();
    for seed in [1, 1, 2] {
        let mut bench = Bench::fresh(|builder| builder.seed(seed).quirk(Quirk::DropCharacters(5)));
        for _ in 0..10 {
            bench.host.say("AT+QMTCFG=?\r").await;
        }
        heard.push(bench.host.hear_all().await);
    }
    assert_eq!(heard[0], heard[1]);
    assert_ne!(heard[0], heard[2]);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_hangs_says_nothing_of_its_own_accord() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QMTCFG=\"keepalive\",0,10").await;
    bench.connect(0).await;
    bench.ok_then("AT+QMTSUB=0,1,\"t\",1", "+QMTSUB: 0,1,0,1").await;
    bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::Hang));
    bench.host.say("AT\r").await;
    bench.host.silence().await;
    bench.broker.publish_from_outside("t", 1, false, "x");
    bench.modem.inject_urc("+QIND: x");
    tokio::time::sleep(Duration::from_secs(100)).await;
    bench.host.silence().await;
    assert!(bench.broker.ledger().confirmed.is_empty());
    assert_eq!(bench.broker.connected(), ["c0"]);
    bench.modem.reboot(Reboot::Silent);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(bench.broker.connected().is_empty());
}
