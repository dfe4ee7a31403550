//! Opening, connecting, losing and closing [EC200x MQTT 1.0 §3.2.2–3.2.5, §4].

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{Quirk, Reachability};

use crate::host::Bench;

#[tokio::test(start_paused = true)]
async fn test_forms_and_ranges() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.info("AT+QMTCLOSE=?", "+QMTCLOSE: (0-5)").await;
    bench.info("AT+QMTDISC=?", "+QMTDISC: (0-5)").await;
    bench.info("AT+QMTUNS=?", "+QMTUNS: (0-5),<msgid>,list of [\"topic\"]").await;
    bench.ok("AT+QMTRECV=?").await;
    let long = "h".repeat(101);
    for wrong in [
        "6,\"h\",1883",
        "0,\"h\",0",
        "0,\"h\",65536",
        "0,\"\",1883",
        "0,h,1883",
        "0,\"h\",\"1883\"",
        "0,\"h\"",
    ] {
        bench.error(&format!("AT+QMTOPEN={wrong}")).await;
    }
    bench.error(&format!("AT+QMTOPEN=0,\"{long}\",1883")).await;
    bench.ok_then("AT+QMTOPEN=0,\"no blanks\",1883", "+QMTOPEN: 0,1").await;
    for early in [
        "+QMTCONN=0,\"c\"",
        "+QMTCLOSE=0",
        "+QMTDISC=0",
        "+QMTSUB=0,1,\"t\",0",
        "+QMTUNS=0,1,\"t\"",
        "+QMTRECV=0",
    ] {
        bench.error(&format!("AT{early}")).await;
    }
    bench.error("AT+QMTPUBEX=0,0,0,0,\"t\",1").await;
}

#[tokio::test(start_paused = true)]
async fn why_a_network_does_not_open() {
    let mut bench = Bench::quiet(|builder| builder).await;
    for (reachability, result) in [(Reachability::NameUnknown, 4), (Reachability::Refused, 5)] {
        bench.broker.set_reachability(reachability);
        bench.ok_then("AT+QMTOPEN=0,\"h\",1883", &format!("+QMTOPEN: 0,{result}")).await;
    }
    bench.broker.set_reachability(Reachability::Silent);
    let start = Instant::now();
    bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,5").await;
    assert_eq!(start.elapsed().as_secs(), 120);
    bench.broker.set_reachability(Reachability::HandshakeFails);
    bench.ok("AT+QMTCFG=\"ssl\",0,1,0").await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,-1").await;
    bench.broker.set_reachability(Reachability::Reachable);
    bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,0").await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,2").await;
    bench.modem.set_registration(2);
    bench.modem.drop_pdp();
    bench.line("+QIURC: \"pdpdeact\",1").await;
    bench.line("+QMTSTAT: 0,2").await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,3").await;
}

#[tokio::test(start_paused = true)]
async fn a_login_takes_its_round_trips() {
    let mut bench =
        Bench::quiet(|builder| builder.rtt(Duration::from_millis(300)).turnaround(Duration::ZERO)).await;
    let start = Instant::now();
    bench.ok("AT+QMTOPEN=0,\"h\",1883").await;
    bench.info("AT+QMTCONN?", "+QMTCONN: 0,1").await;
    bench.line("+QMTOPEN: 0,0").await;
    assert_eq!(start.elapsed(), Duration::from_millis(300));
    bench.ok("AT+QMTCONN=0,\"c\"").await;
    bench.info("AT+QMTCONN?", "+QMTCONN: 0,2").await;
    bench.line("+QMTCONN: 0,0,0").await;
    bench.info("AT+QMTCONN?", "+QMTCONN: 0,3").await;
    assert_eq!(start.elapsed(), Duration::from_millis(600));
    bench.publish("0,7,2,0,\"t\"", "x").await;
    bench.host.hear("\r\nOK\r\n").await;
    bench.line("+QMTPUBEX: 0,7,0").await;
    assert_eq!(start.elapsed(), Duration::from_millis(1200), "two round trips for QoS 2");
}

