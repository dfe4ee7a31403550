use super::*;
use crate::dialect::replay::conversation::bytes_of;

mod verdicts;

/// How the module's bytes are cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Turns,
    Bytes,
}

/// Reads turns of transcripts: `>> text` of the host and `<< text` of the module, perhaps with a time in front.
fn read(vendor: Vendor, text: &str, cut: Cut) -> Analysis {
    let mut analyser = Analyser::new(vendor);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (at, turn) = match line.strip_prefix('@').and_then(|timed| timed.split_once(' ')) {
            Some((at, turn)) => (Some(Duration::from_millis(at.parse().unwrap())), turn),
            None => (None, line),
        };
        let (mark, text) = turn.split_at(2);
        let text = text.strip_prefix(' ').unwrap_or(text);
        match mark {
            ">>" => analyser.host(at, &bytes_of(text, "\r")),
            "<<" => {
                let bytes = bytes_of(text, "\r\n");
                let size = match cut {
                    Cut::Turns => bytes.len().max(1),
                    Cut::Bytes => 1,
                };
                bytes.chunks(size).for_each(|piece| analyser.module(at, piece));
            }
            _ => panic!("{line}"),
        }
    }
    analyser.finish()
}

/// Each entry as `kind` or, where it ended badly, `!kind`.
fn kinds(analysis: &Analysis) -> Vec<String> {
    let name = |entry: &Entry| match entry.kind.success() {
        Some(false) => format!("!{}", entry.kind.name()),
        _ => entry.kind.name().to_owned(),
    };
    analysis.entries.iter().map(name).collect()
}

/// Each finding as severity, what and where to look.
fn findings(analysis: &Analysis) -> Vec<(usize, &str, &str, &str)> {
    let row = |it: &'_ Finding| (it.entry, it.severity.name(), it.see.unwrap_or(""));
    analysis
        .findings
        .iter()
        .map(|it| (row(it).0, row(it).1, it.what.as_str(), it.see.unwrap_or("")))
        .collect()
}

#[test]
fn a_publish_from_command_to_result() {
    let analysis = read(
        Vendor::Quectel,
        r#"
        @0 >> AT+QMTPUBEX=0,7,1,0,"site/7/up",5
        @4 << > \
        @5 >> hello\
        @9 << OK
        @31 << +QMTPUBEX: 0,7,0
        "#,
        Cut::Turns,
    );
    assert_eq!(kinds(&analysis), ["command", "prompt", "data", "final", "result"]);
    assert_eq!(analysis.findings, []);
    assert!(analysis.entries.iter().all(|entry| entry.client == Some(0)));
    assert!(analysis.entries[1..].iter().all(|entry| entry.answers == Some(0)));
    let after: Vec<_> = analysis.entries[1..].iter().map(|entry| entry.after.unwrap().as_millis()).collect();
    assert_eq!(after, [4, 5, 9, 31]);
    assert_eq!(analysis.entries[4].meaning, "published");
}

#[test]
fn results_find_their_commands_by_client_and_packet() {
    let analysis = read(
        Vendor::Quectel,
        r#"
        >> AT+QMTSUB=0,1,"a",1
        << OK
        >> AT+QMTSUB=1,1,"a",1
        << OK
        >> AT+QMTSUB=0,2,"b",1
        << OK
        << +QMTSUB: 0,2,0,1
        << +QMTSUB: 1,1,0,128
        << +QMTSUB: 0,1,1,1
        << +QMTSUB: 0,1,0,1
        "#,
        Cut::Turns,
    );
    let answers: Vec<_> = analysis.entries[6..].iter().map(|entry| entry.answers).collect();
    assert_eq!(answers, [Some(4), Some(2), Some(0), Some(0)]);
    let expected = [
        (
            7,
            "error",
            "the broker refused: no subscription to this filter (code 128)",
            "[EC200x MQTT 1.0 §3.2.6]",
        ),
        (8, "note", "sent again, because the broker has not answered yet", "quirk 1.23"),
    ];
    assert_eq!(findings(&analysis), expected);
}

