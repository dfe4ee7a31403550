//! The dialect as the client sees it: publishing and subscribing, described and read.

use at_port::{OperationError, Phase};
use bytes::Bytes;

use super::*;
use crate::dialect::fibocom::script::Host;
use crate::dialect::script::at_every_cut;
use crate::error::Fault;
use crate::topic::TopicName;

fn options() -> ConnectOptions {
    ConnectOptions::new("ClientIDStr", "MQTT BrokerServer", 1883)
}

fn dialect() -> Fibocom {
    let dialect = Fibocom::default();
    dialect.sessions.set_counted(true);
    dialect
}

fn publish(payload: &'static [u8], qos: QoS, retain: bool) -> Operation {
    let (topic, payload, options) =
        (TopicName::new("topic1").unwrap(), Bytes::from_static(payload), options());
    let publish = Publish { topic: &topic, payload: &payload, qos, retain, packet_id: 7, options: &options };
    dialect().publish(1, &publish).unwrap()
}

fn filter(text: &str) -> TopicFilter {
    TopicFilter::new(text).unwrap()
}

/// Runs an operation against a script; a refusal is explained as the client does it.
async fn run(operation: Operation, script: &str) -> Result<Reply> {
    let outcome = Host::default().converse(script, async |port| port.run(operation).await).await;
    outcome.map_err(|error| match &error {
        OperationError::Refused(refusal) => dialect().explain(refusal).unwrap_or_else(|| error.into()),
        _ => error.into(),
    })
}

#[tokio::test(start_paused = true)]
async fn publishing() {
    let head = ">> AT+MQTTPUB=1,\"topic1\",2,1,5\n<= >\\r\\n\n>= a\\r\\nb\"\n<< OK\n";
    let operation = publish(b"a\r\nb\"", QoS::ExactlyOnce, true);
    let reply = run(operation, &format!("{head}<< +MQTTPUB: 1,1")).await.unwrap();
    dialect().read_publish(&reply).unwrap();

    let operation = publish(b"a\r\nb\"", QoS::ExactlyOnce, true);
    let reply = run(operation, &format!("{head}<< +MQTTPUB: 1,0")).await.unwrap();
    let error = dialect().read_publish(&reply).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown, "the acknowledgement may have been lost");
    assert_eq!(
        error.to_string(),
        "AT+MQTTPUB: the packet could not be sent, or was not acknowledged (code 0)"
    );
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_a_publish_is_as_sure_as_the_module_makes_it() {
    let written = "<= >\\r\\n\n>= hello\n";
    for answer in ["<< ERROR", "<< ERROR: 704", "<< +CME ERROR: 703", "<< +CME ERROR: 3"] {
        for (before, outcome) in [("", Outcome::NotSent), (written, Outcome::Unknown)] {
            let script = format!(">> AT+MQTTPUB=1,\"topic1\",1,0,5\n{before}{answer}");
            let error = run(publish(b"hello", QoS::AtLeastOnce, false), &script).await.unwrap_err();
            assert_eq!(error.outcome(), outcome, "{script}: {error}");
            assert_eq!(error.fault(), Fault::Module);
        }
    }
}

/// `+MQTTPUB: 1,1` has no number of its own, so after one that is missing nothing more is published.
#[tokio::test(start_paused = true)]
async fn a_missing_result_leaves_the_client_in_doubt() {
    let head = ">> AT+MQTTPUB=1,\"topic1\",1,0,5\n<= >\\r\\n\n>= hello\n<< OK\n";
    let script = format!("{head}>> AT\n<< +MQTTPUB: 1,1\n<< OK\n{head}<< +MQTTPUB: 1,0");
    let hello = || publish(b"hello", QoS::AtLeastOnce, false);
    let host = Host::default();
    let results = host.converse(&script, async |port| {
        let late = port.run(hello()).await;
        let doubtful = port.run(hello()).await;
        // The result comes after all, and nobody takes it for that of the next one.
        port.run(at_port::Exchange::new(at_codec::CommandLine::execute(""))).await.unwrap();
        (late, doubtful, port.run(hello()).await)
    });
    let (late, doubtful, next) = results.await;
    assert!(matches!(late, Err(OperationError::Timeout { phase: Phase::DeferredResult, .. })));
    assert!(matches!(doubtful, Err(OperationError::InDoubt)));
    assert!(dialect().read_publish(&next.unwrap()).is_err());
}

