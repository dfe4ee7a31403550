//! Connecting, losing and ending, and every result code [A7600 MQTT 1.00 §2.1.8, §2.1.9, §2.2].

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{Action, Fault, Hook, Quirk, Reachability, SimComQuirk};

use crate::host::Bench;
use crate::simcom::{acquired, connect, connected, quiet, refused, sim, stage, stage_message, subscribe};

const CONNECT: &str = "AT+CMQTTCONNECT=0,\"tcp://broker.example:1883\",60,1";

async fn connect_result(bench: &mut Bench, code: u8) {
    bench.ok_then(CONNECT, &format!("+CMQTTCONNECT: 0,{code}")).await;
}

#[tokio::test(start_paused = true)]
async fn addresses_and_logins() {
    let mut bench = acquired(|builder| builder).await;
    let long = "h".repeat(257);
    for (arguments, code) in [
        ("0,\"tcp://hh:\",60,1", 12),
        ("0,\"tcp://hh\",60,1", 22),
        ("0,\"ssl://h:1883\",60,1", 12),
        ("0,\"tcp://h:0\",60,1", 12),
        ("0,\"tcp://h:65536\",60,1", 12),
        ("0,\"tcp://h:+80\",60,1", 12),
        ("0,\"tcp://a b:1883\",60,1", 12),
        ("0,\"broker.example:1883\",60,1", 12),
        ("0,\"tcp://h:1883\",0,1", 12),
        ("0,\"tcp://h:1883\",64801,1", 12),
        ("0,\"tcp://h:1883\",60,2", 12),
        ("0,\"tcp://h:1883\",60,1,\"\"", 22),
        (&format!("0,\"tcp://h:1883\",60,1,\"{long}\""), 22),
        (&format!("0,\"tcp://h:1883\",60,1,\"u\",\"{long}\""), 22),
        (&format!("0,\"tcp://{long}\",60,1"), 22),
    ] {
        refused(&mut bench, &format!("AT+CMQTTCONNECT={arguments}"), 0, code).await;
    }
    for malformed in [
        "0",
        "0,\"tcp://h:1883\"",
        "0,\"tcp://h:1883\",60",
        "0,tcp://h:1883,60,1",
        "0,\"tcp://h:1883\",\"60\",1",
        "0,\"tcp://h:1883\",60,1,,\"p\"",
        "0,\"tcp://h:1883\",60,1,\"u\",\"p\",1",
    ] {
        bench.error(&format!("AT+CMQTTCONNECT={malformed}")).await;
    }
    refused(&mut bench, "AT+CMQTTCONNECT=2,\"tcp://h:1883\",60,1", 2, 10).await;
    assert!(bench.broker.ledger().connects.is_empty());
    bench.info("AT+CMQTTCONNECT?", "+CMQTTCONNECT: 0\r\n+CMQTTCONNECT: 1").await;
    let longest = "l".repeat(256);
    let command = format!("AT+CMQTTCONNECT=1,\"tcp://ab.cd\",64800,0,\"u\",\"{longest}\"");
    bench.ok_then(&command, "+CMQTTCONNECT: 1,0").await;
    connect_result(&mut bench, 0).await;
    let lines = format!(
        "+CMQTTCONNECT: 0,\"tcp://broker.example:1883\",60,1\r\n+CMQTTCONNECT: \
         1,\"tcp://ab.cd\",64800,0,\"u\",\"{longest}\""
    );
    bench.info("AT+CMQTTCONNECT?", &lines).await;
    refused(&mut bench, CONNECT, 0, 13).await;
    bench.info("AT+CMQTTDISC?", "+CMQTTDISC: 0,0\r\n+CMQTTDISC: 1,0").await;
    let ledger = bench.broker.ledger();
    assert_eq!(ledger.connects[0].dialled, ("ab.cd".to_owned(), 1883));
    assert_eq!(ledger.connects[0].user.as_deref(), Some("u"));
    assert_eq!(ledger.connects[0].password.as_deref(), Some(longest.as_str()));
    assert!(!ledger.connects[0].clean_session);
    assert_eq!(ledger.connects[1].user, None);
}

