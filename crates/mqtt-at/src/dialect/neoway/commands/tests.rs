//! Every command's bytes and the reading of its answer; the answers are the manual's where it gives one.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::bringup::script::{ask, refused};
use crate::command::Command;
use crate::connect::ProtocolVersion;
use crate::dialect::neoway::script::Host;
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

/// Sends one command to a scripted module whose reports are read as Neoway's.
async fn converse<C: Command + Sync>(command: C, script: &str) -> crate::Result<C::Answer> {
    Host::default().converse(script, async |port| send(&port, command).await).await
}

fn shown<C: Command>(command: &C) -> String {
    format!("{:?}", command.operation().unwrap())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn n_init_xiic() {
    says(Xiic, "AT+XIIC=1", "OK", "()").await;
    let link = |active, address: Option<&str>| {
        format!("{:?}", DataLink { active, address: address.map(|text| text.parse().unwrap()) })
    };
    for (answer, read) in [
        ("+XIIC: 1,100.79.207.128\nOK", link(true, Some("100.79.207.128"))),
        ("+XIIC:    1,10.245.3.118\n\nOK", link(true, Some("10.245.3.118"))),
        ("+XIIC:    1, 10.224.178.69\nOK", link(true, Some("10.224.178.69"))),
        ("+XIIC:    0, 0.0.0.0\nOK", link(false, None)),
        ("+XIIC:0\nOK", link(false, None)),
        ("+XIIC: 1,2001:db8::1\n+XIIC: 1,10.0.0.1\nOK", link(true, Some("10.0.0.1"))),
        ("+XIIC: 0,0.0.0.0\n+XIIC: 1,2001:db8::1\nOK", link(true, Some("2001:db8::1"))),
    ] {
        says(Xiic::read(), "AT+XIIC?", answer, &read).await;
    }
    assert!(ask(Xiic::read(), "OK").await.1.is_err());
    says(Xiic::test(), "AT+XIIC=?", "+XIIC: (0,1)\nOK", r#"["(0,1)"]"#).await;
}

#[tokio::test(start_paused = true)]
async fn credentials_of_the_access_point() {
    let command = XgAuth::new("gsm", "1234");
    assert!(!format!("{command:?}{}", shown(&command)).contains("1234"));
    says(command, r#"AT+XGAUTH=1,1,"gsm","1234""#, "OK", "()").await;
    assert!(XgAuth::new("u".repeat(50), "p".repeat(50)).operation().is_ok());
    assert!(XgAuth::new("u".repeat(51), "").operation().is_err());
    assert!(XgAuth::new("", "p".repeat(51)).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn n_mqttconnparam_write() {
    let key = "lSoY/eYnlSqUeAsbAKKQ/ACmipZwEw9H7Ff0h1kOps=";
    let command = MqttConnParam::new("C_201801021127").credentials("lixystest/thing01", key);
    assert_eq!(shown(&command).matches(key).count(), 0, "the password is not shown");
    assert!(!format!("{command:?}").contains(key));
    let line = format!(r#"AT+MQTTCONNPARAM="C_201801021127","lixystest/thing01","{key}""#);
    says(command, &line, "OK", "()").await;
    let bare = MqttConnParam::new("id");
    assert!(bare.has_blanks() && !bare.clone().with_spaces().has_blanks());
    says(bare.clone(), r#"AT+MQTTCONNPARAM="id","","""#, "OK", "()").await;
    says(bare.with_spaces(), r#"AT+MQTTCONNPARAM="id"," "," ""#, "OK", "()").await;
    let named = MqttConnParam::new("id").credentials("me", "");
    says(named.with_spaces(), r#"AT+MQTTCONNPARAM="id","me"," ""#, "OK", "()").await;
    let long = |identifier, user, password| {
        MqttConnParam::new("i".repeat(identifier)).credentials("u".repeat(user), "p".repeat(password))
    };
    assert!(long(256, 512, 256).operation().is_ok());
    assert_eq!(refusal(long(257, 0, 0)), "the client identifier has 257 bytes, more than the limit of 256");
    assert_eq!(refusal(long(1, 513, 0)), "the user name has 513 bytes, more than the limit of 512");
    assert_eq!(refusal(long(1, 0, 257)), "the password has 257 bytes, more than the limit of 256");
}

#[tokio::test(start_paused = true)]
async fn n_mqttconnparam_read() {
    let answer = "+MQTTCONNPARAM:\"owen\",\"admin\",\"public\"\nOK";
    let read = r#"ConnectionParameters { identifier: "owen", user: "admin", password: *** }"#;
    says(MqttConnParam::read(), "AT+MQTTCONNPARAM?", answer, read).await;
    let (_, outcome) = ask(MqttConnParam::read(), answer).await;
    assert_eq!(outcome.unwrap().password.expose(), "public");
    assert!(shown(&MqttConnParam::read()).contains("secret_answer: true"));
    assert!(ask(MqttConnParam::read(), "OK").await.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn n_mqttconnparam_test() {
    let answer = "+MQTTCONNPARAM: <cliendid>,<username>,<password>\nOK";
    let read = r#"["<cliendid>,<username>,<password>"]"#;
    says(MqttConnParam::test(), "AT+MQTTCONNPARAM=?", answer, read).await;
}

#[tokio::test(start_paused = true)]
async fn n_mqttwillparam_write() {
    let will = MqttWillParam::new("neoway02", "byby").qos(QoS::AtLeastOnce);
    says(will.clone(), r#"AT+MQTTWILLPARAM=0,1,"neoway02","byby""#, "OK", "()").await;
    says(will.retain(true).qos(QoS::AtMostOnce), r#"AT+MQTTWILLPARAM=1,0,"neoway02","byby""#, "OK", "()")
        .await;
    says(MqttWillParam::none(), r#"AT+MQTTWILLPARAM=0,0,"","""#, "OK", "()").await;
    let with_qos_2 = MqttWillParam::new("t", "m").qos(QoS::ExactlyOnce);
    assert_eq!(refusal(with_qos_2), "QoS of the will is 2, and must be 0 to 1");
    assert!(MqttWillParam::new("t".repeat(128), "m".repeat(1024)).operation().is_ok());
    assert_eq!(
        refusal(MqttWillParam::new("t".repeat(129), "m")),
        "the topic of the will has 129 bytes, more than the limit of 128"
    );
    assert_eq!(
        refusal(MqttWillParam::new("t", "m".repeat(1025))),
        "the message of the will has 1025 bytes, more than the limit of 1024"
    );
    for message in ["a\"b", "a\r", "a\\n", "\u{e9}", "\0"] {
        assert!(MqttWillParam::new("t", message).operation().is_err(), "{message:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn n_mqttwillparam_read() {
    let answer = "+MQTTWILLPARAM:1,1,\"neoway02\",\"by,by\"\nOK";
    let read = r#"Some(StoredWill { retain: true, qos: AtLeastOnce, topic: "neoway02", message: b"by,by" })"#;
    says(MqttWillParam::read(), "AT+MQTTWILLPARAM?", answer, read).await;
    says(MqttWillParam::read(), "AT+MQTTWILLPARAM?", "+MQTTWILLPARAM: 0,0,\"\",\"\"\nOK", "None").await;
    says(MqttWillParam::read(), "AT+MQTTWILLPARAM?", "OK", "None").await;
    assert!(ask(MqttWillParam::read(), "+MQTTWILLPARAM: x\nOK").await.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn n_mqttwillparam_test() {
    let answer = "+MQTTWILLPARAM: <retained>,<qos>,<topicname>,<message>\nOK";
    let read = r#"["<retained>,<qos>,<topicname>,<message>"]"#;
    says(MqttWillParam::test(), "AT+MQTTWILLPARAM=?", answer, read).await;
}

#[tokio::test(start_paused = true)]
async fn n_mqttwillmsg_write() {
    let will = MqttWillMsg::new("t", "a\"\r\nb").qos(QoS::AtLeastOnce).retain(true);
    let script = ">> AT+MQTTWILLMSG=1,1,\"t\",5\n<= \\r\\n>\n>= a\"\\r\\nb\n<< OK";
    converse(will.clone(), script).await.unwrap();
    let script = ">> AT+MQTTWILLMSG=1,1,\"t\",5\n<= \\r\\n>\n>= a\"\\r\\nb\n<< +MQTTWILLMSG: Timeout!";
    assert_eq!(converse(will, script).await.unwrap_err().outcome(), Outcome::NotSent);
    assert_eq!(
        refusal(MqttWillMsg::new("t", "")),
        "the length of the will's message is 0, and must be 1 to 10240"
    );
    assert!(MqttWillMsg::new("t", vec![0; 10_240]).operation().is_ok());
    assert!(MqttWillMsg::new("t", vec![0; 10_241]).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn n_mqttconn_write() {
    let command = MqttConn::new("121.43.166.63", 1883).clean_session(false);
    says(command, r#"AT+MQTTCONN="121.43.166.63:1883",0,60"#, "OK", "()").await;
    let command = MqttConn::new("broker.example.com", 65_535).keep_alive(seconds(180));
    says(command, r#"AT+MQTTCONN="broker.example.com:65535",1,180"#, "OK", "()").await;
    let error = refused(MqttConn::new("h", 1), "ERROR").await;
    assert_eq!(error, "AT+MQTTCONN: the broker could not be reached, or refused the client");
    for keep_alive in [19, 181] {
        let words = format!("the keep-alive interval is {keep_alive}, and must be 20 to 180");
        assert_eq!(refusal(MqttConn::new("h", 1).keep_alive(seconds(keep_alive))), words);
    }
    assert!(MqttConn::new("h", 1).keep_alive(seconds(20)).operation().is_ok());
    let halves = MqttConn::new("h", 1).keep_alive(Duration::from_millis(60_500));
    assert_eq!(refusal(halves), "the keep-alive interval must be whole seconds");
    assert_eq!(refusal(MqttConn::new("", 1)), "the host is missing");
    assert_eq!(refusal(MqttConn::new("h", 0)), "the port is 0, and must be 1 to 65535");
    let words = "the host holds a colon, behind which the module expects the port";
    assert_eq!(refusal(MqttConn::new("2001:db8::1", 1883)), words);
    assert!(MqttConn::new("h\",1,60;+XIIC=0", 1).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn n_mqttconn_read() {
    let answer = "+MQTTCONN:\"121.43.166.63:1883\",0,60\nOK";
    let read = r#"Some(ConnectionSettings { address: "121.43.166.63:1883", clean_session: false, keep_alive: 60s })"#;
    says(MqttConn::read(), "AT+MQTTCONN?", answer, read).await;
    says(MqttConn::read(), "AT+MQTTCONN?", "OK", "None").await;
}

#[tokio::test(start_paused = true)]
async fn n_mqttconn_test() {
    says(MqttConn::test(), "AT+MQTTCONN=?", "OK", "[]").await;
}

#[tokio::test(start_paused = true)]
async fn n_mqttsub_write() {
    says(MqttSub::new("neoway02", QoS::AtLeastOnce), r#"AT+MQTTSUB="neoway02",1"#, "OK", "()").await;
    says(MqttSub::new("a/+/#", QoS::ExactlyOnce), r#"AT+MQTTSUB="a/+/#",2"#, "OK", "()").await;
    assert_eq!(
        refused(MqttSub::new("t", QoS::AtMostOnce), "ERROR").await,
        "AT+MQTTSUB: the subscription failed"
    );
    assert!(MqttSub::new("t".repeat(128), QoS::AtMostOnce).operation().is_ok());
    let long = MqttSub::new("t".repeat(129), QoS::AtMostOnce);
    assert_eq!(refusal(long), "the topic filter has 129 bytes, more than the limit of 128");
}

#[tokio::test(start_paused = true)]
async fn n_mqttsub_read() {
    let read = r#"Some(LatestSubscription { filter: "neoway02", qos: AtLeastOnce })"#;
    says(MqttSub::read(), "AT+MQTTSUB?", "+MQTTSUB:\"neoway02\",1\nOK", read).await;
    says(MqttSub::read(), "AT+MQTTSUB?", "OK", "None").await;
    // A message that comes in between is none of it.
    let (host, _) = Host::connected(&["#"]);
    let script = ">> AT+MQTTSUB?\n<< +MQTTSUB:4,\"a\",11,\"x\",1\\r\\nOK\\r\\n\n<< +MQTTSUB: \"b\",2\n<< OK";
    let latest = host.converse(script, async |port| send(&port, MqttSub::read()).await).await.unwrap();
    assert_eq!(latest, Some(LatestSubscription { filter: "b".into(), qos: QoS::ExactlyOnce }));
}

#[tokio::test(start_paused = true)]
async fn n_mqttsub_test() {
    says(MqttSub::test(), "AT+MQTTSUB=?", "OK", "()").await;
}

#[tokio::test(start_paused = true)]
async fn n_mqttunsub_write() {
    says(MqttUnsub::new("neoway02"), r#"AT+MQTTUNSUB="neoway02""#, "OK", "()").await;
    assert!(MqttUnsub::new("t".repeat(129)).operation().is_err());
    let error =
        converse(MqttUnsub::new("t"), ">> AT+MQTTUNSUB=\"t\"\n<< +CMD ERROR: <-3>").await.unwrap_err();
    let words = "AT+MQTTUNSUB: the broker did not acknowledge the packet in time (code -3)";
    assert_eq!(error.to_string(), words);
    let error = converse(MqttUnsub::new("t"), ">> AT+MQTTUNSUB=\"t\"\n<< +CMD ERROR: 77").await.unwrap_err();
    let words = "AT+MQTTUNSUB: the module failed, and has closed the connection (code 77)";
    assert_eq!(error.to_string(), words);
}

#[tokio::test(start_paused = true)]
async fn n_mqttpub_write() {
    let command = MqttPub::new("neoway02", "neoway mqtt").qos(QoS::AtLeastOnce).retain(true);
    says(command, r#"AT+MQTTPUB=1,1,"neoway02","neoway mqtt""#, "OK", "()").await;
    says(MqttPub::new("t", ""), r#"AT+MQTTPUB=0,0,"t","""#, "OK", "()").await;
    assert_eq!(refused(MqttPub::new("t", "m"), "ERROR").await, "AT+MQTTPUB: the message was not published");
    assert!(MqttPub::new("t", "m".repeat(1024)).operation().is_ok());
    let words = "the message has 1025 bytes, more than the limit of 1024";
    assert_eq!(refusal(MqttPub::new("t", "m".repeat(1025))), words);
    for message in ["{\"a\":1}", "a\\u0041", "a\r\n", "\u{fc}"] {
        assert!(MqttPub::new("t", message).operation().is_err(), "{message:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn n_mqttpubs_write() {
    let command = MqttPubs::new("lixxytopic", "0123456789").qos(QoS::AtLeastOnce).retain(true);
    let head = ">> AT+MQTTPUBS=1,1,\"lixxytopic\",10\n<= \\r\\n>\n>= 0123456789\n";
    converse(command.clone(), &format!("{head}<< OK")).await.unwrap();
    let error = converse(command.clone(), &format!("{head}<< ERROR")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown, "the payload was written");
    assert_eq!(error.to_string(), "AT+MQTTPUBS: the message was not published");
    let error = converse(command, ">> AT+MQTTPUBS=1,1,\"lixxytopic\",10\n<< ERROR").await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "the payload was not asked for");
    assert_eq!(
        refusal(MqttPubs::new("t", "")),
        "the payload is empty, and the module cannot send an empty one"
    );
    assert!(MqttPubs::new("t".repeat(128), vec![0; 10_240]).operation().is_ok());
    let words = "the payload has 10241 bytes, and the module takes at most 10240";
    assert_eq!(refusal(MqttPubs::new("t", vec![0; 10_241])), words);
    let words = "the topic has 129 bytes, more than the limit of 128";
    assert_eq!(refusal(MqttPubs::new("t".repeat(129), "m")), words);
}

#[tokio::test(start_paused = true)]
async fn n_mqttpubs_timeout() {
    let command = MqttPubs::new("lixxytopic", "012345678901").qos(QoS::AtLeastOnce);
    let head = ">> AT+MQTTPUBS=0,1,\"lixxytopic\",12\n<= \\r\\n>\n>= 012345678901\n";
    for answer in ["+MQTTPUBS: Timeout!", "+MQTTPUBS:Timeout!", "+MQTTPUBS: Timeout!\\r\\n\\r\\nERROR"] {
        let outcome = converse(command.clone(), &format!("{head}<< {answer}")).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{answer}");
        let words =
            "AT+MQTTPUBS: the payload did not reach the module in time, and was not sent (code Timeout!)";
        assert_eq!(error.to_string(), words);
        assert!(error.remedy().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn n_mqttdisconn_exec() {
    says(MqttDisconn, "AT+MQTTDISCONN", "OK", "()").await;
}

#[tokio::test(start_paused = true)]
async fn n_mqttstate_read() {
    for (answer, read) in [
        ("+MQTTSTATE: 1\n\nOK", "Established"),
        ("+MQTTSTATE:1\nOK", "Established"),
        ("+MQTTSTATE: 0\nOK", "Closed"),
        ("+MQTTSTATE: 3\nOK", "Reconnecting(3)"),
    ] {
        says(MqttState::read(), "AT+MQTTSTATE?", answer, read).await;
    }
    for answer in ["OK", "+MQTTSTATE: x\nOK", "+MQTTSTATE: -1\nOK"] {
        assert!(ask(MqttState::read(), answer).await.1.is_err(), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn n_cloudhdauth() {
    let (key, name, secret) = ("a1J5shuYgXN", "J1L5D2itSsqNLMZ9wTyx", "vdkeNCKWirhZsU9pKeyAUvvCnL0gpNzI");
    let command = CloudHdAuth::new(key, name, secret);
    assert!(!format!("{command:?}{}", shown(&command)).contains(secret));
    let line = format!("AT+CLOUDHDAUTH={key},{name},{secret}");
    says(command.clone(), &line, "OK\n+CLOUDHDAUTH: OK", "Ok").await;
    says(command.clone(), &line, "+CLOUDHDAUTH: OK\nOK", "Ok").await;
    says(command, &line, "OK\n+CLOUDHDAUTH: FAIL", r#"Other("FAIL")"#).await;
    for bad in ["", "a,b", "a;b", "a\"b", "a\r"] {
        assert!(CloudHdAuth::new(key, name, bad).operation().is_err(), "{bad:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn n_cloudconn() {
    says(CloudConn::new(seconds(60)), "AT+CLOUDCONN=60,0,4", "OK", "()").await;
    let command = CloudConn::new(seconds(0)).clean_session(true).version(ProtocolVersion::V3_1);
    says(command, "AT+CLOUDCONN=0,1,3", "OK", "()").await;
    assert!(CloudConn::new(seconds(65_536)).operation().is_err());
    let error =
        converse(CloudConn::new(seconds(60)), ">> AT+CLOUDCONN=60,0,4\n<< +CMD ERROR: 5").await.unwrap_err();
    assert!(error.to_string().ends_with("(code 5)"), "{error}");
}

const TOPIC: &str = "/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/user/get";

#[tokio::test(start_paused = true)]
async fn n_cloudsub() {
    let command = CloudSub::new(TOPIC, QoS::AtLeastOnce);
    let line = format!("AT+CLOUDSUB={TOPIC},1");
    says(command.clone(), &line, "OK\n+CLOUDSUBACK: <OK>", "Ok").await;
    says(command, &line, "OK\n+CLOUDSUBACK:OK", "Ok").await;
    assert!(CloudSub::new("a,b", QoS::AtMostOnce).operation().is_err());
    // A failure behind the `OK` ends the wait at once.
    let (host, _) = Host::connected(&[]);
    let script = format!(">> {line}\n<< OK\n<< +CMD ERROR: <-3>");
    let command = CloudSub::new(TOPIC, QoS::AtLeastOnce);
    let error = host.converse(&script, async |port| send(&port, command).await).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn n_cloudpub() {
    let topic = "/sys/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/thing/event/property/post";
    let command = CloudPub::new(topic, QoS::AtLeastOnce, "1234567890");
    says(command, &format!("AT+CLOUDPUB={topic},1,1234567890"), "OK\n+CLOUDPUBACK: <OK>", "Some(Ok)").await;
    says(CloudPub::new("t", QoS::AtMostOnce, "x"), "AT+CLOUDPUB=t,0,x", "OK", "None").await;
    for message in ["", "{\"a\":1}", "a,b", "a;b", "a\r"] {
        assert!(CloudPub::new("t", QoS::AtMostOnce, message).operation().is_err(), "{message:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn n_cloudpubmsg() {
    let command =
        |payload: &'static [u8]| CloudPubMsg::new("/a/b", QoS::AtLeastOnce, Bytes::from_static(payload));
    let head = ">> AT+CLOUDPUBMSG=/a/b,1,10\n<= \\r\\n>\n>= {\"a\":1,2}\\n\n";
    let payload = b"{\"a\":1,2}\n";
    let outcome = converse(command(payload), &format!("{head}<< OK\n<< +CLOUDPUBACK: <OK>")).await;
    assert_eq!(outcome.unwrap(), Some(CloudResult::Ok));
    let error = converse(command(payload), &format!("{head}<< +CLOUDPUBMSG: Timeout!")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    let script = ">> AT+CLOUDPUBMSG=t,0,1\n<= \\r\\n>\n>= x\n<< OK";
    assert_eq!(converse(CloudPubMsg::new("t", QoS::AtMostOnce, "x"), script).await.unwrap(), None);
    assert!(CloudPubMsg::new("t", QoS::AtMostOnce, "").operation().is_err());
    assert!(CloudPubMsg::new("t", QoS::AtMostOnce, vec![0; 10_241]).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn n_cloudstate() {
    says(CloudState, "AT+CLOUDSTATE?", "+CLOUDSTATE: 1\nOK", "Established").await;
    says(CloudState, "AT+CLOUDSTATE?", "+CLOUDSTATE:0\nOK", "Closed").await;
}

#[tokio::test(start_paused = true)]
async fn n_cloudunsub() {
    says(CloudUnsub::new(TOPIC), &format!("AT+CLOUDUNSUB={TOPIC}"), "OK", "()").await;
    assert!(CloudUnsub::new("").operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn n_clouddisconn() {
    says(CloudDisconn, "AT+CLOUDDISCONN", "OK", "()").await;
}

#[tokio::test(start_paused = true)]
async fn n_certadd() {
    let command = CertAdd::new("rootca.pem", "-----BEGIN\n");
    let head = ">> AT+CERTADD=rootca.pem,11\n<< CONNECT\n>= -----BEGIN\\n\n";
    assert_eq!(converse(command.clone(), &format!("{head}<< +CERTADD: 11,OK")).await.unwrap(), 11);
    let error = converse(command, &format!("{head}<< +CERTADD: 7,FAIL")).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CERTADD: the module refused the command (code +CERTADD: 7,FAIL)");
    let key = CertAdd::new("private.pem.key", "canary").secret();
    assert!(!format!("{key:?}").contains("canary"));
    assert!(
        CertAdd::new("a", "").operation().is_err() && CertAdd::new("a", vec![0; 65_536]).operation().is_err()
    );
    assert!(CertAdd::new("a,1", "x").operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn n_awstlscfg() {
    says(AwsTlsCfg::auth_mode(true), "AT+AWSTLSCFG=authmode,1", "OK", "()").await;
    says(AwsTlsCfg::auth_mode(false), "AT+AWSTLSCFG=authmode,0", "OK", "()").await;
    says(AwsTlsCfg::root_ca("rootca.pem"), "AT+AWSTLSCFG=rootca,rootca.pem", "OK", "()").await;
    let certificate = AwsTlsCfg::client_cert("certificate.pem.crt");
    says(certificate, "AT+AWSTLSCFG=clientcert,certificate.pem.crt", "OK", "()").await;
    says(AwsTlsCfg::client_key("private.pem.key"), "AT+AWSTLSCFG=clientkey,private.pem.key", "OK", "()")
        .await;
    assert!(AwsTlsCfg::root_ca("a;b").operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn n_awsauthparam() {
    says(AwsAuthParam::new("nwy_test"), "AT+AWSAUTHPARAM=nwy_test", "OK", "()").await;
    assert!(AwsAuthParam::new("x".repeat(257)).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn n_awsconnparam() {
    let host = "a1epglvh6w7h1k.iot.us-east-2.amazonaws.com";
    says(AwsConnParam::new(host, 443), &format!("AT+AWSCONNPARAM={host}:443,1"), "OK", "()").await;
    let command = AwsConnParam::new(host, 8883).reconnect(false);
    says(command, &format!("AT+AWSCONNPARAM={host}:8883,0"), "OK", "()").await;
    assert!(AwsConnParam::new("a:b", 443).operation().is_err());
}

#[tokio::test(start_paused = true)]
async fn n_awsconn() {
    says(AwsConn::new(seconds(60)), "AT+AWSCONN=60,1,4", "OK", "()").await;
    let command = AwsConn::new(seconds(90)).clean_session(false).version(ProtocolVersion::V3_1);
    says(command, "AT+AWSCONN=90,0,3", "OK", "()").await;
}

#[test]
fn n_timeouts() {
    let at_least = |got: Duration, manual: u64| assert!(got >= seconds(manual) * 3 / 2, "{got:?}");
    for (got, manual) in
        [(timeout::CONNECT, 60), (timeout::SUBSCRIBE, 30), (timeout::DISCONNECT, 30), (timeout::PUBLISH, 30)]
    {
        at_least(got, manual);
    }
    assert!(timeout::SETTING > Duration::from_millis(450) && timeout::PROMPT > seconds(30));
}

#[test]
fn no_string_can_add_a_command() {
    let hostile =
        ["a\"b", "a\r", "a\n", "a\0", "\x1A", "\x1B", "a\\", "\u{fc}", "\";+XIIC=0;\"", "AT+CFUN=1,1\r"];
    for text in hostile {
        let operations = [
            XgAuth::new(text, "p").operation(),
            XgAuth::new("u", text).operation(),
            MqttConnParam::new(text).operation(),
            MqttConnParam::new("id").credentials(text, "p").operation(),
            MqttConnParam::new("id").credentials("u", text).operation(),
            MqttWillParam::new(text, "m").operation(),
            MqttWillParam::new("t", text).operation(),
            MqttWillMsg::new(text, "m").operation(),
            MqttConn::new(text, 1883).operation(),
            MqttSub::new(text, QoS::AtMostOnce).operation(),
            MqttUnsub::new(text).operation(),
            MqttPub::new(text, "m").operation(),
            MqttPubs::new(text, "m").operation(),
            CloudHdAuth::new(text, "n", "s").operation(),
            CloudHdAuth::new("k", text, "s").operation(),
            CloudSub::new(text, QoS::AtMostOnce).operation(),
            CloudUnsub::new(text).operation(),
            CloudPub::new(text, QoS::AtMostOnce, "m").operation(),
            CloudPubMsg::new(text, QoS::AtMostOnce, "m").operation(),
            CertAdd::new(text, "x").operation(),
            AwsTlsCfg::client_key(text).operation(),
            AwsAuthParam::new(text).operation(),
            AwsConnParam::new(text, 443).operation(),
        ];
        assert!(operations.iter().all(Result::is_err), "{text:?}");
    }
}
