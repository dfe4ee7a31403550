//! The command channel: echo, lines, forms, prompts, one command at a time.

use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{Entry, Form};

use crate::host::Bench;

#[tokio::test(start_paused = true)]
async fn echo_is_exactly_what_was_typed() {
    let mut bench = Bench::fresh(|builder| builder);
    bench.host.say("\n at+cmee?  \r").await;
    bench.host.hear("\n at+cmee?  \r\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    // Two commands glued together are obeyed one after the other.
    bench.host.say("ATE0\rAT+CMEE?\rAT\r").await;
    bench.host.hear("ATE0\r\r\nOK\r\n\r\n+CMEE: 0\r\n\r\nOK\r\n\r\nOK\r\n").await;
    bench.ok("ATE1").await;
    bench.host.ask("AT", "AT\r\r\nOK\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_line_feed_belongs_to_what_follows() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.host.say("AT\r\nAT\r\n").await;
    bench.host.hear("\r\nOK\r\n\r\nOK\r\n").await;
    // Behind a prompt it is the first byte of the payload.
    bench.host.say("AT+QMTPUBEX=0,0,0,0,\"t\",3\r\nab").await;
    bench.host.hear("\r\n> \r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    assert_eq!(bench.broker.ledger().accepted[0].payload, "\nab");
}

#[tokio::test(start_paused = true)]
async fn lines_that_are_no_commands() {
    let mut bench = Bench::quiet(|builder| builder).await;
    for line in ["hello", "AT+QMTOPEN=0,\"half", "AT+QMTCFG?", "AT+NOSUCH=1", "AT+QMTOPEN=0,\"a\"b\",1"] {
        bench.error(line).await;
    }
    bench.host.say("\r\r\n\r").await;
    bench.host.silence().await;
    bench.error(&format!("AT+QMTCONN=0,\"{}\"", "x".repeat(5000))).await;
    bench.ok("AT+CMEE=1").await;
    bench.host.ask("AT+NOSUCH=1", "\r\n+CME ERROR: 4\r\n").await;
    bench.ok("AT+CMEE=2").await;
    bench.host.ask("AT+NOSUCH=1", "\r\n+CME ERROR: operation not supported\r\n").await;
    let entries = bench.modem.log();
    assert!(entries.iter().any(|record| record.entry == Entry::NotACommand("hello".into())));
}

#[tokio::test(start_paused = true)]
async fn several_commands_on_a_line_have_one_final_result() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.host.ask("AT+CMEE?;+CGATT?;+CSQ", "\r\n+CMEE: 0\r\n+CGATT: 1\r\n+CSQ: 24,99\r\n\r\nOK\r\n").await;
    bench.host.ask("AT+CGMM;+CMEE=9;+CGMI", "\r\nEC200T\r\n\r\nERROR\r\n").await;
    bench.ok("AT&FZE0+CMEE=1").await;
    let last = bench.modem.understood().pop().unwrap().command;
    assert_eq!((last.name.as_str(), last.form), ("+CMEE", Form::Write));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_obeyed_while_a_command_is_running() {
    let mut bench = Bench::connected(|builder| builder.turnaround(Duration::from_millis(50))).await;
    let start = Instant::now();
    bench.host.say("AT\rAT+CMEE?\r").await;
    bench.host.hear("\r\nOK\r\n").await;
    assert_eq!(start.elapsed(), Duration::from_millis(50));
    bench.host.hear("\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    assert_eq!(start.elapsed(), Duration::from_millis(100));
    // A command that is written into a prompt is data.
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",6", "\r\n> ").await;
    bench.host.say("AT+CSQ\rAT\r").await;
    bench.host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n\r\nOK\r\n").await;
    assert_eq!(bench.broker.ledger().accepted[0].payload, "AT+CSQ");
}

#[tokio::test(start_paused = true)]
async fn what_is_unsolicited_splits_nothing() {
    let mut bench = Bench::connected(|builder| builder).await;
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",2", "\r\n> ").await;
    bench.modem.inject_urc("+QIND: x");
    bench.host.silence().await;
    bench.host.say("hi").await;
    bench.host.hear("\r\nOK\r\n\r\n+QIND: x\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    bench.ok("ATE1").await;
    bench.host.say("AT+CM").await;
    bench.host.hear("AT+CM").await;
    bench.modem.inject_urc("+QIND: y");
    bench.host.silence().await;
    bench.host.say("EE?\r").await;
    bench.host.hear("EE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n\r\n+QIND: y\r\n").await;
    // With echo on the data is echoed as well.
    bench.host.ask("AT+QMTPUBEX=0,0,0,0,\"t\",2", "AT+QMTPUBEX=0,0,0,0,\"t\",2\r\r\n> ").await;
    bench.host.say("hi").await;
    bench.host.hear("hi\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn the_wire_takes_ten_bits_a_byte() {
    let mut bench =
        Bench::fresh(|builder| builder.baud(Some(1000)).time_scale(10).turnaround(Duration::from_millis(7)));
    let start = Instant::now();
    bench.host.say("AT\r").await;
    // 3 bytes there (the echo of each leaves at once), 70 ms, 6 bytes back; 100 ms a byte.
    bench.host.hear("AT\r\r\nOK\r\n").await;
    assert_eq!(start.elapsed(), Duration::from_millis(300 + 100 + 600));
}

#[tokio::test(start_paused = true)]
async fn result_codes_as_numbers_or_not_at_all() {
    let mut bench = Bench::quiet(|builder| builder).await;
    bench.host.ask("ATV0", "0\r").await;
    bench.host.ask("AT+NOSUCH", "4\r").await;
    bench.host.ask("ATV1", "\r\nOK\r\n").await;
    bench.host.say("ATQ1\rAT\r").await;
    bench.host.silence().await;
    bench.ok("ATQ0").await;
}