#[test]
fn messages_are_assembled_with_the_rules_of_the_client() {
    let simcom = read(
        Vendor::SimCom,
        "<< +CMQTTRXSTART: 0,1,7
         << +CMQTTRXTOPIC: 0,1\\r\\nt
         << +CMQTTRXPAYLOAD: 0,7\\r\\na\\r\\nOK\\r\\n
         << +CMQTTRXEND: 0",
        Cut::Turns,
    );
    let Kind::Message { topic, payload } = &simcom.entries.last().unwrap().kind else { panic!("{simcom:?}") };
    assert_eq!((topic.as_str(), &payload[..]), ("t", &b"a\r\nOK\r\n"[..]));
    assert_eq!(simcom.findings, []);

    let quectel = read(Vendor::Quectel, r#"<< +QMTRECV: 0,0,"t",4,"a\r\nb""#, Cut::Bytes);
    assert_eq!(kinds(&quectel), ["message"]);
    let neoway = read(Vendor::Neoway, r#"<< +MQTTSUB:1,"t",4,a\r\nb"#, Cut::Bytes);
    assert_eq!(kinds(&neoway), ["message"]);
    let fibocom = read(Vendor::Fibocom, r#"<< +MQTTREAD: 1,1,1,4\r\n"t","a\r\nb""#, Cut::Bytes);
    assert_eq!(kinds(&fibocom), ["message"]);
    let esp = read(Vendor::Espressif, r#"<< +MQTTSUBRECV:0,"t",4,a\r\nb"#, Cut::Bytes);
    assert_eq!(kinds(&esp), ["message"]);
}

#[test]
fn a_message_without_a_length_is_believed_by_nobody() {
    let analysis = read(Vendor::Quectel, r#"<< +QMTRECV: 0,0,"t","payload""#, Cut::Turns);
    assert_eq!(kinds(&analysis), ["report"]);
    let expected = "a message for client 0 without a length: its end cannot be known";
    assert_eq!(findings(&analysis), [(0, "error", expected, "quirk 1.1")]);
}

#[test]
fn a_lost_connection_takes_its_results_along() {
    let analysis = read(
        Vendor::SimCom,
        "@0 >> AT+CMQTTPUB=0,1,60
         @3 << OK
         @900 << +CMQTTCONNLOST: 0,1
         @901 << +CMQTTCONNLOST: 1,3",
        Cut::Turns,
    );
    assert_eq!(kinds(&analysis), ["command", "final", "lost", "lost"]);
    let first = "the connection of client 0 was lost: closed or reset by the broker; 1 result will not come";
    let second = "the connection of client 1 was lost: the network or the broker cannot be reached";
    let see = "[A7600 MQTT 1.00 §2.2.2.1]";
    assert_eq!(findings(&analysis), [(2, "error", first, see), (3, "error", second, see)]);
}

#[test]
fn what_comes_later_has_the_name_of_a_command_that_was_accepted() {
    let analysis = read(
        Vendor::SimCom,
        ">> AT+NETOPEN
         << OK
         << +NETOPEN: 0
         << +NETCLOSE: 0
         << RDY
         << +NETOPEN: 0",
        Cut::Bytes,
    );
    assert_eq!(kinds(&analysis), ["command", "final", "information", "unknown", "restarted", "unknown"]);
    let result = &analysis.entries[2];
    assert_eq!((result.answers, result.meaning.as_str()), (Some(0), "what came of AT+NETOPEN"));
}

#[test]
fn a_farewell_to_nobody_is_harmless() {
    let analysis = read(Vendor::SimCom, ">> AT+CMQTTDISC=0,60\n<< OK\n<< +CMQTTDISC: 0,1", Cut::Turns);
    assert_eq!(findings(&analysis), [(2, "note", "the module failed without a reason", "quirk 0.8")]);
}

#[test]
fn a_loss_that_was_asked_for_is_none() {
    let analysis =
        read(Vendor::Quectel, ">> AT+QMTDISC=0\n<< OK\n<< +QMTDISC: 0,0\n<< +QMTSTAT: 0,5", Cut::Turns);
    assert_eq!(kinds(&analysis), ["command", "final", "result", "lost"]);
    assert_eq!(analysis.findings[0].severity, Severity::Note);
}

#[test]
fn refusals_are_explained_with_the_code_before_them() {
    let analysis = read(
        Vendor::SimCom,
        ">> AT+CMQTTCONNECT=0,\"tcp://b:1883\",60,1
         << +CMQTTCONNECT: 0,3
         << ERROR
         >> AT+CMQTTREL=0
         << +CMQTTREL: 0,20
         << ERROR",
        Cut::Turns,
    );
    assert_eq!(kinds(&analysis), ["command", "!result", "!final", "command", "!result", "!final"]);
    let first = "AT+CMQTTCONNECT: the broker could not be reached (code 3)";
    let second = "AT+CMQTTREL: the client is not acquired (code 20)";
    assert_eq!(findings(&analysis), [(2, "error", first, "quirk 0.1"), (5, "note", second, "quirk 0.8")]);
    assert!(analysis.findings[0].remedy.as_ref().unwrap().contains("check host"));
}

#[test]
fn a_bare_error_means_what_its_command_lets_it_mean() {
    let refused = |line: &str| {
        let analysis = read(Vendor::SimCom, &format!(">> {line}\n<< ERROR"), Cut::Turns);
        let finding = analysis.findings[0].clone();
        (finding.severity, finding.what)
    };
    let setting = "AT+CSSLCFG: the module refused the command without a reason";
    assert_eq!(refused("AT+CSSLCFG=\"enableSNI\",0,1"), (Severity::Note, setting.to_owned()));
    let connecting = "AT+CMQTTCONNECT: the module refused the command without a reason";
    assert_eq!(refused("AT+CMQTTCONNECT=0,\"tcp://b:1883\",60,1"), (Severity::Error, connecting.to_owned()));
    let publishing =
        "AT+CMQTTPUB: the module refused: the client is not connected any more, or has too much under way";
    assert_eq!(refused("AT+CMQTTPUB=0,1,60"), (Severity::Error, publishing.to_owned()));
}

#[test]
fn answers_to_questions_are_no_results() {
    for (vendor, question, answer, meaning) in [
        (Vendor::SimCom, "AT+CMQTTDISC?", "+CMQTTDISC: 0,1", "answer"),
        (Vendor::Quectel, "AT+QMTCONN?", "+QMTCONN: 0,2", "answer"),
        (Vendor::Neoway, "AT+MQTTSTATE?", "+MQTTSTATE: 0", "there is no connection"),
    ] {
        let analysis = read(vendor, &format!(">> {question}\n<< {answer}\n<< OK"), Cut::Turns);
        assert_eq!(kinds(&analysis), ["command", "information", "final"], "{question}");
        assert_eq!(analysis.entries[1].meaning, meaning);
        assert_eq!(analysis.findings, [], "{question}");
    }
}

#[test]
fn settings_are_told_by_their_key() {
    let analysis = read(
        Vendor::Quectel,
        ">> AT+QMTCFG=\"keepalive\",0,60\n<< OK\n>> AT+QMTCFG=\"new\",0\n<< ERROR\n>> AT+QSSLCFG=\"SNI\",0,1",
        Cut::Turns,
    );
    let meanings: Vec<_> = analysis.entries.iter().step_by(2).map(|entry| entry.meaning.as_str()).collect();
    assert_eq!(meanings, ["the keep-alive time", "settings of a client", "TLS settings"]);
    assert_eq!(analysis.findings[0].severity, Severity::Note);
}

#[test]
fn answers_that_do_not_come_and_those_that_come_too_late() {
    let analysis = read(
        Vendor::Quectel,
        "@0 >> AT+CMEE?
         @1000 >> AT+CMEE?
         @1004 << +CMEE: 2
         @1004 << OK
         @1100 >> AT+CSQ
         @6100 >> AT+CMEE?
         @6200 << +CSQ: 20,99
         @6201 << OK",
        Cut::Turns,
    );
    let expected = [
        (0, "note", "the module did not answer within 1000 ms", "quirk 0.5"),
        (4, "error", "no final result came within 5000 ms, and the host went on", "quirk 0.5"),
        (5, "note", "the recording ends before the final result", "quirk 0.9"),
        (
            7,
            "error",
            "this answers AT+CSQ, which had been given up, and not the command before it",
            "quirk 0.9",
        ),
    ];
    let found = findings(&analysis);
    assert_eq!(found, expected);
}

#[test]
fn a_result_that_never_comes() {
    let script = "@0 >> AT+QMTPUBEX=0,1,1,0,\"t\",1\n@1 << > \\\n@1 >> x\\\n@2 << OK";
    let short = read(Vendor::Quectel, script, Cut::Turns);
    assert_eq!(short.findings[0].severity, Severity::Note);
    let long = read(Vendor::Quectel, &format!("{script}\n@30000 >> AT\n@30001 << OK"), Cut::Turns);
    assert_eq!(findings(&long), [(0, "error", "its result did not come within 30001 ms", "quirk 0.9")]);
}

#[test]
fn a_farewell_without_a_result_leaves_nothing_with_the_broker() {
    let script = "@0 >> AT+QMTCLOSE=0\n@1 << OK\n@30000 >> AT\n@30001 << OK";
    let analysis = read(Vendor::Quectel, script, Cut::Turns);
    assert_eq!(
        findings(&analysis),
        [(0, "warning", "its result did not come within 30001 ms", "quirk 1.12")]
    );
    assert!(!analysis.findings[0].remedy.as_ref().unwrap().contains("broker"));
}

#[test]
fn what_is_told_of_data_that_were_written_is_an_answer() {
    let script = ">> AT+QFUPL=\"UFS:a\",5,100\n<< CONNECT\n>> hello\\\n<< +QFUPL: 5,2d13\n<< OK";
    let analysis = read(Vendor::Quectel, script, Cut::Turns);
    assert_eq!(kinds(&analysis), ["command", "prompt", "data", "information", "final"]);
    assert_eq!(analysis.findings, []);
}

#[test]
fn an_answer_without_its_end_is_an_answer() {
    let script = "@0 >> AT+CGATT?\n@4 << +CGATT: 1\n@50 >> AT\n@51 << OK";
    let analysis = read(Vendor::Quectel, script, Cut::Turns);
    let expected = [(0, "warning", "only the final result of the answer is missing", "quirk 0.11")];
    assert_eq!(findings(&analysis), expected);
}

#[test]
fn restarts_in_the_middle() {
    let analysis = read(
        Vendor::Quectel,
        "<< RDY\n>> ATE0\n<< ATE0\\r\\\n<< \\r\\nOK\n<< RDY\n<< APP RDY\n>> AT\n<< AT\\r\\\n<< \\r\\nOK",
        Cut::Bytes,
    );
    let kinds = kinds(&analysis);
    let expected =
        ["restarted", "command", "echo", "final", "restarted", "report", "command", "echo", "final"];
    assert_eq!(kinds, expected);
    assert_eq!(analysis.findings.len(), 1, "{:?}", analysis.findings);
    assert_eq!((analysis.findings[0].entry, analysis.findings[0].see), (4, Some("quirk 0.10")));

    let silent = read(Vendor::Quectel, ">> ATE0\n<< OK\n>> AT+CSQ\n<< AT+CSQ\\r\\\n<< \\r\\nOK", Cut::Turns);
    assert_eq!(silent.findings[0].see, Some("quirk 0.4"));
}

#[test]
fn lengths_that_were_not_kept() {
    let analysis = read(
        Vendor::Quectel,
        ">> AT+QMTPUBEX=0,0,0,0,\"t\",3\n<< >\\\n>> hello\\\n<< \\r\\nOK\n<< +QMTPUBEX: 0,0,0",
        Cut::Turns,
    );
    assert_eq!(findings(&analysis), [(0, "error", "3 bytes were announced and 5 written", "quirk 1.6")]);
}

#[test]
fn vendors_are_known_by_their_commands() {
    for (line, vendor) in [
        ("AT+QMTCFG=\"ssl\",0", Some(Vendor::Quectel)),
        ("AT+CMQTTSTART", Some(Vendor::SimCom)),
        ("AT+MIPCALL?", Some(Vendor::Fibocom)),
        ("at+xiic?", Some(Vendor::Neoway)),
        ("AT+MQTTUSERCFG=0,1", Some(Vendor::Espressif)),
        ("AT+MQTTSUB=1,\"t\",0", None),
        ("AT+MQTTSUB=\"t\",0", Some(Vendor::Neoway)),
        ("hello", None),
    ] {
        assert_eq!(Analyser::vendor_of([&b"AT"[..], line.as_bytes()]), vendor, "{line}");
    }
    // What every module has tells nothing, and MQTT tells more than a command that some module borrowed.
    for (first, second, vendor) in [
        ("AT+GMR", "AT", None),
        ("AT+GMR", "AT+QMTOPEN=0,\"h\",1883", Some(Vendor::Quectel)),
        ("AT+RST", "AT+CMQTTSTART", Some(Vendor::SimCom)),
        ("AT+RST", "AT+MQTTSUB=0,\"t\",0", Some(Vendor::Espressif)),
    ] {
        assert_eq!(Analyser::vendor_of([first.as_bytes(), second.as_bytes()]), vendor, "{first} {second}");
    }
}

/// Logs of real modules: however the bytes are cut the reading is the same, and what is unknown in them is rare.
#[test]
fn logs_of_real_modules_are_read() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/transcripts/real");
    let mut count = 0;
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let vendor: Vendor = name.split('-').next().unwrap().parse().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let whole = read(vendor, &text, Cut::Turns);
        let pieces = read(vendor, &text, Cut::Bytes);
        assert_eq!(whole.entries, pieces.entries, "{name}");
        assert_eq!(whole.findings, pieces.findings, "{name}");
        let unknown = whole.entries.iter().filter(|entry| entry.kind == Kind::Unknown).count();
        assert!(unknown <= 1, "{name}: {:#?}", whole.entries);
        count += 1;
    }
    assert!(count > 15);
}

#[test]
fn the_faults_in_real_logs_are_found() {
    let log = |name: &str| {
        let path = format!("{}/../../tests/transcripts/real/{name}.at", env!("CARGO_MANIFEST_DIR"));
        let vendor = name.split('-').next().unwrap().parse().unwrap();
        read(vendor, &std::fs::read_to_string(path).unwrap(), Cut::Turns)
    };
    for (name, severity, see, words) in [
        ("simcom-03-a7670e-connect-fail", Severity::Error, "quirk 0.1", "could not be reached"),
        ("simcom-11-sim7600-start-23", Severity::Note, "quirk 2.2", "started already"),
        ("simcom-16-sim7600-pub-refused", Severity::Error, "quirk 0.1", "no answer of the broker"),
        ("fibocom-03-l610-mipcall-error", Severity::Note, "quirk 0.7", "without a reason"),
    ] {
        let analysis = log(name);
        let found = analysis
            .findings
            .iter()
            .any(|it| it.severity == severity && it.see == Some(see) && it.what.contains(words));
        assert!(found, "{name}: {:#?}", analysis.findings);
    }
}
