//! The dialect as the client sees it, and the whole way from an unknown port to a message.

use at_port::{OperationError, Port, PortOptions};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::dialect::esp::script::Host;
use crate::error::Outcome;
use crate::modem::Modem;
use crate::topic::TopicName;
use crate::vendor::Vendor;

fn options() -> ConnectOptions {
    ConnectOptions::new("publisher", "192.168.3.102", 1883)
}

fn publish(dialect: &Esp, payload: &'static [u8], qos: QoS, retain: bool) -> Operation {
    let (topic, payload, options) = (TopicName::new("up").unwrap(), Bytes::from_static(payload), options());
    let publish = Publish { topic: &topic, payload: &payload, qos, retain, packet_id: 7, options: &options };
    dialect.publish(0, &publish).unwrap()
}

/// Runs an operation against a script; a refusal is explained as the client does it.
async fn run(dialect: &Esp, operation: Operation, script: &str) -> Result<Reply> {
    let outcome = Host::default().converse(script, async |port| port.run(operation).await).await;
    outcome.map_err(|error| match &error {
        OperationError::Refused(refusal) => dialect.explain(refusal).unwrap_or_else(|| error.into()),
        _ => error.into(),
    })
}

#[tokio::test(start_paused = true)]
async fn publishing() {
    let dialect = Esp::default();
    let operation = publish(&dialect, b"a\r\nb\"", QoS::ExactlyOnce, true);
    let script = ">> AT+MQTTPUBRAW=0,\"up\",5,2,1\n<< OK\n<= \\r\\n>\n>= a\\r\\nb\"\n<< +MQTTPUB:OK";
    let reply = run(&dialect, operation, script).await.unwrap();
    dialect.read_publish(&reply).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_a_publish_is_as_sure_as_the_module_makes_it() {
    let dialect = Esp::default();
    let written = "<< OK\n<= \\r\\n>\n>= hello\n";
    for (answer, outcome, words) in [
        ("<< ERROR".to_owned(), Outcome::NotSent, "without a reason"),
        ("<< ERR CODE:0x00006051\n<< ERROR".to_owned(), Outcome::NotSent, "not connected (code 0x6051)"),
        ("<< ERR CODE:0x01090000\n<< ERROR".to_owned(), Outcome::NotSent, "(code 0x1090000)"),
        ("<< OK\n<< ERROR".to_owned(), Outcome::NotSent, "without a reason"),
        (format!("{written}<< +MQTTPUB:FAIL"), Outcome::Unknown, "could not publish"),
        (format!("{written}<< ERROR"), Outcome::Unknown, "without a reason"),
    ] {
        let operation = publish(&dialect, b"hello", QoS::AtLeastOnce, false);
        let script = format!(">> AT+MQTTPUBRAW=0,\"up\",5,1,0\n{answer}");
        let error = run(&dialect, operation, &script).await.unwrap_err();
        assert_eq!(error.outcome(), outcome, "{answer}: {error}");
        assert!(error.to_string().contains(words), "{answer}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_that_is_busy_costs_time_but_no_wrong_result() {
    let dialect = Esp::default();
    let operation = publish(&dialect, b"hello", QoS::AtLeastOnce, false);
    let script = ">> AT+MQTTPUBRAW=0,\"up\",5,1,0\n<< OK\n<= \\r\\n>\n>= hello\n\
                  >= ?\\r\\r\\r\\r\n>> AT+SYSSTORE?\n<< busy p...\n<< +MQTTPUB:OK\n>> AT+CWMODE?\n<< +CWMODE: 1\n<< OK";
    let host = Host::default();
    let outcome = host.converse(script, async |port| {
        let outcome = port.run(operation).await;
        port.link().wait_for(|link| *link == at_port::LinkState::Synced).await.unwrap();
        outcome
    });
    let error = Error::from(outcome.await.unwrap_err());
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
}

#[tokio::test(start_paused = true)]
async fn subscribing_and_ending_it() {
    let dialect = Esp::default();
    let options = options();
    let filters = [(TopicFilter::new("topic/#").unwrap(), QoS::AtLeastOnce)];
    let subscribe = Subscribe { filters: &filters, packet_id: 1, options: &options };
    let operation = dialect.subscribe(0, &subscribe).unwrap();
    let reply = run(&dialect, operation, ">> AT+MQTTSUB=0,\"topic/#\",1\n<< OK").await.unwrap();
    assert_eq!(dialect.read_subscribe(&reply, &filters).unwrap(), [Some(QoS::AtLeastOnce)]);

    let names = [filters[0].0.clone()];
    let unsubscribe = Unsubscribe { filters: &names, packet_id: 2, options: &options };
    let operation = dialect.unsubscribe(0, &unsubscribe).unwrap();
    let script = ">> AT+MQTTUNSUB=0,\"topic/#\"\n<< NO UNSUBSCRIBE\n<<\n<< OK";
    let reply = run(&dialect, operation, script).await.unwrap();
    dialect.read_unsubscribe(&reply).unwrap();

    let two = [filters[0].clone(), filters[0].clone()];
    let both = Subscribe { filters: &two, packet_id: 3, options: &options };
    assert!(dialect.subscribe(0, &both).is_err(), "one command takes one filter");
}

/// The module's side of a conversation whose host knows nothing of the module: a line that ends in a bare CR is a part
/// of the next one.
async fn play(mut wire: tokio::io::DuplexStream) {
    const ANSWERS: &[(&str, &str)] = &[
        ("AT+CWMODE?", "+CWMODE:1\r\n\r\nOK"),
        ("AT+SYSSTORE?", "+SYSSTORE:1\r\n\r\nOK"),
        ("ATE0", "OK"),
        (
            "AT+GMR",
            "AT version:2.4.0.0(4c6eb5e - ESP32 - May 20 2022 03:12:58)\r\nSDK version:v4.3.3\r\n\r\nOK",
        ),
        ("AT+SYSLOG=1", "OK"),
        ("AT+MQTTCONN?", "+MQTTCONN:0,0,0,\"\",\"\",\"\",0\r\n\r\nOK"),
        ("AT+CIPSTA?", "+CIPSTA:ip:\"192.168.1.226\"\r\n\r\nOK"),
        ("AT+MQTTUSERCFG=0,1,\"publisher\",\"\",\"\",0,0,\"\"", "OK"),
        ("AT+MQTTCONNCFG=0,120,0,\"\",\"\",0,0", "OK"),
        (
            "AT+MQTTCONN=0,\"192.168.3.102\",1883,0",
            "+MQTTCONNECTED:0,1,\"192.168.3.102\",\"1883\",\"\",0\r\n\r\nOK",
        ),
        ("AT+MQTTSUB=0,\"topic\",1", "OK"),
        ("AT+MQTTPUBRAW=0,\"topic\",6,1,0", "OK\r\n\r\n>"),
        ("AT+MQTTCLEAN=0", "+MQTTDISCONNECTED:0\r\n\r\nOK"),
    ];
    let mut line = Vec::new();
    while let Ok(byte) = wire.read_u8().await {
        line.push(byte);
        let Some(command) = line.strip_suffix(b"\r\n") else { continue };
        let command = String::from_utf8(command.to_vec()).unwrap();
        line.clear();
        let answer =
            ANSWERS.iter().find(|(known, _)| *known == command).map_or("ERROR", |(_, answer)| answer);
        wire.write_all(format!("\r\n{answer}").as_bytes()).await.unwrap();
        if answer.ends_with('>') {
            let mut payload = [0; 6];
            wire.read_exact(&mut payload).await.unwrap();
            let message =
                [b"\r\n+MQTTSUBRECV:0,\"topic\",6,", &payload[..], b"\r\n\r\n+MQTTPUB:OK\r\n"].concat();
            wire.write_all(&message).await.unwrap();
        } else {
            wire.write_all(b"\r\n").await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_module_is_found_and_used() {
    let (host_end, module_end) = tokio::io::duplex(4096);
    tokio::spawn(play(module_end));
    let (opening, driver) = Modem::over(host_end, ModemOptions::new());
    tokio::spawn(driver);
    let modem = opening.await.unwrap();
    assert_eq!(modem.vendor(), Vendor::Espressif);
    assert!(modem.identity().to_string().contains("ESP32"), "{}", modem.identity());
    let client = modem.connect(options()).await.unwrap();
    let mut messages = client.subscribe("topic", QoS::AtLeastOnce).await.unwrap();
    client.publish("topic", QoS::AtLeastOnce, false, "\r\nOK\r\n").await.unwrap();
    let message = messages.next().await.unwrap().unwrap();
    assert_eq!((message.topic(), &message.payload()[..]), ("topic", &b"\r\nOK\r\n"[..]));
    client.disconnect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_port_is_proven_by_questions_that_end_in_cr_lf() {
    let (host_end, mut module) = tokio::io::duplex(4096);
    let (port, driver) = Port::new(host_end, Box::new(Host::default().rules()), PortOptions::default());
    tokio::spawn(driver);
    let mut question = [0; 14];
    module.read_exact(&mut question).await.unwrap();
    assert_eq!(&question, b"AT+SYSSTORE?\r\n");
    drop(port);
}