#[tokio::test(start_paused = true)]
async fn f_status_of_subscriptions() {
    let options = options();
    let filters = [(filter("topic1"), QoS::AtMostOnce)];
    let subscribe = || {
        let subscribe = Subscribe { filters: &filters, packet_id: 1, options: &options };
        dialect().subscribe(1, &subscribe).unwrap()
    };
    let head = ">> AT+MQTTSUB=1,\"topic1\",0\n<< OK\n";
    let reply = run(subscribe(), &format!("{head}<< +MQTTSUB: 1,1")).await.unwrap();
    assert_eq!(dialect().read_subscribe(&reply, &filters).unwrap(), [Some(QoS::AtMostOnce)]);
    let reply = run(subscribe(), &format!("{head}<< +MQTTSUB: 1,0")).await.unwrap();
    let error = dialect().read_subscribe(&reply, &filters).unwrap_err();
    assert_eq!(
        error.to_string(),
        "AT+MQTTSUB: the broker refused the subscription, or did not answer (code 0)"
    );

    let filters = [filter("topic1")];
    let unsubscribe = || {
        let unsubscribe = Unsubscribe { filters: &filters, packet_id: 1, options: &options };
        dialect().unsubscribe(2, &unsubscribe).unwrap()
    };
    let head = ">> AT+MQTTUNSUB=2,\"topic1\"\n<< OK\n";
    let reply = run(unsubscribe(), &format!("{head}<< +MQTTUNSUB: 2,1")).await.unwrap();
    dialect().read_unsubscribe(&reply).unwrap();
    let reply = run(unsubscribe(), &format!("{head}<< +MQTTUNSUB: 2,0")).await.unwrap();
    assert!(dialect().read_unsubscribe(&reply).is_err());
}

/// What was refused once is tried again: noise may have refused it. Found by simulation.
#[tokio::test(start_paused = true)]
async fn firmware_that_cannot_count_subscribes_to_nothing() {
    let options = options();
    let filters = [(filter("t"), QoS::AtMostOnce)];
    let subscribe = Subscribe { filters: &filters, packet_id: 1, options: &options };
    let dialect = Fibocom::default();
    let operation = || dialect.subscribe(1, &subscribe).unwrap();
    let error = run(operation(), ">> AT+MQTTCONF=1\n<< ERROR").await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    let head = ">> AT+MQTTCONF=1\n<< OK\n>> AT+MQTTSUB=1,\"t\",0\n<< OK\n<< +MQTTSUB: 1,1";
    let reply = run(operation(), head).await.unwrap();
    dialect.read_subscribe(&reply, &filters).unwrap();
    run(operation(), ">> AT+MQTTSUB=1,\"t\",0\n<< OK\n<< +MQTTSUB: 1,1").await.unwrap();
    let filters = [(filter("t"), QoS::AtMostOnce), (filter("u"), QoS::AtMostOnce)];
    let subscribe = Subscribe { filters: &filters, packet_id: 1, options: &options };
    assert!(matches!(dialect.subscribe(1, &subscribe), Err(Error::Input(_))), "one at a time");
}

/// The report of a message may be lost on its way, and the message would stay in the module.
#[tokio::test(start_paused = true)]
async fn who_asks_for_the_connection_looks_for_messages_too() {
    let script = ">> AT+MQTTOPEN?\n<< +MQTTOPEN: 2\n<< OK\n>> AT+MQTTREAD=1\n<< +MQTTREAD: 1,0,0,0\n<< OK";
    for counted in [true, false] {
        let dialect = Fibocom::default();
        dialect.sessions.set_counted(counted);
        let script = if counted { script } else { &script[..script.find(">> AT+MQTTREAD").unwrap()] };
        let presence = Host::default().converse(script, async |port| dialect.presence(&port, 1).await).await;
        assert_eq!(presence.unwrap(), Presence::Connected);
    }
}

