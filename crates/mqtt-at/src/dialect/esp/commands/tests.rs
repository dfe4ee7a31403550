//! Every command's bytes and the reading of its answer; the answers are the user guide's where it gives one.

use std::fmt::Debug;
use std::time::Duration;

use at_port::Operation;

use super::*;
use crate::bringup::script::{ask, refused};
use crate::command::Command;
use crate::dialect::esp::script::Host;
use crate::dialect::send;
use crate::error::{Error, Outcome};
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

/// Sends one command to a scripted module whose reports are read as ESP-AT's.
async fn converse<C: Command + Sync>(command: C, script: &str) -> crate::Result<C::Answer> {
    Host::default().converse(script, async |port| send(&port, command).await).await
}

fn shown(operation: &Operation) -> String {
    format!("{operation:?}")
}

#[tokio::test(start_paused = true)]
async fn mqttusercfg() {
    let command = MqttUserCfg::new(Scheme::Tcp, "publisher").credentials("espressif", "123456789");
    says(command.clone(), r#"AT+MQTTUSERCFG=0,1,"publisher","espressif","123456789",0,0,"""#, "OK", "()")
        .await;
    let socket = MqttUserCfg::new(Scheme::WebSocketTls, "publisher").path("mqtt");
    says(socket, r#"AT+MQTTUSERCFG=0,7,"publisher","","",0,0,"mqtt""#, "OK", "()").await;
    assert!(!shown(&command.operation().unwrap()).contains("123456789"));
    assert!(!format!("{command:?}").contains("123456789"));
    let full = "x".repeat(64);
    MqttUserCfg::new(Scheme::WebSocketMutual, &full)
        .credentials(&full, full.clone())
        .path("p".repeat(32))
        .operation()
        .unwrap_err();
    MqttUserCfg::new(Scheme::Tls, &full).credentials(&full, full.clone()).operation().unwrap();
    for text in ["x".repeat(65), "a\"b".into(), "a,b".into(), "a\\b".into(), "a\nb".into()] {
        assert!(MqttUserCfg::new(Scheme::Tcp, &text).operation().is_err(), "{text:?}");
        assert!(MqttUserCfg::new(Scheme::Tcp, "i").credentials(&text, "").operation().is_err(), "{text:?}");
        assert!(MqttUserCfg::new(Scheme::Tcp, "i").credentials("", text.clone()).operation().is_err());
        assert!(MqttUserCfg::new(Scheme::Tcp, "i").path(&text).operation().is_err(), "{text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn mqttlong() {
    let script = |name: &str| format!(">> AT+{name}=0,5\n<< OK\n<= \\r\\n>\n>= a,\"\\b\n<< OK");
    let text = "a,\"\\b";
    converse(MqttLongClientId(text.into()), &script("MQTTLONGCLIENTID")).await.unwrap();
    converse(MqttLongUsername(text.into()), &script("MQTTLONGUSERNAME")).await.unwrap();
    converse(MqttLongPassword(text.into()), &script("MQTTLONGPASSWORD")).await.unwrap();
    let error = converse(MqttLongClientId("id".into()), ">> AT+MQTTLONGCLIENTID=0,2\n<< ERROR").await;
    assert_eq!(error.unwrap_err().outcome(), Outcome::NotSent);

    MqttLongPassword("p".repeat(1024).into()).operation().unwrap();
    let long = "x".repeat(1025);
    assert_eq!(
        refusal(MqttLongClientId(long.clone())),
        "the client identifier has 1025 bytes, more than the limit of 1024"
    );
    assert_eq!(refusal(MqttLongUsername(String::new())), "the user name is missing");
    assert!(!refusal(MqttLongPassword(long.into())).contains("xx"));
}

#[tokio::test(start_paused = true)]
async fn mqttconncfg() {
    says(MqttConnCfg::new(), r#"AT+MQTTCONNCFG=0,120,0,"","",0,0"#, "OK", "()").await;
    let command = MqttConnCfg::new().keep_alive(Duration::from_secs(7200)).clean_session(false).will(
        "lwtt",
        "lwtm",
        QoS::ExactlyOnce,
        true,
    );
    says(command, r#"AT+MQTTCONNCFG=0,7200,1,"lwtt","lwtm",2,1"#, "OK", "()").await;
    let will = |topic: &str, message: &str| {
        MqttConnCfg::new().will(topic, message.to_owned(), QoS::AtMostOnce, false)
    };
    says(will("a,b", r"{\,}"), r#"AT+MQTTCONNCFG=0,120,0,"a\,b","{\\\,}",0,0"#, "OK", "()").await;
    let keep_alive = |seconds| MqttConnCfg::new().keep_alive(Duration::from_secs(seconds));
    assert_eq!(refusal(keep_alive(0)), "the keep-alive interval is 0, and must be 1 to 7200");
    assert_eq!(refusal(keep_alive(7201)), "the keep-alive interval is 7201, and must be 1 to 7200");
    assert_eq!(refusal(will("t", "")), "the message of the will is missing");
    assert!(refusal(will(&"t".repeat(129), "m")).ends_with("more than the limit of 128"));
    assert!(refusal(will("t", &"m".repeat(129))).ends_with("more than the limit of 128"));
    assert!(refusal(will("t", "{\"a\":1}")).contains("0x22"));
    // Each is short enough, but not both together.
    let both = refusal(will(&"t".repeat(120), &"m".repeat(110)));
    assert_eq!(both, "the command line has 264 bytes, more than the limit of 255");
}

#[tokio::test(start_paused = true)]
async fn a_command_line_has_255_bytes_at_most() {
    let line =
        |length: usize| MqttConnCfg::new().will("t".repeat(120), "m".repeat(length), QoS::AtMostOnce, false);
    let fits = line(101).operation().unwrap();
    let (written, _) = ask(line(101), "OK").await;
    assert_eq!(written.len() + "\r\n".len(), 255, "{}", shown(&fits));
    assert!(line(102).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn mqttsni() {
    says(MqttSni("broker.example".into()), r#"AT+MQTTSNI=0,"broker.example""#, "OK", "()").await;
    assert!(MqttSni("h".repeat(129)).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn mqttconn() {
    let command = || MqttConn::new("192.168.3.102", 8883);
    let connected = "<< +MQTTCONNECTED:0,1,\"192.168.3.102\",\"8883\",\"\",0";
    for answer in [format!("{connected}\n<< OK"), format!("<< OK\n{connected}")] {
        converse(command(), &format!(">> AT+MQTTCONN=0,\"192.168.3.102\",8883,0\n{answer}")).await.unwrap();
    }
    let script = ">> AT+MQTTCONN=0,\"192.168.3.102\",8883,0\n<< +MQTTDISCONNECTED:0\n<<\n<< ERROR";
    let error = converse(command(), script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+MQTTCONN: the broker could not be reached, or refused the client");
    // An OK alone is no connection.
    let script = ">> AT+MQTTCONN=0,\"192.168.3.102\",8883,0\n<< OK\n<< +MQTTDISCONNECTED:0";
    assert!(matches!(converse(command(), script).await, Err(Error::ConnectionLost { .. })));
    MqttConn::new("h".repeat(128), 65_535).operation().unwrap();
    assert!(refusal(MqttConn::new("h".repeat(129), 1)).ends_with("more than the limit of 128"));
    assert_eq!(refusal(MqttConn::new("h", 0)), "the port is 0, and must be 1 to 65535");
    assert_eq!(refusal(MqttConn::new("", 1)), "the host is missing");
}

#[tokio::test(start_paused = true)]
async fn mqttconn_read() {
    for (answer, read, connected) in [
        ("+MQTTCONN:0,0,0,\"\",\"\",\"\",0\n\nOK", "Uninitialised", false),
        ("+MQTTCONN:0,1,1,\"\",\"\",\"\",0\nOK", "Named", false),
        ("+MQTTCONN:0,2,1,\"\",\"\",\"\",0\nOK", "Configured", false),
        ("+MQTTCONN:0,3,1,\"h\",\"1\",\"\",0\nOK", "Disconnected", false),
        ("+MQTTCONN:0,4,1,\"h\",\"9082\",\"\",0\nOK", "Connected", true),
        ("+MQTTCONN:0,5,1\"h\",9082,\"\",0\nOK", "Unsubscribed", true),
        ("+MQTTCONN:0,6,1,\"h\",\"9082\",\"\",0\nOK", "Subscribed", true),
    ] {
        says(MqttConn::read(), "AT+MQTTCONN?", answer, read).await;
        let state = ask(MqttConn::read(), answer).await.1.unwrap();
        assert_eq!(state.is_connected(), connected, "{answer}");
    }
    for answer in ["OK", "+MQTTCONN:0,9,1\nOK", "+MQTTCONN:1,4,1\nOK"] {
        assert!(ask(MqttConn::read(), answer).await.1.is_err(), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn mqttclean() {
    says(MqttClean, "AT+MQTTCLEAN=0", "OK", "()").await;
    let script = ">> AT+MQTTCLEAN=0\n<< ERR CODE:0x00006003\n<<\n<< ERROR";
    let error = converse(MqttClean, script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+MQTTCLEAN: there is no client (code 0x6003)");
}

#[tokio::test(start_paused = true)]
async fn mqttpubraw() {
    let command = MqttPubRaw::new("topic", &b"a\r\nOK\"\0"[..]).qos(QoS::AtLeastOnce).retain(true);
    let script = ">> AT+MQTTPUBRAW=0,\"topic\",7,1,1\n<< OK\n<= \\r\\n> \n>= a\\r\\nOK\"\0\n<< +MQTTPUB:OK";
    converse(command, script).await.unwrap();
    MqttPubRaw::new("t", vec![0; 8192]).operation().unwrap();
    assert_eq!(
        refusal(MqttPubRaw::new("t", vec![0; 8193])),
        "the payload has 8193 bytes, and the module takes at most 8192"
    );
    assert!(refusal(MqttPubRaw::new("t", "")).contains("empty"));
    assert!(refusal(MqttPubRaw::new("t".repeat(129), "x")).ends_with("more than the limit of 128"));
    assert!(refusal(MqttPubRaw::new("a\"b", "x")).contains("0x22"));
}

#[tokio::test(start_paused = true)]
async fn mqttsub() {
    says(MqttSub::new("topic", QoS::AtLeastOnce), "AT+MQTTSUB=0,\"topic\",1", "OK", "()").await;
    says(
        MqttSub::new("a,b\\", QoS::AtMostOnce),
        r#"AT+MQTTSUB=0,"a\,b\\",0"#,
        "ALREADY SUBSCRIBE\n\nOK",
        "()",
    )
    .await;
    let answer = "+MQTTSUB:0,6,\"topic1\",1\n+MQTTSUB:0,6,\"topic2\",2\nOK";
    let read = r#"[ModuleSubscription { filter: "topic1", qos: AtLeastOnce }, ModuleSubscription { filter: "topic2", qos: ExactlyOnce }]"#;
    says(MqttSub::read(), "AT+MQTTSUB?", answer, read).await;
    says(MqttSub::read(), "AT+MQTTSUB?", "OK", "[]").await;
    assert!(ask(MqttSub::read(), "+MQTTSUB:0,6,\"topic1\",7\nOK").await.1.is_err());
    let refused = refused(MqttSub::new("t", QoS::AtMostOnce), "ERR CODE:0x0000600D\n\nERROR").await;
    assert_eq!(refused, "AT+MQTTSUB: the subscription failed (code 0x600D)");
}

#[tokio::test(start_paused = true)]
async fn mqttunsub() {
    says(MqttUnsub::new("topic"), "AT+MQTTUNSUB=0,\"topic\"", "OK", "()").await;
    says(MqttUnsub::new("topic"), "AT+MQTTUNSUB=0,\"topic\"", "NO UNSUBSCRIBE\n\nOK", "()").await;
    assert!(MqttUnsub::new("t".repeat(129)).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn cipsta() {
    let answer = |address: &str| {
        format!(
            "+CIPSTA:ip:\"{address}\"\n+CIPSTA:gateway:\"192.168.1.1\"\n+CIPSTA:netmask:\"255.255.255.0\"\n\nOK"
        )
    };
    let read = "StationAddress { address: Some(192.168.1.226) }";
    says(CipSta, "AT+CIPSTA?", &answer("192.168.1.226"), read).await;
    says(CipSta, "AT+CIPSTA?", &answer("0.0.0.0"), "StationAddress { address: None }").await;
    assert!(ask(CipSta, "OK").await.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn syslog() {
    says(SysLog(true), "AT+SYSLOG=1", "OK", "()").await;
    says(SysLog(false), "AT+SYSLOG=0", "OK", "()").await;
}

#[tokio::test(start_paused = true)]
async fn the_result_of_a_publish_is_no_others() {
    let error = converse(MqttClean, ">> AT+MQTTCLEAN=0\n<< +MQTTPUB:OK").await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    let script = ">> AT+MQTTPUBRAW=0,\"t\",1,0,0\n<< OK\n<= \\r\\n>\n>= x\n<< OK";
    let error = converse(MqttPubRaw::new("t", "x"), script).await.unwrap_err();
    assert_eq!((matches!(error, Error::Unreadable { .. }), error.outcome()), (true, Outcome::Unknown));
}
