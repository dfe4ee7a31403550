//! Cleaning up, the data connection, and taking leave, as conversations.

use super::*;
use crate::dialect::neoway::script::Host;
use crate::error::InputError;

async fn prepared(script: &str) -> Result<()> {
    Host::default().converse(script, async |port| close_former(&port).await).await
}

#[tokio::test(start_paused = true)]
async fn a_module_that_is_clean_is_left_alone() {
    prepared(">> AT+MQTTSTATE?\n<< +MQTTSTATE: 0\n<< OK\n>> AT+CLOUDSTATE?\n<< +CLOUDSTATE: 0\n<< OK")
        .await
        .unwrap();
    prepared(">> AT+MQTTSTATE?\n<< ERROR\n>> AT+CLOUDSTATE?\n<< ERROR").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_former_host_left_is_closed() {
    prepared(
        ">> AT+MQTTSTATE?
        << +MQTTSUB:0,\"t\",6,\\r\\nOK\\r\\n
        << +MQTTSTATE:1\\r\\nOK
        >> AT+MQTTDISCONN
        << ERROR
        >> AT+CLOUDSTATE?
        << +CLOUDSTATE: 1\\r\\nOK
        >> AT+CLOUDDISCONN
        << OK",
    )
    .await
    .unwrap();
}

async fn activated(options: &ModemOptions, script: &str) -> Result<()> {
    Host::default()
        .converse(script, async |port| {
            port.link().wait_for(|link| *link == at_port::LinkState::Synced).await.unwrap();
            activate(&port, options).await
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn n_init() {
    let options = ModemOptions::new().apn("cmnet");
    let script = "
        >> AT+CCID
        << +CCID: 89860318760111211234
        << OK
        >> AT+XIIC?
        << +XIIC:    0,0.0.0.0
        << OK
        >> AT+CGDCONT=1,\"IP\",\"cmnet\"
        << OK
        >> AT+XIIC=1
        << OK
        >> AT+XIIC?
        << +XIIC:    0,0.0.0.0
        << OK
        >> AT+XIIC?
        << +XIIC: 1,100.79.207.128
        << OK";
    activated(&options, script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_access_point_with_user_and_password() {
    let options = ModemOptions::new().apn("vpn").pdp_credentials("card", "hush");
    let head = "
        >> AT+CCID
        << ERROR
        >> AT+XIIC?
        << +XIIC: 0,0.0.0.0\\r\\nOK
        >> AT+CGDCONT=1,\"IP\",\"vpn\"
        << OK
        >> AT+XGAUTH=1,1,\"card\",\"hush\"";
    let dialled = ">> AT+XIIC=1\n<< OK\n>> AT+XIIC?\n<< +XIIC: 1,10.0.0.1\n<< OK";
    activated(&options, &format!("{head}\n<< OK\n{dialled}")).await.unwrap();
    activated(&options, &format!("{head}\n<< ERROR\n{dialled}")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_data_connection_that_is_there_is_used() {
    let script = ">> AT+CCID\n<< ERROR\n>> AT+XIIC?\n<< +XIIC:    1, 10.224.178.69\n<< OK";
    activated(&ModemOptions::new().apn("cmnet"), script).await.unwrap();
    // Dialling is refused while the module is at it already.
    let script = "
        >> AT+CCID
        << ERROR
        >> AT+XIIC?
        << ERROR
        >> AT+XIIC=1
        << ERROR
        >> AT+XIIC?
        << +XIIC: 1,10.0.0.1\\r\\n+XIIC: 1,2001:db8::1\\r\\nOK";
    activated(&ModemOptions::new(), script).await.unwrap();
}

const ATTACHED: &str = "\n>> AT+CGATT?\n<< +CGATT: 1\n<< OK";

#[tokio::test(start_paused = true)]
async fn a_module_that_is_not_attached_is_attached_and_dials_again() {
    let polls = "\n>> AT+XIIC?\n<< +XIIC: 0,0.0.0.0\n<< OK";
    let refused = format!(">> AT+CCID\n<< ERROR{polls}\n>> AT+XIIC=1\n<< ERROR{}", polls.repeat(6));
    let attached = "\n>> AT+CGATT?\n<< +CGATT: 0\n<< OK\n>> AT+CGATT=1\n<< OK";
    let dialled = "\n>> AT+XIIC=1\n<< OK\n>> AT+XIIC?\n<< +XIIC: 1,10.0.0.1\n<< OK";
    activated(&ModemOptions::new(), &format!("{refused}{attached}{dialled}")).await.unwrap();
    let not = "\n>> AT+CGATT?\n<< +CGATT: 0\n<< OK\n>> AT+CGATT=1\n<< ERROR";
    assert!(activated(&ModemOptions::new(), &format!("{refused}{not}")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn no_address_is_a_failure_with_a_reason() {
    let polls = "\n>> AT+XIIC?\n<< +XIIC: 0,0.0.0.0\n<< OK";
    let head = format!(">> AT+CCID\n<< ERROR{polls}\n>> AT+XIIC=1");
    for (answer, times, words) in [
        ("OK", 61, "the data connection was refused: the module got no address"),
        ("+CME ERROR: 30", 6, "the data connection was refused: no network service"),
    ] {
        let script = format!("{head}\n<< {answer}{}{ATTACHED}", polls.repeat(times));
        let error = activated(&ModemOptions::new(), &script).await.unwrap_err();
        assert_eq!(error.to_string(), words);
        assert!(error.remedy().is_some());
    }
    let script = format!(">> AT+CCID\n<< ERROR{polls}\n>> AT+CGDCONT=1,\"IP\",\"x\"\n<< ERROR");
    let error = activated(&ModemOptions::new().apn("x"), &script).await.unwrap_err();
    assert!(matches!(error, Error::Network(NetworkError::Pdp { .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_access_point_that_cannot_be_written_is_the_callers_fault() {
    let script = ">> AT+CCID\n<< ERROR\n>> AT+XIIC?\n<< +XIIC: 0\n<< OK";
    let error = activated(&ModemOptions::new().apn("a\"b"), script).await.unwrap_err();
    assert!(matches!(error, Error::Input(InputError::Argument(_))), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn farewells() {
    let leave = async |script: &str| {
        let (host, link) = Host::connected(&["#"]);
        let session = &host.session;
        let outcome = host.converse(script, async |port| disconnect(&port, session).await).await;
        // What the module says of it is no loss.
        assert_eq!(*link.status().borrow(), crate::event::ClientStatus::Connected);
        outcome
    };
    leave(">> AT+MQTTDISCONN\n<< +MQTTDISCONNED: Link Closed\n<< OK").await.unwrap();
    leave(">> AT+MQTTDISCONN\n<< ERROR\n>> AT+MQTTSTATE?\n<< +MQTTSTATE: 0\n<< OK").await.unwrap();
    for state in ["+MQTTSTATE: 1\\r\\nOK", "ERROR"] {
        let script = format!(">> AT+MQTTDISCONN\n<< ERROR\n>> AT+MQTTSTATE?\n<< {state}");
        assert!(leave(&script).await.is_err(), "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn closing_is_never_a_failure() {
    for script in [
        ">> AT+MQTTSTATE?\n<< +MQTTSTATE: 0\n<< OK",
        ">> AT+MQTTSTATE?\n<< +MQTTSTATE: 2\n<< OK\n>> AT+MQTTDISCONN\n<< OK",
        ">> AT+MQTTSTATE?\n<< ERROR\n>> AT+MQTTDISCONN\n<< ERROR",
    ] {
        let host = Host::default();
        host.converse(script, async |port| close(&port, &host.session).await).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_farewell_that_nobody_waits_for() {
    let (host, _) = Host::connected(&["#"]);
    let operation = farewell(&host.session);
    let outcome = host.converse(">> AT+MQTTDISCONN\n<< OK", async |port| port.run(operation).await).await;
    assert!(outcome.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_module_that_connects_again_by_itself_is_known() {
    for (answers, expected) in [
        ("<< +MQTTSTATE: 1\n<< OK", Presence::Connected),
        ("<< +MQTTSTATE: 0\n<< OK", Presence::Gone),
        ("<< +MQTTSTATE: 3\n<< OK", Presence::Returning),
        ("<< ERROR", Presence::Untold),
    ] {
        let script = format!(">> AT+MQTTSTATE?\n{answers}");
        let asked = Host::default().converse(&script, async |port| presence(&port).await).await;
        assert_eq!(asked.unwrap(), expected, "{answers}");
    }
}
