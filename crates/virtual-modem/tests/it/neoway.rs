//! Neoway's module: the manual's standard process, settings, connecting, losing [Neoway MQTT 1.2 §2, §3, §5, §A, §B].

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{
    Action, AddressForm, Builder, Fault, Hook, PromptForm, Quirk, Reachability, Reboot, Vendor,
};

use crate::host::Bench;

pub(crate) const CONN: &str = "AT+MQTTCONN=\"broker.example:1883\",1,60";

/// Echo off and an address.
pub(crate) async fn online(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    quiet(|builder| settle(builder.quirk(Quirk::ContextAlreadyUp))).await
}

/// The client is connected, with clean session, as `c`.
pub(crate) async fn connected(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    let mut bench = online(settle).await;
    bench.ok("AT+MQTTCONNPARAM=\"c\",\"\",\"\"").await;
    bench.ok(CONN).await;
    bench
}

async fn quiet(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    Bench::quiet_of(Vendor::Neoway, settle).await
}

/// One information line and `OK`, without an empty line between them.
pub(crate) async fn info(bench: &mut Bench, command: &str, line: &str) {
    bench.host.ask(command, format!("\r\n{line}\r\nOK\r\n")).await;
}

#[tokio::test(start_paused = true)]
async fn the_manuals_standard_process() {
    let mut bench = quiet(|builder| builder).await;
    bench.ok("AT").await;
    info(&mut bench, "AT+CPIN?", "+CPIN: READY").await;
    info(&mut bench, "AT+CSQ", "+CSQ: 24, 99").await;
    info(&mut bench, "AT+CREG?", "+CEREG: 0,1").await;
    info(&mut bench, "AT+CGATT?", "+CGATT: 1").await;
    bench.ok("AT+XIIC=1").await;
    info(&mut bench, "AT+XIIC?", "+XIIC: 0,0.0.0.0").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    info(&mut bench, "AT+XIIC?", "+XIIC: 1,10.64.0.2").await;
    bench.ok("AT+MQTTCONNPARAM=\"owen\",\"admin\",\"public\"").await;
    bench.ok("AT+MQTTWILLPARAM=0,1,\"lixystopic\",\"byby\"").await;
    bench.ok("AT+MQTTCONN=\"121.43.166.63:1883\",0,60").await;
    bench.ok("AT+MQTTSUB=\"lixystopic\",1").await;
    bench.host.say("AT+MQTTPUB=0,1,\"lixystopic\",\"this is for testing!\"\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+MQTTSUB:1,\"lixystopic\",20,this is for testing!\r\n").await;
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE: 1").await;
    bench.ok("AT+MQTTDISCONN").await;
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE: 0").await;
    bench.host.silence().await;

    let ledger = bench.broker.ledger();
    let login = &ledger.connects[0];
    assert_eq!(login.client_identifier, "owen");
    assert_eq!((login.user.as_deref(), login.password.as_deref()), (Some("admin"), Some("public")));
    assert_eq!((login.clean_session, login.keep_alive, login.tls), (false, 60, false));
    assert_eq!(login.dialled, ("121.43.166.63".to_owned(), 1883));
    assert_eq!(login.will, Some(("lixystopic".to_owned(), "byby".into(), 1, false)));
    assert_eq!(ledger.wills, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_start_and_the_first_commands() {
    let mut bench = Bench::fresh_of(Vendor::Neoway, |builder| {
        builder.boot_banner(true).quirk(Quirk::BootSilence(Duration::from_secs(15)))
    });
    let start = Instant::now();
    bench.line("MODEM:STARTUP").await;
    assert_eq!(start.elapsed().as_secs(), 15);
    bench.line("+PBREADY").await;
    bench.host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    info(&mut bench, "AT+IPR?", "+IPR: 115200").await;
    bench.error("AT+CSQ?").await;
    info(&mut bench, "AT+CCID", "+CCID: 89860012345678901234").await;
    info(&mut bench, "AT+CGMM", "N720").await;
    bench.ok("AT+CGDCONT=1,\"IP\",\"APN\"").await;

    let mut bench = quiet(|builder| {
        builder
            .quirk(Quirk::PrefixedIdentity)
            .quirk(Quirk::CregUnderItsName)
            .quirk(Quirk::BlankBeforeFinal)
            .quirk(Quirk::StateWithoutSpace)
            .imei("490154203237518")
    })
    .await;
    bench.info("AT+CGMM", "+CGMM: N720").await;
    bench.info("AT+CGSN", "+CGSN: 490154203237518").await;
    bench.info("AT+CREG?", "+CREG: 0,1").await;
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE:0").await;
}

#[tokio::test(start_paused = true)]
async fn the_address_is_asked_for() {
    for (form, without, with) in [
        (AddressForm::Padded, "+XIIC:    0,0.0.0.0", "+XIIC:    1,10.64.0.2"),
        (AddressForm::PaddedWithBlank, "+XIIC:    0, 0.0.0.0", "+XIIC:    1, 10.64.0.2"),
        (AddressForm::TwoLines, "+XIIC: 0,0.0.0.0", "+XIIC: 1,10.64.0.2\r\n+XIIC: 1,2001:DB8:0:1:0:0:0:2"),
    ] {
        let mut bench = quiet(|builder| builder.quirk(Quirk::Address(form))).await;
        info(&mut bench, "AT+XIIC?", without).await;
        bench.ok("AT+XIIC=1").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        info(&mut bench, "AT+XIIC?", with).await;
        info(&mut bench, "AT+XIIC=?", with).await;
    }
    let mut bench = quiet(|builder| builder).await;
    for wrong in ["=2", "=1,1", "=\"1\"", ""] {
        bench.error(&format!("AT+XIIC{wrong}")).await;
    }
    // The network says no: the address never comes.
    bench.modem.refuse_pdp(true);
    bench.ok("AT+XIIC=1").await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    info(&mut bench, "AT+XIIC?", "+XIIC: 0,0.0.0.0").await;
    bench.modem.refuse_pdp(false);
    bench.ok("AT+XIIC=1").await;
    bench.ok("AT+XIIC=0").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    info(&mut bench, "AT+XIIC?", "+XIIC: 0,0.0.0.0").await;
    bench.ok("AT+MQTTCONNPARAM=\"c\",\"\",\"\"").await;
    bench.error(CONN).await;
}

#[tokio::test(start_paused = true)]
async fn settings_and_their_limits() {
    let mut bench = online(|builder| builder).await;
    info(&mut bench, "AT+MQTTCONNPARAM=?", "+MQTTCONNPARAM: <cliendid>,<username>,<password>").await;
    info(&mut bench, "AT+MQTTWILLPARAM=?", "+MQTTWILLPARAM: <retained>,<qos>,<topicname>,<message>").await;
    bench.ok("AT+MQTTCONN=?").await;
    bench.ok("AT+MQTTSUB=?").await;
    info(&mut bench, "AT+MQTTCONNPARAM?", "+MQTTCONNPARAM:\"\",\"\",\"\"").await;
    info(&mut bench, "AT+MQTTWILLPARAM?", "+MQTTWILLPARAM:0,0,\"\",\"\"").await;
    bench.error(CONN).await;
    let (id, user) = ("i".repeat(256), "u".repeat(512));
    bench.ok(&format!("AT+MQTTCONNPARAM=\"{id}\",\"{user}\",\"{id}\"")).await;
    info(&mut bench, "AT+MQTTCONNPARAM?", &format!("+MQTTCONNPARAM:\"{id}\",\"{user}\",\"{id}\"")).await;
    for wrong in [
        format!("\"{id}i\",\"\",\"\""),
        format!("\"i\",\"{user}u\",\"\""),
        format!("\"i\",\"\",\"{id}i\""),
        "\"\",\"\",\"\"".to_owned(),
        "\"i\",\"\"".to_owned(),
        "\"i\",\"\",\"\",\"\"".to_owned(),
    ] {
        bench.error(&format!("AT+MQTTCONNPARAM={wrong}")).await;
    }
    let (topic, text) = ("t".repeat(128), "m".repeat(1024));
    bench.ok(&format!("AT+MQTTWILLPARAM=1,0,\"{topic}\",\"{text}\"")).await;
    for wrong in [
        format!("0,0,\"{topic}t\",\"m\""),
        format!("0,0,\"t\",\"{text}m\""),
        "2,0,\"t\",\"m\"".to_owned(),
        "0,2,\"t\",\"m\"".to_owned(),
        "0,0,\"\",\"m\"".to_owned(),
        "0,0,\"t\"".to_owned(),
    ] {
        bench.error(&format!("AT+MQTTWILLPARAM={wrong}")).await;
    }
    // The process description has messages without quotes.
    bench.ok("AT+MQTTWILLPARAM=0,1,\"TOPIC\",BYBY").await;
    info(&mut bench, "AT+MQTTWILLPARAM?", "+MQTTWILLPARAM:0,1,\"TOPIC\",\"BYBY\"").await;
    bench.host.ask("AT+MQTTWILLMSG=1,1,\"TOPIC\",3", "\r\n>").await;
    bench.host.say("a\"\r").await;
    bench.host.hear("\r\nOK\r\n").await;
    info(&mut bench, "AT+MQTTWILLPARAM?", "+MQTTWILLPARAM:1,1,\"TOPIC\",\"a\"\r\"").await;
    bench.error("AT+MQTTWILLMSG=1,1,\"TOPIC\",1025").await;
    bench.host.ask("AT+MQTTWILLMSG=1,1,\"TOPIC\",3", "\r\n>").await;
    bench.host.hear("\r\n+MQTTWILLMSG: Timeout!\r\n").await;
    bench.ok(CONN).await;
    bench.error("AT+MQTTWILLPARAM=0,1,\"TOPIC\",BYBY").await;
    bench.error("AT+MQTTWILLMSG=0,1,\"TOPIC\",4").await;
    info(&mut bench, "AT+MQTTCONN?", "+MQTTCONN:\"broker.example:1883\",1,60").await;
    assert!(bench.broker.kick(&id));
    bench.line("+MQTTDISCONNED: Link Closed").await;
    let will = bench.broker.ledger().accepted.pop().unwrap();
    assert_eq!((will.topic.as_str(), &will.payload[..], will.retain), ("TOPIC", &b"a\"\r"[..], true));
    bench.modem.reboot(Reboot::Loud);
    bench.line("MODEM:STARTUP").await;
    bench.line("+PBREADY").await;
    bench.host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    info(&mut bench, "AT+MQTTWILLPARAM?", "+MQTTWILLPARAM:0,0,\"\",\"\"").await;
    bench.error(CONN).await;
}

#[tokio::test(start_paused = true)]
async fn an_n11_wants_a_blank_for_no_login() {
    let mut bench = online(|builder| builder.quirk(Quirk::BlankForNoLogin)).await;
    bench.error("AT+MQTTCONNPARAM=\"imei1\",\"\",\"\"").await;
    bench.ok("AT+MQTTCONNPARAM=\"imei1\",\" \",\" \"").await;
    bench.ok(CONN).await;
    let login = bench.broker.ledger().connects.remove(0);
    assert_eq!((login.user, login.password), (None, None));
}

#[tokio::test(start_paused = true)]
async fn connecting_waits_for_the_broker() {
    let rtt = Duration::from_secs(2);
    let mut bench = online(|builder| builder.rtt(rtt).turnaround(Duration::ZERO)).await;
    for wrong in [
        "\"broker.example\",1,60",
        "\"broker.example:0\",1,60",
        "\"broker.example:65536\",1,60",
        "\"broker.example:+1\",1,60",
        "\":1883\",1,60",
        "\"h:1\",2,60",
        "\"h:1\",1,19",
        "\"h:1\",1,181",
        "\"h:1\",1",
        "\"h:1\",1,60,4",
    ] {
        bench.error(&format!("AT+MQTTCONN={wrong}")).await;
    }
    bench.error(CONN).await;
    bench.ok("AT+MQTTCONNPARAM=\"c\",\"\",\"\"").await;
    let start = Instant::now();
    bench.ok(CONN).await;
    assert_eq!(start.elapsed(), 2 * rtt, "as an N11 takes: one to connect and one to log in");
    bench.error(CONN).await;
    let start = Instant::now();
    bench.ok("AT+MQTTSUB=\"t\",2").await;
    bench.ok("AT+MQTTPUB=0,2,\"u\",x").await;
    bench.ok("AT+MQTTUNSUB=\"t\"").await;
    assert_eq!(start.elapsed(), 4 * rtt);
}

#[tokio::test(start_paused = true)]
async fn why_a_connection_does_not_come_about() {
    let mut bench = online(|builder| builder).await;
    bench.ok("AT+MQTTCONNPARAM=\"c\",\"\",\"\"").await;
    for reachability in [Reachability::NameUnknown, Reachability::Refused, Reachability::Silent] {
        bench.broker.set_reachability(reachability);
        let start = Instant::now();
        bench.error(CONN).await;
        assert!(start.elapsed() < Duration::from_secs(60));
    }
    bench.broker.set_reachability(Reachability::Reachable);
    for code in 1..=5 {
        bench.broker.refuse_connections(Some(code));
        bench.error(CONN).await;
    }
    bench.host.silence().await;
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE: 0").await;
    bench.broker.refuse_connections(None);
    bench.modem.black_hole(true);
    bench.error(CONN).await;
    bench.modem.black_hole(false);
    bench.ok(CONN).await;
}

#[tokio::test(start_paused = true)]
async fn disconnecting_releases_what_was_set() {
    let mut bench = connected(|builder| builder).await;
    bench.error("AT+MQTTDISCONN?").await;
    bench.ok("AT+MQTTDISCONN").await;
    bench.ok("AT+MQTTDISCONN").await;
    bench.host.silence().await;
    assert!(bench.broker.connected().is_empty());
    bench.error(CONN).await;
    bench.ok("AT+MQTTCONNPARAM=\"c\",\"\",\"\"").await;
    bench.ok(CONN).await;
}

#[tokio::test(start_paused = true)]
async fn losses_are_reported_and_nothing_has_to_be_set_again() {
    let mut bench = connected(|builder| builder).await;
    bench.broker.kick("c");
    bench.line("+MQTTDISCONNED: Link Closed").await;
    bench.ok(CONN).await;
    bench.modem.drop_pdp();
    bench.line("+MQTTDISCONNED: Link Closed").await;
    info(&mut bench, "AT+XIIC?", "+XIIC: 0,0.0.0.0").await;
    bench.error(CONN).await;
    bench.ok("AT+XIIC=1").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.ok(CONN).await;
    bench.modem.set_registration(0);
    bench.line("+MQTTDISCONNED: Link Closed").await;
    let mut bench = connected(|builder| builder.quirk(Quirk::DisconnectedWithoutReason)).await;
    bench.modem.black_hole(true);
    bench.line("+MQTTDISCONNED").await;
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE: 0").await;
    // While a command waits for the broker.
    let mut bench = connected(|builder| builder).await;
    bench.broker.withhold_acknowledgements(true);
    bench.host.say("AT+MQTTSUB=\"t\",1\r").await;
    bench.host.silence().await;
    bench.modem.drop_pdp();
    bench.host.hear("\r\n+CMD ERROR: -1\r\n\r\n+MQTTDISCONNED: Link Closed\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn an_n27_restores_its_connection() {
    let mut bench =
        connected(|builder| builder.quirk(Quirk::ReconnectsByItself).rtt(Duration::from_secs(2))).await;
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE: 1").await;
    bench.broker.set_reachability(Reachability::Refused);
    bench.broker.kick("c");
    bench.line("+MQTTDISCONNED: Link Closed").await;
    let mut seen = Vec::new();
    for second in 0..30 {
        if second == 12 {
            bench.broker.set_reachability(Reachability::Reachable);
        }
        bench.host.say("AT+MQTTSTATE?\r").await;
        let answer = bench.host.hear_until("OK\r\n").await;
        let state = answer.chars().find(char::is_ascii_digit).unwrap();
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(seen.iter().collect::<String>(), "232341");
    assert_eq!(bench.broker.connected(), ["c"]);
    bench.ok("AT+MQTTDISCONN").await;
    bench.info("AT+MQTTSTATE?", "+MQTTSTATE: 0").await;
}

#[tokio::test(start_paused = true)]
async fn faults_strike_as_with_every_vendor() {
    let mut bench = connected(|builder| builder).await;
    let late = Duration::from_secs(40);
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Delay(late)).command("+MQTTPUB="));
    let start = Instant::now();
    bench.ok("AT+MQTTPUB=0,1,\"t\",x").await;
    assert!(start.elapsed() >= late);
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Silence).command("+MQTTPUB="));
    bench.host.say("AT+MQTTPUB=0,1,\"t\",x\r").await;
    bench.host.silence().await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Error).command("+MQTTSUB"));
    bench.error("AT+MQTTSUB=\"t\",1").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforePrompt, Action::Error).command("+MQTTPUBS"));
    bench.error("AT+MQTTPUBS=0,1,\"t\",1").await;
    let urc = Action::Urc("\r\n+PBREADY\r\n".into());
    bench.modem.inject_fault(Fault::new(Hook::AfterPrompt, urc));
    bench.host.ask("AT+MQTTPUBS=0,0,\"u\",1", "\r\n>\r\n+PBREADY\r\n").await;
    bench.host.say("x").await;
    bench.host.hear("\r\nOK\r\n").await;
    bench.modem.inject_fault(Fault::new(Hook::MidPayload(2), Action::Reboot(Reboot::Loud)));
    bench.host.ask("AT+MQTTPUBS=0,0,\"u\",3", "\r\n>").await;
    bench.host.say("xyz").await;
    bench.line("MODEM:STARTUP").await;
    bench.line("+PBREADY").await;
    assert!(bench.broker.connected().is_empty());
    for (form, prompt) in [
        (PromptForm::Space, "\r\n> "),
        (PromptForm::Bare, "\r\n>"),
        (PromptForm::Line, "\r\n>\r\n"),
        (PromptForm::NoLineEnd, "> "),
    ] {
        let mut bench = connected(|builder| builder.quirk(Quirk::Prompt(form))).await;
        bench.host.ask("AT+MQTTPUBS=0,0,\"u\",1", prompt).await;
        bench.host.say("x").await;
        bench.host.hear("\r\nOK\r\n").await;
    }
}
