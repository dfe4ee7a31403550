use super::*;

/// The turns of a log as lines of a transcript.
fn turns(log: &str) -> Vec<String> {
    let transcript = read(log.as_bytes()).expect("a log");
    transcript.turns.iter().map(ToString::to_string).collect()
}

#[test]
fn marks_of_many_kinds_are_understood() {
    let wanted = [">> AT+CSQ", "<< +CSQ: 20,99", "<< OK"];
    for log in [
        "> AT+CSQ\n< +CSQ: 20,99\n< OK",
        "-> AT+CSQ\r\n<- +CSQ: 20,99\r\n<- OK\r\n",
        ">>AT+CSQ\n<<+CSQ: 20,99\n<<OK".replace(">>", ">> ").replace("<<", "<< ").as_str(),
        "TX: AT+CSQ\nRX: +CSQ: 20,99\nRX: OK",
        "[TX] AT+CSQ\n[RX] +CSQ: 20,99\n[RX] OK",
        "Send: AT+CSQ\nRecv: +CSQ: 20,99\nRecv: OK",
        "modem: --> AT+CSQ\nmodem: <-- +CSQ: 20,99\nmodem: <-- OK",
        "\u{1b}[32m→ AT+CSQ\u{1b}[0m\n← +CSQ: 20,99\n← OK",
    ] {
        assert_eq!(turns(log), wanted, "{log}");
    }
}

#[test]
fn times_of_many_kinds_are_understood() {
    let wanted = ["@0 >> AT+CSQ", "@250 << +CSQ: 20,99", "@251 << OK"];
    for log in [
        "[14:13:00.250] > AT+CSQ\n[14:13:00.500] < +CSQ: 20,99\n[14:13:00.501] < OK",
        "14:13:00,250 > AT+CSQ\n14:13:00,500 < +CSQ: 20,99\n14:13:00,501 < OK",
        "2026-08-06T14:13:00.250Z INFO: > AT+CSQ\n2026-08-06T14:13:00.500Z INFO: < +CSQ: 20,99\n2026-08-06T14:13:00.501Z INFO: < OK",
        "2026-08-06 23:59:59.800 > AT+CSQ\n2026-08-07 00:00:00.050 < +CSQ: 20,99\n2026-08-07 00:00:00.051 < OK",
        "[  12.250] -> AT+CSQ\n[  12.500] <- +CSQ: 20,99\n[  12.501] <- OK",
        "SENT@4250 AT+CSQ\nRECV@4500 +CSQ: 20,99\nRECV@4501 OK",
        "14:13:00.250 -> AT+CSQ\n14:13:00.500 -> +CSQ: 20,99\n14:13:00.501 -> OK",
        "[14:13:00.250] AT+CSQ\n[14:13:00.500] +CSQ: 20,99\n[14:13:00.501] OK",
    ] {
        assert_eq!(turns(log), wanted, "{log}");
    }
}

#[test]
fn a_daemon_writes_line_ends_out() {
    let log = "<debug> [1734.100] [modem0/ttyUSB2/at] --> 'AT+CSQ<CR>'\n\
               <debug> [1734.140] [modem0/ttyUSB2/at] <-- '<CR><LF>+CSQ: 20'\n\
               <debug> [1734.141] [modem0/ttyUSB2/at] <-- ',99<CR><LF><CR><LF>OK<CR><LF>'\n\
               <info> [1734.200] [modem0] state changed\n";
    assert_eq!(turns(log), ["@0 >> AT+CSQ", "@40 << \\r\\n+CSQ: 20\\", "@41 << ,99\\r\\n\\r\\nOK"]);
    let transcript = read(log.as_bytes()).unwrap();
    assert_eq!(transcript.notes[0].text, "<info> [1734.200] [modem0] state changed");
}

#[test]
fn a_capture_tells_by_what_was_said_who_spoke() {
    let log = "RDY\n\nAT+QMTPUBEX=0,1,1,0,\"t\",5\n> hello\nOK\n\n+QMTPUBEX: 0,1,0\nAT+CMQTTTOPIC=0,4\n>\na/b\nOK\n";
    assert_eq!(
        turns(log),
        [
            "<< RDY",
            "<<",
            ">> AT+QMTPUBEX=0,1,1,0,\"t\",5",
            "<< \\r\\n> \\",
            ">> hello\\",
            "<< OK",
            "<<",
            "<< +QMTPUBEX: 0,1,0",
            ">> AT+CMQTTTOPIC=0,4",
            "<< \\r\\n> \\",
            ">> a/b\\",
            "<< OK",
        ]
    );
}

