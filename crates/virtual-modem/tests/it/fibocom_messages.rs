//! Fibocom's module: subscribing, publishing, receiving [Fibocom MQTT 1.2.6 §1.5–1.11].

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{PromptForm, Quirk};

use crate::fibocom::{connected, online};

#[tokio::test(start_paused = true)]
async fn subscriptions() {
    let mut bench = connected(|builder| builder).await;
    let (longest, longer) = ("t".repeat(255), "t".repeat(256));
    for wrong in ["1,\"t\",3", "1,\"t\"", "1,t,0", "1,\"\",0", "1,\"t\",0,\"u\",0", "2,\"t\",0", "3,\"t\",0"]
    {
        bench.error(&format!("AT+MQTTSUB={wrong}")).await;
    }
    bench.error(&format!("AT+MQTTSUB=1,\"{longer}\",0")).await;
    bench.error("AT+MQTTSUB=1,\"t\u{fc}r\",0").await;
    bench.ok_then(&format!("AT+MQTTSUB=1,\"{longest}\",2"), "+MQTTSUB: 1,1").await;
    bench.broker.limit_subscription("low", 0);
    bench.broker.limit_subscription("no", 128);
    bench.ok_then("AT+MQTTSUB=1,\"low\",2", "+MQTTSUB: 1,1").await;
    bench.ok_then("AT+MQTTSUB=1,\"no\",2", "+MQTTSUB: 1,0").await;
    bench.ok_then("AT+MQTTUNSUB=1,\"low\"", "+MQTTUNSUB: 1,1").await;
    for wrong in ["1", "1,low", "1,\"low\",0", "2,\"low\""] {
        bench.error(&format!("AT+MQTTUNSUB={wrong}")).await;
    }
    bench.broker.publish_from_outside("low", 0, false, "x");
    bench.host.silence().await;
    bench.broker.withhold_acknowledgements(true);
    let start = Instant::now();
    bench.ok_then("AT+MQTTSUB=1,\"late\",0", "+MQTTSUB: 1,0").await;
    assert_eq!(start.elapsed().as_secs(), 30);
    bench.line("+MQTTBREAK: 1,1").await;
    bench.line("+MQTTCLOSE: 1,1").await;
}

#[tokio::test(start_paused = true)]
async fn publishes_that_are_refused() {
    let mut bench = connected(|builder| builder).await;
    for wrong in [
        "0,\"t\",0,0,\"m\"",
        "2,\"t\",0,0,\"m\"",
        "2,\"t\",0,0,1",
        "1,t,0,0,\"m\"",
        "1,\"\",0,0,\"m\"",
        "1,\"t\",3,0,\"m\"",
        "1,\"t\",0,2,\"m\"",
        "1,\"t\",0,0",
        "1,\"t\",0,0,",
        "1,\"t\",0,0,m",
        "1,\"t\",0,0,\"m\",1",
        "1,\"t\",0,0,0",
        "1,\"t\",0,0,1025",
        "1,\"t\",0,0,\"t\u{fc}r\"",
        "1,\"t\",0,0,\"{\\\"id\\\":1}\"",
    ] {
        bench.error(&format!("AT+MQTTPUB={wrong}")).await;
    }
    bench.error(&format!("AT+MQTTPUB=1,\"t\",0,0,\"{}\"", "m".repeat(1025))).await;
    bench.error(&format!("AT+MQTTPUB=1,\"{}\",0,0,\"m\"", "t".repeat(256))).await;
    assert!(bench.broker.ledger().accepted.is_empty());
}

#[tokio::test(start_paused = true)]
async fn payloads_in_the_command() {
    let mut bench = connected(|builder| builder).await;
    let most = "m".repeat(1024);
    for (qos, payload) in [(0, ""), (1, "a,b;c"), (2, most.as_str())] {
        bench.ok_then(&format!("AT+MQTTPUB=1,\"t\",{qos},1,\"{payload}\""), "+MQTTPUB: 1,1").await;
        let accepted = bench.broker.ledger().accepted.pop().unwrap();
        assert_eq!((accepted.qos, accepted.retain, &accepted.payload[..]), (qos, true, payload.as_bytes()));
    }
    let mut bench = connected(|builder| builder.quirk(Quirk::BackslashEscapes)).await;
    bench.ok_then("AT+MQTTPUB=1,\"t\",0,0,\"{\\\"id\\\":\\\"1\\\"}\"", "+MQTTPUB: 1,1").await;
    assert_eq!(bench.broker.ledger().accepted[0].payload, "{\"id\":\"1\"}");
}

#[tokio::test(start_paused = true)]
async fn payloads_behind_the_prompt_may_hold_anything() {
    let mut bench = connected(|builder| builder).await;
    let all: Vec<u8> = (0..=255).collect();
    let hostile = b"\r\nOK\r\n\x1a\x1b+++\r\n> AT+MQTTCLOSE=1\r".to_vec();
    for (qos, payload) in [(0, all), (1, vec![b'x'; 1024]), (2, hostile)] {
        let command = format!("AT+MQTTPUB=1,\"t\",{qos},0,{}", payload.len());
        bench.host.ask(&command, ">\r\n").await;
        bench.host.say(&payload).await;
        bench.host.hear("\r\nOK\r\n\r\n+MQTTPUB: 1,1\r\n").await;
        let accepted = bench.broker.ledger().accepted.pop().unwrap();
        assert_eq!((accepted.qos, accepted.payload.to_vec()), (qos, payload));
    }
}

