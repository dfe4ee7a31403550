//! Faults and quirks of SIMCom's conversation that are not a layout.

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{Action, Fault, Hook, PromptForm, Quirk, Reboot, SimComQuirk, Vendor};

use crate::host::Bench;
use crate::simcom::{acquired, connect, connected, quiet, refused, sim, stage, stage_message, subscribe};

#[tokio::test(start_paused = true)]
async fn topics_as_arguments() {
    let mut bench = acquired(sim(SimComQuirk::ArgTopic)).await;
    bench.ok("AT+CMQTTREL=1").await;
    bench.ok("AT+CMQTTACCQ=1,\"A76XX\",0,4").await;
    bench.host.say("AT+CMQTTCFG=?\r").await;
    assert!(bench.host.hear_until("OK\r\n").await.contains("+CMQTTCFG: \"argtopic\",(0-1),(0-1),(0-1)\r\n"));
    for wrong in ["\"argtopic\",0,1", "\"argtopic\",0,2,1", "\"version\",0,5", "\"optimeout\",0,20,1"] {
        bench.error(&format!("AT+CMQTTCFG={wrong}")).await;
    }
    bench.ok("AT+CMQTTCFG=\"argtopic\",0,1,1").await;
    bench.ok("AT+CMQTTCFG=\"version\",0,4").await;
    connect(&mut bench, 0).await;
    bench.ok_then("AT+CMQTTSUB=0,\"cmd/#\",1", "+CMQTTSUB: 0,0").await;
    bench.error("AT+CMQTTSUB=0,4,1").await;
    bench.host.ask("AT+CMQTTPUB=0,\"cmd/bat_low_mv\",1,4,1", "\r\n>").await;
    bench.host.say("3800").await;
    bench
        .host
        .hear("\r\nOK\r\n\r\n+CMQTTPUB: 0,0\r\n\r\n+CMQTTRECV: 0,\"cmd/bat_low_mv\",4,\"3800\"\r\n")
        .await;
    bench.broker.publish_from_outside("cmd/x", 0, false, "");
    bench.line("+CMQTTRECV: 0,\"cmd/x\",0,\"\"").await;
    bench.broker.publish_from_outside("cmd/x", 0, false, "a\"b\r\n");
    bench.line("+CMQTTRECV: 0,\"cmd/x\",5,\"a\"b\r\n\"").await;
    refused(&mut bench, "AT+CMQTTPUB=0,\"t\",1,0", 0, 22).await;
    refused(&mut bench, "AT+CMQTTPUB=0,\"t\",1,10241", 0, 22).await;
    refused(&mut bench, "AT+CMQTTPUB=0,\"t\",3,1", 0, 12).await;
    refused(&mut bench, "AT+CMQTTPUB=0,\"\",0,1", 0, 22).await;
    bench.ok_then("AT+CMQTTUNSUB=0,\"cmd/#\"", "+CMQTTUNSUB: 0,0").await;
    assert_eq!(bench.broker.ledger().accepted[0].payload, "3800");
    assert!(bench.broker.ledger().accepted[0].retain);
    let settings = bench.modem.settings();
    assert!(settings.contains(&("0/argtopic/pub".to_owned(), "1".to_owned())), "{settings:?}");
    // The setting stays with the client, also for a host that knows nothing of it, until it is released.
    bench.ok_then("AT+CMQTTDISC=0,0", "+CMQTTDISC: 0,0").await;
    connect(&mut bench, 0).await;
    bench.error("AT+CMQTTSUB=0,4,1").await;
    bench.ok_then("AT+CMQTTDISC=0,0", "+CMQTTDISC: 0,0").await;
    bench.ok("AT+CMQTTREL=0").await;
    bench.ok("AT+CMQTTACCQ=0,\"c0\"").await;
    connect(&mut bench, 0).await;
    subscribe(&mut bench, 0, "cmd", 1).await;
}

