//! Every command's bytes and the reading of its answer; the answers are the manual's where it gives one.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use at_port::{PortOptions, Tap, TapEntry};
use bytes::Bytes;

use super::*;
use crate::bringup::script::{ask, refused};
use crate::command::{Command, TestForm};
use crate::connect::{ProtocolVersion, Will};
use crate::dialect::quectel::script::Host;
use crate::dialect::script::converse_with;
use crate::dialect::send;
use crate::qos::QoS;

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
async fn parameters_of_the_session() {
    says(QmtCfg::version(0).set(ProtocolVersion::V3_1_1), r#"AT+QMTCFG="version",0,4"#, "OK", "()").await;
    says(QmtCfg::version(5).read(), r#"AT+QMTCFG="version",5"#, "+QMTCFG: \"version\",3\n\nOK", "V3_1").await;
    says(QmtCfg::pdp_context(1).set(15), r#"AT+QMTCFG="pdpcid",1,15"#, "OK", "()").await;
    says(QmtCfg::pdp_context(1).read(), r#"AT+QMTCFG="pdpcid",1"#, "+QMTCFG: \"pdpcid\",1\n\nOK", "1").await;
    says(QmtCfg::ssl(0).set(Some(2)), r#"AT+QMTCFG="ssl",0,1,2"#, "OK", "()").await;
    says(QmtCfg::ssl(0).set(None), r#"AT+QMTCFG="ssl",0,0,0"#, "OK", "()").await;
    says(QmtCfg::ssl(0).read(), r#"AT+QMTCFG="ssl",0"#, "+QMTCFG: \"SSL\",1,2\n\nOK", "Some(2)").await;
    says(QmtCfg::ssl(0).read(), r#"AT+QMTCFG="ssl",0"#, "+QMTCFG: \"ssl\",0\n\nOK", "None").await;
    says(QmtCfg::keep_alive(0).set(seconds(3600)), r#"AT+QMTCFG="keepalive",0,3600"#, "OK", "()").await;
    says(
        QmtCfg::keep_alive(0).read(),
        r#"AT+QMTCFG="keepalive",0"#,
        "+QMTCFG: \"keepalive\",120\n\nOK",
        "120s",
    )
    .await;
    says(QmtCfg::session(0).set(false), r#"AT+QMTCFG="session",0,0"#, "OK", "()").await;
    says(QmtCfg::session(0).read(), r#"AT+QMTCFG="session",0"#, "+QMTCFG: \"session\",1\n\nOK", "true").await;
    let timeout = PacketTimeout { timeout: seconds(60), retries: 10, notice: true };
    says(QmtCfg::timeout(0).set(timeout), r#"AT+QMTCFG="timeout",0,60,10,1"#, "OK", "()").await;
    let read = "PacketTimeout { timeout: 5s, retries: 3, notice: false }";
    says(QmtCfg::timeout(0).read(), r#"AT+QMTCFG="timeout",0"#, "+QMTCFG: \"timeout\",5,3,0\n\nOK", read)
        .await;
    says(QmtCfg::ping_interval(0).set(seconds(5)), r#"AT+QMTCFG="qmtping",0,5"#, "OK", "()").await;
    says(QmtCfg::ping_interval(0).read(), r#"AT+QMTCFG="qmtping",0"#, "+QMTCFG: \"qmtping\",5\n\nOK", "5s")
        .await;
}

#[tokio::test(start_paused = true)]
async fn parameters_of_payloads() {
    let form = ReceiveForm { stored: false, length: true };
    says(QmtCfg::recv_mode(0).set(form), r#"AT+QMTCFG="recv/mode",0,0,1"#, "OK", "()").await;
    let read = "ReceiveForm { stored: true, length: false }";
    says(QmtCfg::recv_mode(0).read(), r#"AT+QMTCFG="recv/mode",0"#, "+QMTCFG: \"recv/mode\",1,0\n\nOK", read)
        .await;
    says(QmtCfg::send_mode(0).set(DataForm::Hex), r#"AT+QMTCFG="send/mode",0,1"#, "OK", "()").await;
    says(QmtCfg::send_mode(0).read(), r#"AT+QMTCFG="send/mode",0"#, "+QMTCFG: \"send/mode\",0\n\nOK", "Text")
        .await;
    let forms = DataForms { send: DataForm::Text, receive: DataForm::Hex };
    says(QmtCfg::data_format(0).set(forms), r#"AT+QMTCFG="dataformat",0,0,1"#, "OK", "()").await;
    let (line, read) = (r#"AT+QMTCFG="dataformat",0"#, "DataForms { send: Hex, receive: Text }");
    says(QmtCfg::data_format(0).read(), line, "+QMTCFG: \"dataformat\",1,0\n\nOK", read).await;
    says(QmtCfg::view_mode(0).set(true), r#"AT+QMTCFG="view/mode",0,1"#, "OK", "()").await;
    says(
        QmtCfg::view_mode(0).read(),
        r#"AT+QMTCFG="view/mode",0"#,
        "+QMTCFG: \"view/mode\",0\n\nOK",
        "false",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn wills() {
    let will = Will::new("a/will", "bye, all").unwrap().qos(QoS::ExactlyOnce).retain(true);
    let line = r#"AT+QMTCFG="will",0,1,2,1,"a/will","bye, all""#;
    says(QmtCfg::will(0).set(Some(will.clone())), line, "OK", "()").await;
    says(QmtCfg::will(0).set(None), r#"AT+QMTCFG="will",0,0"#, "OK", "()").await;
    says(QmtCfg::will(0).read(), r#"AT+QMTCFG="will",0"#, "+QMTCFG: \"will\",0\n\nOK", "None").await;
    let read = r#"Some(StoredWill { qos: AtLeastOnce, retain: false, topic: "t", length: 3, message: Some(b"x,y") })"#;
    let answer = "+QMTCFG: \"will\",1,1,0,\"t\",\"x,y\"\n\nOK";
    says(QmtCfg::will(0).read(), r#"AT+QMTCFG="will",0"#, answer, read).await;
    let read =
        r#"Some(StoredWill { qos: AtMostOnce, retain: true, topic: "t", length: 256, message: None })"#;
    let answer = "+QMTCFG: \"willex\",1,0,1,\"t\",256\n\nOK";
    says(QmtCfg::will_ex(0).read(), r#"AT+QMTCFG="willex",0"#, answer, read).await;
    says(QmtCfg::will_ex(0).read(), r#"AT+QMTCFG="willex",0"#, "+QMTCFG: \"willex\",0\nOK", "None").await;

    let script = ">> AT+QMTCFG=\"willex\",0,1,2,1,\"a/will\",8\n<= \\r\\n> \n>= bye, all\n<< OK";
    let outcome =
        Host::default().converse(script, async |port| send(&port, QmtCfg::will_ex(0).set(will)).await).await;
    assert!(outcome.is_ok());
}

#[tokio::test(start_paused = true)]
async fn identities_at_cloud_platforms_are_secret() {
    let ali = AliCredentials {
        product_key: "oyjtmPI5a5j".into(),
        device_name: "MQTT_TEST".into(),
        device_secret: "wN9Y6pZSIly7Exa5qVzcmigEGO4kAazZ".into(),
    };
    let line = r#"AT+QMTCFG="aliauth",0,"oyjtmPI5a5j","MQTT_TEST","wN9Y6pZSIly7Exa5qVzcmigEGO4kAazZ""#;
    says(QmtCfg::ali_auth(0).set(ali), line, "OK", "()").await;
    let read = r#"AliCredentials { product_key: "k", device_name: "n", device_secret: *** }"#;
    let answer = "+QMTCFG: \"aliauth\",\"k\",\"n\",\"hush\"\n\nOK";
    says(QmtCfg::ali_auth(0).read(), r#"AT+QMTCFG="aliauth",0"#, answer, read).await;
    let (_, ali) = ask(QmtCfg::ali_auth(0).read(), answer).await;
    assert_eq!(ali.unwrap().device_secret.expose(), "hush");

    let one_net = OneNetCredentials { product_id: "p".into(), access_key: "hush".into() };
    says(QmtCfg::one_net(1).set(one_net), r#"AT+QMTCFG="onenet",1,"p","hush""#, "OK", "()").await;
    let read = r#"OneNetCredentials { product_id: "p", access_key: *** }"#;
    says(
        QmtCfg::one_net(1).read(),
        r#"AT+QMTCFG="onenet",1"#,
        "+QMTCFG: \"onenet\",\"p\",\"hush\"\nOK",
        read,
    )
    .await;

    let device = HuaweiCredentials { product_id: "p".into(), access_key: "hush".into() };
    says(QmtCfg::hw_auth(0).set(device), r#"AT+QMTCFG="hwauth",0,"p","hush""#, "OK", "()").await;
    let read = r#"Huawei { credentials: HuaweiCredentials { product_id: "p", access_key: *** }, checks_time: Some(true) }"#;
    says(
        QmtCfg::hw_auth(0).read(),
        r#"AT+QMTCFG="hwauth",0"#,
        "+QMTCFG: \"hwauth\",\"p\",\"hush\",1\nOK",
        read,
    )
    .await;

    let product = HuaweiProduct { product_id: "p".into(), product_secret: "hush".into(), node: "n".into() };
    says(QmtCfg::hw_prod_id(0).set(product), r#"AT+QMTCFG="hwprodid",0,"p","hush","n""#, "OK", "()").await;
    let read = r#"Huawei { credentials: HuaweiProduct { product_id: "p", product_secret: ***, node: "n" }, checks_time: None }"#;
    let answer = "+QMTCFG: \"hwprodid\",\"p\",\"hush\",\"n\"\nOK";
    says(QmtCfg::hw_prod_id(0).read(), r#"AT+QMTCFG="hwprodid",0"#, answer, read).await;

    let shown = format!(
        "{:?}",
        QmtCfg::hw_auth(0).set(HuaweiCredentials { product_id: "p".into(), access_key: "hush".into() })
    );
    assert!(!shown.contains("hush"));
    let operation = QmtCfg::hw_auth(0)
        .set(HuaweiCredentials { product_id: "p".into(), access_key: "hush".into() })
        .operation();
    assert!(format!("{:?}", operation.unwrap()).contains(r#""p",***"#));
}

#[test]
fn parameters_out_of_range_name_field_and_limits() {
    for (words, expected) in [
        (refusal(QmtCfg::version(6).read()), "the client index is 6, and must be 0 to 5"),
        (refusal(QsslCfg::sni(6).read()), "the TLS context is 6, and must be 0 to 5"),
        (refusal(QmtCfg::pdp_context(0).set(0)), "the PDP context is 0, and must be 1 to 15"),
        (refusal(QmtCfg::pdp_context(0).set(16)), "the PDP context is 16, and must be 1 to 15"),
        (refusal(QmtCfg::ssl(0).set(Some(6))), "the TLS context is 6, and must be 0 to 5"),
        (
            refusal(QmtCfg::keep_alive(0).set(seconds(3601))),
            "the keep-alive interval is 3601, and must be 0 to 3600",
        ),
        (
            refusal(QmtCfg::keep_alive(0).set(Duration::from_millis(500))),
            "the keep-alive interval must be whole seconds",
        ),
        (refusal(QmtCfg::ping_interval(0).set(seconds(4))), "the ping interval is 4, and must be 5 to 60"),
        (
            refusal(QmtCfg::timeout(0).set(PacketTimeout {
                timeout: seconds(61),
                retries: 0,
                notice: false,
            })),
            "the packet timeout is 61, and must be 1 to 60",
        ),
        (
            refusal(QmtCfg::timeout(0).set(PacketTimeout {
                timeout: seconds(1),
                retries: 11,
                notice: false,
            })),
            "the number of retries is 11, and must be 0 to 10",
        ),
        (
            refusal(QmtCfg::will_ex(0).set(Will::new("t", vec![0; 257]).unwrap())),
            "the length of the will's message is 257, and must be 0 to 256",
        ),
        (
            refusal(QmtCfg::will_ex(0).set(Will::new("t".repeat(257), "x").unwrap())),
            "the topic of the will has 257 bytes, more than the limit of 256",
        ),
        (
            refusal(QmtCfg::will(0).set(Some(Will::new("t", "a\"b").unwrap()))),
            "the message of the will holds byte 0x22 at position 1, which a command line cannot carry there",
        ),
        (refusal(QsslCfg::ssl_version(0).set(5)), "the TLS version is 5, and must be 0 to 4"),
    ] {
        assert_eq!(words, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_of_another_parameter_cannot_be_read() {
    for answer in ["+QMTCFG: \"session\",1\nOK", "OK", "+QMTCFG: \"version\",9\nOK", "+QMTCFG: \nOK"] {
        assert!(ask(QmtCfg::version(0).read(), answer).await.1.is_err(), "{answer}");
    }
    assert!(ask(QsslCfg::security_level(0).read(), "+QSSLCFG: \"seclevel\",1,2\nOK").await.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn tests_of_every_command() {
    let all: [(TestForm, &str, &str, &str); 13] = [
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
async fn tls_contexts() {
    let path = || "UFS:cacert.pem".to_owned();
    says(QsslCfg::ca_cert(2).set(path()), r#"AT+QSSLCFG="cacert",2,"UFS:cacert.pem""#, "OK", "()").await;
    let answer = "+QSSLCFG: \"cacert\",2,\"UFS:cacert.pem\"\n\nOK";
    says(QsslCfg::ca_cert(2).read(), r#"AT+QSSLCFG="cacert",2"#, answer, "\"UFS:cacert.pem\"").await;
    says(QsslCfg::client_cert(2).set(path()), r#"AT+QSSLCFG="clientcert",2,"UFS:cacert.pem""#, "OK", "()")
        .await;
    let answer = "+QSSLCFG: \"clientcert\",2,\"UFS:client.pem\"\nOK";
    says(QsslCfg::client_cert(2).read(), r#"AT+QSSLCFG="clientcert",2"#, answer, "\"UFS:client.pem\"").await;
    says(QsslCfg::client_key(2).set(path()), r#"AT+QSSLCFG="clientkey",2,"UFS:cacert.pem""#, "OK", "()")
        .await;
    let answer = "+QSSLCFG: \"clientkey\",2,\"UFS:key.pem\",\"hush\"\nOK";
    says(QsslCfg::client_key(2).read(), r#"AT+QSSLCFG="clientkey",2"#, answer, "\"UFS:key.pem\"").await;
    for (level, number) in [(SecurityLevel::None, 0), (SecurityLevel::Server, 1), (SecurityLevel::Mutual, 2)]
    {
        let line = format!("AT+QSSLCFG=\"seclevel\",2,{number}");
        says(QsslCfg::security_level(2).set(level), &line, "OK", "()").await;
        let answer = format!("+QSSLCFG: \"seclevel\",2,{number}\nOK");
        says(QsslCfg::security_level(2).read(), r#"AT+QSSLCFG="seclevel",2"#, &answer, &format!("{level:?}"))
            .await;
    }
    says(QsslCfg::ssl_version(2).set(4), r#"AT+QSSLCFG="sslversion",2,4"#, "OK", "()").await;
    says(
        QsslCfg::ssl_version(2).read(),
        r#"AT+QSSLCFG="sslversion",2"#,
        "+QSSLCFG: \"sslversion\",2,3\nOK",
        "3",
    )
    .await;
    says(QsslCfg::cipher_suite(2).set(0xFFFF), r#"AT+QSSLCFG="ciphersuite",2,"0xFFFF""#, "OK", "()").await;
    let answer = "+QSSLCFG: \"ciphersuite\",2,0XC02F\nOK";
    says(QsslCfg::cipher_suite(2).read(), r#"AT+QSSLCFG="ciphersuite",2"#, answer, "49199").await;
    says(QsslCfg::ignore_local_time(2).set(true), r#"AT+QSSLCFG="ignorelocaltime",2,1"#, "OK", "()").await;
    let answer = "+QSSLCFG: \"ignorelocaltime\",2,0\nOK";
    says(QsslCfg::ignore_local_time(2).read(), r#"AT+QSSLCFG="ignorelocaltime",2"#, answer, "false").await;
    says(QsslCfg::sni(2).set(true), r#"AT+QSSLCFG="sni",2,1"#, "OK", "()").await;
    says(QsslCfg::sni(2).read(), r#"AT+QSSLCFG="sni",2"#, "+QSSLCFG: \"sni\",2,1\nOK", "true").await;
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
