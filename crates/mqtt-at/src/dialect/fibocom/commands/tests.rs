//! Every command's bytes and the reading of its answer; the answers are the manual's where it gives one.

use std::fmt::Debug;
use std::time::Duration;

use super::*;
use crate::bringup::script::ask;
use crate::command::{Command, TestForm};
use crate::dialect::fibocom::script::Host;
use crate::dialect::send;
use crate::qos::QoS;

/// A command is written as `line`, and `answer` is read as `read` shows it.
async fn says<C: Command<Answer: Debug> + Sync>(command: C, line: &str, answer: &str, read: &str) {
    let (written, outcome) = ask(command, answer).await;
    assert_eq!(written, line);
    assert_eq!(format!("{:?}", outcome.unwrap()), read, "{line}");
}

/// The same, with the rules of the dialect, and the words of an error where there is one.
async fn converses<C: Command<Answer: Debug> + Sync>(command: C, script: &str) -> String {
    match Host::default().converse(script, async |port| send(&port, command).await).await {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => error.to_string(),
    }
}

/// A test form is written as `line`, and gives its parameters back.
async fn test_form(form: TestForm, line: &str, parameters: &str) {
    let name = line.trim_start_matches("AT").trim_end_matches("=?");
    let (written, outcome) = ask(form, &format!("{name}: {parameters}\n\nOK")).await;
    assert_eq!((written.as_str(), outcome), (line, Ok(vec![parameters.to_owned()])));
}

