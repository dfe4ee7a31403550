//! Connecting: what is checked before a byte is sent, and every turn that the flow takes.

use std::time::Duration;

use super::*;
use crate::dialect::fibocom::script::Host;
use crate::error::Fault;
use crate::event::ClientStatus;
use crate::options::Pdp;
use crate::qos::QoS;
use crate::tls::Tls;

fn options() -> ConnectOptions {
    ConnectOptions::new("ClientIDStr", "MQTT BrokerServer", 1883)
        .credentials("username", "passwd")
        .clean_session(false)
        .keep_alive(Duration::from_secs(80))
}

async fn connect_with(host: &Host, options: &ConnectOptions, script: &str) -> Result<()> {
    let sessions = &host.sessions;
    host.converse(script, async |port| {
        connect(&Connecting { port: &port, index: 1, options, progress: None }, sessions).await
    })
    .await
}

async fn connect_by(script: &str) -> Result<()> {
    connect_with(&Host::default(), &options(), script).await
}

/// All that precedes the connection.
const SETTINGS: &str = "
    >> ATE0
    << OK
    >> AT+MQTTCONF=1
    << OK
    >> AT+MQTTWILL?
    << OK
    >> AT+MQTTUSER=1,\"username\",\"passwd\",\"ClientIDStr\"
    << OK
    >> AT+MQTTREAD=1
    << +MQTTREAD: 1,0,0,0
    << OK
";

const ECHO_OFF: &str = "
    >> ATE0
    << OK
";

const OPEN: &str = "
    >> AT+MQTTOPEN=1,\"MQTT BrokerServer\",1883,0,80
";

const OPENED: &str = "
    >> AT+MQTTOPEN=1,\"MQTT BrokerServer\",1883,0,80
    << OK
    << +MQTTOPEN: 1,1
";

const FREE: &str = "
    >> AT+MQTTOPEN?
    << +MQTTOPEN: 1,2
    << OK
";

const IN_USE: &str = "
    >> AT+MQTTOPEN?
    << +MQTTOPEN: 2
    << OK
";

const DIALLED: &str = "
    >> AT+MIPCALL?
    << +MIPCALL: 1,10.2.83.148
    << OK
";

#[test]
fn f_limits_connect() {
    check(&options()).unwrap();
    let longest = ConnectOptions::new("i".repeat(23), "h".repeat(255), 65_535);
    check(&longest.credentials("u".repeat(128), "p".repeat(128)).keep_alive(Duration::from_secs(300)))
        .unwrap();
    let will = |payload: &str| options().will(Will::new("t", payload.to_owned()).unwrap());
    check(&will(&"w".repeat(1024))).unwrap();
    check(&ConnectOptions::new("", "h", 1)).unwrap();
    for (options, words) in [
        (
            ConnectOptions::new("i".repeat(24), "h", 1),
            "the client identifier has 24 bytes, more than the limit of 23",
        ),
        (ConnectOptions::new("i", "h".repeat(256), 1), "the host has 256 bytes, more than the limit of 255"),
        (ConnectOptions::new("i", "", 1), "the host is missing"),
        (ConnectOptions::new("i", "h", 0), "the port is 0, and must be 1 to 65535"),
        (
            options().credentials("u".repeat(129), ""),
            "the user name has 129 bytes, more than the limit of 128",
        ),
        (
            options().credentials("", "p".repeat(129)),
            "the password has 129 bytes, more than the limit of 128",
        ),
        (options().keep_alive(Duration::ZERO), "the keep-alive is 0, and must be 1 to 300"),
        (options().keep_alive(Duration::from_secs(301)), "the keep-alive is 301, and must be 1 to 300"),
        (will(&"w".repeat(1025)), "the message of the will has 1025 bytes, more than the limit of 1024"),
        (
            will("\""),
            "the message of the will holds byte 0x22 at position 0, which a command line cannot carry there",
        ),
    ] {
        let error = check(&options).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.outcome()), (words, Outcome::NotSent));
        assert_eq!(error.fault(), Fault::Caller);
    }
}

#[test]
fn what_the_module_cannot_do_is_said_at_once() {
    for options in [
        options().tls(Tls::danger_without_verification()),
        options().require_tls(true),
        options().version(ProtocolVersion::V3_1),
    ] {
        assert!(matches!(check(&options), Err(Error::Unsupported { vendor: Vendor::Fibocom, .. })));
    }
    check(&options().receive_mode(crate::connect::ReceiveMode::Pull)).unwrap();
}

/// The manual's example [Fibocom MQTT 1.2.6 §3.1], with what precedes it here.
#[tokio::test(start_paused = true)]
async fn f_example_3_1() {
    let host = Host::default();
    connect_with(&host, &options(), &format!("{SETTINGS}{OPENED}")).await.unwrap();
    assert_eq!((host.sessions.state(1), host.sessions.counted()), (State::Open, true));
}

