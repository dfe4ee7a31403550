//! SIMCom's service, clients, configuration and staging [A7600 MQTT 1.00 §2.1.1–2.1.7, §2.1.17], and what is around.

use std::time::Duration;

use virtual_modem::{Action, Builder, Fault, Hook, Quirk, SimComQuirk, Vendor};

use crate::host::Bench;

pub(crate) async fn quiet(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    Bench::quiet_of(Vendor::SimCom, settle).await
}

/// The service runs and both clients are acquired, as `c0` and `c1`.
pub(crate) async fn acquired(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    let mut bench = quiet(settle).await;
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
    for client in 0..2 {
        bench.ok(&format!("AT+CMQTTACCQ={client},\"c{client}\"")).await;
    }
    bench
}

/// Client 0 is connected, with clean session.
pub(crate) async fn connected(settle: impl FnOnce(Builder) -> Builder) -> Bench {
    let mut bench = acquired(settle).await;
    connect(&mut bench, 0).await;
    bench
}

pub(crate) async fn connect(bench: &mut Bench, client: usize) {
    bench
        .ok_then(
            &format!("AT+CMQTTCONNECT={client},\"tcp://broker.example:1883\",60,1"),
            &format!("+CMQTTCONNECT: {client},0"),
        )
        .await;
}

/// A command with a prompt, its data and `OK`.
pub(crate) async fn stage(bench: &mut Bench, command: &str, data: impl AsRef<[u8]>) {
    bench.host.ask(command, "\r\n>").await;
    bench.host.say(data).await;
    bench.host.hear("\r\nOK\r\n").await;
}

/// A topic and a payload, each by its length.
pub(crate) async fn stage_message(bench: &mut Bench, client: usize, topic: &str, payload: &[u8]) {
    stage(bench, &format!("AT+CMQTTTOPIC={client},{}", topic.len()), topic).await;
    stage(bench, &format!("AT+CMQTTPAYLOAD={client},{}", payload.len()), payload).await;
}

pub(crate) async fn subscribe(bench: &mut Bench, client: usize, filter: &str, qos: u8) {
    stage(bench, &format!("AT+CMQTTSUB={client},{},{qos}", filter.len()), filter).await;
    bench.line(&format!("+CMQTTSUB: {client},0")).await;
}

/// A command is refused with a code, in a line before `ERROR`.
pub(crate) async fn refused(bench: &mut Bench, command: &str, index: i64, code: u8) {
    let name = command.trim_start_matches("AT").split('=').next().unwrap();
    bench.host.ask(command, format!("\r\n{name}: {index},{code}\r\n\r\nERROR\r\n")).await;
}

pub(crate) fn sim(quirk: SimComQuirk) -> impl FnOnce(Builder) -> Builder {
    move |builder| builder.quirk(Quirk::SimCom(quirk))
}

