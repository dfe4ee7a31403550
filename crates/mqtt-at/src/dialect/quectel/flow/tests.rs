//! Cleaning up, the data connection and taking leave, as conversations in wire order.

use super::*;
use crate::dialect::quectel::script::Host;
use crate::error::Fault;

async fn prepare_by(script: &str) -> Result<()> {
    Host::default().converse(script, async |port| close_former(&port).await).await
}

async fn activate_by(options: ModemOptions, script: &str) -> Result<()> {
    Host::default().converse(script, async |port| activate(&port, &options).await).await
}

async fn disconnect_by(script: &str) -> Result<()> {
    Host::default().converse(script, async |port| disconnect(&port, 0).await).await
}

#[tokio::test(start_paused = true)]
async fn nothing_was_left_open() {
    prepare_by(">> AT+QMTCONN?\n<< OK\n>> AT+QMTOPEN?\n<< OK").await.unwrap();
    prepare_by(">> AT+QMTCONN?\n<< ERROR\n>> AT+QMTOPEN?\n<< ERROR").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_former_host_left_open_is_closed() {
    let script = r#"
        >> AT+QMTCONN?
        << +QMTCONN: 0,3
        << +QMTCONN: 1,3
        << OK
        >> AT+QMTDISC=0
        << OK
        << +QMTDISC: 0,0
        >> AT+QMTDISC=1
        << ERROR
        >> AT+QMTOPEN?
        << +QMTOPEN: 1,"h",1883
        << OK
        >> AT+QMTCLOSE=1
        << OK
        << +QMTCLOSE: 1,0
        >> AT+QMTOPEN?
        << +QMTOPEN: 5,"h",1883
        << OK
        >> AT+QMTCLOSE=5
        << ERROR
    "#;
    prepare_by(script).await.unwrap();
}

/// BG95 never tells that a client is closed after it has disconnected.
#[tokio::test(start_paused = true)]
async fn a_result_that_does_not_come_is_no_reason_not_to_go_on() {
    let script = r#"
        >> AT+QMTCONN?
        << +QMTCONN: 0,3
        << OK
        >> AT+QMTDISC=0
        << OK
        << +QMTDISC: 0,0
        >> AT+QMTOPEN?
        << +QMTOPEN: 0,"h",1883
        << OK
        >> AT+QMTCLOSE=0
        << OK
    "#;
    prepare_by(script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn reports_come_out_of_every_port_where_the_firmware_lets_them() {
    for answer in ["OK", "ERROR", "+CME ERROR: 50"] {
        let script = format!(">> AT+QURCCFG=\"urcport\",\"all\"\n<< {answer}");
        Host::default().converse(&script, async |port| hear_reports(&port).await).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_context_that_is_active_is_taken_over() {
    let active = ">> AT+QIACT?\n<< +QIACT: 1,1,1,\"10.3.118.130\"\n<< OK\n";
    activate_by(ModemOptions::new(), active).await.unwrap();
    let options = || ModemOptions::new().apn("wsim").pdp_credentials("u", "hush");
    let set = ">> AT+QICSGP=1,1,\"wsim\",\"u\",\"hush\",1\n<< ERROR\n";
    activate_by(options(), &format!("{set}{active}")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_context_is_activated() {
    let active = ">> AT+QIACT?\n<< +QIACT: 1,1,1,\"10.3.118.130\"\n<< OK\n";
    let inactive = ">> AT+QIACT?\n<< +QIACT: 2,1,1,\"10.0.0.1\"\n<< OK\n";
    // Activating may be refused because the module has just done it by itself.
    for answer in ["OK", "ERROR"] {
        let script = format!("{inactive}>> AT+QIACT=1\n<< {answer}\n{active}");
        activate_by(ModemOptions::new(), &script).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn why_there_is_no_data_connection() {
    let inactive = ">> AT+QIACT?\n<< OK\n";
    let refused = format!("{inactive}>> AT+QIACT=1\n<< ERROR\n{inactive}>> AT+QIGETERROR\n");
    for (script, words) in [
        (
            format!("{refused}<< +QIGETERROR: 572,operation not allowed\n<< OK"),
            "the data connection was refused: operation not allowed (code 572)",
        ),
        (
            format!("{refused}<< ERROR"),
            "the data connection was refused: the module refused the command without a reason",
        ),
        (
            format!(
                "{inactive}>> AT+QIACT=1\n<< OK\n>> AT+QIACT?\n<< +QIACT: 1,1,1\n<< OK\n>> AT+QIGETERROR\n<< ERROR"
            ),
            "the data connection was refused: the module got no address",
        ),
    ] {
        let error = activate_by(ModemOptions::new(), &script).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.fault()), (words, Fault::Network));
    }
}

#[tokio::test(start_paused = true)]
async fn firmware_without_qiact_uses_the_standard_s_commands() {
    let script = r#"
        >> AT+QICSGP=1,1,"apn","","",0
        << ERROR
        >> AT+QIACT?
        << ERROR
        >> AT+CGDCONT=1,"IP","apn"
        << OK
        >> AT+CGACT=1,1
        << OK
        >> AT+CGPADDR=1
        << +CGPADDR: 1,"10.0.0.1"
        << OK
    "#;
    activate_by(ModemOptions::new().apn("apn"), script).await.unwrap();
    // Opening a connection tells what a module without any of them has to say.
    let script = ">> AT+QIACT?\n<< ERROR\n>> AT+CGACT=1,1\n<< ERROR\n>> AT+CGPADDR=1\n<< ERROR";
    activate_by(ModemOptions::new(), script).await.unwrap();
    let script =
        ">> AT+QIACT?\n<< ERROR\n>> AT+CGACT=1,1\n<< ERROR\n>> AT+CGPADDR=1\n<< +CGPADDR: 1,0.0.0.0\n<< OK";
    let error = activate_by(ModemOptions::new(), script).await.unwrap_err();
    assert_eq!(error.to_string(), "the data connection was refused: the module got no address");
}

#[tokio::test(start_paused = true)]
async fn leaving() {
    let asked = ">> AT+QMTDISC=0\n<< OK\n";
    disconnect_by(&format!("{asked}<< +QMTDISC: 0,0")).await.unwrap();
    // The report that the connection ended says the same.
    disconnect_by(&format!("{asked}<< +QMTSTAT: 0,5")).await.unwrap();
    let close =
        ">> AT+QMTOPEN?\n<< +QMTOPEN: 0,\"h\",1883\n<< OK\n>> AT+QMTCLOSE=0\n<< OK\n<< +QMTCLOSE: 0,0";
    let error = disconnect_by(&format!("{asked}<< +QMTDISC: 0,-1\n{close}")).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+QMTDISC: the connection could not be closed (code -1)");
    assert!(disconnect_by(&format!(">> AT+QMTDISC=0\n<< ERROR\n{close}")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn closing_asks_only_for_what_is_open() {
    let close_by =
        async |script: &str| Host::default().converse(script, async |port| close(&port, 2).await).await;
    close_by(">> AT+QMTOPEN?\n<< +QMTOPEN: 0,\"h\",1883\n<< OK").await;
    close_by(">> AT+QMTOPEN?\n<< +QMTOPEN: 2,\"h\",1883\n<< OK\n>> AT+QMTCLOSE=2\n<< OK\n<< +QMTCLOSE: 2,0")
        .await;
    close_by(">> AT+QMTOPEN?\n<< ERROR\n>> AT+QMTCLOSE=2\n<< ERROR").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_is_connected_if_the_module_lists_it_as_that() {
    let asked = async |answers: &str| {
        let script = format!(">> AT+QMTCONN?\n{answers}");
        Host::default().converse(&script, async |port| is_connected(&port, 1).await).await.unwrap()
    };
    assert_eq!(asked("<< +QMTCONN: 0,1\n<< +QMTCONN: 1,3\n<< OK").await, Some(true));
    for others in ["<< +QMTCONN: 0,3\n", "<< +QMTCONN: 0,3\n<< +QMTCONN: 1,4\n", ""] {
        assert_eq!(asked(&format!("{others}<< OK")).await, Some(false), "{others}");
    }
    assert_eq!(asked("<< ERROR").await, None, "a module that cannot tell");
}
