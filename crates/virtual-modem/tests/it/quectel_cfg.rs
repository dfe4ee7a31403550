//! `AT+QMTCFG`: every key, its default, its range, and when it is refused [EC200x MQTT 1.0 §3.2.1].

use crate::host::Bench;

/// Key, default, a value that is accepted, how that is queried, and values that are refused.
const KEYS: &[(&str, &str, &str, &str, &[&str])] = &[
    ("version", "3", "4", "4", &["2", "5", "\"4\"", "4,4"]),
    ("pdpcid", "1", "15", "15", &["0", "16"]),
    ("ssl", "0", "1,5", "1,5", &["2,0", "1", "1,6"]),
    ("keepalive", "120", "3600", "3600", &["-1", "3601", ""]),
    ("session", "1", "0", "0", &["2"]),
    ("timeout", "5,3,0", "60,10,1", "60,10,1", &["0,3,0", "61,3,0", "5,11,0", "5,3,2", "5", "5,3"]),
    (
        "will",
        "0",
        "1,2,1,\"w\",\"bye, all\"",
        "1,2,1,\"w\",\"bye, all\"",
        &["2", "1", "1,0,0,\"\",\"m\"", "1,3,0,\"w\",\"m\"", "0,0,0,\"w\",\"m\""],
    ),
    ("recv/mode", "0,0", "1,1", "1,1", &["2,0", "0,2", "0,0,0"]),
    (
        "aliauth",
        "\"\",\"\",\"\"",
        "\"p\",\"d\",\"s\"",
        "\"p\",\"d\",\"s\"",
        &["\"p\"", "\"p\",\"d\"", "p,d,s"],
    ),
    ("qmtping", "5", "60", "60", &["4", "61"]),
    ("send/mode", "0", "1", "1", &["2"]),
    ("onenet", "\"\",\"\"", "\"p\",\"k\"", "\"p\",\"k\"", &["\"p\"", "\"p\",\"k\",\"x\""]),
    ("hwauth", "\"\",\"\"", "\"d\",\"s\",1", "\"d\",\"s\",1", &["\"d\"", "\"d\",\"s\",2"]),
    (
        "hwprodid",
        "\"\",\"\",\"\"",
        "\"p\",\"s\",\"n\"",
        "\"p\",\"s\",\"n\"",
        &["\"p\",\"s\"", "\"p\",\"s\",\"n\",2"],
    ),
    ("dataformat", "0,0", "1,1", "1,1", &["0", "2,0", "0,2"]),
    ("view/mode", "0", "1", "1", &["2"]),
];

#[tokio::test(start_paused = true)]
async fn every_key_is_set_and_read_back() {
    let mut bench = Bench::quiet(|builder| builder).await;
    for (key, default, value, read_back, refused) in KEYS {
        for client in [0, 5] {
            let query = format!("AT+QMTCFG=\"{key}\",{client}");
            bench.info(&query, &format!("+QMTCFG: \"{key}\",{default}")).await;
            for wrong in *refused {
                bench.error(&format!("{query},{wrong}")).await;
            }
            bench.info(&query, &format!("+QMTCFG: \"{key}\",{default}")).await;
            bench.ok(&format!("{query},{value}")).await;
            bench.info(&query, &format!("+QMTCFG: \"{key}\",{read_back}")).await;
        }
        bench.error(&format!("AT+QMTCFG=\"{key}\",6")).await;
        bench.error(&format!("AT+QMTCFG=\"{key}\"")).await;
    }
    bench.error("AT+QMTCFG=\"nothing\",0").await;
    let settings = bench.modem.settings();
    assert!(settings.contains(&("5/keepalive".to_owned(), "3600".to_owned())), "{settings:?}");
}

#[tokio::test(start_paused = true)]
async fn the_test_command_lists_all_seventeen() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.host.say("AT+QMTCFG=?\r").await;
    let text = bench.host.hear_until("\r\n\r\nOK\r\n").await;
    let lines: Vec<&str> =
        text.trim_end_matches("\r\n\r\nOK\r\n").split("\r\n").filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 17);
    assert_eq!(lines[0], "+QMTCFG: \"version\",(0-5),(3,4)");
    assert_eq!(lines[7], "+QMTCFG: \"willex\",(0-5),(0,1),(0-2),(0,1),\"willtopic\",(0-256)");
    assert_eq!(lines[16], "+QMTCFG: \"view/mode\",(0-5),(0,1)");
}

#[tokio::test(start_paused = true)]
async fn the_message_of_a_will_by_length() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.error("AT+QMTCFG=\"willex\",0,1,0,0,\"w\",257").await;
    bench.host.ask("AT+QMTCFG=\"willex\",0,1,1,1,\"w\",4", "\r\n> ").await;
    bench.host.say("\"\r\n\0").await;
    bench.host.hear("\r\nOK\r\n").await;
    bench.info("AT+QMTCFG=\"willex\",0", "+QMTCFG: \"willex\",1,1,1,\"w\",4").await;
    bench.connect(0).await;
    let will = bench.broker.ledger().connects[0].will.clone().unwrap();
    assert_eq!(will, ("w".to_owned(), "\"\r\n\0".into(), 1, true));
    bench.modem.kick(0);
    bench.line("+QMTSTAT: 0,1").await;
    assert_eq!(bench.broker.ledger().wills, ["c0"]);
    assert_eq!(bench.broker.retained(), [("w".to_owned(), "\"\r\n\0".into())]);
    bench.ok("AT+QMTCFG=\"willex\",0,0").await;
    bench.info("AT+QMTCFG=\"willex\",0", "+QMTCFG: \"willex\",0").await;
}

#[tokio::test(start_paused = true)]
async fn a_connected_client_keeps_its_settings() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.error("AT+QMTCFG=\"keepalive\",0,60").await;
    bench.info("AT+QMTCFG=\"keepalive\",0", "+QMTCFG: \"keepalive\",120").await;
    bench.ok("AT+QMTCFG=\"keepalive\",1,60").await;
}

#[tokio::test(start_paused = true)]
async fn settings_reach_the_broker() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QMTCFG=\"keepalive\",0,33").await;
    bench.ok("AT+QMTCFG=\"session\",0,0").await;
    bench.ok("AT+QMTCFG=\"hwauth\",0,\"device\",\"secret\"").await;
    bench.ok("AT+QMTCFG=\"ssl\",0,1,0").await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",8883", "+QMTOPEN: 0,0").await;
    bench.ok_then("AT+QMTCONN=0,\"id\"", "+QMTCONN: 0,0,0").await;
    let login = &bench.broker.ledger().connects[0];
    assert_eq!((login.keep_alive, login.clean_session, login.tls), (33, false, true));
    assert_eq!((login.user.as_deref(), login.password.as_deref()), (Some("device"), Some("secret")));
}
