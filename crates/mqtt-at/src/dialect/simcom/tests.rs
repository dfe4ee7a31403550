//! The dialect as the client sees it, and the manual's example sessions.

use std::time::Duration;

use at_port::{Channel, Lane, LinkState, Operation};

use super::script::Host;
use super::*;
use crate::dialect::script::at_every_cut;
use crate::dialect::{of, send};
use crate::topic::TopicName;
use crate::vendor::Vendor;

mod client;

fn options() -> ConnectOptions {
    ConnectOptions::new("gateway-7", "broker.example.com", 1883)
}

/// What comes of an operation in a conversation, as the client reads it.
async fn run<T>(
    dialect: &SimCom,
    operation: Result<Operation>,
    script: &str,
    read: impl FnOnce(&Reply) -> Result<T>,
) -> Result<T> {
    let operation = operation?.lane(Lane::client(0));
    let (host, _link) = Host::connected(0);
    match host.converse(script, async |port| port.run(operation).await).await {
        Ok(reply) => read(&reply),
        Err(OperationError::Refused(refusal)) => {
            Err(dialect.explain(&refusal).unwrap_or_else(|| OperationError::Refused(refusal).into()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn publish(dialect: &SimCom, payload: &'static [u8], retain: bool, script: &str) -> Result<()> {
    let (topic, payload, options) = (TopicName::new("a\"b").unwrap(), Bytes::from_static(payload), options());
    let publish = Publish {
        topic: &topic,
        payload: &payload,
        qos: QoS::AtLeastOnce,
        retain,
        packet_id: 7,
        options: &options,
    };
    run(dialect, dialect.publish(0, &publish), script, |reply| dialect.read_publish(reply)).await
}

const TOPIC: &str = ">> AT+CMQTTTOPIC=0,3\n<= \\r\\n>\n>= a\"b\n<< OK\n";
const PAYLOAD: &str = ">> AT+CMQTTPAYLOAD=0,5\n<= \\r\\n>\n>= hello\n<< OK\n";

#[tokio::test(start_paused = true)]
async fn publishing_is_one_operation_of_three_commands() {
    let dialect = SimCom::default();
    let script = format!("{TOPIC}{PAYLOAD}>> AT+CMQTTPUB=0,1,60\n<< OK\n<< +CMQTTPUB: 0,0");
    publish(&dialect, b"hello", false, &script).await.unwrap();
    let script = format!("{TOPIC}{PAYLOAD}>> AT+CMQTTPUB=0,1,60,1\n<< +CMQTTPUB: 0,0\n<< OK");
    publish(&dialect, b"hello", true, &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn s_err_order_a_publish_fails_in_each_form() {
    let full = format!("{TOPIC}{PAYLOAD}>> AT+CMQTTPUB=0,1,60\n");
    let no_answer = "AT+CMQTTPUB: no answer of the broker was received (code 6)";
    let cases = [
        (format!("{full}<< OK\n<< +CMQTTPUB: 0,6\n<< +CMQTTCONNLOST: 0,1"), no_answer, Outcome::Unknown),
        (format!("{full}<< +CMQTTPUB: 0,6\n<< ERROR\n<< +CMQTTCONNLOST: 0,1"), no_answer, Outcome::Unknown),
        (
            format!("{full}<< ERROR"),
            "AT+CMQTTPUB: the module refused: the client is not connected any more, or has too much under way",
            Outcome::Unknown,
        ),
        (
            format!("{full}<< +CMQTTPUB: 0,14\n<< ERROR"),
            "AT+CMQTTPUB: the client is busy (code 14)",
            Outcome::NotSent,
        ),
        (
            ">> AT+CMQTTTOPIC=0,3\n<< +CMQTTTOPIC: 0,12\n<< ERROR".to_owned(),
            "AT+CMQTTTOPIC: a parameter is not valid (code 12)",
            Outcome::NotSent,
        ),
        (
            format!("{TOPIC}>> AT+CMQTTPAYLOAD=0,5\n<< +CMQTTPAYLOAD: 0,11\n<< ERROR"),
            "AT+CMQTTPAYLOAD: the client is not connected (code 11)",
            Outcome::NotSent,
        ),
        (
            format!("{TOPIC}>> AT+CMQTTPAYLOAD=0,5\n<= \\r\\n>\n>= hello\n<< ERROR"),
            "AT+CMQTTPAYLOAD: the module refused: the client is not connected any more, or has too much under way",
            Outcome::NotSent,
        ),
    ];
    for (script, words, outcome) in cases {
        let error = publish(&SimCom::default(), b"hello", false, &script).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.outcome()), (words, outcome));
        assert!(error.remedy().is_some(), "{words}");
    }
    let error = publish(&SimCom::default(), b"hello", false, &format!("{full}<< OK")).await.unwrap_err();
    assert!(matches!(&error, Error::Timeout { after, .. } if *after == Duration::from_secs(95)), "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    let script = format!("{full}<< +CME ERROR: SIM busy");
    let error = publish(&SimCom::default(), b"hello", false, &script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CMQTTPUB: SIM busy");
}

/// [A7600 MQTT 1.00 §3.5] shows a message without a payload.
#[tokio::test(start_paused = true)]
async fn an_empty_payload_is_none_and_never_that_of_another_message() {
    let dialect = SimCom::default();
    let empty = format!("{TOPIC}>> AT+CMQTTPUB=0,1,60,1\n<< OK\n<< +CMQTTPUB: 0,0");
    publish(&dialect, b"", true, &empty).await.unwrap();

    // The payload has been given, and the module has said nothing of having sent or forgotten it.
    let broken = format!("{TOPIC}{PAYLOAD}>> AT+CMQTTPUB=0,1,60\n<< +CMQTTPUB: 0,14\n<< ERROR");
    publish(&dialect, b"hello", false, &broken).await.unwrap_err();
    let error = publish(&dialect, b"", true, "").await.unwrap_err();
    assert_eq!((error.outcome(), error.remedy().is_some()), (Outcome::NotSent, true), "{error}");
    // Another payload takes its place.
    let next = format!("{TOPIC}{PAYLOAD}>> AT+CMQTTPUB=0,1,60\n<< OK\n<< +CMQTTPUB: 0,17");
    publish(&dialect, b"hello", false, &next).await.unwrap_err();
    publish(&dialect, b"", true, &empty).await.unwrap();
}

fn filters() -> Vec<(TopicFilter, QoS)> {
    let filter = |text: &str, qos| (TopicFilter::new(text).unwrap(), qos);
    vec![filter("a/+", QoS::ExactlyOnce), filter("b\"", QoS::AtMostOnce)]
}

async fn subscribe(script: &str) -> Result<Vec<Option<QoS>>> {
    let (dialect, filters, options) = (SimCom::default(), filters(), options());
    let subscribe = Subscribe { filters: &filters, packet_id: 4, options: &options };
    let operation = dialect.subscribe(0, &subscribe);
    run(&dialect, operation, script, |reply| dialect.read_subscribe(reply, &filters)).await
}

#[tokio::test(start_paused = true)]
async fn subscribing_gives_all_filters_first() {
    let first = ">> AT+CMQTTSUBTOPIC=0,3,2\n<= \\r\\n>\n>= a/+\n<< OK\n";
    let head = format!("{first}>> AT+CMQTTSUBTOPIC=0,2,0\n<= \\r\\n>\n>= b\"\n<< OK\n>> AT+CMQTTSUB=0\n");
    let granted = subscribe(&format!("{head}<< OK\n<< +CMQTTSUB: 0,0")).await.unwrap();
    assert_eq!(granted, [Some(QoS::ExactlyOnce), Some(QoS::AtMostOnce)], "what was asked for");
    let rx = "<= \\r\\n+CMQTTRXSTART: 0,3,2\\r\\n+CMQTTRXTOPIC: 0,3\\r\\na/1\\r\\n\
              +CMQTTRXPAYLOAD: 0,2\\r\\nhi\\r\\n+CMQTTRXEND: 0\\r\\n";
    assert!(subscribe(&format!("{head}<< OK\n{rx}\n<< +CMQTTSUB: 0,0")).await.is_ok(), "a retained message");
    let error = subscribe(&format!("{head}<< OK\n<< +CMQTTSUB: 0,17")).await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.outcome()),
        ("AT+CMQTTSUB: the module gave up waiting (code 17)", Outcome::Unknown)
    );
    let error =
        subscribe(&format!("{first}>> AT+CMQTTSUBTOPIC=0,2,0\n<< +CMQTTSUBTOPIC: 0,12\n<< ERROR")).await;
    assert_eq!(error.unwrap_err().to_string(), "AT+CMQTTSUBTOPIC: a parameter is not valid (code 12)");
    let error = subscribe(&format!("{head}<< OK\n<< +CMQTTCONNLOST: 0,1")).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn unsubscribing_gives_all_filters_first() {
    let dialect = SimCom::default();
    let (filters, options) = (filters().into_iter().map(|(filter, _)| filter).collect::<Vec<_>>(), options());
    let unsubscribe = Unsubscribe { filters: &filters, packet_id: 4, options: &options };
    let head = ">> AT+CMQTTUNSUBTOPIC=0,3\n<= \\r\\n>\n>= a/+\n<< OK\n\
                >> AT+CMQTTUNSUBTOPIC=0,2\n<= \\r\\n>\n>= b\"\n<< OK\n>> AT+CMQTTUNSUB=0,0\n";
    let unsubscribed = async |answers: &str| {
        let operation = dialect.unsubscribe(0, &unsubscribe);
        run(&dialect, operation, &format!("{head}{answers}"), |reply| dialect.read_unsubscribe(reply)).await
    };
    unsubscribed("<< OK\n<< +CMQTTUNSUB: 0,0").await.unwrap();
    let error = unsubscribed("<< +CMQTTUNSUB: 0,11\n<< ERROR").await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CMQTTUNSUB: the client is not connected (code 11)");
}

/// A result that never came keeps the client from publishing, because a later one could be taken for it.
#[tokio::test(start_paused = true)]
async fn a_missing_result_leaves_no_doubt_about_the_next() {
    let (host, _link) = Host::connected(0);
    let script = ">> AT+CMQTTPUB=0,1,60\n<< OK\n>> AT+CMQTTPUB=1,1,60\n<< OK\n<< +CMQTTPUB: 0,0\n<< +CMQTTPUB: 1,0\n\
                  >> AT+CMQTTPUB=0,1,60\n<< OK\n<< +CMQTTPUB: 0,0";
    host.converse(script, async |port| {
        let publish = |client| CmqttPub::new(client, QoS::AtLeastOnce);
        assert!(matches!(send(&port, publish(0)).await, Err(Error::Timeout { .. })));
        assert!(matches!(send(&port, publish(0)).await, Err(Error::InDoubt)));
        assert!(send(&port, publish(1)).await.unwrap().is_success(), "the other client is not concerned");
        assert!(send(&port, publish(0)).await.unwrap().is_success(), "the late result is no longer owed");
    })
    .await;
}

#[test]
fn the_dialect_is_that_of_its_vendor() {
    let dialect = of(Vendor::SimCom).unwrap();
    assert_eq!((dialect.facts().vendor, dialect.facts().window), (Vendor::SimCom, 1));
    assert!(Vendor::ALL.contains(&Vendor::SimCom));
    assert_eq!("simcom".parse(), Ok(Vendor::SimCom));
}

/// The steps of the manual's sessions that are the same in all of them, up to the connection.
fn session_up_to_connect(acquire: &str, address: &str) -> String {
    format!(
        r#"
        >> AT+CMQTTSTART
        << OK
        << +CMQTTSTART: 0
        >> AT+CMQTTACCQ=0,"client test0"{acquire}
        << OK
        {}
        >> AT+CMQTTWILLTOPIC=0,10
        <= \r\n>
        >= 0123456789
        << OK
        >> AT+CMQTTWILLMSG=0,6,1
        <= \r\n>
        >= qwerty
        << OK
        >> AT+CMQTTCONNECT=0,"tcp://{address}",60,1
        << OK
        << +CMQTTCONNECT: 0,0
        "#,
        if address.starts_with("test") { "" } else { ">> AT+CMQTTSSLCFG=0,0\n<< OK" }
    )
}

/// The rest of the manual's sessions.
const SESSION: &str = r#"
    >> AT+CMQTTSUB=0,9,1
    <= \r\n>
    >= simcommsg
    << OK
    << +CMQTTSUB: 0,0
    >> AT+CMQTTTOPIC=0,9
    <= \r\n>
    >= simcommsg
    << OK
    >> AT+CMQTTPAYLOAD=0,60
    <= \r\n>
    >= 012345678901234567890123456789012345678901234567890123456789
    << OK
    >> AT+CMQTTPUB=0,1,60
    << OK
    << +CMQTTPUB: 0,0
    <= \r\n+CMQTTRXSTART: 0,9,60\r\n+CMQTTRXTOPIC: 0,9\r\nsimcommsg\r\n+CMQTTRXPAYLOAD: 0,60\r\n
    <= 012345678901234567890123456789012345678901234567890123456789\r\n+CMQTTRXEND: 0\r\n
    >> AT+CMQTTSUBTOPIC=0,9,1
    <= \r\n>
    >= 123456789
    << OK
    >> AT+CMQTTSUB=0
    << OK
    << +CMQTTSUB: 0,0
    >> AT+CMQTTUNSUB=0,9,0
    <= \r\n>
    >= simcommsg
    << OK
    << +CMQTTUNSUB: 0,0
    >> AT+CMQTTDISC=0,120
    << OK
    << +CMQTTDISC: 0,0
    >> AT+CMQTTREL=0
    << OK
    >> AT+CMQTTSTOP
    << OK
    << +CMQTTSTOP: 0
"#;

/// Does what the manual's sessions do, command by command.
async fn hold_session(port: &ModemPort, server: ServerType, host: &str, broker_port: u16) -> Result<()> {
    let succeed = |code: ResultCode| assert!(code.is_success(), "{code}");
    succeed(send(port, CmqttStart).await?);
    send(port, CmqttAccq::new(0, "client test0").server(server)).await?;
    if !host.starts_with("test") {
        send(port, CmqttSslCfg::new(0, 0)).await?;
    }
    send(port, CmqttWillTopic::new(0, "0123456789")).await?;
    send(port, CmqttWillMsg::new(0, "qwerty", QoS::AtLeastOnce)).await?;
    succeed(send(port, CmqttConnect::new(0, host, broker_port)).await?);
    let mut messages = port.receiver(Channel::Client(0));
    succeed(send(port, CmqttSub::one(0, "simcommsg", QoS::AtLeastOnce)).await?);
    send(port, CmqttTopic::new(0, "simcommsg")).await?;
    send(port, CmqttPayload::new(0, "0123456789".repeat(6))).await?;
    succeed(send(port, CmqttPub::new(0, QoS::AtLeastOnce)).await?);
    send(port, CmqttSubTopic::new(0, "123456789", QoS::AtLeastOnce)).await?;
    succeed(send(port, CmqttSub::staged(0)).await?);
    succeed(send(port, CmqttUnsub::one(0, "simcommsg")).await?);
    succeed(send(port, CmqttDisc::new(0).timeout(Duration::from_secs(120))).await?);
    send(port, CmqttRel::new(0)).await?;
    succeed(send(port, CmqttStop).await?);
    let message = messages.recv().await.unwrap().into_message();
    assert_eq!((message.topic(), message.payload().len()), ("simcommsg", 60));
    Ok(())
}

/// [A7600 MQTT 1.00 §3.1 to §3.4]; §3.2 has TLS without any setting of it, which verifies nothing.
#[tokio::test(start_paused = true)]
async fn the_manuals_sessions() {
    at_every_cut(hold_the_manuals_sessions).await;
}

async fn hold_the_manuals_sessions() {
    for (server, broker, broker_port) in [
        (ServerType::Tcp, "test.mosquitto.org", 1883),
        (ServerType::Tls, "test.mosquitto.org", 8883),
        (ServerType::Tls, "hooleeping.com", 8883),
    ] {
        let acquire = if server == ServerType::Tls { ",1" } else { "" };
        let connect = session_up_to_connect(acquire, &format!("{broker}:{broker_port}"));
        let (host, _link) = Host::connected(0);
        let session = async |port: ModemPort| hold_session(&port, server, broker, broker_port).await;
        host.converse(&format!("{connect}{SESSION}"), session).await.unwrap();
    }
}

/// [A7600 MQTT 1.00 §3.5]: a topic that is not UTF-8, and a message without a payload.
#[tokio::test(start_paused = true)]
async fn the_manuals_session_without_utf8() {
    at_every_cut(hold_the_manuals_session_without_utf8).await;
}

async fn hold_the_manuals_session_without_utf8() {
    // Scripts are texts, so that the bytes stand for themselves here.
    let script = r#"
        >> AT+CMQTTCFG="checkUTF8",0,0
        << OK
        >> AT+CMQTTTOPIC=0,9
        <= \r\n>
        >= 00000000?
        << OK
        >> AT+CMQTTPUB=0,1,60
        << OK
        << +CMQTTPUB: 0,0
        <= \r\n+CMQTTRXSTART: 0,9,0\r\n+CMQTTRXTOPIC: 0,9\r\n00000000?\r\n+CMQTTRXEND: 0\r\n
    "#;
    let (host, _link) = Host::connected(0);
    host.converse(script, async |port| {
        port.link().wait_for(|link| *link == LinkState::Synced).await.unwrap();
        let mut messages = port.receiver(Channel::Client(0));
        send(&port, CmqttCfg::check_utf8(0, false)).await.unwrap();
        send(&port, CmqttTopic::new(0, "00000000?")).await.unwrap();
        assert!(send(&port, CmqttPub::new(0, QoS::AtLeastOnce)).await.unwrap().is_success());
        let message = messages.recv().await.unwrap().into_message();
        assert_eq!((message.topic(), message.payload().len()), ("00000000?", 0));
    })
    .await;
}