#[tokio::test(start_paused = true)]
async fn identity_and_surroundings() {
    let mut bench = quiet(|builder| builder.model("A7670E-FASE")).await;
    bench.info("AT+CGMI", "SIMCOM INCORPORATED").await;
    bench.info("AT+CGMM", "A7670E-FASE").await;
    bench
        .info(
            "ATI",
            "Manufacturer: SIMCOM INCORPORATED\r\nModel: A7670E-FASE\r\nRevision: A7600M6_V11.2\r\nIMEI: \
             861234050012347\r\n+GCAP: +CGSM",
        )
        .await;
    bench.info("AT+CICCID", "+ICCID: 89860012345678901234").await;
    bench.info("AT+CREG?", "+CREG: 0,1").await;
    bench.ok("AT+CGSOCKCONT=1,\"IP\",\"CMNET\"").await;
    bench.info("AT+CGSOCKCONT?", "+CGSOCKCONT: 1,\"IP\",\"CMNET\",\"\",0,0").await;
    bench.info("AT+CGPADDR", "+CGPADDR: 1,10.64.0.2").await;
    bench.ok("AT+CGACT=0,1").await;
    bench.info("AT+CGPADDR=1", "+CGPADDR: 1,0.0.0.0").await;
    bench.info("AT+NETOPEN?", "+NETOPEN: 0").await;
    bench.host.ask("AT+IPADDR", "\r\n+IP ERROR: Network not opened\r\n\r\nERROR\r\n").await;
    bench.ok_then("AT+NETOPEN", "+NETOPEN: 0").await;
    bench.host.ask("AT+NETOPEN", "\r\n+IP ERROR: Network is already opened\r\n\r\nERROR\r\n").await;
    bench.info("AT+IPADDR", "+IPADDR: 10.64.0.2").await;
    bench.ok_then("AT+NETCLOSE", "+NETCLOSE: 0").await;
    bench.host.ask("AT+NETCLOSE", "\r\n+NETCLOSE: 2\r\n\r\nERROR\r\n").await;
    bench.error("AT+CPING=\"www.google.com\",1").await;
    bench.host.ask("AT+CSQ?", "\r\n+CME ERROR: operation not supported\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn test_commands_need_no_service_and_all_others_do() {
    let mut bench = quiet(|builder| builder).await;
    for (name, ranges) in [
        ("ACCQ", "(0-1),(1-128)[,(0-1)]"),
        ("REL", "(0-1)"),
        ("SSLCFG", "(0,1),(0-9)"),
        ("WILLTOPIC", "(0-1),(1-1024)"),
        ("WILLMSG", "(0-1),(1-1024),(0-2)"),
        ("CONNECT", "(0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]"),
        ("DISC", "(0-1),(0, 60-180)"),
        ("TOPIC", "(0-1),(1-1024)"),
        ("PAYLOAD", "(0-1),(1-10240)"),
        ("PUB", "(0-1),(0-2),(60-180),(0-1),(0-1)"),
        ("SUBTOPIC", "(0-1),(1-1024),(0-2)"),
        ("SUB", "(0-1),(0-1024),(0-2),(0-1)"),
        ("UNSUBTOPIC", "(0-1),(1-1024)"),
        ("UNSUB", "(0-1),(0-1024),(0-1)"),
    ] {
        bench.info(&format!("AT+CMQTT{name}=?"), &format!("+CMQTT{name}: {ranges}")).await;
    }
    let keys = "+CMQTTCFG: \"checkUTF8\",(0-1),(0-1)\r\n+CMQTTCFG: \"optimeout\",(0-1),(20-120)";
    bench.info("AT+CMQTTCFG=?", keys).await;
    for command in [
        "STOP",
        "ACCQ?",
        "ACCQ=0,\"c\"",
        "REL?",
        "REL=0",
        "SSLCFG?",
        "SSLCFG=0,0",
        "WILLTOPIC=0,1",
        "WILLMSG=0,1,0",
        "CONNECT?",
        "CONNECT=0,\"tcp://h:1883\",60,1",
        "DISC?",
        "DISC=0,60",
        "TOPIC=0,1",
        "PAYLOAD=0,1",
        "PUB=0,0,60",
        "SUBTOPIC=0,1,0",
        "SUB=0",
        "UNSUBTOPIC=0,1",
        "UNSUB=0,0",
        "CFG?",
        "CFG=\"checkUTF8\",0,0",
        "START=?",
        "START?",
        "START=1",
    ] {
        bench.error(&format!("AT+CMQTT{command}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn starting_and_stopping() {
    let mut bench = quiet(|builder| builder).await;
    bench.modem.refuse_pdp(true);
    bench.ok("AT+CGACT=0,1").await;
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 7").await;
    bench.error("AT+CMQTTSTOP").await;
    bench.modem.refuse_pdp(false);
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
    bench.error("AT+CMQTTSTART").await;
    bench.ok("AT+CMQTTACCQ=1,\"c\"").await;
    bench.ok_then("AT+CMQTTSTOP", "+CMQTTSTOP: 21").await;
    bench.ok("AT+CMQTTREL=1").await;
    bench.ok_then("AT+CMQTTSTOP", "+CMQTTSTOP: 0").await;
    bench.error("AT+CMQTTSTOP").await;

    let mut bench = quiet(|builder| builder.sim_pin("1234")).await;
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 7").await;
    bench.host.ask("AT+CPIN=\"1234\"", "\r\nOK\r\n\r\n+CPIN: READY\r\n").await;
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
}

#[tokio::test(start_paused = true)]
async fn clients_are_acquired_and_released() {
    let mut bench = quiet(|builder| builder).await;
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
    let long = "x".repeat(128);
    for (command, index, code) in [
        ("AT+CMQTTACCQ=2,\"c\"", 2, 10),
        ("AT+CMQTTACCQ=-1,\"c\"", -1, 10),
        ("AT+CMQTTACCQ=0,\"\"", 0, 22),
        (&format!("AT+CMQTTACCQ=0,\"{long}x\""), 0, 22),
        ("AT+CMQTTACCQ=0,\"c\",2", 0, 12),
        ("AT+CMQTTREL=0", 0, 20),
        ("AT+CMQTTREL=2", 2, 10),
        ("AT+CMQTTWILLTOPIC=0,1", 0, 20),
        ("AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1", 0, 20),
        ("AT+CMQTTDISC=0,0", 0, 20),
        ("AT+CMQTTPUB=1,0,60", 1, 20),
        ("AT+CMQTTSUB=1", 1, 20),
    ] {
        refused(&mut bench, command, index, code).await;
    }
    for malformed in ["ACCQ=0", "ACCQ=0,c", "ACCQ=\"0\",\"c\"", "ACCQ=0,\"c\",0,4", "REL", "REL=0,0", "ACCQ"]
    {
        bench.error(&format!("AT+CMQTT{malformed}")).await;
    }
    bench.host.say(b"AT+CMQTTACCQ=0,\"\xff\"\r").await;
    bench.host.hear("\r\n+CMQTTACCQ: 0,2\r\n\r\nERROR\r\n").await;
    bench.ok(&format!("AT+CMQTTACCQ=0,\"{long}\"")).await;
    bench.ok("AT+CMQTTACCQ=1,\"client test0\",1").await;
    refused(&mut bench, "AT+CMQTTACCQ=1,\"c\"", 1, 19).await;
    let lines = format!("+CMQTTACCQ: 0,\"{long}\",0\r\n+CMQTTACCQ: 1,\"client test0\",1");
    bench.info("AT+CMQTTACCQ?", &lines).await;
    bench.ok("AT+CMQTTREL?").await;
    bench.ok("AT+CMQTTREL=0").await;
    bench.info("AT+CMQTTACCQ?", "+CMQTTACCQ: 0,\"\",0\r\n+CMQTTACCQ: 1,\"client test0\",1").await;
}

#[tokio::test(start_paused = true)]
async fn configuration_of_a_client() {
    let mut bench = acquired(|builder| builder).await;
    bench.info("AT+CMQTTCFG?", "+CMQTTCFG: 0,1,120\r\n+CMQTTCFG: 1,1,120").await;
    for wrong in [
        "\"checkUTF8\",2,0",
        "\"checkUTF8\",0,2",
        "\"checkUTF8\",0",
        "\"optimeout\",0,19",
        "\"optimeout\",0,121",
        "\"argtopic\",0,1,1",
        "\"version\",0,4",
        "checkUTF8,0,0",
        "\"checkUTF8\",0,0,0",
    ] {
        bench.error(&format!("AT+CMQTTCFG={wrong}")).await;
    }
    bench.ok("AT+CMQTTCFG=\"checkUTF8\",0,0").await;
    bench.ok("AT+CMQTTCFG=\"optimeout\",1,20").await;
    bench.info("AT+CMQTTCFG?", "+CMQTTCFG: 0,0,120\r\n+CMQTTCFG: 1,1,20").await;
    bench.info("AT+CMQTTSSLCFG?", "+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,").await;
    for wrong in ["2,0", "0,10", "0", "0,-1", "0,0,0"] {
        bench.error(&format!("AT+CMQTTSSLCFG={wrong}")).await;
    }
    bench.ok("AT+CMQTTSSLCFG=1,9").await;
    bench.info("AT+CMQTTSSLCFG?", "+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,9").await;
    // Not on a connection, and gone with the client.
    connect(&mut bench, 0).await;
    bench.error("AT+CMQTTCFG=\"checkUTF8\",0,1").await;
    bench.ok("AT+CMQTTREL=1").await;
    bench.error("AT+CMQTTCFG=\"optimeout\",1,20").await;
    bench.info("AT+CMQTTCFG?", "+CMQTTCFG: 0,0,120\r\n+CMQTTCFG: 1,1,120").await;
    // The choice of a TLS context belongs to the service.
    bench.info("AT+CMQTTSSLCFG?", "+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,9").await;
    bench.ok_then("AT+CMQTTDISC=0,0", "+CMQTTDISC: 0,0").await;
    bench.ok("AT+CMQTTREL=0").await;
    bench.ok_then("AT+CMQTTSTOP", "+CMQTTSTOP: 0").await;
    bench.ok_then("AT+CMQTTSTART", "+CMQTTSTART: 0").await;
    bench.info("AT+CMQTTSSLCFG?", "+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_staged_has_its_limits() {
    let mut bench = connected(|builder| builder).await;
    for (name, most, rest) in [
        ("WILLTOPIC", 1024, ""),
        ("WILLMSG", 1024, ",2"),
        ("TOPIC", 1024, ""),
        ("PAYLOAD", 10_240, ""),
        ("SUBTOPIC", 1024, ",2"),
        ("UNSUBTOPIC", 1024, ""),
    ] {
        for (length, code) in [(0, 22), (most + 1, 22), (-1, 22)] {
            refused(&mut bench, &format!("AT+CMQTT{name}=0,{length}{rest}"), 0, code).await;
        }
        refused(&mut bench, &format!("AT+CMQTT{name}=3,1{rest}"), 3, 10).await;
        bench.error(&format!("AT+CMQTT{name}=0,1{rest},1")).await;
        bench.error(&format!("AT+CMQTT{name}=0")).await;
        bench.error(&format!("AT+CMQTT{name}?")).await;
        let data = vec![b'x'; usize::try_from(most).unwrap()];
        stage(&mut bench, &format!("AT+CMQTT{name}=0,{most}{rest}"), data).await;
    }
    refused(&mut bench, "AT+CMQTTWILLMSG=0,1,3", 0, 12).await;
    refused(&mut bench, "AT+CMQTTSUBTOPIC=0,1,3", 0, 12).await;
    bench.error("AT+CMQTTSUBTOPIC=0,1").await;
    for early in ["TOPIC=1,1", "PAYLOAD=1,1", "SUBTOPIC=1,1,0", "UNSUBTOPIC=1,1"] {
        refused(&mut bench, &format!("AT+CMQTT{early}"), 1, 11).await;
    }
    let payloads: Vec<usize> =
        bench.modem.understood().into_iter().filter_map(|entry| Some(entry.payload?.len())).collect();
    assert_eq!(payloads, [1024, 1024, 1024, 10_240, 1024, 1024]);
}

#[tokio::test(start_paused = true)]
async fn topics_are_utf8_unless_nobody_looks() {
    let mut bench = connected(|builder| builder).await;
    let bad = b"a/\xff";
    for name in ["WILLTOPIC=0,3", "TOPIC=0,3", "SUBTOPIC=0,3,0", "UNSUBTOPIC=0,3", "SUB=0,3,0", "UNSUB=0,3,0"]
    {
        bench.host.ask(&format!("AT+CMQTT{name}"), "\r\n>").await;
        bench.host.say(bad).await;
        let name = name.split('=').next().unwrap();
        bench.host.hear(format!("\r\n+CMQTT{name}: 0,2\r\n\r\nERROR\r\n")).await;
    }
    refused(&mut bench, "AT+CMQTTPUB=0,0,60", 0, 18).await;
    stage(&mut bench, "AT+CMQTTPAYLOAD=0,3", bad).await;
    bench.ok("AT+CMQTTCFG=\"checkUTF8\",1,0").await;
    connect(&mut bench, 1).await;
    stage(&mut bench, "AT+CMQTTTOPIC=1,3", bad).await;
    bench.ok_then("AT+CMQTTPUB=1,1,60", "+CMQTTPUB: 1,0").await;

    let mut bench = acquired(sim(SimComQuirk::PayloadsAreText)).await;
    connect(&mut bench, 0).await;
    bench.host.ask("AT+CMQTTPAYLOAD=0,3", "\r\n>").await;
    bench.host.say(bad).await;
    bench.host.hear("\r\n+CMQTTPAYLOAD: 0,2\r\n\r\nERROR\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn certificates_come_and_go() {
    let mut bench = quiet(|builder| builder).await;
    bench.info("AT+CCERTDOWN=?", "+CCERTDOWN: (5-108),(1-10240)").await;
    bench.ok("AT+CCERTLIST").await;
    for wrong in [
        "\"a.txt\",5",
        "\".pem\",5",
        "a.pem,5",
        "\"ca.pem\",0",
        "\"ca.pem\",10241",
        "\"ca.pem\"",
        "\"a/b.pem\",5",
    ] {
        bench.error(&format!("AT+CCERTDOWN={wrong}")).await;
    }
    bench.error("AT+CCERTDELE=\"ca.pem\"").await;
    // A line feed that a host sends too much is the first byte of the file.
    stage(&mut bench, "AT+CCERTDOWN=\"ca.pem\",4", "\nabc").await;
    stage(&mut bench, "AT+CCERTDOWN=\"ca.pem\",3", "abc").await;
    stage(&mut bench, "AT+CCERTDOWN=\"key.pem\",10240", vec![b'k'; 10_240]).await;
    bench.info("AT+CCERTLIST", "+CCERTLIST: \"ca.pem\"\r\n+CCERTLIST: \"key.pem\"").await;
    assert_eq!(bench.modem.file("ca.pem").unwrap(), "abc");
    bench.ok("AT+CCERTDELE=\"key.pem\"").await;
    bench.info("AT+CCERTLIST", "+CCERTLIST: \"ca.pem\"").await;
    // Files outlive a restart, settings do not.
    bench.ok("AT+CSSLCFG=\"cacert\",3,\"ca.pem\"").await;
    bench.info("AT+CSSLCFG=3", "+CSSLCFG: 3,4,0,1,300,\"ca.pem\",\"\",\"\",0,\"\",0x0").await;
    bench.modem.inject_fault(Fault::new(Hook::BeforeFinal, Action::Silence).command("+CRESET"));
    bench.host.say("AT+CRESET\r").await;
    bench.line("*ATREADY: 1").await;
    bench.host.hear_until("PB DONE\r\n").await;
    bench.host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    bench.info("AT+CSSLCFG=3", "+CSSLCFG: 3,4,0,1,300,\"\",\"\",\"\",0,\"\",0x0").await;
    bench.info("AT+CCERTLIST", "+CCERTLIST: \"ca.pem\"").await;
}

#[tokio::test(start_paused = true)]
async fn tls_contexts() {
    let mut bench = quiet(|builder| builder).await;
    let values = [
        ("sslversion", "3"),
        ("authmode", "2"),
        ("ignorlocaltime", "0"),
        ("negotiatetime", "120"),
        ("cacert", "\"ca.pem\""),
        ("clientcert", "\"cert.der\""),
        ("clientkey", "\"key_.pem\""),
        ("enableSNI", "1"),
    ];
    for (key, value) in values {
        bench.ok(&format!("AT+CSSLCFG=\"{key}\",9,{value}")).await;
    }
    bench.info("AT+CSSLCFG=9", "+CSSLCFG: 9,3,2,0,120,\"ca.pem\",\"cert.der\",\"key_.pem\",1,\"\",0x0").await;
    bench.ok("AT+CSSLCFG=\"ignorelocaltime\",9,1").await;
    bench.host.say("AT+CSSLCFG?\r").await;
    let all = bench.host.hear_until("OK\r\n").await;
    assert_eq!(all.matches("+CSSLCFG: ").count(), 10);
    assert!(all.contains("+CSSLCFG: 0,4,0,1,300,\"\",\"\",\"\",0,\"\",0x0\r\n"), "{all}");
    bench.host.say("AT+CSSLCFG=?\r").await;
    let ranges = bench.host.hear_until("OK\r\n").await;
    assert!(ranges.contains("+CSSLCFG: \"enableSNI\",(0-9),(0,1)\r\n"), "{ranges}");
    for wrong in [
        "\"sslversion\",0,5",
        "\"authmode\",0,4",
        "\"ignorlocaltime\",0,2",
        "\"negotiatetime\",0,9",
        "\"negotiatetime\",0,301",
        "\"cacert\",0,\"x\"",
        "\"enableSNI\",10,1",
        "\"enableSNI\",0",
        "\"alpn\",0,\"h\"",
        "10",
        // A quote too much, as in a log of a real module.
        "\"sslversion\",0,4\"",
    ] {
        bench.error(&format!("AT+CSSLCFG={wrong}")).await;
    }
    let settings = bench.modem.settings();
    assert!(settings.contains(&("ssl/9/authmode".to_owned(), "2".to_owned())), "{settings:?}");
}

#[tokio::test(start_paused = true)]
async fn boot_lines() {
    let mut bench = Bench::fresh_of(Vendor::SimCom, |builder| builder.boot_banner(true));
    let all = "\r\n*ATREADY: 1\r\n\r\n+CPIN: READY\r\n\r\nSMS DONE\r\n\r\nPB DONE\r\n";
    bench.host.hear(all).await;
    bench.host.ask("AT+CPOF", "AT+CPOF\r\r\nOK\r\n\r\nNORMAL POWER DOWN\r\n").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    bench.host.say("AT\r").await;
    bench.host.silence().await;

    let mut bench = Bench::fresh_of(Vendor::SimCom, |builder| {
        sim(SimComQuirk::BootsWithRdy)(builder).boot_banner(true).sim_present(false)
    });
    bench.host.hear("\r\nRDY\r\n\r\n+CPIN: NOT INSERTED\r\n").await;

    let mut bench = Bench::fresh_of(Vendor::SimCom, |builder| {
        sim(SimComQuirk::BootChatter)(builder).boot_banner(true).quirk(Quirk::SimBusy(Duration::from_secs(3)))
    });
    let heard = bench.host.hear_until("PB DONE\r\n").await;
    assert!(heard.contains("+MSTK: 14") && !heard.contains("SMS DONE"), "{heard}");
}
