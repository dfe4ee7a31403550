//! Fibocom's module: the manual's example, logging in, losing and closing [Fibocom MQTT 1.2.6 §1.1–1.4, §1.12, §3].

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{
    Action, Builder, CallForm, Fault, Hook, LossReport, Quirk, Reachability, Reboot, RefusalForm, Vendor,
};

use crate::host::Bench;

/// Echo off, the data call up, and a login set for both clients.
pub(crate) async fn online(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    let mut bench = quiet(|builder| settle(builder.quirk(Quirk::ContextAlreadyUp))).await;
    for client in 1..=2 {
        bench.ok(&format!("AT+MQTTUSER={client},\"\",\"\",\"c{client}\"")).await;
    }
    bench
}

/// Client 1 is connected, with clean session, as `c1`.
pub(crate) async fn connected(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    let mut bench = online(settle).await;
    bench.ok_then("AT+MQTTOPEN=1,\"broker.example\",1883,1,60", "+MQTTOPEN: 1,1").await;
    bench
}

async fn quiet(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    Bench::quiet_of(Vendor::Fibocom, settle).await
}

const OPEN: &str = "AT+MQTTOPEN=1,\"broker.example\",1883,1,60";

#[tokio::test(start_paused = true)]
async fn the_manuals_example() {
    let mut bench = quiet(|builder| builder).await;
    bench.info("AT+COPS?", "+COPS: 0,0,\"CHN-UNICOM\",7").await;
    bench.ok_then("AT+MIPCALL=1", "+MIPCALL: 10.64.0.2").await;
    bench.info("AT+MQTTOPEN?", "+MQTTOPEN: 1,2").await;
    bench.ok("AT+MQTTUSER=1,\"username\",\"passwd\",\"ClientIDStr\"").await;
    bench.ok_then("AT+MQTTOPEN=1,\"MQTT BrokerServer\",1883,0,80", "+MQTTOPEN: 1,1").await;
    bench.broker.publish_from_outside("topic1", 0, true, "Test");
    bench.host.say("AT+MQTTSUB=1,\"topic1\",0\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+MQTTSUB: 1,1\r\n\r\n+MQTTMSG: 1,0,\"topic1\",\"Test\"\r\n").await;
    bench.host.say("AT+MQTTPUB=1,\"topic1\",1,0,\"9\"\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+MQTTPUB: 1,1\r\n\r\n+MQTTMSG: 1,0,\"topic1\",\"9\"\r\n").await;
    bench.ok_then("AT+MQTTUNSUB=1,\"topic1\"", "+MQTTUNSUB: 1,1").await;
    bench.ok("AT+MQTTWILL=1,\"topic1\",1,1,\"Tell you, I'm dead.\"").await;
    bench.ok_then("AT+MQTTCLOSE=1", "+MQTTCLOSE: 1,1").await;
    bench.host.silence().await;

    let login = bench.broker.ledger().connects.remove(0);
    assert_eq!(login.client_identifier, "ClientIDStr");
    assert_eq!((login.user.as_deref(), login.password.as_deref()), (Some("username"), Some("passwd")));
    assert_eq!((login.clean_session, login.keep_alive), (false, 80));
    assert_eq!(login.dialled, ("MQTT BrokerServer".to_owned(), 1883));
    assert_eq!(login.will, None, "it was set too late");

    // "When the MQTT connection disconnected unexpected."
    bench.ok_then(OPEN, "+MQTTOPEN: 1,1").await;
    bench.broker.kick("ClientIDStr");
    bench.line("+MQTTBREAK: 1,1").await;
    bench.line("+MQTTCLOSE: 1,1").await;
    let will = bench.broker.ledger().accepted.pop().unwrap();
    assert_eq!(
        (will.topic.as_str(), &will.payload[..], will.qos),
        ("topic1", &b"Tell you, I'm dead."[..], 1)
    );
    assert!(will.retain);
}

