//! The dialect as the client sees it: publishing and subscribing, described and read.

use super::*;
use crate::dialect::quectel::script::Host;
use crate::topic::TopicName;

fn options() -> ConnectOptions {
    ConnectOptions::new("gateway-7", "broker.example.com", 1883)
}

/// Runs an operation against a script.
async fn run(operation: Result<Operation>, script: &str) -> Reply {
    let operation = operation.unwrap();
    Host::default().converse(script, async |port| port.run(operation).await).await.unwrap()
}

async fn publish(qos: QoS, packet_id: u16, script: &str) -> Result<()> {
    let topic = TopicName::new("up").unwrap();
    let (payload, options) = (bytes::Bytes::from_static(b"hello"), options());
    let publish =
        Publish { topic: &topic, payload: &payload, qos, retain: true, packet_id, options: &options };
    let dialect = Quectel::default();
    dialect.read_publish(&run(dialect.publish(3, &publish), script).await)
}

#[tokio::test(start_paused = true)]
async fn publishing() {
    let prompt = "<= \\r\\n> \n>= hello\n<< OK\n";
    publish(QoS::AtMostOnce, 0, &format!(">> AT+QMTPUBEX=3,0,0,1,\"up\",5\n{prompt}<< +QMTPUBEX: 3,0,0"))
        .await
        .unwrap();
    let script = format!(">> AT+QMTPUBEX=3,9,2,1,\"up\",5\n{prompt}");
    publish(QoS::ExactlyOnce, 9, &format!("{script}<< +QMTPUBEX: 3,9,0")).await.unwrap();
    let error = publish(QoS::ExactlyOnce, 9, &format!("{script}<< +QMTPUBEX: 3,9,2")).await.unwrap_err();
    assert_eq!(
        error.outcome(),
        Outcome::Unknown,
        "it may have reached the broker before the answer was lost"
    );
    assert_eq!(
        error.to_string(),
        "AT+QMTPUBEX: the packet could not be sent, or was not acknowledged (code 2)"
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_of_packets_have_a_remedy_and_keep_their_outcome() {
    let topic = TopicName::new("up").unwrap();
    let (payload, options) = (bytes::Bytes::from_static(b"hello"), options());
    let publish = Publish {
        topic: &topic,
        payload: &payload,
        qos: QoS::AtMostOnce,
        retain: false,
        packet_id: 0,
        options: &options,
    };
    let dialect = Quectel::default();
    let command = ">> AT+QMTPUBEX=0,0,0,0,\"up\",5\n";
    for (answer, outcome) in
        [("<< ERROR", Outcome::NotSent), ("<= \\r\\n> \n>= hello\n<< ERROR", Outcome::Unknown)]
    {
        let operation = dialect.publish(0, &publish).unwrap();
        let script = format!("{command}{answer}");
        let ended = Host::default().converse(&script, async |port| port.run(operation).await).await;
        let Err(OperationError::Refused(refusal)) = ended else { panic!("a refusal was expected") };
        let error = dialect.explain(&refusal).unwrap();
        assert_eq!((error.outcome(), error.remedy().is_some()), (outcome, true));
    }
}

#[tokio::test(start_paused = true)]
async fn subscribing() {
    let filter = |text: &str, qos| (TopicFilter::new(text).unwrap(), qos);
    let filters =
        [filter("a", QoS::ExactlyOnce), filter("b/#", QoS::AtLeastOnce), filter("c", QoS::AtMostOnce)];
    let options = options();
    let subscribe = Subscribe { filters: &filters, packet_id: 4, options: &options };
    let dialect = Quectel::default();
    let head = ">> AT+QMTSUB=0,4,\"a\",2,\"b/#\",1,\"c\",0\n<< OK\n";
    for (result, granted) in [
        ("1,128,0", [Some(QoS::AtLeastOnce), None, Some(QoS::AtMostOnce)]),
        ("2,1,0", [Some(QoS::ExactlyOnce), Some(QoS::AtLeastOnce), Some(QoS::AtMostOnce)]),
        // Some firmware gives one value for all.
        ("1", [Some(QoS::AtLeastOnce), Some(QoS::AtLeastOnce), Some(QoS::AtMostOnce)]),
    ] {
        let reply = run(dialect.subscribe(0, &subscribe), &format!("{head}<< +QMTSUB: 0,4,0,{result}")).await;
        assert_eq!(dialect.read_subscribe(&reply, &filters).unwrap(), granted, "{result}");
    }
    let reply = run(dialect.subscribe(0, &subscribe), &format!("{head}<< +QMTSUB: 0,4,2")).await;
    assert!(dialect.read_subscribe(&reply, &filters).is_err());
}

#[tokio::test(start_paused = true)]
async fn unsubscribing() {
    let filters = [TopicFilter::new("a").unwrap(), TopicFilter::new("+/b").unwrap()];
    let options = options();
    let unsubscribe = Unsubscribe { filters: &filters, packet_id: 65_535, options: &options };
    let dialect = Quectel::default();
    let head = ">> AT+QMTUNS=0,65535,\"a\",\"+/b\"\n<< OK\n";
    let reply = run(dialect.unsubscribe(0, &unsubscribe), &format!("{head}<< +QMTUNS: 0,65535,0")).await;
    dialect.read_unsubscribe(&reply).unwrap();
    let reply = run(dialect.unsubscribe(0, &unsubscribe), &format!("{head}<< +QMTUNS: 0,65535,2")).await;
    assert!(dialect.read_unsubscribe(&reply).is_err());
}

/// The answer that speaks for another form may be garbled. Found by simulation.
#[tokio::test(start_paused = true)]
async fn a_form_that_the_module_does_not_know_gives_way_to_the_other() {
    let refusal = |command: &str, result| Refusal::of_command(command, result, Vec::new());
    let unknown = || FinalResult::Cme(ErrorCode::Number(4));
    let dialect = Quectel::default();
    *locked(&dialect.publish_form) = Some(PublishForm::Length);
    dialect.explain(&refusal("AT+QMTPUB", FinalResult::Error));
    assert_eq!(dialect.publish_command(), "AT+QMTPUB", "there may be no connection");
    dialect.explain(&refusal("AT+QMTPUB", unknown()));
    assert_eq!(dialect.publish_command(), "AT+QMTPUBEX");
    dialect.explain(&refusal("AT+QMTPUBEX", unknown()));
    assert_eq!(dialect.publish_command(), "AT+QMTPUB");

    let manual = Quectel::default();
    manual.explain(&refusal("AT+QMTPUBEX", unknown()));
    assert_eq!(manual.publish_command(), "AT+QMTPUBEX", "there is no other");
    let chosen = vec![crate::quirk::Quirk::QuectelPublish(PublishForm::Length)];
    let chosen = Quectel::new(Quirks { chosen, known: Vec::new() });
    *locked(&chosen.publish_form) = Some(PublishForm::Length);
    chosen.explain(&refusal("AT+QMTPUB", unknown()));
    assert_eq!(chosen.publish_command(), "AT+QMTPUB", "the user knows");
}