#[tokio::test(start_paused = true)]
async fn refused_logins_have_a_code_and_close_the_socket() {
    let mut bench = Bench::quiet(|builder| builder).await;
    for code in 1..=5 {
        bench.broker.refuse_connections(Some(code));
        bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,0").await;
        bench.ok_then("AT+QMTCONN=0,\"c\"", &format!("+QMTCONN: 0,0,{code}")).await;
        bench.line("+QMTSTAT: 0,4").await;
        bench.ok("AT+QMTOPEN?").await;
    }
    bench.broker.refuse_connections(None);
    bench.broker.require_credentials("u", "p");
    bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,0").await;
    bench.ok_then("AT+QMTCONN=0,\"c\",\"u\",\"wrong\"", "+QMTCONN: 0,0,4").await;
    bench.line("+QMTSTAT: 0,4").await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,0").await;
    bench.ok_then("AT+QMTCONN=0,\"c\",\"u\",\"p\"", "+QMTCONN: 0,0,0").await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_broker_is_given_up_after_the_packet_timeout() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QMTCFG=\"timeout\",0,9,3,0").await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,0").await;
    bench.modem.black_hole(true);
    let start = Instant::now();
    bench.ok_then("AT+QMTCONN=0,\"c\"", "+QMTCONN: 0,2").await;
    bench.line("+QMTSTAT: 0,4").await;
    assert_eq!(start.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn keep_alive_finds_a_dead_link() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QMTCFG=\"keepalive\",0,60").await;
    bench.ok("AT+QMTCFG=\"qmtping\",0,10").await;
    bench.connect(0).await;
    // Answered pings keep the link for hours.
    tokio::time::sleep(Duration::from_secs(7200)).await;
    bench.host.silence().await;
    bench.modem.black_hole(true);
    let start = Instant::now();
    bench.line("+QMTPING: 0,1").await;
    bench.line("+QMTSTAT: 0,2").await;
    let elapsed = start.elapsed();
    assert!((Duration::from_secs(30)..=Duration::from_secs(90)).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_link_without_keep_alive_stays() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QMTCFG=\"keepalive\",0,0").await;
    bench.connect(0).await;
    bench.modem.black_hole(true);
    tokio::time::sleep(Duration::from_secs(100_000)).await;
    bench.host.silence().await;
}

#[tokio::test(start_paused = true)]
async fn six_clients_and_a_take_over() {
    let mut bench = Bench::quiet(|builder| builder).await;
    for client in 0..6 {
        bench.connect(client).await;
    }
    let states = (0..6).map(|client| format!("+QMTCONN: {client},3\r\n")).collect::<String>();
    bench.host.ask("AT+QMTCONN?", format!("\r\n{states}\r\nOK\r\n")).await;
    bench.ok_then("AT+QMTCLOSE=5", "+QMTCLOSE: 5,0").await;
    bench.ok_then("AT+QMTOPEN=5,\"h\",1883", "+QMTOPEN: 5,0").await;
    bench.host.say("AT+QMTCONN=5,\"c0\"\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTSTAT: 0,1\r\n\r\n+QMTCONN: 5,0,0\r\n").await;
    assert!(bench.broker.kick("c3"));
    bench.line("+QMTSTAT: 3,1").await;
}

#[tokio::test(start_paused = true)]
async fn disconnecting_and_closing() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.ok_then("AT+QMTDISC=0", "+QMTDISC: 0,0").await;
    bench.error("AT+QMTDISC=0").await;
    bench.ok_then("AT+QMTCLOSE=0", "+QMTCLOSE: 0,0").await;
    bench.error("AT+QMTCLOSE=0").await;
    bench.connect(0).await;
    bench.ok_then("AT+QMTCLOSE=0", "+QMTCLOSE: 0,0").await;
    bench.connect(0).await;
    bench.ok("AT+QIDEACT=1").await;
    bench.line("+QMTSTAT: 0,7").await;

    let mut bench = Bench::connected(|builder| builder.quirk(Quirk::NoCloseResultAfterDisconnect)).await;
    bench.ok_then("AT+QMTDISC=0", "+QMTDISC: 0,0").await;
    bench.ok("AT+QMTCLOSE=0").await;
    bench.host.silence().await;
}

#[tokio::test(start_paused = true)]
async fn a_kept_session_delivers_what_it_missed() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QMTCFG=\"session\",0,0").await;
    bench.connect(0).await;
    bench.ok_then("AT+QMTSUB=0,1,\"t\",1", "+QMTSUB: 0,1,0,1").await;
    bench.ok_then("AT+QMTDISC=0", "+QMTDISC: 0,0").await;
    assert_eq!(bench.broker.kept_sessions(), ["c0"]);
    bench.broker.publish_from_outside("t", 1, false, "missed");
    bench.broker.publish_from_outside("t", 0, false, "gone");
    bench.connect(0).await;
    bench.line("+QMTRECV: 0,1,\"t\",\"missed\"").await;
    bench.host.silence().await;
    assert_eq!(bench.broker.ledger().confirmed, [("c0".to_owned(), 1)]);
}
