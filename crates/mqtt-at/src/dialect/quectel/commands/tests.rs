//! Every command's bytes and the reading of its answer; the answers are the manual's where it gives one.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use at_port::{PortOptions, Tap, TapEntry};
use bytes::Bytes;

use super::*;
use crate::bringup::script::{ask, refused};
use crate::command::{Command, TestForm};
use crate::dialect::quectel::script::Host;
use crate::dialect::script::converse_with;
use crate::dialect::send;
use crate::qos::QoS;

mod settings;

/// A command is written as `line`, and `answer` is read as `read` shows it.
async fn says<C: Command<Answer: Debug> + Sync>(command: C, line: &str, answer: &str, read: &str) {
    let (written, outcome) = ask(command, answer).await;
    assert_eq!(written, line);
    assert_eq!(format!("{:?}", outcome.unwrap()), read, "{line}");
}

/// The words of an error that is found before a byte is sent.
fn refusal<C: Command>(command: C) -> String {
    command.operation().map(drop).unwrap_err().to_string()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn tests_of_every_command() {
    let all: [(TestForm, &str, &str, &str); 14] = [
        (QmtCfg::test(), "+QMTCFG", "\"version\",(0-5),(3,4)", r#"["\"version\",(0-5),(3,4)"]"#),
        (QmtOpen::test(), "+QMTOPEN", "(0-5),\"hostname\",(1-65535)", r#"["(0-5),\"hostname\",(1-65535)"]"#),
        (QmtClose::test(), "+QMTCLOSE", "(0-5)", r#"["(0-5)"]"#),
        (QmtConn::test(), "+QMTCONN", "(0-5),\"clientid\"", r#"["(0-5),\"clientid\""]"#),
        (QmtDisc::test(), "+QMTDISC", "(0-5)", r#"["(0-5)"]"#),
        (
            QmtSub::test(),
            "+QMTSUB",
            "(0-5), <msgid>,list of [\"topic\",qos]",
            r#"["(0-5), <msgid>,list of [\"topic\",qos]"]"#,
        ),
        (QmtUns::test(), "+QMTUNS", "(0-5)", r#"["(0-5)"]"#),
        (QmtPubEx::test(), "+QMTPUBEX", "(0-5),<msgid>,(0-2),(0,1)", r#"["(0-5),<msgid>,(0-2),(0,1)"]"#),
        (QmtPub::test(), "+QMTPUB", "(0-5),(0-65535)", r#"["(0-5),(0-65535)"]"#),
        (QsslCfg::test(), "+QSSLCFG", "\"seclevel\",(0-5),(0-2)", r#"["\"seclevel\",(0-5),(0-2)"]"#),
        (QfUpl::test(), "+QFUPL", "<filename>", r#"["<filename>"]"#),
        (QiCsgp::test(), "+QICSGP", "(1-16)", r#"["(1-16)"]"#),
        (QiAct::test(), "+QIACT", "(1-16)", r#"["(1-16)"]"#),
        (QiDeact::test(), "+QIDEACT", "(1-16)", r#"["(1-16)"]"#),
    ];
    for (test, name, answer, read) in all {
        says(test, &format!("AT{name}=?"), &format!("{name}: {answer}\n\nOK"), read).await;
    }
    says(QmtRecv::test(), "AT+QMTRECV=?", "OK", "[]").await;
}

#[tokio::test(start_paused = true)]
async fn network_connections() {
    let open = || QmtOpen::new(0, "iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883);
    let line = r#"AT+QMTOPEN=0,"iot-as-mqtt.cn-shanghai.aliyuncs.com",1883"#;
    says(open(), line, "OK\n\n+QMTOPEN: 0,0", "Opened").await;
    for code in [-1, 1, 2, 3, 4, 5] {
        says(open(), line, &format!("OK\n\n+QMTOPEN: 0,{code}"), &format!("Failed({code})")).await;
    }
    // EC200U repeats the configuration before it says OK.
    says(
        QmtOpen::new(0, "h", 8883),
        r#"AT+QMTOPEN=0,"h",8883"#,
        "+QMTOPEN: 0,\"h\",8883\n\nOK\n\n+QMTOPEN: 0,0",
        "Opened",
    )
    .await;
    // BG95 gives the reason before it refuses.
    assert_eq!(
        refused(open(), "+QMTOPEN: 0,-1\nERROR").await,
        "AT+QMTOPEN: the network connection could not be opened (code -1)"
    );
    let answer = format!("+QMTOPEN: 0,\"{}\",1883\n+QMTOPEN: 2,\"h\",8883\n\nOK", "a");
    let read = r#"[OpenNetwork { client: 0, host: "a", port: 1883 }, OpenNetwork { client: 2, host: "h", port: 8883 }]"#;
    says(QmtOpen::read(), "AT+QMTOPEN?", &answer, read).await;
    says(QmtOpen::read(), "AT+QMTOPEN?", "OK", "[]").await;
    says(QmtClose::new(3), "AT+QMTCLOSE=3", "OK\n\n+QMTCLOSE: 3,0", "Closed").await;
    says(QmtClose::new(3), "AT+QMTCLOSE=3", "OK\n\n+QMTCLOSE: 3,-1", "Failed(-1)").await;

    assert_eq!(refusal(QmtOpen::new(0, "h", 0)), "the port is 0, and must be 1 to 65535");
    assert_eq!(
        refusal(QmtOpen::new(0, "h".repeat(101), 1)),
        "the host has 101 bytes, more than the limit of 100"
    );
    assert_eq!(refusal(QmtClose::new(6)), "the client index is 6, and must be 0 to 5");
}

#[tokio::test(start_paused = true)]
async fn connections_to_the_broker() {
    let line = r#"AT+QMTCONN=0,"clientExample""#;
    let conn = || QmtConn::new(0, "clientExample");
    says(conn(), line, "OK\n\n+QMTCONN: 0,0,0", "Accepted").await;
    says(conn(), line, "OK\n\n+QMTCONN: 0,0", "Accepted").await;
    says(conn(), line, "OK\n\n+QMTCONN: 0,1,2\n\n+QMTCONN: 0,0,0", "Accepted").await;
    for code in 1..=5 {
        says(conn(), line, &format!("OK\n\n+QMTCONN: 0,0,{code}"), &format!("Refused({code})")).await;
    }
    says(conn(), line, "OK\n\n+QMTCONN: 0,2", "Failed(2)").await;
    let named = conn().credentials("user", "hush");
    assert!(!format!("{named:?} {:?}", named.operation()).contains("hush"));
    says(named, r#"AT+QMTCONN=0,"clientExample","user","hush""#, "OK\n\n+QMTCONN: 0,0,0", "Accepted").await;

    let read = "[(0, Connected), (1, Connecting), (2, Initializing), (3, Disconnecting)]";
    let answer = "+QMTCONN: 0,3\n+QMTCONN: 1,2\n+QMTCONN: 2,1\n+QMTCONN: 3,4\nOK";
    says(QmtConn::read(), "AT+QMTCONN?", answer, read).await;
    says(QmtDisc::new(0), "AT+QMTDISC=0", "OK\n\n+QMTDISC: 0,0", "Closed").await;
    says(QmtDisc::new(0), "AT+QMTDISC=0", "OK\n\n+QMTDISC: 0,-1", "Failed(-1)").await;

    assert!(refusal(QmtConn::new(0, "a\"b")).starts_with("the client identifier holds byte 0x22"));
    assert!(
        refusal(QmtConn::new(0, "a").credentials("u".repeat(513), "p"))
            .starts_with("the user name has 513 bytes")
    );
    assert!(
        refusal(QmtConn::new(0, "a").credentials("u", "hush\r"))
            .starts_with("the password holds byte 0x0D at position 4")
    );
}

#[tokio::test(start_paused = true)]
async fn a_report_that_the_connection_ended_ends_the_wait_for_it() {
    for (command, line) in [("AT+QMTCONN=0,\"me\"", "+QMTSTAT: 0,3"), ("AT+QMTDISC=0", "+QMTSTAT: 0,5")] {
        let script = format!(">> {command}\n<< OK\n<< +QMTSTAT: 1,1\n<< {line}");
        let host = Host::default();
        let error = host.converse(&script, async |port| {
            if command.contains("CONN") {
                send(&port, QmtConn::new(0, "me")).await.unwrap_err()
            } else {
                send(&port, QmtDisc::new(0)).await.unwrap_err()
            }
        });
        assert!(matches!(error.await, crate::Error::ConnectionLost { .. }), "{command}");
    }
}

#[tokio::test(start_paused = true)]
async fn subscriptions() {
    let sub = || QmtSub::new(0, 1).filter("topic/example", QoS::ExactlyOnce);
    let line = r#"AT+QMTSUB=0,1,"topic/example",2"#;
    says(sub(), line, "OK\n\n+QMTSUB: 0,1,0,2", "Acknowledged { granted: [2] }").await;
    says(sub(), line, "OK\n\n+QMTSUB: 0,1,1,1\n\n+QMTSUB: 0,1,0,1", "Acknowledged { granted: [1] }").await;
    says(sub(), line, "OK\n\n+QMTSUB: 0,1,2", "Failed { result: 2 }").await;
    // Results of other packets and clients are not this one's.
    says(
        sub(),
        line,
        "OK\n\n+QMTSUB: 1,1,2\n\n+QMTSUB: 0,2,2\n\n+QMTSUB: 0,1,0,128",
        "Acknowledged { granted: [128] }",
    )
    .await;
    let three = QmtSub::new(0, 1)
        .filter("a", QoS::AtMostOnce)
        .filter("b/+", QoS::AtLeastOnce)
        .filter("#", QoS::ExactlyOnce);
    let line = r##"AT+QMTSUB=0,1,"a",0,"b/+",1,"#",2"##;
    says(three, line, "OK\n\n+QMTSUB: 0,1,0,0,1,2", "Acknowledged { granted: [0, 1, 2] }").await;

    let uns = QmtUns::new(0, 2).filter("topic/example");
    says(uns, r#"AT+QMTUNS=0,2,"topic/example""#, "OK\n\n+QMTUNS: 0,2,0", "Acknowledged { granted: [] }")
        .await;
    let two = QmtUns::new(5, 65_535).filter("a").filter("b");
    says(two, r#"AT+QMTUNS=5,65535,"a","b""#, "OK\n\n+QMTUNS: 5,65535,2", "Failed { result: 2 }").await;

    assert_eq!(refusal(QmtSub::new(0, 1)), "the topic filter is missing");
    assert_eq!(refusal(QmtUns::new(0, 1)), "the topic filter is missing");
    assert_eq!(
        refusal(QmtSub::new(0, 0).filter("a", QoS::AtMostOnce)),
        "the packet identifier is 0, and must be 1 to 65535"
    );
    assert!(refusal(QmtUns::new(0, 1).filter("a\"b")).starts_with("the topic filter holds byte 0x22"));
}

/// Publishes against a script.
async fn publish(command: QmtPubEx, script: &str) -> crate::Result<Acknowledgement> {
    Host::default().converse(script, async |port| send(&port, command).await).await
}

#[tokio::test(start_paused = true)]
async fn publishes() {
    let acknowledged = Acknowledgement::Acknowledged { granted: Vec::new() };
    let text = "This is test data, hello MQTT.";
    let script = format!(
        ">> AT+QMTPUBEX=0,0,0,0,\"topic/pub\",30\n<= \\r\\n> \n>= {text}\n<< OK\n<< +QMTPUBEX: 0,0,0"
    );
    assert_eq!(publish(QmtPubEx::new(0, "topic/pub", text), &script).await.unwrap(), acknowledged);

    let topic = "$aws/things/M26_0206/shadow/update/accepted";
    let payload = Bytes::from_static(b"\r\nOK\r\n\x1a\"> AT");
    let head = format!(">> AT+QMTPUBEX=0,7,1,1,\"{topic}\",12\n<= \\r\\n>\n>= \\r\\nOK\\r\\n\x1a\"> AT");
    let command = || QmtPubEx::new(0, topic, payload.clone()).qos(QoS::AtLeastOnce, 7).retain(true);
    // Retransmission is not the end, and the result may have the older name, or come before the OK.
    let script = format!("{head}\n<< OK\n<< +QMTPUBEX: 0,7,1,1\n<< +QMTPUB: 0,7,0");
    assert_eq!(publish(command(), &script).await.unwrap(), acknowledged);
    let script = format!("{head}\n<< +QMTPUBEX: 0,7,2\n<< OK");
    assert_eq!(publish(command(), &script).await.unwrap(), Acknowledgement::Failed { result: 2 });

    let error = publish(command(), &format!("{head}\n<< ERROR")).await.unwrap_err();
    assert_eq!(error.outcome(), crate::Outcome::Unknown, "the payload was written");
    let script = format!(">> AT+QMTPUBEX=0,7,1,1,\"{topic}\",12\n<< ERROR");
    assert_eq!(publish(command(), &script).await.unwrap_err().outcome(), crate::Outcome::NotSent);
}

/// Two results with packet identifier 0 cannot be told apart: after one is missing, nothing more is sent.
#[tokio::test(start_paused = true)]
async fn a_missing_result_without_a_packet_identifier_stops_the_next() {
    let publish = || QmtPubEx::new(0, "t", "x").timeout(seconds(5));
    let script = ">> AT+QMTPUBEX=0,0,0,0,\"t\",1\n<= \\r\\n> \n>= x\n<< OK";
    let host = Host::default();
    let outcomes = host.converse(script, async |port| {
        [send(&port, publish()).await.unwrap_err(), send(&port, publish()).await.unwrap_err()]
    });
    let [first, second] = outcomes.await;
    assert!(matches!(first, crate::Error::Timeout { .. }), "{first}");
    assert!(matches!(second, crate::Error::InDoubt), "{second}");
}

/// Whatever a witness sees of a command against a script.
async fn witnessed<C: Command + Sync>(command: C, script: &str) -> String {
    let witness = Witness::default();
    let mut options = PortOptions::default();
    options.tap = Some(Box::new(witness.clone()));
    let rules = Host::default().rules();
    converse_with(options, rules, script, async |port| send(&port, command).await.map(drop)).await.unwrap();
    witness.0.lock().unwrap().clone()
}

#[derive(Clone, Default)]
struct Witness(Arc<Mutex<String>>);

impl Tap for Witness {
    fn note(&mut self, entry: TapEntry<'_>) {
        writeln!(self.0.lock().unwrap(), "{entry:?}").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn no_witness_sees_keys_and_secrets() {
    let script = ">> AT+QFUPL=\"UFS:k\",4,100\n<< CONNECT\n>= hush\n<< +QFUPL: 4,1b06\n<< OK";
    assert!(!witnessed(QfUpl::new("UFS:k", "hush").secret(), script).await.contains("hush"));
    assert!(witnessed(QfUpl::new("UFS:k", "hush"), script).await.contains("hush"), "this test can fail");
    let script = ">> AT+QMTCFG=\"onenet\",0\n<< +QMTCFG: \"onenet\",\"p\",\"hush\"\n<< OK";
    assert!(!witnessed(QmtCfg::one_net(0).read(), script).await.contains("hush"));
    let script = ">> AT+QICSGP=1\n<< +QICSGP: 1,\"a\",\"u\",\"hush\",1\n<< OK";
    assert!(!witnessed(QiCsgp::read(1), script).await.contains("hush"));
}

#[test]
fn publishes_out_of_range() {
    let publish = |payload: usize| QmtPubEx::new(0, "t", vec![b'x'; payload]);
    assert!(publish(1).operation().is_ok() && publish(1500).operation().is_ok());
    assert_eq!(refusal(publish(1501)), "the payload has 1501 bytes, and the module takes at most 1500");
    assert_eq!(refusal(publish(0)), "the payload is empty, and the module cannot send an empty one");
    assert_eq!(refusal(publish(1).qos(QoS::AtMostOnce, 1)), "the packet identifier is 1, and must be 0 to 0");
    assert_eq!(
        refusal(publish(1).qos(QoS::ExactlyOnce, 0)),
        "the packet identifier is 0, and must be 1 to 65535"
    );
    assert!(refusal(QmtPubEx::new(0, "a\";+QPOWD;\"", "x")).starts_with("the topic holds byte 0x22"));
}

#[tokio::test(start_paused = true)]
async fn stored_messages_are_fetched_and_listed() {
    says(QmtRecv::slot(0, 4), "AT+QMTRECV=0,4", "OK", "()").await;
    says(QmtRecv::all(5), "AT+QMTRECV=5", "OK", "()").await;
    let read = "[StoredMessages { client: 0, slots: [false, true, false, false, true] }]";
    says(QmtRecv::read(), "AT+QMTRECV?", "+QMTRECV: 0,0,1,0,0,1\n\nOK", read).await;
    says(QmtRecv::read(), "AT+QMTRECV?", "OK", "[]").await;
    assert_eq!(refusal(QmtRecv::slot(0, 5)), "the slot is 5, and must be 0 to 4");
}

#[tokio::test(start_paused = true)]
async fn files() {
    let script = ">> AT+QFUPL=\"UFS:a.pem\",5,100\n<< CONNECT\n>= ab\\rcd\n<< +QFUPL: 5,670f\n<< OK";
    let upload = QfUpl::new("UFS:a.pem", "ab\rcd");
    let stored = Host::default().converse(script, async |port| send(&port, upload).await).await.unwrap();
    // 0x6162 ^ 0x0D63 ^ 0x6400
    assert_eq!(stored, Uploaded { size: 5, checksum: 0x0801 ^ 0x6F0E });
    assert!(!stored.is_copy_of(b"ab\rc"));

    let read = r#"[StoredFile { name: "UFS:a.pem", size: 1758 }, StoredFile { name: "b", size: 0 }]"#;
    says(QfLst::new("*"), r#"AT+QFLST="*""#, "+QFLST: \"UFS:a.pem\",1758\n+QFLST: \"b\",0\n\nOK", read).await;
    says(QfDel::new("UFS:a.pem"), r#"AT+QFDEL="UFS:a.pem""#, "OK", "()").await;
    assert_eq!(
        refusal(QfUpl::new("UFS:a.pem", "")),
        "the size of the file is 0, and must be 1 to 4294967294"
    );
    assert!(refusal(QfUpl::new("n".repeat(81), "x")).starts_with("the file name has 81 bytes"));
}

/// Checksums that modules reported of public certificates: ISRG Root X1 is `4f64`, Amazon Root CA 1 `2d13` with LF
/// and `5769` with CRLF at the ends of its lines.
#[test]
fn checksums_are_those_of_real_modules() {
    let amazon = include_str!("amazon-root-ca-1.pem");
    assert_eq!((amazon.len(), checksum(amazon.as_bytes())), (1188, 0x2D13));
    let amazon = amazon.replace('\n', "\r\n");
    assert_eq!((amazon.len(), checksum(amazon.as_bytes())), (1208, 0x5769));
    let isrg = include_str!("isrg-root-x1.pem");
    assert_eq!((isrg.len(), checksum(isrg.as_bytes())), (1939, 0x4F64), "an odd number of bytes");
    assert_eq!(checksum(b""), 0);
}

#[tokio::test(start_paused = true)]
async fn data_connections() {
    says(QiCsgp::new(1, "wsim"), r#"AT+QICSGP=1,1,"wsim","","",0"#, "OK", "()").await;
    let profile = QiCsgp::new(1, "apn").kind(PdpType::Ipv4v6).credentials("u", "hush", Authentication::Chap);
    assert!(!format!("{profile:?} {:?}", profile.operation()).contains("hush"));
    says(profile, r#"AT+QICSGP=1,3,"apn","u","hush",2"#, "OK", "()").await;
    let answer = "+QICSGP: 1,\"fast.t-mobile.com\",\"\",\"\",0\n\nOK";
    says(QiCsgp::read(1), "AT+QICSGP=1", answer, "\"fast.t-mobile.com\"").await;
    says(QiAct::new(1), "AT+QIACT=1", "OK", "()").await;
    let read = r#"[PdpAddress { context: 1, active: true, address: Some("10.3.118.130") }, PdpAddress { context: 2, active: false, address: None }]"#;
    says(QiAct::read(), "AT+QIACT?", "+QIACT: 1,1,1,\"10.3.118.130\"\n+QIACT: 2,0,1\n\nOK", read).await;
    says(QiDeact::new(1), "AT+QIDEACT=1", "OK", "()").await;
    let read = r#"StackError { code: 572, text: "operation not allowed" }"#;
    says(QiGetError, "AT+QIGETERROR", "+QIGETERROR: 572,operation not allowed\n\nOK", read).await;
    assert_eq!(refusal(QiAct::new(16)), "the PDP context is 16, and must be 1 to 15");
    assert!(refusal(QiCsgp::new(1, "a\rb")).starts_with("the access point name holds byte 0x0D"));
}
