//! Identity, SIM, registration, contexts, clock, restart.

use std::time::Duration;

use virtual_modem::{Entry, Quirk, Reboot};

use crate::host::Bench;

#[tokio::test(start_paused = true)]
async fn identity() {
    let mut bench = Bench::quiet(|builder| builder.model("EC200S").imei("123456789012345")).await;
    bench.host.ask("ATI", "\r\nQuectel\r\nEC200S\r\nRevision: EC200TCNHAR02A09M16\r\n\r\nOK\r\n").await;
    bench.info("AT+CGMI", "Quectel").await;
    bench.info("AT+GMM", "EC200S").await;
    bench.info("AT+CGMR", "EC200TCNHAR02A09M16").await;
    bench.info("AT+GSN", "123456789012345").await;
    bench.info("AT+CIMI", "460001234567890").await;
    bench.info("AT+QCCID", "+QCCID: 89860012345678901234").await;
}

#[tokio::test(start_paused = true)]
async fn three_wrong_pins_lock_the_card() {
    let mut bench = Bench::quiet(|builder| builder.sim_pin("1234")).await;
    bench.ok("AT+CMEE=1").await;
    bench.info("AT+CPIN?", "+CPIN: SIM PIN").await;
    bench.host.ask("AT+CIMI", "\r\n+CME ERROR: 11\r\n").await;
    bench.host.ask("AT+CPIN=\"0000\"", "\r\n+CME ERROR: 16\r\n").await;
    bench.host.ask("AT+CPIN=12", "\r\n+CME ERROR: 50\r\n").await;
    bench.host.ask("AT+CPIN=\"1111\"", "\r\n+CME ERROR: 16\r\n").await;
    bench.host.ask("AT+CPIN=\"2222\"", "\r\n+CME ERROR: 12\r\n").await;
    bench.info("AT+CPIN?", "+CPIN: SIM PUK").await;
    bench.host.ask("AT+CPIN=\"1234\"", "\r\n+CME ERROR: 12\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn the_right_pin_opens_it_until_the_next_restart() {
    let mut bench = Bench::quiet(|builder| builder.sim_pin("1234")).await;
    bench.error("AT+QIACT=1").await;
    bench.ok_then("AT+CPIN=1234", "+CPIN: READY").await;
    bench.info("AT+CPIN?", "+CPIN: READY").await;
    bench.ok("AT+QIACT=1").await;
    bench.modem.reboot(Reboot::Silent);
    tokio::time::sleep(Duration::from_secs(4)).await;
    bench.host.ask("AT+CPIN?", "AT+CPIN?\r\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_and_a_busy_sim() {
    let mut bench = Bench::quiet(|builder| builder.sim_present(false)).await;
    bench.ok("AT+CMEE=2").await;
    bench.host.ask("AT+CPIN?", "\r\n+CME ERROR: SIM not inserted\r\n").await;
    bench.modem.insert_sim();
    bench.line("+CPIN: READY").await;
    bench.modem.remove_sim();
    bench.line("+CPIN: NOT INSERTED").await;
    bench.error("AT+QMTOPEN=9,\"h\",1").await;

    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::SimBusy(Duration::from_secs(3)))).await;
    bench.ok("AT+CMEE=1").await;
    bench.host.ask("AT+CPIN?", "\r\n+CME ERROR: 14\r\n").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    bench.info("AT+CPIN?", "+CPIN: READY").await;
}

#[tokio::test(start_paused = true)]
async fn registration_is_read_and_reported() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.info("AT+CREG?", "+CREG: 0,1").await;
    bench.info("AT+CEREG=?", "+CEREG: (0-2)").await;
    bench.ok("AT+CREG=1").await;
    bench.ok("AT+CEREG=2").await;
    bench.error("AT+CGREG=3").await;
    bench.info("AT+CEREG?", "+CEREG: 2,1,\"1A2B\",\"03C4D5E6\",7").await;
    bench.modem.set_registration(2);
    bench.line("+CREG: 2").await;
    bench.line("+CEREG: 2").await;
    bench.info("AT+COPS?", "+COPS: 0").await;
    bench.modem.set_registration(5);
    bench.line("+CREG: 5").await;
    bench.line("+CEREG: 5,\"1A2B\",\"03C4D5E6\",7").await;
    bench.info("AT+COPS?", "+COPS: 0,0,\"Virtual Mobile\",7").await;
    bench.modem.set_signal(99);
    bench.info("AT+CSQ", "+CSQ: 99,99").await;
}