#[test]
fn a_line_twice_in_a_capture_is_a_command_and_its_echo() {
    assert_eq!(
        turns("AT+CSQ\nAT+CSQ\n+CSQ: 20,99\nOK"),
        [">> AT+CSQ", "<< AT+CSQ", "<< +CSQ: 20,99", "<< OK"]
    );
}

#[test]
fn a_log_may_hold_the_modules_words_alone() {
    assert_eq!(turns("< RDY\n< +CPIN: READY\n"), ["<< RDY", "<< +CPIN: READY"]);
    assert_eq!(turns("RDY\n+CPIN: READY\n"), ["<< RDY", "<< +CPIN: READY"]);
}

#[test]
fn an_echo_may_come_in_two_reads() {
    let log = "AT+QMTCLOSE=0,12345\nAT+QMTCLOSE=0,1\n2345\nOK";
    assert_eq!(turns(log), [">> AT+QMTCLOSE=0,12345", "<< AT+QMTCLOSE=0,1\\", "<< 2345", "<< OK"]);
}

#[test]
fn reads_of_several_lines_may_be_shown_as_one() {
    let log = "SENT AT+CSQ\nRECV +CSQ: 20,99\\n\\nOK";
    assert_eq!(turns(log), [">> AT+CSQ", "<< +CSQ: 20,99\\r\\n\\r\\nOK"]);
}

#[test]
fn line_ends_may_be_written_out_in_some_lines_only() {
    let log = "> AT+CPIN?\n< \\r\\n+CPIN: READY\\r\\n\\r\\nOK\\r\\n\n> AT+CSQ\\r\n< +CSQ: 20,99\n< OK";
    assert_eq!(
        turns(log),
        [">> AT+CPIN?", "<< \\r\\n+CPIN: READY\\r\\n\\r\\nOK", ">> AT+CSQ", "<< +CSQ: 20,99", "<< OK"]
    );
}

#[test]
fn a_prompt_that_is_a_word_is_a_line() {
    let log = "> AT+QFUPL=\"UFS:a\",5,100\n< CONNECT\n> hello\n< +QFUPL: 5,2d13\n< OK";
    assert_eq!(
        turns(log),
        [">> AT+QFUPL=\"UFS:a\",5,100", "<< CONNECT", ">> hello\\", "<< +QFUPL: 5,2d13", "<< OK"]
    );
}

#[test]
fn an_echo_of_data_is_no_data() {
    let data = "{\"id\": \"123\"}";
    for length in [13, 14, 5] {
        let log = format!("AT+QMTPUBEX=0,0,0,0,\"t\",{length}\n>\n{data}\n{data}\nOK");
        let turns = turns(&log);
        assert_eq!(
            turns[2..],
            [format!(">> {data}\\"), format!("<< {data}"), "<< OK".to_owned()],
            "{length}"
        );
    }
    // Two lines that are alike are data, if so many were announced.
    let turns = turns("AT+QMTPUBEX=0,0,0,0,\"t\",10\n>\nabcd\nabcd\nOK");
    assert_eq!(turns[2..], [">> abcd\\r\\n\\", ">> abcd\\", "<< OK"]);
}

#[test]
fn a_blank_before_a_command_hides_no_echo() {
    assert_eq!(turns(" AT+CSQ\nAT+CSQ\nOK"), [">> AT+CSQ", "<< AT+CSQ", "<< OK"]);
}

#[test]
fn data_of_several_lines_are_the_hosts_up_to_the_announced_length() {
    let log = "AT+QFUPL=\"ca.pem\",22,100\nCONNECT\n-----BEGIN\nOK it is\n\n+QFUPL: 22,abcd\nOK";
    let turns = turns(log);
    assert_eq!(turns[2..4], [">> -----BEGIN\\r\\n\\", ">> OK it is\\r\\n\\"], "{turns:?}");
    // Text that was left out of the log is not looked for.
    let turns = self::turns("AT+QFUPL=\"ca.pem\",5000\nCONNECT\nOK\nAT");
    assert_eq!(turns[1..], ["<< CONNECT", "<< OK", ">> AT"]);
}

