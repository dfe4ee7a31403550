//! Every mistake is one line: what, whose fault, what to do.

use crate::support::{Sim, fail, mqttat, mute_terminal, refusing_broker};

/// Asserts that a line holds all of these.
#[track_caller]
fn says(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part:?} is missing in {line:?}");
    }
}

#[test]
fn what_the_command_line_can_tell_is_told_without_a_module() {
    for (arguments, parts) in [
        (&["pub", "-h", "b", "-m", "x"][..], &["--topic", "--help"][..]),
        (&["pub", "-h", "b", "-t", "t"], &["--message", "--file", "--help"]),
        (&["pub", "-h", "b", "-t", "t", "-m", "x", "-n"], &["--message", "cannot be used"]),
        (&["pub", "-h", "b", "-t", "t", "-m", "x", "-p", "0"], &["--port", "1 to 65535"]),
        (&["pub", "-h", "b", "-t", "t", "-m", "x", "-q", "3"], &["--qos", "must be 0, 1 or 2"]),
        (&["pub", "-h", "b", "-t", "t", "-m", "x", "-c"], &["--id"]),
        (&["sub", "-h", "b", "-t", "t", "-F", "%z"], &["-F", "%z is unknown"]),
        (&["pub", "-h", "b", "-t", "t", "-m", "x"], &["--device", "MQTTAT_DEVICE"]),
        (&["pub", "-t", "t", "-m", "x"], &["--device", "`mqttat ports`", "sim:quectel"]),
        (&["sim", "--fault", "result:+X:0:reboot"], &["`0` is no occasion", "from 1 on"]),
        (&["sim", "--quirk", "prompt-foo"], &["unknown quirk `prompt-foo`", "prompt-bare"]),
        (&["sim", "--tcp", "x"], &["--tcp", "127.0.0.1:7000"]),
        (&["--device", "sim:nokia", "info"], &["nokia", "quectel"]),
        (&["--device", "COM5", "pub", "-t", "t", "-m", "x"], &["-h HOST"]),
        (&["--vendor", "nokia", "info"], &["--vendor", "quectel"]),
        (&["ports", "--record", "/dev/null"], &["--record"]),
        (&["at"], &["<COMMAND>"]),
        (&["fly"], &["'fly'"]),
    ] {
        says(&fail(2, mqttat().args(arguments)), parts);
    }
    for (arguments, parts) in [
        (
            &["pub", "-h", "b", "-m", "x", "-t", "a\nb"][..],
            &["the topic", "control character", "[fault: input]; "][..],
        ),
        (&["pub", "-h", "b", "-m", "x", "-t", "a/+"], &["the topic", "wildcard", "[fault: input]; "]),
        (
            &["sub", "-h", "b", "-t", "a/#/b"],
            &["the topic filter", "# before its last level", "[fault: input]; "],
        ),
        (
            &["pub", "-h", "b", "-t", "t", "-f", "/does/not/exist"],
            &["-f /does/not/exist", "[fault: input]; "],
        ),
        (
            &["pub", "-h", "b", "-t", "t", "-m", "x", "--cafile", "/does/not/exist"],
            &["--cafile", "[fault: input]; "],
        ),
        (&["at", "AT+CSQ", "AT+QPOWD"], &["AT+QPOWD", "switches the module off", "--force"]),
        (&["at", "AT+QMTPUBEX=0,0,0,0,\"t\",5"], &["AT+QMTPUBEX", "prompt", "`pub`"]),
    ] {
        says(&fail(1, mqttat().args(["--device", "/dev/null"]).args(arguments)), parts);
    }
}

#[test]
fn what_the_module_cannot_take_is_told_with_its_limit() {
    let sim = Sim::start(&[]);
    let file = sim.file("long", &[b'x'; 1501]);
    let line = fail(1, sim.publish("t").arg("-f").arg(file));
    says(&line, &["the payload", "1501", "1500", "[fault: input]; shorten"]);
    let line = fail(1, sim.publish("t").arg("-n"));
    says(&line, &["the payload is empty", "[fault: input]; "]);
    let line = fail(1, sim.mqttat().args(["pub", "-t", "t", "-m", "x", "-h", "b/c:99"]));
    says(&line, &["the host", "'/'", "[fault: input]; "]);
    let host = "h".repeat(101);
    let line = fail(1, sim.mqttat().args(["pub", "-t", "t", "-m", "x", "-h", &host]));
    says(&line, &["host", "101", "100", "[fault: input]; "]);
    let line = fail(1, sim.publish("t").args(["-m", "x", "-k", "3601"]));
    says(&line, &["keep", "3601", "3600", "[fault: input]; "]);
    let line = fail(1, sim.publish("t").args(["-m", "x", "-i", "a\"b"]));
    says(&line, &["client identifier", "0x22", "[fault: input]; "]);
}