#[tokio::test(start_paused = true)]
async fn contexts_go_up_and_down() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+QICSGP=1,1,\"internet\",\"u\",\"p\",1").await;
    bench.info("AT+QICSGP=1", "+QICSGP: 1,\"internet\",\"u\",\"p\",1").await;
    bench.info("AT+CGDCONT?", "+CGDCONT: 1,\"IP\",\"internet\",\"\",0,0").await;
    bench.ok("AT+QIACT?").await;
    bench.ok("AT+QIACT=1").await;
    bench.error("AT+QIACT=1").await;
    bench.info("AT+QIGETERROR", "+QIGETERROR: 572,operation not allowed").await;
    bench.info("AT+QIACT?", "+QIACT: 1,1,1,\"10.64.0.2\"").await;
    bench.info("AT+CGACT?", "+CGACT: 1,1").await;
    bench.info("AT+CGPADDR=1", "+CGPADDR: 1,\"10.64.0.2\"").await;
    bench.ok("AT+QIDEACT=1").await;
    bench.info("AT+CGPADDR=1", "+CGPADDR: 1,\"0.0.0.0\"").await;
    bench.modem.refuse_pdp(true);
    bench.error("AT+QIACT=1").await;
    bench.info("AT+QIGETERROR", "+QIGETERROR: 561,open PDP context failed").await;
    bench.ok_then("AT+QMTOPEN=0,\"h\",1883", "+QMTOPEN: 0,3").await;
}

#[tokio::test(start_paused = true)]
async fn the_clock_goes() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok("AT+CCLK=\"26/12/31,23:59:50+00\"").await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    bench.info("AT+CCLK?", "+CCLK: \"27/01/01,00:00:10+00\"").await;
    let mut bench = Bench::quiet(|builder| builder.quirk(Quirk::FourDigitYear)).await;
    bench.ok("AT+CCLK=\"2026/12/31,23:59:50+00\"").await;
    bench.info("AT+CCLK?", "+CCLK: \"2026/12/31,23:59:50+00\"").await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_loses_settings_and_keeps_files() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.host.ask("AT+QFUPL=\"kept\",2", "\r\nCONNECT\r\n").await;
    bench.host.say("ab").await;
    bench.host.hear("\r\n+QFUPL: 2,6162\r\n\r\nOK\r\n").await;
    bench.host.ask("AT+QFUPL=\"RAM:lost\",2", "\r\nCONNECT\r\n").await;
    bench.host.say("ab").await;
    bench.host.hear("\r\n+QFUPL: 2,6162\r\n\r\nOK\r\n").await;
    bench.ok("AT+QMTCFG=\"keepalive\",1,7").await;
    bench.ok("AT+CFUN=1,1").await;
    bench.line("POWERED DOWN").await;
    assert_eq!(bench.broker.connected(), [""; 0]);
    // Nothing is heard while it starts.
    bench.host.say("AT\r").await;
    bench.line("RDY").await;
    for line in ["+CFUN: 1", "+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE", "+QIND: PB DONE"] {
        bench.line(line).await;
    }
    bench.host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    bench.info("AT+QMTCFG=\"keepalive\",1", "+QMTCFG: \"keepalive\",120").await;
    bench.info("AT+QFLST=\"*\"", "+QFLST: \"UFS:kept\",2").await;
    bench.ok("AT+QFLST=\"RAM:*\"").await;
    bench.ok("AT+QMTOPEN?").await;
    assert!(bench.modem.log().iter().any(|record| record.entry == Entry::Reboot));
}

#[tokio::test(start_paused = true)]
async fn power_down_is_for_good() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.ok_then("AT+QPOWD", "POWERED DOWN").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    bench.host.say("AT\r").await;
    bench.host.silence().await;
    bench.modem.reboot(Reboot::Silent);
    tokio::time::sleep(Duration::from_secs(4)).await;
    bench.host.ask("AT", "AT\r\r\nOK\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn the_banner_of_a_module_that_was_switched_on() {
    let mut bench = Bench::fresh(|builder| builder.boot_banner(true).quirk(Quirk::AppReady));
    bench.host.say("AT\r").await;
    bench.line("APP RDY").await;
    bench.line("+CFUN: 1").await;
    let mut bench = Bench::fresh(|builder| builder.quirk(Quirk::BootSilence(Duration::from_secs(30))));
    for _ in 0..6 {
        bench.host.say("AT\r").await;
        bench.host.silence().await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    bench.host.ask("AT", "AT\r\r\nOK\r\n").await;
}
