//! Connecting: what is checked before a byte is sent, and every turn that the flow takes.

use std::time::Duration;

use super::*;
use crate::dialect::neoway::script::Host;
use crate::error::{Fault, Outcome};
use crate::event::{ClientStatus, LossCause};
use crate::qos::QoS;
use crate::sign_in::SignIn;
use crate::tls::Tls;

fn options() -> ConnectOptions {
    ConnectOptions::new("owen", "121.43.166.63", 1883)
        .keep_alive(Duration::from_secs(60))
        .clean_session(false)
}

async fn connect_with(host: &Host, options: &ConnectOptions, script: &str) -> Result<()> {
    let session = &host.session;
    host.converse(script, async |port| {
        connect(&Connecting { port: &port, index: 0, options, progress: None }, session).await
    })
    .await
}

const READY: &str = "
    >> AT+XIIC?
    << +XIIC:    1,100.79.207.128\\r\\nOK
    >> AT+MQTTSTATE?
    << +MQTTSTATE: 0
    << OK
";

const NO_WILL: &str = "
    >> AT+MQTTWILLPARAM?
    << +MQTTWILLPARAM: 0,0,\"\",\"\"
    << OK
";

#[test]
fn n_limits() {
    let refused = |options: ConnectOptions| check(&options).unwrap_err();
    check(&options().credentials("u".repeat(512), "p".repeat(256))).unwrap();
    check(&ConnectOptions::new("i".repeat(256), "h".repeat(253), 65_535)).unwrap();
    for (options, words) in [
        (
            ConnectOptions::new("i".repeat(257), "h", 1),
            "the client identifier has 257 bytes, more than the limit of 256",
        ),
        (
            options().credentials("u".repeat(513), ""),
            "the user name has 513 bytes, more than the limit of 512",
        ),
        (
            options().credentials("", "p".repeat(257)),
            "the password has 257 bytes, more than the limit of 256",
        ),
        (
            options().keep_alive(Duration::from_secs(19)),
            "the keep-alive interval is 19, and must be 20 to 180",
        ),
        (
            options().keep_alive(Duration::from_secs(181)),
            "the keep-alive interval is 181, and must be 20 to 180",
        ),
        (options().keep_alive(Duration::ZERO), "the keep-alive interval is 0, and must be 20 to 180"),
        (ConnectOptions::new("", "h", 1), "the client identifier is missing"),
        (ConnectOptions::new("id", "", 1), "the host is missing"),
        (ConnectOptions::new("id", "h", 0), "the port is 0, and must be 1 to 65535"),
    ] {
        let error = refused(options);
        assert_eq!((error.to_string().as_str(), error.fault()), (words, Fault::Caller));
    }
    for identifier in ["a\"b", "a\\b", "\u{e9}", "a\nb"] {
        assert!(check(&ConnectOptions::new(identifier, "h", 1)).is_err(), "{identifier:?}");
    }
}

#[test]
fn wills_are_checked() {
    let with_will = |topic: &str, message: &str, qos| {
        check(&options().will(Will::new(topic, message.to_owned()).unwrap().qos(qos)))
    };
    with_will(&"t".repeat(128), &"m".repeat(1024), QoS::AtLeastOnce).unwrap();
    assert!(with_will(&"t".repeat(129), "m", QoS::AtMostOnce).is_err());
    assert!(with_will("t", &"m".repeat(1025), QoS::AtMostOnce).is_err());
    assert!(with_will("t", "{\"a\":1}", QoS::AtMostOnce).is_err());
    let error = with_will("t", "m", QoS::ExactlyOnce).unwrap_err();
    assert_eq!(error.to_string(), "QoS of the will is 2, and must be 0 to 1");
}

#[test]
fn what_the_module_cannot_do_is_said_before_anything_is_sent() {
    for (options, what) in [
        (options().tls(Tls::with_ca("pem")), "TLS"),
        (options().require_tls(true), "TLS"),
        (options().version(ProtocolVersion::V3_1), "the choice of the version of MQTT"),
        (options().receive_mode(ReceiveMode::Pull), "fetching messages"),
        (options().sign_in(SignIn::alibaba("key", "device", "hush")), "signing in to Alibaba Cloud"),
    ] {
        let error = check(&options).unwrap_err();
        let words = format!("{what} is not possible with this Neoway module: ");
        assert!(error.to_string().starts_with(&words), "{error}");
        assert_eq!((error.fault(), error.outcome()), (Fault::Module, Outcome::NotSent));
    }
}

