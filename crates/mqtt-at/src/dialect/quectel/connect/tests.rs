//! How clients connect and leave, as conversations in wire order.

use std::time::Duration;

use super::*;
use crate::connect::ProtocolVersion;
use crate::dialect::ModemPort;
use crate::dialect::quectel::script::Host;
use crate::error::Fault;
use crate::event::ClientStatus;
use crate::qos::QoS;
use crate::sign_in::SignIn;
use crate::tls::Tls;

mod sign_in;
mod tls;

fn options() -> ConnectOptions {
    ConnectOptions::new("gateway-7", "broker.example.com", 1883)
}

/// The settings of a connection without will and TLS.
const SETTINGS: &str = r#"
    >> AT+QMTCFG="version",0,4
    << OK
    >> AT+QMTCFG="pdpcid",0,1
    << OK
    >> AT+QMTCFG="keepalive",0,120
    << OK
    >> AT+QMTCFG="session",0,1
    << OK
    >> AT+QMTCFG="timeout",0,5,3,1
    << OK
    >> AT+QMTCFG="recv/mode",0,0,1
    << OK
    >> AT+QMTCFG="dataformat",0,0,0
    << ERROR
    >> AT+QMTCFG="send/mode",0,0
    << ERROR
    >> AT+QMTCFG="view/mode",0,0
    << ERROR
    >> AT+QMTCFG="will",0,0
    << OK
    >> AT+QMTCFG="ssl",0,0,0
    << OK
"#;

const OPEN: &str = "\n>> AT+QMTOPEN=0,\"broker.example.com\",1883\n<< OK\n";

const SHUT: &str = "\n>> AT+QMTCLOSE=0\n<< OK\n<< +QMTCLOSE: 0,0\n";

const CLOSE: &str = r#"
    >> AT+QMTOPEN?
    << +QMTOPEN: 0,"broker.example.com",1883
    << OK
    >> AT+QMTCLOSE=0
    << OK
    << +QMTCLOSE: 0,0
"#;

async fn connect_with(host: &Host, options: ConnectOptions, script: &str) -> Result<()> {
    check(&options)?;
    host.links.begin(0, !options.clean_session);
    let flow = async |port: ModemPort| {
        let context = Connecting { port: &port, index: 0, options: &options, progress: None };
        connect(&context, &host.sessions).await
    };
    host.converse(script, flow).await
}

async fn connect_by(script: &str) -> Result<()> {
    connect_with(&Host::default(), options(), script).await
}

fn status(host: &Host) -> ClientStatus {
    host.links.current(0).unwrap().status().borrow().clone()
}