#[tokio::test(start_paused = true)]
async fn prompts_and_data_as_other_models_have_them() {
    for (form, prompt) in [
        (PromptForm::Space, "\r\n> "),
        (PromptForm::Bare, "\r\n>"),
        (PromptForm::Line, "\r\n>\r\n"),
        (PromptForm::NoLineEnd, "> "),
    ] {
        let mut bench = connected(|builder| builder.quirk(Quirk::Prompt(form))).await;
        bench.host.ask("AT+MQTTPUB=1,\"t\",0,0,1", prompt).await;
        bench.host.say("x").await;
        bench.host.hear("\r\nOK\r\n\r\n+MQTTPUB: 1,1\r\n").await;
    }
    let mut bench = connected(|builder| builder.quirk(Quirk::PublishHexDigits)).await;
    for (digits, answer) in [("00fF41", Some([0, 0xFF, 0x41])), ("00fF4", None), ("00fF4g", None)] {
        bench.host.ask(&format!("AT+MQTTPUB=1,\"t\",0,0,{}", digits.len()), ">\r\n").await;
        bench.host.say(digits).await;
        match answer {
            Some(payload) => {
                bench.host.hear("\r\nOK\r\n\r\n+MQTTPUB: 1,1\r\n").await;
                assert_eq!(bench.broker.ledger().accepted[0].payload.to_vec(), payload);
            }
            None => bench.host.hear("\r\nERROR\r\n").await,
        }
    }
    let patience = Duration::from_secs(30);
    let mut bench = connected(|builder| builder.quirk(Quirk::PromptTimeout(patience))).await;
    bench.host.ask("AT+MQTTPUB=1,\"t\",0,0,2", ">\r\n").await;
    bench.host.say("x").await;
    let start = Instant::now();
    bench.host.hear("\r\nERROR\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn publishes_that_fail() {
    let mut bench = connected(|builder| builder).await;
    bench.broker.withhold_acknowledgements(true);
    bench.host.ask("AT+MQTTPUB=1,\"t\",1,0,\"x\"", "\r\nOK\r\n").await;
    bench.broker.kick("c1");
    bench.line("+MQTTPUB: 1,0").await;
    bench.line("+MQTTBREAK: 1,1").await;
    bench.line("+MQTTCLOSE: 1,1").await;
    bench.error("AT+MQTTPUB=1,\"t\",1,0,\"x\"").await;
    // The connection goes while the module waits for the payload.
    bench.broker.withhold_acknowledgements(false);
    bench.ok_then("AT+MQTTOPEN=1,\"h\",1,1,60", "+MQTTOPEN: 1,1").await;
    bench.host.ask("AT+MQTTPUB=1,\"t\",1,0,1", ">\r\n").await;
    bench.broker.kick("c1");
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.host.say("x").await;
    bench.host.hear("\r\nERROR\r\n\r\n+MQTTBREAK: 1,1\r\n\r\n+MQTTCLOSE: 1,1\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_pushed() {
    let mut bench = connected(|builder| builder).await;
    bench.ok_then("AT+MQTTSUB=1,\"#\",2", "+MQTTSUB: 1,1").await;
    for qos in 0..=2 {
        bench.broker.publish_from_outside("a,\"b", qos, false, "x\"y\r\n+MQTTBREAK: 1,1\r\n");
        let line = format!("+MQTTMSG: 1,{qos},\"a,\"b\",\"x\"y\r\n+MQTTBREAK: 1,1\r\n\"");
        bench.line(&line).await;
    }
    assert_eq!(bench.broker.ledger().confirmed.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_read() {
    let mut bench = online(|builder| builder).await;
    for wrong in ["2", "\"1\"", "", "0,0"] {
        bench.error(&format!("AT+MQTTCONF={wrong}")).await;
    }
    bench.ok("AT+MQTTCONF=1").await;
    bench.info("AT+MQTTCONF?", "+MQTTCONF: 1").await;
    bench.ok_then("AT+MQTTOPEN=1,\"h\",1883,1,60", "+MQTTOPEN: 1,1").await;
    bench.ok_then("AT+MQTTSUB=1,\"#\",2", "+MQTTSUB: 1,1").await;
    bench.info("AT+MQTTREAD=1", "+MQTTREAD: 1,0,0,0").await;
    bench.info("AT+MQTTREAD=2", "+MQTTREAD: 2,0,0,0").await;
    for wrong in ["0", "3", "1,1"] {
        bench.error(&format!("AT+MQTTREAD={wrong}")).await;
    }
    let hostile = "\"\r\n\r\nOK\r\n\"";
    for (qos, payload) in [(0, hostile), (1, ""), (2, "z")] {
        bench.broker.publish_from_outside("a/b", qos, false, payload);
        bench.line(&format!("+MQTTMSGI: 1,{qos},3,{}", payload.len())).await;
    }
    for (qos, payload) in [(0, hostile), (1, ""), (2, "z")] {
        let lines = format!("+MQTTREAD: 1,{qos},3,{}\r\n\"a/b\",\"{payload}\"", payload.len());
        bench.info("AT+MQTTREAD=1", &lines).await;
    }
    bench.info("AT+MQTTREAD=1", "+MQTTREAD: 1,0,0,0").await;
    // Closing frees the buffer.
    bench.broker.publish_from_outside("a/b", 0, false, "x");
    bench.line("+MQTTMSGI: 1,0,3,1").await;
    bench.ok_then("AT+MQTTCLOSE=1", "+MQTTCLOSE: 1,1").await;
    bench.info("AT+MQTTREAD=1", "+MQTTREAD: 1,0,0,0").await;
}

#[tokio::test(start_paused = true)]
async fn answers_to_a_read_in_other_forms() {
    for (quirk, lines) in [
        (Quirk::ReadWithoutQuotes, "+MQTTREAD: 1,0,3,2\r\na/b,hi"),
        (Quirk::ReadOnOneLine, "+MQTTREAD: 1,0,3,2,\"a/b\",\"hi\""),
        (Quirk::UrcInsideMessage, "+MQTTREAD: 1,0,3,2\r\n\r\n+SIM READY\r\n\"a/b\",\"hi\""),
    ] {
        let mut bench = connected(|builder| builder.quirk(quirk)).await;
        bench.ok("AT+MQTTCONF=1").await;
        bench.ok_then("AT+MQTTSUB=1,\"#\",0", "+MQTTSUB: 1,1").await;
        bench.broker.publish_from_outside("a/b", 0, false, "hi");
        bench.line("+MQTTMSGI: 1,0,3,2").await;
        bench.info("AT+MQTTREAD=1", lines).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_loses_the_newest_or_the_oldest() {
    for (oldest, left) in [(false, ["0", "1"]), (true, ["1", "2"])] {
        let mut bench = connected(|builder| {
            let builder = builder.quirk(Quirk::ReadQueue(2));
            if oldest { builder.quirk(Quirk::FullSlotsDropOldest) } else { builder }
        })
        .await;
        bench.ok("AT+MQTTCONF=1").await;
        bench.ok_then("AT+MQTTSUB=1,\"t\",1", "+MQTTSUB: 1,1").await;
        for payload in ["0", "1", "2"] {
            bench.broker.publish_from_outside("t", 1, false, payload);
        }
        for _ in 0..if oldest { 3 } else { 2 } {
            bench.line("+MQTTMSGI: 1,1,1,1").await;
        }
        bench.host.silence().await;
        for payload in left {
            bench.info("AT+MQTTREAD=1", &format!("+MQTTREAD: 1,1,1,1\r\n\"t\",\"{payload}\"")).await;
        }
        bench.info("AT+MQTTREAD=1", "+MQTTREAD: 1,0,0,0").await;
    }
}

#[tokio::test(start_paused = true)]
async fn ten_messages_of_each_client_can_wait() {
    let mut bench = connected(|builder| builder).await;
    bench.ok_then("AT+MQTTOPEN=2,\"h\",1,1,60", "+MQTTOPEN: 2,1").await;
    bench.ok("AT+MQTTCONF=1").await;
    bench.ok_then("AT+MQTTSUB=1,\"t\",0", "+MQTTSUB: 1,1").await;
    bench.ok_then("AT+MQTTSUB=2,\"u\",0", "+MQTTSUB: 2,1").await;
    for _ in 0..10 {
        bench.broker.publish_from_outside("t", 0, false, "x");
        bench.line("+MQTTMSGI: 1,0,1,1").await;
    }
    bench.broker.publish_from_outside("t", 0, false, "lost");
    bench.broker.publish_from_outside("u", 0, false, "other");
    bench.line("+MQTTMSGI: 2,0,1,5").await;
    for _ in 0..10 {
        bench.info("AT+MQTTREAD=1", "+MQTTREAD: 1,0,1,1\r\n\"t\",\"x\"").await;
    }
    bench.info("AT+MQTTREAD=1", "+MQTTREAD: 1,0,0,0").await;
    bench.info("AT+MQTTREAD=2", "+MQTTREAD: 2,0,1,5\r\n\"u\",\"other\"").await;
}

#[tokio::test(start_paused = true)]
async fn a_kept_session_delivers_what_it_missed() {
    let mut bench = online(|builder| builder).await;
    bench.ok_then("AT+MQTTOPEN=1,\"h\",1883,0,60", "+MQTTOPEN: 1,1").await;
    bench.ok_then("AT+MQTTSUB=1,\"t\",1", "+MQTTSUB: 1,1").await;
    bench.ok_then("AT+MQTTCLOSE=1", "+MQTTCLOSE: 1,1").await;
    bench.broker.publish_from_outside("t", 1, false, "missed");
    bench.host.say("AT+MQTTOPEN=1,\"h\",1883,0,60\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+MQTTOPEN: 1,1\r\n\r\n+MQTTMSG: 1,1,\"t\",\"missed\"\r\n").await;
}
