//! A module that follows a script, for tests: own bytes, nothing of the codec or of the port.

use std::collections::VecDeque;
use std::fmt::Write as _;

use at_codec::{Extent, Framing};
use at_port::{Port, PortOptions, Reaction, Rules};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::command::Command;
use crate::dialect::ModemPort;
use crate::dialect::send;
use crate::link::Inbound;

/// Runs the host's side against a module that follows a script, which has to be followed to its end.
///
/// `>> text` is a command line that must come, `<< text` is sent with a CRLF behind it; `\r` stands for a CR, and a
/// `\` at the end of a line for no CRLF. The port's first question is answered before the script begins.
pub(crate) async fn converse<T>(script: &str, host: impl AsyncFnOnce(ModemPort) -> T) -> T {
    converse_from_the_start(&format!(">> AT+CMEE?\n<< +CMEE: 0\n<< OK\n{script}"), host).await
}

/// As [`converse`], with the port's first question in the script.
pub(crate) async fn converse_from_the_start<T>(script: &str, host: impl AsyncFnOnce(ModemPort) -> T) -> T {
    let (host_end, module_end) = tokio::io::duplex(4096);
    let (port, driver) = Port::new(host_end, Box::new(PlainLines), PortOptions::default());
    tokio::spawn(driver);
    let module = tokio::spawn(follow(script.to_owned(), module_end));
    let outcome = host(port).await;
    if let Err(error) = module.await {
        std::panic::resume_unwind(error.into_panic());
    }
    outcome
}

/// Sends one command; gives the line that was written, and the answer or the words of the error.
///
/// The lines of `answer` come one after the other.
pub(crate) async fn ask<C: Command + Sync>(command: C, answer: &str) -> (String, Result<C::Answer, String>) {
    let (host_end, mut module) = tokio::io::duplex(4096);
    let (port, driver) = Port::new(host_end, Box::new(PlainLines), PortOptions::default());
    tokio::spawn(driver);
    let answer = format!("\r\n{}\r\n", answer.replace('\n', "\r\n"));
    let module = tokio::spawn(async move {
        assert_eq!(line(&mut module).await.as_deref(), Some("AT+CMEE?"));
        module.write_all(b"\r\n+CMEE: 0\r\n\r\nOK\r\n").await.unwrap();
        let line = line(&mut module).await.unwrap();
        module.write_all(answer.as_bytes()).await.unwrap();
        (line, module)
    });
    let outcome = send(&port, command).await.map_err(|error| error.to_string());
    let (line, _module) = module.await.unwrap();
    (line, outcome)
}

/// The words of the error of a command that the module refuses.
pub(crate) async fn refused<C: Command + Sync>(command: C, answer: &str) -> String {
    match ask(command, answer).await {
        (_, Err(words)) => words,
        (line, Ok(_)) => panic!("{line} was not refused by {answer}"),
    }
}

async fn follow(script: String, mut port: DuplexStream) {
    let mut steps: VecDeque<&str> = script.lines().map(str::trim).filter(|step| !step.is_empty()).collect();
    let mut done = String::new();
    loop {
        while let Some(text) = steps.front().and_then(|step| step.strip_prefix("<<").map(str::trim_start)) {
            writeln!(done, "<< {text}").unwrap();
            let text = text.replace("\\r", "\r");
            let bytes = text.strip_suffix('\\').map_or_else(|| format!("{text}\r\n"), str::to_owned);
            port.write_all(bytes.as_bytes()).await.unwrap();
            steps.pop_front();
        }
        let expected = steps.pop_front().map(|step| step.strip_prefix(">> ").expect("a step is >> or <<"));
        let got = line(&mut port).await;
        assert_eq!(got.as_deref(), expected, "the host left the script; the conversation so far:\n{done}");
        let Some(got) = got else { return };
        writeln!(done, ">> {got}").unwrap();
    }
}

/// Reads up to a CR; `None` when the host has left.
async fn line(port: &mut DuplexStream) -> Option<String> {
    let mut line = Vec::new();
    loop {
        match port.read_u8().await {
            Ok(b'\r') => return Some(String::from_utf8(line).unwrap()),
            Ok(byte) => line.push(byte),
            Err(_) => return None,
        }
    }
}

/// Rules without any report but that of a reboot.
struct PlainLines;

impl Framing for PlainLines {
    fn measure(&mut self, _: &[u8], _: &mut usize) -> Extent {
        Extent::Line
    }
}

impl Rules for PlainLines {
    type Urc = Inbound;

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        line == b"RDY"
    }

    fn unsolicited(&mut self, _: &Bytes) -> Reaction<Inbound> {
        Reaction { reboot: true, ..Reaction::default() }
    }
}