#[tokio::test(start_paused = true)]
async fn results_in_other_orders() {
    let mut bench = connected(sim(SimComQuirk::RetainedFirst)).await;
    bench.broker.publish_from_outside("r", 1, true, "k");
    stage(&mut bench, "AT+CMQTTSUB=0,1,1", "r").await;
    let message = "\r\n+CMQTTRXSTART: 0,1,1\r\n+CMQTTRXTOPIC: 0,1\r\nr\r\n+CMQTTRXPAYLOAD: \
                   0,1\r\nk\r\n+CMQTTRXEND: 0\r\n";
    bench.host.hear(format!("{message}\r\n+CMQTTSUB: 0,0\r\n")).await;

    let mut bench = connected(sim(SimComQuirk::OneTopicOkLast)).await;
    bench.host.ask("AT+CMQTTSUB=0,1,1", "\r\n>").await;
    bench.host.say("t").await;
    bench.host.hear("\r\n+CMQTTSUB: 0,0\r\n\r\nOK\r\n").await;
    bench.broker.withhold_acknowledgements(true);
    bench.host.ask("AT+CMQTTSUB=0,4,1,1", "\r\n>").await;
    bench.host.say("HAII").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    bench.broker.kick("c0");
    bench.host.hear("\r\n+CMQTTSUB: 0,6\r\n\r\n+CMQTTCONNLOST: 0,1\r\n\r\nOK\r\n").await;

    let mut bench = connected(|builder| builder).await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Swap).command("+CMQTTPUB"));
    stage_message(&mut bench, 0, "t", b"x").await;
    bench.host.ask("AT+CMQTTPUB=0,1,60", "\r\n+CMQTTPUB: 0,0\r\n\r\nOK\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn faults_between_the_commands_of_a_publish() {
    let mut bench = connected(|builder| builder).await;
    // The topic is handed over, and then the payload fails.
    stage(&mut bench, "AT+CMQTTTOPIC=0,3", "one").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforePrompt, Action::Error).command("+CMQTTPAYLOAD"));
    bench.error("AT+CMQTTPAYLOAD=0,1").await;
    // Whoever publishes now sends an empty message under the old topic.
    bench.ok_then("AT+CMQTTPUB=0,1,60", "+CMQTTPUB: 0,0").await;
    let at = |action| Fault::new(Hook::BetweenFinalAndResult, action).command("+CMQTTPUB");
    bench.modem.inject_fault(at(Action::Silence));
    stage_message(&mut bench, 0, "two", b"2").await;
    bench.ok("AT+CMQTTPUB=0,1,60").await;
    bench.host.silence().await;
    bench.modem.inject_fault(at(Action::Duplicate));
    stage_message(&mut bench, 0, "two", b"3").await;
    bench.host.ask("AT+CMQTTPUB=0,1,60", "\r\nOK\r\n\r\n+CMQTTPUB: 0,0\r\n\r\n+CMQTTPUB: 0,0\r\n").await;
    bench.modem.inject_fault(at(Action::Delay(Duration::from_secs(60))));
    stage_message(&mut bench, 0, "two", b"4").await;
    let start = Instant::now();
    bench.ok_then("AT+CMQTTPUB=0,1,60", "+CMQTTPUB: 0,0").await;
    assert!(start.elapsed().as_secs() >= 60);
    let sent: Vec<_> =
        bench.broker.ledger().accepted.into_iter().map(|entry| (entry.topic, entry.payload)).collect();
    let expected = [("one", ""), ("two", "2"), ("two", "3"), ("two", "4")];
    assert_eq!(sent, expected.map(|(topic, payload)| (topic.to_owned(), payload.into())));
}

