//! The manuals' example sessions as conversations: whole, byte by byte, and at every split.

use std::time::Duration;

use futures::future::BoxFuture;
use mqtt_at::quectel::{
    AliCredentials, QfUpl, QmtCfg, QmtConn, QmtDisc, QmtOpen, QmtPubEx, QmtSub, QmtUns, QsslCfg, ReceiveForm,
    SecurityLevel,
};
use mqtt_at::{Modem, ModemOptions, QoS};
use virtual_modem::{Direction, ScriptedPort, Transcript, Turn};

/// What a module says while it is brought up, before an example session begins.
const BRING_UP: &str = include_str!("../transcripts/quectel-bring-up.at");
const WITHOUT_SSL: &str = include_str!("../transcripts/quectel-5.1.at");
const WITH_SSL: &str = include_str!("../transcripts/quectel-5.2.at");

type Session = fn(Modem) -> BoxFuture<'static, mqtt_at::Result<()>>;

#[tokio::test(start_paused = true)]
async fn quectel_example_without_ssl() {
    replay(WITHOUT_SSL, |modem| Box::pin(without_ssl(modem))).await;
}

#[tokio::test(start_paused = true)]
async fn quectel_example_with_ssl() {
    replay(WITH_SSL, |modem| Box::pin(with_ssl(modem))).await;
}

/// [EC200x MQTT 1.0 §5.1], in the manual's order.
async fn without_ssl(modem: Modem) -> mqtt_at::Result<()> {
    let form = ReceiveForm { stored: false, length: true };
    modem.send(QmtCfg::recv_mode(0).set(form)).await?;
    let device = AliCredentials {
        product_key: "oyjtmPI5a5j".into(),
        device_name: "MQTT_TEST".into(),
        device_secret: "wN9Y6pZSIly7Exa5qVzcmigEGO4kAazZ".into(),
    };
    modem.send(QmtCfg::ali_auth(0).set(device)).await?;
    modem.send(QmtOpen::test()).await?;
    modem.send(QmtOpen::new(0, "iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883)).await?;
    let open = modem.send(QmtOpen::read()).await?;
    assert_eq!(open.len(), 1);
    modem.send(QmtConn::test()).await?;
    modem.send(QmtConn::new(0, "clientExample")).await?;
    modem.send(QmtSub::test()).await?;
    modem.send(QmtSub::new(0, 1).filter("topic/example", QoS::ExactlyOnce)).await?;
    modem.send(QmtSub::new(0, 1).filter("topic/pub", QoS::AtMostOnce)).await?;
    modem.send(QmtUns::new(0, 2).filter("topic/example")).await?;
    modem.send(QmtPubEx::test()).await?;
    modem.send(QmtPubEx::new(0, "topic/pub", "This is test data, hello MQTT.")).await?;
    modem.send(QmtDisc::new(0)).await?;
    Ok(())
}

/// [EC200x MQTT 1.0 §5.2], in the manual's order.
async fn with_ssl(modem: Modem) -> mqtt_at::Result<()> {
    const TOPIC: &str = "$aws/things/M26_0206/shadow/update/accepted";
    modem.send(QmtCfg::recv_mode(0).set(ReceiveForm { stored: false, length: true })).await?;
    modem.send(QmtCfg::ssl(0).set(Some(2))).await?;
    for name in ["cacert.pem", "client.pem", "user_key.pem"] {
        let contents = uploaded(name);
        let stored = modem.send(QfUpl::new(format!("UFS:{name}"), contents.clone())).await?;
        assert!(stored.is_copy_of(&contents));
    }
    modem.send(QsslCfg::ca_cert(2).set("UFS:cacert.pem".to_owned())).await?;
    modem.send(QsslCfg::client_cert(2).set("UFS:client.pem".to_owned())).await?;
    modem.send(QsslCfg::client_key(2).set("UFS:user_key.pem".to_owned())).await?;
    modem.send(QsslCfg::security_level(2).set(SecurityLevel::Mutual)).await?;
    modem.send(QsslCfg::ssl_version(2).set(4)).await?;
    modem.send(QsslCfg::cipher_suite(2).set(0xFFFF)).await?;
    modem.send(QsslCfg::ignore_local_time(2).set(true)).await?;
    modem.send(QmtOpen::new(0, "a1zgnxur10j8ux.iot.us-east-1.amazonaws.com", 8883)).await?;
    modem.send(QmtConn::new(0, "M26_0206")).await?;
    modem.send(QmtSub::new(0, 1).filter(TOPIC, QoS::AtLeastOnce)).await?;
    let publish = QmtPubEx::new(0, TOPIC, "This is publish data from client").qos(QoS::AtLeastOnce, 1);
    modem.send(publish).await?;
    modem.send(QmtDisc::new(0)).await?;
    Ok(())
}

/// What the transcript uploads under a name.
fn uploaded(name: &str) -> Vec<u8> {
    let transcript: Transcript = WITH_SSL.parse().expect("the transcript is well formed");
    let mut turns =
        transcript.turns.iter().skip_while(|turn| !contains(&turn.bytes, name.as_bytes())).skip(1);
    let _connect = turns.next();
    let is_host = |turn: &&Turn| turn.direction == Direction::HostToModule;
    turns.take_while(is_host).flat_map(|turn| turn.bytes.to_vec()).collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Runs a session against the transcript of it: whole, byte by byte, and cut in two at every place.
async fn replay(transcript: &str, session: Session) {
    let text = format!("{BRING_UP}{transcript}");
    let transcript: Transcript = text.parse().expect("the transcript is well formed");
    let script = || ScriptedPort::from_transcript(&transcript);
    let from_module = transcript.turns.iter().filter(|turn| turn.direction == Direction::ModuleToHost);
    let bytes: usize = from_module.map(|turn| turn.bytes.len()).sum();
    run(script(), session, "whole").await;
    run(script().byte_by_byte(), session, "byte by byte").await;
    for split in 1..bytes {
        run(script().split_at(split), session, &format!("split at {split}")).await;
    }
}

async fn run(port: ScriptedPort, session: Session, how: &str) {
    let verdict = port.verdict();
    let (opening, driver) = Modem::over(port, ModemOptions::new().attach(false));
    let driver = tokio::spawn(driver);
    let outcome =
        tokio::time::timeout(Duration::from_secs(600), async { session(opening.await?).await }).await;
    driver.abort();
    verdict.check().unwrap_or_else(|surprise| panic!("{how}: {surprise}"));
    outcome.unwrap_or_else(|_| panic!("{how}: no end")).unwrap_or_else(|error| panic!("{how}: {error}"));
}