#[tokio::test(start_paused = true)]
async fn why_a_connection_fails() {
    let mut bench = acquired(|builder| builder).await;
    for (reachability, code) in [(Reachability::NameUnknown, 25), (Reachability::Refused, 3)] {
        bench.broker.set_reachability(reachability);
        connect_result(&mut bench, code).await;
    }
    bench.broker.set_reachability(Reachability::Silent);
    let start = Instant::now();
    connect_result(&mut bench, 17).await;
    assert_eq!(start.elapsed().as_secs(), 60);
    bench.broker.set_reachability(Reachability::Reachable);
    for code in 1..=5 {
        bench.broker.refuse_connections(Some(code));
        connect_result(&mut bench, 26 + code).await;
    }
    bench.broker.refuse_connections(None);
    bench.info("AT+CMQTTDISC?", "+CMQTTDISC: 0,1\r\n+CMQTTDISC: 1,1").await;
    connect_result(&mut bench, 0).await;
    // No second client of the same name: the older one is told that its socket was closed.
    bench.ok("AT+CMQTTREL=1").await;
    bench.ok("AT+CMQTTACCQ=1,\"c0\"").await;
    let command = CONNECT.replace("=0", "=1");
    bench.host.say(format!("{command}\r")).await;
    bench.host.hear("\r\nOK\r\n\r\n+CMQTTCONNLOST: 0,1\r\n\r\n+CMQTTCONNECT: 1,0\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_not_answered() {
    let mut bench = acquired(|builder| builder.rtt(Duration::from_millis(200))).await;
    bench.ok("AT+CMQTTCFG=\"optimeout\",0,20").await;
    let start = Instant::now();
    bench.ok(CONNECT).await;
    // The socket is open after a round trip; then the network swallows the rest.
    tokio::time::sleep(Duration::from_millis(250)).await;
    bench.modem.black_hole(true);
    refused(&mut bench, CONNECT, 0, 14).await;
    refused(&mut bench, "AT+CMQTTDISC=0,0", 0, 14).await;
    refused(&mut bench, "AT+CMQTTREL=0", 0, 14).await;
    bench.line("+CMQTTCONNECT: 0,15").await;
    assert_eq!(start.elapsed().as_secs(), 20);
    bench.modem.black_hole(false);
    bench.ok(CONNECT).await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    bench.modem.kick(0);
    bench.line("+CMQTTCONNECT: 0,26").await;
}

#[tokio::test(start_paused = true)]
async fn the_choice_of_a_tls_context_is_cleared() {
    let mut bench = quiet(|builder| builder).await;
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
    bench.ok("AT+CMQTTACCQ=0,\"c0\",1").await;
    let set = "+CMQTTSSLCFG: 0,5\r\n+CMQTTSSLCFG: 1,";
    let cleared = "+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,";
    // Context 5 verifies the server and has no certificate; context 0, the client's own, verifies nobody.
    bench.ok("AT+CSSLCFG=\"authmode\",5,1").await;
    bench.ok("AT+CMQTTSSLCFG=0,5").await;
    bench.info("AT+CMQTTSSLCFG?", set).await;
    connect_result(&mut bench, 33).await;
    bench.info("AT+CMQTTSSLCFG?", cleared).await;
    bench.ok("AT+CMQTTSSLCFG=0,5").await;
    bench.ok("AT+CSSLCFG=\"cacert\",5,\"ca.pem\"").await;
    connect_result(&mut bench, 34).await;
    connect_result(&mut bench, 0).await;
    bench.ok("AT+CMQTTSSLCFG=0,5").await;
    bench.ok_then("AT+CMQTTDISC=0,0", "+CMQTTDISC: 0,0").await;
    bench.info("AT+CMQTTSSLCFG?", cleared).await;
    stage(&mut bench, "AT+CCERTDOWN=\"ca.pem\",1", "x").await;
    bench.ok("AT+CMQTTSSLCFG=0,5").await;
    bench.broker.set_reachability(Reachability::HandshakeFails);
    connect_result(&mut bench, 32).await;
    bench.info("AT+CMQTTSSLCFG?", cleared).await;
    // Without a choice client 1 has context 1.
    bench.ok("AT+CMQTTACCQ=1,\"c1\",1").await;
    bench.ok("AT+CSSLCFG=\"authmode\",1,3").await;
    bench.ok_then(&CONNECT.replace("=0", "=1"), "+CMQTTCONNECT: 1,33").await;
}

#[tokio::test(start_paused = true)]
async fn disconnecting() {
    let mut bench = connected(|builder| builder).await;
    for timeout in [-1, 1, 59, 181] {
        refused(&mut bench, &format!("AT+CMQTTDISC=0,{timeout}"), 0, 12).await;
    }
    bench.error("AT+CMQTTDISC=0").await;
    bench.error("AT+CMQTTDISC=0,0,0").await;
    refused(&mut bench, "AT+CMQTTDISC=1,60", 1, 11).await;
    refused(&mut bench, "AT+CMQTTREL=0", 0, 14).await;
    bench.ok_then("AT+CMQTTDISC=0,180", "+CMQTTDISC: 0,0").await;
    refused(&mut bench, "AT+CMQTTDISC=0,60", 0, 11).await;
    // A publish that waits is cut short.
    connect(&mut bench, 0).await;
    bench.broker.withhold_acknowledgements(true);
    stage_message(&mut bench, 0, "t", b"x").await;
    bench.ok("AT+CMQTTPUB=0,1,60").await;
    refused(&mut bench, "AT+CMQTTREL=0", 0, 14).await;
    refused(&mut bench, "AT+CMQTTTOPIC=0,1", 0, 14).await;
    bench.host.say("AT+CMQTTDISC=0,0\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+CMQTTPUB: 0,6\r\n\r\n+CMQTTDISC: 0,0\r\n").await;
    bench.ok("AT+CMQTTREL=0").await;
}

#[tokio::test(start_paused = true)]
async fn disconnecting_with_the_result_first() {
    let mut bench = connected(|builder| builder).await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Swap).command("+CMQTTDISC"));
    bench.host.ask("AT+CMQTTDISC=0,120", "\r\n+CMQTTDISC: 0,0\r\n\r\nOK\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn the_three_causes_of_a_loss() {
    let mut bench = connected(|builder| builder).await;
    bench.broker.kick("c0");
    bench.line("+CMQTTCONNLOST: 0,1").await;
    connect(&mut bench, 0).await;
    connect(&mut bench, 1).await;
    bench.modem.black_hole(true);
    let start = Instant::now();
    bench.host.hear("\r\n+CMQTTCONNLOST: 0,2\r\n\r\n+CMQTTCONNLOST: 1,2\r\n").await;
    assert!((60..=150).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    bench.modem.black_hole(false);
    connect(&mut bench, 0).await;
    connect(&mut bench, 1).await;
    bench.ok_then("AT+NETOPEN", "+NETOPEN: 0").await;
    bench.modem.drop_pdp();
    bench.line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY").await;
    bench.host.hear("\r\n+CMQTTCONNLOST: 0,3\r\n\r\n+CMQTTCONNLOST: 1,3\r\n").await;
    // Only a new start brings the network back; the clients are still acquired.
    refused(&mut bench, CONNECT, 0, 9).await;
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
    connect(&mut bench, 0).await;
    tokio::time::sleep(Duration::from_secs(7200)).await;
    bench.host.silence().await;
}

#[tokio::test(start_paused = true)]
async fn operations_end_with_the_network() {
    let mut bench = connected(|builder| builder).await;
    bench.broker.withhold_acknowledgements(true);
    stage_message(&mut bench, 0, "t", b"x").await;
    bench.ok("AT+CMQTTPUB=0,1,60").await;
    bench.modem.drop_pdp();
    bench.host.hear("\r\n+CMQTTPUB: 0,16\r\n\r\n+CMQTTCONNLOST: 0,3\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn the_network_is_reported_in_other_ways() {
    let mut bench = connected(sim(SimComQuirk::NoNetAfterLosses)).await;
    connect(&mut bench, 1).await;
    bench.modem.drop_pdp();
    bench.host.hear("\r\n+CMQTTCONNLOST: 0,3\r\n\r\n+CMQTTCONNLOST: 1,3\r\n\r\n+CMQTTNONET\r\n").await;
    bench.error(CONNECT).await;
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
    refused(&mut bench, CONNECT, 0, 20).await;

    let mut bench = connected(sim(SimComQuirk::NoNetOnly)).await;
    bench.modem.drop_pdp();
    bench.line("+CMQTTNONET").await;
    bench.error("AT+CMQTTSTOP").await;

    let mut bench = connected(sim(SimComQuirk::PingReport)).await;
    bench.modem.black_hole(true);
    bench.line("+CMQTTPING: 0,1").await;
    bench.host.silence().await;
    refused(&mut bench, "AT+CMQTTTOPIC=0,1", 0, 11).await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_while_connected() {
    let mut bench = connected(sim(SimComQuirk::NoNetAfterLosses)).await;
    bench.ok_then("AT+NETOPEN", "+NETOPEN: 0").await;
    bench.ok("AT+CRESET").await;
    for line in
        ["+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY", "+CMQTTCONNLOST: 0,3", "+CMQTTNONET", "*ATREADY: 1"]
    {
        bench.line(line).await;
    }
    bench.line("+CPIN: READY").await;
    bench.host.ask("AT+CMQTTDISC?", "AT+CMQTTDISC?\r\r\nERROR\r\n").await;
    assert!(bench.broker.connected().is_empty());
}

#[tokio::test(start_paused = true)]
async fn any_code_on_demand() {
    let mut bench = acquired(|builder| builder).await;
    for code in 1..=35 {
        bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::Code(code)).command("+CMQTTCONNECT"));
        bench.ok("AT+CMQTTSSLCFG=0,3").await;
        connect_result(&mut bench, code).await;
        bench.info("AT+CMQTTSSLCFG?", "+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,").await;
    }
    let fault = |code, command| Fault::new(Hook::AfterLine, Action::Code(code)).command(command);
    connect_result(&mut bench, 0).await;
    bench.modem.inject_fault(fault(12, "+CMQTTSUBTOPIC"));
    refused(&mut bench, "AT+CMQTTSUBTOPIC=0,31,1", 0, 12).await;
    stage_message(&mut bench, 0, "t", b"x").await;
    bench.modem.inject_fault(fault(24, "+CMQTTPUB"));
    bench.ok_then("AT+CMQTTPUB=0,1,60", "+CMQTTPUB: 0,24").await;
    refused(&mut bench, "AT+CMQTTPUB=0,1,60", 0, 18).await;
    bench.modem.inject_fault(fault(6, "+CMQTTSUB="));
    refused(&mut bench, "AT+CMQTTSUB=0,4,1", 0, 6).await;
    bench.modem.inject_fault(fault(35, "+CMQTTDISC"));
    bench.ok_then("AT+CMQTTDISC=0,0", "+CMQTTDISC: 0,35").await;
    bench.ok_then("AT+CMQTTDISC=0,0", "+CMQTTDISC: 0,0").await;
    bench.modem.inject_fault(fault(8, "+CMQTTSTOP"));
    bench.ok_then("AT+CMQTTSTOP", "+CMQTTSTOP: 8").await;
    for client in 0..2 {
        bench.ok(&format!("AT+CMQTTREL={client}")).await;
    }
    bench.ok_then("AT+CMQTTSTOP", "+CMQTTSTOP: 0").await;
    bench.modem.inject_fault(fault(1, "+CMQTTSTART"));
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 1").await;
    bench.modem.inject_fault(fault(1, "+CSQ"));
    bench.error("AT+CSQ").await;
}

#[tokio::test(start_paused = true)]
async fn failures_in_the_form_with_error() {
    let mut bench = acquired(sim(SimComQuirk::FailureIsError)).await;
    bench.broker.set_reachability(Reachability::Refused);
    refused(&mut bench, CONNECT, 0, 3).await;
    bench.broker.set_reachability(Reachability::Reachable);
    connect_result(&mut bench, 0).await;
    bench.host.ask("AT+CMQTTSTOP", "\r\n+CMQTTSTOP: 21\r\n\r\nERROR\r\n").await;
    subscribe(&mut bench, 0, "t", 1).await;
    bench.broker.withhold_acknowledgements(true);
    stage_message(&mut bench, 0, "t", b"x").await;
    bench.host.say("AT+CMQTTPUB=0,1,60\r").await;
    bench.host.hear_until("+CMQTTRXEND: 0\r\n").await;
    bench.broker.kick("c0");
    bench.host.hear("\r\n+CMQTTPUB: 0,6\r\n\r\nERROR\r\n\r\n+CMQTTCONNLOST: 0,1\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::AfterLine, Action::Code(15)).command("+CMQTTCONNECT"));
    refused(&mut bench, CONNECT, 0, 15).await;
}

#[tokio::test(start_paused = true)]
async fn the_service_of_other_models() {
    let mut bench = quiet(|builder| {
        builder
            .quirk(Quirk::SimCom(SimComQuirk::ServiceResultFirst))
            .quirk(Quirk::SimCom(SimComQuirk::StartTwiceHasCode))
            .quirk(Quirk::SimCom(SimComQuirk::NetopenAlwaysSucceeds))
    })
    .await;
    bench.info("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
    bench.host.ask("AT+CMQTTSTART", "\r\n+CMQTTSTART: 23\r\n\r\nERROR\r\n").await;
    bench.info("AT+CMQTTSTOP", "+CMQTTSTOP: 0").await;
    bench.ok("AT+CGACT=0,1").await;
    bench.modem.refuse_pdp(true);
    bench.ok_then("AT+NETOPEN", "+NETOPEN: 0").await;
    bench.info("AT+CMQTTSTART", "+CMQTTSTART: 7").await;
}
