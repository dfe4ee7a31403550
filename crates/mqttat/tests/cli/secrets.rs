//! What is secret is shown nowhere, however much is logged.

use rcgen::{CertificateParams, KeyPair};

use crate::support::{Sim, refusing_broker, run};

const CANARY: &str = "canary-7f3a9";

/// Runs a command with everything switched on that shows anything; whatever it showed, and the transcript.
fn everything_shown(sim: &Sim, arguments: &[&str]) -> String {
    let record = sim.file("record.at", b"");
    let output = run(sim.mqttat().args(["-vvv", "--json", "--record"]).arg(&record).args(arguments));
    let shown = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let transcript = std::fs::read_to_string(&record).unwrap();
    assert!(transcript.contains(">> AT"), "something was recorded: {transcript}");
    assert!(shown[1].contains("TRACE"), "something was logged: {shown:?}");
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
    let shown = everything_shown(&sim, &[&["pub", "-h", "b", "-t", "t", "-m", "x"][..], &tls].concat());
    assert!(shown.lines().any(|line| line.contains(">> \\*")), "the key went to the module: {shown}");
    assert!(!shown.contains(&telling), "{shown}");
}
