//! The dialect as the client sees it: publishing and subscribing, described and read.

use at_port::{OperationError, Progress};
use bytes::Bytes;

use super::*;
use crate::dialect::neoway::script::Host;
use crate::error::Outcome;
use crate::topic::TopicName;

fn options() -> ConnectOptions {
    ConnectOptions::new("owen", "121.43.166.63", 1883)
}

fn publish(dialect: &Neoway, payload: &'static [u8], qos: QoS, retain: bool) -> Result<Operation> {
    let (topic, payload, options) = (TopicName::new("up").unwrap(), Bytes::from_static(payload), options());
    dialect.publish(
        0,
        &Publish { topic: &topic, payload: &payload, qos, retain, packet_id: 7, options: &options },
    )
}

/// Runs an operation against a script; a refusal is explained as the client does it.
async fn run(dialect: &Neoway, operation: Result<Operation>, script: &str) -> Result<Reply> {
    let operation = operation.unwrap();
    let outcome = Host::default().converse(script, async |port| port.run(operation).await).await;
    outcome.map_err(|error| match &error {
        OperationError::Refused(refusal) => dialect.explain(refusal).unwrap_or_else(|| error.into()),
        _ => error.into(),
    })
}

#[tokio::test(start_paused = true)]
async fn publishing() {
    let dialect = Neoway::default();
    let operation = publish(&dialect, b"a\r\nb\"", QoS::ExactlyOnce, true);
    let script = ">> AT+MQTTPUBS=1,2,\"up\",5\n<= \\r\\n>\n>= a\\r\\nb\"\n<< OK";
    let reply = run(&dialect, operation, script).await.unwrap();
    dialect.read_publish(&reply).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_a_publish_is_as_sure_as_the_module_makes_it() {
    let dialect = Neoway::default();
    let written = "<= \\r\\n>\n>= hello\n";
    for (answer, outcome) in [
        ("<< ERROR".to_owned(), Outcome::NotSent),
        ("<< +CMD ERROR: <-3>".to_owned(), Outcome::NotSent),
        ("<< +CME ERROR: 3".to_owned(), Outcome::NotSent),
        ("<< +MQTTPUBS: Timeout!".to_owned(), Outcome::NotSent),
        (format!("{written}<< +MQTTPUBS: Timeout!"), Outcome::NotSent),
        (format!("{written}<< ERROR"), Outcome::Unknown),
        (format!("{written}<< +CMD ERROR: <-3>"), Outcome::Unknown),
        (format!("{written}<< +CME ERROR: 3"), Outcome::Unknown),
    ] {
        let operation = publish(&dialect, b"hello", QoS::AtLeastOnce, false);
        let script = format!(">> AT+MQTTPUBS=0,1,\"up\",5\n{answer}");
        let error = run(&dialect, operation, &script).await.unwrap_err();
        assert_eq!(error.outcome(), outcome, "{answer}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_does_not_come_is_waited_for_as_long_as_it_may() {
    let dialect = Neoway::default();
    let start = tokio::time::Instant::now();
    let operation = publish(&dialect, b"hello", QoS::AtLeastOnce, false).unwrap();
    let script = ">> AT+MQTTPUBS=0,1,\"up\",5\n>= ?\\r\\r\\r\\r\n>> AT+CMEE?\n<< +CMEE: 0\n<< OK";
    let host = Host::default();
    let outcome = host.converse(script, async |port| {
        let outcome = port.run(operation).await;
        port.link().wait_for(|link| *link == at_port::LinkState::Synced).await.unwrap();
        outcome
    });
    assert_eq!(Error::from(outcome.await.unwrap_err()).outcome(), Outcome::NotSent);
    assert!(start.elapsed() > std::time::Duration::from_secs(30), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn subscribing() {
    let dialect = Neoway::default();
    let filters = [(TopicFilter::new("a/#").unwrap(), QoS::ExactlyOnce)];
    let options = options();
    let subscribe = Subscribe { filters: &filters, packet_id: 1, options: &options };
    let script = ">> AT+MQTTSUB=\"a/#\",2\n<< OK";
    let reply = run(&dialect, dialect.subscribe(0, &subscribe), script).await.unwrap();
    assert_eq!(dialect.read_subscribe(&reply, &filters).unwrap(), [Some(QoS::ExactlyOnce)]);
    let script = ">> AT+MQTTSUB=\"a/#\",2\n<< ERROR";
    let error = run(&dialect, dialect.subscribe(0, &subscribe), script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+MQTTSUB: the subscription failed");
    let none = Subscribe { filters: &[], packet_id: 1, options: &options };
    assert!(dialect.subscribe(0, &none).is_err(), "the facts say one filter, and so does the command");
}

#[tokio::test(start_paused = true)]
async fn unsubscribing() {
    let dialect = Neoway::default();
    let filters = [TopicFilter::new("a/#").unwrap()];
    let options = options();
    let unsubscribe = Unsubscribe { filters: &filters, packet_id: 1, options: &options };
    let operation = dialect.unsubscribe(0, &unsubscribe);
    let reply = run(&dialect, operation, ">> AT+MQTTUNSUB=\"a/#\"\n<< OK").await.unwrap();
    dialect.read_unsubscribe(&reply).unwrap();
}

#[test]
fn what_fits_the_module() {
    let dialect = Neoway::default();
    let facts = dialect.facts();
    assert_eq!((facts.clients.clone(), facts.window, facts.filters), (0..=0, 1, 1));
    assert_eq!((facts.max_payload, facts.max_topic, facts.empty_payload), (10_240, 128, false));
    assert!(publish(&dialect, b"", QoS::AtMostOnce, false).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_the_module_stops_taking_is_not_written_to_its_end() {
    // The module gives up while the payload is still being written, and takes what follows for commands.
    let dialect = Neoway::default();
    let (topic, options) = (TopicName::new("up").unwrap(), options());
    let payload = Bytes::from(vec![b'x'; 10_240]);
    let (qos, retain) = (QoS::AtLeastOnce, false);
    let publish = Publish { topic: &topic, payload: &payload, qos, retain, packet_id: 7, options: &options };
    let operation = dialect.publish(0, &publish).unwrap();
    let (host_end, mut module) = tokio::io::duplex(64);
    let host = Host::default();
    let (port, driver) =
        at_port::Port::new(host_end, Box::new(host.rules()), at_port::PortOptions::default());
    tokio::spawn(driver);
    let conversation = async {
        let mut read = async |expected: &str| {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut got = vec![0; expected.len()];
            module.read_exact(&mut got).await.unwrap();
            assert_eq!(String::from_utf8(got).unwrap(), expected);
            let answer = match expected {
                "AT+CMEE?\r" => "\r\n+CMEE: 0\r\n\r\nOK\r\n",
                "AT+MQTTPUBS=0,1,\"up\",10240\r" => "\r\n>",
                _ => "\r\n+MQTTPUBS: Timeout!\r\n",
            };
            module.write_all(answer.as_bytes()).await.unwrap();
        };
        read("AT+CMEE?\r").await;
        read("AT+MQTTPUBS=0,1,\"up\",10240\r").await;
        read(&"x".repeat(100)).await;
    };
    let (outcome, ()) = tokio::join!(port.run(operation), conversation);
    let Err(OperationError::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal.progress, Progress::DataInPart);
    assert_eq!(dialect.explain(&refusal).unwrap().outcome(), Outcome::NotSent);
}