#[tokio::test(start_paused = true)]
async fn everything_else_that_can_be_set() {
    let will = Will::new("topic1", "Tell you, I'm dead.").unwrap().qos(QoS::AtLeastOnce).retain(true);
    let options = ConnectOptions::new("", "h", 1).will(will);
    let script = r#"
        >> ATE0
        << OK
        >> AT+MQTTCONF=1
        << OK
        >> AT+MQTTWILL=1,"topic1",1,1,"Tell you, I'm dead."
        << OK
        >> AT+MQTTUSER=1,"",""
        << OK
        >> AT+MQTTREAD=1
        << ERROR
        >> AT+MQTTOPEN=1,"h",1,1,120
        << OK
        << +MQTTOPEN: 1,1
    "#;
    connect_with(&Host::default(), &options, script).await.unwrap();
}

/// A kept session gets what its former connection left in the module.
#[tokio::test(start_paused = true)]
async fn what_waits_in_the_module_is_taken_out_first() {
    for keeps_session in [false, true] {
        let host = Host::default();
        host.links.begin(1, keeps_session);
        let script = r#"
            >> ATE0
            << OK
            >> AT+MQTTCONF=1
            << OK
            >> AT+MQTTWILL?
            << OK
            >> AT+MQTTUSER=1,"username","passwd","ClientIDStr"
            << OK
            >> AT+MQTTREAD=1
            << +MQTTREAD: 1,1,1,3,"t","old"
            << OK
            >> AT+MQTTREAD=1
            << +MQTTREAD: 1,0,0,0
            << OK
            >> AT+MQTTOPEN=1,"MQTT BrokerServer",1883,0,80
            << OK
            << +MQTTOPEN: 1,1
        "#;
        let sessions = &host.sessions;
        let options = options();
        let delivered = host.converse(script, async |port| {
            let mut messages = port.receiver(at_port::Channel::Client(1));
            let context = Connecting { port: &port, index: 1, options: &options, progress: None };
            connect(&context, sessions).await.unwrap();
            messages.try_recv().is_ok()
        });
        assert_eq!(delivered.await, keeps_session);
    }
}

