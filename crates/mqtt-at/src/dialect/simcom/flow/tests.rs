//! Cleaning up, the data connection, the service, and taking leave, as conversations.

use at_port::{LinkState, PortError};

use super::*;
use crate::connect::ConnectOptions;
use crate::dialect::simcom::script::Host;

async fn prepared(script: &str) -> Result<()> {
    let host = Host::default();
    host.service.set_running(true);
    let outcome = host.converse(script, async |port| close_former(&port, &host.service).await).await;
    assert!(outcome.is_err() || !host.service.is_running() || !script.contains("STOP"));
    outcome
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_started_has_nothing_to_clean_up() {
    prepared(">> AT+CMQTTDISC?\n<< ERROR").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_former_host_left_is_disconnected_released_and_stopped() {
    let script = r#"
        >> AT+CMQTTDISC?
        << +CMQTTDISC: 0,1
        << +CMQTTDISC: 1,0
        << OK
        >> AT+CMQTTDISC=1,60
        << OK
        << +CMQTTDISC: 1,0
        >> AT+CMQTTREL=0
        << +CMQTTREL: 0,20
        << ERROR
        >> AT+CMQTTREL=1
        << OK
        >> AT+CMQTTSTOP
        << OK
        << +CMQTTSTOP: 0
    "#;
    prepared(script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_cleaned_up_is_left() {
    let script = r#"
        >> AT+CMQTTDISC?
        << +CMQTTDISC: what?
        << OK
        >> AT+CMQTTREL=0
        << ERROR
        >> AT+CMQTTDISC=0,60
        << OK
        << +CMQTTDISC: 0,35
        >> AT+CMQTTREL=0
        << ERROR
        >> AT+CMQTTREL=1
        << +CMQTTREL: 1,14
        << ERROR
        >> AT+CMQTTDISC=1,60
        << OK
        >> AT+CMQTTREL=1
        << OK
        >> AT+CMQTTSTOP
        << OK
        << +CMQTTSTOP: 21
    "#;
    prepared(script).await.unwrap();
}

/// A forged result in a message for a client of a former host is no result.
#[tokio::test(start_paused = true)]
async fn messages_of_a_former_host_do_no_harm() {
    let script = r#"
        >> AT+CMQTTDISC?
        <= \r\n+CMQTTRXSTART: 0,1,9\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n
        <= +CMQTTRXPAYLOAD: 0,9\r\n\r\nERROR\r\n\r\n+CMQTTRXEND: 0\r\n
        << +CMQTTDISC: 0,1
        << +CMQTTDISC: 1,1
        << OK
        >> AT+CMQTTREL=0
        << OK
        >> AT+CMQTTREL=1
        << OK
        >> AT+CMQTTSTOP
        << +CMQTTSTOP: 0
        << OK
    "#;
    prepared(script).await.unwrap();
}

async fn activated(options: ModemOptions, script: &str) -> Result<()> {
    let flow = async |port: ModemPort| {
        port.link().wait_for(|link| *link == LinkState::Synced).await.unwrap();
        activate(&port, &options).await
    };
    Host::default().converse(script, flow).await
}

#[tokio::test(start_paused = true)]
async fn s_net_a_context_with_an_address_is_used_as_it_is() {
    let script = ">> AT+CGPADDR\n<< +CGPADDR: 1,10.49.14.68\n<< +CGPADDR: 4,0.0.0.0\n<< OK";
    activated(ModemOptions::new(), script).await.unwrap();
    activated(ModemOptions::new(), ">> AT+CGPADDR\n<< ERROR").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn s_net_access_point_user_and_password() {
    let options = || ModemOptions::new().apn("cmnet").pdp_credentials("user", "hush");
    let script = r#"
        >> AT+CGDCONT=1,"IP","cmnet"
        << OK
        >> AT+CGSOCKCONT=1,"IP","cmnet"
        << ERROR
        >> AT+CGAUTH=1,1,"hush","user"
        << OK
        >> AT+CGPADDR
        << +CGPADDR: 1,0.0.0.0
        << OK
        >> AT+CGACT=1,1
        << OK
        >> AT+CGPADDR
        << +CGPADDR: 1,10.22.245.74
        << OK
    "#;
    activated(options(), script).await.unwrap();
    let head = ">> AT+CGDCONT=1,\"IP\",\"cmnet\"\n<< ERROR\n>> AT+CGSOCKCONT=1,\"IP\",\"cmnet\"\n<<";
    let no_address = ">> AT+CGPADDR\n<< OK\n>> AT+CGACT=1,1\n<< OK\n>> AT+CGPADDR\n<< OK";
    let error = activated(options(), &format!("{head} ERROR\n{no_address}")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the data connection was refused: the module refused the access point name"
    );
    let script = format!("{head} OK\n>> AT+CGAUTH=1,1,\"hush\",\"user\"\n<< ERROR\n{no_address}");
    let error = activated(options(), &script).await.unwrap_err();
    let words =
        "the data connection was refused: the module refused the user name and password of the access point";
    assert_eq!(error.to_string(), words);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_refuses_is_quoted() {
    let activation = ">> AT+CGPADDR\n<< OK\n>> AT+CGACT=1,1\n";
    let script = format!(
        "{activation}<< +CME ERROR: requested service option not subscribed (#33)\n<< +CGEV: ME PDN DEACT 1\n\
         >> AT+CGPADDR\n<< OK"
    );
    let error = activated(ModemOptions::new(), &script).await.unwrap_err();
    let words = "the data connection was refused: requested service option not subscribed (#33)";
    assert_eq!(error.to_string(), words);
    let script = format!("{activation}<< OK\n>> AT+CGPADDR\n<< OK");
    let error = activated(ModemOptions::new(), &script).await.unwrap_err();
    assert_eq!(error.to_string(), "the data connection was refused: the module got no address");
    let adopted = format!("{activation}<< ERROR\n>> AT+CGPADDR\n<< +CGPADDR: 1,10.0.0.1\n<< OK");
    activated(ModemOptions::new(), &adopted).await.unwrap();
}

/// Starts the service, and says whether it is believed to run.
async fn started(script: &str) -> (Result<()>, bool) {
    let host = Host::default();
    let options = ConnectOptions::new("gateway-7", "broker.example.com", 1883);
    let flow = async |port: ModemPort| {
        let context = Connecting { port: &port, index: 0, options: &options, progress: None };
        start(&context, &host.service).await
    };
    (host.converse(script, flow).await, host.service.is_running())
}

#[tokio::test(start_paused = true)]
async fn the_service_starts_in_every_form() {
    for answers in [
        "<< OK\n<< +CMQTTSTART: 0",
        "<< +CMQTTSTART: 0\n<< OK",
        "<< +CMQTTSTART: 23\n<< ERROR",
        "<< OK\n<< +CMQTTSTART: 23",
        "<< ERROR\n>> AT+CMQTTACCQ?\n<< OK",
        "<< ERROR\n>> AT+CMQTTACCQ?\n<< +CMQTTACCQ: what?\n<< OK",
    ] {
        let (outcome, running) = started(&format!(">> AT+CMQTTSTART\n{answers}")).await;
        assert!(outcome.is_ok() && running, "{answers}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_start_is_stopped_and_started_once_more() {
    let again = ">> AT+CMQTTREL=0\n<< +CMQTTREL: 0,20\n<< ERROR\n>> AT+CMQTTREL=1\n<< ERROR\n\
                 >> AT+CMQTTSTOP\n<< ERROR\n>> AT+CMQTTSTART\n";
    let first = ">> AT+CMQTTSTART\n<< OK\n<< +CMQTTSTART: 1\n";
    let (outcome, running) = started(&format!("{first}{again}<< OK\n<< +CMQTTSTART: 0")).await;
    assert!(outcome.is_ok() && running);

    let (outcome, running) = started(&format!("{first}{again}<< OK\n<< +CMQTTSTART: 1")).await;
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "AT+CMQTTSTART: the module failed without a reason (code 1)"
    );
    assert!(!running);
    let (outcome, _) = started(&format!("{first}{again}<< OK\n<< +CMQTTSTART: 7")).await;
    let words = "the data connection was refused: the data connection could not be opened";
    assert_eq!(outcome.unwrap_err().to_string(), words);
    // Firmware with a broken service refuses everything.
    let refused = "<< ERROR\n>> AT+CMQTTACCQ?\n<< ERROR\n";
    let (outcome, _) = started(&format!(">> AT+CMQTTSTART\n{refused}{again}{refused}")).await;
    let words = "AT+CMQTTSTART: the module refused the command without a reason";
    assert_eq!(outcome.unwrap_err().to_string(), words);
}

#[tokio::test(start_paused = true)]
async fn two_clients_start_the_service_once() {
    let host = Host::default();
    let options = ConnectOptions::new("gateway-7", "broker.example.com", 1883);
    let flow = async |port: ModemPort| {
        let of = |index| Connecting { port: &port, index, options: &options, progress: None };
        let (first, second) = (of(0), of(1));
        let (first, second) = tokio::join!(start(&first, &host.service), start(&second, &host.service));
        first.and(second)
    };
    host.converse(">> AT+CMQTTSTART\n<< OK\n<< +CMQTTSTART: 0", flow).await.unwrap();
}

async fn disconnected(script: &str) -> Result<()> {
    let (host, _link) = Host::connected(0);
    host.converse(script, async |port| disconnect(&port, 0).await).await
}

#[tokio::test(start_paused = true)]
async fn s_err_order_farewells_end_in_every_order() {
    let release = ">> AT+CMQTTREL=0\n<< OK";
    for answers in [
        "<< OK\n<< +CMQTTDISC: 0,0",
        "<< +CMQTTDISC: 0,0\n<< OK",
        "<< OK\n<< +CMQTTDISC: 0,11",
        "<< +CMQTTDISC: 0,11\n<< ERROR",
        "<< OK\n<< +CMQTTCONNLOST: 0,1",
        "<< +CMQTTCONNLOST: 0,3\n<< OK",
    ] {
        disconnected(&format!(">> AT+CMQTTDISC=0,60\n{answers}\n{release}")).await.unwrap();
    }
    for (answers, words) in [
        ("<< OK\n<< +CMQTTDISC: 0,35", "AT+CMQTTDISC: the disconnection failed (code 35)"),
        ("<< +CMQTTDISC: 0,14\n<< ERROR", "AT+CMQTTDISC: the client is busy (code 14)"),
        ("<< ERROR", "AT+CMQTTDISC: the module refused the command without a reason"),
    ] {
        let error = disconnected(&format!(">> AT+CMQTTDISC=0,60\n{answers}\n{release}")).await.unwrap_err();
        assert_eq!(error.to_string(), words);
    }
    let error = disconnected(&format!(">> AT+CMQTTDISC=0,60\n<< OK\n{release}")).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { after, .. } if after == Duration::from_secs(95)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn closing_disconnects_only_if_it_must() {
    for script in [
        ">> AT+CMQTTREL=0\n<< OK",
        ">> AT+CMQTTREL=0\n<< +CMQTTREL: 0,20\n<< ERROR",
        ">> AT+CMQTTREL=0\n<< ERROR\n>> AT+CMQTTDISC=0,60\n<< OK\n<< +CMQTTDISC: 0,0\n>> AT+CMQTTREL=0\n<< OK",
        ">> AT+CMQTTREL=0\n<< +CMQTTREL: 0,14\n<< ERROR\n>> AT+CMQTTDISC=0,60\n<< ERROR\n\
         >> AT+CMQTTREL=0\n<< ERROR",
    ] {
        Host::default().converse(script, async |port| close(&port, 0).await).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_gone_ends_every_flow() {
    let gone = async |port: ModemPort| {
        port.link().wait_for(|link| *link == LinkState::Synced).await.unwrap();
        port.close();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let service = Service::default();
        let outcomes = [close_former(&port, &service).await, disconnect(&port, 0).await];
        close(&port, 0).await;
        outcomes
    };
    for outcome in Host::default().converse("", gone).await {
        assert!(matches!(outcome, Err(Error::Port { error: PortError::Closed, .. })), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_farewell() {
    Host::default()
        .converse(">> AT+CMQTTDISC=1,60\n<< OK\n<< +CMQTTDISC: 1,0", async |port| {
            port.run(farewell(1)).await.unwrap();
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_is_connected_if_the_module_lists_it_as_that() {
    for (answers, connected, runs) in [
        // 0 is a connection, 1 is none.
        ("<< +CMQTTDISC: 0,0\n<< +CMQTTDISC: 1,1\n<< OK", Some(true), true),
        ("<< +CMQTTDISC: 0,1\n<< +CMQTTDISC: 1,0\n<< OK", Some(false), true),
        ("<< +CMQTTDISC: what?\n<< OK", None, true),
        // A module whose service does not run says only this.
        ("<< ERROR", Some(false), false),
    ] {
        let host = Host::default();
        host.service.set_running(true);
        let script = format!(">> AT+CMQTTDISC?\n{answers}");
        let asked = host.converse(&script, async |port| is_connected(&port, 0, &host.service).await).await;
        assert_eq!((asked.unwrap(), host.service.is_running()), (connected, runs), "{answers}");
    }
}
