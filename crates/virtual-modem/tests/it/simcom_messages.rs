//! Subscribing, publishing, receiving [A7600 MQTT 1.00 §2.1.10–2.1.16, §2.2.2.2].

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{Builder, Quirk, SimComQuirk};

use crate::host::Bench;
use crate::simcom::{acquired, connect, connected, refused, sim, stage, stage_message, subscribe};

/// A message as the module prints it, in one part each.
fn message(client: usize, topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "\r\n+CMQTTRXSTART: {client},{},{}\r\n+CMQTTRXTOPIC: {client},{}\r\n{topic}\r\n",
        topic.len(),
        payload.len(),
        topic.len()
    )
    .into_bytes();
    if !payload.is_empty() {
        bytes.extend_from_slice(format!("+CMQTTRXPAYLOAD: {client},{}\r\n", payload.len()).as_bytes());
        bytes.extend_from_slice(payload);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("+CMQTTRXEND: {client}\r\n").as_bytes());
    bytes
}

#[tokio::test(start_paused = true)]
async fn several_topics_in_one_request() {
    let mut bench = connected(|builder| builder).await;
    refused(&mut bench, "AT+CMQTTSUB=0", 0, 18).await;
    refused(&mut bench, "AT+CMQTTUNSUB=0,0", 0, 18).await;
    refused(&mut bench, "AT+CMQTTSUB=0,2", 0, 12).await;
    bench.error("AT+CMQTTUNSUB=0").await;
    for (topic, qos) in [("a", 0), ("b/+", 1), ("c/#", 2)] {
        stage(&mut bench, &format!("AT+CMQTTSUBTOPIC=0,{},{qos}", topic.len()), topic).await;
    }
    bench.ok_then("AT+CMQTTSUB=0,0", "+CMQTTSUB: 0,0").await;
    let ledger = bench.broker.ledger();
    let asked: Vec<_> = ledger.subscriptions.iter().map(|entry| (entry.1.as_str(), entry.2)).collect();
    assert_eq!(asked, [("a", 0), ("b/+", 1), ("c/#", 2)]);
    // The topics are used up.
    refused(&mut bench, "AT+CMQTTSUB=0", 0, 18).await;
    for topic in ["a", "c/#"] {
        stage(&mut bench, &format!("AT+CMQTTUNSUBTOPIC=0,{}", topic.len()), topic).await;
    }
    bench.ok_then("AT+CMQTTUNSUB=0,0", "+CMQTTUNSUB: 0,0").await;
    refused(&mut bench, "AT+CMQTTUNSUB=0,0", 0, 18).await;
    bench.broker.publish_from_outside("a", 0, false, "x");
    bench.broker.publish_from_outside("b/1", 0, false, "y");
    bench.host.hear(message(0, "b/1", b"y")).await;
    bench.host.silence().await;
}

#[tokio::test(start_paused = true)]
async fn one_topic_in_one_command() {
    let mut bench = connected(|builder| builder).await;
    for (arguments, code) in
        [("0,0,1", 22), ("0,1025,1", 22), ("0,1,3", 12), ("0,1,1,2", 12), ("1,1,1", 11), ("2,1,1", 10)]
    {
        let index = i64::from(arguments.as_bytes()[0] - b'0');
        refused(&mut bench, &format!("AT+CMQTTSUB={arguments}"), index, code).await;
    }
    refused(&mut bench, "AT+CMQTTUNSUB=0,1,2", 0, 12).await;
    bench.error("AT+CMQTTSUB=0,1,1,0,0").await;
    bench.error("AT+CMQTTSUB=0,,1").await;
    bench.error("AT+CMQTTSUB?").await;
    let longest = "t".repeat(1024);
    stage(&mut bench, "AT+CMQTTSUB=0,1024,2,1", &longest).await;
    bench.line("+CMQTTSUB: 0,0").await;
    assert_eq!(bench.broker.ledger().subscriptions[0].1, longest);
    // Topics that were handed over are cleared by it, whichever form it has.
    stage(&mut bench, "AT+CMQTTSUBTOPIC=0,1,1", "a").await;
    subscribe(&mut bench, 0, "b", 1).await;
    refused(&mut bench, "AT+CMQTTSUB=0", 0, 18).await;
    stage(&mut bench, "AT+CMQTTUNSUB=0,1,0", "b").await;
    bench.line("+CMQTTUNSUB: 0,0").await;
    bench.broker.limit_subscription("no", 128);
    stage(&mut bench, "AT+CMQTTSUB=0,2,0", "no").await;
    bench.line("+CMQTTSUB: 0,1").await;
    // One refusal among several is a failure of the whole.
    for topic in ["no", "ok"] {
        stage(&mut bench, "AT+CMQTTSUBTOPIC=0,2,0", topic).await;
    }
    bench.ok_then("AT+CMQTTSUB=0", "+CMQTTSUB: 0,1").await;
}