#[tokio::test(start_paused = true)]
async fn the_session_of_the_manual() {
    let host = Host::default();
    let link = host.links.begin(0, false);
    let script = format!(
        "{READY}
        >> AT+MQTTCONNPARAM=\"owen\",\"admin\",\"public\"
        << OK
        >> AT+MQTTWILLPARAM=0,1,\"lixystopic\",\"byby\"
        << OK
        >> AT+MQTTCONN=\"121.43.166.63:1883\",0,60
        << OK
        << +MQTTDISCONNED: Link Closed"
    );
    let will = Will::new("lixystopic", "byby").unwrap().qos(QoS::AtLeastOnce);
    let options = options().credentials("admin", "public").will(will);
    let session = &host.session;
    let mut status = link.status().subscribe();
    host.converse(&script, async |port| {
        connect(&Connecting { port: &port, index: 0, options: &options, progress: None }, session)
            .await
            .unwrap();
        // A loss right behind the `OK` is one of this connection.
        status.wait_for(|status| *status == ClientStatus::Lost(LossCause::ClosedByPeer)).await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_empty_is_tried_as_a_space() {
    let script = format!(
        "{READY}
        >> AT+MQTTCONNPARAM=\"owen\",\"\",\"\"
        << ERROR
        >> AT+MQTTCONNPARAM=\"owen\",\" \",\" \"
        << OK
        {NO_WILL}
        >> AT+MQTTCONN=\"121.43.166.63:1883\",0,60
        << OK"
    );
    connect_with(&Host::default(), &options(), &script).await.unwrap();
    let script = format!("{READY}\n>> AT+MQTTCONNPARAM=\"owen\",\"u\",\"p\"\n<< ERROR");
    let error = connect_with(&Host::default(), &options().credentials("u", "p"), &script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+MQTTCONNPARAM: the module refused the command without a reason");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_somebody_left_is_closed_first() {
    for state in ["1", "3"] {
        let script = format!(
            ">> AT+XIIC?
            << +XIIC: 1,10.0.0.1\\r\\nOK
            >> AT+MQTTSTATE?
            << +MQTTSTATE:{state}\\r\\nOK
            >> AT+MQTTSTATE?
            << +MQTTSTATE:{state}\\r\\nOK
            >> AT+MQTTDISCONN
            << +MQTTDISCONNED: Link Closed
            << OK
            >> AT+MQTTCONNPARAM=\"owen\",\"\",\"\"
            << OK
            {NO_WILL}
            >> AT+MQTTCONN=\"121.43.166.63:1883\",0,60
            << OK"
        );
        connect_with(&Host::default(), &options(), &script).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_will_of_a_former_connection_is_taken_back() {
    for answer in ["OK", "ERROR"] {
        let script = format!(
            "{READY}
            >> AT+MQTTCONNPARAM=\"owen\",\"\",\"\"
            << OK
            >> AT+MQTTWILLPARAM?
            << +MQTTWILLPARAM:0,1,\"lixystopic\",\"byby\"\\r\\nOK
            >> AT+MQTTWILLPARAM=0,0,\"\",\"\"
            << {answer}
            >> AT+MQTTCONN=\"121.43.166.63:1883\",0,60
            << OK"
        );
        connect_with(&Host::default(), &options(), &script).await.unwrap();
    }
}

const CONNECTING: &str = "
    >> AT+MQTTCONNPARAM=\"owen\",\"\",\"\"
    << OK
    >> AT+MQTTWILLPARAM?
    << ERROR
    >> AT+MQTTCONN=\"121.43.166.63:1883\",0,60
";

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_what_it_can() {
    let script = format!(
        "{READY}{CONNECTING}
        << ERROR
        >> AT+XIIC?
        << +XIIC: 1,10.0.0.1\\r\\nOK
        >> AT+MQTTSTATE?
        << +MQTTSTATE: 0\\r\\nOK"
    );
    let error = connect_with(&Host::default(), &options(), &script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+MQTTCONN: the broker could not be reached, or refused the client");
    assert!(error.remedy().unwrap().contains("user name and password"));

    let script = format!(
        "{READY}{CONNECTING}
        << ERROR
        >> AT+XIIC?
        << +XIIC: 0,0.0.0.0\\r\\nOK
        >> AT+MQTTSTATE?
        << +MQTTSTATE: 0\\r\\nOK"
    );
    let error = connect_with(&Host::default(), &options(), &script).await.unwrap_err();
    assert!(matches!(error, Error::Network(NetworkError::Pdp { .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_module_that_does_not_answer_is_waited_for_as_long_as_it_may_take() {
    let script = format!(
        "{READY}{CONNECTING}
        >> AT+CMEE?
        << +CMEE: 0
        << OK
        >> AT+MQTTSTATE?
        << +MQTTSTATE: 0\\r\\nOK"
    );
    let start = tokio::time::Instant::now();
    let options = options().connect_timeout(Duration::from_secs(1));
    let error = connect_with(&Host::default(), &options, &script).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(start.elapsed() >= Duration::from_secs(90), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_data_connection_that_is_gone_is_made_anew() {
    let script = format!(
        ">> AT+XIIC?
        << +XIIC:    0,0.0.0.0\\r\\nOK
        >> AT+XIIC=1
        << OK
        >> AT+XIIC?
        << +XIIC:    0,0.0.0.0\\r\\nOK
        >> AT+XIIC?
        << +XIIC:    1,10.0.0.1\\r\\nOK
        >> AT+MQTTSTATE?
        << +MQTTSTATE: 0\\r\\nOK
        {CONNECTING}
        << OK"
    );
    connect_with(&Host::default(), &options(), &script).await.unwrap();
}