#[test]
fn a_line_without_a_mark_goes_on_with_the_one_before() {
    let log = "# module: EC200T\n< +QMTRECV: 0,0,\"t\",9,\"two\nlines\"\n(later)\n> AT\n< OK";
    assert_eq!(turns(log), ["<< +QMTRECV: 0,0,\"t\",9,\"two", "<< lines\"", ">> AT", "<< OK"]);
    assert_eq!(read(log.as_bytes()).unwrap().headers, [("module".to_owned(), "EC200T".to_owned())]);
}

#[test]
fn a_payload_that_begins_like_a_time_is_no_time() {
    for payload in ["[17] abcd", "(12) abcd", "14:13:00 abcd"] {
        let length = payload.len();
        let sent = turns(&format!("AT+CMQTTPAYLOAD=0,{length}\n>\n{payload}\nOK"));
        assert_eq!(sent[2], format!(">> {payload}\\"), "{sent:?}");
        let log = format!("> AT\n< OK\n< +CMQTTRXPAYLOAD: 0,{length}\n{payload}\n< +CMQTTRXEND: 0");
        assert_eq!(turns(&log)[3], format!("<< {payload}"), "in a log with marks");
    }
    // In a log with times it is one if it is written as the others are.
    let timed = turns("[14:13:00] AT+X=1\n[14:13:01] [17] abcd\n[14:13:02] OK");
    assert_eq!(timed, ["@0 >> AT+X=1", "@1000 << [17] abcd", "@2000 << OK"]);
}

#[test]
fn echoes_and_polls_may_show_line_ends_or_not() {
    let log = "> AT\\r\n< AT\\r\\r\\nOK\\r\\n\n> AT+XIIC?\\r\n< +XIIC: 0, 0.0.0.0\n> AT+XIIC?\n< +XIIC: 1, 10.0.0.7\n< +TCPSEND:Error1";
    assert_eq!(
        turns(log),
        [
            ">> AT",
            "<< AT\\r\\r\\nOK",
            ">> AT+XIIC?",
            "<< +XIIC: 0, 0.0.0.0",
            ">> AT+XIIC?",
            "<< +XIIC: 1, 10.0.0.7",
            "<< +TCPSEND:Error1"
        ]
    );
}

#[test]
fn a_line_named_after_the_upload_ends_its_data() {
    let log = "AT+CERTADD=rootca.pem,1758\nCONNECT\n+CERTADD: 1758,OK\nAT+AWSTLSCFG=rootca,rootca.pem\nOK";
    let expected = [
        ">> AT+CERTADD=rootca.pem,1758",
        "<< CONNECT",
        "<< +CERTADD: 1758,OK",
        ">> AT+AWSTLSCFG=rootca,rootca.pem",
        "<< OK",
    ];
    assert_eq!(turns(log), expected);
}

#[test]
fn secrets_are_masked_and_so_are_their_echoes() {
    let log = "AT+QMTCONN=0,\"id\",\"user\",\"sesame\"\nAT+QMTCONN=0,\"id\",\"user\",\"sesame\"\nOK";
    let mut transcript = read(log.as_bytes()).unwrap();
    crate::hiding::hide_secrets(&mut transcript);
    let turns: Vec<_> = transcript.turns.iter().map(ToString::to_string).collect();
    assert_eq!(turns[..2], [">> AT+QMTCONN=0,\"id\",\"user\",***", "<< AT+QMTCONN=0,\"id\",\"user\",***"]);
}

#[test]
fn bytes_that_are_no_utf8_stay_as_they_are() {
    let transcript = read(b"> AT\n< \xfe\xff\xc3\xbc\n< OK").unwrap();
    assert_eq!(transcript.turns[1].bytes, &b"\xfe\xff\xc3\xbc\r\n"[..]);
}

#[test]
fn other_files_are_no_logs() {
    for text in ["", "hello\nworld\n", "{\"a\": 1}", "ATTENTION: this is prose\n"] {
        assert_eq!(read(text.as_bytes()), None, "{text}");
    }
}