#[tokio::test(start_paused = true)]
async fn the_log_of_an_l610() {
    let mut bench = Bench::fresh_of(Vendor::Fibocom, |builder| {
        builder
            .quirk(Quirk::Call(CallForm::OkOnly))
            .quirk(Quirk::Refusal(RefusalForm::StatusAfterOk))
            .quirk(Quirk::LongClientIdentifier)
            .rtt(Duration::from_millis(28))
    });
    let long = "d".repeat(59);
    for (command, answer) in [
        ("AT+CPIN?", "+CPIN: READY\r\n\r\nOK"),
        ("AT+CSQ", "+CSQ: 24,99\r\n\r\nOK"),
        ("AT+CREG?", "+CREG: 0,1\r\n\r\nOK"),
        ("AT+CGDCONT=1,\"IP\",\"UNINET\"", "OK"),
        ("AT+CGATT=1", "OK"),
        ("AT+MIPCALL=1,\"UNINET\"", "OK"),
        ("AT+CGPADDR=1", "+CGPADDR: 1,\"10.64.0.2\"\r\n\r\nOK"),
        (&format!("AT+MQTTUSER=1,\"user\",\"password\",\"{long}\""), "OK"),
        ("AT+MQTTOPEN=1,\"iotda.example\",1883,0,120", "OK\r\n\r\n+MQTTOPEN: 1,1"),
        ("AT+MIPCALL=1,\"UNINET\"", "ERROR"),
    ] {
        bench.host.ask(command, format!("{command}\r\r\n{answer}\r\n")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn test_forms() {
    let mut bench = quiet(|builder| builder).await;
    for line in [
        "+MQTTUSER: (1,2),128,128,23",
        "+MQTTOPEN: (1,2),(\"Remote IP/URL\"),(1-65535),(0,1),(1-300)",
        "+MQTTCLOSE: (1,2)",
        "+MQTTSUB: (1,2),255,(0-2)",
        "+MQTTUNSUB: (1,2),255",
        "+MQTTPUB: (1,2),255,(0-2),(0,1),1024",
        "+MQTTCONF: (0,1)",
        "+MQTTREAD: (1,2)",
        "+MQTTWILL: (1,2),255,(0-2),(0,1),1024",
        "+MIPCALL: (0,1)",
    ] {
        let name = line.split(':').next().unwrap();
        bench.info(&format!("AT{name}=?"), line).await;
        bench.error(&format!("AT{name}")).await;
    }
    for name in ["SUB", "UNSUB", "PUB", "READ"] {
        bench.error(&format!("AT+MQTT{name}?")).await;
    }
    // The command other vendors have (quirk 3.12).
    bench.error("AT+MQTTCONN=1").await;
}

#[tokio::test(start_paused = true)]
async fn logins_and_wills_are_kept_until_a_restart() {
    let mut bench = quiet(|builder| builder).await;
    bench.ok("AT+MQTTUSER?").await;
    bench.ok("AT+MQTTWILL?").await;
    bench.ok("AT+MQTTUSER=2,\"u\",\"p\"").await;
    bench.info("AT+MQTTUSER?", "+MQTTUSER: 2,\"u\",\"p\"").await;
    bench.ok("AT+MQTTUSER=1,\"v\",\"\",\"id\"").await;
    bench
        .host
        .ask("AT+MQTTUSER?", "\r\n+MQTTUSER: 1,\"v\",\"\",\"id\"\r\n+MQTTUSER: 2,\"u\",\"p\"\r\n\r\nOK\r\n")
        .await;
    bench.ok("AT+MQTTWILL=1,\"t\",2,0,\"\"").await;
    bench.info("AT+MQTTWILL?", "+MQTTWILL: 1,\"t\",2,0,\"\"").await;
    for wrong in
        ["0,\"\",\"\"", "3,\"\",\"\"", "1,u,\"\"", "1,\"u\"", "1,\"\",\"\",\"\"", "1,\"\",\"\",\"i\",1"]
    {
        bench.error(&format!("AT+MQTTUSER={wrong}")).await;
    }
    for wrong in
        ["1,\"\",0,0,\"m\"", "1,\"t\",3,0,\"m\"", "1,\"t\",0,2,\"m\"", "1,\"t\",0,0,m", "1,\"t\",0,0,5"]
    {
        bench.error(&format!("AT+MQTTWILL={wrong}")).await;
    }
    let (name, longer) = ("n".repeat(128), "n".repeat(129));
    let (id, longer_id) = ("i".repeat(23), "i".repeat(24));
    bench.ok(&format!("AT+MQTTUSER=1,\"{name}\",\"{name}\",\"{id}\"")).await;
    bench.error(&format!("AT+MQTTUSER=1,\"{longer}\",\"\"")).await;
    bench.error(&format!("AT+MQTTUSER=1,\"\",\"{longer}\"")).await;
    bench.error(&format!("AT+MQTTUSER=1,\"\",\"\",\"{longer_id}\"")).await;
    let (topic, text) = ("t".repeat(255), "m".repeat(1024));
    bench.ok(&format!("AT+MQTTWILL=2,\"{topic}\",0,0,\"{text}\"")).await;
    bench.error(&format!("AT+MQTTWILL=2,\"{topic}t\",0,0,\"m\"")).await;
    bench.error(&format!("AT+MQTTWILL=2,\"t\",0,0,\"{text}m\"")).await;
    bench.error("AT+MQTTWILL=2,\"t\u{fc}r\",0,0,\"m\"").await;
    bench.modem.reboot(Reboot::Loud);
    bench.line("AT READY").await;
    bench.line("+SIM READY").await;
    bench.host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    bench.ok("AT+MQTTUSER?").await;
    bench.ok("AT+MQTTWILL?").await;
    bench.info("AT+MIPCALL?", "+MIPCALL: 0").await;

    let mut bench = quiet(|builder| builder.quirk(Quirk::LongClientIdentifier)).await;
    bench.ok(&format!("AT+MQTTUSER=1,\"\",\"\",\"{}\"", "i".repeat(59))).await;
    let mut bench = quiet(|builder| builder.quirk(Quirk::WillWithLength)).await;
    bench.error("AT+MQTTWILL=1,\"t\",0,0,\"m\"").await;
    bench.host.ask("AT+MQTTWILL=1,\"t\",0,1,2", ">\r\n").await;
    bench.host.say("\r\n").await;
    bench.host.hear("\r\nOK\r\n").await;
    bench.info("AT+MQTTWILL?", "+MQTTWILL: 1,\"t\",0,1,\"\r\n\"").await;
}

#[tokio::test(start_paused = true)]
async fn the_pin_comes_first() {
    let mut bench = quiet(|builder| builder.sim_pin("1234")).await;
    bench.error("AT+MQTTOPEN=?").await;
    bench.error("AT+MIPCALL=1").await;
    bench.ok("AT+CMEE=1").await;
    bench.host.ask("AT+MQTTCONF?", "\r\n+CME ERROR: 11\r\n").await;
    bench.host.ask("AT+CPIN=1234", "\r\nOK\r\n\r\n+CPIN: READY\r\n").await;
    bench.info("AT+MQTTCONF?", "+MQTTCONF: 0").await;
}

#[tokio::test(start_paused = true)]
async fn the_data_call() {
    let mut bench = quiet(|builder| builder).await;
    for wrong in ["2", "1,apn", "0,\"apn\"", "1,\"a\",\"u\",\"p\",1"] {
        bench.error(&format!("AT+MIPCALL={wrong}")).await;
    }
    bench.info("AT+MIPCALL?", "+MIPCALL: 0").await;
    bench.modem.refuse_pdp(true);
    bench.error("AT+MIPCALL=1,\"UNINET\"").await;
    bench.modem.refuse_pdp(false);
    bench.ok_then("AT+MIPCALL=1,\"UNINET\",\"u\",\"p\"", "+MIPCALL: 10.64.0.2").await;
    bench.error("AT+MIPCALL=1,\"UNINET\"").await;
    bench.info("AT+MIPCALL?", "+MIPCALL: 1,10.64.0.2").await;
    bench.info("AT+CGPADDR=1", "+CGPADDR: 1,\"10.64.0.2\"").await;
    bench.info("AT+CGDCONT?", "+CGDCONT: 1,\"IP\",\"UNINET\",\"\",0,0").await;
    bench.ok_then("AT+MIPCALL=0", "+MIPCALL: 0").await;
    for (form, answer) in [
        (CallForm::OkOnly, "\r\nOK\r\n"),
        (CallForm::WithState, "\r\nOK\r\n\r\n+MIPCALL: 1,10.64.0.2\r\n"),
        (CallForm::StateOnly, "\r\nOK\r\n\r\n+MIPCALL:1\r\n"),
        (CallForm::Ipv6, "\r\nOK\r\n\r\n+MIPCALL: 2001:DB8:0:1:0:0:0:2\r\n"),
    ] {
        let mut bench = quiet(|builder| builder.quirk(Quirk::Call(form))).await;
        bench.host.ask("AT+MIPCALL=1", answer).await;
        bench.host.silence().await;
    }
    let mut bench = quiet(|builder| builder.quirk(Quirk::CallLossWithoutPlus)).await;
    bench.ok_then("AT+MIPCALL=1", "+MIPCALL: 10.64.0.2").await;
    bench.modem.drop_pdp();
    bench.line("MIPCALL: 0").await;
}

#[tokio::test(start_paused = true)]
async fn opening_needs_a_call_and_a_login() {
    let mut bench = quiet(|builder| builder.imei("490154203237518")).await;
    bench.error(OPEN).await;
    bench.ok("AT+MQTTUSER=1,\"\",\"\"").await;
    bench.ok_then(OPEN, "+MQTTOPEN: 1,0").await;
    bench.ok_then("AT+MIPCALL=1", "+MIPCALL: 10.64.0.2").await;
    let long = "h".repeat(256);
    for wrong in [
        "0,\"h\",1883,1,60",
        "3,\"h\",1883,1,60",
        "1,\"\",1883,1,60",
        "1,h,1883,1,60",
        "1,\"h\",0,1,60",
        "1,\"h\",65536,1,60",
        "1,\"h\",1883,2,60",
        "1,\"h\",1883,1,0",
        "1,\"h\",1883,1,301",
        "1,\"h\",1883,1",
        "1,\"h\",1883,1,60,0",
    ] {
        bench.error(&format!("AT+MQTTOPEN={wrong}")).await;
    }
    bench.error(&format!("AT+MQTTOPEN=1,\"{long}\",1883,1,60")).await;
    bench.ok_then(OPEN, "+MQTTOPEN: 1,1").await;
    bench.error(OPEN).await;
    let login = bench.broker.ledger().connects.remove(0);
    assert_eq!((login.client_identifier.as_str(), login.user), ("490154203237518", None));
}

#[tokio::test(start_paused = true)]
async fn two_clients_are_listed_as_free_or_in_use() {
    let mut bench = online(|builder| builder).await;
    bench.info("AT+MQTTCLOSE?", "+MQTTCLOSE: 0").await;
    bench.ok_then(OPEN, "+MQTTOPEN: 1,1").await;
    bench.info("AT+MQTTOPEN?", "+MQTTOPEN: 2").await;
    bench.info("AT+MQTTCLOSE?", "+MQTTCLOSE: 1").await;
    bench.ok_then("AT+MQTTOPEN=2,\"h\",1,1,300", "+MQTTOPEN: 2,1").await;
    bench.info("AT+MQTTOPEN?", "+MQTTOPEN: 0").await;
    bench.info("AT+MQTTCLOSE?", "+MQTTCLOSE: 1,2").await;
    for wrong in ["0", "3", "\"1\"", "1,1"] {
        bench.error(&format!("AT+MQTTCLOSE={wrong}")).await;
    }
    bench.ok_then("AT+MQTTCLOSE=1", "+MQTTCLOSE: 1,1").await;
    bench.error("AT+MQTTCLOSE=1").await;
    assert_eq!(bench.broker.connected(), ["c2"]);
}

#[tokio::test(start_paused = true)]
async fn refused_logins_have_the_codes_of_the_manual() {
    let mut bench = online(|builder| builder).await;
    for code in 1..=5 {
        bench.broker.refuse_connections(Some(code));
        bench.host.ask(OPEN, format!("\r\nERROR: {}\r\n", 699 + u32::from(code))).await;
        bench.info("AT+MQTTOPEN?", "+MQTTOPEN: 1,2").await;
    }
    bench.host.silence().await;
    for (form, answer) in [
        (RefusalForm::StatusAfterOk, "\r\nOK\r\n\r\n+MQTTOPEN: 1,0\r\n"),
        (RefusalForm::CodeAfterOk, "\r\nOK\r\n\r\nERROR: 703\r\n"),
        (RefusalForm::Bare, "\r\nERROR\r\n"),
        (RefusalForm::Cme, "\r\n+CME ERROR: 703\r\n"),
    ] {
        let mut bench = online(|builder| builder.quirk(Quirk::Refusal(form))).await;
        bench.broker.require_credentials("u", "p");
        bench.host.ask(OPEN, answer).await;
        bench.host.silence().await;
        bench.ok("AT+MQTTUSER=1,\"u\",\"p\"").await;
        bench.ok_then(OPEN, "+MQTTOPEN: 1,1").await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_is_answered_within_a_second() {
    let mut bench =
        online(|builder| builder.rtt(Duration::from_millis(1400)).turnaround(Duration::ZERO)).await;
    let start = Instant::now();
    bench.host.ask(OPEN, "\r\nOK\r\n").await;
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    bench.error(OPEN).await;
    bench.info("AT+MQTTCLOSE?", "+MQTTCLOSE: 1").await;
    bench.line("+MQTTOPEN: 1,1").await;
    assert_eq!(start.elapsed(), Duration::from_millis(2800), "one round trip to connect and one to log in");

    // Too late for the code of a refusal.
    bench.broker.refuse_connections(Some(5));
    bench.ok_then("AT+MQTTOPEN=2,\"h\",1,1,60", "+MQTTOPEN: 2,0").await;
}

#[tokio::test(start_paused = true)]
async fn a_login_can_be_broken_off() {
    let mut bench = online(|builder| builder.rtt(Duration::from_secs(3))).await;
    bench.host.ask(OPEN, "\r\nOK\r\n").await;
    bench.host.say("AT+MQTTCLOSE=1\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+MQTTOPEN: 1,0\r\n\r\n+MQTTCLOSE: 1,1\r\n").await;
    bench.host.ask(OPEN, "\r\nOK\r\n").await;
    bench.modem.drop_pdp();
    bench.line("+MIPCALL: 0").await;
    bench.line("+MQTTOPEN: 1,0").await;
    bench.host.silence().await;
}

#[tokio::test(start_paused = true)]
async fn why_a_client_does_not_open() {
    let mut bench = online(|builder| builder).await;
    for reachability in [Reachability::NameUnknown, Reachability::Refused] {
        bench.broker.set_reachability(reachability);
        bench.ok_then(OPEN, "+MQTTOPEN: 1,0").await;
    }
    bench.broker.set_reachability(Reachability::Silent);
    let start = Instant::now();
    bench.ok_then(OPEN, "+MQTTOPEN: 1,0").await;
    assert_eq!(start.elapsed().as_secs(), 20);
    bench.broker.set_reachability(Reachability::Reachable);
    bench.ok_then(OPEN, "+MQTTOPEN: 1,1").await;
}

#[tokio::test(start_paused = true)]
async fn the_three_causes_of_a_break() {
    let mut bench = connected(|builder| builder.quirk(Quirk::Loss(LossReport::BreakOnly))).await;
    bench.broker.kick("c1");
    bench.line("+MQTTBREAK: 1,1").await;
    bench.ok_then(OPEN, "+MQTTOPEN: 1,1").await;
    bench.ok_then("AT+MQTTOPEN=2,\"h\",1883,1,60", "+MQTTOPEN: 2,1").await;
    bench.modem.drop_pdp();
    bench.line("+MIPCALL: 0").await;
    bench.line("+MQTTBREAK: 1,2").await;
    bench.line("+MQTTBREAK: 2,2").await;
    bench.ok_then(OPEN, "+MQTTOPEN: 1,0").await;
    bench.ok_then("AT+MIPCALL=1", "+MIPCALL: 10.64.0.2").await;
    bench.ok_then(OPEN, "+MQTTOPEN: 1,1").await;
    bench.modem.set_registration(0);
    bench.line("+MIPCALL: 0").await;
    bench.line("+MQTTBREAK: 1,3").await;
    bench.error("AT+MIPCALL=1").await;
    bench.modem.set_registration(1);
    bench.ok_then("AT+MIPCALL=1", "+MIPCALL: 10.64.0.2").await;
    bench.ok_then(OPEN, "+MQTTOPEN: 1,1").await;
    bench.host.ask("AT+MIPCALL=0", "\r\nOK\r\n\r\n+MIPCALL: 0\r\n\r\n+MQTTBREAK: 1,2\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn other_reports_of_a_loss() {
    for (form, line) in [(LossReport::CloseOnly, "+MQTTCLOSE: 1,1"), (LossReport::Lose, "+MQTTLOSE: 1, 1")] {
        let mut bench = connected(|builder| builder.quirk(Quirk::Loss(form))).await;
        bench.modem.kick(0);
        bench.line(line).await;
        bench.host.silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn keep_alive_finds_a_dead_link() {
    let mut bench = connected(|builder| builder).await;
    tokio::time::sleep(Duration::from_secs(7200)).await;
    bench.host.silence().await;
    bench.modem.black_hole(true);
    let start = Instant::now();
    bench.line("+MQTTBREAK: 1,1").await;
    bench.line("+MQTTCLOSE: 1,1").await;
    let elapsed = start.elapsed();
    assert!((Duration::from_secs(30)..=Duration::from_secs(90)).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn faults_strike_as_with_every_vendor() {
    let mut bench = online(|builder| builder).await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Swap).command("+MQTTOPEN"));
    bench.host.ask(OPEN, "\r\n+MQTTOPEN: 1,1\r\n\r\nOK\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::BetweenFinalAndResult, Action::Silence).command("+MQTTCLOSE"));
    bench.ok("AT+MQTTCLOSE=1").await;
    bench.host.silence().await;
    let late = Duration::from_secs(35);
    bench.modem.inject_fault(Fault::new(Hook::BetweenFinalAndResult, Action::Delay(late)));
    let start = Instant::now();
    bench.ok_then(OPEN, "+MQTTOPEN: 1,1").await;
    assert!(start.elapsed() >= late);
    bench.modem.inject_fault(Fault::new(Hook::BeforePrompt, Action::Delay(late)));
    let start = Instant::now();
    bench.host.ask("AT+MQTTPUB=1,\"t\",0,0,1", ">\r\n").await;
    assert!(start.elapsed() >= late);
    bench.host.say("x").await;
    bench.host.hear("\r\nOK\r\n\r\n+MQTTPUB: 1,1\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::MidPayload(2), Action::Reboot(Reboot::Loud)));
    bench.host.ask("AT+MQTTPUB=1,\"t\",0,0,3", ">\r\n").await;
    bench.host.say("xyz").await;
    bench.line("AT READY").await;
    bench.line("+SIM READY").await;
    assert!(bench.broker.connected().is_empty());
    let mut bench = Bench::fresh_of(Vendor::Fibocom, |builder| builder.quirk(Quirk::UrcBeforeAnswer));
    bench.host.ask("AT", "AT\r\r\n+SIM READY\r\n\r\nOK\r\n").await;
}