#[tokio::test(start_paused = true)]
async fn a_client_connects() {
    let script =
        format!("{SETTINGS}{OPEN}<< +QMTOPEN: 0,0\n>> AT+QMTCONN=0,\"gateway-7\"\n<< OK\n<< +QMTCONN: 0,0,0");
    connect_by(&script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_option_is_set() {
    let will = Will::new("state", "\"gone\"\r\n").unwrap().qos(QoS::AtLeastOnce).retain(true);
    let options = ConnectOptions::new("gateway-7", "broker.example.com", 65_535)
        .credentials("user", "hush")
        .keep_alive(Duration::from_secs(3600))
        .clean_session(false)
        .will(will)
        .version(ProtocolVersion::V3_1)
        .receive_mode(ReceiveMode::Pull)
        .packet_timeout(Duration::from_secs(60))
        .retries(10);
    let script = r#"
        >> AT+QMTCFG="version",0,3
        << OK
        >> AT+QMTCFG="pdpcid",0,1
        << OK
        >> AT+QMTCFG="keepalive",0,3600
        << OK
        >> AT+QMTCFG="session",0,0
        << OK
        >> AT+QMTCFG="timeout",0,60,10,1
        << OK
        >> AT+QMTCFG="recv/mode",0,1,1
        << OK
        >> AT+QMTCFG="dataformat",0,0,0
        << OK
        >> AT+QMTCFG="send/mode",0,0
        << OK
        >> AT+QMTCFG="view/mode",0,0
        << OK
        >> AT+QMTCFG="willex",0,1,1,1,"state",8
        <= \r\n>
        >= "gone"\r\n
        << OK
        >> AT+QMTCFG="ssl",0,0,0
        << OK
        >> AT+QMTOPEN=0,"broker.example.com",65535
        << OK
        << +QMTOPEN: 0,0
        >> AT+QMTCONN=0,"gateway-7","user","hush"
        << OK
        << +QMTCONN: 0,1,1
        << +QMTCONN: 0,0,0
    "#;
    let host = Host::default();
    connect_with(&host, options, script).await.unwrap();
    assert!(host.sessions.pulls(0), "messages have to be fetched");
}

#[tokio::test(start_paused = true)]
async fn a_will_is_quoted_where_the_firmware_knows_nothing_better() {
    let settings = SETTINGS.replace(
        ">> AT+QMTCFG=\"will\",0,0\n    << OK",
        ">> AT+QMTCFG=\"willex\",0,1,0,0,\"state\",4\n<< ERROR\n>> AT+QMTCFG=\"will\",0,1,0,0,\"state\",\"gone\"\n<< OK",
    );
    let script =
        format!("{settings}{OPEN}<< +QMTOPEN: 0,0\n>> AT+QMTCONN=0,\"gateway-7\"\n<< OK\n<< +QMTCONN: 0,0,0");
    let with_will = |payload: &'static str| options().will(Will::new("state", payload).unwrap());
    connect_with(&Host::default(), with_will("gone"), &script).await.unwrap();

    let end = SETTINGS.find(">> AT+QMTCFG=\"will\"").unwrap();
    let script = format!("{}>> AT+QMTCFG=\"willex\",0,1,0,0,\"state\",4\n<< ERROR", &SETTINGS[..end]);
    let error = connect_with(&Host::default(), with_will("\"no\""), &script).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");

    let settings = SETTINGS.replace("\"will\",0,0", "\"will\",0,1,0,0,\"state\",\"\"");
    let script =
        format!("{settings}{OPEN}<< +QMTOPEN: 0,0\n>> AT+QMTCONN=0,\"gateway-7\"\n<< OK\n<< +QMTCONN: 0,0,0");
    connect_with(&Host::default(), with_will(""), &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_in_use_is_closed_first() {
    let rest = ">> AT+QMTCONN=0,\"gateway-7\"\n<< OK\n<< +QMTCONN: 0,0,0";
    // Told by the result of opening, or by the refusal of the first setting.
    let script =
        format!("{SETTINGS}{OPEN}<< +QMTOPEN: 0,2\n{SHUT}{OPEN}<< +QMTSTAT: 0,8\n<< +QMTOPEN: 0,0\n{rest}");
    let host = Host::default();
    connect_with(&host, options(), &script).await.unwrap();
    assert_eq!(
        status(&host),
        ClientStatus::Connecting,
        "what was reported was about the other host's connection"
    );
    let script =
        format!(">> AT+QMTCFG=\"version\",0,4\n<< ERROR\n{SHUT}{SETTINGS}{OPEN}<< +QMTOPEN: 0,0\n{rest}");
    connect_by(&script).await.unwrap();
    let script = format!("{SETTINGS}{OPEN}<< +QMTOPEN: 0,2\n{SHUT}{OPEN}<< +QMTOPEN: 0,2\n{CLOSE}");
    assert_eq!(
        connect_by(&script).await.unwrap_err().to_string(),
        "AT+QMTOPEN: the client is in use (code 2)"
    );
}

#[tokio::test(start_paused = true)]
async fn why_the_network_connection_could_not_be_opened() {
    let none = ">> AT+QMTOPEN?\n<< OK\n";
    let after_ok = |code: i64| format!("{SETTINGS}{OPEN}<< +QMTOPEN: 0,{code}\n{none}");
    for (code, words, fault) in [
        (-1, "AT+QMTOPEN: the network connection could not be opened (code -1)", Fault::Module),
        (1, "AT+QMTOPEN: wrong parameter (code 1)", Fault::Module),
        (3, "the data connection was refused: the data connection could not be activated", Fault::Network),
        (4, "AT+QMTOPEN: the host name could not be resolved (code 4)", Fault::Module),
        (5, "AT+QMTOPEN: the broker could not be reached (code 5)", Fault::Module),
    ] {
        let error = connect_by(&after_ok(code)).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.fault()), (words, fault));
        assert!(error.remedy().is_some(), "{code}");
    }
    // BG95 says the reason first, and then ERROR; it may take as long as the network does.
    let before_error =
        after_ok(-1).replace("1883\n<< OK\n<< +QMTOPEN: 0,-1", "1883\n<< +QMTOPEN: 0,-1\n<< ERROR");
    let late = before_error.replace("<< +QMTOPEN: 0,-1", "-- 55\n<< +QMTOPEN: 0,-1");
    for script in [before_error, late] {
        let error = connect_by(&script).await.unwrap_err();
        assert!(error.to_string().ends_with("(code -1)"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_takes_too_long_is_given_up() {
    let script = format!("{SETTINGS}{OPEN}{SHUT}");
    let options = options().connect_timeout(Duration::from_secs(7));
    let error = connect_with(&Host::default(), options, &script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+QMTOPEN: no deferred result from the module within 7 s");
}

#[tokio::test(start_paused = true)]
async fn an_echo_of_the_configuration_is_no_result() {
    let script = format!(
        "{SETTINGS}>> AT+QMTOPEN=0,\"broker.example.com\",1883\n<< +QMTOPEN: 0,\"broker.example.com\",1883\n<< OK\n\
         << +QMTOPEN: 0,0\n>> AT+QMTCONN=0,\"gateway-7\"\n<< OK\n<< +QMTCONN: 0,0,0"
    );
    connect_by(&script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn why_the_broker_did_not_accept() {
    let head = format!("{SETTINGS}{OPEN}<< +QMTOPEN: 0,0\n>> AT+QMTCONN=0,\"gateway-7\"\n<< OK\n");
    let closed = ">> AT+QMTOPEN?\n<< OK\n";
    for (code, words) in [
        (1, "the broker refused: unacceptable protocol version (code 1)"),
        (2, "the broker refused: client identifier rejected (code 2)"),
        (3, "the broker refused: server unavailable (code 3)"),
        (4, "the broker refused: bad user name or password (code 4)"),
        (5, "the broker refused: not authorized (code 5)"),
    ] {
        let script = format!("{head}<< +QMTCONN: 0,0,{code}\n<< +QMTSTAT: 0,4\n{closed}");
        let error = connect_by(&script).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.fault()), (words, Fault::Broker));
    }
    let error = connect_by(&format!("{head}<< +QMTCONN: 0,2\n{CLOSE}")).await.unwrap_err();
    assert!(error.to_string().ends_with("(code 2)"), "{error}");
    // A reason counts, whatever stands in front of it.
    let error = connect_by(&format!("{head}<< +QMTCONN: 0,2,4\n{CLOSE}")).await.unwrap_err();
    assert_eq!(error.to_string(), "the broker refused: bad user name or password (code 4)");
    // Older firmware only says that the connection is gone.
    let error = connect_by(&format!("{head}<< +QMTSTAT: 0,1\n{closed}")).await.unwrap_err();
    assert!(matches!(
        error,
        Error::ConnectionLost { cause: LossCause::ClosedByPeer, outcome: Outcome::NotSent }
    ));
    // One firmware closes at once, and then refuses.
    let script = format!(
        "{SETTINGS}{OPEN}<< +QMTOPEN: 0,0\n<< +QMTSTAT: 0,1\n>> AT+QMTCONN=0,\"gateway-7\"\n<< ERROR\n{closed}"
    );
    let host = Host::default();
    let error = connect_with(&host, options(), &script).await.unwrap_err();
    assert!(error.to_string().ends_with("because the connection has ended already"), "{error}");
    assert!(error.remedy().is_some());
    assert_eq!(status(&host), ClientStatus::Lost(LossCause::ClosedByPeer));
}

#[tokio::test(start_paused = true)]
async fn a_late_report_about_a_former_connection_does_no_harm() {
    let script = format!(
        "<< +QMTSTAT: 0,5\n{SETTINGS}{OPEN}<< +QMTSTAT: 0,1\n<< +QMTOPEN: 0,0\n>> AT+QMTCONN=0,\"gateway-7\"\n<< OK\n\
         << +QMTCONN: 0,0,0"
    );
    let host = Host::default();
    host.sessions.set_open(0, true);
    connect_with(&host, options(), &script).await.unwrap();
    assert_eq!(status(&host), ClientStatus::Connecting, "the caller says when it is connected");
}

#[test]
fn what_is_out_of_range_is_found_before_anything_is_sent() {
    let refusal = |options: ConnectOptions| check(&options).unwrap_err().to_string();
    let to = |host: &str, port| ConnectOptions::new("c", host, port);
    let will = |topic: usize, payload: usize| {
        to("h", 1).will(Will::new("t".repeat(topic), vec![b'x'; payload]).unwrap())
    };
    assert!(check(&options().client_index(5)).is_ok());
    assert!(check(&to(&"h".repeat(100), 1)).is_ok() && check(&will(256, 256)).is_ok());
    for (words, expected) in [
        (refusal(to("", 1)), "the host is missing"),
        (refusal(to(&"h".repeat(101), 1)), "the host has 101 bytes, more than the limit of 100"),
        (refusal(to("h", 0)), "the port is 0, and must be 1 to 65535"),
        (
            refusal(ConnectOptions::new("c".repeat(257), "h", 1)),
            "the client identifier has 257 bytes, more than the limit of 256",
        ),
        (
            refusal(options().credentials("u".repeat(513), "p")),
            "the user name has 513 bytes, more than the limit of 512",
        ),
        (
            refusal(options().credentials("u", "p".repeat(513))),
            "the password has 513 bytes, more than the limit of 512",
        ),
        (
            refusal(options().keep_alive(Duration::from_secs(3601))),
            "the keep-alive interval is 3601, and must be 0 to 3600",
        ),
        (
            refusal(options().keep_alive(Duration::from_millis(1500))),
            "the keep-alive interval must be whole seconds",
        ),
        (refusal(options().packet_timeout(Duration::ZERO)), "the packet timeout is 0, and must be 1 to 60"),
        (
            refusal(options().packet_timeout(Duration::from_secs(61))),
            "the packet timeout is 61, and must be 1 to 60",
        ),
        (refusal(options().retries(11)), "the number of retries is 11, and must be 0 to 10"),
        (refusal(options().client_index(6)), "the client index is 6, and must be 0 to 5"),
        (refusal(will(257, 1)), "the topic of the will has 257 bytes, more than the limit of 256"),
        (refusal(will(1, 257)), "the length of the will's message is 257, and must be 0 to 256"),
        (refusal(options().require_tls(true)), "TLS is missing"),
        (
            refusal(options().tls(Tls::with_ca("no pem"))),
            "the CA certificate is not in PEM form: no -----BEGIN CERTIFICATE-----",
        ),
    ] {
        assert_eq!(words, expected);
    }
    let injected = check(&ConnectOptions::new("c\",\"u\",\"p", "h", 1)).unwrap_err();
    assert_eq!(injected.fault(), Fault::Caller);
}
