//! Neoway's module: subscribing, publishing, receiving [Neoway MQTT 1.2 §5.4–5.7, §B].

use std::time::Duration;

use tokio::time::{Instant, sleep};
use virtual_modem::Quirk;

use crate::neoway::{CONN, connected, info, online};

#[tokio::test(start_paused = true)]
async fn subscriptions() {
    let mut bench = connected(|builder| builder).await;
    let longest = "t".repeat(128);
    for wrong in ["\"t\",3", "\"t\"", "\"\",1", "\"t\",1,1"] {
        bench.error(&format!("AT+MQTTSUB={wrong}")).await;
    }
    bench.error(&format!("AT+MQTTSUB=\"{longest}t\",1")).await;
    bench.ok("AT+MQTTSUB?").await;
    bench.ok(&format!("AT+MQTTSUB=\"{longest}\",2")).await;
    // As in the manual's example: the topic may stand without quotes, behind a blank.
    bench.ok("AT+MQTTSUB= neoway02,1").await;
    info(&mut bench, "AT+MQTTSUB?", "+MQTTSUB:\"neoway02\",1").await;
    for wrong in ["=", "=\"\"", "=\"t\",1", "?", "=?"] {
        bench.error(&format!("AT+MQTTUNSUB{wrong}")).await;
    }
    bench.ok("AT+MQTTUNSUB=\"neoway02\"").await;
    bench.broker.publish_from_outside("neoway02", 0, false, "x");
    bench.host.silence().await;
    info(&mut bench, "AT+MQTTSUB?", "+MQTTSUB:\"neoway02\",1").await;
    bench.broker.kick("c");
    bench.line("+MQTTDISCONNED: Link Closed").await;
    bench.ok(CONN).await;
    bench.ok("AT+MQTTSUB?").await;
    bench.ok("AT+MQTTDISCONN").await;
    for early in ["SUB?", "SUB=\"t\",1", "UNSUB=\"t\"", "PUB=0,0,\"t\",x", "PUBS=0,0,\"t\",1"] {
        bench.error(&format!("AT+MQTT{early}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_retained_message_comes_behind_the_answer() {
    let mut bench = connected(|builder| builder).await;
    bench.broker.publish_from_outside("neoway02", 1, true, "neoway mqtt");
    bench.host.say("AT+MQTTSUB=\"neoway02\",1\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+MQTTSUB:1,\"neoway02\",11,neoway mqtt\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_command_costs_the_connection() {
    let mut bench = connected(|builder| builder).await;
    bench.broker.limit_subscription("no", 128);
    bench.host.ask("AT+MQTTSUB=\"no\",1", "\r\n+CMD ERROR: -3\r\n\r\n+MQTTDISCONNED: Link Closed\r\n").await;
    assert!(bench.broker.connected().is_empty());
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE: 0").await;
    bench.ok(CONN).await;
    bench.broker.withhold_acknowledgements(true);
    for command in ["AT+MQTTSUB=\"t\",1", "AT+MQTTUNSUB=\"t\"", "AT+MQTTPUB=0,2,\"t\",x"] {
        let start = Instant::now();
        bench.host.ask(command, "\r\n+CMD ERROR: -1\r\n\r\n+MQTTDISCONNED: Link Closed\r\n").await;
        assert_eq!(start.elapsed().as_secs(), 25, "{command}");
        bench.ok(CONN).await;
    }
    let mut bench = connected(|builder| builder.quirk(Quirk::ErrorCodeInBrackets)).await;
    bench.broker.limit_subscription("no", 128);
    bench
        .host
        .ask("AT+MQTTSUB=\"no\",1", "\r\n+CMD ERROR: <-3>\r\n\r\n+MQTTDISCONNED: Link Closed\r\n")
        .await;
}

#[tokio::test(start_paused = true)]
async fn publishes_that_are_refused() {
    let mut bench = connected(|builder| builder).await;
    let (topic, text) = ("t".repeat(129), "m".repeat(1025));
    for wrong in [
        "2,0,\"t\",\"m\"",
        "0,3,\"t\",\"m\"",
        "0,0,\"\",\"m\"",
        "0,0,\"t\"",
        "0,0,\"t\",\"m\",1",
        "0,0,\"t\",{\"a\":1}",
        "0,0,\"t\",\"{\"a\":1}\"",
        &format!("0,0,\"{topic}\",\"m\""),
        &format!("0,0,\"t\",\"{text}\""),
    ] {
        bench.error(&format!("AT+MQTTPUB={wrong}")).await;
    }
    for wrong in ["0,0,\"t\",10241", "0,0,\"t\",-1", "0,0,\"t\",x", "0,0,\"t\"", "2,0,\"t\",1", "0,3,\"t\",1"]
    {
        bench.error(&format!("AT+MQTTPUBS={wrong}")).await;
    }
    bench.error("AT+MQTTPUB=?").await;
    assert!(bench.broker.ledger().accepted.is_empty());
    let mut bench = connected(|builder| builder.quirk(Quirk::NoEmptyPayload)).await;
    bench.error("AT+MQTTPUBS=0,0,\"t\",0").await;
}

#[tokio::test(start_paused = true)]
async fn payloads_in_the_command() {
    let mut bench = connected(|builder| builder).await;
    let most = "m".repeat(1024);
    for (qos, payload) in [(0, "\"\""), (1, "\"a,b;c\\\""), (2, "nihao"), (1, most.as_str())] {
        bench.ok(&format!("AT+MQTTPUB=1,{qos},\"t\",{payload}")).await;
        let accepted = bench.broker.ledger().accepted.pop().unwrap();
        assert_eq!((accepted.qos, accepted.retain), (qos, true));
        assert_eq!(&accepted.payload[..], payload.trim_matches('"').as_bytes());
    }
    let mut bench = connected(|builder| builder.quirk(Quirk::BackslashEscapes)).await;
    bench.ok(r#"AT+MQTTPUB=0,1,"t","{\"a\":\"\\\"}""#).await;
    assert_eq!(bench.broker.ledger().accepted[0].payload, r#"{"a":"\"}"#);
}

#[tokio::test(start_paused = true)]
async fn payloads_behind_the_prompt_may_hold_anything() {
    let mut bench = connected(|builder| builder).await;
    let all: Vec<u8> = (0..=255).collect();
    let hostile = b"\r\nOK\r\n\x1a\x1b+++\r\n> AT+MQTTDISCONN\r".to_vec();
    for (qos, payload) in [(0, all), (1, vec![b'x'; 10240]), (2, hostile), (1, Vec::new())] {
        bench.host.ask(&format!("AT+MQTTPUBS=0,{qos},\"t\",{}", payload.len()), "\r\n>").await;
        bench.host.say(&payload).await;
        bench.host.hear("\r\nOK\r\n").await;
        let accepted = bench.broker.ledger().accepted.pop().unwrap();
        assert_eq!((accepted.qos, accepted.payload.to_vec()), (qos, payload));
    }
}

#[tokio::test(start_paused = true)]
async fn writing_takes_thirty_seconds_at_most() {
    for quirk in [false, true] {
        let mut bench =
            connected(|builder| if quirk { builder.quirk(Quirk::TimeoutThenError) } else { builder }).await;
        let start = Instant::now();
        bench.host.ask("AT+MQTTPUBS=0,1,\"lixxytopic\",12", "\r\n>").await;
        // Bytes that trickle in win no time.
        for _ in 0..3 {
            sleep(Duration::from_secs(9)).await;
            bench.host.say("x").await;
        }
        let tail = if quirk { "ERROR\r\n" } else { "" };
        bench.host.hear(format!("\r\n+MQTTPUBS: Timeout!\r\n{tail}")).await;
        assert_eq!(start.elapsed().as_secs(), 30);
        bench.host.silence().await;
        assert!(bench.broker.ledger().accepted.is_empty());
        bench.ok("AT").await;
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_counted_and_not_quoted() {
    for (quirk, head) in [
        (None, "+MQTTSUB:1,"),
        (Some(Quirk::MessageAfterSpace), "+MQTTSUB: 1,"),
        (Some(Quirk::MessageWithSession), "+MQTTSUB:0,1,"),
        (Some(Quirk::MessageCount), "+MQTTSUB:2,"),
    ] {
        let mut bench = connected(|builder| match quirk {
            Some(quirk) => builder.quirk(quirk),
            None => builder,
        })
        .await;
        bench.ok("AT+MQTTSUB=\"#\",2").await;
        bench.broker.publish_from_outside("a", 0, false, "x");
        let first = match quirk {
            Some(Quirk::MessageCount) => "+MQTTSUB:1,".to_owned(),
            _ => head.replace("1,", "0,"),
        };
        bench.line(&format!("{first}\"a\",1,x")).await;
        bench.broker.publish_from_outside("a,\"b", 2, false, "\"x\"\r\n+MQTTDISCONNED: Link Closed\r\n");
        bench.line(&format!("{head}\"a,\"b\",34,\"x\"\r\n+MQTTDISCONNED: Link Closed\r\n")).await;
        assert_eq!(bench.broker.ledger().confirmed.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_may_come_inside_a_message() {
    let mut bench = connected(|builder| builder.quirk(Quirk::UrcInsideMessage)).await;
    bench.ok("AT+MQTTSUB=\"t\",0").await;
    bench.broker.publish_from_outside("t", 0, false, "hi");
    bench.host.hear("\r\n+MQTTSUB:0,\"t\",2,\r\n+PBREADY\r\nhi\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_message_may_come_inside_a_publish() {
    let mut bench = connected(|builder| builder.rtt(Duration::from_secs(1))).await;
    bench.ok("AT+MQTTSUB=\"down\",0").await;
    bench.host.ask("AT+MQTTPUBS=0,1,\"up\",2", "\r\n>").await;
    bench.broker.publish_from_outside("down", 0, false, "now");
    sleep(Duration::from_secs(2)).await;
    bench.host.say("hi").await;
    bench.host.hear("\r\n+MQTTSUB:0,\"down\",3,now\r\n\r\nOK\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_kept_session_delivers_what_it_missed() {
    let mut bench = online(|builder| builder).await;
    bench.ok("AT+MQTTCONNPARAM=\"c\",\"\",\"\"").await;
    bench.ok("AT+MQTTCONN=\"h:1883\",0,20").await;
    bench.ok("AT+MQTTSUB=\"t\",1").await;
    bench.broker.kick("c");
    bench.line("+MQTTDISCONNED: Link Closed").await;
    bench.broker.publish_from_outside("t", 1, false, "missed");
    bench.host.say("AT+MQTTCONN=\"h:1883\",0,20\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+MQTTSUB:1,\"t\",6,missed\r\n").await;
}
