//! The examples of the SIMCom manual, as conversations [A7600 MQTT 1.00 §3].
//!
//! The manual prints `OK` and results without the empty lines between them in places; the module always has them.

use virtual_modem::MemoryBroker;

use crate::host::Bench;
use crate::simcom::{quiet, stage, stage_message, subscribe};

const SIXTY: &[u8; 60] = b"012345678901234567890123456789012345678901234567890123456789";

async fn network(bench: &mut Bench) {
    bench.ok("AT+CGSOCKCONT=1,\"IP\",\"CMNET\"").await;
    bench.info("AT+CGPADDR", "+CGPADDR: 1,10.64.0.2").await;
}

async fn start(bench: &mut Bench, accq: &str) {
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
    bench.ok(accq).await;
}

async fn will(bench: &mut Bench) {
    stage(bench, "AT+CMQTTWILLTOPIC=0,10", "0123456789").await;
    stage(bench, "AT+CMQTTWILLMSG=0,6,1", "qwerty").await;
}

async fn unsubscribe_and_stop(bench: &mut Bench) {
    stage(bench, "AT+CMQTTUNSUB=0,9,0", "simcommsg").await;
    bench.line("+CMQTTUNSUB: 0,0").await;
    stop(bench).await;
}

async fn stop(bench: &mut Bench) {
    bench.ok_then("AT+CMQTTDISC=0,120", "+CMQTTDISC: 0,0").await;
    bench.ok("AT+CMQTTREL=0").await;
    bench.ok_then("AT+CMQTTSTOP", "+CMQTTSTOP: 0").await;
    bench.host.silence().await;
}

fn has_will(broker: &MemoryBroker) -> bool {
    let connects = broker.ledger().connects;
    connects[0].will == Some(("0123456789".to_owned(), "qwerty".into(), 1, false))
}

#[tokio::test(start_paused = true)]
async fn without_tls() {
    let mut bench = quiet(|builder| builder).await;
    network(&mut bench).await;
    start(&mut bench, "AT+CMQTTACCQ=0,\"client test0\"").await;
    will(&mut bench).await;
    bench.ok_then("AT+CMQTTCONNECT=0,\"tcp://test.mosquitto.org:1883\",60,1", "+CMQTTCONNECT: 0,0").await;
    subscribe(&mut bench, 0, "simcommsg", 1).await;
    stage_message(&mut bench, 0, "simcommsg", SIXTY).await;
    bench.ok_then("AT+CMQTTPUB=0,1,60", "+CMQTTPUB: 0,0").await;
    bench
        .host
        .hear(
            "\r\n+CMQTTRXSTART: 0,9,60\r\n+CMQTTRXTOPIC: 0,9\r\nsimcommsg\r\n+CMQTTRXPAYLOAD: \
             0,60\r\n012345678901234567890123456789012345678901234567890123456789\r\n+CMQTTRXEND: 0\r\n",
        )
        .await;
    stage(&mut bench, "AT+CMQTTSUBTOPIC=0,9,1", "123456789").await;
    bench.ok_then("AT+CMQTTSUB=0", "+CMQTTSUB: 0,0").await;
    unsubscribe_and_stop(&mut bench).await;

    assert!(has_will(&bench.broker));
    let ledger = bench.broker.ledger();
    let login = &ledger.connects[0];
    assert_eq!(login.client_identifier, "client test0");
    assert_eq!((login.keep_alive, login.clean_session, login.tls), (60, true, false));
    assert_eq!(login.dialled, ("test.mosquitto.org".to_owned(), 1883));
    assert_eq!(ledger.accepted[0].payload.as_ref(), SIXTY);
    assert_eq!(ledger.subscriptions.len(), 2);
    assert!(ledger.wills.is_empty(), "a client that says good-bye has no will");
}

#[tokio::test(start_paused = true)]
async fn with_tls() {
    let mut bench = quiet(|builder| builder).await;
    stage(&mut bench, "AT+CCERTDOWN=\"server_ca.pem\",3", "abc").await;
    bench.ok("AT+CSSLCFG=\"sslversion\",0,4").await;
    bench.ok("AT+CSSLCFG=\"authmode\",0,1").await;
    bench.ok("AT+CSSLCFG=\"cacert\",0,\"server_ca.pem\"").await;
    start(&mut bench, "AT+CMQTTACCQ=0,\"client test0\",1").await;
    bench.ok("AT+CMQTTSSLCFG=0,0").await;
    will(&mut bench).await;
    bench.ok_then("AT+CMQTTCONNECT=0,\"tcp://hooleeping.com:8883\",60,1", "+CMQTTCONNECT: 0,0").await;
    stage_message(&mut bench, 0, "dddrrrggghhkk", SIXTY).await;
    bench.ok_then("AT+CMQTTPUB=0,1,60", "+CMQTTPUB: 0,0").await;
    stage(&mut bench, "AT+CMQTTSUBTOPIC=0,9,1", "123456789").await;
    bench.ok_then("AT+CMQTTSUB=0", "+CMQTTSUB: 0,0").await;
    subscribe(&mut bench, 0, "simcommsg", 1).await;
    unsubscribe_and_stop(&mut bench).await;
    assert!(has_will(&bench.broker));
    assert!(bench.broker.ledger().connects[0].tls);
}

#[tokio::test(start_paused = true)]
async fn without_checking_utf8() {
    let mut bench = quiet(|builder| builder).await;
    start(&mut bench, "AT+CMQTTACCQ=0,\"client test0\"").await;
    bench.ok("AT+CMQTTCFG=\"checkUTF8\",0,0").await;
    bench.ok_then("AT+CMQTTCONNECT=0,\"tcp://test.mosquitto.org:1883\",60,1", "+CMQTTCONNECT: 0,0").await;
    let topic = b"\x91\x92\x93\x94\x95\x96\x97\x98?";
    stage(&mut bench, "AT+CMQTTSUB=0,9,1", topic).await;
    bench.line("+CMQTTSUB: 0,0").await;
    stage(&mut bench, "AT+CMQTTTOPIC=0,9", topic).await;
    bench.ok_then("AT+CMQTTPUB=0,1,60", "+CMQTTPUB: 0,0").await;
    let mut message = b"\r\n+CMQTTRXSTART: 0,9,0\r\n+CMQTTRXTOPIC: 0,9\r\n".to_vec();
    message.extend_from_slice(topic);
    message.extend_from_slice(b"\r\n+CMQTTRXEND: 0\r\n");
    bench.host.hear(message).await;
    stop(&mut bench).await;
}