#[tokio::test(start_paused = true)]
async fn faults_around_the_prompt() {
    let mut bench = connected(|builder| builder).await;
    bench.modem.inject_fault(Fault::new(Hook::BeforePrompt, Action::Silence).command("+CMQTTTOPIC"));
    bench.host.say("AT+CMQTTTOPIC=0,3\r").await;
    bench.host.silence().await;
    bench.host.say("t\r\n").await;
    bench.host.hear("\r\nOK\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforePrompt, Action::Duplicate));
    bench.host.ask("AT+CMQTTTOPIC=0,1", "\r\n>\r\n>").await;
    bench.host.say("t").await;
    bench.host.hear("\r\nOK\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::MidPayload(2), Action::Reboot(Reboot::Loud)));
    bench.host.ask("AT+CMQTTPAYLOAD=0,4", "\r\n>").await;
    bench.host.say("abcd").await;
    bench.line("*ATREADY: 1").await;
    bench.host.hear_until("PB DONE\r\n").await;
    bench.host.ask("AT+CMQTTTOPIC=0,1", "AT+CMQTTTOPIC=0,1\r\r\nERROR\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn other_prompts_and_limits() {
    for (form, prompt) in [
        (PromptForm::Space, "\r\n> "),
        (PromptForm::Bare, "\r\n>"),
        (PromptForm::Line, "\r\n>\r\n"),
        (PromptForm::NoLineEnd, "> "),
    ] {
        let mut bench = quiet(|builder| builder.quirk(Quirk::Prompt(form))).await;
        bench.host.ask("AT+CCERTDOWN=\"ca.pem\",1", prompt).await;
        bench.host.say("x").await;
        bench.host.hear("\r\nOK\r\n").await;
    }
    let mut bench = connected(sim(SimComQuirk::PayloadLimit(1024))).await;
    bench.info("AT+CMQTTPAYLOAD=?", "+CMQTTPAYLOAD: (0-1),(1-1024)").await;
    refused(&mut bench, "AT+CMQTTPAYLOAD=0,1025", 0, 22).await;

    let mut bench = connected(|builder| builder.quirk(Quirk::PromptTimeout(Duration::from_secs(30)))).await;
    bench.host.ask("AT+CMQTTTOPIC=0,2", "\r\n>").await;
    bench.host.say("t").await;
    bench.host.hear("\r\nERROR\r\n").await;
    refused(&mut bench, "AT+CMQTTPUB=0,1,60", 0, 18).await;
}

#[tokio::test(start_paused = true)]
async fn data_is_echoed_while_echo_is_on() {
    let mut bench = Bench::fresh_of(Vendor::SimCom, |builder| builder);
    bench.host.ask("AT+CCERTDOWN=\"ca.pem\",3", "AT+CCERTDOWN=\"ca.pem\",3\r\r\n>").await;
    bench.host.say("a\r\n").await;
    bench.host.hear("a\r\n\r\nOK\r\n").await;
    let echo = "AT+CMQTTSTART;+CMQTTACCQ=0,\"c\"\r";
    bench.host.say(echo).await;
    bench.host.hear(format!("{echo}\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n")).await;
}

#[tokio::test(start_paused = true)]
async fn an_unsolicited_line_before_the_answer() {
    let mut bench = Bench::fresh_of(Vendor::SimCom, |builder| builder.quirk(Quirk::UrcBeforeAnswer));
    let expected = "AT+CMQTTSTART\r\r\nSMS DONE\r\n\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n";
    bench.host.ask("AT+CMQTTSTART", expected).await;
}

#[test]
fn names_on_the_command_line() {
    for name in Quirk::names().filter(|name| name.starts_with("simcom-")) {
        let text = if name.ends_with('=') { format!("{name}7") } else { name };
        assert_eq!(text.parse::<Quirk>().unwrap().to_string(), text);
    }
    assert_eq!("simcom-part-size=100".parse(), Ok(Quirk::SimCom(SimComQuirk::PartSize(100))));
    for wrong in ["simcom-part-size", "simcom-part-size=0", "simcom-arg-topic=1", "simcom-"] {
        assert!(wrong.parse::<Quirk>().is_err(), "{wrong}");
    }
}