#[tokio::test(start_paused = true)]
async fn publishing_uses_up_topic_and_payload() {
    let mut bench = connected(|builder| builder).await;
    refused(&mut bench, "AT+CMQTTPUB=0,1,60", 0, 18).await;
    stage(&mut bench, "AT+CMQTTPAYLOAD=0,1", "x").await;
    refused(&mut bench, "AT+CMQTTPUB=0,1,60", 0, 18).await;
    stage(&mut bench, "AT+CMQTTTOPIC=0,1", "a").await;
    // The later topic counts.
    stage(&mut bench, "AT+CMQTTTOPIC=0,1", "t").await;
    for (arguments, code) in [
        ("0,3,60", 12),
        ("0,-1,60", 12),
        ("0,1,59", 12),
        ("0,1,181", 12),
        ("0,1,60,2", 12),
        ("0,1,60,0,2", 12),
        ("2,1,60", 10),
        ("1,1,60", 11),
    ] {
        let index = i64::from(arguments.as_bytes()[0] - b'0');
        refused(&mut bench, &format!("AT+CMQTTPUB={arguments}"), index, code).await;
    }
    for malformed in ["0", "0,1", "0,1,60,0,0,0", "0,\"1\",60"] {
        bench.error(&format!("AT+CMQTTPUB={malformed}")).await;
    }
    bench.ok_then("AT+CMQTTPUB=0,2,180,1,1", "+CMQTTPUB: 0,0").await;
    refused(&mut bench, "AT+CMQTTPUB=0,1,60", 0, 18).await;
    // Without a payload the message is empty, and removes the retained one.
    assert_eq!(bench.broker.retained().len(), 1);
    stage(&mut bench, "AT+CMQTTTOPIC=0,1", "t").await;
    bench.ok_then("AT+CMQTTPUB=0,0,60,1", "+CMQTTPUB: 0,0").await;
    assert!(bench.broker.retained().is_empty());
    let accepted = bench.broker.ledger().accepted;
    let first = &accepted[0];
    assert_eq!((first.topic.as_str(), first.payload.as_ref()), ("t", b"x".as_slice()));
    assert_eq!((first.qos, first.retain, first.dup, first.id), (2, true, true, 1));
    assert_eq!((accepted[1].payload.len(), accepted[1].qos, accepted[1].id), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn payloads_may_hold_anything() {
    let mut bench = connected(|builder| builder).await;
    subscribe(&mut bench, 0, "#", 2).await;
    let all: Vec<u8> = (0..=255).collect();
    let hostile = b"\r\n+CMQTTRXEND: 0\r\n\r\nOK\r\n\x1a\x1b+++\r\n>AT+CPOF\r".to_vec();
    for payload in [all, hostile, b"\r\n".to_vec(), b">".to_vec()] {
        for topic in ["t", "\r\nOK\r\n", "a\",1,\"x"] {
            stage_message(&mut bench, 0, topic, &payload).await;
            bench.host.say("AT+CMQTTPUB=0,1,60\r").await;
            bench.host.hear("\r\nOK\r\n\r\n+CMQTTPUB: 0,0\r\n").await;
            bench.host.hear(message(0, topic, &payload)).await;
            let accepted = bench.broker.ledger().accepted.pop().unwrap();
            assert_eq!((accepted.topic.as_str(), accepted.payload.as_ref()), (topic, payload.as_slice()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn long_messages_come_in_parts() {
    let mut bench = connected(|builder| builder).await;
    subscribe(&mut bench, 0, "#", 1).await;
    let topic = "charger/id001/commands";
    let payload: Vec<u8> = (0..1520_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    bench.broker.publish_from_outside(topic, 1, false, payload.clone());
    bench
        .host
        .hear("\r\n+CMQTTRXSTART: 0,22,1520\r\n+CMQTTRXTOPIC: 0,22\r\ncharger/id001/commands\r\n")
        .await;
    bench.host.hear("+CMQTTRXPAYLOAD: 0,1500\r\n").await;
    bench.host.hear(&payload[..1500]).await;
    bench.host.hear("\r\n+CMQTTRXPAYLOAD: 0,20\r\n").await;
    bench.host.hear(&payload[1500..]).await;
    bench.host.hear("\r\n+CMQTTRXEND: 0\r\n").await;
    assert_eq!(bench.broker.ledger().confirmed.len(), 1);
    // The longest that the module can take, and what it cannot.
    let topic = "t".repeat(1024);
    let longest = vec![b'p'; 10_240];
    bench.broker.publish_from_outside(&topic, 1, false, longest);
    let heard = bench.host.hear_until("+CMQTTRXEND: 0\r\n").await;
    assert_eq!(heard.matches("+CMQTTRXPAYLOAD: 0,").count(), 7);
    assert!(heard.starts_with("\r\n+CMQTTRXSTART: 0,1024,10240\r\n+CMQTTRXTOPIC: 0,1024\r\n"));
    bench.broker.publish_from_outside("t", 1, false, vec![b'p'; 10_241]);
    bench.broker.publish_from_outside("t".repeat(1025), 1, false, "x");
    bench.host.silence().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_is_busy_until_the_broker_answers() {
    let mut bench = connected(|builder| builder).await;
    connect(&mut bench, 1).await;
    bench.broker.withhold_acknowledgements(true);
    stage_message(&mut bench, 0, "t", b"x").await;
    bench.ok("AT+CMQTTPUB=0,1,60").await;
    let start = Instant::now();
    for busy in
        ["TOPIC=0,1", "PAYLOAD=0,1", "SUBTOPIC=0,1,1", "SUB=0,1,1", "SUB=0", "UNSUB=0,1,0", "PUB=0,0,60"]
    {
        refused(&mut bench, &format!("AT+CMQTT{busy}"), 0, 14).await;
    }
    refused(&mut bench, "AT+CMQTTREL=0", 0, 14).await;
    bench.error("AT+CMQTTCFG=\"checkUTF8\",0,0").await;
    // The other client is not.
    stage_message(&mut bench, 1, "t", b"x").await;
    bench.ok_then("AT+CMQTTPUB=1,0,60", "+CMQTTPUB: 1,0").await;
    bench.line("+CMQTTPUB: 0,17").await;
    assert_eq!(start.elapsed().as_secs(), 60);
    // A late acknowledgement means nothing any more, and the connection is still there.
    bench.broker.withhold_acknowledgements(false);
    stage_message(&mut bench, 0, "t", b"y").await;
    bench.ok_then("AT+CMQTTPUB=0,2,60", "+CMQTTPUB: 0,0").await;
    bench.broker.withhold_acknowledgements(true);
    let start = Instant::now();
    stage(&mut bench, "AT+CMQTTSUB=0,1,1", "t").await;
    bench.line("+CMQTTSUB: 0,17").await;
    assert_eq!(start.elapsed().as_secs(), 120, "the operation timeout of AT+CMQTTCFG");
    let sent = bench.broker.ledger().accepted;
    assert!(sent.iter().all(|message| !message.dup), "nothing is sent twice on a connection");
}

#[tokio::test(start_paused = true)]
async fn each_publish_has_its_own_time() {
    let mut bench = acquired(|builder| builder).await;
    bench.ok("AT+CMQTTCFG=\"optimeout\",0,20").await;
    connect(&mut bench, 0).await;
    bench.broker.withhold_acknowledgements(true);
    stage_message(&mut bench, 0, "t", b"x").await;
    let start = Instant::now();
    bench.ok_then("AT+CMQTTPUB=0,1,180", "+CMQTTPUB: 0,17").await;
    assert_eq!(start.elapsed().as_secs(), 180);
    assert_eq!(bench.broker.ledger().accepted.len(), 1);
    assert_eq!(bench.broker.connected(), ["c0"]);
}

#[tokio::test(start_paused = true)]
async fn a_late_acknowledgement_is_not_taken_for_another() {
    let mut bench = acquired(|builder| builder.rtt(Duration::from_secs(50))).await;
    bench.ok_then("AT+CMQTTCONNECT=0,\"tcp://b.example\",64800,1", "+CMQTTCONNECT: 0,0").await;
    // With QoS 2 the acknowledgement takes two round trips, longer than the publish may wait.
    let start = Instant::now();
    for end in [60, 120] {
        stage_message(&mut bench, 0, "t", b"x").await;
        bench.ok_then("AT+CMQTTPUB=0,2,60", "+CMQTTPUB: 0,17").await;
        assert_eq!(start.elapsed().as_secs(), end);
    }
    tokio::time::sleep(Duration::from_secs(100)).await;
    bench.host.silence().await;
    assert_eq!(bench.broker.ledger().acknowledged.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn operations_under_way_fail_with_the_connection() {
    let mut bench = connected(|builder| builder).await;
    // A topic that no broker accepts ends the connection.
    stage_message(&mut bench, 0, "a/+", b"x").await;
    bench.host.say("AT+CMQTTPUB=0,1,60\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+CMQTTPUB: 0,6\r\n\r\n+CMQTTCONNLOST: 0,1\r\n").await;
    refused(&mut bench, "AT+CMQTTTOPIC=0,1", 0, 11).await;
    // What was handed over before the loss is still there.
    connect(&mut bench, 0).await;
    stage(&mut bench, "AT+CMQTTTOPIC=0,1", "t").await;
    bench.broker.kick("c0");
    bench.line("+CMQTTCONNLOST: 0,1").await;
    connect(&mut bench, 0).await;
    bench.ok_then("AT+CMQTTPUB=0,1,60", "+CMQTTPUB: 0,0").await;
    assert_eq!(bench.broker.ledger().accepted[0].topic, "t");
    // In the middle of the data: the data is taken, and then refused.
    bench.host.ask("AT+CMQTTPAYLOAD=0,2", "\r\n>").await;
    bench.host.say("a").await;
    bench.broker.kick("c0");
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.host.say("b").await;
    bench.host.hear("\r\n+CMQTTPAYLOAD: 0,11\r\n\r\nERROR\r\n\r\n+CMQTTCONNLOST: 0,1\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn retained_messages_and_kept_sessions() {
    let mut bench = acquired(|builder| builder).await;
    bench.broker.publish_from_outside("r", 1, true, "kept");
    bench.ok_then("AT+CMQTTCONNECT=0,\"tcp://b.example\",60,0", "+CMQTTCONNECT: 0,0").await;
    stage(&mut bench, "AT+CMQTTSUB=0,1,1", "r").await;
    bench.line("+CMQTTSUB: 0,0").await;
    bench.host.hear(message(0, "r", b"kept")).await;
    bench.ok_then("AT+CMQTTDISC=0,0", "+CMQTTDISC: 0,0").await;
    bench.broker.publish_from_outside("r", 1, false, "missed");
    bench.broker.publish_from_outside("r", 2, false, "this too");
    bench.host.say("AT+CMQTTCONNECT=0,\"tcp://b.example\",60,0\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+CMQTTCONNECT: 0,0\r\n").await;
    bench.host.hear(message(0, "r", b"missed")).await;
    bench.host.hear(message(0, "r", b"this too")).await;
    assert_eq!(bench.broker.ledger().confirmed.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_will_needs_both_its_parts() {
    let mut bench = acquired(|builder| builder).await;
    stage(&mut bench, "AT+CMQTTWILLTOPIC=0,4", "gone").await;
    connect(&mut bench, 0).await;
    assert_eq!(bench.broker.ledger().connects[0].will, None);
    bench.ok_then("AT+CMQTTDISC=0,0", "+CMQTTDISC: 0,0").await;
    stage(&mut bench, "AT+CMQTTWILLMSG=0,3,2", "bye").await;
    connect(&mut bench, 0).await;
    connect(&mut bench, 1).await;
    subscribe(&mut bench, 1, "gone", 2).await;
    bench.broker.kick("c0");
    bench.host.hear([b"\r\n+CMQTTCONNLOST: 0,1\r\n".to_vec(), message(1, "gone", b"bye")].concat()).await;
    // A released client has no will any more.
    bench.ok("AT+CMQTTREL=0").await;
    bench.ok("AT+CMQTTACCQ=0,\"c0\"").await;
    connect(&mut bench, 0).await;
    assert_eq!(bench.broker.ledger().connects[3].will, None);
}

/// Client 0 is connected and subscribed to everything.
async fn subscribed(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    let mut bench = connected(settle).await;
    subscribe(&mut bench, 0, "#", 0).await;
    bench
}

#[tokio::test(start_paused = true)]
async fn layouts_of_received_messages() {
    for (quirk, expected) in [
        (
            SimComQuirk::BlankLinesBetweenParts,
            "\r\n+CMQTTRXSTART: 0,3,2\r\n\r\n+CMQTTRXTOPIC: 0,3\r\na/b\r\n\r\n+CMQTTRXPAYLOAD: \
             0,2\r\nhi\r\n\r\n+CMQTTRXEND: 0\r\n",
        ),
        (
            SimComQuirk::PackedParts,
            "\r\n+CMQTTRXSTART: 0,3,2\r\n+CMQTTRXTOPIC: 0,3\r\na/b+CMQTTRXPAYLOAD: 0,2\r\nhi+CMQTTRXEND: 0\r\n",
        ),
        (
            SimComQuirk::UrcBetweenParts,
            "\r\n+CMQTTRXSTART: 0,3,2\r\n+CMQTTRXTOPIC: 0,3\r\na/b\r\n\r\nSMS DONE\r\n+CMQTTRXPAYLOAD: \
             0,2\r\nhi\r\n+CMQTTRXEND: 0\r\n",
        ),
        (
            SimComQuirk::PartSize(2),
            "\r\n+CMQTTRXSTART: 0,3,2\r\n+CMQTTRXTOPIC: 0,2\r\na/\r\n+CMQTTRXTOPIC: \
             0,1\r\nb\r\n+CMQTTRXPAYLOAD: 0,2\r\nhi\r\n+CMQTTRXEND: 0\r\n",
        ),
    ] {
        let mut bench = subscribed(sim(quirk)).await;
        bench.broker.publish_from_outside("a/b", 0, false, "hi");
        bench.host.hear(expected).await;
    }
    let mut bench = subscribed(|builder| {
        sim(SimComQuirk::PackedParts)(builder).quirk(Quirk::SimCom(SimComQuirk::PartSize(2)))
    })
    .await;
    bench.broker.publish_from_outside("a/b", 0, false, "abc");
    bench
        .host
        .hear(
            "\r\n+CMQTTRXSTART: 0,3,3\r\n+CMQTTRXTOPIC: 0,2\r\na/\r\n+CMQTTRXTOPIC: \
             0,1\r\nb+CMQTTRXPAYLOAD: 0,2\r\nab+CMQTTRXPAYLOAD: 0,1\r\nc+CMQTTRXEND: 0\r\n",
        )
        .await;
    let mut bench = subscribed(|builder| builder.quirk(Quirk::UrcInsideMessage)).await;
    bench.broker.publish_from_outside("t", 0, false, "hi");
    bench
        .host
        .hear(
            "\r\n+CMQTTRXSTART: 0,1,2\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n+CMQTTRXPAYLOAD: 0,2\r\n\r\nSMS \
             DONE\r\nhi\r\n+CMQTTRXEND: 0\r\n",
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn parts_of_random_sizes_add_up() {
    for seed in 0..20 {
        let mut bench = subscribed(|builder| sim(SimComQuirk::RandomParts)(builder.seed(seed))).await;
        let payload = "0123456789".repeat(300);
        bench.broker.publish_from_outside("some/topic", 0, false, payload.clone());
        let heard = bench.host.hear_until("+CMQTTRXEND: 0\r\n").await;
        let mut lines = heard.split("\r\n").skip(2);
        let (mut topic, mut body) = (String::new(), String::new());
        while let Some(header) =
            lines.next().filter(|line| line.starts_with("+CMQTTRX") && !line.contains("END"))
        {
            let (name, length) = header.split_once(": 0,").unwrap();
            let part = lines.next().unwrap();
            assert_eq!(part.len().to_string(), length);
            if name == "+CMQTTRXTOPIC" { topic.push_str(part) } else { body.push_str(part) }
        }
        assert_eq!((topic.as_str(), body), ("some/topic", payload), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn parts_of_two_clients_interleave() {
    let mut bench = connected(sim(SimComQuirk::InterleavedParts)).await;
    connect(&mut bench, 1).await;
    subscribe(&mut bench, 0, "t", 0).await;
    subscribe(&mut bench, 1, "t", 0).await;
    bench.broker.publish_from_outside("t", 0, false, "x");
    bench
        .host
        .hear(
            "+CMQTTRXSTART: 1,1,1\r\n\r\n+CMQTTRXSTART: 0,1,1\r\n+CMQTTRXTOPIC: 1,1\r\nt\r\n+CMQTTRXTOPIC: \
             0,1\r\nt\r\n+CMQTTRXPAYLOAD: 1,1\r\nx\r\n+CMQTTRXPAYLOAD: 0,1\r\nx\r\n+CMQTTRXEND: \
             1\r\n+CMQTTRXEND: 0\r\n"
                .replacen("+CMQTTRXSTART", "\r\n+CMQTTRXSTART", 1),
        )
        .await;
    bench.host.silence().await;
}