/// The words of an error that is found before a byte is sent.
fn refusal<C: Command>(command: C) -> String {
    command.operation().map(drop).unwrap_err().to_string()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn f_mqttuser_write() {
    let user = MqttUser::new(1, "username", "passwd");
    says(user.clone(), r#"AT+MQTTUSER=1,"username","passwd""#, "OK", "()").await;
    let line = r#"AT+MQTTUSER=1,"username","passwd","ClientIDStr""#;
    says(user.identifier("ClientIDStr"), line, "OK", "()").await;
    says(MqttUser::new(2, "", "").identifier("x"), r#"AT+MQTTUSER=2,"","","x""#, "OK", "()").await;
}

#[tokio::test(start_paused = true)]
async fn f_mqttuser_read() {
    let answer = "+MQTTUSER: 1,\"u\",\"hush\",\"id\"\n+MQTTUSER: 2,\"v\",\"\"\n\nOK";
    let read = r#"[StoredUser { client: 1, user: "u", password: ***, identifier: Some("id") }, StoredUser { client: 2, user: "v", password: ***, identifier: None }]"#;
    says(MqttUser::read(), "AT+MQTTUSER?", answer, read).await;
    let (_, stored) = ask(MqttUser::read(), answer).await;
    assert_eq!(stored.unwrap()[0].password.expose(), "hush");
    says(MqttUser::read(), "AT+MQTTUSER?", "OK", "[]").await;
    assert!(ask(MqttUser::read(), "+MQTTUSER: x\nOK").await.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn f_mqttuser_test() {
    test_form(MqttUser::test(), "AT+MQTTUSER=?", "(1,2),128,128,23").await;
}

#[test]
fn f_limits_user() {
    let user = |user: usize, password: usize, identifier: usize| {
        let command = MqttUser::new(1, "u".repeat(user), "p".repeat(password));
        command.identifier("i".repeat(identifier))
    };
    assert!(user(128, 128, 23).operation().is_ok());
    assert_eq!(refusal(user(129, 0, 1)), "the user name has 129 bytes, more than the limit of 128");
    assert_eq!(refusal(user(0, 129, 1)), "the password has 129 bytes, more than the limit of 128");
    assert_eq!(refusal(user(0, 0, 24)), "the client identifier has 24 bytes, more than the limit of 23");
    assert_eq!(refusal(MqttUser::new(3, "", "")), "the client index is 3, and must be 1 to 2");
    for bad in ["a\"b", "a\\b", "a\rb", "a\nb", "a\0b", "é"] {
        assert!(MqttUser::new(1, bad, "").operation().is_err(), "{bad:?}");
        assert!(MqttUser::new(1, "", bad).operation().is_err(), "{bad:?}");
        assert!(MqttUser::new(1, "", "").identifier(bad).operation().is_err(), "{bad:?}");
    }
    let shown = format!("{:?}", MqttUser::new(1, "u", "hush").operation().unwrap());
    assert!(!shown.contains("hush"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn f_mqttopen_write() {
    let open = || {
        let command = MqttOpen::new(1, "MQTT BrokerServer", 1883);
        command.clean_session(false).keep_alive(seconds(80))
    };
    let line = r#">> AT+MQTTOPEN=1,"MQTT BrokerServer",1883,0,80"#;
    for (answer, read) in [
        ("<< OK\n<< +MQTTOPEN: 1,1", "Success"),
        ("<< +MQTTOPEN: 1,1\n<< OK", "Success"),
        ("<< OK\n<< +MQTTOPEN: 2,1\n<< +MQTTOPEN:1,0", "Failure"),
        ("<< ERROR: 703", "the broker refused: bad user name or password (code 4)"),
        ("<< ERROR: 700", "the broker refused: unacceptable protocol version (code 1)"),
        ("<< +CME ERROR: 704", "the broker refused: not authorized (code 5)"),
        ("<< +CME ERROR: 3", "AT+MQTTOPEN: not allowed in this state (code +CME ERROR: 3)"),
        ("<< ERROR: 9", "AT+MQTTOPEN: a code that the manual does not explain (code 9)"),
        ("<< ERROR", "AT+MQTTOPEN: the module refused without a reason"),
    ] {
        assert_eq!(converses(open(), &format!("{line}\n{answer}")).await, read, "{answer}");
    }
    let line = r#">> AT+MQTTOPEN=2,"h",65535,1,120"#;
    let open = MqttOpen::new(2, "h", 65_535);
    assert_eq!(converses(open, &format!("{line}\n<< OK\n<< +MQTTOPEN: 2,1")).await, "Success");
}

#[tokio::test(start_paused = true)]
async fn f_mqttopen_read() {
    for (answer, read) in [
        ("<< +MQTTOPEN: 1,2\n<< OK", "[1, 2]"),
        ("<= \\r\\n+MQTTOPEN: 1\\r\\n+MQTTOPEN: 2\\r\\n\\r\\nOK\\r\\n", "[1, 2]"),
        ("<< +MQTTOPEN: 2\n<< OK", "[2]"),
        ("<< +MQTTOPEN: 0\n<< OK", "[]"),
        // A late result of a connection is none of it.
        ("<< +MQTTOPEN: 1,1\n<< +MQTTOPEN: 1\n<< OK", "[1]"),
    ] {
        let script = format!(">> AT+MQTTOPEN?\n{answer}");
        assert_eq!(converses(MqttOpen::read(), &script).await, read, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn f_mqttopen_test() {
    for name in ["+MPQTTOPEN", "+MQTTOPEN"] {
        let script = format!(">> AT+MQTTOPEN=?\n<< {name}: (1,2),(1-255),(1-65535),(0,1),(1-300)\n<< OK");
        let read = r#"["(1,2),(1-255),(1-65535),(0,1),(1-300)"]"#;
        assert_eq!(converses(MqttOpen::test(), &script).await, read);
    }
}

#[test]
fn f_limits_open() {
    let open = || MqttOpen::new(1, "h".repeat(255), 1);
    assert!(open().keep_alive(seconds(1)).operation().is_ok());
    assert!(open().keep_alive(seconds(300)).operation().is_ok());
    assert_eq!(refusal(open().keep_alive(seconds(0))), "the keep-alive is 0, and must be 1 to 300");
    assert_eq!(refusal(open().keep_alive(seconds(301))), "the keep-alive is 301, and must be 1 to 300");
    let odd = open().keep_alive(Duration::from_millis(1500));
    assert_eq!(refusal(odd), "the keep-alive must be whole seconds");
    let long = MqttOpen::new(1, "h".repeat(256), 1);
    assert_eq!(refusal(long), "the host has 256 bytes, more than the limit of 255");
    assert_eq!(refusal(MqttOpen::new(1, "h", 0)), "the port is 0, and must be 1 to 65535");
    assert_eq!(refusal(MqttOpen::new(0, "h", 1)), "the client index is 0, and must be 1 to 2");
    assert!(MqttOpen::new(1, "h\",1883,0,80\r", 1).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn f_mqttclose_write() {
    let line = ">> AT+MQTTCLOSE=1";
    for (answer, read) in [
        ("<< OK\n<< +MQTTCLOSE: 1,1", "Success"),
        ("<< OK\n<< +MQTTCLOSE: 1,0", "Failure"),
        ("<< ERROR", "AT+MQTTCLOSE: the module refused the command without a reason"),
        ("<< ERROR: 702", "AT+MQTTCLOSE: server unavailable (code 702)"),
    ] {
        assert_eq!(converses(MqttClose::new(1), &format!("{line}\n{answer}")).await, read, "{answer}");
    }
    assert_eq!(refusal(MqttClose::new(3)), "the client index is 3, and must be 1 to 2");
}

#[tokio::test(start_paused = true)]
async fn f_mqttclose_read() {
    for (list, read) in [("1,2", "[1, 2]"), ("1", "[1]"), ("2", "[2]"), ("0", "[]")] {
        let script = format!(">> AT+MQTTCLOSE?\n<< +MQTTCLOSE: {list}\n<< OK");
        assert_eq!(converses(MqttClose::read(), &script).await, read);
    }
}

#[tokio::test(start_paused = true)]
async fn f_mqttclose_test() {
    test_form(MqttClose::test(), "AT+MQTTCLOSE=?", "(1,2)").await;
}

#[tokio::test(start_paused = true)]
async fn f_mqttsub_write() {
    let line = r#">> AT+MQTTSUB=1,"topic1",0"#;
    for (answer, read) in [
        ("<< OK\n<< +MQTTSUB: 1,1", "Success"),
        ("<< OK\n<< +MQTTSUB: 1,0", "Failure"),
        ("<< ERROR: 704", "AT+MQTTSUB: not authorized (code 704)"),
        (
            "<< ERROR",
            "AT+MQTTSUB: the module refused: the client is not connected any more, or has too much under way",
        ),
    ] {
        let sub = MqttSub::new(1, "topic1", QoS::AtMostOnce);
        assert_eq!(converses(sub, &format!("{line}\n{answer}")).await, read, "{answer}");
    }
    let script = ">> AT+MQTTSUB=2,\"a/+/#\",2\n<< OK\n<< +MQTTSUB: 2,1";
    assert_eq!(converses(MqttSub::new(2, "a/+/#", QoS::ExactlyOnce), script).await, "Success");
}

#[tokio::test(start_paused = true)]
async fn f_mqttsub_test() {
    test_form(MqttSub::test(), "AT+MQTTSUB=?", "(1,2),255,(0-2)").await;
}

#[tokio::test(start_paused = true)]
async fn f_mqttunsub_write() {
    let line = r#">> AT+MQTTUNSUB=1,"topic1""#;
    for (answer, read) in
        [("<< OK\n<< +MQTTUNSUB: 1,1", "Success"), ("<< OK\n<< +MQTTSUB: 1,1\n<< +MQTTUNSUB: 1,0", "Failure")]
    {
        let unsub = MqttUnsub::new(1, "topic1");
        assert_eq!(converses(unsub, &format!("{line}\n{answer}")).await, read, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn f_mqttunsub_test() {
    test_form(MqttUnsub::test(), "AT+MQTTUNSUB=?", "(1,2),255").await;
}

#[test]
fn f_limits_topic() {
    let long = "t".repeat(256);
    let fits = &long[..255];
    assert!(MqttSub::new(1, fits, QoS::AtMostOnce).operation().is_ok());
    assert!(MqttUnsub::new(1, fits).operation().is_ok());
    assert!(MqttPub::new(1, fits, "x").operation().is_ok());
    assert!(MqttPubInline::new(1, fits, "x").operation().is_ok());
    assert!(MqttWill::new(1, fits, "x").operation().is_ok());
    let words = "the topic filter has 256 bytes, more than the limit of 255";
    assert_eq!(refusal(MqttSub::new(1, &long, QoS::AtMostOnce)), words);
    assert_eq!(refusal(MqttUnsub::new(1, &long)), words);
    let words = "the topic has 256 bytes, more than the limit of 255";
    assert_eq!(refusal(MqttPub::new(1, &long, "x")), words);
    assert_eq!(refusal(MqttPubInline::new(1, &long, "x")), words);
    let words = "the topic of the will has 256 bytes, more than the limit of 255";
    assert_eq!(refusal(MqttWill::new(1, &long, "x")), words);
    for bad in ["", "a\"", "a\\", "a\r", "a\n", "é", "\u{7f}"] {
        assert!(MqttSub::new(1, bad, QoS::AtMostOnce).operation().is_err(), "{bad:?}");
        assert!(MqttUnsub::new(1, bad).operation().is_err(), "{bad:?}");
        assert!(MqttPub::new(1, bad, "x").operation().is_err(), "{bad:?}");
        assert!(MqttPubInline::new(1, bad, "x").operation().is_err(), "{bad:?}");
        assert!(MqttWill::new(1, bad, "x").operation().is_err(), "{bad:?}");
    }
}

/// The prompt is `>` CR LF in the manual, and without a line end on MC665.
#[tokio::test(start_paused = true)]
async fn f_mqttpub_datasize() {
    for prompt in ["\\r\\n>\\r\\n", ">", "\\r\\n> "] {
        let script = format!(
            ">> AT+MQTTPUB=1,\"topic1\",1,0,9\n<= {prompt}\n>= a\\r\\n\"b\" >x\n<< OK\n<< +MQTTPUB: 1,1"
        );
        let publish = MqttPub::new(1, "topic1", "a\r\n\"b\" >x").qos(QoS::AtLeastOnce);
        assert_eq!(converses(publish, &script).await, "Success");
    }
    let script = ">> AT+MQTTPUB=2,\"t\",2,1,1\n<= >\\r\\n\n>= x\n<< OK\n<< +MQTTPUB: 2,0";
    let publish = MqttPub::new(2, "t", "x").qos(QoS::ExactlyOnce).retain(true);
    assert_eq!(converses(publish, script).await, "Failure");
    let script = ">> AT+MQTTPUB=1,\"t\",0,0,1\n<< ERROR";
    let words =
        "AT+MQTTPUB: the module refused: the client is not connected any more, or has too much under way";
    assert_eq!(converses(MqttPub::new(1, "t", "x"), script).await, words);
}

#[tokio::test(start_paused = true)]
async fn f_mqttpub_inline() {
    let publish = MqttPubInline::new(1, "topic1", "9").qos(QoS::AtLeastOnce);
    let script = ">> AT+MQTTPUB=1,\"topic1\",1,0,\"9\"\n<< OK\n<< +MQTTPUB: 1,1";
    assert_eq!(converses(publish, script).await, "Success");
    let publish = MqttPubInline::new(1, "t", "").retain(true);
    let script = ">> AT+MQTTPUB=1,\"t\",0,1,\"\"\n<< OK\n<< +MQTTPUB: 1,0";
    assert_eq!(converses(publish, script).await, "Failure");
    assert!(MqttPubInline::new(1, "t", "x".repeat(1024)).operation().is_ok());
    let long = MqttPubInline::new(1, "t", "x".repeat(1025));
    assert_eq!(refusal(long), "the message has 1025 bytes, more than the limit of 1024");
    for bad in ["{\"a\":1}", "a\\", "a\r", "é", "\u{1a}"] {
        assert!(MqttPubInline::new(1, "t", bad).operation().is_err(), "{bad:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn f_mqttpub_test() {
    test_form(MqttPub::test(), "AT+MQTTPUB=?", "(1,2),255,(0-2),(0,1),1024").await;
}

#[test]
fn f_limits_payload() {
    assert!(MqttPub::new(1, "t", vec![0; 1024]).operation().is_ok());
    let words = "the payload has 1025 bytes, and the module takes at most 1024";
    assert_eq!(refusal(MqttPub::new(1, "t", vec![0; 1025])), words);
    let words = "the payload is empty, and the module cannot send an empty one";
    assert_eq!(refusal(MqttPub::new(1, "t", "")), words);
    assert_eq!(refusal(MqttPub::new(3, "t", "x")), "the client index is 3, and must be 1 to 2");
}

#[tokio::test(start_paused = true)]
async fn f_mqttconf_write() {
    says(MqttConf::new(Reports::Lengths), "AT+MQTTCONF=1", "OK", "()").await;
    says(MqttConf::new(Reports::Content), "AT+MQTTCONF=0", "OK", "()").await;
}

#[tokio::test(start_paused = true)]
async fn f_mqttconf_read() {
    says(MqttConf::read(), "AT+MQTTCONF?", "+MQTTCONF: 0\n\nOK", "Content").await;
    says(MqttConf::read(), "AT+MQTTCONF?", "+MQTTCONF:1\n\nOK", "Lengths").await;
    assert!(ask(MqttConf::read(), "+MQTTCONF: 2\nOK").await.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn f_mqttconf_test() {
    test_form(MqttConf::test(), "AT+MQTTCONF=?", "(0,1)").await;
}

/// What a person takes out by hand is the answer, and goes to nobody else.
#[tokio::test(start_paused = true)]
async fn f_mqttread_write() {
    let message =
        r#"Some(ReceivedMessage { client: 1, qos: AtLeastOnce, topic: "topic1", payload: b"a\r\nOK\r\n" })"#;
    for (answer, read) in [
        ("<< +MQTTREAD: 1,0,0,0", "None"),
        ("<= \\r\\n+MQTTREAD: 1,1,6,7\\r\\n\"topic1\",\"a\\r\\nOK\\r\\n\"\\r\\n", message),
        ("<= \\r\\n+MQTTREAD: 1,1,6,7,topic1,a\\r\\nOK\\r\\n\\r\\n", message),
    ] {
        let script = format!(">> AT+MQTTREAD=1\n{answer}\n<< OK");
        assert_eq!(converses(MqttRead::new(1), &script).await, read, "{answer}");
    }
    let script = ">> AT+MQTTREAD=2\n<< ERROR: 702";
    let words = "AT+MQTTREAD: server unavailable (code 702)";
    assert_eq!(converses(MqttRead::new(2), script).await, words);
    assert_eq!(refusal(MqttRead::new(0)), "the client index is 0, and must be 1 to 2");
}

#[tokio::test(start_paused = true)]
async fn f_mqttread_test() {
    test_form(MqttRead::test(), "AT+MQTTREAD=?", "(1,2)").await;
}

#[tokio::test(start_paused = true)]
async fn f_mqttwill_write() {
    let will = MqttWill::new(1, "topic1", "Tell you, I'm dead.").qos(QoS::AtLeastOnce).retain(true);
    says(will, r#"AT+MQTTWILL=1,"topic1",1,1,"Tell you, I'm dead.""#, "OK", "()").await;
    says(MqttWill::new(2, "t", ""), r#"AT+MQTTWILL=2,"t",0,0,"""#, "OK", "()").await;
    assert!(MqttWill::new(1, "t", vec![b'x'; 1024]).operation().is_ok());
    let words = "the message of the will has 1025 bytes, more than the limit of 1024";
    assert_eq!(refusal(MqttWill::new(1, "t", vec![b'x'; 1025])), words);
    let words =
        "the message of the will holds byte 0x22 at position 1, which a command line cannot carry there";
    assert_eq!(refusal(MqttWill::new(1, "t", "{\"a\":1}")), words);
    for bad in [&b"\\"[..], b"\r", b"\n", b"\0", b"\x80", b"\x7f"] {
        assert!(MqttWill::new(1, "t", bad).operation().is_err(), "{bad:?}");
    }
    assert_eq!(refusal(MqttWill::new(9, "t", "")), "the client index is 9, and must be 1 to 2");
}

#[tokio::test(start_paused = true)]
async fn f_mqttwill_read() {
    let answer = "+MQTTWILL: 1,\"topic1\",1,1,\"bye, \"all\"\"\n+MQTTWILL: 2,\"t\",0,0,\"\"\n\nOK";
    let read = r#"[StoredWill { client: 1, topic: "topic1", qos: AtLeastOnce, retain: true, message: b"bye, \"all\"" }, StoredWill { client: 2, topic: "t", qos: AtMostOnce, retain: false, message: b"" }]"#;
    says(MqttWill::read(), "AT+MQTTWILL?", answer, read).await;
    says(MqttWill::read(), "AT+MQTTWILL?", "OK", "[]").await;
    assert!(ask(MqttWill::read(), "+MQTTWILL: 1,\"t\",7,0,\"\"\nOK").await.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn f_mqttwill_test() {
    test_form(MqttWill::test(), "AT+MQTTWILL=?", "(1,2),255,(0-2),(0,1),1024").await;
}

#[tokio::test(start_paused = true)]
async fn f_net_mipcall() {
    says(MipCall::dial(), "AT+MIPCALL=1", "OK", "()").await;
    says(MipCall::dial_to("UNINET"), r#"AT+MIPCALL=1,"UNINET""#, "OK", "()").await;
    let secret = || MipCall::dial_to("apn").credentials("u", "hush");
    says(secret(), r#"AT+MIPCALL=1,"apn","u","hush""#, "OK", "()").await;
    assert!(!format!("{:?}", secret().operation().unwrap()).contains("hush"));
    says(MipCall::hang_up(), "AT+MIPCALL=0", "OK", "()").await;
    test_form(MipCall::test(), "AT+MIPCALL=?", "(0-1)").await;
    assert!(MipCall::dial_to("a\"\r").operation().is_err());
    assert!(MipCall::dial_to("a".repeat(100)).operation().is_err());

    let script = ">> AT+MIPCALL=1\n<< OK\n<< +MIPCALL: 10.2.83.148";
    assert_eq!(converses(MipCall::dial(), script).await, "()");
    let script = ">> AT+MIPCALL=1\n<< +MIPCALL: 10.2.83.148\n<< OK";
    assert_eq!(converses(MipCall::dial(), script).await, "()");
}

#[tokio::test(start_paused = true)]
async fn f_net_mipcall_read() {
    for (answer, read) in [
        ("+MIPCALL: 0", "DataCall { active: false, address: None }"),
        ("+MIPCALL:1", "DataCall { active: true, address: None }"),
        ("+MIPCALL: 1,192.168.0.1", "DataCall { active: true, address: Some(192.168.0.1) }"),
        ("+MIPCALL: 1, \"192.168.0.1\"", "DataCall { active: true, address: Some(192.168.0.1) }"),
        ("+MIPCALL: 192.168.0.1", "DataCall { active: true, address: Some(192.168.0.1) }"),
        ("+MIPCALL: 2001:ee0::1", "DataCall { active: true, address: Some(2001:ee0::1) }"),
        ("+MIPCALL: 1,0.0.0.0", "DataCall { active: true, address: None }"),
    ] {
        says(MipCall::read(), "AT+MIPCALL?", &format!("{answer}\n\nOK"), read).await;
    }
    for bad in ["+MIPCALL: x", "+MIPCALL: 7", "+MIPCALL: "] {
        assert!(ask(MipCall::read(), &format!("{bad}\nOK")).await.1.is_err(), "{bad}");
    }
}