#[tokio::test(start_paused = true)]
async fn firmware_that_cannot_count_can_still_connect() {
    let host = Host::default();
    let script = r#"
        >> ATE0
        << OK
        >> AT+MQTTCONF=1
        << ERROR
        >> AT+MQTTWILL?
        << +MQTTWILL: 1,"t",0,0,"of a former connection"
        << OK
        >> AT+MQTTUSER=1,"username","passwd","ClientIDStr"
        << OK
    "#;
    connect_with(&host, &options(), &format!("{script}{OPENED}")).await.unwrap();
    assert_eq!((host.sessions.state(1), host.sessions.counted()), (State::Open, false));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_in_use_is_closed_first() {
    let script = r#"
        >> ATE0
        << OK
        >> AT+MQTTCONF=1
        << OK
        >> AT+MQTTWILL?
        << ERROR
        >> AT+MQTTUSER=1,"username","passwd","ClientIDStr"
        << ERROR
        >> AT+MQTTCLOSE=1
        << OK
        << +MQTTCLOSE: 1,1
        >> AT+MQTTWILL?
        << OK
        >> AT+MQTTUSER=1,"username","passwd","ClientIDStr"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK
    "#;
    connect_by(&format!("{script}{OPENED}")).await.unwrap();
    let close = ">> AT+MQTTCLOSE=1\n<< OK\n<< +MQTTCLOSE: 1,1\n";
    connect_by(&format!("{SETTINGS}{OPEN}<< ERROR\n{IN_USE}{close}{OPENED}")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn f_status_of_a_connection_that_failed() {
    let failed = "<< OK\n<< +MQTTOPEN: 1,0\n";
    let error = connect_by(&format!("{SETTINGS}{OPEN}{failed}{DIALLED}{FREE}")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "AT+MQTTOPEN: the client was not connected, and the module gives no reason (code 0)"
    );
    assert!(error.remedy().is_some());
    let hung_up = ">> AT+MIPCALL?\n<< +MIPCALL: 0\n<< OK\n";
    let error = connect_by(&format!("{SETTINGS}{OPEN}{failed}{hung_up}{FREE}")).await.unwrap_err();
    assert_eq!(error.to_string(), "the data connection was refused: there is no data connection");
    assert_eq!(error.fault(), Fault::Network);
}

#[tokio::test(start_paused = true)]
async fn f_err_700_to_704_are_the_broker_s() {
    for (answer, code) in [
        ("<< ERROR: 700", 1),
        ("<< ERROR: 701", 2),
        ("<< ERROR: 702", 3),
        ("<< ERROR: 703", 4),
        ("<< ERROR: 704", 5),
        ("<< +CME ERROR: 703", 4),
        // In the place of the result.
        ("<< OK\n<< ERROR: 703", 4),
        ("<< OK\n<< ERROR: 704", 5),
        ("<< OK\n<< +CME ERROR: 703", 4),
    ] {
        let error = connect_by(&format!("{SETTINGS}{OPEN}{answer}\n{FREE}")).await.unwrap_err();
        let Error::Broker(error) = error else { panic!("{answer}: {error}") };
        assert_eq!(error.code, code, "{answer}");
    }
}

/// The other client is about to publish when the reason comes: its payload has to follow the prompt all the same, or the
/// module would take the next command for it.
#[tokio::test(start_paused = true)]
async fn the_reason_of_a_refusal_is_not_that_of_another_client_s_command() {
    let host = Host::default();
    let script = format!(
        "{SETTINGS}{OPEN}<< OK
        >> AT+MQTTPUB=2,\"t\",1,0,5
        << ERROR: 703
        <= \\r\\n>\\r\\n
        >= hello
        << OK
        << +MQTTPUB: 2,1
        {FREE}"
    );
    let (options, sessions) = (options(), &host.sessions);
    host.converse(&script, async |port| {
        let context = Connecting { port: &port, index: 1, options: &options, progress: None };
        let publish = async {
            // Time goes on when nothing but the result is waited for.
            tokio::time::sleep(Duration::from_secs(1)).await;
            let command = super::super::MqttPub::new(2, "t", "hello").qos(QoS::AtLeastOnce);
            ask(&port, Lane::client(2), command).await
        };
        let (connected, published) = tokio::join!(connect(&context, sessions), publish);
        assert!(matches!(connected, Err(Error::Broker(error)) if error.code == 4));
        assert_eq!(published.unwrap(), Status::Success);
    })
    .await;
}

/// The answer that lists free clients has the name of the result.
#[tokio::test(start_paused = true)]
async fn a_list_of_clients_is_no_result() {
    let script = format!("{SETTINGS}{OPEN}<< OK\n<< +MQTTOPEN: 1,2\n<< +MQTTOPEN: 1,1");
    connect_by(&script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn refusals_without_a_reason() {
    for answer in ["<< ERROR", "<< +CME ERROR: 4", "<< ERROR: 9"] {
        let error = connect_by(&format!("{SETTINGS}{OPEN}{answer}\n{FREE}{FREE}")).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Module, "{error}");
    }
    let error = connect_by(&format!("{SETTINGS}{OPEN}<< OK\n<< ERROR: 9\n{FREE}")).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { cause: LossCause::Unknown, .. }), "{error}");
}

/// The module may be at it still, so it is told to stop without being asked.
#[tokio::test(start_paused = true)]
async fn a_connection_without_a_result_is_given_up() {
    let host = Host::default();
    let close = ">> AT+MQTTCLOSE=1\n<< OK\n<< +MQTTCLOSE: 1,1\n";
    let script = format!("{SETTINGS}{OPEN}<< OK\n{close}");
    let error = connect_with(&host, &options(), &script).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(host.sessions.state(1), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_data_connection_that_is_gone_is_made_again() {
    let host = Host::default();
    host.sessions.set_pdp(Pdp { apn: Some("wsim".to_owned()), credentials: None });
    let settings = SETTINGS.replace(ECHO_OFF, "\n");
    let dialled = format!("{ECHO_OFF}{DIALLED}{settings}{OPENED}");
    connect_with(&host, &options(), &dialled).await.unwrap();
    let dial = r#"
        >> AT+MIPCALL?
        << +MIPCALL: 0
        << OK
        >> AT+CGDCONT=1,"IP","wsim"
        << OK
        >> AT+MIPCALL=1,"wsim"
        << OK
    "#;
    let script = format!("{ECHO_OFF}{dial}{DIALLED}{settings}{OPENED}");
    connect_with(&host, &options(), &script).await.unwrap();
    let unknown = ">> AT+MIPCALL?\n<< ERROR\n";
    connect_with(&host, &options(), &format!("{ECHO_OFF}{unknown}{settings}{OPENED}")).await.unwrap();
}

/// Reports of a former connection do not end the one that is being made; those of this one do, from its first moment.
#[tokio::test(start_paused = true)]
async fn reports_are_taken_for_the_right_connection() {
    let host = Host::default();
    let link = host.links.begin(1, true);
    let late = "<< +MQTTBREAK: 1,1\n<< +MQTTCLOSE: 1,1\n";
    let script = format!("{late}{SETTINGS}{OPEN}{late}<< OK\n{late}<< +MQTTOPEN: 1,1");
    connect_with(&host, &options(), &script).await.unwrap();
    assert_eq!(link.status().borrow().clone(), ClientStatus::Connecting);

    let script =
        format!("{SETTINGS}{OPEN}<= \\r\\nOK\\r\\n\\r\\n+MQTTOPEN: 1,1\\r\\n\\r\\n+MQTTBREAK: 1,2\\r\\n");
    connect_with(&host, &options(), &script).await.unwrap();
    assert_eq!(link.status().borrow().clone(), ClientStatus::Lost(LossCause::NetworkDown));
}
