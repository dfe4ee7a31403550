//! Connecting: what is checked before a byte is sent, and every turn that the flow takes.

use std::time::Duration;

use super::*;
use crate::connect::Will;
use crate::dialect::esp::script::Host;
use crate::error::{Fault, Outcome};
use crate::event::{ClientStatus, LossCause};
use crate::qos::QoS;
use crate::tls::Tls;

fn options() -> ConnectOptions {
    ConnectOptions::new("publisher", "192.168.3.102", 1883)
}

async fn connect_with(host: &Host, options: &ConnectOptions, script: &str) -> Result<()> {
    let session = &host.session;
    host.converse(script, async |port| {
        connect(&Connecting { port: &port, index: 0, options, progress: None }, session).await
    })
    .await
}

const CLEAN: &str = ">> AT+MQTTCONN?\n<< +MQTTCONN:0,0,0,\"\",\"\",\"\",0\n<< OK\n";
const NAMED: &str = ">> AT+MQTTUSERCFG=0,1,\"publisher\",\"\",\"\",0,0,\"\"\n<< OK\n";
const SETTINGS: &str = ">> AT+MQTTCONNCFG=0,120,0,\"\",\"\",0,0\n<< OK\n";
const CONNECTED: &str = ">> AT+MQTTCONN=0,\"192.168.3.102\",1883,0\n\
                         << +MQTTCONNECTED:0,1,\"192.168.3.102\",\"1883\",\"\",0\n<< OK\n";

#[test]
fn limits_are_checked_first() {
    check(&options().credentials("u".repeat(1024), "p".repeat(1024))).unwrap();
    check(&ConnectOptions::new("i".repeat(1024), "h".repeat(128), 65_535)).unwrap();
    for (options, words) in [
        (ConnectOptions::new("", "h", 1), "the client identifier is missing"),
        (
            ConnectOptions::new("i".repeat(1025), "h", 1),
            "the client identifier has 1025 bytes, more than the limit of 1024",
        ),
        (
            options().credentials("u".repeat(1025), ""),
            "the user name has 1025 bytes, more than the limit of 1024",
        ),
        (options().keep_alive(Duration::ZERO), "the keep-alive interval is 0, and must be 1 to 7200"),
        (ConnectOptions::new("id", "", 1), "the host is missing"),
        (options().require_tls(true), "TLS, which is required, is missing"),
    ] {
        let error = check(&options).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.fault()), (words, Fault::Caller));
    }
    let will = Will::new("t", "{\"a\":1}").unwrap();
    assert!(check(&options().will(will)).is_err());
}

#[test]
fn what_cannot_be_done_is_unsupported() {
    check(&options().tls(Tls::danger_without_verification()).require_tls(true)).unwrap();
    for options in [
        options().tls(Tls::with_ca("pem")),
        options().tls(Tls::danger_without_verification().client_certificate("pem", "key")),
        options().version(ProtocolVersion::V3_1),
        options().receive_mode(ReceiveMode::Pull),
    ] {
        assert!(matches!(check(&options), Err(Error::Unsupported { .. })), "{options:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_user_guides_session() {
    let options = options().credentials("espressif", "123456789");
    let host = Host::default();
    let script = format!(
        "{CLEAN}>> AT+MQTTUSERCFG=0,1,\"publisher\",\"espressif\",\"123456789\",0,0,\"\"\n<< OK\n{SETTINGS}{CONNECTED}"
    );
    connect_with(&host, &options, &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn everything_that_can_be_set() {
    let will = Will::new("lwtt", "lwtm").unwrap().qos(QoS::AtLeastOnce).retain(true);
    let options = ConnectOptions::new("publisher", "broker.example", 8883)
        .keep_alive(Duration::from_secs(60))
        .clean_session(false)
        .will(will)
        .tls(Tls::danger_without_verification());
    let script = format!(
        "{CLEAN}>> AT+MQTTUSERCFG=0,2,\"publisher\",\"\",\"\",0,0,\"\"\n<< OK\n\
         >> AT+MQTTCONNCFG=0,60,1,\"lwtt\",\"lwtm\",1,1\n<< OK\n\
         >> AT+MQTTSNI=0,\"broker.example\"\n<< ERROR\n\
         >> AT+MQTTCONN=0,\"broker.example\",8883,0\n\
         << +MQTTCONNECTED:0,2,\"broker.example\",\"8883\",\"\",0\n<< OK"
    );
    connect_with(&Host::default(), &options, &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_the_line_follows_a_prompt() {
    let user = "u".repeat(65);
    let options = ConnectOptions::new("a,b", "192.168.3.102", 1883).credentials(user.as_str(), "se\"cret");
    let script = format!(
        "{CLEAN}>> AT+MQTTUSERCFG=0,1,\"mqtt-at\",\"\",\"\",0,0,\"\"\n<< OK\n\
         >> AT+MQTTLONGCLIENTID=0,3\n<< OK\n<= \\r\\n>\n>= a,b\n<< OK\n\
         >> AT+MQTTLONGUSERNAME=0,65\n<< OK\n<= \\r\\n>\n>= {user}\n<< OK\n\
         >> AT+MQTTLONGPASSWORD=0,7\n<< OK\n<= \\r\\n>\n>= se\"cret\n<< OK\n\
         {SETTINGS}{CONNECTED}"
    );
    connect_with(&Host::default(), &options, &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_of_before_is_freed_first() {
    let script = format!(
        ">> AT+MQTTCONN?\n<< +MQTTCONN:0,3,1,\"h\",\"1883\",\"\",0\n<< OK\n\
         >> AT+MQTTCLEAN=0\n<< OK\n{NAMED}{SETTINGS}{CONNECTED}"
    );
    connect_with(&Host::default(), &options(), &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_fails_is_cleaned_up() {
    let clean = ">> AT+MQTTCONN?\n<< +MQTTCONN:0,2,1,\"\",\"\",\"\",0\n<< OK\n>> AT+MQTTCLEAN=0\n<< OK";
    let failed = ">> AT+MQTTCONN=0,\"192.168.3.102\",1883,0\n<< +MQTTDISCONNECTED:0\n<<\n<< ERROR\n";
    let script = format!("{CLEAN}{NAMED}{SETTINGS}{failed}{clean}");
    let error = connect_with(&Host::default(), &options(), &script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+MQTTCONN: the broker could not be reached, or refused the client");
    assert_eq!(error.outcome(), Outcome::Unknown);

    let script = format!("{CLEAN}{NAMED}>> AT+MQTTCONNCFG=0,120,0,\"\",\"\",0,0\n<< ERROR\n{clean}");
    assert!(connect_with(&Host::default(), &options(), &script).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_loss_right_behind_the_connection_is_one() {
    let host = Host::default();
    let link = host.links.begin(0, false);
    let script = format!("{CLEAN}{NAMED}{SETTINGS}{CONNECTED}<< +MQTTDISCONNECTED:0");
    let session = &host.session;
    let options = options();
    let mut status = link.status().subscribe();
    host.converse(&script, async |port| {
        connect(&Connecting { port: &port, index: 0, options: &options, progress: None }, session)
            .await
            .unwrap();
        status.wait_for(|status| *status == ClientStatus::Lost(LossCause::Unknown)).await.unwrap();
    })
    .await;
}