#[test]
fn f_limits() {
    let dialect = dialect();
    let facts = dialect.facts();
    assert_eq!((facts.clients.clone(), facts.window, facts.filters), (1..=2, 1, 1));
    assert_eq!((facts.max_payload, facts.empty_payload, facts.max_topic), (1024, false, 255));
}

/// The manual's three examples [Fibocom MQTT 1.2.6 §3.1 to §3.3], the message as this library has it reported.
#[tokio::test(start_paused = true)]
async fn f_examples_3() {
    at_every_cut(hold_f_examples_3).await;
}

async fn hold_f_examples_3() {
    let host = Host::default();
    let dialect = Fibocom { sessions: Arc::clone(&host.sessions) };
    let link = host.links.begin(1, false);
    link.expect([filter("topic1")]);
    let options = options().credentials("username", "passwd").keep_alive(Duration::from_secs(80));
    let options = options.clean_session(false);
    let script = r#"
        >> AT+MQTTCONF=1
        << OK
        >> AT+MQTTOPEN?
        << +MQTTOPEN: 1,2
        << OK
        >> AT+MIPCALL?
        << +MIPCALL: 0
        << OK
        >> AT+MIPCALL=1
        << OK
        << +MIPCALL: 10.2.83.148
        >> AT+MIPCALL?
        << +MIPCALL: 1,10.2.83.148
        << OK
        >> ATE0
        << OK
        >> AT+MIPCALL?
        << +MIPCALL: 1,10.2.83.148
        << OK
        >> AT+MQTTCONF=1
        << OK
        >> AT+MQTTWILL?
        << OK
        >> AT+MQTTUSER=1,"username","passwd","ClientIDStr"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK
        >> AT+MQTTOPEN=1,"MQTT BrokerServer",1883,0,80
        << OK
        << +MQTTOPEN: 1,1
        >> AT+MQTTSUB=1,"topic1",0
        << OK
        << +MQTTSUB: 1,1
        << +MQTTMSGI: 1,0,6,4
        >> AT+MQTTREAD=1
        <= \r\n+MQTTREAD: 1,0,6,4\r\n"topic1","Test"\r\n\r\nOK\r\n
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK
        >> AT+MQTTPUB=1,"topic1",1,0,1
        <= >\r\n
        >= 9
        << OK
        << +MQTTPUB: 1,1
        >> AT+MQTTUNSUB=1,"topic1"
        << OK
        << +MQTTUNSUB: 1,1
        >> AT+MQTTCLOSE=1
        << OK
        << +MQTTCLOSE: 1,1
    "#;
    let payload = host.converse(script, async |port| {
        dialect.prepare(&port, FormerClients::Close).await.unwrap();
        dialect.activate(&port, &ModemOptions::new()).await.unwrap();
        let context = Connecting { port: &port, index: 1, options: &options, progress: None };
        dialect.connect(&context).await.unwrap();
        link.connected();
        let mut messages = port.receiver(at_port::Channel::Client(1));
        let filters = [(filter("topic1"), QoS::AtMostOnce)];
        let subscribe = Subscribe { filters: &filters, packet_id: 1, options: &options };
        port.run(dialect.subscribe(1, &subscribe).unwrap()).await.unwrap();
        let message = messages.recv().await.unwrap().into_message();
        // Virtual time goes on when nothing else does: the module is asked whether there is more.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let reply = port.run(publish(b"9", QoS::AtLeastOnce, false)).await.unwrap();
        dialect.read_publish(&reply).unwrap();
        let filters = [filter("topic1")];
        let unsubscribe = Unsubscribe { filters: &filters, packet_id: 1, options: &options };
        port.run(dialect.unsubscribe(1, &unsubscribe).unwrap()).await.unwrap();
        dialect.disconnect(&port, 1).await.unwrap();
        message.payload().clone()
    });
    assert_eq!(payload.await, "Test");
    assert_eq!(host.sessions.state(1), State::Closed);
}