#[test]
fn a_file_that_is_no_pem_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.der");
    std::fs::write(&file, b"\x30\x82\xff").unwrap();
    let line = fail(
        1,
        mqttat().args(["--device", "sim:quectel", "pub", "-t", "t", "-m", "x", "--cafile"]).arg(file),
    );
    says(&line, &["--cafile", "ca.der", "-----BEGIN", "[fault: input]; ", "openssl x509"]);
}

#[test]
fn a_vendor_that_is_not_the_modules_is_told() {
    let wrong = ["--device", "sim:quectel", "--vendor", "simcom", "pub", "-t", "t", "-m", "x"];
    let line = fail(1, mqttat().args(wrong));
    says(&line, &["AT+CMQTTSTART", "[fault: module]; ", "not SIMCom's, leave out --vendor"]);
}

#[test]
fn a_port_that_is_none_is_told() {
    for device in ["/dev/does-not-exist", "/dev/null", "http://example.com", "tcp://127.0.0.1"] {
        let line = fail(1, mqttat().args(["--device", device, "info"]));
        says(&line, &["port", device, "[fault: link]; "]);
    }
}

#[test]
fn a_port_that_does_not_answer_is_told() {
    let (_master, name) = mute_terminal();
    let line = fail(1, mqttat().args(["--device", &name, "--sync-timeout", "2", "info"]));
    says(&line, &["does not answer", "[fault: link]; ", "--baud"]);
}

#[test]
fn a_refused_login_is_told() {
    let sim = Sim::with_broker(&refusing_broker(4).to_string(), &[]);
    let line = fail(1, sim.publish("t").args(["-m", "x", "-u", "user", "-P", "wrong-password"]));
    says(&line, &["refused", "user name or password", "4", "[fault: broker]; check"]);
    assert!(!line.contains("wrong-password"), "{line}");
}

#[test]
fn a_refused_subscription_is_told() {
    let sim = Sim::with_broker(&refusing_broker(0).to_string(), &[]);
    let line = fail(1, &mut sim.subscribe("secret/#"));
    says(&line, &["refused", "secret/#", "128", "[fault: broker]; check"]);
}

#[test]
fn a_broker_that_is_not_there_is_told() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sim = Sim::with_broker(&nobody.to_string(), &[]);
    let line = fail(1, sim.publish("t").args(["-m", "x"]));
    says(&line, &["AT+QMTOPEN", "code", "[fault: ", "]; "]);
}

#[test]
fn a_command_that_the_module_refuses_ends_the_row() {
    let line = fail(1, mqttat().args(["--device", "sim:quectel", "at", "+NOSUCH", "+CSQ"]));
    says(&line, &["AT+NOSUCH", "CME ERROR", "[fault: module]; "]);
}

#[test]
fn what_became_of_a_message_that_failed_is_told() {
    for (fault, fate) in [
        ("after-line:+QMTPUBEX:always:error", "; the message was not sent [fault: module]"),
        ("result:+QMTPUBEX:reboot", "the module rebooted; the message may have been sent [fault: module]; "),
    ] {
        let sim = Sim::start(&["--fault", fault]);
        let line = fail(1, sim.publish("t").args(["-m", "x", "-q", "1"]));
        says(&line, &[fate]);
        assert!(!line.contains("message 1: "), "the only one needs no number: {line}");
    }
    let sim = Sim::start(&["--fault", "after-line:+QMTPUBEX:always:error"]);
    let line = fail(1, sim.publish("t").args(["-m", "x", "-q", "1", "--repeat", "2", "--no-reconnect"]));
    says(&line, &["mqttat: message 1: ", "; the message was not sent"]);
}

#[test]
fn what_the_module_cannot_take_is_told_before_connecting() {
    let sim = Sim::start(&[]);
    let record = sim.file("record.at", b"");
    let long = sim.file("long", &[b'x'; 1501]);
    let topic = "t".repeat(1025);
    let mut commands = [
        sim.publish("t"),
        sim.publish("t"),
        sim.publish(&topic),
        sim.subscribe("a\"b"),
        sim.subscribe(&topic),
    ];
    commands[0].arg("-f").arg(long);
    commands[1].arg("-n");
    commands[2].args(["-m", "x"]);
    for command in &mut commands {
        says(&fail(1, command.arg("--record").arg(&record)), &["[fault: input]; "]);
        let transcript = std::fs::read_to_string(&record).unwrap();
        assert!(transcript.contains(">> ATE0") && !transcript.contains("+QMTOPEN="), "{transcript}");
    }
}

#[test]
fn a_will_that_cannot_be_taken_back_is_told() {
    let sim = Sim::start(&["--vendor", "fibocom"]);
    crate::support::succeed(sim.publish("t").args([
        "-m",
        "x",
        "--will-topic",
        "w",
        "--will-payload",
        "gone",
    ]));
    let output = crate::support::run(sim.publish("t").args(["-m", "x"]));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && told.lines().count() == 1, "{told}");
    says(&told, &["mqttat: the module keeps the will of an earlier connection"]);
}
