//! Every command's bytes and the reading of its answer; the answers are the manual's where it gives one. Each test
//! is named after the rows of the coverage table that it shows.

use std::time::Duration;

use bytes::Bytes;

use self::support::{converse, gives, is_refused, refusal, says, seconds, tests};
use super::*;
use crate::bringup::script::{ask, refused};
use crate::command::Command;
use crate::common::{DefinePdpContext, Domain, PdpAddress, PdpType, Registration, SignalQuality};
use crate::dialect::send;
use crate::dialect::simcom::script::Host;
use crate::error::{Error, Outcome};
use crate::qos::QoS;

mod support;

#[tokio::test(start_paused = true)]
async fn s_cmqttstart_exec() {
    let start = async |answers: &str| converse(CmqttStart, &format!(">> AT+CMQTTSTART\n{answers}")).await;
    assert_eq!(start("<< OK\n<< +CMQTTSTART: 0").await.unwrap(), ResultCode::DONE);
    assert_eq!(start("<< +CMQTTSTART: 0\n<< OK").await.unwrap(), ResultCode::DONE, "SIM7600 in this order");
    let failed = start("<< OK\n<< +CMQTTSTART: 7").await.unwrap();
    assert_eq!(failed.number(), 7);
    assert_eq!(failed.to_string(), "the data connection could not be opened (code 7)");
    assert_eq!(failed.remedy(), Some("check APN, user and password of the SIM's contract"));
    let error = start("<< +CMQTTSTART: 23\n<< ERROR").await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CMQTTSTART: the MQTT service is started already (code 23)");
    assert!(start("<< ERROR").await.is_err());
    let silent = start("<< OK").await.unwrap_err();
    assert!(matches!(silent, Error::Timeout { after, .. } if after == seconds(180)), "{silent}");
}

