//! What is secret is shown nowhere, however much is logged.

use rcgen::{CertificateParams, KeyPair};

use crate::support::{Sim, mqttat, refusing_broker, run};

const CANARY: &str = "canary-7f3a9";

/// Runs a command with everything switched on that shows anything; whatever it showed, and the transcript.
fn everything_shown(sim: &Sim, arguments: &[&str]) -> String {
    let record = sim.file("record.at", b"");
    let output = run(sim.mqttat().args(["-vvv", "--json", "--record"]).arg(&record).args(arguments));
    let shown = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let transcript = std::fs::read_to_string(&record).unwrap();
    assert!(transcript.contains(">> AT"), "something was recorded: {transcript}");
    assert!(shown[1].contains("DEBUG"), "something was logged: {shown:?}");
    format!("{}\n{}\n{transcript}", shown[0], shown[1])
}

#[test]
fn passwords_are_masked_when_all_is_well() {
    let sim = Sim::start(&[]);
    let connection = ["-h", "broker.example.com", "-u", "user", "-P", CANARY, "--apn", "internet"];
    let access_point = ["--pdp-user", "user", "--pdp-password", CANARY, "--sim-pin", CANARY];
    for command in [&["pub", "-t", "t", "-m", "x", "-q", "2"][..], &["sub", "-t", "t", "-W", "1"]] {
        let shown = everything_shown(&sim, &[command, &connection, &access_point].concat());
        assert!(shown.contains("AT+QMTCONN=0,") && shown.contains("***"), "{shown}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[test]
fn passwords_are_masked_when_the_broker_refuses_them() {
    let sim = Sim::with_broker(&refusing_broker(5).to_string(), &[]);
    let shown = everything_shown(&sim, &["pub", "-h", "b", "-t", "t", "-m", "x", "-u", "user", "-P", CANARY]);
    assert!(shown.contains("not authorized") && !shown.contains(CANARY), "{shown}");
}

#[test]
fn passwords_that_cannot_be_sent_are_not_shown_either() {
    let sim = Sim::start(&[]);
    let password = format!("{CANARY}\"{CANARY}");
    let shown =
        everything_shown(&sim, &["pub", "-h", "b", "-t", "t", "-m", "x", "-u", "user", "-P", &password]);
    assert!(shown.contains("password") && !shown.contains(CANARY), "{shown}");
}

#[test]
fn passwords_that_do_not_fit_a_transcript_are_masked() {
    let sim = Sim::start(&[]);
    let record = sim.file("first.at", b"");
    let publish = ["pub", "-h", "broker.example.com", "-t", "t", "-m", "x"];
    let recorded = ["-i", "one", "-u", "user", "-P", CANARY];
    run(sim.mqttat().arg("--record").arg(&record).args(publish).args(recorded));
    let device = format!("play:{}", record.display());
    let sign_in = format!("onenet,product,{CANARY}");
    for other in [
        &["-i", "two", "-u", "user", "-P", CANARY][..],
        &["-i", "one", "-u", "other", "-P", CANARY],
        &["-i", "one", "--sign-in", &sign_in],
        &["-i", "one", "--apn", "internet", "--pdp-user", "user", "--pdp-password", CANARY],
        &["-i", "one", "--sim-pin", CANARY],
    ] {
        let mut command = mqttat();
        let output = run(command.args(["-vvv", "--device", &device]).args(publish).args(other));
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(shown.contains("expected \"AT") || other.contains(&"--sim-pin"), "{shown}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[test]
fn typed_secrets_are_masked() {
    let sim = Sim::start(&[]);
    let connect = format!("AT+QMTCONN=0,\"id\",\"user\",\"{CANARY}\"");
    let pin = format!("AT+CPIN=\"{CANARY}\"");
    for command in [&connect, &pin] {
        let shown_debug = run(sim.mqttat().args(["-vvv", "--json", "at", "--force", command]));
        let shown = [shown_debug.stdout, shown_debug.stderr].concat();
        assert!(!String::from_utf8_lossy(&shown).contains(CANARY), "{}", String::from_utf8_lossy(&shown));
        let record = sim.file("record.at", b"");
        run(sim.mqttat().arg("--record").arg(&record).args(["at", "--force", command]));
        let transcript = std::fs::read_to_string(&record).unwrap();
        assert!(transcript.contains("***") && !transcript.contains(CANARY), "{transcript}");
    }
}

#[test]
fn answers_that_hold_secrets_are_masked() {
    let sim = Sim::start(&[]);
    let write = format!("AT+QMTCFG=\"aliauth\",0,\"key\",\"name\",\"{CANARY}\"");
    let read = "AT+QMTCFG=\"aliauth\",0";
    let output = run(sim.mqttat().args(["at", &write, read]));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "+QMTCFG: ***\n");
    let shown = everything_shown(&sim, &["at", read]);
    assert!(!shown.contains(CANARY), "{shown}");
}

#[test]
fn private_keys_are_masked() {
    let sim = Sim::start(&[]);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["client".to_owned()]).unwrap().self_signed(&key).unwrap();
    let secret = key.serialize_pem();
    let telling = secret.lines().nth(1).unwrap().to_owned();
    let cert = sim.file("cert.pem", certificate.pem().as_bytes());
    let key = sim.file("key.pem", secret.as_bytes());
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    // The broker speaks no TLS: what counts is that the key went to the module before that was found out.
    let tls = ["--cafile", cert, "--cert", cert, "--key", key];
    let publish = [&["pub", "-h", "b", "-i", "one", "-t", "t", "-m", "x"][..], &tls].concat();
    let shown = everything_shown(&sim, &publish);
    assert!(shown.lines().any(|line| line.contains(">> \\*")), "the key went to the module: {shown}");
    assert!(!shown.contains(&telling), "{shown}");

    // The prompt for it is no secret, so that the session can be played: it ends as it did.
    let device = format!("play:{}", sim.link.with_file_name("record.at").display());
    let played = run(mqttat().args(["--device", &device]).args(&publish));
    let played = String::from_utf8_lossy(&played.stderr);
    assert!(shown.contains(" << CONNECT\n") && !shown.contains(" << ***"), "{shown}");
    assert!(!played.contains("transcript") && shown.contains(played.trim_end()), "{played}\n{shown}");
}

#[test]
fn an_answer_that_is_taken_for_a_report_is_masked_too() {
    // SIMCom answers AT+CMQTTCONNECT? with a line that has the name of a result.
    let connect = format!("AT+CMQTTCONNECT=0,\"tcp://b:1883\",60,1,\"user\",\"{CANARY}\"");
    let commands = ["AT+CMQTTSTART", "AT+CMQTTACCQ=0,\"y\"", &connect, "AT+CSQ", "AT+CMQTTCONNECT?"];
    let sim = Sim::start(&["--vendor", "simcom"]);
    let shown = everything_shown(&sim, &[&["at"][..], &commands].concat());
    assert!(shown.contains("<< +CMQTTCONNECT: "), "{shown}");
    assert!(!shown.contains(CANARY), "{shown}");

    for options in [&[][..], &["--json"]] {
        let record = sim.file("console.at", b"");
        let mut console = sim.mqttat();
        console.args(options).arg("--record").arg(&record).arg("console");
        let output = crate::console::feed(&mut console, &commands.join("\n"));
        let shown = [output.stdout, output.stderr, std::fs::read(&record).unwrap()].concat();
        let shown = String::from_utf8_lossy(&shown);
        assert!(shown.contains("+CMQTTCONNECT: 0,") && !shown.contains(CANARY), "{shown}");
    }
}

#[test]
fn logs_of_others_are_shown_without_their_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let (log, page) = (folder.path().join("log"), folder.path().join("page.html"));
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\nb3Blbg==\n-----END PRIVATE KEY-----");
    for (vendor, text) in [
        (
            "simcom",
            format!("> AT+CMQTTCONNECT?\n< +CMQTTCONNECT: 0,\"tcp://h\",60,1,\"u\",\"{CANARY}\"\n< OK\n"),
        ),
        ("simcom", format!("AT+CMQTTCONNECT?\n+CMQTTCONNECT: 0,\"tcp://h\",60,1,\"u\",\"{CANARY}\"\n\nOK\n")),
        (
            "simcom",
            format!("# recorded: x\n@2 >> AT+CGAUTH?\n@3 << +CGAUTH: 1,1,\"user\",\"{CANARY}\"\n@4 << OK\n"),
        ),
        ("simcom", format!("> AT+CSOCKAUTH=1,1,\"{CANARY}\",\"user\"\n< OK\n")),
        ("simcom", format!("AT+CCERTDOWN=\"key.pem\",84\n>{pem}\nOK\n")),
        ("quectel", format!("AT+QFUPL=\"key.der\",12\nCONNECT\n{CANARY}\nOK\nAT+CSQ\nOK\n")),
        ("neoway", format!("AT+CERTADD=k,12\n>{CANARY}\nOK\nAT+CSQ\nOK\n")),
        (
            "fibocom",
            format!(
                ">> AT+MQTTUSER=1,\"u\",\"{CANARY}\",\"c\"\n<< OK\n>> AT+MQTTUSER?\n<< +MQTTUSER: 1,\"u\",\"{CANARY}\",\"c\"\n<< OK\n"
            ),
        ),
        (
            "fibocom",
            format!(
                "AT+MQTTAUTHCFG=1,\"k\",\"n\",\"{CANARY}\",0\n+MQTTAUTHCFG: \"c\",\"u\",\"{CANARY}\"\nOK\n"
            ),
        ),
        ("neoway", format!("AT+MQTTCONNPARAM?\n+MQTTCONNPARAM:\"a\",\"u\",\"{CANARY}\"\nOK\n")),
        (
            "neoway",
            format!(
                "[2023-02-11_08:56:25]Sent..AT+MQTTCONNPARAM=\"i\",\"u\",\"{CANARY}\"   Rcvd as expected..OK\nAT+MQTTSTATE?\n+MQTTSTATE:1\nOK\n"
            ),
        ),
        (
            "neoway",
            format!(
                "I (1) modem: sending: AT+MQTTCONNPARAM=\"i\",\"u\",\"{CANARY}\"\nSend AT+MQTTCONNPARAM = \"i\",\"u\",\"{CANARY}\"\nAT+CSQ\nOK\n"
            ),
        ),
    ] {
        std::fs::write(&log, &text).unwrap();
        let replay = |option: &[&str]| {
            let output = run(mqttat().args(["--vendor", vendor, "replay"]).arg(&log).args(option));
            assert!(output.status.success(), "{text}: {output:?}");
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
        };
        let shown = [replay(&[]), replay(&["--json"]), replay(&["--html", page.to_str().unwrap()])];
        let page = std::fs::read_to_string(&page).unwrap();
        for shown in shown.iter().chain([&page]) {
            assert!(!shown.contains(CANARY) && shown.contains("***"), "{text}\n{shown}");
        }
    }
}