#[tokio::test(start_paused = true)]
async fn s_cmqttstop_exec() {
    let stop = async |answers: &str| converse(CmqttStop, &format!(">> AT+CMQTTSTOP\n{answers}")).await;
    assert!(stop("<< OK\n<< +CMQTTSTOP: 0").await.unwrap().is_success());
    assert!(stop("<< +CMQTTSTOP: 0\n<< OK").await.unwrap().is_success());
    assert_eq!(stop("<< OK\n<< +CMQTTSTOP: 21").await.unwrap().number(), 21);
    assert!(stop("<< +CMQTTSTOP: 19\n<< ERROR").await.unwrap_err().to_string().ends_with("(code 19)"));
    assert!(stop("<< ERROR").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttaccq_test_read_write() {
    tests(CmqttAccq::test(), "+CMQTTACCQ", "(0-1),(1-128)[,(0-1)]").await;
    let plain = CmqttAccq::new(0, "client test0");
    says(plain.clone(), r#"AT+CMQTTACCQ=0,"client test0""#, "OK", "()").await;
    says(plain.clone().server(ServerType::Tls), r#"AT+CMQTTACCQ=0,"client test0",1"#, "OK", "()").await;
    is_refused(plain, "+CMQTTACCQ", "0,19", "the client is in use (code 19)").await;
    let answer = "+CMQTTACCQ: 0, client test0,0\n+CMQTTACCQ: 1, \"a,b\",1\n\nOK";
    let read = "[AcquiredClient { client: 0, identifier: \"client test0\", server: Tcp }, \
                AcquiredClient { client: 1, identifier: \"a,b\", server: Tls }]";
    says(CmqttAccq::read(), "AT+CMQTTACCQ?", answer, read).await;
    says(CmqttAccq::read(), "AT+CMQTTACCQ?", "OK", "[]").await;
    assert!(ask(CmqttAccq::read(), "+CMQTTACCQ: 0\n\nOK").await.1.is_err());
    assert_eq!(refusal(CmqttAccq::new(2, "a")), "the client index is 2, and must be 0 to 1");
    assert_eq!(refusal(CmqttAccq::new(0, "")), "the client identifier is missing");
    assert!(CmqttAccq::new(1, "x".repeat(128)).operation().is_ok());
    let words = "the client identifier has 129 bytes, more than the limit of 128";
    assert_eq!(refusal(CmqttAccq::new(1, "x".repeat(129))), words);
    assert!(CmqttAccq::new(1, "a\",1\r").operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttrel_test_read_write() {
    tests(CmqttRel::test(), "+CMQTTREL", "(0-1)").await;
    says(CmqttRel::read(), "AT+CMQTTREL?", "OK", "()").await;
    says(CmqttRel::new(1), "AT+CMQTTREL=1", "OK", "()").await;
    is_refused(CmqttRel::new(0), "+CMQTTREL", "0,20", "the client is not acquired (code 20)").await;
    assert!(CmqttRel::new(2).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttsslcfg_test_read_write() {
    tests(CmqttSslCfg::test(), "+CMQTTSSLCFG", "(0,1),(0-9)").await;
    says(CmqttSslCfg::new(0, 9), "AT+CMQTTSSLCFG=0,9", "OK", "()").await;
    let answer = "+CMQTTSSLCFG: 0,3\n+CMQTTSSLCFG: 1,\n\nOK";
    says(CmqttSslCfg::read(), "AT+CMQTTSSLCFG?", answer, "[(0, Some(3)), (1, None)]").await;
    assert_eq!(refusal(CmqttSslCfg::new(0, 10)), "the TLS context is 10, and must be 0 to 9");
    assert!(ask(CmqttSslCfg::new(0, 0), "ERROR").await.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttwilltopic_test_write() {
    tests(CmqttWillTopic::test(), "+CMQTTWILLTOPIC", "(0-1),(1-1024)").await;
    gives(CmqttWillTopic::new(0, "0123456789"), "AT+CMQTTWILLTOPIC=0,10", "0123456789").await;
    let command = CmqttWillTopic::new(0, "t");
    is_refused(command, "+CMQTTWILLTOPIC", "0,12", "a parameter is not valid (code 12)").await;
    assert_eq!(refusal(CmqttWillTopic::new(0, "")), "the topic of the will is missing");
    assert!(CmqttWillTopic::new(0, "x".repeat(1024)).operation().is_ok());
    assert!(CmqttWillTopic::new(0, "x".repeat(1025)).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttwillmsg_test_write() {
    tests(CmqttWillMsg::test(), "+CMQTTWILLMSG", "(0-1),(1-1024),(0-2)").await;
    gives(CmqttWillMsg::new(0, "qwerty", QoS::AtLeastOnce), "AT+CMQTTWILLMSG=0,6,1", "qwerty").await;
    let message = |bytes: Bytes| CmqttWillMsg::new(1, bytes, QoS::ExactlyOnce);
    assert!(message(vec![0xFF; 1024].into()).operation().is_ok());
    assert!(
        message(vec![0xFF; 1025].into()).operation().is_err() && message(Bytes::new()).operation().is_err()
    );
    is_refused(
        message(Bytes::from_static(b"x")),
        "+CMQTTWILLMSG",
        "1,20",
        "the client is not acquired (code 20)",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn s_cmqttconnect_test_read() {
    let parameters = "(0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]";
    tests(CmqttConnect::test(), "+CMQTTCONNECT", parameters).await;
    let answer = "+CMQTTCONNECT: 0,\"tcp://a:1\",60,1,\"user\",\"hush\"\n+CMQTTCONNECT: 1\n\nOK";
    let read = "[ConnectedClient { client: 0, connection: Some(ConnectionSettings { address: \"tcp://a:1\", \
                keep_alive: 60s, clean_session: true, user: Some(\"user\"), password: Some(***) }) }, \
                ConnectedClient { client: 1, connection: None }]";
    says(CmqttConnect::read(), "AT+CMQTTCONNECT?", answer, read).await;
    let (_, clients) = ask(CmqttConnect::read(), answer).await;
    let connection = clients.unwrap()[0].connection.clone().unwrap();
    assert_eq!(connection.password.unwrap().expose(), "hush");
}

#[tokio::test(start_paused = true)]
async fn s_cmqttconnect_write() {
    let connect = CmqttConnect::new(0, "test.mosquitto.org", 1883);
    let line = r#"AT+CMQTTCONNECT=0,"tcp://test.mosquitto.org:1883",60,1"#;
    let result = async |answers: &str| converse(connect.clone(), &format!(">> {line}\n{answers}")).await;
    assert!(result("<< OK\n<< +CMQTTCONNECT: 0,0").await.unwrap().is_success());
    assert_eq!(result("<< OK\n<< +CMQTTCONNECT: 0,30").await.unwrap().number(), 30);
    let error = result("<< +CMQTTCONNECT: 0,3\n<< ERROR").await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CMQTTCONNECT: the broker could not be reached (code 3)");
    assert!(result("<< ERROR").await.is_err());
    let lost = result("<< OK\n<< +CMQTTCONNLOST: 0,1").await.unwrap_err();
    assert!(matches!(lost, Error::ConnectionLost { .. }), "{lost}");

    let full = CmqttConnect::new(1, "a", 1).clean_session(false).keep_alive(seconds(64_800));
    let line = r#"AT+CMQTTCONNECT=1,"tcp://a:1",64800,0,"user","hush""#;
    let script = format!(">> {line}\n<< OK\n<< +CMQTTCONNECT: 1,0");
    assert!(converse(full.clone().credentials("user", "hush"), &script).await.unwrap().is_success());
    let address = CmqttConnect::new(0, "2001:db8::1", 1883).operation().unwrap().to_string();
    assert!(address.starts_with(r#"AT+CMQTTCONNECT=0,"tcp://[2001:db8::1]:1883","#), "{address}");
    let line = r#"AT+CMQTTCONNECT=1,"tcp://a:1",64800,0,"user""#;
    let script = format!(">> {line}\n<< OK\n<< +CMQTTCONNECT: 1,0");
    assert!(
        converse(full.clone().credentials("user", ""), &script).await.unwrap().is_success(),
        "no password"
    );
    let shown =
        format!("{:?} {:?}", full.clone().credentials("u", "hush"), full.clone().operation().unwrap());
    assert!(!shown.contains("hush"));

    assert_eq!(
        refusal(full.clone().keep_alive(seconds(64_801))),
        "the keep-alive interval is 64801, and must be 1 to 64800"
    );
    assert!(full.clone().keep_alive(Duration::ZERO).operation().is_err());
    assert!(full.clone().keep_alive(Duration::from_millis(1500)).operation().is_err());
    assert_eq!(refusal(full.clone().credentials("", "x")), "the user name is missing");
    assert!(full.clone().credentials("x".repeat(256), "y".repeat(256)).operation().is_ok());
    assert!(full.clone().credentials("x".repeat(257), "y").operation().is_err());
    assert!(full.clone().credentials("x", "y".repeat(257)).operation().is_err());
    assert!(CmqttConnect::new(0, &"h".repeat(245), 8883).operation().is_ok());
    let words = "the address of the broker has 257 bytes, more than the limit of 256";
    assert_eq!(refusal(CmqttConnect::new(0, &"h".repeat(246), 8883)), words);
    assert!(CmqttConnect::new(0, "a\",1", 1).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttdisc_test_read_write() {
    tests(CmqttDisc::test(), "+CMQTTDISC", "(0-1),(0, 60-180)").await;
    let read =
        "[ClientConnection { client: 0, connected: true }, ClientConnection { client: 1, connected: false }]";
    says(CmqttDisc::read(), "AT+CMQTTDISC?", "+CMQTTDISC: 0,0\n+CMQTTDISC: 1,1\n\nOK", read).await;
    let command = CmqttDisc::new(0).timeout(seconds(120));
    let disc = async |answers: &str| converse(command, &format!(">> AT+CMQTTDISC=0,120\n{answers}")).await;
    for answers in ["<< OK\n<< +CMQTTDISC: 0,0", "<< +CMQTTDISC: 0,0\n<< OK"] {
        assert!(disc(answers).await.unwrap().is_success(), "{answers}");
    }
    assert_eq!(disc("<< OK\n<< +CMQTTDISC: 0,35").await.unwrap().number(), 35);
    let error = disc("<< +CMQTTDISC: 0,11\n<< ERROR").await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CMQTTDISC: the client is not connected (code 11)");
    assert!(disc("<< ERROR").await.is_err());
    // Where the result comes first, nothing at all may come for as long as the disconnection takes.
    let silent = disc("").await.unwrap_err();
    assert!(matches!(silent, Error::Timeout { after, .. } if after == seconds(185)), "{silent}");
    for bad in [59, 181] {
        assert!(command.timeout(seconds(bad)).operation().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn s_cmqtttopic_test_write() {
    tests(CmqttTopic::test(), "+CMQTTTOPIC", "(0-1),(1-1024)").await;
    gives(CmqttTopic::new(0, "simcommsg"), "AT+CMQTTTOPIC=0,9", "simcommsg").await;
    gives(CmqttTopic::new(1, "a\"b,c"), "AT+CMQTTTOPIC=1,5", "a\"b,c").await;
    is_refused(CmqttTopic::new(0, "t"), "+CMQTTTOPIC", "0,14", "the client is busy (code 14)").await;
    assert!(CmqttTopic::new(0, "x".repeat(1024)).operation().is_ok());
    assert_eq!(
        refusal(CmqttTopic::new(0, "x".repeat(1025))),
        "the topic has 1025 bytes, more than the limit of 1024"
    );
}

#[tokio::test(start_paused = true)]
async fn s_cmqttpayload_test_write() {
    tests(CmqttPayload::test(), "+CMQTTPAYLOAD", "(0-1),(1-10240)").await;
    let payload = "0123456789".repeat(6);
    gives(CmqttPayload::new(0, payload.clone()), "AT+CMQTTPAYLOAD=0,60", &payload).await;
    gives(CmqttPayload::new(0, "> \x1a\r\nOK"), "AT+CMQTTPAYLOAD=0,7", "> \x1a\\r\\nOK").await;
    is_refused(CmqttPayload::new(0, "x"), "+CMQTTPAYLOAD", "0,22", "a length is out of range (code 22)")
        .await;
    assert!(CmqttPayload::new(0, vec![0; 10_240]).operation().is_ok());
    let words = "the payload has 10241 bytes, and the module takes at most 10240";
    assert_eq!(refusal(CmqttPayload::new(0, vec![0; 10_241])), words);
    assert!(CmqttPayload::new(0, Bytes::new()).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttpub_test_write() {
    tests(CmqttPub::test(), "+CMQTTPUB", "(0-1),(0-2),(60-180),(0-1),(0-1)").await;
    let publish = async |command: CmqttPub, line: &str, answers: &str| {
        converse(command, &format!(">> {line}\n{answers}")).await
    };
    let plain = CmqttPub::new(0, QoS::AtLeastOnce);
    let line = "AT+CMQTTPUB=0,1,60";
    assert!(publish(plain, line, "<< OK\n<< +CMQTTPUB: 0,0").await.unwrap().is_success());
    assert_eq!(publish(plain, line, "<< OK\n<< +CMQTTPUB: 0,6").await.unwrap().number(), 6);
    let error = publish(plain, line, "<< +CMQTTPUB: 0,6\n<< ERROR").await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CMQTTPUB: no answer of the broker was received (code 6)");
    assert_eq!(error.outcome(), Outcome::Unknown);
    let error = publish(plain, line, "<< +CMQTTPUB: 0,14\n<< ERROR").await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "it was busy with something else");
    assert_eq!(publish(plain, line, "<< ERROR").await.unwrap_err().outcome(), Outcome::Unknown);
    for (command, line) in [
        (CmqttPub::new(1, QoS::AtMostOnce).retain(true), "AT+CMQTTPUB=1,0,60,1"),
        (CmqttPub::new(1, QoS::ExactlyOnce).duplicate(true).timeout(seconds(180)), "AT+CMQTTPUB=1,2,180,0,1"),
        (CmqttPub::new(1, QoS::ExactlyOnce).retain(true).duplicate(true), "AT+CMQTTPUB=1,2,60,1,1"),
    ] {
        assert!(publish(command, line, "<< OK\n<< +CMQTTPUB: 1,0").await.unwrap().is_success());
    }
    for bad in [59, 181] {
        assert!(plain.timeout(seconds(bad)).operation().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn s_cmqttsubtopic_test_write() {
    tests(CmqttSubTopic::test(), "+CMQTTSUBTOPIC", "(0-1),(1-1024),(0-2)").await;
    gives(CmqttSubTopic::new(0, "123456789", QoS::AtLeastOnce), "AT+CMQTTSUBTOPIC=0,9,1", "123456789").await;
    let filter = |length| CmqttSubTopic::new(0, "x".repeat(length), QoS::ExactlyOnce);
    is_refused(filter(1), "+CMQTTSUBTOPIC", "0,12", "a parameter is not valid (code 12)").await;
    assert!(filter(1024).operation().is_ok() && filter(1025).operation().is_err());
    assert_eq!(refusal(filter(0)), "the topic filter is missing");
}

#[tokio::test(start_paused = true)]
async fn s_cmqttsub_test_many_one() {
    tests(CmqttSub::test(), "+CMQTTSUB", "(0-1),(0-1024),(0-2),(0-1)").await;
    let many = async |command: CmqttSub, line: &str, answers: &str| {
        converse(command, &format!(">> {line}\n{answers}")).await
    };
    let staged = || CmqttSub::staged(0);
    assert!(many(staged(), "AT+CMQTTSUB=0", "<< OK\n<< +CMQTTSUB: 0,0").await.unwrap().is_success());
    assert_eq!(many(staged(), "AT+CMQTTSUB=0", "<< OK\n<< +CMQTTSUB: 0,17").await.unwrap().number(), 17);
    assert!(many(staged().duplicate(true), "AT+CMQTTSUB=0,1", "<< OK\n<< +CMQTTSUB: 0,0").await.is_ok());
    let error = many(staged(), "AT+CMQTTSUB=0", "<< +CMQTTSUB: 0,18\n<< ERROR").await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CMQTTSUB: there is no topic (code 18)");

    let one = || CmqttSub::one(0, "simcommsg", QoS::AtLeastOnce);
    let prompt = "<= >\n>= simcommsg\n";
    for (command, line) in [(one(), "AT+CMQTTSUB=0,9,1"), (one().duplicate(true), "AT+CMQTTSUB=0,9,1,1")] {
        let script = format!(">> {line}\n{prompt}<< OK\n<< +CMQTTSUB: 0,0");
        assert!(converse(command, &script).await.unwrap().is_success());
    }
    // As SIM7600 refuses: the result and the loss come before the last `OK`.
    let script = format!(
        ">> AT+CMQTTSUB=0,9,1\n{prompt}<< OK\n<< +CMQTTSUB: 0,6\n<< +CMQTTCONNLOST: 0,1\n<< OK\n\
         >> AT+CMEE?\n<< +CMEE: 0\n<< OK"
    );
    let host = Host::default();
    let refused_late = host.converse(&script, async |port| {
        let code = send(&port, one()).await.unwrap();
        tokio::time::sleep(seconds(1)).await;
        code
    });
    assert_eq!(refused_late.await.number(), 6);
    assert!(refused(one(), "+CMQTTSUB: 0,2\n\nERROR").await.ends_with("a text is not UTF-8 (code 2)"));
    assert!(CmqttSub::one(0, "", QoS::AtMostOnce).operation().is_err());
    assert!(CmqttSub::staged(2).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttunsubtopic_test_write() {
    tests(CmqttUnsubTopic::test(), "+CMQTTUNSUBTOPIC", "(0-1),(1-1024)").await;
    gives(CmqttUnsubTopic::new(0, "123456789"), "AT+CMQTTUNSUBTOPIC=0,9", "123456789").await;
    let command = CmqttUnsubTopic::new(1, "t");
    is_refused(command, "+CMQTTUNSUBTOPIC", "1,20", "the client is not acquired (code 20)").await;
    assert!(CmqttUnsubTopic::new(1, "x".repeat(1025)).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttunsub_test_many_one() {
    tests(CmqttUnsub::test(), "+CMQTTUNSUB", "(0-1),(0-1024),(0-1)").await;
    let many = async |line: &str, command: CmqttUnsub, answers: &str| {
        converse(command, &format!(">> {line}\n{answers}")).await
    };
    let staged = || CmqttUnsub::staged(0);
    assert!(many("AT+CMQTTUNSUB=0,0", staged(), "<< OK\n<< +CMQTTUNSUB: 0,0").await.unwrap().is_success());
    assert!(many("AT+CMQTTUNSUB=0,1", staged().duplicate(true), "<< OK\n<< +CMQTTUNSUB: 0,0").await.is_ok());
    assert_eq!(
        many("AT+CMQTTUNSUB=0,0", staged(), "<< OK\n<< +CMQTTUNSUB: 0,11").await.unwrap().number(),
        11
    );
    assert!(many("AT+CMQTTUNSUB=0,0", staged(), "<< +CMQTTUNSUB: 0,18\n<< ERROR").await.is_err());

    let script = ">> AT+CMQTTUNSUB=0,9,0\n<= >\n>= simcommsg\n<< OK\n<< +CMQTTUNSUB: 0,0";
    assert!(converse(CmqttUnsub::one(0, "simcommsg"), script).await.unwrap().is_success());
    let one = CmqttUnsub::one(0, "simcommsg").duplicate(true);
    let script = script.replace("=0,9,0", "=0,9,1");
    assert!(converse(one, &script).await.unwrap().is_success());
    assert!(CmqttUnsub::one(0, "").operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cmqttcfg_test_read_write() {
    let answer = "+CMQTTCFG: \"checkUTF8\",(0-1),(0-1)\n+CMQTTCFG: \" optimeout \",(0-1),(20-120)\n\nOK";
    let read = r#"["\"checkUTF8\",(0-1),(0-1)", "\" optimeout \",(0-1),(20-120)"]"#;
    says(CmqttCfg::test(), "AT+CMQTTCFG=?", answer, read).await;
    // The second line with a space, as in the manual, and with what later firmware adds.
    let answer = "+CMQTTCFG: 0,1,120\n+CMQTTCFG: 1, 0,20,0,4\n\nOK";
    let read = "[ClientSettings { client: 0, check_utf8: true, operation_timeout: 120s }, \
                ClientSettings { client: 1, check_utf8: false, operation_timeout: 20s }]";
    says(CmqttCfg::read(), "AT+CMQTTCFG?", answer, read).await;
    let line = r#"AT+CMQTTCFG="argtopic",1,0,0"#;
    says(CmqttCfg::topics_as_arguments(1, false), line, "OK", "()").await;
    assert!(
        ask(CmqttCfg::topics_as_arguments(0, true), "ERROR").await.1.is_err(),
        "unknown to older firmware"
    );
    assert!(CmqttCfg::check_utf8(2, true).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_cfg_checkutf8() {
    says(CmqttCfg::check_utf8(0, false), r#"AT+CMQTTCFG="checkUTF8",0,0"#, "OK", "()").await;
    says(CmqttCfg::check_utf8(1, true), r#"AT+CMQTTCFG="checkUTF8",1,1"#, "OK", "()").await;
    // Then topics may be any bytes, as in the manual's last example.
    let topic = CmqttTopic::new(0, &b"\xA1\xA1\xA1\xFF"[..]);
    assert!(topic.operation().is_ok());
}

#[tokio::test(start_paused = true)]
async fn s_cfg_optimeout() {
    let line = r#"AT+CMQTTCFG="optimeout",0,20"#;
    says(CmqttCfg::operation_timeout(0, seconds(20)), line, "OK", "()").await;
    for bad in [19, 121] {
        assert!(CmqttCfg::operation_timeout(0, seconds(bad)).operation().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn s_csslcfg_each_parameter() {
    for (command, line) in [
        (CsslCfg::ssl_version(0, SslVersion::All), r#"AT+CSSLCFG="sslversion",0,4"#),
        (CsslCfg::ssl_version(9, SslVersion::Ssl3), r#"AT+CSSLCFG="sslversion",9,0"#),
        (CsslCfg::ssl_version(1, SslVersion::Tls1), r#"AT+CSSLCFG="sslversion",1,1"#),
        (CsslCfg::ssl_version(1, SslVersion::Tls1_1), r#"AT+CSSLCFG="sslversion",1,2"#),
        (CsslCfg::ssl_version(1, SslVersion::Tls1_2), r#"AT+CSSLCFG="sslversion",1,3"#),
        (CsslCfg::auth_mode(0, AuthMode::None), r#"AT+CSSLCFG="authmode",0,0"#),
        (CsslCfg::auth_mode(0, AuthMode::Server), r#"AT+CSSLCFG="authmode",0,1"#),
        (CsslCfg::auth_mode(0, AuthMode::Mutual), r#"AT+CSSLCFG="authmode",0,2"#),
        (CsslCfg::auth_mode(0, AuthMode::Client), r#"AT+CSSLCFG="authmode",0,3"#),
        (CsslCfg::ignore_local_time(0, true), r#"AT+CSSLCFG="ignorlocaltime",0,1"#),
        (CsslCfg::ignore_local_time_spelled_out(0, false), r#"AT+CSSLCFG="ignorelocaltime",0,0"#),
        (CsslCfg::negotiate_time(0, seconds(300)), r#"AT+CSSLCFG="negotiatetime",0,300"#),
        (CsslCfg::ca_cert(0, "server_ca.pem"), r#"AT+CSSLCFG="cacert",0,"server_ca.pem""#),
        (CsslCfg::client_cert(0, "cert.pem"), r#"AT+CSSLCFG="clientcert",0,"cert.pem""#),
        (CsslCfg::client_key(0, "key_cert.pem"), r#"AT+CSSLCFG="clientkey",0,"key_cert.pem""#),
        (CsslCfg::enable_sni(0, true), r#"AT+CSSLCFG="enableSNI",0,1"#),
    ] {
        says(command, line, "OK", "()").await;
    }
    let bad = [
        CsslCfg::auth_mode(10, AuthMode::None),
        CsslCfg::negotiate_time(0, seconds(9)),
        CsslCfg::negotiate_time(0, seconds(301)),
        CsslCfg::ca_cert(0, "abcd"),
        CsslCfg::ca_cert(0, "x".repeat(109)),
        CsslCfg::ca_cert(0, "a\".pem"),
    ];
    assert!(bad.iter().all(|command| command.operation().is_err()));
    tests(CsslCfg::test(), "+CSSLCFG", "\"sslversion\",(0-9),(0-4)").await;
    let answer = "+CSSLCFG: 0,4,0,1,300,\"\",\"\",\"\",0,\"\",0x0\n\
                  +CSSLCFG: 1,3,1,0,120,\"digicert_g2.pem\",\"\",\"\",1\n\nOK";
    let read = "[TlsContext { context: 0, version: 4, auth_mode: None, ignores_local_time: true, \
                negotiate_time: 300s, ca_cert: \"\", client_cert: \"\", client_key: \"\" }, \
                TlsContext { context: 1, version: 3, auth_mode: Server, ignores_local_time: false, \
                negotiate_time: 120s, ca_cert: \"digicert_g2.pem\", client_cert: \"\", client_key: \"\" }]";
    says(CsslCfg::read(), "AT+CSSLCFG?", answer, read).await;
}

#[tokio::test(start_paused = true)]
async fn s_ccertdown() {
    tests(CcertDown::test(), "+CCERTDOWN", "(5-108),(1-10240)").await;
    gives(CcertDown::new("ca_cert.pem", "-----BEGIN"), "AT+CCERTDOWN=\"ca_cert.pem\",10", "-----BEGIN").await;
    let key = CcertDown::new("k.pem", "hush").secret();
    assert!(!format!("{key:?} {:?}", key.operation().unwrap()).contains("hush"));
    for (name, length) in [("a.pe", 1), ("a.pem", 0), ("a.pem", 10_241)] {
        assert!(CcertDown::new(name, vec![b'x'; length]).operation().is_err(), "{name} {length}");
    }
    assert!(CcertDown::new("a.pem", vec![b'x'; 10_240]).operation().is_ok());
}

#[tokio::test(start_paused = true)]
async fn s_ccertlist_ccertdele() {
    let answer = "+CCERTLIST: \"cacert.pem\"\n+CCERTLIST: \"clientkey.pem\"\nOK";
    says(CcertList, "AT+CCERTLIST", answer, r#"["cacert.pem", "clientkey.pem"]"#).await;
    says(CcertList, "AT+CCERTLIST", "OK", "[]").await;
    says(CcertDele::new("cacert.pem"), "AT+CCERTDELE=\"cacert.pem\"", "OK", "()").await;
    assert!(ask(CcertDele::new("cacert.pem"), "ERROR").await.1.is_err());
    assert!(CcertDele::new("").operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn s_net() {
    let (line, signal) = ask(SignalQuality, "+CSQ: 23,0\n\nOK").await;
    assert_eq!((line.as_str(), signal.unwrap().rssi_dbm), ("AT+CSQ", Some(-67)));
    for domain in Domain::ALL {
        let (line, status) = ask(Registration(domain), &format!("{}: 0,1\n\nOK", name(domain))).await;
        assert!(status.unwrap().state.is_registered(), "{line}");
    }
    let socket = CgSockCont::new(1, PdpType::Ipv4, "CMNET");
    says(socket, r#"AT+CGSOCKCONT=1,"IP","CMNET""#, "OK", "()").await;
    says(DefinePdpContext::new(1, PdpType::Ipv4, "CMNET"), r#"AT+CGDCONT=1,"IP","CMNET""#, "OK", "()").await;
    let answer = "+CGPADDR: 1,10.49.14.68\n+CGPADDR: 4,0.0.0.0\n\nOK";
    let read = "[PdpAddresses { cid: 1, addresses: [10.49.14.68] }, PdpAddresses { cid: 4, addresses: [] }]";
    says(PdpAddress::all(), "AT+CGPADDR", answer, read).await;
    tests(CgSockCont::test(), "+CGSOCKCONT", "(1-16),\"IP\"").await;

    let user = CgAuth::new(1, "user", "hush");
    assert!(!format!("{user:?} {:?}", user.operation().unwrap()).contains("hush"));
    says(user, r#"AT+CGAUTH=1,1,"hush","user""#, "OK", "()").await;
    tests(CgAuth::test(), "+CGAUTH", "(1-16),(0-2),,").await;
    assert!(CgSockCont::new(1, PdpType::Ipv4, "a\"b").operation().is_err());
    assert!(CgAuth::new(1, "user", "x".repeat(128)).operation().is_err());
}

fn name(domain: Domain) -> &'static str {
    match domain {
        Domain::Circuit => "+CREG",
        Domain::Packet => "+CGREG",
        Domain::Eps => "+CEREG",
    }
}
